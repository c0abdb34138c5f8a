// Brute force on geodesics alone: shares nothing with the engine. Distances to edges by search
// along Karney's geodesic lines, sides by the winding of azimuths seen from the point.
#ifndef TESTS_PROPERTY_GEOFENCE_ORACLE_H_
#define TESTS_PROPERTY_GEOFENCE_ORACLE_H_

#include <GeographicLib/Geodesic.hpp>
#include <GeographicLib/GeodesicLine.hpp>
#include <cmath>
#include <vector>

#include "waymark/geofence.h"

namespace waymark::oracle {

inline double Inverse(LatLon a, LatLon b, double& azimuth_deg) {
  double s = 0, azi2 = 0;
  GeographicLib::Geodesic::WGS84().Inverse(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg, s,
                                           azimuth_deg, azi2);
  return s;
}
inline double Distance(LatLon a, LatLon b) {
  double azi = 0;
  return Inverse(a, b, azi);
}
inline LatLon Go(LatLon from, double azimuth_deg, double s_m) {
  double lat = 0, lon = 0;
  GeographicLib::Geodesic::WGS84().Direct(from.lat_deg, from.lon_deg, azimuth_deg, s_m, lat, lon);
  return *LatLon::FromDegrees(lat, lon);
}

/// The edges of a chain, inverted once.
class Chain {
 public:
  Chain(const std::vector<LatLon>& points, bool closed) {
    const std::size_t n = points.size() - (closed ? 0 : 1);
    for (std::size_t i = 0; i < n; ++i) {
      const LatLon a = points[i], b = points[(i + 1) % points.size()];
      if (Distance(a, b) == 0) continue;
      edges_.push_back({a, b,
                        GeographicLib::Geodesic::WGS84().InverseLine(a.lat_deg, a.lon_deg,
                                                                     b.lat_deg, b.lon_deg)});
    }
  }

  double DistanceM(LatLon p) const {
    double best = 1e12;
    for (const Edge& e : edges_) {
      const double to_a = Distance(p, e.a), to_b = Distance(p, e.b);
      best = std::min({best, to_a, to_b});
      const double length = e.line.Distance();
      if (std::max(to_a, to_b) - length > best) continue;
      // The distance to a point running along a geodesic has one minimum within 90 degrees.
      double lo = 0, hi = length;
      const auto at = [&](double s) {
        double lat = 0, lon = 0;
        e.line.Position(s, lat, lon);
        return Distance(p, {lat, lon});
      };
      constexpr double kGolden = 0.6180339887498949;
      double x1 = hi - kGolden * (hi - lo), x2 = lo + kGolden * (hi - lo);
      double f1 = at(x1), f2 = at(x2);
      while (hi - lo > 1e-3) {
        if (f1 < f2) {
          hi = x2;
          x2 = x1;
          f2 = f1;
          x1 = hi - kGolden * (hi - lo);
          f1 = at(x1);
        } else {
          lo = x1;
          x1 = x2;
          f1 = f2;
          x2 = lo + kGolden * (hi - lo);
          f2 = at(x2);
        }
      }
      best = std::min({best, f1, f2});
    }
    return best;
  }

  /// Full turns of the direction from p along the ring.
  int Winding(LatLon p) const {
    double sum = 0;
    for (const Edge& e : edges_) {
      double azi_a = 0, azi_b = 0;
      Inverse(p, e.a, azi_a);
      Inverse(p, e.b, azi_b);
      sum += std::remainder(azi_b - azi_a, 360.0);
    }
    return static_cast<int>(std::lround(sum / 360));
  }

 private:
  struct Edge {
    LatLon a, b;
    GeographicLib::GeodesicLine line;
  };
  std::vector<Edge> edges_;
};

class Shape {
 public:
  explicit Shape(const FenceShape& shape) {
    if (const auto* c = std::get_if<Circle>(&shape)) {
      centre_ = c->centre;
      radius_m_ = c->radius_m;
    } else if (const auto* c2 = std::get_if<Corridor>(&shape)) {
      chains_.emplace_back(c2->line, false);
      half_width_m_ = c2->width_m / 2;
    } else if (const auto* p = std::get_if<Polygon>(&shape)) {
      AddPolygon(*p);
    } else {
      for (const Polygon& part : std::get<MultiPolygon>(shape).parts) AddPolygon(part);
    }
  }

  double SignedDistanceM(LatLon p) const {
    if (radius_m_ > 0) return Distance(p, centre_) - radius_m_;
    double line = 1e12;
    for (const Chain& chain : chains_) line = std::min(line, chain.DistanceM(p));
    if (half_width_m_ > 0) return line - half_width_m_;
    int turns = 0;
    for (const Chain& chain : chains_) turns += std::abs(chain.Winding(p));
    return turns % 2 != 0 ? -line : line;
  }

 private:
  void AddPolygon(const Polygon& polygon) {
    chains_.emplace_back(polygon.outer, true);
    for (const auto& hole : polygon.holes) chains_.emplace_back(hole, true);
  }
  LatLon centre_;
  double radius_m_ = 0, half_width_m_ = 0;
  std::vector<Chain> chains_;
};

}  // namespace waymark::oracle

#endif  // TESTS_PROPERTY_GEOFENCE_ORACLE_H_
