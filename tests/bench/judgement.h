// How far the live and the smoothed track of a session are from its truth, beside what was
// reported, and the means over a set of sessions.
#ifndef WAYMARK_TESTS_BENCH_JUDGEMENT_H_
#define WAYMARK_TESTS_BENCH_JUDGEMENT_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "bench/trace_corpus.h"
#include "filters/estimator_impl.h"
#include "waymark/estimator.h"

namespace waymark::corpus {

double Distance(EastNorth a, EastNorth b);

struct Errors {
  std::vector<double> m;
  int in68 = 0, in95 = 0, with_radius = 0;
  void Add(double error, double r68, double r95);
  double Quantile(double p) const;
  double Score() const { return (Quantile(0.5) + Quantile(0.95)) / 2; }
  double Rmse() const;
  double Max() const;
  double Share68() const { return double(in68) / std::max(1, with_radius); }
  double Share95() const { return double(in95) / std::max(1, with_radius); }
};

struct Judgement {
  std::string name;
  Errors raw, live, smoothed;
};

/// Sees every fix after the estimator has.
using OnFix = std::function<void(const DeliveredFix&, const Verdict&, Estimator&)>;

Judgement Judge(const Session& s, const FilterTuning& tuning, const OnFix& on_fix = nullptr);
/// One line for each fix of `s`, which must outlive it.
OnFix PrintsFixes(const Session& s);

/// Ratios to raw, means over the judgements added; `worst` are of one session.
struct Line {
  int n = 0;
  double score = 0, rmse = 0, max = 0, c68 = 0, c95 = 0, ok68 = 0;
  double sscore = 0, srmse = 0, smax = 0, s68 = 0, s95 = 0, p95 = 0;
  double worst = 0, sworst = 0;
  void Add(const Judgement& j);
  Line Mean() const;
};

}  // namespace waymark::corpus

#endif  // WAYMARK_TESTS_BENCH_JUDGEMENT_H_
