// TrackCurve: the line that a list of points stands for, at any instant between them.
#ifndef WAYMARK_REPLAY_TOOL_TRACK_CURVE_H_
#define WAYMARK_REPLAY_TOOL_TRACK_CURVE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "replay_tool/ecef.h"
#include "replay_tool/track_point.h"
#include "replay_tool/truth_track.h"

namespace waymark::replay {

/// kHold: the last point (what a viewer of bare fixes sees live). kLinear: the straight line.
/// kHermite: the cubic through positions and velocities, which is what a stored track means (see
/// waymark/record.h); a point that tells no velocity gets the mean velocity of the piece, one that
/// says it stands gets 0.
enum class Interpolation : std::uint8_t { kHold, kLinear, kHermite };

/// The points in space, one for each.
std::vector<SurfacePoint> SurfaceOf(std::span<const TrackPoint> points);

/// Not thread-safe: remembers where it was asked last.
class TrackCurve {
 public:
  /// Sorts by time; of equal times the last stays. Within `gaps` the curve says nothing.
  TrackCurve(std::vector<TrackPoint> points, Interpolation interpolation,
             std::vector<Span> gaps = {});
  /// kLinear, where SurfaceOf(points) is known already.
  TrackCurve(std::vector<TrackPoint> points, std::vector<SurfacePoint> surface);

  std::span<const TrackPoint> points() const { return points_; }
  /// The same points in space.
  std::span<const SurfacePoint> surface() const { return surface_; }
  /// nullopt outside the points and inside a gap. The result has no covariance.
  std::optional<TrackPoint> At(std::int64_t utc_ms) const;
  /// The same as a point in space, which costs less.
  std::optional<Vec3> EcefAt(std::int64_t utc_ms) const;
  /// Of the whole curve, gaps as straight lines.
  double LengthM() const;
  /// Of what lies between two instants.
  double LengthBetweenM(std::int64_t from_ms, std::int64_t to_ms) const;

 private:
  /// False if everything was in order.
  bool PutInOrder();
  bool InGap(std::int64_t utc_ms) const;
  Vec3 PositionAt(std::size_t i, double u) const;
  Vec3 VelocityOf(std::size_t i, Vec3 fallback) const;
  double PieceLengthM(std::size_t i, double u0, double u1) const;
  std::size_t Find(std::int64_t utc_ms) const;

  std::vector<TrackPoint> points_;
  std::vector<SurfacePoint> surface_;
  std::vector<std::optional<Vec3>> velocity_;
  std::vector<Span> gaps_;
  Interpolation interpolation_;
  mutable std::size_t last_ = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACK_CURVE_H_
