#include "sdk/geofence/fence_table.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "sdk/geofence/opening_hours.h"
#include "sdk/geofence/text.h"

namespace waymark::geofence {
namespace {

constexpr std::chrono::hours kLongestDwell{10 * 365 * 24};

auto Key(const FenceAttributes& a) {
  return std::tie(a.dwell, a.expires, a.utc_offset_minutes, a.notify_enter, a.notify_exit,
                  a.notify_dwell, a.initial_trigger, a.confidence, a.extras);
}

auto Key(const WeeklyWindow& w) { return std::tie(w.begin_minute, w.end_minute); }

bool Equal(const FenceAttributes& a, const Geofence& f) {
  return std::tie(a.dwell, a.expires, a.utc_offset_minutes, a.notify_enter, a.notify_exit,
                  a.notify_dwell, a.initial_trigger, a.confidence, a.extras) ==
             std::tie(f.dwell, f.expires, f.utc_offset_minutes, f.notify_enter, f.notify_exit,
                      f.notify_dwell, f.initial_trigger, f.confidence, f.extras) &&
         std::equal(a.open.begin(), a.open.end(), f.open.begin(), f.open.end(),
                    [](const auto& v, const auto& w) { return Key(v) == Key(w); });
}

bool Equal(const Polygon& a, const Polygon& b) { return a.outer == b.outer && a.holes == b.holes; }

bool Equal(const FenceShape& a, const FenceShape& b) {
  if (a.index() != b.index()) return false;
  if (const auto* p = std::get_if<Polygon>(&a)) return Equal(*p, std::get<Polygon>(b));
  if (const auto* m = std::get_if<MultiPolygon>(&a)) {
    const auto& n = std::get<MultiPolygon>(b);
    return std::equal(m->parts.begin(), m->parts.end(), n.parts.begin(), n.parts.end(),
                      [](const Polygon& x, const Polygon& y) { return Equal(x, y); });
  }
  if (const auto* c = std::get_if<Corridor>(&a)) {
    const auto& d = std::get<Corridor>(b);
    return c->line == d.line && c->width_m == d.width_m;
  }
  const auto &c = std::get<Circle>(a), &d = std::get<Circle>(b);
  return c.centre == d.centre && c.radius_m == d.radius_m;
}

}  // namespace

bool operator<(const FenceAttributes& a, const FenceAttributes& b) {
  if (Key(a) != Key(b)) return Key(a) < Key(b);
  return std::lexicographical_compare(
      a.open.begin(), a.open.end(), b.open.begin(), b.open.end(),
      [](const WeeklyWindow& v, const WeeklyWindow& w) { return Key(v) < Key(w); });
}

std::string AttributeProblem(const Geofence& f) {
  if (f.id.empty() || f.id.size() > 256) {
    return "the id has " + std::to_string(f.id.size()) + " bytes; it must have 1 to 256";
  }
  if (f.extras.size() > 4096) {
    return "extras has " + std::to_string(f.extras.size()) + " bytes; the limit is 4096";
  }
  if (!(f.confidence >= 0.55 && f.confidence <= 0.999)) {
    return "confidence is " + NumberText(f.confidence) + "; it must be in [0.55, 0.999]";
  }
  if (f.dwell < Duration::zero()) return "dwell is negative";
  if (f.dwell > kLongestDwell) return "dwell is longer than ten years";
  if (f.utc_offset_minutes < -840 || f.utc_offset_minutes > 840) {
    return "utc_offset_minutes is " + std::to_string(f.utc_offset_minutes) +
           "; it must be in [-840, 840]";
  }
  if (f.open.size() > 1000) return "it has more than 1000 opening windows";
  for (const WeeklyWindow& w : f.open) {
    if (w.begin_minute >= kMinutesPerWeek || w.end_minute <= w.begin_minute ||
        w.end_minute - w.begin_minute > kMinutesPerWeek) {
      return "opening window " + std::to_string(w.begin_minute) + "-" +
             std::to_string(w.end_minute) +
             " is not a span of minutes since Monday 00:00 of at most one week";
    }
  }
  return {};
}

FenceTable::FenceTable(const FenceTable& o)
    : entries_(o.entries_),
      free_(o.free_),
      used_(o.used_),
      id_bytes_(o.id_bytes_),
      dead_id_bytes_(o.dead_id_bytes_),
      slots_(o.slots_),
      attribute_map_(o.attribute_map_),
      attributes_(o.attributes_.size()),
      free_attributes_(o.free_attributes_),
      last_attributes_(o.last_attributes_),
      max_confidence_(o.max_confidence_),
      traced_of_(o.traced_of_),
      free_traced_(o.free_traced_) {
  for (const auto& [value, index] : attribute_map_) {
    attributes_[index] = {&value, o.attributes_[index].users};
  }
  traced_.reserve(o.traced_.size());
  for (const auto& t : o.traced_)
    traced_.push_back(t ? std::make_unique<TracedFence>(*t) : nullptr);
}

// FNV-1a with a final mix (splitmix64): deterministic, and ids are short.
std::uint64_t FenceTable::Hash(std::string_view id) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9;
  return h ^ (h >> 31);
}

std::string_view FenceTable::Id(FenceIndex i) const {
  const char* p = id_bytes_.data() + entries_[i].id_begin;
  const std::size_t size = static_cast<unsigned char>(p[0]) |
                           static_cast<std::size_t>(static_cast<unsigned char>(p[1])) << 8;
  return {p + 2, size};
}

std::size_t FenceTable::Slot(std::string_view id) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = Hash(id) & mask;
  while (slots_[at] != 0 && Id(slots_[at] - 1) != id) at = (at + 1) & mask;
  return at;
}

std::optional<FenceIndex> FenceTable::IndexOf(std::string_view id) const {
  if (slots_.empty()) return std::nullopt;
  const std::uint32_t found = slots_[Slot(id)];
  if (found == 0) return std::nullopt;
  return found - 1;
}

void FenceTable::GrowHash(std::size_t fences) {
  if (fences * 5 <= slots_.size() * 4) return;
  std::size_t size = 16;
  while (size * 4 < fences * 5) size *= 2;
  slots_.assign(size, 0);
  for (FenceIndex i = 0; i < end(); ++i) {
    // The entry being added stands in entries_ already, but is not hashed by the caller yet.
    if (Has(i)) slots_[Slot(Id(i))] = i + 1;
  }
}

void FenceTable::Reserve(std::size_t fences) {
  entries_.reserve(fences);
  GrowHash(fences);
}

std::uint32_t FenceTable::StoreId(std::string_view id) {
  const auto begin = static_cast<std::uint32_t>(id_bytes_.size());
  id_bytes_.push_back(static_cast<char>(id.size() & 0xff));
  id_bytes_.push_back(static_cast<char>(id.size() >> 8));
  id_bytes_.insert(id_bytes_.end(), id.begin(), id.end());
  return begin;
}

void FenceTable::CompactIds() {
  std::vector<char> kept;
  kept.reserve(id_bytes_.size() - dead_id_bytes_);
  for (FenceIndex i = 0; i < end(); ++i) {
    if (!Has(i)) continue;
    const auto from = id_bytes_.begin() + entries_[i].id_begin;
    const auto size = static_cast<std::ptrdiff_t>(Id(i).size() + 2);
    entries_[i].id_begin = static_cast<std::uint32_t>(kept.size());
    kept.insert(kept.end(), from, from + size);
  }
  id_bytes_ = std::move(kept);
  dead_id_bytes_ = 0;
}

std::uint32_t FenceTable::Intern(const Geofence& f) {
  max_confidence_ = std::max(max_confidence_, f.confidence);
  // Bulk sets share their attributes: the last ones are nearly always the next ones.
  if (last_attributes_ != kFree && attributes_[last_attributes_].users > 0 &&
      Equal(*attributes_[last_attributes_].value, f)) {
    ++attributes_[last_attributes_].users;
    return last_attributes_;
  }
  FenceAttributes a{f.dwell,        f.expires,     f.utc_offset_minutes, f.open,
                    f.notify_enter, f.notify_exit, f.notify_dwell,       f.initial_trigger,
                    f.confidence,   f.extras};
  const auto [it, is_new] = attribute_map_.try_emplace(std::move(a), 0);
  if (is_new) {
    if (free_attributes_.empty()) {
      it->second = static_cast<std::uint32_t>(attributes_.size());
      attributes_.emplace_back();
    } else {
      it->second = free_attributes_.back();
      free_attributes_.pop_back();
    }
    attributes_[it->second] = {&it->first, 0};
  }
  ++attributes_[it->second].users;
  return last_attributes_ = it->second;
}

void FenceTable::Release(std::uint32_t attributes) {
  if (--attributes_[attributes].users > 0) return;
  attribute_map_.erase(*attributes_[attributes].value);
  attributes_[attributes] = {};
  free_attributes_.push_back(attributes);
}

std::optional<TracedShape> FenceTable::Prepare(const Geofence& fence, bool trusted,
                                               std::string& reason) const {
  if (const auto* circle = std::get_if<Circle>(&fence.shape)) {
    if (!LatLon::FromDegrees(circle->centre.lat_deg, circle->centre.lon_deg)) {
      reason = "the centre is not a position: " + PositionText(circle->centre);
    } else if (!(circle->radius_m >= 1 && circle->radius_m <= 500'000)) {
      reason = "radius_m is " + NumberText(circle->radius_m) + "; it must be in [1, 500000]";
    }
    return std::nullopt;
  }
  if (const auto* polygon = std::get_if<Polygon>(&fence.shape)) {
    return TracedShape::Build(*polygon, trusted, reason);
  }
  if (const auto* polygons = std::get_if<MultiPolygon>(&fence.shape)) {
    return TracedShape::Build(*polygons, trusted, reason);
  }
  return TracedShape::Build(std::get<Corridor>(fence.shape), trusted, reason);
}

bool FenceTable::SameShape(FenceIndex i, const FenceShape& shape) const {
  if (!IsCircle(i)) return Equal(traced_[traced_of_[i] - 1]->definition, shape);
  const auto* circle = std::get_if<Circle>(&shape);
  if (circle == nullptr || circle->radius_m != RadiusM(i)) return false;
  const auto centre = LatLon::FromDegrees(circle->centre.lat_deg, circle->centre.lon_deg);
  return centre && *centre == Centre(i);
}

void FenceTable::DropTraced(FenceIndex i) {
  if (IsCircle(i)) return;
  const std::uint32_t t = traced_of_[i] - 1;
  traced_[t] = nullptr;
  free_traced_.push_back(t);
  traced_of_[i] = 0;
}

void FenceTable::SetShape(FenceIndex i, const FenceShape& shape,
                          std::optional<TracedShape> traced) {
  DropTraced(i);
  if (const auto* circle = std::get_if<Circle>(&shape)) {
    entries_[i].centre =
        LatLon::FromDegrees(circle->centre.lat_deg, circle->centre.lon_deg).value_or(LatLon{});
    entries_[i].radius_m = circle->radius_m;
    return;
  }
  auto stored = std::make_unique<TracedFence>(TracedFence{shape, std::move(*traced)});
  if (free_traced_.empty()) {
    free_traced_.push_back(static_cast<std::uint32_t>(traced_.size()));
    traced_.emplace_back();
  }
  const std::uint32_t t = free_traced_.back();
  free_traced_.pop_back();
  traced_[t] = std::move(stored);
  if (traced_of_.size() <= i) traced_of_.resize(i + 1, 0);
  traced_of_[i] = t + 1;
}

void FenceTable::Remove(FenceIndex i) {
  // Backward-shift deletion keeps every probe sequence unbroken.
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = Slot(Id(i));
  for (std::size_t at = (hole + 1) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = Hash(Id(slots_[at] - 1)) & mask;
    if (((at - home) & mask) < ((at - hole) & mask)) continue;
    slots_[hole] = slots_[at];
    hole = at;
  }
  slots_[hole] = 0;
  dead_id_bytes_ += Id(i).size() + 2;
  Release(entries_[i].attributes);
  DropTraced(i);
  entries_[i] = Entry{};
  free_.push_back(i);
  --used_;
  if (dead_id_bytes_ > 4096 && dead_id_bytes_ * 2 > id_bytes_.size()) CompactIds();
}

Geofence FenceTable::Definition(FenceIndex i) const {
  const FenceAttributes& a = Attributes(i);
  Geofence f;
  f.id = Id(i);
  if (IsCircle(i)) {
    f.shape = Circle{Centre(i), RadiusM(i)};
  } else {
    f.shape = traced_[traced_of_[i] - 1]->definition;
  }
  f.dwell = a.dwell;
  f.expires = a.expires;
  f.utc_offset_minutes = a.utc_offset_minutes;
  f.open = a.open;
  f.notify_enter = a.notify_enter;
  f.notify_exit = a.notify_exit;
  f.notify_dwell = a.notify_dwell;
  f.initial_trigger = a.initial_trigger;
  f.confidence = a.confidence;
  f.extras = a.extras;
  return f;
}

std::size_t FenceTable::memory_bytes() const {
  std::size_t bytes = entries_.capacity() * sizeof(Entry) + id_bytes_.capacity() +
                      slots_.capacity() * 4 + traced_of_.capacity() * 4;
  for (const auto& t : traced_) bytes += t ? sizeof(TracedFence) + t->prepared.memory_bytes() : 8;
  return bytes;
}

}  // namespace waymark::geofence
