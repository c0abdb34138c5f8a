// Earth-centred coordinates. Near a fence, straight lines and chords in space answer what the
// surface asks, everywhere alike: poles and the antimeridian are no special places here.
#ifndef SDK_GEOFENCE_ECEF_H_
#define SDK_GEOFENCE_ECEF_H_

#include <cmath>
#include <numbers>

#include "waymark/fix.h"
#include "waymark/geometry.h"

namespace waymark::geofence {

// WGS 84 (NIMA TR8350.2).
inline constexpr double kEquatorialRadiusM = 6378137.0;
inline constexpr double kFlattening = 1 / 298.257223563;
inline constexpr double kEccentricity2 = kFlattening * (2 - kFlattening);
inline constexpr double kMeanRadiusM = 6371008.8;
inline constexpr double kRadPerDeg = std::numbers::pi / 180;

struct Vec3 {
  double x = 0, y = 0, z = 0;
};
inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator*(Vec3 a, double k) { return {a.x * k, a.y * k, a.z * k}; }
inline double Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 Cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double Norm(Vec3 a) { return std::sqrt(Dot(a, a)); }

/// A point on the ellipsoid with what distances and directions at it need.
struct SurfacePoint {
  LatLon position;
  Vec3 ecef;
  double sin_lat = 0, cos_lat = 1, sin_lon = 0, cos_lon = 1;

  explicit SurfacePoint(LatLon p) : position(p) {
    sin_lat = std::sin(p.lat_deg * kRadPerDeg);
    cos_lat = std::cos(p.lat_deg * kRadPerDeg);
    sin_lon = std::sin(p.lon_deg * kRadPerDeg);
    cos_lon = std::cos(p.lon_deg * kRadPerDeg);
    const double n = kEquatorialRadiusM / std::sqrt(1 - kEccentricity2 * sin_lat * sin_lat);
    ecef = {n * cos_lat * cos_lon, n * cos_lat * sin_lon, n * (1 - kEccentricity2) * sin_lat};
  }
  Vec3 East() const { return {-sin_lon, cos_lon, 0}; }
  Vec3 North() const { return {-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat}; }
};

/// Up to this chord the series below is good to 1 mm with one radius for all latitudes and
/// directions: its first term is c^3 / 24 R^2 = 0.13 m at 50 km, and R varies by 0.7 %.
inline constexpr double kSeriesChordM = 50'000;

/// Length of the geodesic over a chord of at most kSeriesChordM.
inline double ArcOfChordM(double chord_m) {
  const double q = chord_m / kMeanRadiusM;
  return chord_m * (1 + q * q / 24);
}

/// Geodesic distance: the series for near points, Karney's solution for far ones.
inline double SurfaceDistanceM(const SurfacePoint& a, const SurfacePoint& b) {
  const double chord = Norm(a.ecef - b.ecef);
  return chord <= kSeriesChordM ? ArcOfChordM(chord) : DistanceM(a.position, b.position);
}

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_ECEF_H_
