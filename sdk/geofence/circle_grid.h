// Circles of at most 2 km, inline in the cells they touch.
#ifndef SDK_GEOFENCE_CIRCLE_GRID_H_
#define SDK_GEOFENCE_CIRCLE_GRID_H_

#include <span>
#include <vector>

#include "sdk/geofence/cell_table.h"
#include "sdk/geofence/fence_table.h"

namespace waymark::geofence {

/// A circle in the plane of its cell, good to a millimetre.
struct CircleRecord {
  float east_m = 0, north_m = 0, radius_m = 0;
  FenceIndex fence = 0;
};

class CircleGrid {
 public:
  /// The level for circles of this radius.
  static constexpr double kMaxRadiusM = 2000;
  static constexpr int kSmallLevel = 1, kLargeLevel = 2;
  static int LevelFor(double radius_m) { return radius_m <= 500 ? kSmallLevel : kLargeLevel; }
  static bool Takes(LatLon centre, double radius_m) {
    return radius_m <= kMaxRadiusM &&
           std::fabs(centre.lat_deg) + (radius_m + 100) / 110'500 < kGridMaxLatDeg;
  }

  void Insert(LatLon centre, double radius_m, FenceIndex fence);
  void Erase(LatLon centre, double radius_m, FenceIndex fence);
  /// Replaces everything by these fences of `table`, all of them circles that it takes. Appends the
  /// cells of `block_level`, a coarser level, that hold records; some may stand there twice.
  void Build(const FenceTable& table, std::span<const FenceIndex> fences, int block_level,
             std::vector<CellKey>& blocks);

  bool empty() const { return cells_.empty(); }
  bool HasLevel(int level) const { return at_level_[level - kSmallLevel] > 0; }
  std::span<const CircleRecord> Find(CellKey key) const { return cells_.Find(key); }
  /// Calls visit(FenceIndex) for each circle of the level that contains the place.
  template <int kLevel, class Visit>
  void ForContaining(const GridPlace& place, Visit visit) const {
    if (!HasLevel(kLevel)) return;
    const Cell cell = Ancestor(place.fine, kLevel);
    const auto records = cells_.Find(KeyOf(cell));
    if (records.empty()) return;
    double x = 0, y = 0;
    rows_.Of(kLevel, cell.row).ToPlane(place, cell, x, y);
    const auto fx = static_cast<float>(x), fy = static_cast<float>(y);
    for (const CircleRecord& r : records) {
      const float dx = r.east_m - fx, dy = r.north_m - fy;
      if (dx * dx + dy * dy < r.radius_m * r.radius_m) visit(r.fence);
    }
  }
  const CellTable<CircleRecord>& cells() const { return cells_; }
  const RowPlanes& rows() const { return rows_; }

 private:
  CellTable<CircleRecord> cells_;
  RowPlanes rows_;
  std::size_t at_level_[2] = {0, 0};
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_CIRCLE_GRID_H_
