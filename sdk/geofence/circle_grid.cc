#include "sdk/geofence/circle_grid.h"

#include <algorithm>

namespace waymark::geofence {
namespace {

// More than the series, floats and the sagitta can move a border.
constexpr double kPadM = 0.05;

// Calls visit(key) for the cells that the circle touches.
template <class Visit>
void ForCells(LatLon centre, double radius_m, Visit visit) {
  const int level = CircleGrid::LevelFor(radius_m);
  const double half_lat_m = kFineRowDeg * (1 << (2 * level)) / 2 * 111'700;
  ForCellsInDisc(centre, radius_m + kPadM, level, [&](Cell cell) {
    // The corners of the box around a circle hold cells that it does not touch. The width of a
    // cell is at most that at its equatorward edge.
    const CellBox box = BoxOf(cell);
    const double equatorward = box.lat_min > 0 ? box.lat_min : (box.lat_max < 0 ? box.lat_max : 0);
    const double half_lon_m = (box.lon_max - box.lon_min) / 2 * 111'700 * CosDeg(equatorward);
    const double middle_lat = (box.lat_min + box.lat_max) / 2;
    double lon = std::fabs(centre.lon_deg - (box.lon_min + box.lon_max) / 2);
    if (lon > 180) lon = 360 - lon;
    const double poleward = std::max(std::fabs(box.lat_min), std::fabs(box.lat_max));
    const double north = std::fabs(centre.lat_deg - middle_lat) * 110'500 - half_lat_m;
    const double east =
        lon * 111'000 * CosDeg(std::max(poleward, std::fabs(centre.lat_deg))) - half_lon_m;
    const double n = std::max(north, 0.0), e = std::max(east, 0.0);
    const double reach = radius_m + kPadM;
    if (n * n + e * e <= reach * reach) visit(KeyOf(cell));
  });
}

CircleRecord RecordOf(const CellPlane& plane, LatLon centre, double radius_m, FenceIndex fence) {
  double east = 0, north = 0;
  plane.ToPlane(centre, east, north);
  return {static_cast<float>(east), static_cast<float>(north), static_cast<float>(radius_m), fence};
}

}  // namespace

void CircleGrid::Insert(LatLon centre, double radius_m, FenceIndex fence) {
  ForCells(centre, radius_m, [&](CellKey key) {
    const Cell cell = CellOf(key);
    rows_.Note(cell.level, cell.row);
    cells_.Insert(key, RecordOf(rows_.PlaneOf(cell), centre, radius_m, fence));
  });
  ++at_level_[LevelFor(radius_m) - kSmallLevel];
}

void CircleGrid::Erase(LatLon centre, double radius_m, FenceIndex fence) {
  ForCells(centre, radius_m, [&](CellKey key) {
    cells_.EraseIf(key, [&](const CircleRecord& r) { return r.fence == fence; });
  });
  --at_level_[LevelFor(radius_m) - kSmallLevel];
}

void CircleGrid::Build(const FenceTable& table, std::span<const FenceIndex> fences) {
  std::vector<KeyedItem> items;
  items.reserve(fences.size() * 4);
  at_level_[0] = at_level_[1] = 0;
  for (const FenceIndex i : fences) {
    ForCells(table.Centre(i), table.RadiusM(i), [&](CellKey key) { items.push_back({key, i}); });
    ++at_level_[LevelFor(table.RadiusM(i)) - kSmallLevel];
  }
  SortByKey(items);
  cells_ = {};
  rows_ = {};
  CellKey plane_key = 0;
  CellPlane plane;
  const auto make = [&](FenceIndex i, CellKey key) {
    if (key != plane_key) {
      const Cell cell = CellOf(key);
      rows_.Note(cell.level, cell.row);
      plane = rows_.PlaneOf(cell);
      plane_key = key;
    }
    return RecordOf(plane, table.Centre(i), table.RadiusM(i), i);
  };
  cells_.Build(items, make, [&](FenceIndex i) { table.PrefetchCircle(i); });
}

}  // namespace waymark::geofence
