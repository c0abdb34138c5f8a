// The cut: a cell without edges is inside or outside as a whole; one with more than a few is split
// into its 16 parts, down to cells of 125 m. Edges are kept only in cells of at most 2 km, whose
// planes are exact. Inside a cell, the side of a place follows from the known side of a reference
// point in it and the edges that a way between the two crosses: along the line of the place's y to
// the reference's x, and along that. Vertices lie on a grid and neither line touches it, so that
// each edge is crossed or not; where the lines meet may lie on an edge, and then both count it as
// on one side.
#include "sdk/geofence/polygon_grid.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace waymark::geofence {
namespace {

constexpr std::size_t kMaxEdges = 6;    // of a cell that can still be split
constexpr double kClearOfEdgeM = 0.03;  // of a reference point; the tie is 1 cm
// A piece of 2 km leaves the box of its ends by at most its sagitta (8 cm times tan(lat) = 12).
constexpr double kBulgeDeg = 1.5e-5;

double Wrapped(double lon_deg, double near_deg) {
  while (lon_deg - near_deg > 180) lon_deg -= 360;
  while (lon_deg - near_deg < -180) lon_deg += 360;
  return lon_deg;
}

// Whether (x, y) lies to the left of the edge.
bool LeftOf(const EdgeRecord& e, double x, double y) {
  const double x0 = e.x0, y0 = e.y0;
  return (e.x1 - x0) * (y - y0) - (e.y1 - y0) * (x - x0) > 0;
}

LatLon PositionOf(Vec3 v) {
  const double p = std::hypot(v.x, v.y);
  return {std::atan2(v.z, (1 - kEccentricity2) * p) / kRadPerDeg,
          std::atan2(v.y, v.x) / kRadPerDeg};
}

}  // namespace

bool PolygonGrid::Takes(const TracedShape& shape) {
  if (shape.is_corridor() || shape.bound_m() > 4e6) return false;
  return std::all_of(shape.points().begin(), shape.points().end(),
                     [](LatLon p) { return std::fabs(p.lat_deg) < kGridMaxLatDeg - 0.1; }) &&
         std::fabs(PositionOf(shape.bound_centre()).lat_deg) + shape.bound_m() * 1.2 / 110'500 <
             kGridMaxLatDeg;
}

void PolygonGrid::Insert(const TracedShape& shape, FenceIndex fence) {
  std::vector<Piece> pieces;
  CellBox all{90, -90, 1e9, -1e9};
  const auto& points = shape.points();
  const double near = PositionOf(shape.bound_centre()).lon_deg;
  for (const TracedShape::Chain& chain : shape.chains()) {
    for (std::uint32_t i = chain.begin; i + 1 < chain.end; ++i) {
      const LatLon a = points[i], b = points[i + 1];
      const double a_lon = Wrapped(a.lon_deg, near), b_lon = Wrapped(b.lon_deg, a_lon);
      pieces.push_back(
          {{std::min(a.lat_deg, b.lat_deg) - kBulgeDeg, std::max(a.lat_deg, b.lat_deg) + kBulgeDeg,
            std::min(a_lon, b_lon) - kBulgeDeg, std::max(a_lon, b_lon) + kBulgeDeg},
           i});
      const CellBox& box = pieces.back().box;
      all = {std::min(all.lat_min, box.lat_min), std::max(all.lat_max, box.lat_max),
             std::min(all.lon_min, box.lon_min), std::max(all.lon_max, box.lon_max)};
    }
  }
  int level = 1;
  const double height = all.lat_max - all.lat_min, width = all.lon_max - all.lon_min;
  while (level < kTopLevel && kFineRowDeg * (1 << (2 * level)) < std::max(height, width) / 2) {
    ++level;
  }
  std::vector<CellKey> keys;
  const double row_height = kFineRowDeg * (1 << (2 * level));
  const auto row_lo = static_cast<std::int32_t>((all.lat_min + 90) / row_height);
  const auto row_hi = static_cast<std::int32_t>((all.lat_max + 90) / row_height);
  for (std::int32_t row = row_lo; row <= row_hi; ++row) {
    const std::int32_t columns = ColumnsOf(level, row);
    const auto lo = static_cast<std::int64_t>(std::floor((all.lon_min + 180) * columns / 360.0));
    auto hi = static_cast<std::int64_t>(std::floor((all.lon_max + 180) * columns / 360.0));
    hi = std::min(hi, lo + columns - 1);
    for (std::int64_t col = lo; col <= hi; ++col) {
      Cut(shape, fence,
          {level, row, static_cast<std::int32_t>((col % columns + columns) % columns)}, pieces,
          keys);
    }
  }
  keys_of_[fence] = std::move(keys);
}

void PolygonGrid::Cut(const TracedShape& shape, FenceIndex fence, Cell cell,
                      std::span<const Piece> pieces, std::vector<CellKey>& keys) {
  const CellBox box = BoxOf(cell);
  std::vector<Piece> here;
  for (const Piece& piece : pieces) {
    if (piece.box.lat_min > box.lat_max || piece.box.lat_max < box.lat_min) continue;
    const double mid = (box.lon_min + box.lon_max) / 2;
    const double lon = Wrapped((piece.box.lon_min + piece.box.lon_max) / 2, mid);
    const double half = (piece.box.lon_max - piece.box.lon_min + box.lon_max - box.lon_min) / 2;
    if (std::fabs(lon - mid) <= half) here.push_back(piece);
  }
  if (here.empty()) {
    const LatLon middle{(box.lat_min + box.lat_max) / 2, (box.lon_min + box.lon_max) / 2};
    if (shape.Contains(SurfacePoint(middle))) Add(cell, {.fence = fence}, keys);
    return;
  }
  if (cell.level == 0 || (cell.level <= kMaxEdgeLevel && here.size() <= kMaxEdges)) {
    if (AddEdges(shape, fence, cell, here, keys) || cell.level == 0) return;
  }
  for (std::int32_t i = 0; i < 16; ++i) {
    Cut(shape, fence, {cell.level - 1, cell.row * 4 + i / 4, cell.col * 4 + i % 4}, here, keys);
  }
}

bool PolygonGrid::AddEdges(const TracedShape& shape, FenceIndex fence, Cell cell,
                           std::span<const Piece> pieces, std::vector<CellKey>& keys) {
  rows_.Note(cell.level, cell.row);
  const CellPlane plane = rows_.PlaneOf(cell);
  const auto in_plane = [&](LatLon p) {
    double x = 0, y = 0;
    plane.ToPlane(p, x, y);
    return std::pair{static_cast<float>(PlanePoint::Snap(x)),
                     static_cast<float>(PlanePoint::Snap(y))};
  };
  PolygonRecord record{.fence = fence};
  record.count = static_cast<std::uint32_t>(pieces.size()) & 0x7fffffff;
  record.begin = TakeEdges(record.count);
  const std::span edges(edges_.data() + record.begin, pieces.size());
  for (std::size_t k = 0; k < pieces.size(); ++k) {
    const auto [x0, y0] = in_plane(shape.points()[pieces[k].point]);
    const auto [x1, y1] = in_plane(shape.points()[pieces[k].point + 1]);
    edges[k] = {x0, y0, x1, y1};
  }
  const auto add_with = [&](LatLon ref) {
    record.ref_inside = shape.Contains(SurfacePoint(ref)) ? 1 : 0;
    const auto across = [&](const EdgeRecord& e) {
      return (e.x0 > record.ref_x) != (e.x1 > record.ref_x);
    };
    const auto rest = std::stable_partition(edges.begin(), edges.end(), across);
    record.across = static_cast<std::uint32_t>(rest - edges.begin());
    Add(cell, record, keys);
    return true;
  };
  // A reference point clear of every edge, so that its side is beyond doubt: the first of a fixed
  // sequence (the golden angle) around the middle.
  const CellBox box = BoxOf(cell);
  for (int k = 0; k < 400; ++k) {
    const double r = 0.45 * std::sqrt(k / 400.0), angle = 2.399963229728653 * k;
    const LatLon at{
        (box.lat_min + box.lat_max) / 2 + (box.lat_max - box.lat_min) * r * std::sin(angle),
        (box.lon_min + box.lon_max) / 2 + (box.lon_max - box.lon_min) * r * std::cos(angle)};
    const auto [x, y] = in_plane(at);
    record.ref_x = x + static_cast<float>(PlanePoint::kHalfStepM);
    record.ref_y = y;
    if (NearestEdgeM(record, record.ref_x, record.ref_y) >= kClearOfEdgeM) return add_with(at);
  }
  // Edges every few centimetres: smaller cells, or if there are none, the last point as it is.
  if (cell.level == 0) {
    record.ref_x = static_cast<float>(PlanePoint::kHalfStepM);
    record.ref_y = 0;
    return add_with(plane.centre());
  }
  free_edges_[record.count].push_back(record.begin);
  return false;
}

std::uint32_t PolygonGrid::TakeEdges(std::uint32_t count) {
  if (const auto it = free_edges_.find(count); it != free_edges_.end() && !it->second.empty()) {
    const std::uint32_t begin = it->second.back();
    it->second.pop_back();
    return begin;
  }
  const auto begin = static_cast<std::uint32_t>(edges_.size());
  edges_.resize(edges_.size() + count);
  return begin;
}

void PolygonGrid::Add(Cell cell, const PolygonRecord& record, std::vector<CellKey>& keys) {
  if (cell.level <= kMaxEdgeLevel) rows_.Note(cell.level, cell.row);
  cells_.Insert(KeyOf(cell), record);
  ++at_level_[static_cast<std::size_t>(cell.level)];
  keys.push_back(KeyOf(cell));
}

void PolygonGrid::Erase(FenceIndex fence) {
  const auto it = keys_of_.find(fence);
  if (it == keys_of_.end()) return;
  for (const CellKey key : it->second) {
    cells_.EraseIf(key, [&](const PolygonRecord& r) {
      if (r.fence != fence) return false;
      if (r.count > 0) free_edges_[r.count].push_back(r.begin);
      return true;
    });
    --at_level_[static_cast<std::size_t>(CellOf(key).level)];
  }
  keys_of_.erase(it);
}

bool PolygonGrid::Contains(const PolygonRecord& record, PlanePoint p) const {
  bool inside = record.count == 0 || record.ref_inside;
  const EdgeRecord* e = edges_.data() + record.begin;
  const EdgeRecord* const end = e + record.count;
  for (const EdgeRecord* const across_end = e + record.across; e != across_end; ++e) {
    const bool left_at_turn = LeftOf(*e, record.ref_x, p.y);
    inside ^= left_at_turn != LeftOf(*e, record.ref_x, record.ref_y);
    if ((e->y0 > p.y) != (e->y1 > p.y)) inside ^= left_at_turn != LeftOf(*e, p.x, p.y);
  }
  for (; e != end; ++e) {
    if ((e->y0 > p.y) == (e->y1 > p.y)) continue;
    inside ^= LeftOf(*e, p.x, p.y) != LeftOf(*e, record.ref_x, p.y);
  }
  return inside;
}

double PolygonGrid::NearestEdgeM(const PolygonRecord& record, double x, double y) const {
  double best2 = std::numeric_limits<double>::infinity();
  const EdgeRecord* e = edges_.data() + record.begin;
  for (std::uint32_t k = 0; k < record.count; ++k, ++e) {
    const double dx = static_cast<double>(e->x1) - e->x0, dy = static_cast<double>(e->y1) - e->y0;
    const double px = x - e->x0, py = y - e->y0;
    const double length2 = dx * dx + dy * dy;
    const double t = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0;
    const double ex = px - t * dx, ey = py - t * dy;
    best2 = std::min(best2, ex * ex + ey * ey);
  }
  return std::sqrt(best2);
}

std::size_t PolygonGrid::memory_bytes() const {
  std::size_t bytes =
      cells_.memory_bytes() + rows_.memory_bytes() + edges_.capacity() * sizeof(EdgeRecord);
  for (const auto& [fence, keys] : keys_of_) bytes += 64 + keys.capacity() * sizeof(CellKey);
  return bytes;
}

}  // namespace waymark::geofence
