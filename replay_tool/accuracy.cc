#include "replay_tool/accuracy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

// Beyond this the plane is no longer a distance to the millimetre (d^3 / 6 R^2): ask the geodesic.
constexpr double kPlaneLimitM = 5'000;
// Below this the truth's direction of motion is noise.
constexpr double kDirectionMps = 1;
// Chi-square quantiles for two degrees of freedom: -2 ln(1 - p).
constexpr double kNees68 = 2.2788685663767296;
constexpr double kNees95 = 5.991464547107979;

std::optional<double> Nees(const TrackPoint::Covariance& c, EastNorth e) {
  const double det = c.ee * c.nn - c.en * c.en;
  if (!(det > 0)) return std::nullopt;
  return (e.east_m * e.east_m * c.nn - 2 * e.east_m * e.north_m * c.en +
          e.north_m * e.north_m * c.ee) /
         det;
}

std::optional<OffsetSummary> SummariseOffsets(std::vector<double> offsets_m) {
  if (offsets_m.empty()) return std::nullopt;
  const auto [p50, p95] = Quantiles<2>(offsets_m, {0.50, 0.95});
  return OffsetSummary{offsets_m.size(), p50, p95};
}

}  // namespace

TrackErrors MeasureErrors(std::span<const TrackPoint> track, const TruthTrack& truth) {
  TrackErrors errors;
  errors.times_s.reserve(track.size());
  errors.error_m.reserve(track.size());
  errors.cross_times_s.reserve(track.size());
  errors.cross_m.reserve(track.size());
  errors.along_m.reserve(track.size());
  errors.claims.reserve(track.size());
  TruthTrack::Hint hint;
  for (const TrackPoint& p : track) {
    const std::optional<TruthTrack::State> state = truth.At(p.utc_ms, hint);
    if (!state) continue;
    const SurfacePoint here(p.position);
    const Vec3 delta = here.position - state->position;
    const EastNorth e = here.Horizontal(delta);
    double error_m = std::hypot(e.east_m, e.north_m);
    if (Dot(delta, delta) > kPlaneLimitM * kPlaneLimitM) {
      error_m = DistanceM(p.position, FromEcef(state->position));
    }
    const double time_s = static_cast<double>(p.utc_ms) * 1e-3;
    errors.times_s.push_back(time_s);
    errors.error_m.push_back(error_m);
    const EastNorth v = here.Horizontal(state->velocity);
    const double speed_mps = std::hypot(v.east_m, v.north_m);
    if (speed_mps > kDirectionMps) {
      errors.cross_times_s.push_back(time_s);
      errors.cross_m.push_back(std::abs(e.east_m * v.north_m - e.north_m * v.east_m) / speed_mps);
      errors.along_m.push_back(std::abs(e.east_m * v.east_m + e.north_m * v.north_m) / speed_mps);
    }
    if (p.r68_m) {
      TrackErrors::Claim claim{time_s, error_m, *p.r68_m, p.r95_m, std::nullopt};
      if (p.covariance) claim.nees = Nees(*p.covariance, e);
      errors.claims.push_back(claim);
    }
  }
  return errors;
}

TrackErrors MeasureCrossTrack(std::span<const TrackPoint> track, const PolylineIndex& route) {
  TrackErrors errors;
  for (const TrackPoint& p : track) {
    errors.cross_times_s.push_back(static_cast<double>(p.utc_ms) * 1e-3);
    errors.cross_m.push_back(route.DistanceM(ToEcef(p.position)));
  }
  return errors;
}

AccuracySummary Summarise(std::span<const double> errors_m, std::span<const double> times_s,
                          std::uint64_t seed) {
  AccuracySummary s;
  s.n = errors_m.size();
  std::vector<double> sorted(errors_m.begin(), errors_m.end());
  constexpr std::array<double, 4> kProbabilities{0.50, 0.68, 0.95, 0.99};
  const std::array<double, 4> quantile = Quantiles(std::span<double>(sorted), kProbabilities);
  s.p50_m = quantile[0];
  s.p68_m = quantile[1];
  s.p95_m = quantile[2];
  s.p99_m = quantile[3];
  s.score_m = (s.p50_m + s.p95_m) / 2;
  s.max_m = *std::max_element(sorted.begin(), sorted.end());
  std::vector<double> squares(errors_m.size());
  std::transform(errors_m.begin(), errors_m.end(), squares.begin(), [](double e) { return e * e; });
  s.rmse_m =
      std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0) / static_cast<double>(s.n));

  const BlockBootstrap bootstrap(times_s, seed);
  if (!bootstrap.usable()) return s;
  const std::vector<std::vector<double>> q = bootstrap.QuantileReplicates(errors_m, kProbabilities);
  s.p50_ci_m = BlockBootstrap::Central95(q[0]);
  s.p68_ci_m = BlockBootstrap::Central95(q[1]);
  s.p95_ci_m = BlockBootstrap::Central95(q[2]);
  s.p99_ci_m = BlockBootstrap::Central95(q[3]);
  std::vector<double> score(q[0].size());
  for (std::size_t i = 0; i < score.size(); ++i) score[i] = (q[0][i] + q[2][i]) / 2;
  s.score_ci_m = BlockBootstrap::Central95(std::move(score));
  if (const std::optional<Interval> mean = bootstrap.Mean(squares)) {
    s.rmse_ci_m = Interval{std::sqrt(mean->low), std::sqrt(mean->high)};
  }
  return s;
}

TrackAccuracy SummariseTrack(const TrackErrors& errors, std::uint64_t seed) {
  TrackAccuracy a;
  if (!errors.error_m.empty()) a.error = Summarise(errors.error_m, errors.times_s, seed);
  a.cross_track = SummariseOffsets(errors.cross_m);
  a.along_track = SummariseOffsets(errors.along_m);
  return a;
}

std::optional<CalibrationSummary> SummariseCalibration(std::span<const TrackErrors::Claim> claims,
                                                       std::uint64_t seed) {
  if (claims.empty()) return std::nullopt;
  CalibrationSummary s;
  s.n = claims.size();
  std::vector<double> times, in68, times95, in95, nees_times, nees;
  for (std::vector<double>* of : {&times, &in68, &times95, &in95, &nees_times, &nees}) {
    of->reserve(claims.size());
  }
  double in_ellipse68 = 0, in_ellipse95 = 0;
  for (const TrackErrors::Claim& c : claims) {
    times.push_back(c.time_s);
    in68.push_back(c.error_m <= c.r68_m ? 1 : 0);
    if (c.r95_m) {
      times95.push_back(c.time_s);
      in95.push_back(c.error_m <= *c.r95_m ? 1 : 0);
    }
    if (c.nees) {
      nees_times.push_back(c.time_s);
      nees.push_back(*c.nees);
      in_ellipse68 += *c.nees <= kNees68 ? 1 : 0;
      in_ellipse95 += *c.nees <= kNees95 ? 1 : 0;
    }
  }
  const auto mean = [](const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  };
  // Mostly all points claim everything: then one bootstrap serves all.
  const BlockBootstrap bootstrap(times, seed);
  const auto interval = [&](const std::vector<double>& at, const std::vector<double>& values) {
    return at.size() == times.size() ? bootstrap.Mean(values)
                                     : BlockBootstrap(at, seed).Mean(values);
  };
  s.coverage68 = mean(in68);
  s.coverage68_ci = bootstrap.Mean(in68);
  if (!in95.empty()) {
    s.coverage95 = mean(in95);
    s.coverage95_ci = interval(times95, in95);
  }
  if (!nees.empty()) {
    s.nees_mean = mean(nees);
    s.nees_mean_ci = interval(nees_times, nees);
    s.ellipse_coverage68 = in_ellipse68 / static_cast<double>(nees.size());
    s.ellipse_coverage95 = in_ellipse95 / static_cast<double>(nees.size());
  }
  return s;
}

}  // namespace waymark::replay
