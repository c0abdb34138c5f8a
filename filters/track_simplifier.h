// TrackSimplifier: which estimates become records.
#ifndef WAYMARK_FILTERS_TRACK_SIMPLIFIER_H_
#define WAYMARK_FILTERS_TRACK_SIMPLIFIER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "waymark/estimate.h"
#include "waymark/geometry.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

struct SimplifierOptions {
  /// The curve through the knots passes every estimate at its time within this. nullopt: no curve
  /// bound; the knots then follow from the three limits below alone.
  std::optional<double> max_error_m = 10;
  /// A knot at least this often while estimates come. nullopt: no limit.
  std::optional<Duration> max_interval;
  /// A knot at the first estimate this far from the last knot. nullopt: no limit.
  std::optional<double> max_distance_m;
  /// A knot at the first estimate whose course differs this much from the last knot's.
  std::optional<double> max_turn_deg;
  /// No knot closer than this to the last one (anchors excepted), whatever the other limits but
  /// max_interval say; the curve bound is then max(max_error_m, 2 min_distance_m).
  double min_distance_m = 0;
  /// Between estimates further apart than this the velocities say nothing about the way: both are
  /// knots.
  Duration max_gap = std::chrono::seconds(120);
};

/// Between two knots the track is the cubic Hermite curve through their positions and velocities
/// (the same that a reader of PointRecord draws). A value; allocates nothing but in `knots`.
class TrackSimplifier {
 public:
  explicit TrackSimplifier(const SimplifierOptions& options = {}) : options_(options) {}

  /// The next settled estimate, in order of time (one that is not later is ignored). Appends the
  /// knots that are now certain, in order of time. The first estimate is a knot.
  void Push(const Estimate& settled, std::vector<Estimate>& knots);
  /// `settled` is a knot whatever the limits say (a start or stop, a fence event).
  void Anchor(const Estimate& settled, std::vector<Estimate>& knots);
  /// Ends the track: the last estimate becomes a knot. The next Push begins a new track.
  void Flush(std::vector<Estimate>& knots);
  /// When a knot falls due by max_interval; nullopt when none does.
  std::optional<MonoTime> NextDeadline() const;
  /// Emits what is due by max_interval at `now`.
  void Advance(MonoTime now, std::vector<Estimate>& knots);

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe. The options are not part of it.
  Status Restore(std::span<const std::byte> image);

 private:
  static constexpr std::size_t kWindow = 256;

  /// An estimate in the plane of `frame_`, seconds from the last knot.
  struct Point {
    double t_s = 0, east_m = 0, north_m = 0, ve_mps = 0, vn_mps = 0;
  };

  SimplifierOptions options_;
  std::optional<Estimate> knot_;       ///< the last knot
  std::optional<Estimate> candidate_;  ///< the latest estimate that the curve may end at
  std::optional<Estimate> newest_;
  std::array<Point, kWindow> window_{};  ///< after the last knot, up to the newest
  std::uint32_t count_ = 0, candidate_index_ = 0;
  LocalFrame frame_;  ///< at the last knot
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_TRACK_SIMPLIFIER_H_
