// Geometry on the WGS 84 ellipsoid. Exact geodesics where a distance is reported, a local tangent
// plane where speed matters.
#ifndef WAYMARK_GEOMETRY_H_
#define WAYMARK_GEOMETRY_H_

#include "waymark/export.h"
#include "waymark/fix.h"

namespace waymark {

/// Geodesic distance in metres, accurate to 15 nm (Karney 2013, doi:10.1007/s00190-012-0578-z).
WAYMARK_API double DistanceM(LatLon a, LatLon b);

/// The geodesic from a to b: its length and the azimuth at a, clockwise from north in [0, 360).
struct GeodesicLine {
  double distance_m = 0;
  double azimuth_deg = 0;
};
WAYMARK_API GeodesicLine Inverse(LatLon a, LatLon b);

/// The point `distance_m` metres from `from` along `azimuth_deg` (clockwise from true north).
WAYMARK_API LatLon Destination(LatLon from, double azimuth_deg, double distance_m);

/// Metres east and north of a LocalFrame's origin.
struct EastNorth {
  double east_m = 0;
  double north_m = 0;
};

/// A plane tangent to the ellipsoid at an origin, whose axes point east and north there. Positions
/// map by the azimuthal equidistant projection: distance and direction from the origin are exact,
/// distances between two points within D of it are true to D^2/(6 R^2) (4e-7 at 10 km).
/// Against the exact projection: below 1 um within 10 km of the origin, 1 mm within 100 km; beyond
/// that it is the geodesic itself (and ten times slower). Valid everywhere, poles and antimeridian
/// included. Numbers that are not finite give such numbers. A value; thread-compatible.
class WAYMARK_API LocalFrame {
 public:
  LocalFrame() = default;
  explicit LocalFrame(LatLon origin);

  LatLon origin() const { return origin_; }
  /// `p` may be anywhere on earth; a point at the antipode maps to a point ~20,000 km away.
  EastNorth ToLocal(LatLon p) const;
  LatLon FromLocal(EastNorth p) const;
  /// The angle in radians by which true north at `p` is turned clockwise from the frame's north
  /// axis (meridian convergence): rotate a velocity given at `p` clockwise by it to express it in
  /// the frame. Negative east of the origin in the northern hemisphere. Good to 1e-7 rad at 10 km.
  double ConvergenceRad(LatLon p) const;

 private:
  EastNorth FarToLocal(LatLon p) const;
  LatLon FarFromLocal(EastNorth p) const;

  LatLon origin_;
  double sin_lat_ = 0, cos_lat_ = 1;
  // The default frame stands at 0,0 as LocalFrame(LatLon{}) does.
  double meridian_curvature_pm_ = 1.0 / 6335439.327292464, normal_curvature_pm_ = 1.0 / 6378137.0;
  double section_pm2_ = 0.006739496742276434 / (6 * 6378137.0 * 6378137.0);
  double x0_m_ = 6378137.0, z0_m_ = 0;  // of the origin, earth-centred, in its meridian plane
};

}  // namespace waymark

#endif  // WAYMARK_GEOMETRY_H_
