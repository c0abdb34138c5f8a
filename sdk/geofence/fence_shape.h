// One view of every kind of shape: its signed geodesic distance, and the chance that an uncertain
// position lies inside.
#ifndef SDK_GEOFENCE_FENCE_SHAPE_H_
#define SDK_GEOFENCE_FENCE_SHAPE_H_

#include <optional>

#include "sdk/geofence/ecef.h"
#include "sdk/geofence/traced_shape.h"

namespace waymark::geofence {

/// Covariance of a position in its east-north frame, m^2.
struct PositionCovariance {
  double ee = 0, en = 0, nn = 0;

  /// Variance along a unit vector. Never negative.
  double Along(double east, double north) const {
    const double v = east * east * ee + 2 * east * north * en + north * north * nn;
    return v > 0 ? v : 0;
  }
  double Trace() const { return ee + nn; }
};

/// A circle or a traced shape; refers to the latter.
class FenceShapeView {
 public:
  FenceShapeView(LatLon centre, double radius_m)
      : centre_(SurfacePoint(centre)), radius_m_(radius_m) {}
  explicit FenceShapeView(const TracedShape& traced) : traced_(&traced) {}

  bool is_circle() const { return traced_ == nullptr; }
  const SurfacePoint& centre() const { return *centre_; }  ///< of a circle
  double radius_m() const { return radius_m_; }            ///< of a circle

  /// As TracedShape::Distance.
  BoundaryDistance Distance(const SurfacePoint& p, double cap_m) const;

  /// The probability that a position with mean `p` and covariance `cov` lies inside, given the
  /// distance at p. The covariance is projected on the direction to the nearest boundary point;
  /// the opposite boundary along that line counts too, and for circles also the lateral extent, so
  /// that a fence smaller than the uncertainty is never surely entered. Of a circle `p` is not
  /// used.
  double ProbabilityInside(const SurfacePoint& p, const BoundaryDistance& at,
                           const PositionCovariance& cov) const;

 private:
  double ThicknessM(const SurfacePoint& p, const BoundaryDistance& at, double enough_m) const;

  std::optional<SurfacePoint> centre_;
  double radius_m_ = 0;
  const TracedShape* traced_ = nullptr;
};

/// The standard normal distribution function.
double NormalCdf(double x);

/// Beyond this many sigma the decision cannot hang on the probability's tail: the largest allowed
/// confidence, 0.999, needs 3.09.
inline constexpr double kSureSigmas = 6;

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_FENCE_SHAPE_H_
