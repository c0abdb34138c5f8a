// Which fences can matter near a place. Small circles and polygons lie in grids of cells whose
// records answer alone; large circles, corridors and what touches the polar caps lie in coarser
// cells by their bounding disc and are measured; the few of more than 4,000 km are measured every
// time.
#ifndef SDK_GEOFENCE_FENCE_INDEX_H_
#define SDK_GEOFENCE_FENCE_INDEX_H_

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "sdk/geofence/cell_view.h"
#include "sdk/geofence/circle_grid.h"
#include "sdk/geofence/fence_table.h"
#include "sdk/geofence/polygon_grid.h"

namespace waymark::geofence {

/// What a look at the index found.
struct Surroundings {
  struct Deep {
    FenceIndex fence = 0;
    float distance_m = 0;  ///< signed, at least this deep
  };
  /// Fences whose boundary may be within reach of the way, but those that the distances at its two
  /// ends clear. May repeat.
  std::vector<FenceIndex> near;
  /// Fences that contain the end of the way and are not near. May repeat.
  std::vector<Deep> deep;
  /// Within view.box no boundary lies nearer to the end of the way.
  double free_m = 0;
  CellView view;  ///< kept from look to look
};

class FenceIndexer {
 public:
  static constexpr int kBlockLevel = 3;

  void Insert(const FenceTable& table, FenceIndex i);
  /// All at once: much faster into an empty index.
  void InsertMany(const FenceTable& table, std::span<const FenceIndex> fences);
  void Erase(const FenceTable& table, FenceIndex i);

  /// Fills `out` with the fences that matter for a way of `length_m` from `a` to `b`, or at `b`
  /// alone where `a` is null, when boundaries up to `reach_m` beside it count.
  void Look(const FenceTable& table, const LatLon* a, LatLon b, double length_m, double reach_m,
            Surroundings& out) const;

  /// Calls visit(FenceIndex) once for each fence that contains p; those nearer to p than 1 cm may
  /// be missed or not.
  template <class Visit>
  void ForContaining(const FenceTable& table, LatLon p, Visit visit) const;

  /// Appends the fences that ForContaining would visit. The answer is the same all over view.box,
  /// its edge excepted, as far as the way from p is shorter than the value returned. `view` is kept
  /// from call to call.
  double FindContaining(const FenceTable& table, LatLon p, std::vector<FenceIndex>& inside,
                        CellView& view) const;
  /// Changes with every change of the index; never 0.
  std::uint64_t version() const { return version_; }

  /// A lower bound of the distance from p to the nearest boundary, at most cap_m.
  double NearestBoundaryM(const FenceTable& table, const SurfacePoint& p, double cap_m) const;
  std::size_t memory_bytes() const;

 private:
  enum class Home : std::uint8_t { kCircles, kPolygons, kCoarse, kEverywhere };
  struct Disc {
    LatLon centre;
    double radius_m = 0;
  };
  static Home HomeOf(const FenceTable& table, FenceIndex i);
  static Disc DiscOf(const FenceTable& table, FenceIndex i);
  static int CoarseLevel(double radius_m);
  /// A disc of the way: its whole, or with more to come a part of it.
  struct Part {
    LatLon at;
    double reach_m = 0;
    bool is_end = false;
    const LatLon* from = nullptr;  ///< of the whole way, at most kShortWayM long, to `at`
    double length_m = 0;
  };
  void LookAtCircles(const Part& part, Surroundings& out) const;
  void LookAtPolygons(const Part& part, Surroundings& out) const;
  /// Calls visit(FenceIndex) for the coarse fences of the cells at p.
  template <class Visit>
  void ForCoarseAt(const SurfacePoint& p, Visit visit) const;
  /// A lower bound of the way from p in a cap to where other coarse fences count; kFarM elsewhere.
  double CoarseBorderM(const SurfacePoint& p) const;
  void LookAtCoarse(const FenceTable& table, const SurfacePoint& b, double reach_m,
                    Surroundings& out) const;
  void Measure(const FenceTable& table, FenceIndex i, const SurfacePoint& b, double reach_m,
               Surroundings& out) const;
  void NoteBlocks(std::vector<CellKey> blocks);
  double NearestInBlockM(CellKey block, const SurfacePoint& p, double best_m) const;

  /// As ForContaining and FindContaining, all but the circles of the grid.
  template <class Visit>
  void ForContainingOthers(const FenceTable& table, LatLon p, Visit visit) const;
  double FindContainingOthers(const FenceTable& table, LatLon p,
                              std::vector<FenceIndex>& inside) const;
  void Fill(CellView& view, LatLon p) const;
  bool BlockIsEmpty(Cell block) const;
  int FinestLevel() const;

  std::uint64_t version_ = 1;
  bool only_circles_ = true;  ///< there never were others than those of the grid
  CircleGrid circles_;
  PolygonGrid polygons_;
  CellTable<FenceIndex> coarse_;
  std::array<std::size_t, kLevels> coarse_at_level_{};
  std::vector<FenceIndex> coarse_list_;  ///< sorted
  std::vector<FenceIndex> everywhere_;   ///< sorted
  std::vector<CellKey> blocks_;  ///< sorted cells of kBlockLevel that hold or held small fences
};

template <class Visit>
void FenceIndexer::ForContaining(const FenceTable& table, LatLon p, Visit visit) const {
  const bool covered = std::fabs(p.lat_deg) < kGridMaxLatDeg;
  if (covered) {
    const GridPlace place = PlaceInGrid(p);
    circles_.ForContaining<CircleGrid::kSmallLevel>(place, visit);
    circles_.ForContaining<CircleGrid::kLargeLevel>(place, visit);
  }
  if (!only_circles_) ForContainingOthers(table, p, visit);
}

template <class Visit>
void FenceIndexer::ForContainingOthers(const FenceTable& table, LatLon p, Visit visit) const {
  if (std::fabs(p.lat_deg) < kGridMaxLatDeg) {
    const GridPlace place = PlaceInGrid(p);
    const Cell fine = place.fine;
    if (!polygons_.empty()) {
      for (int level = 0; level < kLevels; ++level) {
        if (!polygons_.HasLevel(level)) continue;
        const Cell cell = Ancestor(fine, level);
        const auto records = polygons_.Find(KeyOf(cell));
        if (records.empty()) continue;
        const PlanePoint at = polygons_.InPlane(place, cell);
        for (const PolygonRecord& r : records) {
          if (r.count == 0 || polygons_.Contains(r, at)) visit(r.fence);
        }
      }
    }
  }
  if (coarse_.empty() && everywhere_.empty()) return;
  const SurfacePoint at(p);
  const auto measure = [&](FenceIndex i) {
    if (table.Shape(i).Distance(at, 1).distance_m < 0) visit(i);
  };
  ForCoarseAt(at, measure);
  for (const FenceIndex i : everywhere_) measure(i);
}

template <class Visit>
void FenceIndexer::ForCoarseAt(const SurfacePoint& p, Visit visit) const {
  if (coarse_.empty()) return;
  const bool in_cap = InCap(p.position);
  const Cell fine = in_cap ? Cell{} : FineCellAt(p.position);
  for (int level = 0; level < kLevels; ++level) {
    if (coarse_at_level_[static_cast<std::size_t>(level)] == 0) continue;
    const CellKey key = in_cap ? CapKeyAt(CapPlaceOf(p), level) : KeyOf(Ancestor(fine, level));
    for (const FenceIndex i : coarse_.Find(key)) visit(i);
  }
}

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_FENCE_INDEX_H_
