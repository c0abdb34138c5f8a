// TruthTrack: where the device really was, at any instant the reference covers.
#ifndef WAYMARK_REPLAY_TOOL_TRUTH_TRACK_H_
#define WAYMARK_REPLAY_TOOL_TRUTH_TRACK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "replay_tool/ecef.h"
#include "waymark/fix.h"
#include "waymark/status.h"

namespace waymark::replay {

struct TruthPoint {
  std::int64_t utc_ms = 0;
  LatLon position;
};

/// A time span [begin_ms, end_ms].
struct Span {
  std::int64_t begin_ms = 0;
  std::int64_t end_ms = 0;

  double seconds() const { return static_cast<double>(end_ms - begin_ms) * 1e-3; }
  friend bool operator==(const Span&, const Span&) = default;
};

/// Position and velocity are interpolated between neighbouring points no more than `max_gap_s`
/// apart; a longer gap is bridged only when its ends are within a metre (the reference stood still,
/// as for a known point that was written down twice).
class TruthTrack {
 public:
  struct State {
    Vec3 position;                 ///< earth-centred, m
    std::optional<Vec3> velocity;  ///< m/s; unknown at an instant that stands alone
  };

  /// Sorts by time and keeps the first of equal times. kInvalidArgument: fewer than two instants.
  static Result<TruthTrack> Create(std::vector<TruthPoint> points, double max_gap_s = 2);

  /// Where a caller asked last: questions come nearly in order of time. Each thread has its own.
  struct Hint {
    std::size_t index = 0;
  };
  /// nullopt outside the reference.
  std::optional<State> At(std::int64_t utc_ms, Hint& hint) const;
  std::optional<State> At(std::int64_t utc_ms) const {
    Hint hint;
    return At(utc_ms, hint);
  }

  std::span<const std::int64_t> times_ms() const { return times_ms_; }
  std::span<const Vec3> positions() const { return positions_; }
  Span span() const { return {times_ms_.front(), times_ms_.back()}; }
  /// Maximal spans without a gap: where position and velocity are known at every instant.
  std::vector<Span> KnownSpans() const;
  /// Length along the velocity-aware curve, without what the reference trembles at rest.
  double length_m() const { return cumulative_m_.back(); }
  /// Length between two instants, each brought into the reference's span.
  double LengthBetweenM(std::int64_t from_ms, std::int64_t to_ms) const;
  /// Maximal spans of at least `min_s` within which the reference stands: slower than 0.3 m/s and
  /// within 2 m of where it stopped.
  std::vector<Span> StationarySpans(double min_s) const;

 private:
  TruthTrack() = default;
  bool Bridged(std::size_t i) const { return bridged_[i] != 0; }  ///< between i and i + 1
  State StateAt(std::size_t i) const;
  std::size_t Find(std::int64_t utc_ms, Hint& hint) const;

  std::vector<std::int64_t> times_ms_;
  std::vector<Vec3> positions_, velocities_;
  std::vector<std::uint8_t> bridged_;
  std::vector<double> cumulative_m_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRUTH_TRACK_H_
