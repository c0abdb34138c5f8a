// Which fences contain a moving device, for hardly more than the question whether it moved far.
#ifndef SDK_GEOFENCE_FENCE_FOLLOWER_H_
#define SDK_GEOFENCE_FENCE_FOLLOWER_H_

#include <cmath>
#include <vector>

#include "sdk/geofence/fence_index.h"
#include "sdk/geofence/free_region.h"

namespace waymark::geofence {

/// Remembers the last answer, and where it holds: in the last place's cell, nearer to that place
/// than any boundary of the cell's fences. Exact: both are lower bounds.
class FenceFollower {
 public:
  /// As FenceIndexer::ForContaining. Every call must be for the same index, which may change.
  template <class Visit>
  void ForContaining(const FenceIndexer& index, const FenceTable& table, LatLon p, Visit visit) {
    if (!region_.Holds(p) || view_.version != index.version()) {
      const bool follows = std::fabs(p.lat_deg - last_.lat_deg) < kNearDeg &&
                           std::fabs(p.lon_deg - last_.lon_deg) < kNearDeg;
      last_ = p;
      if (!follows) {
        // A place for itself: what would be remembered of it is of no use to the next.
        index.ForContaining(table, p, visit);
        return;
      }
      inside_.clear();
      const double free_m = index.FindContaining(table, p, inside_, view_);
      region_ = FreeRegion(p, free_m, view_.box);
    }
    for (const FenceIndex i : inside_) visit(i);
  }

 private:
  static constexpr double kNearDeg = 0.005;  ///< a cell of small circles is 0.0045 degrees high

  LatLon last_{-90, 0};
  CellView view_;
  FreeRegion region_;
  std::vector<FenceIndex> inside_;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_FENCE_FOLLOWER_H_
