// Nearest point of a polyline in O(log n): cross-track errors and Hausdorff distances of tracks
// with a million vertices.
#ifndef WAYMARK_REPLAY_TOOL_POLYLINE_INDEX_H_
#define WAYMARK_REPLAY_TOOL_POLYLINE_INDEX_H_

#include <cstddef>
#include <span>
#include <vector>

#include "replay_tool/ecef.h"

namespace waymark::replay {

/// A static tree of bounding boxes over runs of consecutive segments: a polyline is already sorted
/// in space. Distances are straight lines in space (see ecef.h).
class PolylineIndex {
 public:
  /// At least one vertex. Segments longer than 10 km should be divided first: their chord leaves
  /// the surface by d^2 / 8 R.
  explicit PolylineIndex(std::vector<Vec3> vertices);

  /// From `p` to the nearest point of the polyline. Stops as soon as the distance is known to be
  /// at most `enough_m`; the value returned is then an upper bound that is <= enough_m.
  double DistanceM(Vec3 p, double enough_m = 0) const;
  std::size_t segments() const { return vertices_.size() - 1; }

 private:
  struct Box {
    Vec3 low, high;
  };
  double SegmentDistance2(std::size_t i, Vec3 p) const;
  void Search(std::size_t node, std::size_t level, Vec3 p, double enough2, double& best2) const;

  std::vector<Vec3> vertices_;
  std::vector<std::vector<Box>> levels_;  ///< levels_[0] are the leaves
};

/// The vertices of `line` with each longer piece divided into geodesic pieces of at most `max_m`.
std::vector<Vec3> DivideGeodesics(std::span<const LatLon> line, double max_m = 1000);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_POLYLINE_INDEX_H_
