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
  /// The curve through the knots passes every estimate at its time within this; > 0. nullopt: no
  /// curve bound; the knots then follow from the limits below, and every estimate is a knot where
  /// none of them is set either.
  std::optional<double> max_error_m = 10;
  /// A knot at least this often while estimates come. nullopt: no limit.
  std::optional<Duration> max_interval;
  /// A knot at the first estimate this far from the last knot. nullopt: no limit.
  std::optional<double> max_distance_m;
  /// A knot at the first estimate whose course differs this much from the last knot's, where both
  /// have a course. nullopt: no limit.
  std::optional<double> max_turn_deg;
  /// Estimates closer than this to the last knot count as standing on it: there the bound is
  /// max(max_error_m, min_distance_m), and distance and turn ask for no knot.
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

  /// The next settled estimate, in order of time (one that is not later, or not finite, is
  /// ignored). Appends the knots that are now certain, in order of time. The first estimate is one.
  void Push(const Estimate& settled, std::vector<Estimate>& knots);
  /// `settled` is a knot whatever the limits say (a start or stop, a fence event). If it is the
  /// newest estimate already pushed, that one becomes the knot.
  void Anchor(const Estimate& settled, std::vector<Estimate>& knots);
  /// The newest estimate that was pushed becomes a knot; the track goes on.
  void Close(std::vector<Estimate>& knots) { CloseAtNewest(knots); }
  /// Ends the track: the last estimate becomes a knot. The next Push begins a new track.
  void Flush(std::vector<Estimate>& knots);

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe. The options are not part of it.
  Status Restore(std::span<const std::byte> image);

 private:
  static constexpr std::size_t kWindow = 256;
  /// After the candidate at most so many estimates wait whether the curve can reach further.
  static constexpr std::size_t kPatience = 12;

  /// An estimate in the plane of the last knot.
  struct Point {
    double t_s = 0, east_m = 0, north_m = 0, ve_mps = 0, vn_mps = 0, bound_m = 0;
  };

  void Add(const Estimate& e);
  void Accept(std::uint32_t back);
  Point ToPoint(const Estimate& e) const;
  bool Reaches(std::size_t end) const;
  bool FallsDue(const Estimate& e) const;
  void Begin(const Estimate& knot);
  void EmitCandidate(std::vector<Estimate>& knots);
  void CloseAtNewest(std::vector<Estimate>& knots);

  SimplifierOptions options_;
  std::optional<Estimate> knot_;  ///< the last knot
  LocalFrame frame_;              ///< at the last knot; derived
  std::array<Point, kWindow> window_{};
  std::uint32_t count_ = 0;      ///< estimates after the last knot
  std::uint32_t candidate_ = 0;  ///< index of the latest that the curve may end at
  std::uint32_t wait_ = 0;       ///< estimates to take untried in a long window
  std::uint32_t skipped_ = 0;    ///< the newest that were not tried as an end
  /// The estimates from the candidate on, whole.
  std::array<Estimate, kPatience + 1> tail_{};
  std::uint32_t tail_count_ = 0;
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_TRACK_SIMPLIFIER_H_
