// Random fences and paths in the places where geometry goes wrong.
#ifndef TESTS_PROPERTY_GEOFENCE_WORLDS_H_
#define TESTS_PROPERTY_GEOFENCE_WORLDS_H_

#include <rapidcheck.h>

#include <cmath>
#include <string>
#include <vector>

#include "oracle.h"
#include "waymark/estimate.h"

namespace waymark::worlds {

inline double Uniform(double lo, double hi) {
  return lo + (hi - lo) * (*rc::gen::inRange<std::uint32_t>(0, 1u << 30)) / double(1u << 30);
}
inline double LogUniform(double lo, double hi) {
  return std::exp(Uniform(std::log(lo), std::log(hi)));
}
inline LatLon Normal(double lat, double lon) { return *LatLon::FromDegrees(lat, lon); }

/// Poles, the antimeridian, the equator, the edge of the polar cap, and anywhere.
inline LatLon Place() {
  switch (*rc::gen::inRange(0, 8)) {
    case 0:
      return Normal(90 - LogUniform(1e-6, 0.1), Uniform(-180, 180));
    case 1:
      return Normal(-90 + LogUniform(1e-6, 0.1), Uniform(-180, 180));
    case 2:
      return Normal(Uniform(-80, 80), 180 - LogUniform(1e-6, 0.1));
    case 3:
      return Normal(Uniform(-80, 80), -180 + LogUniform(1e-6, 0.1));
    case 4:
      return Normal(Uniform(-0.01, 0.01), Uniform(-0.01, 0.01));
    case 5:
      return Normal(85.3846 + Uniform(-0.02, 0.02), Uniform(-180, 180));
    default:
      return Normal(Uniform(-89, 89), Uniform(-180, 180));
  }
}

/// A ring around `centre`, star-shaped, between `inner` and `outer` metres from it.
inline std::vector<LatLon> Star(LatLon centre, double inner, double outer, int vertices) {
  std::vector<LatLon> ring;
  const double turn = Uniform(0, 360), sense = *rc::gen::arbitrary<bool>() ? 1 : -1;
  for (int i = 0; i < vertices; ++i) {
    const double azimuth = turn + sense * 360.0 * (i + Uniform(0, 0.6)) / vertices;
    ring.push_back(oracle::Go(centre, azimuth, Uniform(inner, outer)));
  }
  if (*rc::gen::arbitrary<bool>()) ring.push_back(ring.front());
  return ring;
}

inline Polygon RandomPolygon(LatLon centre, double size_m) {
  Polygon polygon;
  // With 6 vertices and more the edges stay outside half the inner radius, where the holes lie.
  polygon.outer = Star(centre, 0.6 * size_m, size_m, *rc::gen::inRange(6, 40));
  if (*rc::gen::inRange(0, 2) == 0) {
    polygon.holes.push_back(Star(centre, 0.08 * size_m, 0.2 * size_m, *rc::gen::inRange(5, 12)));
  }
  return polygon;
}

inline FenceShape RandomShape(LatLon centre, double size_m) {
  switch (*rc::gen::inRange(0, 5)) {
    case 0: {
      MultiPolygon multi;
      multi.parts.push_back(RandomPolygon(centre, size_m * 0.4));
      multi.parts.push_back(
          RandomPolygon(oracle::Go(centre, Uniform(0, 360), size_m), size_m * 0.4));
      return multi;
    }
    case 1: {
      Corridor corridor;
      LatLon at = centre;
      corridor.line.push_back(at);
      double azimuth = Uniform(0, 360);
      const int points = *rc::gen::inRange(2, 7);
      for (int i = 1; i < points; ++i) {
        azimuth += Uniform(-100, 100);
        at = oracle::Go(at, azimuth, Uniform(0.2, 0.6) * size_m);
        corridor.line.push_back(at);
      }
      corridor.width_m = std::fmax(2, std::fmin(100'000, size_m * LogUniform(1e-3, 0.3)));
      return corridor;
    }
    case 2:
      return RandomPolygon(centre, size_m);
    default:
      return Circle{centre, std::fmin(500'000, std::fmax(1, size_m))};
  }
}

inline double Size() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return LogUniform(1, 50);
    case 1:
      return LogUniform(5'000, 500'000);
    default:
      return LogUniform(50, 5'000);
  }
}

inline Estimate EstimateAt(double t_s, LatLon p, double sigma_m) {
  Estimate e;
  e.time = MonoTime(FromSeconds(t_s));
  e.utc = UtcTime(std::chrono::milliseconds(1'760'000'000'000 + std::llround(t_s * 1000)));
  e.position = p;
  e.cov_ee_m2 = e.cov_nn_m2 = sigma_m * sigma_m;
  return e;
}

}  // namespace waymark::worlds

#endif  // TESTS_PROPERTY_GEOFENCE_WORLDS_H_
