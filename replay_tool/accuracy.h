// How far a track lies from the truth, and whether it knew.
#ifndef WAYMARK_REPLAY_TOOL_ACCURACY_H_
#define WAYMARK_REPLAY_TOOL_ACCURACY_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "replay_tool/bootstrap.h"
#include "replay_tool/polyline_index.h"
#include "replay_tool/track_curve.h"
#include "replay_tool/track_point.h"
#include "replay_tool/truth_track.h"

namespace waymark::replay {

/// Errors of the points of a track that lie within the truth; one entry a point in each vector.
struct TrackErrors {
  std::vector<double> times_s;
  std::vector<double> error_m;  ///< horizontal
  /// Across and along the truth's direction of motion, absolute; only where it moves faster than
  /// 1 m/s, with their own times.
  std::vector<double> cross_times_s, cross_m, along_m;

  /// Of the points that state how sure they are.
  struct Claim {
    double time_s = 0;
    double error_m = 0;
    double r68_m = 0;
    OptionalNumber r95_m;
    OptionalNumber nees;  ///< normalised estimation error squared, 2 degrees of freedom
  };
  std::vector<Claim> claims;
};

/// `surface` are the points of `track` in space, see SurfaceOf().
TrackErrors MeasureErrors(std::span<const TrackPoint> track, std::span<const SurfacePoint> surface,
                          const TruthTrack& truth);
inline TrackErrors MeasureErrors(std::span<const TrackPoint> track, const TruthTrack& truth) {
  return MeasureErrors(track, SurfaceOf(track), truth);
}

/// Distances of the points from the geometry of a route.
TrackErrors MeasureCrossTrack(std::span<const TrackPoint> track,
                              std::span<const SurfacePoint> surface, const PolylineIndex& route);
inline TrackErrors MeasureCrossTrack(std::span<const TrackPoint> track,
                                     const PolylineIndex& route) {
  return MeasureCrossTrack(track, SurfaceOf(track), route);
}

/// Quantiles interpolate linearly between order statistics (Hyndman and Fan's definition 7).
struct AccuracySummary {
  std::size_t n = 0;
  double p50_m = 0, p68_m = 0, p95_m = 0, p99_m = 0;
  double rmse_m = 0, max_m = 0;
  double score_m = 0;  ///< (p50 + p95) / 2, the score of the Google Smartphone Decimeter Challenge
  /// 95 % intervals by block bootstrap; absent for tracks shorter than three blocks.
  std::optional<Interval> p50_ci_m, p68_ci_m, p95_ci_m, p99_ci_m, rmse_ci_m, score_ci_m;
};

/// `errors` must not be empty; `times_s` has an entry for each.
AccuracySummary Summarise(std::span<const double> errors_m, std::span<const double> times_s,
                          std::uint64_t seed);

/// Distances across or along the way.
struct OffsetSummary {
  std::size_t n = 0;
  double p50_m = 0, p95_m = 0;
};

/// What the errors of a track come to; absent where there are none.
struct TrackAccuracy {
  std::optional<AccuracySummary> error;
  std::optional<OffsetSummary> cross_track, along_track;
};

TrackAccuracy SummariseTrack(const TrackErrors& errors, std::uint64_t seed);

struct CalibrationSummary {
  std::size_t n = 0;
  double coverage68 = 0;  ///< share of points whose error is within their own r68
  std::optional<double> coverage95;
  std::optional<double> nees_mean;  ///< 2 for a true covariance
  /// Share of points within their own 68 and 95 % ellipse (NEES <= 2.28, 5.99).
  std::optional<double> ellipse_coverage68, ellipse_coverage95;
  std::optional<Interval> coverage68_ci, coverage95_ci, nees_mean_ci;
};

/// nullopt without claims.
std::optional<CalibrationSummary> SummariseCalibration(std::span<const TrackErrors::Claim> claims,
                                                       std::uint64_t seed);

/// The quantiles of `values`, which are reordered and must not be empty, for `probabilities` in
/// increasing order.
template <std::size_t N>
std::array<double, N> Quantiles(std::span<double> values,
                                const std::array<double, N>& probabilities) {
  std::array<double, N> quantiles{};
  auto begin = values.begin();  // what lies before is smaller
  for (std::size_t i = 0; i < N; ++i) {
    const double rank = probabilities[i] * static_cast<double>(values.size() - 1);
    const auto low = static_cast<std::ptrdiff_t>(rank);
    const auto nth = values.begin() + low;
    std::nth_element(begin, nth, values.end());
    begin = nth;
    const double fraction = rank - static_cast<double>(low);
    quantiles[i] = *nth;
    if (fraction == 0 || nth + 1 == values.end()) continue;
    quantiles[i] += fraction * (*std::min_element(nth + 1, values.end()) - *nth);
  }
  return quantiles;
}
inline double Quantile(std::span<double> values, double probability) {
  return Quantiles<1>(values, {probability})[0];
}

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_ACCURACY_H_
