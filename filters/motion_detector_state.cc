// The MotionDetector's part of a snapshot.
#include "filters/motion_detector.h"
#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr std::uint32_t kStateTag = 0x4D4F5449;  // "MOTI"
constexpr std::uint16_t kStateVersion = 4;

}  // namespace

void MotionDetector::Save(std::vector<std::byte>& out) const {
  StateWriter w(out);
  const auto distance = [&](const Distance& d) {
    w.F64(d.distance_m);
    w.F64(d.bound_m);
  };
  const auto plane = [&](EastNorth p) {
    w.F64(p.east_m);
    w.F64(p.north_m);
  };
  const State& s = state_;
  const std::size_t mark = w.BeginBlock(kStateTag, kStateVersion);
  w.U8(static_cast<std::uint8_t>(s.motion));
  w.Bool(s.started);
  w.Position(s.origin);
  w.U32(s.count);
  for (std::uint32_t i = 0; i < s.count; ++i) {
    const Sample& sample = At(i);
    w.Time(sample.time);
    w.F64s({sample.at.east_m, sample.at.north_m, sample.raw.east_m, sample.raw.north_m,
            sample.ve_mps, sample.vn_mps, sample.speed_mps});
    w.Bool(sample.reported);
  }
  w.Time(s.last);
  w.Bool(s.utc_minus_mono_ms.has_value());
  w.I64(s.utc_minus_mono_ms.value_or(0));
  w.F64(s.sigma_m);
  w.Bool(s.hint.has_value());
  if (s.hint) {
    w.Time(s.hint->time);
    w.U8(static_cast<std::uint8_t>(s.hint->activity));
    w.F64(s.hint->confidence);
  }
  w.Time(s.since);
  w.Time(s.noticed);
  w.OptTime(s.drove);
  for (const Place* place : {&s.place, &s.stay_place}) {
    plane(place->at);
    w.F64(place->weight);
    w.F64(place->variance_m2);
    w.F64(place->scatter_m2);
    w.F64(place->speed2_m2ps2);
    w.U32(place->speeds);
    w.U32(place->fixes);
    w.Time(place->first);
    w.Time(place->last);
  }
  w.OptTime(s.far);
  s.watch.Save(w);
  w.Bool(s.departing);
  w.Time(s.departed);
  w.Position(s.departed_from);
  distance(s.depart_reading);
  w.Bool(s.in_stay);
  w.Bool(s.in_trip);
  w.U64(s.stay.id);
  w.Time(s.stay.begin);
  plane(s.stay_at);
  w.U64(s.trip.id);
  w.Time(s.trip.begin);
  w.Position(s.trip.from);
  distance(s.trip_reading);
  w.U64(s.next_id);
  w.EndBlock(mark);
}

Status MotionDetector::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  StateReader r(outer.Block(kStateTag, kStateVersion));
  const auto distance = [&] {
    Distance d;
    d.distance_m = r.F64();
    d.bound_m = r.F64();
    return d;
  };
  const auto plane = [&] {
    EastNorth p;
    p.east_m = r.F64();
    p.north_m = r.F64();
    return p;
  };
  State s;
  s.motion = r.Enum<Motion>(3);
  s.started = r.Bool();
  s.origin = r.Position();
  s.count = r.Count(kWindow);
  for (std::uint32_t i = 0; i < s.count; ++i) {
    Sample& sample = s.window[i];
    sample.time = r.Time();
    sample.at = plane();
    sample.raw = plane();
    sample.ve_mps = r.F64();
    sample.vn_mps = r.F64();
    sample.speed_mps = r.F64();
    sample.reported = r.Bool();
    if (i > 0 && sample.time <= s.window[i - 1].time) r.Fail();
  }
  s.last = r.Time();
  const bool has_utc = r.Bool();
  const std::int64_t utc_minus_mono_ms = r.I64();
  if (has_utc) s.utc_minus_mono_ms = utc_minus_mono_ms;
  s.sigma_m = r.F64();
  if (r.Bool()) {
    MotionSample hint;
    hint.time = r.Time();
    hint.activity = r.Enum<Activity>(6);
    hint.confidence = r.F64();
    s.hint = hint;
  }
  s.since = r.Time();
  s.noticed = r.Time();
  s.drove = r.OptTime();
  for (Place* place : {&s.place, &s.stay_place}) {
    place->at = plane();
    place->weight = r.F64();
    place->variance_m2 = r.F64();
    place->scatter_m2 = r.F64();
    place->speed2_m2ps2 = r.F64();
    place->speeds = r.U32();
    place->fixes = r.U32();
    place->first = r.Time();
    place->last = r.Time();
  }
  s.far = r.OptTime();
  s.watch = StayWatch(tuning_.watch);
  s.watch.Restore(r);
  s.departing = r.Bool();
  s.departed = r.Time();
  s.departed_from = r.Position();
  s.depart_reading = distance();
  s.in_stay = r.Bool();
  s.in_trip = r.Bool();
  s.stay.id = r.U64();
  s.stay.begin = r.Time();
  s.stay_at = plane();
  s.trip.id = r.U64();
  s.trip.begin = r.Time();
  s.trip.from = r.Position();
  s.trip_reading = distance();
  s.next_id = r.U64();
  if (!outer.done() || !r.done() || (s.in_stay && s.in_trip)) {
    return CorruptState("motion detector");
  }
  state_ = s;
  frame_ = s.started ? LocalFrame(s.origin) : LocalFrame();
  return {};
}

}  // namespace waymark
