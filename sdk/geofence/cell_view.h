// The cells around a device, looked up once while it stays in them.
#ifndef SDK_GEOFENCE_CELL_VIEW_H_
#define SDK_GEOFENCE_CELL_VIEW_H_

#include <algorithm>
#include <array>
#include <cstdint>

#include "sdk/geofence/cell_grid.h"
#include "sdk/geofence/circle_grid.h"
#include "sdk/geofence/free_region.h"

namespace waymark::geofence {

/// Of one index or a copy of it, for as long as its version stays. FenceIndexer fills it.
struct CellView {
  struct Level {
    CellKey key = 0;  ///< 0: all cells of the level in `box` are empty
    CellTable<CircleRecord>::Run circles;
    CellPlane plane;  ///< where there are circles
    CellBox box;
    double east_m_per_deg = 0;  ///< at the poleward edge of `box`, or less

    /// A lower bound of the way from p in the box to its border.
    double BorderM(LatLon p) const {
      const double north = std::min(p.lat_deg - box.lat_min, box.lat_max - p.lat_deg) * 110'500;
      const double east =
          std::min(p.lon_deg - box.lon_min, box.lon_max - p.lon_deg) * east_m_per_deg;
      return std::max(0.0, std::min(north, east));
    }
  };

  std::uint64_t version = 0;
  /// Where it holds: in the smallest cell that anything on earth uses, or a larger one that is
  /// empty, or a polar cap.
  FreeBox box;
  std::array<Level, CircleGrid::kLargeLevel - CircleGrid::kSmallLevel + 1> levels;

  bool Holds(LatLon p, std::uint64_t index_version) const {
    return version == index_version && box.Holds(p);
  }
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_CELL_VIEW_H_
