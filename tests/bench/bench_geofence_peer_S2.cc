#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <s2/mutable_s2shape_index.h>
#include <s2/s2cap.h>
#include <s2/s2cell_index.h>
#include <s2/s2contains_point_query.h>
#include <s2/s2latlng.h>
#include <s2/s2lax_polygon_shape.h>
#include <s2/s2region_coverer.h>

#include "tests/bench/geofence_peer.h"

namespace waymark::bench {

Peer S2Peer() {
  Peer peer;
  peer.name = "s2";
  peer.circles = [](const World& w) -> RunQueries {
    auto chords = std::make_shared<std::vector<Chord>>(MakeChords(w));
    auto index = std::make_shared<S2CellIndex>();
    S2RegionCoverer::Options options;
    options.set_max_cells(8);
    S2RegionCoverer coverer(options);
    for (std::size_t i = 0; i < w.circles.size(); ++i) {
      const CircleSpec& c = w.circles[i];
      const S2Cap cap(S2LatLng::FromDegrees(c.centre.lat_deg, c.centre.lon_deg).ToPoint(),
                      S1Angle::Radians(c.radius_m / kEarthM));
      index->Add(coverer.GetCovering(cap), static_cast<int>(i));
    }
    index->Build();
    return [=](const std::vector<LatLon>& queries, Tally& tally) {
      S2CellIndex::RangeIterator range(index.get());
      S2CellIndex::ContentsIterator contents(index.get());
      for (const LatLon& q : queries) {
        const Unit u(q);
        range.Seek(S2CellId(S2LatLng::FromDegrees(q.lat_deg, q.lon_deg)));
        contents.Clear();
        for (contents.StartUnion(range); !contents.done(); contents.Next()) {
          const auto i = static_cast<std::size_t>(contents.label());
          if (Inside((*chords)[i], u)) tally.Hit(i);
        }
      }
    };
  };
  peer.polygons = [](const World& w) -> RunQueries {
    auto index = std::make_shared<MutableS2ShapeIndex>();
    for (const auto& ring : w.polygons) {
      std::vector<S2Point> loop;
      for (const LatLon& p : ring) {
        loop.push_back(S2LatLng::FromDegrees(p.lat_deg, p.lon_deg).ToPoint());
      }
      index->Add(std::make_unique<S2LaxPolygonShape>(std::vector<std::vector<S2Point>>{loop}));
    }
    index->ForceBuild();
    return [=](const std::vector<LatLon>& queries, Tally& tally) {
      auto query = MakeS2ContainsPointQuery(index.get());
      for (const LatLon& q : queries) {
        query.VisitContainingShapes(S2LatLng::FromDegrees(q.lat_deg, q.lon_deg).ToPoint(),
                                    [&](S2Shape* shape) {
                                      tally.Hit(static_cast<std::uint64_t>(shape->id()));
                                      return true;
                                    });
      }
    };
  };
  return peer;
}

}  // namespace waymark::bench
#pragma GCC diagnostic pop
