#include "sdk/geofence/fence_index.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sdk/geofence/path_segment.h"

namespace waymark::geofence {
namespace {

// More than any rounding in a cell's plane: what is nearer is measured exactly.
constexpr double kPlaneErrorM = 0.01;
// A way is looked at in steps of about a cell; one much shorter at once.
constexpr double kStepM = 400;
constexpr double kShortWayM = kStepM / 4;
constexpr double kFarM = 1e6;

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

// The cells of a disc in the grid and in the caps.
template <class Visit>
void ForCoarseKeys(LatLon centre, double radius_m, int level, Visit visit) {
  ForCellsInDisc(centre, radius_m, level, [&](Cell cell) { visit(KeyOf(cell)); });
  ForCapCellsInDisc(centre, radius_m, level, visit);
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
  return DiscOf(table, i).radius_m < 2e6 ? Home::kCoarse : Home::kEverywhere;
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
  const Home home = HomeOf(table, i);
  if (home != Home::kCircles) only_circles_ = false;
  switch (home) {
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
      ForCoarseKeys(disc.centre, disc.radius_m, level,
                    [&](CellKey key) { coarse_.Insert(key, i); });
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
  std::vector<CellKey> blocks;
  circles_.Build(table, circles, kBlockLevel, blocks);
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
      ForCoarseKeys(disc.centre, disc.radius_m, level, [&](CellKey key) {
        coarse_.EraseIf(key, [&](FenceIndex k) { return k == i; });
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

void FenceIndexer::LookAtCircles(const Part& part, Surroundings& out) const {
  const double reach_m = part.reach_m + kPlaneErrorM;
  const auto reach = static_cast<float>(reach_m);
  const auto way = static_cast<float>(part.length_m + 2 * (kTieM + kPlaneErrorM));
  const auto scan = [&](std::span<const CircleRecord> records, const CellPlane& plane) {
    double x = 0, y = 0, from_x = 0, from_y = 0;
    plane.ToPlane(part.at, x, y);
    if (part.from != nullptr) plane.ToPlane(*part.from, from_x, from_y);
    const auto fx = static_cast<float>(x), fy = static_cast<float>(y);
    const auto from_fx = static_cast<float>(from_x), from_fy = static_cast<float>(from_y);
    auto nearest = static_cast<float>(kFarM);
    for (const CircleRecord& r : records) {
      const float dx = r.east_m - fx, dy = r.north_m - fy;
      const float d = std::sqrt(dx * dx + dy * dy) - r.radius_m;
      const float away = std::fabs(d);
      nearest = std::min(nearest, away);
      if (d > reach) continue;
      if (away <= reach) {
        // The distance changes by no more than the way: is there any left for a crossing?
        const float ax = r.east_m - from_fx, ay = r.north_m - from_fy;
        const float from_d = std::sqrt(ax * ax + ay * ay) - r.radius_m;
        const bool clear =
            part.from != nullptr && (d < 0) == (from_d < 0) && away + std::fabs(from_d) > way;
        if (!clear) {
          out.near.push_back(r.fence);
          continue;
        }
      }
      if (d < 0 && part.is_end) out.deep.push_back({r.fence, d});
    }
    return static_cast<double>(nearest);
  };
  for (int level = CircleGrid::kSmallLevel; level <= CircleGrid::kLargeLevel; ++level) {
    if (!circles_.HasLevel(level)) continue;
    CellKey done = 0;
    if (part.is_end) {
      const CellView::Level& own =
          out.view.levels[static_cast<std::size_t>(level - CircleGrid::kSmallLevel)];
      if (own.circles.count > 0) {
        out.free_m = std::min(out.free_m, scan(circles_.cells().At(own.circles), own.plane));
      }
      if (own.BorderM(part.at) > reach_m) continue;
      done = own.key;
    }
    ForCellsInDisc(part.at, reach_m, level, [&](Cell cell) {
      const CellKey key = KeyOf(cell);
      if (key == done) return;
      const auto records = circles_.Find(key);
      if (!records.empty()) scan(records, circles_.rows().PlaneOf(cell));
    });
  }
}

void FenceIndexer::LookAtPolygons(const Part& part, Surroundings& out) const {
  const Cell fine = FineCellAt(part.at);
  for (int level = 0; level < kLevels; ++level) {
    if (!polygons_.HasLevel(level)) continue;
    const Cell own = Ancestor(fine, level);
    const double border = BorderM(own, part.at);
    const auto scan = [&](Cell cell) {
      const bool is_own = part.is_end && cell.row == own.row && cell.col == own.col;
      const auto records = polygons_.Find(KeyOf(cell));
      if (records.empty()) return;
      double x = 0, y = 0;
      if (level <= PolygonGrid::kMaxEdgeLevel)
        polygons_.rows().PlaneOf(cell).ToPlane(part.at, x, y);
      for (const PolygonRecord& r : records) {
        const double edge = r.count == 0 ? border : polygons_.NearestEdgeM(r, x, y);
        if (r.count > 0) {
          if (is_own) out.free_m = std::min(out.free_m, edge);
          if (edge <= part.reach_m + kPlaneErrorM) {
            out.near.push_back(r.fence);
            continue;
          }
        }
        if (!is_own) continue;
        if (r.count == 0 || polygons_.Contains(r, PlanePoint::At(x, y))) {
          // Of a whole cell within reach of its border the boundary may stand just behind it, in a
          // cell that is looked at too.
          out.deep.push_back({r.fence, static_cast<float>(-std::min(edge, border))});
        }
      }
    };
    if (border > part.reach_m + kPlaneErrorM) {
      scan(own);
    } else {
      ForCellsInDisc(part.at, part.reach_m + kPlaneErrorM, level, scan);
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
  for (int level = 0; level < kLevels; ++level) {
    if (coarse_at_level_[static_cast<std::size_t>(level)] == 0) continue;
    ForCoarseKeys(b.position, reach_m + kPlaneErrorM, level, [&](CellKey key) {
      for (const FenceIndex i : coarse_.Find(key)) Measure(table, i, b, reach_m, out);
    });
  }
}

double FenceIndexer::CoarseBorderM(const SurfacePoint& p) const {
  if (!InCap(p.position)) return kFarM;
  for (int level = 0; level < kLevels; ++level) {
    if (coarse_at_level_[static_cast<std::size_t>(level)] == 0) continue;
    return CapBorderM(CapPlaceOf(p), level);
  }
  return kFarM;
}

void FenceIndexer::Look(const FenceTable& table, const LatLon* a, LatLon b, double length_m,
                        double reach_m, Surroundings& out) const {
  out.near.clear();
  out.deep.clear();
  out.free_m = kFarM;
  const double whole_m = reach_m + length_m;
  if (!everywhere_.empty() || !coarse_list_.empty()) {
    const SurfacePoint at(b);
    for (const FenceIndex i : everywhere_) Measure(table, i, at, whole_m, out);
    if (!coarse_list_.empty()) {
      LookAtCoarse(table, at, whole_m, out);
      out.free_m = std::min(out.free_m, CoarseBorderM(at));
    }
  }
  if (!out.view.Holds(b, version_)) Fill(out.view, b);
  // The way in steps, each the disc around its middle; the last is the place itself.
  const auto look_at = [&](const Part& part) {
    if (!circles_.empty()) LookAtCircles(part, out);
    if (!polygons_.empty()) LookAtPolygons(part, out);
  };
  if (a == nullptr || length_m <= kShortWayM) {
    // New fences within reach are asked for even where the way is clear of them.
    const bool known_only = reach_m <= kTieM;
    look_at({b, whole_m, true, known_only ? a : nullptr, length_m});
  } else if (!circles_.empty() || !polygons_.empty()) {
    const int steps = static_cast<int>(std::ceil(length_m / kStepM));
    const GeodesicLine line = Inverse(*a, b);
    const double reach = reach_m + line.distance_m / steps / 2 + 0.5;
    for (int k = 0; k < steps; ++k) {
      look_at({.at = Destination(*a, line.azimuth_deg, line.distance_m * (k + 0.5) / steps),
               .reach_m = reach});
    }
    look_at({b, reach_m, true});
  }
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

void FenceIndexer::Fill(CellView& view, LatLon p) const {
  if (InCap(p)) {
    // What reaches into the polar caps is coarse: see CoarseBorderM.
    view = {};
    view.version = version_;
    view.box = FreeBox::Cap(p.lat_deg);
    return;
  }
  const Cell fine = FineCellAt(p);
  view.version = version_;
  bool any = false;
  for (int level = CircleGrid::kSmallLevel; level <= CircleGrid::kLargeLevel; ++level) {
    CellView::Level& own = view.levels[static_cast<std::size_t>(level - CircleGrid::kSmallLevel)];
    own = {};
    if (!circles_.HasLevel(level)) continue;
    const Cell cell = Ancestor(fine, level);
    own.key = KeyOf(cell);
    own.box = BoxOf(cell);
    own.circles = circles_.cells().FindRun(own.key);
    if (own.circles.count > 0) {
      any = true;
      own.plane = CellPlane(cell, circles_.rows().Of(level, cell.row));
    }
  }
  for (int level = 0; level < kLevels && !any; ++level) {
    any = polygons_.HasLevel(level) && !polygons_.Find(KeyOf(Ancestor(fine, level))).empty();
  }
  // Cells nest: what can matter within the smallest one stands in the lists of those around it.
  const int finest = FinestLevel();
  const Cell block = Ancestor(fine, kBlockLevel);
  const bool wide = !any && finest < kBlockLevel && BlockIsEmpty(block);
  const CellBox box = BoxOf(wide ? block : Ancestor(fine, finest));
  view.box = FreeBox::InCell(box);
  for (CellView::Level& own : view.levels) {
    if (wide) {
      own.key = 0;
      own.box = box;
    }
    const double poleward = std::max(std::fabs(own.box.lat_min), std::fabs(own.box.lat_max));
    own.east_m_per_deg = 111'000 * 0.99 * CosDeg(poleward);
  }
}

double FenceIndexer::FindContaining(const FenceTable& table, LatLon p,
                                    std::vector<FenceIndex>& inside, CellView& view) const {
  if (!view.Holds(p, version_)) Fill(view, p);
  double free_m = kFarM;
  for (const CellView::Level& own : view.levels) {
    if (own.circles.count == 0) continue;
    double x = 0, y = 0;
    own.plane.ToPlane(p, x, y);
    const auto fx = static_cast<float>(x), fy = static_cast<float>(y);
    auto nearest = static_cast<float>(kFarM);
    // Room for all and no branch: which circles contain a place cannot be predicted.
    std::size_t found = inside.size();
    inside.resize(found + own.circles.count);
    for (const CircleRecord& r : circles_.cells().At(own.circles)) {
      const float dx = r.east_m - fx, dy = r.north_m - fy;
      const float d = std::sqrt(dx * dx + dy * dy) - r.radius_m;
      inside[found] = r.fence;
      found += d < 0 ? 1 : 0;
      nearest = std::min(nearest, std::fabs(d));
    }
    inside.resize(found);
    free_m = std::min(free_m, static_cast<double>(nearest));
  }
  if (!only_circles_) {
    free_m = std::min(free_m, FindContainingOthers(table, p, inside));
  }
  return free_m - kPlaneErrorM;
}

double FenceIndexer::FindContainingOthers(const FenceTable& table, LatLon p,
                                          std::vector<FenceIndex>& inside) const {
  const Cell fine = FineCellAt(p);
  const bool covered = std::fabs(p.lat_deg) < kGridMaxLatDeg;
  double free_m = kFarM;
  for (int level = 0; level < kLevels && covered; ++level) {
    if (!polygons_.HasLevel(level)) continue;
    const Cell cell = Ancestor(fine, level);
    const auto records = polygons_.Find(KeyOf(cell));
    if (records.empty()) continue;
    double x = 0, y = 0;
    if (level <= PolygonGrid::kMaxEdgeLevel) polygons_.rows().PlaneOf(cell).ToPlane(p, x, y);
    const PlanePoint at = PlanePoint::At(x, y);
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
    ForCoarseAt(at, measure);
    for (const FenceIndex i : everywhere_) measure(i);
    free_m = std::min(free_m, CoarseBorderM(at));
  }
  return free_m;
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
      if (level > PolygonGrid::kMaxEdgeLevel) return;  // whole cells inside: no boundary
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
