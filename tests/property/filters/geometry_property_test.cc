// LocalFrame against GeographicLib, which computes the same projection another way.
#include "waymark/geometry.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <GeographicLib/AzimuthalEquidistant.hpp>
#include <GeographicLib/Geodesic.hpp>
#include <cmath>
#include <numbers>

namespace waymark {
namespace {

// A place on earth; poles, equator and antimeridian more often than chance would have them.
rc::Gen<LatLon> Place() {
  return rc::gen::exec([] {
    const int kind = *rc::gen::inRange(0, 8);
    const double u = *rc::gen::inRange(-1'000'000, 1'000'001) * 1e-6;
    const double v = *rc::gen::inRange(-1'000'000, 1'000'000) * 1e-6;
    LatLon p{std::asin(u) * 180 / std::numbers::pi, v * 180};
    if (kind == 0) p.lat_deg = 90 - std::abs(u) * 1e-3;
    if (kind == 1) p.lat_deg = -90 + std::abs(u) * 1e-3;
    if (kind == 2) p.lat_deg = u > 0 ? 90 : -90;
    if (kind == 3) p.lon_deg = u > 0 ? -180 : 179.9999999;
    if (kind == 4) p.lat_deg = u * 1e-6;
    return p;
  });
}

LatLon At(LatLon from, double azimuth_deg, double distance_m) {
  LatLon to;
  GeographicLib::Geodesic::WGS84().Direct(from.lat_deg, from.lon_deg, azimuth_deg, distance_m,
                                          to.lat_deg, to.lon_deg);
  if (to.lon_deg >= 180) to.lon_deg -= 360;
  return to;
}

double Apart(EastNorth a, EastNorth b) {
  return std::hypot(a.east_m - b.east_m, a.north_m - b.north_m);
}

struct Case {
  double reach_m, tolerance_m;
};

void AgreesWithin(Case c) {
  const LatLon origin = *Place();
  const double azimuth_deg = *rc::gen::inRange(0, 360'000) * 1e-3;
  const double distance_m = *rc::gen::inRange(0, 1'000'001) * 1e-6 * c.reach_m;
  const LatLon p = At(origin, azimuth_deg, distance_m);
  const LocalFrame frame(origin);
  EastNorth expected;
  const GeographicLib::AzimuthalEquidistant oracle;
  oracle.Forward(origin.lat_deg, origin.lon_deg, p.lat_deg, p.lon_deg, expected.east_m,
                 expected.north_m);
  const EastNorth got = frame.ToLocal(p);
  RC_ASSERT(Apart(got, expected) <= c.tolerance_m);
  const LatLon back = frame.FromLocal(expected);
  RC_ASSERT(back.lat_deg >= -90 && back.lat_deg <= 90);
  RC_ASSERT(back.lon_deg >= -180 && back.lon_deg < 180);
  RC_ASSERT(DistanceM(back, p) <= c.tolerance_m);
}

RC_GTEST_PROP(LocalFrame, IsTheAzimuthalEquidistantProjectionToAMicrometreWithinTenKm, ()) {
  AgreesWithin({10e3, 1e-6});
}
RC_GTEST_PROP(LocalFrame, IsItToAMillimetreWithinAHundredKm, ()) { AgreesWithin({100e3, 1e-3}); }
RC_GTEST_PROP(LocalFrame, IsItAnywhere, ()) { AgreesWithin({19.9e6, 2e-3}); }

RC_GTEST_PROP(LocalFrame, KeepsDistancesBetweenPoints, ()) {
  const LatLon origin = *Place();
  const LocalFrame frame(origin);
  const auto draw = [&] {
    return At(origin, *rc::gen::inRange(0, 360), *rc::gen::inRange(0, 5001));
  };
  const LatLon a = draw(), b = draw();
  // D^2/(6 R^2) of the distance, at 5 km: below 4 mm.
  RC_ASSERT(std::abs(Apart(frame.ToLocal(a), frame.ToLocal(b)) - DistanceM(a, b)) <= 4e-3);
}

RC_GTEST_PROP(LocalFrame, TurnsNorthByTheConvergence, ()) {
  const LatLon origin = *Place();
  const double distance_m = *rc::gen::inRange(1, 10'001);
  const LatLon p = At(origin, *rc::gen::inRange(0, 360), distance_m);
  if (std::abs(p.lat_deg) > 89.9999) return;  // north is no direction there
  const LocalFrame frame(origin);
  double distance = 0, azimuth_origin = 0, azimuth_p = 0;
  GeographicLib::Geodesic::WGS84().Inverse(origin.lat_deg, origin.lon_deg, p.lat_deg, p.lon_deg,
                                           distance, azimuth_origin, azimuth_p);
  const double expected = (azimuth_origin - azimuth_p) * std::numbers::pi / 180;
  // The azimuth itself is only as good as 15 nm over the distance, and the longitude at a pole.
  const double tolerance = 2e-7 + 1e-7 / distance_m;
  RC_ASSERT(std::abs(std::remainder(frame.ConvergenceRad(p) - expected, 2 * std::numbers::pi)) <=
            tolerance + (std::abs(origin.lat_deg) > 89 ? 1e-5 : 0));
}

RC_GTEST_PROP(LocalFrame, IsTheSameShiftedByAnyLongitude, ()) {
  const LatLon origin = *Place();
  const LatLon p = At(origin, *rc::gen::inRange(0, 360), *rc::gen::inRange(0, 10'001));
  const auto shifted = [](LatLon x) {
    return LatLon{x.lat_deg, x.lon_deg < 0 ? x.lon_deg + 180 : x.lon_deg - 180};
  };
  const EastNorth a = LocalFrame(origin).ToLocal(p);
  const EastNorth b = LocalFrame(shifted(origin)).ToLocal(shifted(p));
  RC_ASSERT(Apart(a, b) < 1e-6);
}

RC_GTEST_PROP(Geodesics, DestinationUndoesInverse, ()) {
  const LatLon a = *Place(), b = *Place();
  const GeodesicLine line = Inverse(a, b);
  RC_ASSERT(line.azimuth_deg >= 0 && line.azimuth_deg < 360);
  RC_ASSERT(line.distance_m == DistanceM(a, b));
  const LatLon c = Destination(a, line.azimuth_deg, line.distance_m);
  RC_ASSERT(c.lon_deg >= -180 && c.lon_deg < 180);
  RC_ASSERT(DistanceM(b, c) < 1e-6);
}

}  // namespace
}  // namespace waymark
