#include "replay_tool/path_metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "replay_tool/accuracy.h"

namespace waymark::replay {
namespace {

constexpr double kMinLengthM = 10;
constexpr double kDirectionMps = 1;
constexpr std::int64_t kInstantMs = 1000;
// How many instants the two curves of the Frechet distance may be apart. Wide enough for any delay
// a filter has; the full table would be quadratic.
constexpr std::size_t kBand = 30;
// A search of a line of a million segments may look into hundreds of them.
constexpr std::size_t kManySearches = 3000;

// c(i, j) = max(d(i, j), min(c(i-1, j), c(i-1, j-1), c(i, j-1))) in a band around the diagonal.
// In squares: max and min do not mind. Each cell waits for its left neighbour, so a row by itself
// leaves the processor idle: four rows are taken together, each two cells behind the one above,
// which is as soon as it can be. The curves pass by: only the width of the band is kept of them.
class FrechetBand {
 public:
  FrechetBand() : x_(kBand, kInfinity), y_(x_), z_(x_) {
    row_.fill(kInfinity);
    row_[kMargin + kBand] = 0;  // where the first cell begins
  }

  std::size_t size() const { return size_; }

  /// The next instant of both curves.
  void Add(Vec3 a, Vec3 b) {
    ++size_;
    a_.push_back(a);
    Append(b);
    if (a_.size() < kBuffer) return;
    Drop(AdvanceWhole(a_.size() - kBand));
  }

  /// After the last Add.
  double DistanceM() {
    for (std::size_t k = 0; k < kBand; ++k) Append({kInfinity, kInfinity, kInfinity});
    for (std::size_t i = AdvanceWhole(a_.size()); i < a_.size(); ++i) Advance<1>(i);
    return std::sqrt(row_[kMargin + kBand]);
  }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  static constexpr std::size_t kWidth = 2 * kBand + 1;
  static constexpr std::size_t kRows = 4;
  static constexpr std::size_t kMargin = 2 * (kRows - 1);  // of cells infinitely far, on both sides
  static constexpr std::size_t kBuffer = 512;

  void Append(Vec3 b) {
    x_.push_back(b.x);
    y_.push_back(b.y);
    z_.push_back(b.z);
  }

  // Rows by the four, as long as fewer than `end` are done. The first that is not.
  std::size_t AdvanceWhole(std::size_t end) {
    std::size_t i = 0;
    for (; i + kRows <= end; i += kRows) Advance<kRows>(i);
    return i;
  }

  void Drop(std::size_t rows) {
    a_.erase(a_.begin(), a_.begin() + static_cast<std::ptrdiff_t>(rows));
    for (std::vector<double>* c : {&x_, &y_, &z_}) {
      c->erase(c->begin(), c->begin() + static_cast<std::ptrdiff_t>(rows));
    }
  }

  // Beyond its ends `b` lies infinitely far, so that the edges of the table need no question; the
  // distances of a row are one loop that the compiler vectorises.
  template <std::size_t N>
  void Advance(std::size_t first) {
    constexpr std::size_t kLag = 2 * (N - 1);  // of the last row behind the first
    std::array<std::array<double, kWidth + 2 * kLag>, N> distance2;
    for (std::size_t r = 0; r < N; ++r) {
      const Vec3 p = a_[first + r];
      const double *x = &x_[first + r], *y = &y_[first + r], *z = &z_[first + r];
      double* to = distance2[r].data();
      std::fill_n(to, kLag, kInfinity);
      std::fill_n(to + kLag + kWidth, kLag, kInfinity);
      for (std::size_t k = 0; k < kWidth; ++k) {
        const double dx = x[k] - p.x, dy = y[k] - p.y, dz = z[k] - p.z;
        to[kLag + k] = dx * dx + dy * dy + dz * dz;
      }
    }
    std::array<double, N> left;  // c(i, j - 1)
    left.fill(kInfinity);
    for (std::size_t step = 0; step < kWidth + kLag; ++step) {
      for (std::size_t r = 0; r < N; ++r) {
        // In the row above, the same column is one place to the right, its left neighbour here.
        double* cell = &row_[kMargin + step - 2 * r];
        *cell = left[r] = std::max(distance2[r][kLag + step - 2 * r],
                                   std::min(left[r], std::min(cell[0], cell[1])));
      }
    }
  }

  std::size_t size_ = 0;
  std::vector<Vec3> a_;            // from the first row that is not done
  std::vector<double> x_, y_, z_;  // of b, from as far before it as the band reaches
  // Behind the margin, cell k of row i holds c(i, i + k - kBand).
  std::array<double, kWidth + 2 * kMargin + 1> row_;
};

double AngleBetweenDeg(double a_deg, double b_deg) {
  const double d = std::abs(std::remainder(a_deg - b_deg, 360.0));
  return d;
}

// Largest distance to the polyline of any point that `for_each` visits with a bound: how far from
// the line it lies at most, its distance to where that was then. Only points whose bound exceeds
// the farthest so far need a search, and these only as closely as shows that they are not the
// farthest; beginning with the widest bound, few remain. Unless laps lie upon each other: the
// nearest of them is far nearer than the bound, and each search looks into many. The points of all
// laps together lie far denser than those of one: after many searches as many more are spread over
// the rest, and each stands for the points after it, but for what may lie out by three quarters of
// the widest bound.
template <typename ForEach>
double DirectedHausdorffM(const ForEach& for_each, const PolylineIndex& line) {
  Vec3 widest;
  double widest_m = -1;
  for_each([&](Vec3 p, double at_most_m) {
    if (at_most_m <= widest_m) return;
    widest = p;
    widest_m = at_most_m;
  });
  if (widest_m < 0) return 0;
  double farthest_m = line.DistanceM(widest);
  std::size_t searches = 0, stood_for = 0;
  for_each([&](Vec3 p, double at_most_m) {
    if (at_most_m <= farthest_m) return;
    if (stood_for > 0 && at_most_m <= 0.75 * widest_m) {
      --stood_for;
      return;
    }
    farthest_m = std::max(farthest_m, line.DistanceM(p, farthest_m));
    if (++searches > kManySearches) stood_for = line.segments() / kManySearches;
  });
  return farthest_m;
}

}  // namespace

std::optional<PathSummary> ComparePath(const TrackCurve& track, const TruthTrack& truth,
                                       const PolylineIndex& truth_line) {
  const std::span<const TrackPoint> points = track.points();
  const std::span<const SurfacePoint> surface = track.surface();
  FrechetBand frechet;  // at the shared instants, thinned
  std::vector<double> course_errors_deg;
  double speed_squares = 0;
  std::size_t speeds = 0;
  std::size_t told = 0, known = 0;  // points that tell a velocity; where the truth does too
  std::size_t first = points.size(), last = 0;
  std::int64_t next_ms = std::numeric_limits<std::int64_t>::min();  // thins to one a second
  TruthTrack::Hint hint;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const TrackPoint& p = points[i];
    const bool tells = p.speed_mps || p.course_deg;
    if (tells && truth.span().begin_ms <= p.utc_ms && p.utc_ms <= truth.span().end_ms) ++told;
    const std::optional<TruthTrack::State> state = truth.At(p.utc_ms, hint);
    if (!state) continue;
    first = std::min(first, i);
    last = i;
    const SurfacePoint& here = surface[i];
    if (p.utc_ms >= next_ms) {
      next_ms = p.utc_ms + kInstantMs;
      frechet.Add(here.position, state->position);
    }
    if (!tells || !state->velocity) continue;
    ++known;
    const EastNorth v = here.Horizontal(*state->velocity);
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
  if (frechet.size() < 2) return std::nullopt;

  PathSummary s;
  const std::int64_t first_ms = points[first].utc_ms, last_ms = points[last].utc_ms;
  s.length_m = track.LengthBetweenM(first_ms, last_ms);
  s.truth_length_m = truth.LengthBetweenM(first_ms, last_ms);
  if (s.truth_length_m >= kMinLengthM) s.length_error_fraction = s.length_m / s.truth_length_m - 1;
  s.frechet_m = frechet.DistanceM();
  // A sparse truth knows its velocity at rest, if at all: that would say nothing of the way.
  if (2 * known >= told) {
    if (speeds > 0) s.speed_rmse_mps = std::sqrt(speed_squares / static_cast<double>(speeds));
    if (!course_errors_deg.empty()) s.course_p95_deg = Quantile(course_errors_deg, 0.95);
  }

  const auto each_of_track = [&](const auto& visit) {
    TruthTrack::Hint at;
    for (std::size_t i = first; i <= last; ++i) {
      const std::optional<TruthTrack::State> state = truth.At(points[i].utc_ms, at);
      if (state) visit(surface[i].position, Norm(surface[i].position - state->position));
    }
  };
  const auto each_of_truth = [&](const auto& visit) {
    std::int64_t due_ms = first_ms;
    for (std::size_t i = 0; i < truth.times_ms().size(); ++i) {
      const std::int64_t t = truth.times_ms()[i];
      if (t < due_ms || t > last_ms) continue;
      due_ms = t + kInstantMs;
      const Vec3 p = truth.positions()[i];
      const std::optional<Vec3> there = track.EcefAt(t);
      visit(p, there ? Norm(p - *there) : std::numeric_limits<double>::infinity());
    }
  };
  std::vector<Vec3> track_line;
  track_line.reserve(last - first + 1);
  for (std::size_t i = first; i <= last; ++i) track_line.push_back(surface[i].position);
  s.hausdorff_track_to_truth_m = DirectedHausdorffM(each_of_track, truth_line);
  s.hausdorff_truth_to_track_m =
      DirectedHausdorffM(each_of_truth, PolylineIndex(std::move(track_line)));
  s.hausdorff_m = std::max(s.hausdorff_track_to_truth_m, s.hausdorff_truth_to_track_m);
  return s;
}

double PhantomM(const TrackCurve& track, std::span<const Span> stationary) {
  double length = 0;
  for (const Span& s : stationary) length += track.LengthBetweenM(s.begin_ms, s.end_ms);
  return length;
}

}  // namespace waymark::replay
