#include "replay_tool/polyline_index.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kLeafSegments = 8;
constexpr std::size_t kFanOut = 4;

double BoxDistance2(const Vec3& low, const Vec3& high, const Vec3& p) {
  const double dx = std::max({low.x - p.x, 0.0, p.x - high.x});
  const double dy = std::max({low.y - p.y, 0.0, p.y - high.y});
  const double dz = std::max({low.z - p.z, 0.0, p.z - high.z});
  return dx * dx + dy * dy + dz * dz;
}

}  // namespace

PolylineIndex::PolylineIndex(std::vector<Vec3> vertices) : vertices_(std::move(vertices)) {
  if (vertices_.size() == 1) vertices_.push_back(vertices_[0]);
  const std::size_t segments = vertices_.size() - 1;
  std::vector<Box> level;
  for (std::size_t begin = 0; begin < segments; begin += kLeafSegments) {
    const std::size_t end = std::min(segments, begin + kLeafSegments);
    Box box{vertices_[begin], vertices_[begin]};
    for (std::size_t i = begin + 1; i <= end; ++i) {
      const Vec3& v = vertices_[i];
      box.low = {std::min(box.low.x, v.x), std::min(box.low.y, v.y), std::min(box.low.z, v.z)};
      box.high = {std::max(box.high.x, v.x), std::max(box.high.y, v.y), std::max(box.high.z, v.z)};
    }
    level.push_back(box);
  }
  while (level.size() > 1) {
    std::vector<Box> parents;
    for (std::size_t begin = 0; begin < level.size(); begin += kFanOut) {
      Box box = level[begin];
      for (std::size_t i = begin + 1; i < std::min(level.size(), begin + kFanOut); ++i) {
        const Box& b = level[i];
        box.low = {std::min(box.low.x, b.low.x), std::min(box.low.y, b.low.y),
                   std::min(box.low.z, b.low.z)};
        box.high = {std::max(box.high.x, b.high.x), std::max(box.high.y, b.high.y),
                    std::max(box.high.z, b.high.z)};
      }
      parents.push_back(box);
    }
    levels_.push_back(std::move(level));
    level = std::move(parents);
  }
  levels_.push_back(std::move(level));
}

double PolylineIndex::SegmentDistance2(std::size_t i, Vec3 p) const {
  const Vec3 a = vertices_[i];
  const Vec3 d = vertices_[i + 1] - a;
  const double length2 = Dot(d, d);
  const double u = length2 > 0 ? std::clamp(Dot(p - a, d) / length2, 0.0, 1.0) : 0.0;
  const Vec3 e = p - (a + u * d);
  return Dot(e, e);
}

void PolylineIndex::Search(std::size_t node, std::size_t level, Vec3 p, double enough2,
                           double& best2) const {
  if (level == 0) {
    const std::size_t end = std::min(vertices_.size() - 1, (node + 1) * kLeafSegments);
    for (std::size_t i = node * kLeafSegments; i < end; ++i) {
      best2 = std::min(best2, SegmentDistance2(i, p));
    }
    return;
  }
  const std::vector<Box>& children = levels_[level - 1];
  const std::size_t begin = node * kFanOut;
  const std::size_t end = std::min(children.size(), begin + kFanOut);
  std::array<std::pair<double, std::size_t>, kFanOut> order;
  std::size_t count = 0;
  for (std::size_t i = begin; i < end; ++i) {
    order[count++] = {BoxDistance2(children[i].low, children[i].high, p), i};
  }
  std::sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count));
  for (std::size_t k = 0; k < count; ++k) {
    if (order[k].first >= best2 || best2 <= enough2) return;
    Search(order[k].second, level - 1, p, enough2, best2);
  }
}

double PolylineIndex::DistanceM(Vec3 p, double enough_m) const {
  double best2 = std::numeric_limits<double>::infinity();
  Search(0, levels_.size() - 1, p, enough_m * enough_m, best2);
  return std::sqrt(best2);
}

std::vector<Vec3> DivideGeodesics(std::span<const LatLon> line, double max_m) {
  std::vector<Vec3> vertices;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i > 0) {
      const GeodesicLine g = Inverse(line[i - 1], line[i]);
      const double pieces = std::ceil(g.distance_m / max_m);
      for (double k = 1; k < pieces; ++k) {
        vertices.push_back(
            ToEcef(Destination(line[i - 1], g.azimuth_deg, g.distance_m * k / pieces)));
      }
    }
    vertices.push_back(ToEcef(line[i]));
  }
  return vertices;
}

}  // namespace waymark::replay
