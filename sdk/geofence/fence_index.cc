#include "sdk/geofence/fence_index.h"

#include <algorithm>

namespace waymark::geofence {

void FenceIndexer::Insert(const FenceTable& /*table*/, FenceIndex /*i*/) {}
void FenceIndexer::Erase(const FenceTable& /*table*/, FenceIndex /*i*/) {}
void FenceIndexer::Clear() {}

void FenceIndexer::Candidates(const FenceTable& table, const SurfacePoint* a, const SurfacePoint& b,
                              double reach_m, std::vector<FenceIndex>& out) const {
  const double reach = reach_m + (a != nullptr ? SurfaceDistanceM(*a, b) : 0);
  for (FenceIndex i = 0; i < table.end(); ++i) {
    if (!table.Has(i)) continue;
    const double d = table.Shape(i).Distance(b, reach + 1).distance_m;
    if (d <= reach) out.push_back(i);
  }
}

double FenceIndexer::NearestBoundaryM(const FenceTable& table, const SurfacePoint& p,
                                      double cap_m) const {
  double best = cap_m;
  for (FenceIndex i = 0; i < table.end(); ++i) {
    if (table.Has(i)) best = std::min(best, std::fabs(table.Shape(i).Distance(p, best).distance_m));
  }
  return best;
}

}  // namespace waymark::geofence
