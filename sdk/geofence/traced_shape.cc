// Distance to a chain of geodesic pieces: branch and bound over a binary tree of consecutive pieces
// with bounding balls. Side: even-odd rule with the half-open convention, in the central projection
// (gnomonic, but from the centre of the ellipsoid), restricted to the hemisphere of the shape.
#include "sdk/geofence/traced_shape.h"

#include <algorithm>
#include <array>
#include <limits>

#include "sdk/geofence/text.h"

namespace waymark::geofence {
namespace {

constexpr std::uint32_t kLeafPieces = 8;
constexpr std::size_t kMaxVertices = 100'000;
// An edge of a quarter of the earth or more is ambiguous to people and near the antipode to maths.
constexpr double kMaxEdgeM = 10'000'000;
// A polygon must fit in a cap of 88 degrees: its inside is then the side without the antipode.
const double kMinCosCap = std::cos(88 * kRadPerDeg);
// Vertices nearer than this are one; edges that overlap by less touch and do not cross.
constexpr double kTouchM = 1e-3;

// Beyond the series to 0.4 %, which nobody decides by.
double FarArcM(double chord_m) {
  if (chord_m <= kSeriesChordM) return ArcOfChordM(chord_m);
  return 2 * kMeanRadiusM * std::asin(std::min(1.0, chord_m / (2 * kMeanRadiusM)));
}

Vec3 Normalised(Vec3 v) { return v * (1 / Norm(v)); }

// The centre of the smallest enclosing ball, nearly (Badoiu and Clarkson 2003): moves towards the
// farthest point by ever smaller steps.
Vec3 EnclosingCentre(const std::vector<Vec3>& points) {
  Vec3 lo = points[0], hi = points[0];
  for (const Vec3& p : points) {
    lo = {std::min(lo.x, p.x), std::min(lo.y, p.y), std::min(lo.z, p.z)};
    hi = {std::max(hi.x, p.x), std::max(hi.y, p.y), std::max(hi.z, p.z)};
  }
  Vec3 centre = (lo + hi) * 0.5;
  const int steps = Norm(hi - lo) > 3e6 ? 60 : 0;  // only a wide shape can fail the cap
  for (int i = 1; i <= steps; ++i) {
    const Vec3* far = &points[0];
    for (const Vec3& p : points) {
      if (Dot(p - centre, p - centre) > Dot(*far - centre, *far - centre)) far = &p;
    }
    centre = centre + (*far - centre) * (1.0 / (i + 1));
  }
  return centre;
}

}  // namespace

bool TracedShape::AddChain(const std::vector<LatLon>& line, bool closed, std::string& reason) {
  const auto begin = static_cast<std::uint32_t>(points_.size());
  std::optional<LatLon> previous;
  const std::size_t n = line.size() + (closed ? 1 : 0);
  for (std::size_t i = 0; i < n; ++i) {
    const LatLon given = line[i % line.size()];
    const auto p = LatLon::FromDegrees(given.lat_deg, given.lon_deg);
    if (!p) {
      reason = "vertex " + std::to_string(i % line.size()) +
               " is not a position: " + PositionText(given);
      return false;
    }
    if (previous) {
      const GeodesicLine edge = Inverse(*previous, *p);
      if (edge.distance_m < kTouchM) {
        // The closing point must be the first one to the bit, so that crossings count right.
        if (closed && i + 1 == n && points_.size() - begin > 1) {
          points_.back() = points_[begin];
          ecef_.back() = ecef_[begin];
        }
        continue;
      }
      if (edge.distance_m > kMaxEdgeM) {
        reason = "edge " + std::to_string(i - 1) + " is longer than 10,000 km";
        return false;
      }
      const auto cuts = static_cast<int>(std::ceil(edge.distance_m / kPieceM));
      for (int k = 1; k < cuts; ++k) {
        points_.push_back(Destination(*previous, edge.azimuth_deg, edge.distance_m * k / cuts));
        ecef_.push_back(SurfacePoint(points_.back()).ecef);
      }
    }
    points_.push_back(*p);
    ecef_.push_back(SurfacePoint(*p).ecef);
    previous = *p;
  }
  const auto end = static_cast<std::uint32_t>(points_.size());
  if (end - begin < (closed ? 4u : 2u)) {
    reason = closed ? "a ring needs 3 different points" : "the line needs 2 different points";
    return false;
  }
  if (closed) {
    points_.back() = points_[begin];
    ecef_.back() = ecef_[begin];
  }
  chains_.push_back({begin, end});
  return true;
}

bool TracedShape::Finish(bool planar, std::string& reason) {
  centre_ = EnclosingCentre(ecef_);
  bound_m_ = 0;
  for (const Vec3& p : ecef_) bound_m_ = std::max(bound_m_, Norm(p - centre_));
  bound_m_ += half_width_m_ + 1;  // 1 m: the sagitta of a piece (8 cm) and rounding
  if (planar) {
    if (Norm(centre_) < 1e5) {
      reason = "the polygon does not fit in a hemisphere";
      return false;
    }
    axis_ = Normalised(centre_);
    const Vec3 pole = std::fabs(axis_.z) < 0.9 ? Vec3{0, 0, 1} : Vec3{1, 0, 0};
    axis_u_ = Normalised(Cross(pole, axis_));
    axis_v_ = Cross(axis_, axis_u_);
    planar_.reserve(ecef_.size());
    for (const Vec3& p : ecef_) {
      const auto q = Project(p);
      if (!q) {
        reason = "the polygon does not fit in a hemisphere";
        return false;
      }
      planar_.push_back(*q);
    }
  }
  for (const Chain& chain : chains_) {
    for (std::uint32_t i = chain.begin; i + 1 < chain.end; i += kLeafPieces) {
      leaves_.push_back({i, std::min(i + kLeafPieces, chain.end - 1)});
    }
  }
  std::uint32_t base = 1;
  while (base < leaves_.size()) base *= 2;
  nodes_.assign(2 * base, Node{});
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (Node& node : nodes_) {
    node.radius_m = -kInf;
    node.u_min = node.v_min = kInf;
    node.u_max = node.v_max = -kInf;
  }
  for (std::uint32_t l = 0; l < leaves_.size(); ++l) {
    Node& node = nodes_[base + l];
    Vec3 lo = ecef_[leaves_[l].begin], hi = lo;
    for (std::uint32_t i = leaves_[l].begin; i <= leaves_[l].end; ++i) {
      const Vec3& p = ecef_[i];
      lo = {std::min(lo.x, p.x), std::min(lo.y, p.y), std::min(lo.z, p.z)};
      hi = {std::max(hi.x, p.x), std::max(hi.y, p.y), std::max(hi.z, p.z)};
      if (planar) {
        node.u_min = std::min(node.u_min, planar_[i].u);
        node.u_max = std::max(node.u_max, planar_[i].u);
        node.v_min = std::min(node.v_min, planar_[i].v);
        node.v_max = std::max(node.v_max, planar_[i].v);
      }
    }
    node.centre = (lo + hi) * 0.5;
    node.radius_m = Norm(hi - lo) * 0.5 + 0.2;  // the sagitta of a piece is 8 cm
  }
  for (std::uint32_t i = base - 1; i >= 1; --i) {
    const Node &a = nodes_[2 * i], &b = nodes_[2 * i + 1];
    Node& node = nodes_[i];
    if (b.radius_m < 0) {
      node = a;
      continue;
    }
    const double apart = Norm(b.centre - a.centre);
    node.u_min = std::min(a.u_min, b.u_min);
    node.u_max = std::max(a.u_max, b.u_max);
    node.v_min = std::min(a.v_min, b.v_min);
    node.v_max = std::max(a.v_max, b.v_max);
    if (apart + b.radius_m <= a.radius_m) {
      node.centre = a.centre;
      node.radius_m = a.radius_m;
    } else if (apart + a.radius_m <= b.radius_m) {
      node.centre = b.centre;
      node.radius_m = b.radius_m;
    } else {
      node.radius_m = (apart + a.radius_m + b.radius_m) / 2;
      node.centre = a.centre + (b.centre - a.centre) * ((node.radius_m - a.radius_m) / apart);
      node.radius_m += 1e-3;
    }
  }
  return true;
}

std::optional<TracedShape::Planar> TracedShape::Project(Vec3 p) const {
  const double w = Dot(p, axis_);
  if (w < kMinCosCap * kMeanRadiusM) return std::nullopt;
  return Planar{Dot(p, axis_u_) / w, Dot(p, axis_v_) / w};
}

bool TracedShape::OddCrossings(Planar p) const {
  bool odd = false;
  std::array<std::uint32_t, 64> stack{};
  std::size_t depth = 0;
  stack[depth++] = 1;
  const std::uint32_t base = leaf_base();
  while (depth > 0) {
    const std::uint32_t i = stack[--depth];
    const Node& node = nodes_[i];
    if (p.v < node.v_min || p.v > node.v_max || p.u > node.u_max) continue;
    if (i < base) {
      stack[depth++] = 2 * i;
      stack[depth++] = 2 * i + 1;
      continue;
    }
    const Leaf& leaf = leaves_[i - base];
    for (std::uint32_t k = leaf.begin; k < leaf.end; ++k) {
      const Planar &a = planar_[k], &b = planar_[k + 1];
      if ((a.v > p.v) == (b.v > p.v)) continue;
      if (p.u < a.u + (b.u - a.u) * ((p.v - a.v) / (b.v - a.v))) odd = !odd;
    }
  }
  return odd;
}

double TracedShape::NearestM(const SurfacePoint& p, double cap_m, Vec3& nearest) const {
  // Chords are a little shorter than arcs: 1.0 + 1e-3 covers the difference up to 1,000 km, beyond
  // which only "at least cap" is promised and caps are smaller.
  double best = cap_m;
  std::array<std::uint32_t, 64> stack{};
  std::size_t depth = 0;
  stack[depth++] = 1;
  const std::uint32_t base = leaf_base();
  while (depth > 0) {
    const std::uint32_t i = stack[--depth];
    const Node& node = nodes_[i];
    if (node.radius_m < 0) continue;
    if (Norm(p.ecef - node.centre) - node.radius_m >= best) continue;
    if (i < base) {
      const Node &a = nodes_[2 * i], &b = nodes_[2 * i + 1];
      const bool a_first = b.radius_m < 0 || Norm(p.ecef - a.centre) - a.radius_m <=
                                                 Norm(p.ecef - b.centre) - b.radius_m;
      stack[depth++] = a_first ? 2 * i + 1 : 2 * i;
      stack[depth++] = a_first ? 2 * i : 2 * i + 1;
      continue;
    }
    const Leaf& leaf = leaves_[i - base];
    for (std::uint32_t k = leaf.begin; k < leaf.end; ++k) {
      const Vec3 a = ecef_[k], along = ecef_[k + 1] - a;
      const double length2 = Dot(along, along);
      const double t = std::clamp(Dot(p.ecef - a, along) / length2, 0.0, 1.0);
      Vec3 q = a + along * t;
      const double sagitta = t * (1 - t) * length2 / (2 * kMeanRadiusM);
      q = q * (1 + sagitta / Norm(q));
      const double chord = Norm(p.ecef - q);
      if (chord < best) {
        best = chord;
        nearest = q;
      }
    }
  }
  return best;
}

BoundaryDistance TracedShape::Distance(const SurfacePoint& p, double cap_m) const {
  BoundaryDistance out;
  const double outside = Norm(p.ecef - centre_) - bound_m_;
  if (outside > cap_m) {
    out.distance_m = outside;
    return out;
  }
  const double reach = cap_m + half_width_m_;
  Vec3 nearest;
  const double chord = NearestM(p, reach, nearest);
  const bool found = chord < reach;
  double line = found ? FarArcM(chord) : reach;
  bool toward = true;  // the boundary lies in the direction of the line
  if (is_corridor()) {
    out.distance_m = line - half_width_m_;
    toward = out.distance_m > 0;
  } else {
    const auto planar = Project(p.ecef);
    out.distance_m = planar && OddCrossings(*planar) ? -line : line;
  }
  if (found && chord > 0) {
    const Vec3 v = (nearest - p.ecef) * ((toward ? 1 : -1) / chord);
    const double east = Dot(v, p.East()), north = Dot(v, p.North());
    const double size = std::hypot(east, north);
    if (size > 1e-9) {
      out.east = east / size;
      out.north = north / size;
    }
  }
  return out;
}

std::optional<TracedShape> TracedShape::Build(const Polygon& polygon, bool trusted,
                                              std::string& reason) {
  return BuildParts(std::span(&polygon, 1), trusted, reason);
}

std::optional<TracedShape> TracedShape::Build(const MultiPolygon& polygons, bool trusted,
                                              std::string& reason) {
  if (polygons.parts.empty()) {
    reason = "the multipolygon has no parts";
    return std::nullopt;
  }
  return BuildParts(polygons.parts, trusted, reason);
}

std::optional<TracedShape> TracedShape::BuildParts(std::span<const Polygon> parts, bool trusted,
                                                   std::string& reason) {
  std::size_t vertices = 0;
  for (const Polygon& part : parts) {
    vertices += part.outer.size();
    for (const auto& hole : part.holes) vertices += hole.size();
  }
  if (vertices > kMaxVertices) {
    reason = "it has " + std::to_string(vertices) + " vertices; the limit is 100,000";
    return std::nullopt;
  }
  TracedShape shape;
  std::vector<std::uint32_t> outer_chains;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    outer_chains.push_back(static_cast<std::uint32_t>(shape.chains_.size()));
    const std::string where = parts.size() > 1 ? "part " + std::to_string(i) + ", " : "";
    if (parts[i].outer.size() < 3) {
      reason = where + "the outer ring has fewer than 3 points";
      return std::nullopt;
    }
    if (!shape.AddChain(parts[i].outer, true, reason)) {
      reason = where + "outer ring: " + reason;
      return std::nullopt;
    }
    for (std::size_t h = 0; h < parts[i].holes.size(); ++h) {
      if (parts[i].holes[h].size() < 3) {
        reason = where + "hole " + std::to_string(h) + " has fewer than 3 points";
        return std::nullopt;
      }
      if (!shape.AddChain(parts[i].holes[h], true, reason)) {
        reason = where + "hole " + std::to_string(h) + ": " + reason;
        return std::nullopt;
      }
    }
  }
  if (!shape.Finish(true, reason)) return std::nullopt;
  if (!trusted && !shape.CheckRings(outer_chains, reason)) return std::nullopt;
  return shape;
}

std::optional<TracedShape> TracedShape::Build(const Corridor& corridor, bool /*trusted*/,
                                              std::string& reason) {
  if (!(corridor.width_m >= 2 && corridor.width_m <= 100'000)) {
    reason = "width_m is " + NumberText(corridor.width_m) + "; it must be in [2, 100000]";
    return std::nullopt;
  }
  if (corridor.line.size() < 2) {
    reason = "the line has fewer than 2 points";
    return std::nullopt;
  }
  if (corridor.line.size() > kMaxVertices) {
    reason = "it has " + std::to_string(corridor.line.size()) + " vertices; the limit is 100,000";
    return std::nullopt;
  }
  TracedShape shape;
  shape.half_width_m_ = corridor.width_m / 2;
  if (!shape.AddChain(corridor.line, false, reason)) return std::nullopt;
  if (!shape.Finish(false, reason)) return std::nullopt;
  return shape;
}

std::size_t TracedShape::memory_bytes() const {
  return points_.capacity() * sizeof(LatLon) + ecef_.capacity() * sizeof(Vec3) +
         planar_.capacity() * sizeof(Planar) + chains_.capacity() * sizeof(Chain) +
         leaves_.capacity() * sizeof(Leaf) + nodes_.capacity() * sizeof(Node);
}

std::uint32_t TracedShape::ChainOf(std::uint32_t point) const {
  const auto it = std::upper_bound(chains_.begin(), chains_.end(), point,
                                   [](std::uint32_t p, const Chain& c) { return p < c.begin; });
  return static_cast<std::uint32_t>(it - chains_.begin()) - 1;
}

bool TracedShape::ChainContains(const Chain& chain, Planar p) const {
  bool odd = false;
  for (std::uint32_t k = chain.begin; k + 1 < chain.end; ++k) {
    const Planar &a = planar_[k], &b = planar_[k + 1];
    if ((a.v > p.v) == (b.v > p.v)) continue;
    if (p.u < a.u + (b.u - a.u) * ((p.v - a.v) / (b.v - a.v))) odd = !odd;
  }
  return odd;
}

// Two pieces cross if the ends of each lie clearly on both sides of the other. Touching is allowed:
// rings share points, and borders are drawn through each other's vertices.
bool TracedShape::CrossesPiece(std::uint32_t i, std::uint32_t j) const {
  const auto side = [](Planar a, Planar b, Planar p) {
    const double du = b.u - a.u, dv = b.v - a.v;
    const double cross = du * (p.v - a.v) - dv * (p.u - a.u);
    // The projection stretches away from the middle, so that this is at most kTouchM on the ground.
    return cross / (std::hypot(du, dv) * (1 + p.u * p.u + p.v * p.v)) * kMeanRadiusM;
  };
  const auto opposite = [](double a, double b) {
    return (a > kTouchM && b < -kTouchM) || (a < -kTouchM && b > kTouchM);
  };
  const Planar a = planar_[i], b = planar_[i + 1], c = planar_[j], d = planar_[j + 1];
  return opposite(side(a, b, c), side(a, b, d)) && opposite(side(c, d, a), side(c, d, b));
}

// Self-join of the tree: only nodes whose boxes meet are opened, so that a well-spread boundary
// costs n log n.
bool TracedShape::FindCrossing(std::uint32_t node_a, std::uint32_t node_b,
                               std::string& reason) const {
  const Node &a = nodes_[node_a], &b = nodes_[node_b];
  if (a.radius_m < 0 || b.radius_m < 0) return false;
  if (a.u_min > b.u_max || b.u_min > a.u_max || a.v_min > b.v_max || b.v_min > a.v_max)
    return false;
  const std::uint32_t base = leaf_base();
  if (node_a < base) {
    if (node_a == node_b) {
      return FindCrossing(2 * node_a, 2 * node_a, reason) ||
             FindCrossing(2 * node_a, 2 * node_a + 1, reason) ||
             FindCrossing(2 * node_a + 1, 2 * node_a + 1, reason);
    }
    // Nodes of one pair stand on one level, so both open together.
    for (std::uint32_t i = 0; i < 2; ++i) {
      for (std::uint32_t j = 0; j < 2; ++j) {
        if (FindCrossing(2 * node_a + i, 2 * node_b + j, reason)) return true;
      }
    }
    return false;
  }
  const Leaf &la = leaves_[node_a - base], &lb = leaves_[node_b - base];
  for (std::uint32_t i = la.begin; i < la.end; ++i) {
    for (std::uint32_t j = node_a == node_b ? i + 1 : lb.begin; j < lb.end; ++j) {
      if (!CrossesPiece(i, j)) continue;
      reason = "edges cross near " + PositionText(points_[i]) + " (ring " +
               std::to_string(ChainOf(i)) + " and ring " + std::to_string(ChainOf(j)) + ")";
      return true;
    }
  }
  return false;
}

bool TracedShape::CheckRings(const std::vector<std::uint32_t>& outer_chains,
                             std::string& reason) const {
  if (FindCrossing(1, 1, reason)) return false;
  struct Box {
    double u_min = 1e9, u_max = -1e9, v_min = 1e9, v_max = -1e9;
  };
  std::vector<Box> boxes;
  for (const Chain& chain : chains_) {
    Box box;
    double area = 0;
    const Planar o = planar_[chain.begin];
    for (std::uint32_t k = chain.begin; k + 1 < chain.end; ++k) {
      const Planar a = planar_[k], b = planar_[k + 1];
      box = {std::min(box.u_min, a.u), std::max(box.u_max, a.u), std::min(box.v_min, a.v),
             std::max(box.v_max, a.v)};
      area += (a.u - o.u) * (b.v - o.v) - (b.u - o.u) * (a.v - o.v);
    }
    if (std::fabs(area) / 2 * kMeanRadiusM * kMeanRadiusM < 1e-2) {
      reason = "ring " + std::to_string(boxes.size()) + " encloses no area";
      return false;
    }
    boxes.push_back(box);
  }
  // A ring that crosses no other lies wholly inside or outside each: one point tells. Rings may
  // touch at vertices, so that the point is the middle of a piece.
  const auto within = [&](std::uint32_t inner, std::uint32_t outer) {
    const Box &a = boxes[inner], &b = boxes[outer];
    if (a.u_min < b.u_min || a.u_max > b.u_max || a.v_min < b.v_min || a.v_max > b.v_max)
      return false;
    const Planar p = planar_[chains_[inner].begin], q = planar_[chains_[inner].begin + 1];
    return ChainContains(chains_[outer], {(p.u + q.u) / 2, (p.v + q.v) / 2});
  };
  for (std::size_t part = 0; part < outer_chains.size(); ++part) {
    const std::uint32_t outer = outer_chains[part];
    const auto end = part + 1 < outer_chains.size() ? outer_chains[part + 1]
                                                    : static_cast<std::uint32_t>(chains_.size());
    for (std::uint32_t hole = outer + 1; hole < end; ++hole) {
      if (!within(hole, outer)) {
        reason = "hole " + std::to_string(hole - outer - 1) + " lies outside its outer ring";
        return false;
      }
      for (std::uint32_t other = outer + 1; other < end; ++other) {
        if (other != hole && within(hole, other)) {
          reason = "hole " + std::to_string(hole - outer - 1) + " lies inside another hole";
          return false;
        }
      }
    }
    for (std::size_t k = 0; k < outer_chains.size(); ++k) {
      if (k == part || !within(outer, outer_chains[k])) continue;
      const auto k_end = k + 1 < outer_chains.size() ? outer_chains[k + 1]
                                                     : static_cast<std::uint32_t>(chains_.size());
      bool in_hole = false;
      for (std::uint32_t hole = outer_chains[k] + 1; hole < k_end && !in_hole; ++hole) {
        in_hole = within(outer, hole);
      }
      if (!in_hole) {
        reason = "part " + std::to_string(part) + " overlaps part " + std::to_string(k);
        return false;
      }
    }
  }
  return true;
}

}  // namespace waymark::geofence
