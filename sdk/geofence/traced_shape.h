// Polygons, multipolygons and corridors, prepared for distances.
#ifndef SDK_GEOFENCE_TRACED_SHAPE_H_
#define SDK_GEOFENCE_TRACED_SHAPE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sdk/geofence/ecef.h"
#include "waymark/geofence.h"

namespace waymark::geofence {

/// Signed distance to a boundary, negative inside, and where the boundary is.
struct BoundaryDistance {
  double distance_m = 0;
  /// Unit vector (east, north) from the point to the nearest point of the boundary; zero where the
  /// point lies on it.
  double east = 0, north = 0;
};

/// A shape made of lines. Its geodesic edges are cut into pieces of at most kPieceM, so short that
/// the chord in space and the great ellipse over it stand for the geodesic (0.3 mm). Distances come
/// from the chords raised to the surface, the side from the parity of crossings in the central
/// projection about the middle of the shape, where great ellipses are straight. Both walk a binary
/// tree over consecutive pieces.
class TracedShape {
 public:
  static constexpr double kPieceM = 2000;

  /// nullopt, and why, if the shape cannot be used. `trusted` skips the search for crossing edges.
  static std::optional<TracedShape> Build(const Polygon& polygon, bool trusted,
                                          std::string& reason);
  static std::optional<TracedShape> Build(const MultiPolygon& polygons, bool trusted,
                                          std::string& reason);
  static std::optional<TracedShape> Build(const Corridor& corridor, bool trusted,
                                          std::string& reason);

  /// Exact (within 1 mm near the boundary) where |distance| <= cap_m; further away the sign is
  /// right and the size at least cap_m.
  BoundaryDistance Distance(const SurfacePoint& p, double cap_m) const;
  bool Contains(const SurfacePoint& p) const { return Distance(p, 1).distance_m < 0; }

  /// Every point of the shape lies within bound_m (chord) of bound_centre.
  Vec3 bound_centre() const { return centre_; }
  double bound_m() const { return bound_m_; }
  double half_width_m() const { return half_width_m_; }
  bool is_corridor() const { return half_width_m_ > 0; }

  /// The chains of piece ends; a closed ring repeats its first point.
  struct Chain {
    std::uint32_t begin = 0, end = 0;  ///< points [begin, end)
  };
  const std::vector<Chain>& chains() const { return chains_; }
  const std::vector<LatLon>& points() const { return points_; }
  std::size_t memory_bytes() const;

 private:
  struct Planar {
    double u = 0, v = 0;
  };
  struct Leaf {
    std::uint32_t begin = 0, end = 0;  ///< pieces [begin, end); piece i is points i, i + 1
  };
  struct Node {
    Vec3 centre;
    double radius_m = 0;
    double u_min = 0, u_max = 0, v_min = 0, v_max = 0;
  };

  bool AddChain(const std::vector<LatLon>& line, bool closed, std::string& reason);
  bool Finish(bool planar, std::string& reason);
  bool CheckRings(const std::vector<std::uint32_t>& outer_chains, std::string& reason) const;
  bool FindCrossing(std::uint32_t node_a, std::uint32_t node_b, std::string& reason) const;
  bool CrossesPiece(std::uint32_t i, std::uint32_t j) const;
  std::uint32_t ChainOf(std::uint32_t point) const;
  bool ChainContains(const Chain& chain, Planar p) const;
  std::optional<Planar> Project(Vec3 p) const;
  bool OddCrossings(Planar p) const;
  double NearestM(const SurfacePoint& p, double cap_m, Vec3& nearest) const;
  std::uint32_t leaf_base() const { return static_cast<std::uint32_t>(nodes_.size() / 2); }
  static std::optional<TracedShape> BuildParts(std::span<const Polygon> parts, bool trusted,
                                               std::string& reason);

  std::vector<LatLon> points_;
  std::vector<Vec3> ecef_;
  std::vector<Planar> planar_;
  std::vector<Chain> chains_;
  std::vector<Leaf> leaves_;
  std::vector<Node> nodes_;  ///< heap order from 1, leaves from leaf_base()
  Vec3 centre_;              ///< of the bounding ball
  Vec3 axis_, axis_u_, axis_v_;
  double bound_m_ = 0;
  double half_width_m_ = 0;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_TRACED_SHAPE_H_
