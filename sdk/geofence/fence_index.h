// Which fences can matter near a place.
#ifndef SDK_GEOFENCE_FENCE_INDEX_H_
#define SDK_GEOFENCE_FENCE_INDEX_H_

#include <optional>
#include <vector>

#include "sdk/geofence/fence_table.h"

namespace waymark::geofence {

/// A disc in which nothing changes.
struct SkipDisc {
  bool valid = false;
  double lat_deg = 0, lon_deg = 0;
  double east_m_per_deg = 0, north_m_per_deg = 0;  ///< at least the true scales inside the disc
  double radius_m = 0;
};

class FenceIndexer {
 public:
  void Insert(const FenceTable& table, FenceIndex i);
  void Erase(const FenceTable& table, FenceIndex i);
  void Clear();

  /// Appends, without duplicates, every fence whose boundary is within `reach_m` of the segment
  /// from a to b (or of b alone), and every fence that contains b. `b` may be equal to `a`.
  void Candidates(const FenceTable& table, const SurfacePoint* a, const SurfacePoint& b,
                  double reach_m, std::vector<FenceIndex>& out) const;
  /// A lower bound of the distance from p to the nearest boundary, at most cap_m.
  double NearestBoundaryM(const FenceTable& table, const SurfacePoint& p, double cap_m) const;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_FENCE_INDEX_H_
