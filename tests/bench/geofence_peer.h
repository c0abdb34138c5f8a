// A way to find the fences around a place, ours or a peer's, behind one face for whole query sets,
// so that no call is paid per query.
#ifndef TESTS_BENCH_GEOFENCE_PEER_H_
#define TESTS_BENCH_GEOFENCE_PEER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/geofence_world.h"

namespace waymark::bench {

/// Hits, and the sum of their numbers: equal between methods that answer alike.
struct Tally {
  std::uint64_t hits = 0, sum = 0;
  void Hit(std::uint64_t i) {
    ++hits;
    sum += i;
  }
};

using RunQueries = std::function<void(const std::vector<LatLon>&, Tally&)>;

struct Peer {
  std::string name;
  std::function<RunQueries(const World&)> circles;  ///< builds; empty: not offered
  std::function<RunQueries(const World&)> polygons;
};

/// Chord on the unit sphere: the exact test that the peers' candidates share.
struct Chord {
  double x, y, z, chord2;
};
struct Unit {
  double x, y, z;
  explicit Unit(LatLon p) {
    const double c = std::cos(p.lat_deg * kRad);
    x = c * std::cos(p.lon_deg * kRad);
    y = c * std::sin(p.lon_deg * kRad);
    z = std::sin(p.lat_deg * kRad);
  }
};
inline std::vector<Chord> MakeChords(const World& w) {
  std::vector<Chord> out;
  for (const CircleSpec& c : w.circles) {
    const Unit u(c.centre);
    const double s = 2 * std::sin(c.radius_m / kEarthM / 2);
    out.push_back({u.x, u.y, u.z, s * s});
  }
  return out;
}
inline bool Inside(const Chord& c, const Unit& q) {
  const double dx = c.x - q.x, dy = c.y - q.y, dz = c.z - q.z;
  return dx * dx + dy * dy + dz * dz <= c.chord2;
}

Peer BoostPeer();  ///< packed R*-tree; polygons: + ray casting
Peer GeosPeer();   ///< STRtree; polygons: + prepared geometries
Peer S2Peer();     ///< cell index with 8 cells a cap; polygons: shape index

}  // namespace waymark::bench

#endif  // TESTS_BENCH_GEOFENCE_PEER_H_
