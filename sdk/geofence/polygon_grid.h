// Polygons cut up into cells: whole cells inside, and near the boundary the few edges that matter.
#ifndef SDK_GEOFENCE_POLYGON_GRID_H_
#define SDK_GEOFENCE_POLYGON_GRID_H_

#include <array>
#include <map>
#include <span>
#include <vector>

#include "sdk/geofence/cell_table.h"
#include "sdk/geofence/fence_table.h"

namespace waymark::geofence {

/// An edge in the plane of its cell. Coordinates are multiples of 2^-10 m below 2^13 m, so that
/// products of differences are exact in double and no crossing is counted wrongly.
struct EdgeRecord {
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};

struct PolygonRecord {
  FenceIndex fence = 0;
  std::uint32_t begin = 0;  ///< edges; none: the whole cell lies inside
  std::uint32_t count : 31 = 0;
  std::uint32_t ref_inside : 1 = 0;  ///< whether the reference point lies inside
  std::uint32_t across = 0;          ///< so many edges, the first ones, cross the line x = ref_x
  float ref_x = 0, ref_y = 0;        ///< ref_x half a step off the grid of the edges
};

/// A place in the plane of a cell: x on the grid of the edges, y half a step beside it, so that no
/// vertex lies on the line through it.
struct PlanePoint {
  float x = 0, y = 0;

  static constexpr double kHalfStepM = 1.0 / 2048;
  /// To the nearest multiple of 2^-10: what a double of that size has bits for.
  static double Snap(double v) {
    constexpr double kLarge = 1.5 * (std::int64_t{1} << 42);
    return (v + kLarge) - kLarge;
  }
  static PlanePoint At(double x, double y) {
    return {static_cast<float>(Snap(x)), static_cast<float>(Snap(y) + kHalfStepM)};
  }
};

class PolygonGrid {
 public:
  static constexpr int kMaxEdgeLevel = 2;  ///< 2 km: the planes of larger cells are not exact

  /// Whether the polygon lies within the grid of cells.
  static bool Takes(const TracedShape& shape);
  void Insert(const TracedShape& shape, FenceIndex fence);
  void Erase(FenceIndex fence);

  /// The cells of a fence that was inserted.
  const std::vector<CellKey>& KeysOf(FenceIndex fence) const { return keys_of_.at(fence); }
  bool empty() const { return cells_.empty(); }
  bool HasLevel(int level) const { return at_level_[static_cast<std::size_t>(level)] > 0; }
  std::span<const PolygonRecord> Find(CellKey key) const { return cells_.Find(key); }
  const CellTable<PolygonRecord>& cells() const { return cells_; }
  /// Of the cells of level 0, 1 and 2 that have records; larger ones have no edges and no plane.
  const RowPlanes& rows() const { return rows_; }

  /// A place in a cell that has records; anything where the cell has no plane.
  PlanePoint InPlane(const GridPlace& place, Cell cell) const {
    if (cell.level > kMaxEdgeLevel) return {};
    double x = 0, y = 0;
    rows_.Of(cell.level, cell.row).ToPlane(place, cell, x, y);
    return PlanePoint::At(x, y);
  }
  /// Whether p, in the record's cell, lies inside.
  bool Contains(const PolygonRecord& record, PlanePoint p) const;
  /// Distance to the nearest edge of the record; infinite without edges.
  double NearestEdgeM(const PolygonRecord& record, double x, double y) const;
  std::size_t memory_bytes() const;

 private:
  struct Piece {
    CellBox box;  ///< slightly enlarged; lon_max may exceed 180
    std::uint32_t point = 0;
  };
  void Cut(const TracedShape& shape, FenceIndex fence, Cell cell, std::span<const Piece> pieces,
           std::vector<CellKey>& keys);
  bool AddEdges(const TracedShape& shape, FenceIndex fence, Cell cell,
                std::span<const Piece> pieces, std::vector<CellKey>& keys);
  std::uint32_t TakeEdges(std::uint32_t count);
  void Add(Cell cell, const PolygonRecord& record, std::vector<CellKey>& keys);

  CellTable<PolygonRecord> cells_;
  RowPlanes rows_;
  std::vector<EdgeRecord> edges_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> free_edges_;  ///< by count
  std::map<FenceIndex, std::vector<CellKey>> keys_of_;
  std::array<std::size_t, kLevels> at_level_{};
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_POLYGON_GRID_H_
