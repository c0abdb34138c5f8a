#include "bench/judgement.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "waymark/smoother.h"

namespace waymark::corpus {

double Distance(EastNorth a, EastNorth b) {
  return std::hypot(a.east_m - b.east_m, a.north_m - b.north_m);
}

void Errors::Add(double error, double r68, double r95) {
  m.push_back(error);
  ++with_radius;
  in68 += error <= r68;
  in95 += error <= r95;
}

double Errors::Quantile(double p) const {
  std::vector<double> s = m;
  const auto at = static_cast<std::size_t>(p * static_cast<double>(s.size() - 1));
  std::nth_element(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(at), s.end());
  return s[at];
}

double Errors::Rmse() const {
  double sum = 0;
  for (double x : m) sum += x * x;
  return std::sqrt(sum / static_cast<double>(m.size()));
}

double Errors::Max() const { return *std::max_element(m.begin(), m.end()); }

Judgement Judge(const Session& s, const FilterTuning& tuning, const OnFix& on_fix) {
  Judgement j;
  j.name = s.name;
  const LocalFrame frame(s.truth.front().position);
  auto created = Estimator::Create({});
  Estimator estimator = std::move(created).value();
  EstimatorAccess::Of(estimator).tuning = tuning;
  for (const DeliveredFix& d : s.fixes) {
    const std::int64_t ms = d.fix.utc->time_since_epoch().count();
    const Verdict verdict = estimator.Update(d.fix, d.arrival);
    const auto e = estimator.Latest();
    if (on_fix) on_fix(d, verdict, estimator);
    const auto truth = TruthAt(s, frame, ms);
    if (truth) j.raw.m.push_back(Distance(frame.ToLocal(d.fix.position), *truth));
    if (!e) continue;
    const std::int64_t at = ms + (e->time - d.fix.time) / std::chrono::milliseconds(1);
    if (const auto t = TruthAt(s, frame, at)) {
      j.live.Add(Distance(frame.ToLocal(e->position), *t), e->r68_m, e->r95_m);
    }
  }
  const auto track = EstimatorAccess::Smooth(s.fixes, {}, tuning);
  const auto offset = s.fixes.front().fix.utc->time_since_epoch().count() -
                      s.fixes.front().fix.time.time_since_epoch() / std::chrono::milliseconds(1);
  for (const Estimate& e : track.value().knots()) {
    const std::int64_t at = e.time.time_since_epoch() / std::chrono::milliseconds(1) + offset;
    if (const auto t = TruthAt(s, frame, at)) {
      j.smoothed.Add(Distance(frame.ToLocal(e.position), *t), e.r68_m, e.r95_m);
    }
  }
  return j;
}

OnFix PrintsFixes(const Session& s) {
  return [&s](const DeliveredFix& d, const Verdict& verdict, Estimator& estimator) {
    const LocalFrame frame(s.truth.front().position);
    const std::int64_t ms = d.fix.utc->time_since_epoch().count();
    const auto e = estimator.Latest();
    const TrackFilter& f = EstimatorAccess::Of(estimator).filter;
    const EastNorth q = TruthAt(s, frame, ms).value_or(EastNorth{});
    const EastNorth z = frame.ToLocal(d.fix.position);
    const EastNorth p = e ? frame.ToLocal(e->position) : EastNorth{};
    std::printf(
        "@ %lld %s/%s %.2f raw %.1f,%.1f est %.1f,%.1f r68 %.1f b %.1f,%.1f v %.1f,%.1f vm "
        "%.1f,%.1f mode %.2f %.2f %.2f w %.2f white %.2f gm %.2f tau %.1f\n",
        static_cast<long long>(ms / 1000 % 100000), DispositionName(verdict.disposition),
        ReasonName(verdict.reason), verdict.value, z.east_m - q.east_m, z.north_m - q.north_m,
        p.east_m - q.east_m, p.north_m - q.north_m, e ? e->r68_m : 0.0, f.combined().b.e,
        f.combined().b.n, f.combined().v.e, f.combined().v.n,
        f.measured_velocity() ? f.measured_velocity()->e : 0.0,
        f.measured_velocity() ? f.measured_velocity()->n : 0.0, f.mode()[0], f.mode()[1],
        f.mode()[2], f.follow(), std::sqrt(f.noise().white_var_m2), std::sqrt(f.noise().gm_var_m2),
        f.noise().gm_tau_s);
  };
}

void Line::Add(const Judgement& j) {
  if (j.raw.m.empty() || j.live.m.empty() || j.smoothed.m.empty()) return;
  ++n;
  const double live = j.live.Score() / j.raw.Score();
  score += live;
  worst = std::max(worst, live);
  rmse += j.live.Rmse() / j.raw.Rmse();
  max += j.live.Max() / j.raw.Max();
  c68 += j.live.Share68();
  c95 += j.live.Share95();
  ok68 += j.live.Share68() >= 0.4 && j.live.Share68() <= 0.95;
  const double smoothed = j.smoothed.Score() / j.raw.Score();
  sscore += smoothed;
  sworst = std::max(sworst, smoothed);
  srmse += j.smoothed.Rmse() / j.raw.Rmse();
  smax += j.smoothed.Max() / j.raw.Max();
  s68 += j.smoothed.Share68();
  s95 += j.smoothed.Share95();
  p95 += j.smoothed.Quantile(0.95) / j.raw.Quantile(0.95);
}

Line Line::Mean() const {
  Line l = *this;
  for (double* x : {&l.score, &l.rmse, &l.max, &l.c68, &l.c95, &l.ok68, &l.sscore, &l.srmse,
                    &l.smax, &l.s68, &l.s95, &l.p95}) {
    *x *= 1.0 / std::max(n, 1);
  }
  return l;
}

}  // namespace waymark::corpus
