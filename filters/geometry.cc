// Model: the ellipsoid WGS 84. DistanceM, Inverse and Destination are Karney's geodesics
// (doi:10.1007/s00190-012-0578-z, GeographicLib).
//
// LocalFrame is the azimuthal equidistant projection. Near the origin it is computed through the
// tangent plane: with (e, n, u) the east-north-up coordinates of the point, h = |(e, n)| and R the
// radius of curvature of the normal section in its direction (Euler: 1/R = cos^2/M + sin^2/N), the
// section is an arc of radius R to first order, so that the geodesic distance is
//   s = R asin(h/R) = h (1 + x^2/6 + 3 x^4/40 + ...),  x = h/R.
// The geodesic leaves the origin beside the normal section, by e'^2 cos^2(lat) s^2 sin(2 az)/(12
// N^2) (Bomford, Geodesy, 4th ed., 2.05), which is e n times a constant of the origin: 14 um at 10
// km, taken into account. What is left out is of fourth order in s. Farther points take the
// geodesic itself. Everything goes through earth-centred coordinates, so neither the poles nor the
// antimeridian are special.
#include "waymark/geometry.h"

#include <GeographicLib/Geodesic.hpp>
#include <cmath>
#include <numbers>

#include "filters/vec2.h"

namespace waymark {
namespace {

constexpr double kRadPerDeg = std::numbers::pi / 180;
constexpr double kDegPerRad = 180 / std::numbers::pi;
// WGS 84 (NIMA TR8350.2).
constexpr double kEquatorialRadiusM = 6378137.0;
constexpr double kFlattening = 1 / 298.257223563;
constexpr double kE2 = kFlattening * (2 - kFlattening);
// Up to here the arc is better than 1 mm (tests/property/filters/geometry_property_test.cc).
constexpr double kNearM = 100e3;

double NormaliseLonDeg(double lon_deg) {
  if (lon_deg >= 180) return lon_deg - 360;
  if (lon_deg < -180) return lon_deg + 360;
  return lon_deg;
}

double NormaliseAzimuthDeg(double azimuth_deg) {
  const double a = azimuth_deg < 0 ? azimuth_deg + 360 : azimuth_deg;
  return a >= 360 ? 0 : a;  // -1e-20 + 360 rounds to 360
}

// The angles of two points (x, y) with x > 0, to the last bit below 0.02 (as SmallSinCos).
Pair SmallAtan2(Pair y, Pair x) {
  const Pair r = y / x, s = r * r;
  const Pair near = r * (1 - s * (1.0 / 3 - s * (1.0 / 5 - s * (1.0 / 7 - s * (1.0 / 9)))));
  const auto angle = [&](int i) {
    return std::fabs(y[i]) <= 0.02 * x[i] ? near[i] : std::atan2(y[i], x[i]);
  };
  return Pair{angle(0), angle(1)};
}

}  // namespace

double DistanceM(LatLon a, LatLon b) {
  double distance_m = 0;
  GeographicLib::Geodesic::WGS84().Inverse(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg, distance_m);
  return distance_m;
}

GeodesicLine Inverse(LatLon a, LatLon b) {
  GeodesicLine line;
  double azimuth_at_a_deg = 0, azimuth_at_b_deg = 0;
  GeographicLib::Geodesic::WGS84().Inverse(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg,
                                           line.distance_m, azimuth_at_a_deg, azimuth_at_b_deg);
  line.azimuth_deg = NormaliseAzimuthDeg(azimuth_at_a_deg);
  return line;
}

LatLon Destination(LatLon from, double azimuth_deg, double distance_m) {
  LatLon to;
  GeographicLib::Geodesic::WGS84().Direct(from.lat_deg, from.lon_deg, azimuth_deg, distance_m,
                                          to.lat_deg, to.lon_deg);
  to.lon_deg = NormaliseLonDeg(to.lon_deg);
  return to;
}

LocalFrame::LocalFrame(LatLon origin) : origin_(origin) {
  sin_lat_ = std::sin(origin.lat_deg * kRadPerDeg);
  cos_lat_ = std::cos(origin.lat_deg * kRadPerDeg);
  const double w2 = 1 - kE2 * sin_lat_ * sin_lat_;
  const double normal_radius_m = kEquatorialRadiusM / std::sqrt(w2);
  normal_curvature_pm_ = 1 / normal_radius_m;
  meridian_curvature_pm_ = w2 / (normal_radius_m * (1 - kE2));
  section_pm2_ = kE2 / (1 - kE2) * cos_lat_ * cos_lat_ / (6 * normal_radius_m * normal_radius_m);
  x0_m_ = normal_radius_m * cos_lat_;
  z0_m_ = normal_radius_m * (1 - kE2) * sin_lat_;
}

EastNorth LocalFrame::ToLocal(LatLon p) const {
  const double dlat_rad = (p.lat_deg - origin_.lat_deg) * kRadPerDeg;
  const SinCos dlat = SmallSinCos(dlat_rad);
  const SinCos dlon = SmallSinCos(NormaliseLonDeg(p.lon_deg - origin_.lon_deg) * kRadPerDeg);
  const double sin_lat = sin_lat_ * dlat.cos + cos_lat_ * dlat.sin;
  const double cos_lat = cos_lat_ * dlat.cos - sin_lat_ * dlat.sin;
  const double radius_m = kEquatorialRadiusM / std::sqrt(1 - kE2 * sin_lat * sin_lat);
  // Earth-centred, with the x axis in the meridian of the origin.
  const double dx_m = radius_m * cos_lat * dlon.cos - x0_m_;
  const double y_m = radius_m * cos_lat * dlon.sin;
  const double dz_m = radius_m * (1 - kE2) * sin_lat - z0_m_;
  const double north_m = cos_lat_ * dz_m - sin_lat_ * dx_m;
  const double up_m = cos_lat_ * dx_m + sin_lat_ * dz_m;
  const double h2_m2 = y_m * y_m + north_m * north_m;
  if (!(h2_m2 + up_m * up_m <= kNearM * kNearM)) return FarToLocal(p);
  if (h2_m2 == 0) return {};
  const double q_m = north_m * north_m * meridian_curvature_pm_ + y_m * y_m * normal_curvature_pm_;
  const double x2 = q_m * q_m / h2_m2;
  const double stretch = 1 + x2 * (1.0 / 6 + x2 * (3.0 / 40 + x2 * (15.0 / 336)));
  const double east_m = y_m * stretch, local_north_m = north_m * stretch;
  const double turn = section_pm2_ * east_m * local_north_m;
  return {east_m - turn * local_north_m, local_north_m + turn * east_m};
}

LatLon LocalFrame::FromLocal(EastNorth geodesic) const {
  const double turn = section_pm2_ * geodesic.east_m * geodesic.north_m;
  const EastNorth p{geodesic.east_m + turn * geodesic.north_m,
                    geodesic.north_m - turn * geodesic.east_m};
  const double s2_m2 = p.east_m * p.east_m + p.north_m * p.north_m;
  if (!(s2_m2 <= kNearM * kNearM)) return FarFromLocal(geodesic);
  if (s2_m2 == 0) return origin_;
  const double q_m =
      p.north_m * p.north_m * meridian_curvature_pm_ + p.east_m * p.east_m * normal_curvature_pm_;
  const double x2 = q_m * q_m / s2_m2;  // (s/R)^2
  const Pair one = Both(1), xx = Both(x2);
  const Pair series =
      Pair{x2, q_m} / Pair{6, 2} * (one - xx / Pair{20, 12} * (one - xx / Pair{42, 30}));
  const double shrink = 1 - series[0], up_m = -series[1];
  const double east_m = p.east_m * shrink, north_m = p.north_m * shrink;
  const double x_m = x0_m_ - sin_lat_ * north_m + cos_lat_ * up_m;
  const double z_m = z0_m_ + cos_lat_ * north_m + sin_lat_ * up_m;
  // On the ellipsoid itself (height 0) the geodetic latitude has a closed form,
  // tan(lat) = z / w; its difference to the origin's is small.
  const double w_m = (1 - kE2) * std::sqrt(x_m * x_m + east_m * east_m);
  const Pair from_origin = SmallAtan2(Pair{z_m * cos_lat_ - w_m * sin_lat_, east_m},
                                      Pair{w_m * cos_lat_ + z_m * sin_lat_, x_m});
  LatLon out;
  out.lat_deg = origin_.lat_deg + kDegPerRad * from_origin[0];
  out.lon_deg = NormaliseLonDeg(origin_.lon_deg + from_origin[1] * kDegPerRad);
  return out;
}

double LocalFrame::ConvergenceRad(LatLon p) const {
  // Azimuth at p minus azimuth at the origin of the geodesic between them, by Napier's analogy.
  // d(azimuth) = sin(lat) d(lon) holds on the ellipsoid too, so the error is of third order.
  const SinCos half_dlon =
      SmallSinCos(NormaliseLonDeg(p.lon_deg - origin_.lon_deg) * kRadPerDeg / 2);
  const SinCos half_dlat = SmallSinCos((p.lat_deg - origin_.lat_deg) * kRadPerDeg / 2);
  const double sin_mean_lat = sin_lat_ * half_dlat.cos + cos_lat_ * half_dlat.sin;
  return -2 *
         SmallAtan2(Both(sin_mean_lat * half_dlon.sin), Both(half_dlat.cos * half_dlon.cos))[0];
}

EastNorth LocalFrame::FarToLocal(LatLon p) const {
  const GeodesicLine line = Inverse(origin_, p);
  const double azimuth_rad = line.azimuth_deg * kRadPerDeg;
  return {line.distance_m * std::sin(azimuth_rad), line.distance_m * std::cos(azimuth_rad)};
}

LatLon LocalFrame::FarFromLocal(EastNorth p) const {
  return Destination(origin_, std::atan2(p.east_m, p.north_m) * kDegPerRad,
                     std::hypot(p.east_m, p.north_m));
}

}  // namespace waymark
