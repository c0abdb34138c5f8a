#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <boost/iterator/function_output_iterator.hpp>

#include "tests/bench/geofence_peer.h"

namespace waymark::bench {
namespace {

namespace bg = boost::geometry;
namespace bgi = boost::geometry::index;
using Point = bg::model::point<double, 2, bg::cs::cartesian>;
using Box = bg::model::box<Point>;
using Value = std::pair<Box, std::uint32_t>;
using Tree = bgi::rtree<Value, bgi::rstar<16>>;

Box BoxOf(const CircleSpec& c) {
  const double dlat = c.radius_m / kMPerDeg * 1.0001;
  const double dlon = dlat / std::cos((std::fabs(c.centre.lat_deg) + dlat) * kRad);
  return Box(Point(c.centre.lon_deg - dlon, c.centre.lat_deg - dlat),
             Point(c.centre.lon_deg + dlon, c.centre.lat_deg + dlat));
}

// Even-odd ray casting on a flat array of lon, lat.
bool RayCast(const std::vector<double>& xy, double x, double y) {
  bool in = false;
  const std::size_t n = xy.size() / 2;
  for (std::size_t i = 0, j = n - 1; i < n; j = i++) {
    const double xi = xy[2 * i], yi = xy[2 * i + 1], xj = xy[2 * j], yj = xy[2 * j + 1];
    if ((yi > y) != (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) in = !in;
  }
  return in;
}

}  // namespace

Peer BoostPeer() {
  Peer peer;
  peer.name = "boost_rtree";
  peer.circles = [](const World& w) -> RunQueries {
    auto chords = std::make_shared<std::vector<Chord>>(MakeChords(w));
    std::vector<Value> values;
    for (std::uint32_t i = 0; i < w.circles.size(); ++i) {
      values.emplace_back(BoxOf(w.circles[i]), i);
    }
    auto tree = std::make_shared<Tree>(values.begin(), values.end());
    return [=](const std::vector<LatLon>& queries, Tally& tally) {
      for (const LatLon& q : queries) {
        const Unit u(q);
        tree->query(bgi::intersects(Point(q.lon_deg, q.lat_deg)),
                    boost::make_function_output_iterator([&](const Value& v) {
                      if (Inside((*chords)[v.second], u)) tally.Hit(v.second);
                    }));
      }
    };
  };
  peer.polygons = [](const World& w) -> RunQueries {
    auto rings = std::make_shared<std::vector<std::vector<double>>>();
    std::vector<Value> values;
    for (std::uint32_t i = 0; i < w.polygons.size(); ++i) {
      std::vector<double> xy;
      Box box(Point(1e9, 1e9), Point(-1e9, -1e9));
      for (const LatLon& p : w.polygons[i]) {
        xy.push_back(p.lon_deg);
        xy.push_back(p.lat_deg);
        bg::expand(box, Point(p.lon_deg, p.lat_deg));
      }
      rings->push_back(std::move(xy));
      values.emplace_back(box, i);
    }
    auto tree = std::make_shared<Tree>(values.begin(), values.end());
    return [=](const std::vector<LatLon>& queries, Tally& tally) {
      for (const LatLon& q : queries) {
        tree->query(bgi::intersects(Point(q.lon_deg, q.lat_deg)),
                    boost::make_function_output_iterator([&](const Value& v) {
                      if (RayCast((*rings)[v.second], q.lon_deg, q.lat_deg)) tally.Hit(v.second);
                    }));
      }
    };
  };
  return peer;
}

}  // namespace waymark::bench
#pragma GCC diagnostic pop
