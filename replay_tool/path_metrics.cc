#include "replay_tool/path_metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "replay_tool/accuracy.h"
#include "replay_tool/polyline_index.h"

namespace waymark::replay {
namespace {

constexpr double kMinLengthM = 10;
constexpr double kDirectionMps = 1;
constexpr std::int64_t kInstantMs = 1000;
// How many instants the two curves of the Frechet distance may be apart. Wide enough for any delay
// a filter has; the full table would be quadratic.
constexpr std::size_t kBand = 30;

double Distance2(Vec3 a, Vec3 b) {
  const Vec3 d = a - b;
  return Dot(d, d);
}

// c(i, j) = max(d(i, j), min(c(i-1, j), c(i-1, j-1), c(i, j-1))) in a band around the diagonal.
// In squares: max and min do not mind.
double BandedFrechetM(const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::size_t n = a.size();
  // row[k] holds c(i, i + k - kBand); the entry beyond each end stays infinite.
  std::vector<double> row(2 * kBand + 2, kInfinity);
  for (std::size_t i = 0; i < n; ++i) {
    double left = kInfinity;  // c(i, j - 1)
    for (std::size_t k = 0; k <= 2 * kBand; ++k) {
      const std::size_t shifted = i + k;
      if (shifted < kBand || shifted - kBand >= n) {
        row[k] = left = kInfinity;
        continue;
      }
      const std::size_t j = shifted - kBand;
      // In the row above, the same column is one place to the right, its left neighbour here.
      double best = std::min({left, row[k], row[k + 1]});
      if (i == 0 && j == 0) best = 0;
      left = row[k] = std::max(best, Distance2(a[i], b[j]));
    }
  }
  return std::sqrt(row[kBand]);
}

double AngleBetweenDeg(double a_deg, double b_deg) {
  const double d = std::abs(std::remainder(a_deg - b_deg, 360.0));
  return d;
}

// A point and how far from the other line it lies at most: its distance to where that was then.
struct BoundedPoint {
  Vec3 position;
  double at_most_m = std::numeric_limits<double>::infinity();
};

// Largest distance from any of `points` to the polyline. Only points whose bound exceeds the
// farthest so far need a search, and these only as closely as shows that they are not the farthest;
// beginning with the widest bound, few remain.
double DirectedHausdorffM(const std::vector<BoundedPoint>& points, const PolylineIndex& line) {
  if (points.empty()) return 0;
  const auto widest = std::max_element(
      points.begin(), points.end(),
      [](const BoundedPoint& a, const BoundedPoint& b) { return a.at_most_m < b.at_most_m; });
  double farthest_m = line.DistanceM(widest->position);
  for (const BoundedPoint& p : points) {
    if (p.at_most_m <= farthest_m) continue;
    farthest_m = std::max(farthest_m, line.DistanceM(p.position, farthest_m));
  }
  return farthest_m;
}

}  // namespace

std::optional<PathSummary> ComparePath(const TrackCurve& track, const TruthTrack& truth) {
  std::vector<Vec3> track_at, truth_at;  // at the shared instants, thinned
  std::vector<BoundedPoint> track_points;
  std::vector<double> course_errors_deg;
  double speed_squares = 0;
  std::size_t speeds = 0;
  std::optional<std::int64_t> first_ms, last_ms;
  std::int64_t next_ms = std::numeric_limits<std::int64_t>::min();  // thins to one a second
  for (const TrackPoint& p : track.points()) {
    const std::optional<TruthTrack::State> state = truth.At(p.utc_ms);
    if (!state) continue;
    if (!first_ms) first_ms = p.utc_ms;
    last_ms = p.utc_ms;
    const SurfacePoint here(p.position);
    track_points.push_back({here.position, Norm(here.position - state->position)});
    if (p.utc_ms >= next_ms) {
      next_ms = p.utc_ms + kInstantMs;
      track_at.push_back(here.position);
      truth_at.push_back(state->position);
    }
    const EastNorth v = here.Horizontal(state->velocity);
    const double truth_speed = std::hypot(v.east_m, v.north_m);
    if (p.speed_mps) {
      speed_squares += (*p.speed_mps - truth_speed) * (*p.speed_mps - truth_speed);
      ++speeds;
    }
    if (p.course_deg && truth_speed > kDirectionMps) {
      const double course = std::atan2(v.east_m, v.north_m) * 180 / std::numbers::pi;
      course_errors_deg.push_back(AngleBetweenDeg(*p.course_deg, course));
    }
  }
  if (track_at.size() < 2) return std::nullopt;

  PathSummary s;
  s.length_m = track.LengthBetweenM(*first_ms, *last_ms);
  s.truth_length_m = truth.LengthBetweenM(*first_ms, *last_ms);
  if (s.truth_length_m >= kMinLengthM) s.length_error_fraction = s.length_m / s.truth_length_m - 1;
  s.frechet_m = BandedFrechetM(track_at, truth_at);
  if (speeds > 0) s.speed_rmse_mps = std::sqrt(speed_squares / static_cast<double>(speeds));
  if (!course_errors_deg.empty()) s.course_p95_deg = Quantile(course_errors_deg, 0.95);

  std::vector<BoundedPoint> truth_points;
  next_ms = std::numeric_limits<std::int64_t>::min();
  for (std::size_t i = 0; i < truth.times_ms().size(); ++i) {
    const std::int64_t t = truth.times_ms()[i];
    if (t < *first_ms || t > *last_ms || t < next_ms) continue;
    next_ms = t + kInstantMs;
    BoundedPoint p{truth.positions()[i]};
    if (const std::optional<Vec3> there = track.EcefAt(t)) p.at_most_m = Norm(p.position - *there);
    truth_points.push_back(p);
  }
  std::vector<Vec3> track_line;
  for (const TrackPoint& p : track.points()) {
    if (p.utc_ms >= *first_ms && p.utc_ms <= *last_ms) track_line.push_back(ToEcef(p.position));
  }
  s.hausdorff_track_to_truth_m = DirectedHausdorffM(
      track_points, PolylineIndex({truth.positions().begin(), truth.positions().end()}));
  s.hausdorff_truth_to_track_m =
      DirectedHausdorffM(truth_points, PolylineIndex(std::move(track_line)));
  s.hausdorff_m = std::max(s.hausdorff_track_to_truth_m, s.hausdorff_truth_to_track_m);
  return s;
}

double PhantomM(const TrackCurve& track, std::span<const Span> stationary) {
  double length = 0;
  for (const Span& s : stationary) length += track.LengthBetweenM(s.begin_ms, s.end_ms);
  return length;
}

}  // namespace waymark::replay
