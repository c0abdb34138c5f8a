// Earth-centred, earth-fixed coordinates: the geometry in which tracks are compared. A chord is as
// good as a geodesic for errors (d^3 / 24 R^2: 5 mm at 50 km), and neither the poles nor the
// antimeridian are special. Header only: it sits in the innermost loops of the metrics.
#ifndef WAYMARK_REPLAY_TOOL_ECEF_H_
#define WAYMARK_REPLAY_TOOL_ECEF_H_

#include <cmath>
#include <numbers>

#include "waymark/fix.h"
#include "waymark/geometry.h"

namespace waymark::replay {

// WGS 84 (NIMA TR8350.2).
inline constexpr double kEquatorRadiusM = 6378137.0;
inline constexpr double kFlattening = 1 / 298.257223563;
inline constexpr double kEccentricity2 = kFlattening * (2 - kFlattening);

struct Vec3 {
  double x = 0, y = 0, z = 0;

  friend Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Vec3 operator*(double k, Vec3 a) { return {k * a.x, k * a.y, k * a.z}; }
};

inline double Dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline double Norm(Vec3 a) { return std::sqrt(Dot(a, a)); }

/// A point of the ellipsoid with the directions east and north there.
struct SurfacePoint {
  Vec3 position;
  double sin_lat = 0, cos_lat = 1, sin_lon = 0, cos_lon = 1;

  SurfacePoint() = default;
  explicit SurfacePoint(LatLon p) {
    const double lat = p.lat_deg * std::numbers::pi / 180;
    const double lon = p.lon_deg * std::numbers::pi / 180;
    sin_lat = std::sin(lat);
    cos_lat = std::cos(lat);
    sin_lon = std::sin(lon);
    cos_lon = std::cos(lon);
    const double n = kEquatorRadiusM / std::sqrt(1 - kEccentricity2 * sin_lat * sin_lat);
    position = {n * cos_lat * cos_lon, n * cos_lat * sin_lon, n * (1 - kEccentricity2) * sin_lat};
  }

  /// The horizontal part of a vector, in metres.
  EastNorth Horizontal(Vec3 v) const {
    return {-sin_lon * v.x + cos_lon * v.y,
            -sin_lat * cos_lon * v.x - sin_lat * sin_lon * v.y + cos_lat * v.z};
  }
  Vec3 FromHorizontal(EastNorth h) const {
    return {-sin_lon * h.east_m - sin_lat * cos_lon * h.north_m,
            cos_lon * h.east_m - sin_lat * sin_lon * h.north_m, cos_lat * h.north_m};
  }
};

inline Vec3 ToEcef(LatLon p) { return SurfacePoint(p).position; }

/// The point of the ellipsoid below or above `v` (Bowring 1976, one step: better than 1 um within
/// 10 km of the surface).
inline LatLon FromEcef(Vec3 v) {
  constexpr double kPolarRadiusM = kEquatorRadiusM * (1 - kFlattening);
  constexpr double kSecondEccentricity2 = kEccentricity2 / (1 - kEccentricity2);
  const double p = std::hypot(v.x, v.y);
  const double u = std::atan2(v.z * kEquatorRadiusM, p * kPolarRadiusM);
  const double su = std::sin(u), cu = std::cos(u);
  const double lat = std::atan2(v.z + kSecondEccentricity2 * kPolarRadiusM * su * su * su,
                                p - kEccentricity2 * kEquatorRadiusM * cu * cu * cu);
  double lon_deg = std::atan2(v.y, v.x) * 180 / std::numbers::pi;
  if (lon_deg >= 180) lon_deg -= 360;
  return {lat * 180 / std::numbers::pi, lon_deg};
}

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_ECEF_H_
