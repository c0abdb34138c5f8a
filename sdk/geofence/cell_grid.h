// Cells of the earth between 85 degrees south and north: seven nested levels of roughly square
// cells, and a plane for each small cell in which places have millimetres.
#ifndef SDK_GEOFENCE_CELL_GRID_H_
#define SDK_GEOFENCE_CELL_GRID_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "sdk/geofence/ecef.h"

namespace waymark::geofence {

/// Level k has cells of 125 m * 4^k north to south. Rows are equal in latitude; 39 bands of
/// latitude have each their own number of columns, so that the cells of all levels nest.
inline constexpr int kLevels = 7;
inline constexpr int kBands = 39;
inline constexpr int kTopLevel = kLevels - 1;
inline constexpr int kFinePerBand = 1 << (2 * kTopLevel);
inline constexpr double kFineRowDeg = 180.0 / (static_cast<double>(kBands) * kFinePerBand);
/// The first and the last band, poleward of 85.38 degrees, are not covered.
inline constexpr double kGridMaxLatDeg = 90 - 180.0 / kBands;
/// Height of a cell of level 0 at its smallest, near the equator.
inline constexpr double kFineCellM = 124.5;

using CellKey = std::uint64_t;  ///< never 0

struct Cell {
  int level = 0;
  std::int32_t row = 0, col = 0;
};

inline CellKey KeyOf(Cell c) {
  return static_cast<CellKey>(c.level + 1) << 56 | static_cast<CellKey>(c.row) << 28 |
         static_cast<CellKey>(c.col);
}
inline Cell CellOf(CellKey key) {
  return {static_cast<int>(key >> 56) - 1, static_cast<std::int32_t>(key >> 28 & 0xfffffff),
          static_cast<std::int32_t>(key & 0xfffffff)};
}

/// Columns of the top level in each band: cells as wide as high in the middle of the band.
struct BandColumns {
  std::array<std::int32_t, kBands> top{};
  std::array<double, kBands> fine_per_deg{};
  BandColumns();
};
extern const BandColumns kBandColumns;

inline std::int32_t ColumnsOf(int level, std::int32_t row) {
  const int band = row >> (2 * (kTopLevel - level));
  return kBandColumns.top[static_cast<std::size_t>(band)] << (2 * (kTopLevel - level));
}

/// A position in rows and columns of level 0, and the cell of level 0 that holds it.
struct GridPlace {
  double row = 0, col = 0;
  Cell fine;
};
inline GridPlace PlaceInGrid(LatLon p) {
  constexpr std::int32_t kRows = kBands * kFinePerBand;
  GridPlace at;
  at.row = (p.lat_deg + 90) * (1 / kFineRowDeg);
  at.fine.row = static_cast<std::int32_t>(at.row);
  if (at.fine.row >= kRows) at.fine.row = kRows - 1;
  const auto band = static_cast<std::size_t>(at.fine.row >> (2 * kTopLevel));
  at.col = (p.lon_deg + 180) * kBandColumns.fine_per_deg[band];
  at.fine.col = static_cast<std::int32_t>(at.col);
  const std::int32_t columns = kBandColumns.top[band] << (2 * kTopLevel);
  if (at.fine.col >= columns) at.fine.col = columns - 1;
  return at;
}
inline Cell FineCellAt(LatLon p) { return PlaceInGrid(p).fine; }
inline Cell Ancestor(Cell fine, int level) {
  return {level, fine.row >> (2 * level), fine.col >> (2 * level)};
}

/// cos of an angle in degrees within [-90, 90], to 4e-10, without the library's cost.
inline double CosDeg(double deg) {
  const double x2 = deg * deg * (kRadPerDeg * kRadPerDeg);
  return 1 +
         x2 * (-1.0 / 2 +
               x2 * (1.0 / 24 +
                     x2 * (-1.0 / 720 +
                           x2 * (1.0 / 40320 + x2 * (-1.0 / 3628800 +
                                                     x2 * (1.0 / 479001600 - x2 / 87178291200))))));
}

struct CellBox {
  double lat_min = 0, lat_max = 0, lon_min = 0, lon_max = 0;
};
inline CellBox BoxOf(Cell c) {
  const double height = kFineRowDeg * (1 << (2 * c.level));
  const double width = 360.0 / ColumnsOf(c.level, c.row);
  return {c.row * height - 90, (c.row + 1) * height - 90, c.col * width - 180,
          (c.col + 1) * width - 180};
}

/// Calls visit(Cell) for every cell of `level` that touches the disc, and some beside it. What of
/// the disc leaves the grid is left out.
template <class Visit>
void ForCellsInDisc(LatLon centre, double radius_m, int level, Visit visit) {
  // 110,574 m and 111,319 cos(lat) m are the shortest degrees of latitude and longitude.
  const double half_lat = radius_m / 110'500;
  double lat_max = std::fabs(centre.lat_deg) + half_lat;
  double half_lon = 0;
  if (lat_max < kGridMaxLatDeg) {
    half_lon = radius_m / (111'000 * CosDeg(lat_max));
  } else {
    // sin(dlon / 2)^2 cos(lat) cos(lat0) <= sin(r / 2 R)^2, and sin x >= 2 x / pi.
    lat_max = kGridMaxLatDeg;
    const double cosines = CosDeg(lat_max) * CosDeg(std::min(std::fabs(centre.lat_deg), 89.999));
    half_lon = 1.6 * radius_m / (111'000 * std::sqrt(cosines));
  }
  const double height = kFineRowDeg * (1 << (2 * level));
  const double south = std::max(centre.lat_deg - half_lat, -kGridMaxLatDeg);
  const double north = std::min(centre.lat_deg + half_lat, kGridMaxLatDeg - 1e-9);
  if (north < south) return;
  const auto row_lo = static_cast<std::int32_t>((south + 90) / height);
  const auto row_hi = static_cast<std::int32_t>((north + 90) / height);
  for (std::int32_t row = row_lo; row <= row_hi; ++row) {
    const std::int32_t columns = ColumnsOf(level, row);
    const double per_deg = columns / 360.0;
    std::int64_t lo = 0, hi = columns - 1;
    if (2 * half_lon < 360) {
      lo = static_cast<std::int64_t>(std::floor((centre.lon_deg - half_lon + 180) * per_deg));
      hi = static_cast<std::int64_t>(std::floor((centre.lon_deg + half_lon + 180) * per_deg));
      if (hi - lo >= columns) hi = lo + columns - 1;
    }
    for (std::int64_t col = lo; col <= hi; ++col) {
      const auto wrapped = static_cast<std::int32_t>(col < 0          ? col + columns
                                                     : col >= columns ? col - columns
                                                                      : col);
      visit(Cell{level, row, wrapped});
    }
  }
}

inline constexpr double RowHeightDeg(int level) { return kFineRowDeg * (1 << (2 * level)); }

/// The caps beyond the grid have square cells of the same levels: in the plane of the equator, by x
/// and y of the point in space. Distances in that plane are never longer than on the surface. Their
/// keys are none of the grid's.
struct CapPlace {
  bool north = true;
  double x_m = 0, y_m = 0;
};
inline bool InCap(LatLon p) { return !(std::fabs(p.lat_deg) < kGridMaxLatDeg); }
inline CapPlace CapPlaceOf(const SurfacePoint& p) {
  return {p.position.lat_deg > 0, p.ecef.x, p.ecef.y};
}
inline constexpr double CapCellM(int level) { return 125.0 * (1 << (2 * level)); }
inline CellKey CapKey(bool north, int level, std::int64_t column, std::int64_t row) {
  constexpr std::int64_t kMiddle = 1 << 20;
  return static_cast<CellKey>(level + (north ? 0x21 : 0x41)) << 56 |
         static_cast<CellKey>(row + kMiddle) << 28 | static_cast<CellKey>(column + kMiddle);
}
inline CellKey CapKeyAt(const CapPlace& p, int level) {
  return CapKey(p.north, level, static_cast<std::int64_t>(std::floor(p.x_m / CapCellM(level))),
                static_cast<std::int64_t>(std::floor(p.y_m / CapCellM(level))));
}
/// A lower bound of the way from a place in a cap to the border of its cell.
inline double CapBorderM(const CapPlace& p, int level) {
  const double size = CapCellM(level);
  const double x = p.x_m - size * std::floor(p.x_m / size);
  const double y = p.y_m - size * std::floor(p.y_m / size);
  return std::min(std::min(x, size - x), std::min(y, size - y));
}
/// Calls visit(key) for every cell of `level` in a cap that touches the disc, and some beside it.
template <class Visit>
void ForCapCellsInDisc(LatLon centre, double radius_m, int level, Visit visit) {
  if (std::fabs(centre.lat_deg) + radius_m / 110'500 < kGridMaxLatDeg) return;
  constexpr double kCapRadiusM = 530'000;
  const CapPlace p = CapPlaceOf(SurfacePoint(centre));
  const auto index = [&](double v) {
    return static_cast<std::int64_t>(
        std::floor(std::clamp(v, -kCapRadiusM, kCapRadiusM) / CapCellM(level)));
  };
  for (std::int64_t row = index(p.y_m - radius_m); row <= index(p.y_m + radius_m); ++row) {
    for (std::int64_t col = index(p.x_m - radius_m); col <= index(p.x_m + radius_m); ++col) {
      visit(CapKey(p.north, level, col, row));
    }
  }
}

/// What the planes of all cells of a row share. Costs two roots and a series to make.
struct RowPlane {
  double width_deg = 0;  ///< of its cells
  double half_sin_lat = 0;
  double p0 = 0, p1 = 0, p2 = 0;
  double n1 = 0, n2 = 0, n3 = 0;

  RowPlane() = default;
  RowPlane(int level, std::int32_t row);

  /// The point d radians north and l radians east of the middle of a cell of this row.
  void ToPlane(double d, double l, double& east_m, double& north_m) const {
    const double parallel = p0 + d * (p1 + d * p2);
    const double arc = parallel * l;
    east_m = arc * (1 - l * l * (1.0 / 6));
    north_m = d * (n1 + d * (n2 + d * n3)) + half_sin_lat * arc * l;
  }
  /// The same of a place in `cell`, which is of this row.
  void ToPlane(const GridPlace& p, Cell cell, double& east_m, double& north_m) const {
    const double cells = 1.0 / (1 << (2 * cell.level));
    ToPlane((p.row * cells - cell.row - 0.5) * (RowHeightDeg(cell.level) * kRadPerDeg),
            (p.col * cells - cell.col - 0.5) * (width_deg * kRadPerDeg), east_m, north_m);
  }
};

/// East and north in metres from the middle of a cell of level 0, 1 or 2: the orthographic
/// projection of the ellipsoid on the tangent plane, as a series in latitude and longitude good to
/// 1 mm within 5 km. Distances within the plane are geodesic ones to 1 mm.
class CellPlane {
 public:
  CellPlane() = default;
  explicit CellPlane(Cell c) : CellPlane(c, RowPlane(c.level, c.row)) {}
  CellPlane(Cell c, const RowPlane& row)
      : row_(row),
        lat_deg_((c.row + 0.5) * RowHeightDeg(c.level) - 90),
        lon_deg_((c.col + 0.5) * row.width_deg - 180),
        half_lat_deg_(RowHeightDeg(c.level) / 2) {}

  void ToPlane(LatLon p, double& east_m, double& north_m) const {
    double lon = p.lon_deg - lon_deg_;
    if (lon > 180) lon -= 360;
    if (lon < -180) lon += 360;
    row_.ToPlane((p.lat_deg - lat_deg_) * kRadPerDeg, lon * kRadPerDeg, east_m, north_m);
  }
  /// A lower bound of the way from a place in the cell to its border.
  double ToBorderM(LatLon p) const {
    // At the poleward edge of the cell, and a little less: meridians converge.
    const double parallel = row_.p0 - std::fabs(row_.p1) * half_lat_deg_ * kRadPerDeg;
    const double east_m_per_deg = parallel * kRadPerDeg * (1 - 1e-6) - 0.01;
    const double north = half_lat_deg_ - std::fabs(p.lat_deg - lat_deg_);
    const double east = row_.width_deg / 2 - std::fabs(p.lon_deg - lon_deg_);
    return std::min(north * 110'500, east * east_m_per_deg);
  }
  LatLon centre() const { return {lat_deg_, lon_deg_}; }

 private:
  RowPlane row_;
  double lat_deg_ = 0, lon_deg_ = 0;
  double half_lat_deg_ = 0;
};

/// The planes of the rows in use, made once.
class RowPlanes {
 public:
  void Note(int level, std::int32_t row);
  /// Of a row that was noted.
  const RowPlane& Of(int level, std::int32_t row) const {
    const auto chunk = chunk_of_[static_cast<std::size_t>(level)][ChunkOf(row)];
    return planes_[chunk * kChunk + static_cast<std::size_t>(row) % kChunk];
  }
  /// Of any cell, also where its row was not noted.
  CellPlane PlaneOf(Cell c) const {
    const auto& chunks = chunk_of_[static_cast<std::size_t>(c.level)];
    const bool noted = !chunks.empty() && chunks[ChunkOf(c.row)] != kNone;
    return noted ? CellPlane(c, Of(c.level, c.row)) : CellPlane(c);
  }
  std::size_t memory_bytes() const;

 private:
  static constexpr std::size_t kChunk = 16;  // rows: 1 KB
  static constexpr std::uint16_t kNone = 0xffff;
  static std::size_t ChunkOf(std::int32_t row) { return static_cast<std::size_t>(row) / kChunk; }

  std::array<std::vector<std::uint16_t>, 3> chunk_of_;
  std::vector<RowPlane> planes_;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_CELL_GRID_H_
