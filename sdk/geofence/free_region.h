// A region around a place without boundaries of fences.
#ifndef SDK_GEOFENCE_FREE_REGION_H_
#define SDK_GEOFENCE_FREE_REGION_H_

#include <algorithm>
#include <cmath>

#include "sdk/geofence/cell_grid.h"

namespace waymark::geofence {

/// A box of latitude and longitude that does not cross the antimeridian, prepared for FreeRegion.
struct FreeBox {
  CellBox box;
  double lon_scale = 1;  ///< a degree of longitude in those of latitude: at least that in the box

  bool Holds(LatLon p) const {
    return p.lat_deg > box.lat_min && p.lat_deg < box.lat_max && p.lon_deg > box.lon_min &&
           p.lon_deg < box.lon_max;
  }

  /// So much smaller than the cell that the geodesic between two places in it stays in the cell: it
  /// leaves a parallel towards the pole by its sagitta, w^2 / 8 tan(lat).
  static FreeBox InCell(const CellBox& cell) {
    const double a = std::fabs(cell.lat_min), b = std::fabs(cell.lat_max);
    const double cos_poleward = CosDeg(std::max(a, b));
    const double width_rad = (cell.lon_max - cell.lon_min) * kRadPerDeg;
    const double bulge_deg = width_rad * width_rad / 8 * cos_poleward / kRadPerDeg;
    const bool across = cell.lat_min < 0 && cell.lat_max > 0;
    return {{cell.lat_min + bulge_deg, cell.lat_max - bulge_deg, cell.lon_min, cell.lon_max},
            across ? 1 : CosDeg(std::min(a, b)) + 1e-9};
  }
  /// Poleward of all cells, on the side of `lat_deg`. Geodesics do not leave it.
  static FreeBox Cap(double lat_deg) {
    const double scale = CosDeg(kGridMaxLatDeg) + 1e-9;
    if (lat_deg > 0) return {{kGridMaxLatDeg, 90, -180, 180}, scale};
    return {{-90, -kGridMaxLatDeg, -180, 180}, scale};
  }
};

/// A disc as far as it lies in a box: the disc because no boundary of the box's fences is nearer,
/// the box because beyond it other fences count. The geodesic between two places in the region
/// crosses no boundary, so that who is seen twice in it crossed none in between.
class FreeRegion {
 public:
  FreeRegion() = default;  ///< empty
  FreeRegion(LatLon at, double free_m, const FreeBox& box) : at_(at), box_(box) {
    // In degrees of latitude of at most 111,700 m.
    const double free_deg = std::max(0.0, free_m) * (1 / 111'700.0);
    free2_deg2_ = free_deg * free_deg;
  }

  bool Holds(LatLon p) const {
    const double north = p.lat_deg - at_.lat_deg;
    const double east = (p.lon_deg - at_.lon_deg) * box_.lon_scale;
    return north * north + east * east < free2_deg2_ && box_.Holds(p);
  }

  /// Every number of it, for what is saved.
  template <class Visit>
  void ForEachNumber(Visit visit) {
    CellBox& b = box_.box;
    for (double* number : {&at_.lat_deg, &at_.lon_deg, &free2_deg2_, &box_.lon_scale, &b.lat_min,
                           &b.lat_max, &b.lon_min, &b.lon_max}) {
      visit(*number);
    }
  }

 private:
  LatLon at_;
  double free2_deg2_ = 0;
  FreeBox box_;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_FREE_REGION_H_
