// Images of the set and of the state. The set: a table of distinct attributes, then the fences.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>

#include "filters/state_bytes.h"
#include "sdk/geofence/byte_codec.h"
#include "sdk/geofence/engine_state.h"

namespace waymark {
namespace geofence {
namespace {

constexpr std::uint32_t kSetMagic = 0x53464d57;    // "WMFS"
constexpr std::uint32_t kStateMagic = 0x54464d57;  // "WMFT"
constexpr std::uint32_t kSetVersion = 1, kStateVersion = 3;

// Eight bytes at a time through splitmix64's mix: finds damage, not malice.
std::uint64_t Checksum(std::span<const std::byte> bytes) {
  std::uint64_t h = bytes.size();
  const auto mix = [&](std::size_t begin, std::size_t count) {
    std::uint64_t word = 0;
    for (std::size_t k = 0; k < count; ++k) {
      word |= static_cast<std::uint64_t>(bytes[begin + k]) << (8 * k);
    }
    h = (h ^ word) * 0xbf58476d1ce4e5b9;
    h ^= h >> 29;
  };
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) mix(i, 8);
  if (i < bytes.size()) mix(i, bytes.size() - i);
  return h;
}

void WritePoints(ByteWriter& w, const std::vector<LatLon>& points) {
  w.Int(static_cast<std::uint32_t>(points.size()));
  for (const LatLon& p : points) {
    w.Double(p.lat_deg);
    w.Double(p.lon_deg);
  }
}

std::vector<LatLon> ReadPoints(ByteReader& r) {
  std::vector<LatLon> points(r.Count(16));
  for (LatLon& p : points) {
    p.lat_deg = r.Double();
    p.lon_deg = r.Double();
  }
  return points;
}

void WritePolygon(ByteWriter& w, const Polygon& polygon) {
  WritePoints(w, polygon.outer);
  w.Int(static_cast<std::uint32_t>(polygon.holes.size()));
  for (const auto& hole : polygon.holes) WritePoints(w, hole);
}

Polygon ReadPolygon(ByteReader& r) {
  Polygon polygon;
  polygon.outer = ReadPoints(r);
  polygon.holes.resize(r.Count(4));
  for (auto& hole : polygon.holes) hole = ReadPoints(r);
  return polygon;
}

void WriteShape(ByteWriter& w, const FenceShape& shape) {
  w.Int(static_cast<std::uint8_t>(shape.index()));
  if (const auto* circle = std::get_if<Circle>(&shape)) {
    w.Double(circle->centre.lat_deg);
    w.Double(circle->centre.lon_deg);
    w.Double(circle->radius_m);
  } else if (const auto* polygon = std::get_if<Polygon>(&shape)) {
    WritePolygon(w, *polygon);
  } else if (const auto* polygons = std::get_if<MultiPolygon>(&shape)) {
    w.Int(static_cast<std::uint32_t>(polygons->parts.size()));
    for (const Polygon& part : polygons->parts) WritePolygon(w, part);
  } else {
    const auto& corridor = std::get<Corridor>(shape);
    WritePoints(w, corridor.line);
    w.Double(corridor.width_m);
  }
}

bool ReadShape(ByteReader& r, FenceShape& shape) {
  switch (r.Int<std::uint8_t>()) {
    case 0: {
      Circle circle;
      circle.centre.lat_deg = r.Double();
      circle.centre.lon_deg = r.Double();
      circle.radius_m = r.Double();
      shape = circle;
      return true;
    }
    case 1:
      shape = ReadPolygon(r);
      return true;
    case 2: {
      MultiPolygon polygons;
      polygons.parts.resize(r.Count(8));
      for (Polygon& part : polygons.parts) part = ReadPolygon(r);
      shape = std::move(polygons);
      return true;
    }
    case 3: {
      Corridor corridor;
      corridor.line = ReadPoints(r);
      corridor.width_m = r.Double();
      shape = std::move(corridor);
      return true;
    }
    default:
      return false;
  }
}

void WriteAttributes(ByteWriter& w, const FenceAttributes& a) {
  w.Int(a.dwell.count());
  w.Bool(a.expires.has_value());
  if (a.expires) w.Int(static_cast<std::int64_t>(a.expires->time_since_epoch().count()));
  w.Int(a.utc_offset_minutes);
  w.Int(static_cast<std::uint32_t>(a.open.size()));
  for (const WeeklyWindow& window : a.open) {
    w.Int(window.begin_minute);
    w.Int(window.end_minute);
  }
  w.Int(static_cast<std::uint8_t>(a.notify_enter | a.notify_exit << 1 | a.notify_dwell << 2 |
                                  a.initial_trigger << 3));
  w.Double(a.confidence);
  w.Text(a.extras);
}

void ReadAttributes(ByteReader& r, Geofence& f) {
  f.dwell = Duration(r.Int<std::int64_t>());
  f.expires.reset();
  if (r.Bool()) f.expires = UtcTime(std::chrono::milliseconds(r.Int<std::int64_t>()));
  f.utc_offset_minutes = r.Int<std::int16_t>();
  f.open.resize(r.Count(8));
  for (WeeklyWindow& window : f.open) {
    window.begin_minute = r.Int<std::uint32_t>();
    window.end_minute = r.Int<std::uint32_t>();
  }
  const auto flags = r.Int<std::uint8_t>();
  f.notify_enter = flags & 1;
  f.notify_exit = flags & 2;
  f.notify_dwell = flags & 4;
  f.initial_trigger = flags & 8;
  f.confidence = r.Double();
  f.extras = r.Text(4096);
}

void WriteTime(ByteWriter& w, MonoTime t) { w.Int(t.time_since_epoch().count()); }
// Clamped to ±146 years, so that no sum of two times overflows.
MonoTime ReadTime(ByteReader& r) {
  return MonoTime(Duration(std::clamp(r.Int<std::int64_t>(), -kMaxTimeNs, kMaxTimeNs)));
}

void WriteLive(ByteWriter& w, const LiveFence& f) {
  w.Int(static_cast<std::uint16_t>(f.inside | f.announced << 1 | f.undecided << 2 |
                                   f.dwell_done << 3 | f.cancel_told << 4 | f.was_open << 5 |
                                   f.has_since << 6 | f.pending << 7));
  WriteTime(w, f.since);
  WriteTime(w, f.dwell_from);
  w.Int(f.hits);
  w.Double(f.extreme_m);
  w.Double(f.extreme_variance_m2);
  w.Double(f.pending_best);
  WriteTime(w, f.pending_crossing);
  WriteTime(w, f.pending_from);
  w.Double(f.pending_position.lat_deg);
  w.Double(f.pending_position.lon_deg);
}

bool ReadLive(ByteReader& r, LiveFence& f) {
  const auto flags = r.Int<std::uint16_t>();
  f.inside = flags & 1;
  f.announced = flags & 2;
  f.undecided = flags & 4;
  f.dwell_done = flags & 8;
  f.cancel_told = flags & 16;
  f.was_open = flags & 32;
  f.has_since = flags & 64;
  f.pending = flags & 128;
  f.since = ReadTime(r);
  f.dwell_from = ReadTime(r);
  f.hits = r.Int<std::uint32_t>();
  f.extreme_m = r.Double();
  f.extreme_variance_m2 = r.Double();
  f.pending_best = r.Double();
  f.pending_crossing = ReadTime(r);
  f.pending_from = ReadTime(r);
  f.pending_position.lat_deg = r.Double();
  f.pending_position.lon_deg = r.Double();
  return std::isfinite(f.extreme_m) && f.extreme_variance_m2 >= 0 &&
         std::isfinite(f.pending_best) &&
         LatLon::FromDegrees(f.pending_position.lat_deg, f.pending_position.lon_deg).has_value();
}

Status Corrupt(const char* what) { return {Code::kCorruption, what}; }

}  // namespace

void AppendImage(std::uint32_t magic, std::uint32_t version, std::span<const std::byte> body,
                 std::vector<std::byte>& out) {
  ByteWriter w(out);
  w.Int(magic);
  w.Int(version);
  w.Int(static_cast<std::uint64_t>(body.size()));
  w.Int(Checksum(body));
  out.insert(out.end(), body.begin(), body.end());
}

std::optional<std::span<const std::byte>> OpenImage(std::uint32_t magic, std::uint32_t version,
                                                    std::span<const std::byte> image) {
  ByteReader r(image);
  const bool known = r.Int<std::uint32_t>() == magic;
  const bool same_version = r.Int<std::uint32_t>() == version;
  const auto size = r.Int<std::uint64_t>();
  const auto checksum = r.Int<std::uint64_t>();
  if (!known || !same_version || !r.ok() || size != image.size() - 24) return std::nullopt;
  const auto body = image.subspan(24);
  if (Checksum(body) != checksum) return std::nullopt;
  return body;
}

}  // namespace geofence

using namespace geofence;  // NOLINT(google-build-using-namespace): this file is about its types

void GeofenceEngine::SaveFences(std::vector<std::byte>& out) const {
  const FenceTable& table = impl_->table;
  std::map<const FenceAttributes*, std::uint32_t> numbers;
  std::vector<const FenceAttributes*> order;
  for (FenceIndex i = 0; i < table.end(); ++i) {
    if (!table.Has(i)) continue;
    const FenceAttributes* a = &table.Attributes(i);
    // Numbered in the order of first use: addresses decide nothing.
    if (numbers.try_emplace(a, static_cast<std::uint32_t>(order.size())).second) {
      order.push_back(a);
    }
  }
  std::vector<std::byte> body;
  body.reserve(table.size() * 48 + 64);
  ByteWriter w(body);
  w.Int(static_cast<std::uint32_t>(order.size()));
  for (const FenceAttributes* a : order) WriteAttributes(w, *a);
  w.Int(static_cast<std::uint32_t>(table.size()));
  for (FenceIndex i = 0; i < table.end(); ++i) {
    if (!table.Has(i)) continue;
    w.Text(table.Id(i));
    w.Int(numbers[&table.Attributes(i)]);
    if (table.IsCircle(i)) {
      WriteShape(w, Circle{table.Centre(i), table.RadiusM(i)});
    } else {
      WriteShape(w, table.OriginalShape(i));
    }
  }
  AppendImage(kSetMagic, kSetVersion, body, out);
}

Status GeofenceEngine::RestoreFences(std::span<const std::byte> image) {
  const auto body = OpenImage(kSetMagic, kSetVersion, image);
  if (!body) return Corrupt("the image of the geofences is damaged or of another version");
  ByteReader r(*body);
  std::vector<Geofence> patterns(r.Count(20));
  for (Geofence& pattern : patterns) ReadAttributes(r, pattern);
  auto restored = std::make_unique<Impl>();
  const std::size_t count = r.Count(9);
  restored->table.Reserve(count);
  std::vector<FenceProblem> problems;
  Geofence fence;
  std::uint32_t last_pattern = 0xffffffff;
  for (std::size_t k = 0; k < count; ++k) {
    std::string id = r.Text(256);
    const auto pattern = r.Int<std::uint32_t>();
    if (!r.ok() || pattern >= patterns.size()) return Corrupt("a geofence is cut off");
    if (pattern != last_pattern) fence = patterns[pattern];
    last_pattern = pattern;
    fence.id = std::move(id);
    if (!ReadShape(r, fence.shape) || !r.ok()) return Corrupt("the shape of a geofence is damaged");
    // The checksum holds, so that its edges were checked when it was added.
    restored->Put(fence, true, k, problems);
    if (!problems.empty()) {
      return Corrupt("a stored geofence breaks the rules of its kind");
    }
  }
  if (!r.AtEnd()) return Corrupt("the image of the geofences has a tail");
  restored->AfterBulk();
  impl_ = std::move(restored);
  return {};
}

void GeofenceEngine::SaveState(std::vector<std::byte>& out) const {
  const Impl& e = *impl_;
  std::vector<std::byte> body;
  ByteWriter w(body);
  w.Bool(e.last.has_value());
  if (e.last) {
    WriteTime(w, e.last->time);
    w.Bool(e.last->utc.has_value());
    if (e.last->utc) w.Int(static_cast<std::int64_t>(e.last->utc->time_since_epoch().count()));
    w.Double(e.last->position.lat_deg);
    w.Double(e.last->position.lon_deg);
    w.Double(e.last->covariance.ee);
    w.Double(e.last->covariance.en);
    w.Double(e.last->covariance.nn);
  }
  WriteTime(w, e.last_advance);
  w.Bool(e.utc_minus_mono.has_value());
  if (e.utc_minus_mono) w.Int(static_cast<std::int64_t>(e.utc_minus_mono->count()));
  const RestAnchor::State& rest = e.rest.state();
  w.Bool(rest.active);
  w.Bool(rest.at_rest);
  WriteTime(w, rest.begin);
  w.Bool(rest.leaving);
  WriteTime(w, rest.leaving_from);
  w.Int(rest.steps);
  WriteTime(w, rest.walking_since);
  w.Double(rest.walking_from.lat_deg);
  w.Double(rest.walking_from.lon_deg);
  w.Double(rest.place.lat_deg);
  w.Double(rest.place.lon_deg);
  w.Double(rest.weight);
  w.Int(rest.seen_count);
  for (std::size_t k = 0; k < rest.seen_count; ++k) {
    const RestAnchor::Seen& seen = rest.seen[k];
    WriteTime(w, seen.time);
    for (const double v : {seen.position.lat_deg, seen.position.lon_deg, seen.cov_ee_m2,
                           seen.cov_en_m2, seen.cov_nn_m2}) {
      w.Double(v);
    }
  }
  FreeRegion skip = e.skip;
  skip.ForEachNumber([&](double& number) { w.Double(number); });
  w.Int(static_cast<std::uint32_t>(e.live.size()));
  for (const LiveFence& f : e.live) {
    w.Text(e.table.Id(f.fence));
    WriteLive(w, f);
  }
  w.Int(static_cast<std::uint32_t>(e.past.size()));
  for (const PastFence& f : e.past) {
    w.Text(e.table.Id(f.fence));
    w.Int(f.hits);
    WriteTime(w, f.since);
  }
  const bool all_fresh = e.fresh.size() == e.table.size();
  w.Bool(all_fresh);
  if (!all_fresh) {
    w.Int(static_cast<std::uint32_t>(e.fresh.size()));
    for (const FenceIndex i : e.fresh) w.Text(e.table.Id(i));
  }
  AppendImage(kStateMagic, kStateVersion, body, out);
}

Status GeofenceEngine::RestoreState(std::span<const std::byte> image) {
  const auto body = OpenImage(kStateMagic, kStateVersion, image);
  if (!body) return Corrupt("the image of the geofence state is damaged or of another version");
  ByteReader r(*body);
  Impl& e = *impl_;
  std::optional<LastEstimate> last;
  if (r.Bool()) {
    last.emplace();
    last->time = ReadTime(r);
    if (r.Bool()) last->utc = UtcTime(std::chrono::milliseconds(r.Int<std::int64_t>()));
    last->position.lat_deg = r.Double();
    last->position.lon_deg = r.Double();
    last->covariance = {r.Double(), r.Double(), r.Double()};
    const auto position = LatLon::FromDegrees(last->position.lat_deg, last->position.lon_deg);
    const PositionCovariance& c = last->covariance;
    if (!position || !std::isfinite(c.ee) || !std::isfinite(c.en) || !std::isfinite(c.nn) ||
        c.ee < 0 || c.nn < 0) {
      return Corrupt("the last position of the geofence state is damaged");
    }
    last->position = *position;
  }
  const MonoTime last_advance = ReadTime(r);
  std::optional<Duration> offset;
  if (r.Bool()) offset = Duration(r.Int<std::int64_t>());
  RestAnchor::State rest;
  rest.active = r.Bool();
  rest.at_rest = r.Bool();
  rest.begin = ReadTime(r);
  rest.leaving = r.Bool();
  rest.leaving_from = ReadTime(r);
  rest.steps = r.Int<std::uint32_t>();
  rest.walking_since = ReadTime(r);
  rest.walking_from.lat_deg = r.Double();
  rest.walking_from.lon_deg = r.Double();
  rest.place.lat_deg = r.Double();
  rest.place.lon_deg = r.Double();
  rest.weight = r.Double();
  if (!LatLon::FromDegrees(rest.place.lat_deg, rest.place.lon_deg) ||
      !LatLon::FromDegrees(rest.walking_from.lat_deg, rest.walking_from.lon_deg) ||
      !(rest.weight >= 0)) {
    return Corrupt("the resting place of the geofence state is damaged");
  }
  rest.seen_count = r.Int<std::uint32_t>();
  if (rest.seen_count > rest.seen.size()) return Corrupt("the way off a resting place is damaged");
  for (std::size_t k = 0; k < rest.seen_count; ++k) {
    RestAnchor::Seen& seen = rest.seen[k];
    seen.time = ReadTime(r);
    for (double* v : {&seen.position.lat_deg, &seen.position.lon_deg, &seen.cov_ee_m2,
                      &seen.cov_en_m2, &seen.cov_nn_m2}) {
      *v = r.Double();
    }
    if (!LatLon::FromDegrees(seen.position.lat_deg, seen.position.lon_deg) ||
        !(seen.cov_ee_m2 >= 0) || !(seen.cov_nn_m2 >= 0) || !std::isfinite(seen.cov_en_m2)) {
      return Corrupt("the way off a resting place is damaged");
    }
  }
  FreeRegion skip;
  skip.ForEachNumber([&](double& number) { number = r.Double(); });
  std::map<FenceIndex, LiveFence> live;
  const std::size_t live_count = r.Count(78);
  for (std::size_t k = 0; k < live_count; ++k) {
    const auto i = e.table.IndexOf(r.Text(256));
    LiveFence f;
    if (!ReadLive(r, f) || !r.ok()) return Corrupt("the state of a geofence is damaged");
    if (!i) continue;
    f.fence = *i;
    live.try_emplace(*i, f);
  }
  std::map<FenceIndex, PastFence> past;
  const std::size_t past_count = r.Count(16);
  for (std::size_t k = 0; k < past_count; ++k) {
    const auto i = e.table.IndexOf(r.Text(256));
    const auto hits = r.Int<std::uint32_t>();
    const MonoTime since = ReadTime(r);
    if (i && !live.contains(*i)) past.try_emplace(*i, PastFence{*i, hits, since});
  }
  std::set<FenceIndex> fresh;
  const bool all_fresh = r.Bool();
  if (!all_fresh) {
    const std::size_t fresh_count = r.Count(4);
    for (std::size_t k = 0; k < fresh_count; ++k) {
      if (const auto i = e.table.IndexOf(r.Text(256))) fresh.insert(*i);
    }
  }
  if (!r.ok() || !r.AtEnd()) return Corrupt("the image of the geofence state is cut off");
  e.last = last;
  e.last_advance = last_advance;
  e.utc_minus_mono = offset;
  e.resumed = true;
  e.skip = skip;
  e.rest.set_state(rest);
  e.live.clear();
  e.past.clear();
  e.fresh.clear();
  std::fill(e.flags.begin(), e.flags.end(), std::uint8_t{0});
  for (const auto& [i, f] : live) {
    e.live.push_back(f);
    e.flags[i] |= Impl::kLive;
  }
  for (const auto& [i, f] : past) {
    e.past.push_back(f);
    e.flags[i] |= Impl::kPast;
  }
  for (FenceIndex i = 0; i < e.table.end(); ++i) {
    if (!e.table.Has(i) || !(all_fresh || fresh.contains(i))) continue;
    e.fresh.push_back(i);
    e.flags[i] |= Impl::kFresh;
  }
  e.RefreshDeadline();
  return {};
}

}  // namespace waymark
