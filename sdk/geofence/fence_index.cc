#include "sdk/geofence/fence_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace waymark::geofence {
namespace {

// More than any rounding in a cell's plane: what is nearer is measured exactly.
constexpr double kPlaneErrorM = 0.01;
// A way is looked at in steps of about a cell.
constexpr double kStepM = 400;

LatLon PositionOf(Vec3 v) {
  const double p = std::hypot(v.x, v.y);
  const double lon = std::atan2(v.y, v.x) / kRadPerDeg;
  return {std::atan2(v.z, (1 - kEccentricity2) * p) / kRadPerDeg, lon >= 180 ? lon - 360 : lon};
}

// A lower bound of the way from p in the cell to its border, for cells of any size.
double BorderM(Cell cell, LatLon p) {
  const CellBox box = BoxOf(cell);
  const double poleward = std::max(std::fabs(box.lat_min), std::fabs(box.lat_max));
  const double north = std::min(p.lat_deg - box.lat_min, box.lat_max - p.lat_deg) * 110'500;
  const double east = std::min(p.lon_deg - box.lon_min, box.lon_max - p.lon_deg) * 111'000 *
                      CosDeg(poleward) * 0.99;
  return std::max(0.0, std::min(north, east));
}

// The cell of the blocks' level around a smaller one.
CellKey BlockOf(Cell cell) {
  const int shift = 2 * (FenceIndexer::kBlockLevel - cell.level);
  return KeyOf({FenceIndexer::kBlockLevel, cell.row >> shift, cell.col >> shift});
}

void InsertSorted(std::vector<FenceIndex>& list, FenceIndex i) {
  list.insert(std::lower_bound(list.begin(), list.end(), i), i);
}
void EraseSorted(std::vector<FenceIndex>& list, FenceIndex i) {
  const auto it = std::lower_bound(list.begin(), list.end(), i);
  if (it != list.end() && *it == i) list.erase(it);
}

}  // namespace

FenceIndexer::Disc FenceIndexer::DiscOf(const FenceTable& table, FenceIndex i) {
  if (table.IsCircle(i)) return {table.Centre(i), table.RadiusM(i)};
  const TracedShape& shape = table.Traced(i);
  // The centre of the ball lies under the surface; on the surface above it the disc of all points
  // within the ball's reach is a little larger.
  const LatLon centre = PositionOf(shape.bound_centre());
  const double depth = Norm(SurfacePoint(centre).ecef - shape.bound_centre());
  const double chord = shape.bound_m() + depth;
  const double arc = 2 * kMeanRadiusM * std::asin(std::min(1.0, chord / (2 * kMeanRadiusM)));
  return {centre, arc * 1.01 + 1};
}

FenceIndexer::Home FenceIndexer::HomeOf(const FenceTable& table, FenceIndex i) {
  if (table.IsCircle(i) && CircleGrid::Takes(table.Centre(i), table.RadiusM(i))) {
    return Home::kCircles;
  }
  if (!table.IsCircle(i) && PolygonGrid::Takes(table.Traced(i))) return Home::kPolygons;
  const Disc disc = DiscOf(table, i);
  const double lat = std::fabs(disc.centre.lat_deg) + disc.radius_m / 110'500;
  return lat < kGridMaxLatDeg - 0.01 && disc.radius_m < 2e6 ? Home::kCoarse : Home::kEverywhere;
}

// The cells are at least as wide as the disc, so that it lies in few of them.
int FenceIndexer::CoarseLevel(double radius_m) {
  int level = 1;
  while (level < kTopLevel && kFineCellM * (1 << (2 * level)) < radius_m) ++level;
  return level;
}

void FenceIndexer::NoteBlocks(std::vector<CellKey> blocks) {
  std::sort(blocks.begin(), blocks.end());
  blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
  std::erase_if(
      blocks, [&](CellKey key) { return std::binary_search(blocks_.begin(), blocks_.end(), key); });
  if (blocks.empty()) return;
  const auto middle = static_cast<std::ptrdiff_t>(blocks_.size());
  blocks_.insert(blocks_.end(), blocks.begin(), blocks.end());
  std::inplace_merge(blocks_.begin(), blocks_.begin() + middle, blocks_.end());
}

void FenceIndexer::Insert(const FenceTable& table, FenceIndex i) {
  ++version_;
  std::vector<CellKey> blocks;
  switch (HomeOf(table, i)) {
    case Home::kCircles:
      circles_.Insert(table.Centre(i), table.RadiusM(i), i);
      ForCellsInDisc(table.Centre(i), table.RadiusM(i), kBlockLevel,
                     [&](Cell cell) { blocks.push_back(KeyOf(cell)); });
      break;
    case Home::kPolygons:
      polygons_.Insert(table.Traced(i), i);
      for (const CellKey key : polygons_.KeysOf(i)) {
        const Cell cell = CellOf(key);
        if (cell.level < kBlockLevel) blocks.push_back(BlockOf(cell));
      }
      break;
    case Home::kCoarse: {
      const Disc disc = DiscOf(table, i);
      const int level = CoarseLevel(disc.radius_m);
      ForCellsInDisc(disc.centre, disc.radius_m, level,
                     [&](Cell cell) { coarse_.Insert(KeyOf(cell), i); });
      ++coarse_at_level_[static_cast<std::size_t>(level)];
      InsertSorted(coarse_list_, i);
      break;
    }
    case Home::kEverywhere:
      InsertSorted(everywhere_, i);
      break;
  }
  NoteBlocks(std::move(blocks));
}

void FenceIndexer::InsertMany(const FenceTable& table, std::span<const FenceIndex> fences) {
  ++version_;
  if (fences.size() < 64 || !circles_.empty()) {
    for (const FenceIndex i : fences) Insert(table, i);
    return;
  }
  std::vector<FenceIndex> circles;
  circles.reserve(fences.size());
  for (const FenceIndex i : fences) {
    if (HomeOf(table, i) == Home::kCircles) {
      circles.push_back(i);
    } else {
      Insert(table, i);
    }
  }
  circles_.Build(table, circles);
  std::vector<CellKey> blocks;
  circles_.cells().ForEachCell([&](CellKey key, std::span<const CircleRecord>) {
    const CellKey block = BlockOf(CellOf(key));
    if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
  });
  NoteBlocks(std::move(blocks));
}

void FenceIndexer::Erase(const FenceTable& table, FenceIndex i) {
  ++version_;
  switch (HomeOf(table, i)) {
    case Home::kCircles:
      circles_.Erase(table.Centre(i), table.RadiusM(i), i);
      return;
    case Home::kPolygons:
      polygons_.Erase(i);
      return;
    case Home::kCoarse: {
      const Disc disc = DiscOf(table, i);
      const int level = CoarseLevel(disc.radius_m);
      ForCellsInDisc(disc.centre, disc.radius_m, level, [&](Cell cell) {
        coarse_.EraseIf(KeyOf(cell), [&](FenceIndex k) { return k == i; });
      });
      --coarse_at_level_[static_cast<std::size_t>(level)];
      EraseSorted(coarse_list_, i);
      return;
    }
    case Home::kEverywhere:
      EraseSorted(everywhere_, i);
      return;
  }
}

void FenceIndexer::LookAtCircles(LatLon at, double reach_m, bool is_end, Surroundings& out) const {
  const Cell fine = FineCellAt(at);
  for (int level = CircleGrid::kSmallLevel; level <= CircleGrid::kLargeLevel; ++level) {
    if (!circles_.HasLevel(level)) continue;
    const Cell own = Ancestor(fine, level);
    const CellPlane own_plane = circles_.rows().PlaneOf(own);
    const double border = own_plane.ToBorderM(at);
    const auto scan = [&](Cell cell, const CellPlane& plane) {
      const bool measure_free = is_end && cell.row == own.row && cell.col == own.col;
      const auto records = circles_.Find(KeyOf(cell));
      if (records.empty()) return;
      double x = 0, y = 0;
      plane.ToPlane(at, x, y);
      const auto fx = static_cast<float>(x), fy = static_cast<float>(y);
      const auto reach = static_cast<float>(reach_m + kPlaneErrorM);
      float free = static_cast<float>(out.free_m);
      for (const CircleRecord& r : records) {
        const float dx = r.east_m - fx, dy = r.north_m - fy;
        const float d = std::sqrt(dx * dx + dy * dy) - r.radius_m;
        free = std::min(free, std::fabs(d));
        if (d > reach) continue;
        if (d >= -reach) {
          out.near.push_back(r.fence);
        } else if (is_end) {
          out.deep.push_back({r.fence, d});
        }
      }
      if (measure_free) out.free_m = free;
    };
    if (is_end) out.free_m = std::min(out.free_m, border);
    if (border > reach_m + kPlaneErrorM) {
      scan(own, own_plane);
      continue;
    }
    ForCellsInDisc(at, reach_m + kPlaneErrorM, level, [&](Cell cell) {
      const bool same = cell.row == own.row && cell.col == own.col;
      scan(cell, same ? own_plane : circles_.rows().PlaneOf(cell));
    });
  }
}

void FenceIndexer::LookAtPolygons(LatLon at, double reach_m, bool is_end, Surroundings& out) const {
  const Cell fine = FineCellAt(at);
  for (int level = 0; level < kLevels; ++level) {
    if (!polygons_.HasLevel(level)) continue;
    const Cell own = Ancestor(fine, level);
    const double border = BorderM(own, at);
    const auto scan = [&](Cell cell) {
      const bool is_own = cell.row == own.row && cell.col == own.col;
      const auto records = polygons_.Find(KeyOf(cell));
      if (records.empty()) return;
      double x = 0, y = 0;
      if (level <= 2) polygons_.rows().PlaneOf(cell).ToPlane(at, x, y);
      for (const PolygonRecord& r : records) {
        const double edge = r.count == 0 ? border : polygons_.NearestEdgeM(r, x, y);
        if (r.count > 0) {
          if (is_end && is_own) out.free_m = std::min(out.free_m, edge);
          if (edge <= reach_m + kPlaneErrorM) {
            out.near.push_back(r.fence);
            continue;
          }
        }
        if (!is_end || !is_own) continue;
        if (r.count == 0 || polygons_.Contains(r, {PlanePoint::Snap(x), PlanePoint::Snap(y)})) {
          // Of a whole cell within reach of its border the boundary may stand just behind it, in a
          // cell that is looked at too.
          out.deep.push_back({r.fence, static_cast<float>(-std::min(edge, border))});
        }
      }
    };
    if (is_end) out.free_m = std::min(out.free_m, border);
    if (border > reach_m + kPlaneErrorM) {
      scan(own);
    } else {
      ForCellsInDisc(at, reach_m + kPlaneErrorM, level, scan);
    }
  }
}

void FenceIndexer::Measure(const FenceTable& table, FenceIndex i, const SurfacePoint& b,
                           double reach_m, Surroundings& out) const {
  constexpr double kUsefulFreeM = 1000;
  const double d = table.Shape(i).Distance(b, std::max(reach_m, kUsefulFreeM) + 1).distance_m;
  out.free_m = std::min(out.free_m, std::fabs(d));
  if (std::fabs(d) <= reach_m + kPlaneErrorM) {
    out.near.push_back(i);
  } else if (d < 0) {
    out.deep.push_back({i, static_cast<float>(d)});
  }
}

void FenceIndexer::LookAtCoarse(const FenceTable& table, const SurfacePoint& b, double reach_m,
                                Surroundings& out) const {
  const Cell fine = FineCellAt(b.position);
  for (int level = 0; level < kLevels; ++level) {
    if (coarse_at_level_[static_cast<std::size_t>(level)] == 0) continue;
    out.free_m = std::min(out.free_m, BorderM(Ancestor(fine, level), b.position));
    ForCellsInDisc(b.position, reach_m + kPlaneErrorM, level, [&](Cell cell) {
      for (const FenceIndex i : coarse_.Find(KeyOf(cell))) Measure(table, i, b, reach_m, out);
    });
  }
}

void FenceIndexer::Look(const FenceTable& table, const LatLon* a, LatLon b, double length_m,
                        double reach_m, Surroundings& out) const {
  out.Clear();
  out.free_m = 1e6;
  const double whole_m = reach_m + length_m;
  if (!everywhere_.empty() || !coarse_list_.empty()) {
    const SurfacePoint at(b);
    for (const FenceIndex i : everywhere_) Measure(table, i, at, whole_m, out);
    if (!coarse_list_.empty()) LookAtCoarse(table, at, whole_m, out);
  }
  if (circles_.empty() && polygons_.empty()) return;
  // The way in steps, each the disc around its middle; the last is the place itself.
  const auto look_at = [&](LatLon at, double reach, bool is_end) {
    if (!circles_.empty()) LookAtCircles(at, reach, is_end, out);
    if (!polygons_.empty()) LookAtPolygons(at, reach, is_end, out);
  };
  if (a == nullptr || length_m <= kStepM / 4) {
    look_at(b, whole_m, true);
    return;
  }
  const int steps = static_cast<int>(std::ceil(length_m / kStepM));
  const GeodesicLine line = Inverse(*a, b);
  for (int k = 0; k < steps; ++k) {
    const LatLon middle = Destination(*a, line.azimuth_deg, line.distance_m * (k + 0.5) / steps);
    look_at(middle, reach_m + line.distance_m / steps / 2 + 0.5, false);
  }
  look_at(b, reach_m, true);
}

int FenceIndexer::FinestLevel() const {
  for (int level = 0; level < kTopLevel; ++level) {
    const bool circles = level >= CircleGrid::kSmallLevel && level <= CircleGrid::kLargeLevel &&
                         circles_.HasLevel(level);
    if (circles || polygons_.HasLevel(level) ||
        coarse_at_level_[static_cast<std::size_t>(level)] > 0) {
      return level;
    }
  }
  return kTopLevel;
}

bool FenceIndexer::BlockIsEmpty(Cell block) const {
  for (int level = 0; level < kBlockLevel; ++level) {
    if (coarse_at_level_[static_cast<std::size_t>(level)] > 0) return false;
  }
  return !std::binary_search(blocks_.begin(), blocks_.end(), KeyOf(block));
}

double FenceIndexer::FindContaining(const FenceTable& table, LatLon p,
                                    std::vector<FenceIndex>& inside, CellBox& box) const {
  box = CellBox{};
  if (!(std::fabs(p.lat_deg) < kGridMaxLatDeg)) {
    ForContaining(table, p, [&](FenceIndex i) { inside.push_back(i); });
    return 0;
  }
  double free_m = 1e6;
  bool any = false;
  const Cell fine = FineCellAt(p);
  for (int level = CircleGrid::kSmallLevel; level <= CircleGrid::kLargeLevel; ++level) {
    if (!circles_.HasLevel(level)) continue;
    const Cell cell = Ancestor(fine, level);
    const auto records = circles_.Find(KeyOf(cell));
    if (records.empty()) continue;
    any = true;
    double x = 0, y = 0;
    CellPlane(cell, circles_.rows().Of(level, cell.row)).ToPlane(p, x, y);
    const auto fx = static_cast<float>(x), fy = static_cast<float>(y);
    float nearest = std::numeric_limits<float>::max();
    for (const CircleRecord& r : records) {
      const float dx = r.east_m - fx, dy = r.north_m - fy;
      const float d2 = dx * dx + dy * dy;
      if (d2 < r.radius_m * r.radius_m) inside.push_back(r.fence);
      nearest = std::min(nearest, std::fabs(std::sqrt(d2) - r.radius_m));
    }
    free_m = std::min(free_m, static_cast<double>(nearest));
  }
  for (int level = 0; level < kLevels; ++level) {
    if (!polygons_.HasLevel(level)) continue;
    const Cell cell = Ancestor(fine, level);
    const auto records = polygons_.Find(KeyOf(cell));
    if (records.empty()) continue;
    any = true;
    double x = 0, y = 0;
    if (level <= 2) polygons_.rows().PlaneOf(cell).ToPlane(p, x, y);
    const PlanePoint at{PlanePoint::Snap(x), PlanePoint::Snap(y)};
    for (const PolygonRecord& r : records) {
      if (r.count == 0 || polygons_.Contains(r, at)) inside.push_back(r.fence);
      if (r.count > 0) free_m = std::min(free_m, polygons_.NearestEdgeM(r, x, y));
    }
  }
  if (!everywhere_.empty() || !coarse_list_.empty()) {
    constexpr double kUsefulFreeM = 1000;
    const SurfacePoint at(p);
    const auto measure = [&](FenceIndex i) {
      const double d = table.Shape(i).Distance(at, kUsefulFreeM).distance_m;
      if (d < 0) inside.push_back(i);
      free_m = std::min(free_m, std::fabs(d));
    };
    for (int level = 0; level < kLevels; ++level) {
      if (coarse_at_level_[static_cast<std::size_t>(level)] == 0) continue;
      for (const FenceIndex i : coarse_.Find(KeyOf(Ancestor(fine, level)))) measure(i);
    }
    for (const FenceIndex i : everywhere_) measure(i);
  }
  // Cells nest: what can matter within the smallest one stands in the lists just seen.
  const int finest = FinestLevel();
  const Cell block = Ancestor(fine, kBlockLevel);
  const bool wide = !any && finest < kBlockLevel && BlockIsEmpty(block);
  box = BoxOf(wide ? block : Ancestor(fine, finest));
  return free_m - kPlaneErrorM;
}

double FenceIndexer::NearestInBlockM(CellKey key, const SurfacePoint& p, double best_m) const {
  const Cell block = CellOf(key);
  const auto cell_far = [&](Cell cell, const LatLon& centre) {
    const double diagonal = kFineCellM * (1 << (2 * cell.level)) * 0.9 + 1;
    return Norm(SurfacePoint(centre).ecef - p.ecef) - diagonal >= best_m;
  };
  const auto each_child = [&](int level, auto visit) {
    const int shift = 2 * (kBlockLevel - level);
    const std::int32_t side = 1 << shift;
    for (std::int32_t i = 0; i < side * side; ++i) {
      visit(Cell{level, (block.row << shift) + i / side, (block.col << shift) + i % side});
    }
  };
  const auto exact = [&](double d) { best_m = std::min(best_m, std::fabs(d)); };
  for (int level = CircleGrid::kSmallLevel; level <= CircleGrid::kLargeLevel; ++level) {
    if (circles_.empty() || !circles_.HasLevel(level)) continue;
    each_child(level, [&](Cell cell) {
      const auto records = circles_.Find(KeyOf(cell));
      if (records.empty()) return;
      const CellPlane plane(cell);
      if (cell_far(cell, plane.centre())) return;
      // Far from the cell its plane foreshortens; a bound is asked for.
      double x = 0, y = 0;
      plane.ToPlane(p.position, x, y);
      const double away = std::hypot(x, y);
      const double shrink = away > 5000 ? 1e-2 : 1e-5;
      for (const CircleRecord& r : records) {
        exact(std::fabs(std::hypot(r.east_m - x, r.north_m - y) - r.radius_m) - shrink * away);
      }
    });
  }
  for (int level = 0; level <= kBlockLevel; ++level) {
    if (polygons_.empty() || !polygons_.HasLevel(level)) continue;
    each_child(level, [&](Cell cell) {
      const auto records = polygons_.Find(KeyOf(cell));
      if (records.empty()) return;
      if (level > 2) return;  // whole cells inside: no boundary
      const CellPlane plane(cell);
      if (cell_far(cell, plane.centre())) return;
      double x = 0, y = 0;
      plane.ToPlane(p.position, x, y);
      const double away = std::hypot(x, y);
      const double shrink = away > 5000 ? 1e-2 : 1e-5;
      for (const PolygonRecord& r : records) {
        if (r.count > 0) exact(std::max(0.0, polygons_.NearestEdgeM(r, x, y) - shrink * away));
      }
    });
  }
  return best_m;
}

double FenceIndexer::NearestBoundaryM(const FenceTable& table, const SurfacePoint& p,
                                      double cap_m) const {
  double best = cap_m;
  for (const auto* list : {&everywhere_, &coarse_list_}) {
    for (const FenceIndex i : *list) {
      best = std::min(best, std::fabs(table.Shape(i).Distance(p, best).distance_m));
    }
  }
  struct Block {
    double at_least_m = 0;
    CellKey key = 0;
  };
  std::vector<Block> blocks;
  for (const CellKey key : blocks_) {
    const CellBox box = BoxOf(CellOf(key));
    const double north_m =
        std::max({box.lat_min - p.position.lat_deg, p.position.lat_deg - box.lat_max, 0.0}) *
        110'500;
    if (north_m >= best) continue;
    const SurfacePoint centre({(box.lat_min + box.lat_max) / 2, (box.lon_min + box.lon_max) / 2});
    // Half the diagonal of a cell that is at most 1.6 times as wide as high (the edge of a band).
    const double half = kFineCellM * (1 << (2 * kBlockLevel)) * 1.01 * 0.95;
    const double at_least = std::max(0.0, Norm(centre.ecef - p.ecef) - half);
    if (at_least < best) blocks.push_back({at_least, key});
  }
  std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) {
    return a.at_least_m != b.at_least_m ? a.at_least_m < b.at_least_m : a.key < b.key;
  });
  for (const Block& block : blocks) {
    if (block.at_least_m >= best) break;
    // Beyond this the grid's planes do not reach: the bound of the block itself must do.
    if (block.at_least_m > 15'000) {
      best = block.at_least_m;
      break;
    }
    best = NearestInBlockM(block.key, p, best);
  }
  return std::max(0.0, best);
}

std::size_t FenceIndexer::memory_bytes() const {
  return circles_.cells().memory_bytes() + circles_.rows().memory_bytes() +
         polygons_.memory_bytes() + coarse_.memory_bytes() +
         (coarse_list_.capacity() + everywhere_.capacity()) * 4 + blocks_.capacity() * 8;
}

}  // namespace waymark::geofence
