#include "sdk/geofence/circle_grid.h"

#include <algorithm>

namespace waymark::geofence {
namespace {

// More than the series, floats and the sagitta can move a border.
constexpr double kPadM = 0.05;

// Calls visit(Cell) for the cells that the circle touches, and hardly more: in each row those in
// reach of what the distance to the row leaves. 110,574 m and 111,319 cos(lat) m are the shortest
// degrees of latitude and longitude.
template <class Visit>
void ForCells(LatLon centre, double radius_m, Visit visit) {
  const int level = CircleGrid::LevelFor(radius_m);
  const double height = RowHeightDeg(level);
  const double reach = radius_m + kPadM;
  const double half_lat = reach / 110'500;
  const double north_at = centre.lat_deg + 90;
  const double metres_per_lon = 111'000 * CosDeg(std::fabs(centre.lat_deg) + half_lat);
  const auto row_lo = static_cast<std::int32_t>((north_at - half_lat) / height);
  const auto row_hi = static_cast<std::int32_t>((north_at + half_lat) / height);
  for (std::int32_t row = row_lo; row <= row_hi; ++row) {
    const double south = row * height, north = south + height;
    const double away = std::max({south - north_at, north_at - north, 0.0}) * 110'500;
    const double half_lon = std::sqrt(std::max(reach * reach - away * away, 0.0)) / metres_per_lon;
    const std::int32_t columns = ColumnsOf(level, row);
    const double per_deg = columns / 360.0, at = (centre.lon_deg + 180) * per_deg;
    const auto lo = static_cast<std::int32_t>(std::floor(at - half_lon * per_deg));
    const auto hi = static_cast<std::int32_t>(std::floor(at + half_lon * per_deg));
    for (std::int32_t col = lo; col <= hi; ++col) {
      visit(Cell{level, row, col < 0 ? col + columns : col >= columns ? col - columns : col});
    }
  }
}

// The cells of both levels numbered in the order of their keys.
constexpr std::uint32_t RowsOf(int level) {
  return std::uint32_t{kBands} << (2 * (kTopLevel - level));
}
constexpr std::uint32_t kSmallColumns = 2 * RowsOf(CircleGrid::kSmallLevel);
constexpr std::uint32_t kLargeColumns = 2 * RowsOf(CircleGrid::kLargeLevel);
constexpr std::uint32_t kFirstLarge = RowsOf(CircleGrid::kSmallLevel) * kSmallColumns;
static_assert(std::uint64_t{RowsOf(1)} * kSmallColumns + std::uint64_t{RowsOf(2)} * kLargeColumns <
              0xffffffff);

std::uint32_t NumberOf(Cell cell) {
  const auto row = static_cast<std::uint32_t>(cell.row), col = static_cast<std::uint32_t>(cell.col);
  return cell.level == CircleGrid::kSmallLevel ? row * kSmallColumns + col
                                               : kFirstLarge + row * kLargeColumns + col;
}
Cell CellOfNumber(std::uint32_t number) {
  const bool small = number < kFirstLarge;
  const std::uint32_t columns = small ? kSmallColumns : kLargeColumns;
  if (!small) number -= kFirstLarge;
  return {small ? CircleGrid::kSmallLevel : CircleGrid::kLargeLevel,
          static_cast<std::int32_t>(number / columns), static_cast<std::int32_t>(number % columns)};
}

CircleRecord RecordOf(const CellPlane& plane, LatLon centre, double radius_m, FenceIndex fence) {
  double east = 0, north = 0;
  plane.ToPlane(centre, east, north);
  return {static_cast<float>(east), static_cast<float>(north), static_cast<float>(radius_m), fence};
}

}  // namespace

void CircleGrid::Insert(LatLon centre, double radius_m, FenceIndex fence) {
  ForCells(centre, radius_m, [&](Cell cell) {
    rows_.Note(cell.level, cell.row);
    cells_.Insert(KeyOf(cell), RecordOf(rows_.PlaneOf(cell), centre, radius_m, fence));
  });
  ++at_level_[LevelFor(radius_m) - kSmallLevel];
}

void CircleGrid::Erase(LatLon centre, double radius_m, FenceIndex fence) {
  ForCells(centre, radius_m, [&](Cell cell) {
    cells_.EraseIf(KeyOf(cell), [&](const CircleRecord& r) { return r.fence == fence; });
  });
  --at_level_[LevelFor(radius_m) - kSmallLevel];
}

void CircleGrid::Build(const FenceTable& table, std::span<const FenceIndex> fences, int block_level,
                       std::vector<CellKey>& blocks) {
  std::vector<CellItem> items;
  items.reserve(fences.size() * 4);
  at_level_[0] = at_level_[1] = 0;
  for (const FenceIndex i : fences) {
    ForCells(table.Centre(i), table.RadiusM(i), [&](Cell cell) {
      items.push_back({NumberOf(cell), i});
    });
    ++at_level_[LevelFor(table.RadiusM(i)) - kSmallLevel];
  }
  SortByCell(items);
  cells_ = {};
  rows_ = {};
  CellKey plane_key = 0;
  CellPlane plane;
  const auto key_of = [](std::uint32_t number) { return KeyOf(CellOfNumber(number)); };
  const auto make = [&](FenceIndex i, CellKey key) {
    if (key != plane_key) {
      const Cell cell = CellOf(key);
      rows_.Note(cell.level, cell.row);
      plane = rows_.PlaneOf(cell);
      plane_key = key;
      const int shift = 2 * (block_level - cell.level);
      const CellKey block = KeyOf({block_level, cell.row >> shift, cell.col >> shift});
      if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
    }
    return RecordOf(plane, table.Centre(i), table.RadiusM(i), i);
  };
  cells_.Build(items, key_of, make, [&](FenceIndex i) { table.PrefetchCircle(i); });
}

}  // namespace waymark::geofence
