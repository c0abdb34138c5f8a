// The FixValidator's part of a snapshot.
#include "filters/fix_validator.h"
#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr std::uint32_t kStateTag = 0x56584946;  // "FIXV"
constexpr std::uint16_t kStateVersion = 4;
// UTC as far as the differences of two stamps stay far from overflow (the year 6428).
constexpr std::int64_t kSaneMs = std::int64_t{1} << 47;

}  // namespace

void FixValidator::Save(std::vector<std::byte>& out) const {
  StateWriter w(out);
  const std::size_t mark = w.BeginBlock(kStateTag, kStateVersion);
  w.U32(state_.seen_count);
  w.U32(state_.seen_next);
  w.Time(state_.newest_delivered);
  for (std::uint32_t i = 0; i < state_.seen_count; ++i) {
    w.U64(state_.seen[i].fingerprint);
    w.Time(state_.seen[i].time);
    w.Position(state_.seen[i].position);
  }
  w.Bool(state_.newest.has_value());
  if (state_.newest) {
    const Fix& f = *state_.newest;
    w.Time(f.time);
    w.OptUtc(f.utc);
    w.Position(f.position);
    w.OptF64(f.horizontal_accuracy_m);
    w.OptF64(f.altitude_m);
    w.OptF64(f.vertical_accuracy_m);
    w.OptF64(f.speed_mps);
    w.OptF64(f.speed_accuracy_mps);
    w.OptF64(f.course_deg);
    w.OptF64(f.course_accuracy_deg);
    w.U8(static_cast<std::uint8_t>(f.source));
    w.Bool(f.simulated);
    w.Time(MonoTime(state_.newest_lag));
  }
  w.Bool(state_.anchor.has_value());
  if (state_.anchor) {
    w.Time(state_.anchor->time);
    w.Position(state_.anchor->position);
    w.F64(state_.anchor->accuracy_m);
    w.F64(state_.anchor->speed_mps);
    w.Bool(state_.anchor->confirmed);
  }
  w.U32(state_.jump.votes);
  w.Time(state_.jump.begin);
  w.Time(state_.jump.time);
  w.Position(state_.jump.position);
  w.F64(state_.jump.accuracy_m);
  w.U32(state_.clock.votes);
  w.Time(state_.clock.first);
  w.Time(state_.clock.last);
  w.Time(MonoTime(state_.clock.lag));
  w.Time(MonoTime(state_.clock_offset));
  w.U32(state_.utc_shifted);
  w.U32(state_.repeats);
  w.Time(state_.repeat_begin);
  w.EndBlock(mark);
}

Status FixValidator::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  StateReader r(outer.Block(kStateTag, kStateVersion));
  State s;
  s.seen_count = r.Count(kRemembered);
  s.seen_next = r.Count(kRemembered - 1);
  s.newest_delivered = r.Time();
  for (std::uint32_t i = 0; i < s.seen_count; ++i) {
    s.seen[i].fingerprint = r.U64();
    s.seen[i].time = r.Time();
    s.seen[i].position = r.Position();
  }
  if (r.Bool()) {
    Fix f;
    f.time = r.Time();
    f.utc = r.OptUtc();
    if (f.utc && (f.utc->time_since_epoch().count() > kSaneMs ||
                  f.utc->time_since_epoch().count() < -kSaneMs)) {
      r.Fail();
    }
    f.position = r.Position();
    f.horizontal_accuracy_m = r.OptF64();
    f.altitude_m = r.OptF64();
    f.vertical_accuracy_m = r.OptF64();
    f.speed_mps = r.OptF64();
    f.speed_accuracy_mps = r.OptF64();
    f.course_deg = r.OptF64();
    f.course_accuracy_deg = r.OptF64();
    f.source = r.Enum<FixSource>(4);
    f.simulated = r.Bool();
    // It was let through once; only the options may have become stricter since.
    Intake again;
    again.fix = f;
    const bool passes = Sanitise(again);
    if (again.verdict.reason == Reason::kAccuracy) {
      f.horizontal_accuracy_m.reset();
    } else if (again.verdict.reason != Reason::kNone && (passes || !f.simulated)) {
      r.Fail();
    }
    s.newest = f;
    s.newest_lag = r.Time().time_since_epoch();
  }
  if (r.Bool()) {
    Anchor a;
    a.time = r.Time();
    a.position = r.Position();
    a.accuracy_m = r.F64();
    a.speed_mps = r.F64();
    a.confirmed = r.Bool();
    if (!(a.accuracy_m > 0 && a.accuracy_m < 1e9) || !(a.speed_mps >= 0 && a.speed_mps < 1e9)) {
      r.Fail();
    }
    s.anchor = a;
  }
  s.jump.votes = r.U32();
  s.jump.begin = r.Time();
  s.jump.time = r.Time();
  s.jump.position = r.Position();
  s.jump.accuracy_m = r.F64();
  s.clock.votes = r.U32();
  s.clock.first = r.Time();
  s.clock.last = r.Time();
  s.clock.lag = r.Time().time_since_epoch();
  s.clock_offset = r.Time().time_since_epoch();
  s.utc_shifted = r.U32();
  s.repeats = r.U32();
  s.repeat_begin = r.Time();
  if (!outer.done() || !r.done()) return CorruptState("fix validator");
  state_ = s;
  return {};
}

}  // namespace waymark
