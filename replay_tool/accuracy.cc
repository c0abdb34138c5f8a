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

using Claim = TrackErrors::Claim;

bool IsIn68(const Claim& c) { return c.error_m <= c.r68_m; }
bool IsIn95(const Claim& c) { return c.error_m <= *c.r95_m; }

}  // namespace

TrackErrors MeasureErrors(std::span<const TrackPoint> track, std::span<const SurfacePoint> surface,
                          const TruthTrack& truth) {
  TrackErrors errors;
  errors.times_s.reserve(track.size());
  errors.error_m.reserve(track.size());
  errors.cross_times_s.reserve(track.size());
  errors.cross_m.reserve(track.size());
  errors.along_m.reserve(track.size());
  errors.claims.reserve(track.size());
  TruthTrack::Hint hint;
  for (std::size_t i = 0; i < track.size(); ++i) {
    const TrackPoint& p = track[i];
    const std::optional<TruthTrack::State> state = truth.At(p.utc_ms, hint);
    if (!state) continue;
    const SurfacePoint& here = surface[i];
    const Vec3 delta = here.position - state->position;
    const EastNorth e = here.Horizontal(delta);
    double error_m = std::hypot(e.east_m, e.north_m);
    if (Dot(delta, delta) > kPlaneLimitM * kPlaneLimitM) {
      error_m = DistanceM(p.position, FromEcef(state->position));
    }
    const double time_s = static_cast<double>(p.utc_ms) * 1e-3;
    errors.times_s.push_back(time_s);
    errors.error_m.push_back(error_m);
    const EastNorth v = here.Horizontal(state->velocity.value_or(Vec3{}));
    const double speed_mps = std::hypot(v.east_m, v.north_m);
    if (speed_mps > kDirectionMps) {
      errors.cross_times_s.push_back(time_s);
      errors.cross_m.push_back(std::abs(e.east_m * v.north_m - e.north_m * v.east_m) / speed_mps);
      errors.along_m.push_back(std::abs(e.east_m * v.east_m + e.north_m * v.north_m) / speed_mps);
    }
    if (p.r68_m) {
      TrackErrors::Claim claim{time_s, error_m, *p.r68_m, p.r95_m, {}};
      if (p.covariance) claim.nees = Nees(*p.covariance, e);
      errors.claims.push_back(claim);
    }
  }
  return errors;
}

TrackErrors MeasureCrossTrack(std::span<const TrackPoint> track,
                              std::span<const SurfacePoint> surface, const PolylineIndex& route) {
  TrackErrors errors;
  for (std::size_t i = 0; i < track.size(); ++i) {
    errors.cross_times_s.push_back(static_cast<double>(track[i].utc_ms) * 1e-3);
    errors.cross_m.push_back(route.DistanceM(surface[i].position));
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
  std::size_t in68 = 0, claims95 = 0, in95 = 0, ellipses = 0, in_ellipse68 = 0, in_ellipse95 = 0;
  double nees = 0;
  std::vector<double> times;
  times.reserve(claims.size());
  for (const Claim& c : claims) {
    times.push_back(c.time_s);
    in68 += IsIn68(c) ? 1 : 0;
    if (c.r95_m) {
      ++claims95;
      in95 += IsIn95(c) ? 1 : 0;
    }
    if (c.nees) {
      ++ellipses;
      nees += *c.nees;
      in_ellipse68 += *c.nees <= kNees68 ? 1 : 0;
      in_ellipse95 += *c.nees <= kNees95 ? 1 : 0;
    }
  }
  const auto share = [](std::size_t part, std::size_t all) {
    return static_cast<double>(part) / static_cast<double>(all);
  };
  const BlockBootstrap bootstrap(times, seed);
  times = {};
  const auto interval = [&](std::size_t n, auto has, auto value) {
    // Mostly all points claim everything: then one bootstrap serves all.
    if (n == claims.size()) {
      return bootstrap.Mean([&](std::size_t i) -> double { return value(claims[i]); });
    }
    std::vector<double> at, values;
    for (const Claim& c : claims) {
      if (!has(c)) continue;
      at.push_back(c.time_s);
      values.push_back(value(c));
    }
    return BlockBootstrap(at, seed).Mean(values);
  };
  s.coverage68 = share(in68, claims.size());
  s.coverage68_ci = bootstrap.Mean([&](std::size_t i) -> double { return IsIn68(claims[i]); });
  if (claims95 > 0) {
    s.coverage95 = share(in95, claims95);
    s.coverage95_ci = interval(
        claims95, [](const Claim& c) { return c.r95_m.has_value(); },
        [](const Claim& c) -> double { return IsIn95(c); });
  }
  if (ellipses > 0) {
    s.nees_mean = nees / static_cast<double>(ellipses);
    s.nees_mean_ci = interval(
        ellipses, [](const Claim& c) { return c.nees.has_value(); },
        [](const Claim& c) { return *c.nees; });
    s.ellipse_coverage68 = share(in_ellipse68, ellipses);
    s.ellipse_coverage95 = share(in_ellipse95, ellipses);
  }
  return s;
}

}  // namespace waymark::replay
