// Sessions to judge the filter on: recorded traces with truth, and seeded twins of them that are
// degraded, re-simulated or walked by our own generators.
#ifndef WAYMARK_TESTS_BENCH_TRACE_CORPUS_H_
#define WAYMARK_TESTS_BENCH_TRACE_CORPUS_H_

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "waymark/fix.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"

namespace waymark::corpus {

struct TruthPoint {
  std::int64_t utc_ms = 0;
  LatLon position;
};

struct Session {
  std::string name;
  std::vector<DeliveredFix> fixes;  ///< in order of delivery
  std::vector<TruthPoint> truth;    ///< in order of time
};

/// Small seeded generator (SplitMix64; Steele et al., OOPSLA 2014) with what the models need.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  double Uniform() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }
  double Uniform(double a, double b) { return a + (b - a) * Uniform(); }
  double Normal() {
    const double u = std::sqrt(-2 * std::log(1 - Uniform()));
    return u * std::cos(2 * std::numbers::pi * Uniform());
  }
  double Exponential(double mean) { return -mean * std::log(1 - Uniform()); }

 private:
  std::uint64_t state_;
};

/// How a generated twin errs. Sigmas per axis in m, rates per s.
struct ErrorModel {
  double white = 0, gm1 = 0, tau1 = 1, gm2 = 0, tau2 = 1;
  double burst_rate = 0;
  double burst_min = 0, burst_max = 0;
  int burst_fixes = 6;
  bool burst_scatter = false;  ///< each fix of a burst somewhere else
  double burst_honest = 0;     ///< share of bursts that report a large radius
  double gap_rate = 0, gap_mean_s = 0;
  double stale_rate = 0;
  double velocity_sigma = 0.1;
  double velocity_latency_s = 0.3;
  double radius_m = 0;  ///< 0: none reported
  bool network_bursts = false;
};

/// Truth and position errors: the recorded sessions of `folder` whose files are there.
std::vector<Session> LoadRecorded(const std::string& folder, const std::string& fixes_file);
std::optional<Session> LoadSession(const std::string& dir, const std::string& fixes_file,
                                   const std::string& name);

/// Fixes at 1 Hz of a receiver with `model` that moves along the truth of `s`.
Session Resimulate(const Session& s, const ErrorModel& model, std::uint64_t seed);
/// The recorded fixes with the errors of `model` added.
Session Degrade(const Session& s, const ErrorModel& model, std::uint64_t seed);
/// Someone walks indoors and through courtyards, with halts.
Session Walk(const ErrorModel& model, double minutes, std::uint64_t seed);
/// Someone stands.
Session Stand(const ErrorModel& model, double minutes, std::uint64_t seed);

Session PositionOnly(Session s);
Session Without(Session s, bool accuracy, bool velocity);
Session Every(const Session& s, double seconds);

/// The truth at a time, in `frame`; nullopt outside it and in its gaps.
std::optional<EastNorth> TruthAt(const Session& s, const LocalFrame& frame, std::int64_t utc_ms);

}  // namespace waymark::corpus

#endif  // WAYMARK_TESTS_BENCH_TRACE_CORPUS_H_
