// Which fences contain a moving device, for hardly more than the question whether it moved far.
#ifndef SDK_GEOFENCE_FENCE_FOLLOWER_H_
#define SDK_GEOFENCE_FENCE_FOLLOWER_H_

#include <cmath>
#include <cstdint>
#include <vector>

#include "sdk/geofence/fence_index.h"

namespace waymark::geofence {

/// Remembers the last answer, and where it holds: in the last place's cell, nearer to that place
/// than any boundary of the cell's fences. Exact: both are lower bounds.
class FenceFollower {
 public:
  /// As FenceIndexer::ForContaining. Every call must be for the same index, which may change.
  template <class Visit>
  void ForContaining(const FenceIndexer& index, const FenceTable& table, LatLon p, Visit visit) {
    if (!Holds(index, p)) Look(index, table, p);
    for (const FenceIndex i : inside_) visit(i);
  }

 private:
  bool Holds(const FenceIndexer& index, LatLon p) const {
    const double north = p.lat_deg - at_.lat_deg, east = (p.lon_deg - at_.lon_deg) * lon_scale_;
    return north * north + east * east < free2_deg2_ && p.lat_deg > box_.lat_min &&
           p.lat_deg < box_.lat_max && p.lon_deg > box_.lon_min && p.lon_deg < box_.lon_max &&
           version_ == index.version();
  }

  void Look(const FenceIndexer& index, const FenceTable& table, LatLon p) {
    inside_.clear();
    version_ = index.version();
    at_ = p;
    const double free_m = index.FindContaining(table, p, inside_, box_);
    // In degrees of latitude of at most 111,700 m. A degree of longitude is at most cos(lat) of
    // that, and most so at the equatorward edge of the box.
    const double free_deg = free_m * (1 / 111'700.0);
    free2_deg2_ = free_m > 0 ? free_deg * free_deg : 0;
    const bool across = box_.lat_min < 0 && box_.lat_max > 0;
    lon_scale_ =
        across ? 1 : CosDeg(std::fmin(std::fabs(box_.lat_min), std::fabs(box_.lat_max))) + 1e-9;
  }

  std::uint64_t version_ = 0;
  LatLon at_;
  double lon_scale_ = 1, free2_deg2_ = 0;
  CellBox box_;
  std::vector<FenceIndex> inside_;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_FENCE_FOLLOWER_H_
