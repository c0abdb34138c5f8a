// The Odometer's part of a snapshot.
#include "filters/odometer.h"

#include <cmath>

#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr std::uint32_t kStateTag = 0x4F444F4D;  // "ODOM"
constexpr std::uint16_t kStateVersion = 5;

}  // namespace

void Odometer::Save(std::vector<std::byte>& out) const {
  const WayMeter::State& way = meter_.state();
  StateWriter w(out);
  const std::size_t mark = w.BeginBlock(kStateTag, kStateVersion);
  w.Bool(last_.has_value());
  if (last_) {
    w.Time(last_->time);
    w.Position(last_->position);
    for (const double v : {last_->ve_mps, last_->vn_mps, last_->speed_mps, last_->speed_sigma_mps,
                           last_->variance_m2, last_->step_s}) {
      w.F64(v);
    }
    w.F64s({last_->heading.east_m, last_->heading.north_m});
    w.Bool(last_->told);
    w.Bool(last_->blind);
  }
  w.U8(static_cast<std::uint8_t>(motion_));
  w.Position(rest_origin_);
  for (const double v :
       {rest_.east_m, rest_.north_m, held_.distance_m, held_.variance_m2, held_.doubt_m,
        way.chords[0].east_m, way.chords[0].north_m, way.chords[1].east_m, way.chords[1].north_m}) {
    w.F64(v);
  }
  w.OptTime(leaving_);
  w.Time(rest_since_);
  w.U8(static_cast<std::uint8_t>(way_));
  w.F64s({strayed_m_, rest_told_.east_m, rest_told_.north_m});
  for (const double v : {distance_m_, variance_m2_, doubt_m_, leg_variance_m2_, way.correction_m2,
                         way.drift_mps, excursion_.told_m, excursion_.jump_m, excursion_.largest_m,
                         excursion_.shortest_s, excursion_.steps, way.stretch.way_m,
                         way.stretch.noise_m, way.stretch.jitter_m, way.stretch.told_m}) {
    w.F64(v);
  }
  w.Position(way.stretch.from);
  w.U32(mark_count_);
  for (std::uint32_t i = 0; i < mark_count_; ++i) {
    const Mark& m = marks_[(mark_begin_ + i) % kMarks];
    w.Time(m.time);
    w.Position(m.position);
    w.F64(m.distance_m);
  }
  w.EndBlock(mark);
}

Status Odometer::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  StateReader r(outer.Block(kStateTag, kStateVersion));
  Odometer o(meter_.tuning());
  WayMeter::State way;
  if (r.Bool()) {
    WayNode n;
    n.time = r.Time();
    n.position = r.Position();
    for (double* v :
         {&n.ve_mps, &n.vn_mps, &n.speed_mps, &n.speed_sigma_mps, &n.variance_m2, &n.step_s}) {
      *v = r.F64();
    }
    n.heading.east_m = r.F64();
    n.heading.north_m = r.F64();
    n.told = r.Bool();
    n.blind = r.Bool();
    o.last_ = n;
    o.frame_ = LocalFrame(n.position);
  }
  o.motion_ = r.Enum<Motion>(3);
  o.rest_origin_ = r.Position();
  for (double* v : {&o.rest_.east_m, &o.rest_.north_m, &o.held_.distance_m, &o.held_.variance_m2,
                    &o.held_.doubt_m, &way.chords[0].east_m, &way.chords[0].north_m,
                    &way.chords[1].east_m, &way.chords[1].north_m}) {
    *v = r.F64();
  }
  o.leaving_ = r.OptTime();
  o.rest_since_ = r.Time();
  o.way_ = r.Enum<Way>(4);
  for (double* v : {&o.strayed_m_, &o.rest_told_.east_m, &o.rest_told_.north_m}) *v = r.F64();
  for (double* v :
       {&o.distance_m_, &o.variance_m2_, &o.doubt_m_, &o.leg_variance_m2_, &way.correction_m2,
        &way.drift_mps, &o.excursion_.told_m, &o.excursion_.jump_m, &o.excursion_.largest_m,
        &o.excursion_.shortest_s, &o.excursion_.steps, &way.stretch.way_m, &way.stretch.noise_m,
        &way.stretch.jitter_m, &way.stretch.told_m}) {
    *v = r.F64();
  }
  way.stretch.from = r.Position();
  o.mark_count_ = r.Count(kMarks);
  for (std::uint32_t i = 0; i < o.mark_count_; ++i) {
    o.marks_[i] = {r.Time(), r.Position(), r.F64()};
  }
  if (!outer.done() || !r.done() || o.distance_m_ < 0 || o.variance_m2_ < 0 ||
      o.leg_variance_m2_ < 0 || o.strayed_m_ < 0 || way.correction_m2 < 0 ||
      (o.last_ && std::hypot(o.last_->heading.east_m, o.last_->heading.north_m) > 1.001)) {
    return CorruptState("odometer");
  }
  o.rest_frame_ = LocalFrame(o.rest_origin_);
  o.meter_.Restore(way);
  *this = o;
  return {};
}

}  // namespace waymark
