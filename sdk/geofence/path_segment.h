// The way between two consecutive estimates, and where it crosses a boundary.
#ifndef SDK_GEOFENCE_PATH_SEGMENT_H_
#define SDK_GEOFENCE_PATH_SEGMENT_H_

#include <array>
#include <cstddef>

#include "sdk/geofence/fence_shape.h"

namespace waymark::geofence {

/// Distances nearer to a boundary than this are a tie: neither side.
inline constexpr double kTieM = 0.01;

/// The geodesic from `a` to `b`. A value that refers to both.
class PathSegment {
 public:
  PathSegment(const SurfacePoint& a, const SurfacePoint& b);

  double length_m() const { return length_m_; }
  const SurfacePoint& begin() const { return a_; }
  const SurfacePoint& end() const { return b_; }
  /// The point at `s_m` in [0, length_m()] from a.
  LatLon PositionAt(double s_m) const;
  SurfacePoint At(double s_m) const { return SurfacePoint(PositionAt(s_m)); }

 private:
  const SurfacePoint& a_;
  const SurfacePoint& b_;
  double length_m_ = 0;
  double azimuth_deg_ = 0;
};

/// A stretch of a segment on one side of a boundary.
struct Stretch {
  bool inside = false;
  double begin_m = 0, end_m = 0;  ///< along the segment; a crossing stands at each inner begin
  double extreme_at_m = 0;        ///< where the stretch is furthest from the boundary
  BoundaryDistance extreme;
};

/// The stretches of a segment, in order, alternating in side, each but the last deeper than kTieM.
/// More than fit are cut off in the middle: the last one always tells the side at the end.
struct Stretches {
  static constexpr std::size_t kMax = 32;
  std::array<Stretch, kMax> at;
  std::size_t count = 0;
};

/// Finds the stretches to a millimetre. Exact because the distance changes by no more than the way:
/// an interval whose two distances, of one sign, exceed its length together holds no crossing.
/// `cap_m` bounds the distances that need to be exact.
void FindStretches(const FenceShapeView& shape, const PathSegment& segment,
                   const BoundaryDistance& at_a, const BoundaryDistance& at_b, double cap_m,
                   Stretches& out);

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_PATH_SEGMENT_H_
