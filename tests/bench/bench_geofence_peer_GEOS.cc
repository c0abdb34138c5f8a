#include <geos_c.h>

#include "tests/bench/geofence_peer.h"

namespace waymark::bench {
namespace {

void* Number(std::size_t i) { return reinterpret_cast<void*>(i); }

struct Visit {
  const std::vector<Chord>* chords = nullptr;
  const std::vector<const GEOSPreparedGeometry*>* prepared = nullptr;
  GEOSContextHandle_t context = nullptr;
  const GEOSGeometry* point = nullptr;
  const Unit* unit = nullptr;
  Tally* tally = nullptr;
};

void OnCircle(void* item, void* data) {
  auto& v = *static_cast<Visit*>(data);
  const auto i = reinterpret_cast<std::size_t>(item);
  if (Inside((*v.chords)[i], *v.unit)) v.tally->Hit(i);
}
void OnPolygon(void* item, void* data) {
  auto& v = *static_cast<Visit*>(data);
  const auto i = reinterpret_cast<std::size_t>(item);
  if (GEOSPreparedContains_r(v.context, (*v.prepared)[i], v.point) == 1) v.tally->Hit(i);
}
void OnNothing(void*, void*) {}

// The tree builds itself at the first query.
void Settle(GEOSContextHandle_t context, GEOSSTRtree* tree) {
  GEOSGeometry* origin = GEOSGeom_createPointFromXY_r(context, 0, 0);
  GEOSSTRtree_query_r(context, tree, origin, OnNothing, nullptr);
  GEOSGeom_destroy_r(context, origin);
}

}  // namespace

Peer GeosPeer() {
  Peer peer;
  peer.name = "geos_strtree";
  peer.circles = [](const World& w) -> RunQueries {
    auto chords = std::make_shared<std::vector<Chord>>(MakeChords(w));
    GEOSContextHandle_t context = GEOS_init_r();
    GEOSSTRtree* tree = GEOSSTRtree_create_r(context, 10);
    for (std::size_t i = 0; i < w.circles.size(); ++i) {
      const CircleSpec& c = w.circles[i];
      const double dlat = c.radius_m / kMPerDeg * 1.0001;
      const double dlon = dlat / std::cos((std::fabs(c.centre.lat_deg) + dlat) * kRad);
      GEOSGeometry* box =
          GEOSGeom_createRectangle_r(context, c.centre.lon_deg - dlon, c.centre.lat_deg - dlat,
                                     c.centre.lon_deg + dlon, c.centre.lat_deg + dlat);
      GEOSSTRtree_insert_r(context, tree, box, Number(i));
      GEOSGeom_destroy_r(context, box);
    }
    Settle(context, tree);
    return [=](const std::vector<LatLon>& queries, Tally& tally) {
      for (const LatLon& q : queries) {
        const Unit u(q);
        Visit visit{chords.get(), nullptr, context, nullptr, &u, &tally};
        GEOSGeometry* point = GEOSGeom_createPointFromXY_r(context, q.lon_deg, q.lat_deg);
        GEOSSTRtree_query_r(context, tree, point, OnCircle, &visit);
        GEOSGeom_destroy_r(context, point);
      }
    };
  };
  peer.polygons = [](const World& w) -> RunQueries {
    GEOSContextHandle_t context = GEOS_init_r();
    GEOSSTRtree* tree = GEOSSTRtree_create_r(context, 10);
    auto prepared = std::make_shared<std::vector<const GEOSPreparedGeometry*>>();
    for (std::size_t i = 0; i < w.polygons.size(); ++i) {
      const auto& ring = w.polygons[i];
      const auto n = static_cast<unsigned>(ring.size());
      GEOSCoordSequence* points = GEOSCoordSeq_create_r(context, n + 1, 2);
      for (unsigned k = 0; k <= n; ++k) {
        GEOSCoordSeq_setXY_r(context, points, k, ring[k % n].lon_deg, ring[k % n].lat_deg);
      }
      GEOSGeometry* polygon = GEOSGeom_createPolygon_r(
          context, GEOSGeom_createLinearRing_r(context, points), nullptr, 0);
      GEOSSTRtree_insert_r(context, tree, polygon, Number(i));
      prepared->push_back(GEOSPrepare_r(context, polygon));
    }
    Settle(context, tree);
    return [=](const std::vector<LatLon>& queries, Tally& tally) {
      for (const LatLon& q : queries) {
        GEOSGeometry* point = GEOSGeom_createPointFromXY_r(context, q.lon_deg, q.lat_deg);
        Visit visit{nullptr, prepared.get(), context, point, nullptr, &tally};
        GEOSSTRtree_query_r(context, tree, point, OnPolygon, &visit);
        GEOSGeom_destroy_r(context, point);
      }
    };
  };
  return peer;
}

}  // namespace waymark::bench
