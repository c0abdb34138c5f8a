// Cells of the earth between 85 degrees south and north: seven nested levels of roughly square
// cells, and a plane for each small cell in which places have millimetres.
#ifndef SDK_GEOFENCE_CELL_GRID_H_
#define SDK_GEOFENCE_CELL_GRID_H_

#include <array>
#include <cmath>
#include <cstdint>

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

/// The cell of level 0 at a position.
inline Cell FineCellAt(LatLon p) {
  constexpr std::int32_t kRows = kBands * kFinePerBand;
  auto row = static_cast<std::int32_t>((p.lat_deg + 90) * (1 / kFineRowDeg));
  if (row >= kRows) row = kRows - 1;
  const auto band = static_cast<std::size_t>(row >> (2 * kTopLevel));
  auto col = static_cast<std::int32_t>((p.lon_deg + 180) * kBandColumns.fine_per_deg[band]);
  const std::int32_t columns = kBandColumns.top[band] << (2 * kTopLevel);
  if (col >= columns) col = columns - 1;
  return {0, row, col};
}
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
    const double cosines = CosDeg(lat_max) * CosDeg(std::fmin(std::fabs(centre.lat_deg), 89.999));
    half_lon = 1.6 * radius_m / (111'000 * std::sqrt(cosines));
  }
  const double height = kFineRowDeg * (1 << (2 * level));
  const double south = std::fmax(centre.lat_deg - half_lat, -kGridMaxLatDeg);
  const double north = std::fmin(centre.lat_deg + half_lat, kGridMaxLatDeg - 1e-9);
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

/// East and north in metres from the middle of a cell of level 0, 1 or 2: the orthographic
/// projection of the ellipsoid on the tangent plane, as a series in latitude and longitude good to
/// 1 mm within 5 km. Distances within the plane are geodesic ones to 1 mm.
class CellPlane {
 public:
  CellPlane() = default;
  explicit CellPlane(Cell c);

  void ToPlane(LatLon p, double& east_m, double& north_m) const {
    const double d = (p.lat_deg - lat_deg_) * kRadPerDeg;
    double lon = p.lon_deg - lon_deg_;
    if (lon > 180) lon -= 360;
    if (lon < -180) lon += 360;
    const double l = lon * kRadPerDeg;
    const double parallel = p0_ + d * (p1_ + d * p2_);
    east_m = parallel * l * (1 - l * l * (1.0 / 6));
    north_m = d * (n1_ + d * (n2_ + d * n3_)) + sin_lat_ * parallel * l * l * 0.5;
  }
  /// A lower bound of the way from a place in the cell to its border.
  double ToBorderM(LatLon p) const {
    const double north = half_lat_deg_ - std::fabs(p.lat_deg - lat_deg_);
    const double east = half_lon_deg_ - std::fabs(p.lon_deg - lon_deg_);
    return std::fmin(north * 110'500, east * east_m_per_deg_);
  }
  LatLon centre() const { return {lat_deg_, lon_deg_}; }

 private:
  double lat_deg_ = 0, lon_deg_ = 0;
  double sin_lat_ = 0;
  double p0_ = 0, p1_ = 0, p2_ = 0;
  double n1_ = 0, n2_ = 0, n3_ = 0;
  double half_lat_deg_ = 0, half_lon_deg_ = 0, east_m_per_deg_ = 0;
};

inline CellPlane::CellPlane(Cell c) {
  const double height = kFineRowDeg * (1 << (2 * c.level));
  const double width = 360.0 / ColumnsOf(c.level, c.row);
  lat_deg_ = (c.row + 0.5) * height - 90;
  lon_deg_ = (c.col + 0.5) * width - 180;
  half_lat_deg_ = height / 2;
  half_lon_deg_ = width / 2;
  // sin by its Taylor series to x^17: 4e-14 at 90 degrees.
  const double x = lat_deg_ * kRadPerDeg, x2 = x * x;
  const double s =
      x * (1 + x2 * (-1.0 / 6 +
                     x2 * (1.0 / 120 +
                           x2 * (-1.0 / 5040 + x2 * (1.0 / 362880 +
                                                     x2 * (-1.0 / 39916800 +
                                                           x2 * (1.0 / 6227020800 +
                                                                 x2 * (-1.0 / 1307674368000 +
                                                                       x2 / 355687428096000))))))));
  const double c_lat = std::sqrt(1 - s * s);
  // Meridian curve: dp/dlat = -M sin(lat), dz/dlat = M cos(lat), dM/dlat = 3 M e^2 sin cos / w^2.
  const double w2 = 1 - kEccentricity2 * s * s;
  const double inv_w = 1 / std::sqrt(w2), inv_w2 = inv_w * inv_w;
  const double n = kEquatorialRadiusM * inv_w;
  const double m = n * (1 - kEccentricity2) * inv_w2;
  const double m_slope = 3 * m * kEccentricity2 * s * c_lat * inv_w2;
  sin_lat_ = s;
  p0_ = n * c_lat;
  p1_ = -m * s;
  p2_ = -(m * c_lat + m_slope * s) * 0.5;
  n1_ = m;
  n2_ = m_slope * 0.5;
  n3_ = -m * (1.0 / 6);
  // At the poleward edge of the cell, and a little less: meridians converge.
  east_m_per_deg_ =
      (p0_ - std::fabs(s) * m * half_lat_deg_ * kRadPerDeg) * kRadPerDeg * (1 - 1e-6) - 0.01;
}

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_CELL_GRID_H_
