// Model: while the device moves, the way is what WayMeter measures. While it rests nothing counts,
// however the estimate wanders; when it leaves, the way from the place of rest is added, so that
// the time until the start was noticed is not lost. A start is held back while it may be a jump of
// the receiver that comes back. When it comes to rest, what it seemed to walk within the noise
// about the place is taken back.
//
// Error: within a leg (from rest to rest) the errors of the positions cancel but for the first and
// the last one; each leg adds their variances. What has one sign adds up: what WayMeter doubts,
// what is held back.
#include "filters/odometer.h"

#include <algorithm>
#include <cmath>

#include "filters/sane_values.h"

namespace waymark {
namespace {

constexpr double kNormal95 = 1.959963984540054;
// Share of the way that stays unknown however good the positions are. Raw 1 Hz tracks of chipsets
// measure 0.04-0.10 % long against survey-grade truth (estimation.md A.3); the rest is curvature
// between fixes (tests/bench/track_ablation.cc prints the coverage that this gives).
constexpr double kScaleError = 0.0025;
// The place of rest follows the slow drift of the receiver but not a departure.
constexpr double kRestTimeConstantS = 30;
constexpr double kRestSpeedMps = 0.5;
// An excursion from a place of rest: nearer than this and shorter than this it may be the filter
// that follows a jump of the receiver (canyon: 10 s on average, estimation.md E).
constexpr double kExcursionM = 30;
constexpr double kExcursionPerNoiseS = 8;  // as long as a rest takes to be seen
// A filter follows a jump in so many steps.
constexpr double kJumpSteps = 4;
constexpr Duration kExcursion = std::chrono::seconds(60), kJump = std::chrono::seconds(30);
// Nothing gets so far in a step, nor has a receiver that repeated its last position while it went
// on: the track was somewhere else, now or before.
constexpr double kFastestMps = 400, kLeapM = 5000;
constexpr double kUnnoticedM = 15;  // what a car goes before its start is seen
// A way that was not noticed is known by a few points.
constexpr double kUnnoticedDoubt = 0.1;
constexpr double kMarkSpacingS = 1.5;  // times kMarks: longer than the detector's longest look
// Of what was taken back, half may have been a way; as much may have been left.
constexpr double kTakenBackDoubt = 0.5;
// A circular normal error is within 2 sigma in 86, within 3 in 99 of 100 cases.
constexpr double kNearSigmas = 2, kMovedSigmas = 3;

}  // namespace

void Odometer::CommitHeld() {
  // A step back of the estimate waits for the step forward that makes it good.
  if (held_.distance_m < 0) return;
  distance_m_ += held_.distance_m;
  variance_m2_ += held_.variance_m2;
  doubt_m_ += held_.doubt_m;
  held_ = {};
}

void Odometer::AddMark(const WayNode& at) {
  if (mark_count_ > 0) {
    const Mark& newest = marks_[(mark_begin_ + mark_count_ - 1) % kMarks];
    if (Seconds(at.time - newest.time) < kMarkSpacingS) return;
  }
  if (mark_count_ == kMarks) {
    mark_begin_ = (mark_begin_ + 1) % kMarks;
    --mark_count_;
  }
  marks_[(mark_begin_ + mark_count_++) % kMarks] = {at.time, at.position,
                                                    distance_m_ + held_.distance_m};
}

// The device rests: what it seemed to walk within the noise about this place, since it came so
// near, was the straight way. The rest is taken back: a debt, since readings never fall.
void Odometer::TakeBack(const WayNode& at) {
  const LocalFrame here(at.position);
  const double near_m = kNearSigmas * std::sqrt(at.variance_m2);
  const double now_m = distance_m_ + held_.distance_m;
  double surplus_m = 0;
  for (std::uint32_t i = mark_count_; i-- > 0;) {
    const Mark& mark = marks_[(mark_begin_ + i) % kMarks];
    const EastNorth p = here.ToLocal(mark.position);
    const double away_m = std::hypot(p.east_m, p.north_m);
    if (away_m > near_m) break;
    surplus_m = std::max(0.0, now_m - mark.distance_m - away_m);
  }
  held_.distance_m -= surplus_m;
  doubt_m_ += kTakenBackDoubt * surplus_m;
}

// The way from the place of rest to `at`, where the start was noticed: along the estimates since
// the last one near the place, as far as they stand out of the noise.
double Odometer::UnnoticedM(const WayNode& at) const {
  const EastNorth end = rest_frame_.ToLocal(at.position);
  const double near_m = kNearSigmas * std::sqrt(leg_variance_m2_ + at.variance_m2);
  const auto apart_m = [](EastNorth a, EastNorth b) {
    return std::hypot(a.east_m - b.east_m, a.north_m - b.north_m);
  };
  double way_m = 0;
  EastNorth to = end;
  for (std::uint32_t i = mark_count_; i-- > 0;) {
    const EastNorth p = rest_frame_.ToLocal(marks_[(mark_begin_ + i) % kMarks].position);
    if (apart_m(p, rest_) <= near_m) break;
    if (apart_m(p, to) <= 4 * near_m) continue;
    way_m += apart_m(p, to);
    to = p;
  }
  return way_m + apart_m(to, rest_);
}

// The largest steps of an excursion may be a jump of the receiver.
void Odometer::CountStep(const WayNode& to) {
  const EastNorth chord = frame_.ToLocal(to.position);
  const double step_m = std::hypot(chord.east_m, chord.north_m);
  ++excursion_.steps;
  excursion_.shortest_s = std::min(excursion_.shortest_s, Seconds(to.time - last_->time));
  if (step_m <= excursion_.largest_m) return;
  excursion_.jump_m += kJumpSteps * (step_m - excursion_.largest_m);
  excursion_.largest_m = step_m;
}

// Whether the way that began at leaving_ is one. Near its place, and for some time, it may be the
// filter that follows a jump of the receiver. A way advances in many steps, a jump in one or two;
// speeds that the receiver reports tell at once.
bool Odometer::Left(const WayNode& at) const {
  if (way_ == Way::kHeld) return false;
  const Duration since = at.time - *leaving_;
  const EastNorth here = rest_frame_.ToLocal(at.position);
  const double away_m = std::hypot(here.east_m - rest_.east_m, here.north_m - rest_.north_m);
  const double sigma_m = std::sqrt(at.variance_m2);
  const bool told = excursion_.told_m >= away_m / 2;
  if (since > kExcursion + FromSeconds(kExcursionPerNoiseS * sigma_m)) return true;
  if (away_m <= std::max(kExcursionM, 4 * sigma_m)) return false;
  // Estimates far apart in time show no burst of bad fixes whole: several agreed on the way
  // already.
  if (excursion_.steps >= 2 && excursion_.shortest_s > WayMeter::kShortStepS) return true;
  if (told) return true;
  // Who was put there in some steps and stands there has not left.
  if (at.speed_mps < kRestSpeedMps) return false;
  return away_m - excursion_.jump_m > kExcursionM / 2 || since > kJump;
}

// The device rests again before it got away from its last place of rest: what it did there is not
// told from noise but by where it ended, and that only after a while: a jump of the receiver comes
// back.
void Odometer::EndExcursion(const WayNode& at) {
  const EastNorth here = rest_frame_.ToLocal(at.position);
  const double moved_m = std::hypot(here.east_m - rest_.east_m, here.north_m - rest_.north_m);
  const double sigma_m = std::sqrt(leg_variance_m2_ + at.variance_m2);
  const bool near = moved_m <= kMovedSigmas * sigma_m;
  if (!near && excursion_.told_m < moved_m / 2 && at.time - *leaving_ <= kExcursion) return;
  const bool first = *leaving_ == rest_since_;
  leaving_.reset();
  if (near) {
    doubt_m_ += std::clamp(held_.distance_m, 0.0, excursion_.told_m);  // speeds spoke for a way
    held_ = {};
    return;
  }
  // At first, in a few steps, farther than anything at rest gets in them: the receiver found its
  // place.
  if (first && moved_m > kExcursionM && excursion_.shortest_s <= WayMeter::kShortStepS &&
      excursion_.told_m < moved_m / 2 && moved_m < 1.5 * excursion_.jump_m) {
    doubt_m_ += moved_m;
    held_ = {};
    RestAt(at);
    return;
  }
  held_.distance_m = moved_m;
  CommitHeld();
  EndLeg(at);
}

// What was held back because it led away from a settled place is known now: a way or none.
void Odometer::TakeVerdict(const WayNode& at, Way way) {
  if (leaving_ && way == Way::kNone) {
    doubt_m_ += std::max(0.0, held_.distance_m);
    leaving_.reset();
    held_ = {};
    motion_ = Motion::kStationary;
  } else if (leaving_ && way_ == Way::kHeld && way == Way::kWalked) {
    leaving_.reset();
    CommitHeld();
    if (motion_ == Motion::kStationary) EndLeg(at);
  }
  way_ = way;
}

void Odometer::EndLeg(const WayNode& at) {
  variance_m2_ += leg_variance_m2_ + at.variance_m2;
  RestAt(at);
}

void Odometer::RestAt(const WayNode& at) {
  leg_variance_m2_ = at.variance_m2;
  rest_origin_ = at.position;
  rest_frame_ = LocalFrame(rest_origin_);
  rest_ = {};
  rest_since_ = at.time;
  rest_told_ = {};
  strayed_m_ = 0;
  mark_count_ = 0;
  meter_.ForgetChords();
}

// By positions alone a slow way out and back may be taken for a rest.
void Odometer::DoubtRest(const WayNode& at) {
  const EastNorth here = rest_frame_.ToLocal(at.position);
  const double away_m = std::hypot(here.east_m - rest_.east_m, here.north_m - rest_.north_m);
  const double sigma_m = std::sqrt(leg_variance_m2_ + at.variance_m2);
  strayed_m_ = std::max(strayed_m_, away_m - kMovedSigmas * sigma_m);
  if (away_m > kNearSigmas * sigma_m) return;
  doubt_m_ += 2 * strayed_m_;
  strayed_m_ = 0;
}

// Where speeds are noisy, a slow way may be taken for a rest: as long as what they tell in the mean
// of half a minute.
void Odometer::DoubtTold(const WayNode& node) {
  const double dt_s = std::min(WayMeter::kLongStepS, Seconds(node.time - last_->time));
  const double k = dt_s / (dt_s + kRestTimeConstantS);
  rest_told_.east_m += k * (node.ve_mps - rest_told_.east_m);
  rest_told_.north_m += k * (node.vn_mps - rest_told_.north_m);
  doubt_m_ += std::hypot(rest_told_.east_m, rest_told_.north_m) * dt_s;
}

void Odometer::FollowRest(const WayNode& node) {
  const double dt_s = Seconds(node.time - last_->time);
  const double k = dt_s / (dt_s + kRestTimeConstantS);
  const EastNorth at = rest_frame_.ToLocal(node.position);
  rest_.east_m += k * (at.east_m - rest_.east_m);
  rest_.north_m += k * (at.north_m - rest_.north_m);
  // What leads further than the noise is a way that the detector has not seen yet.
  const double far_m = std::hypot(rest_.east_m, rest_.north_m);
  const double limit_m = kNearSigmas * std::sqrt(leg_variance_m2_);
  if (far_m > limit_m) rest_ = {rest_.east_m * limit_m / far_m, rest_.north_m * limit_m / far_m};
}

// Takes one step into the leg that goes on.
void Odometer::Walk(const WayNode& to) {
  meter_.Step(*last_, to, frame_.ToLocal(to.position), held_);
}

// At rest, on an excursion from it, or come to rest with this estimate.
void Odometer::StepAtRest(const WayNode& to) {
  if (leaving_) {
    if (motion_ == Motion::kMoving) Walk(to);
    if (way_ != Way::kHeld) EndExcursion(to);
  } else if (motion_ == Motion::kStationary) {
    if (to.blind) DoubtRest(to);
    if (to.told) DoubtTold(to);
    if (std::hypot(to.ve_mps, to.vn_mps) < kRestSpeedMps) FollowRest(to);
    AddMark(to);
  } else if (motion_ == Motion::kMoving) {
    Walk(to);
    if (!to.told) TakeBack(to);
    CommitHeld();
    EndLeg(to);
    held_ = {std::min(0.0, held_.distance_m), 0, 0};
  } else {  // it had stood all the time
    held_ = {};
    RestAt(to);
  }
}

// On the way, or known to be on it since this estimate.
void Odometer::StepMoving(const WayNode& to) {
  if (motion_ == Motion::kStationary && !leaving_) {
    Depart(to);
  } else {
    Walk(to);
    if (motion_ == Motion::kUnknown) leaving_ = rest_since_;
    // What a rest that was none has swallowed.
    if (leaving_ && motion_ == Motion::kStationary) {
      held_.distance_m = std::max(held_.distance_m, UnnoticedM(to));
    }
    if (leaving_) CountStep(to);
  }
  if (leaving_ && Left(to)) leaving_.reset();
  if (!leaving_) CommitHeld();
  AddMark(to);
}

// The start was noticed here: what may be a way since the place of rest is held back.
void Odometer::Depart(const WayNode& at) {
  const double way_m = UnnoticedM(at);
  held_ = {std::min(0.0, held_.distance_m) + way_m, 0, kUnnoticedDoubt * way_m};
  leaving_ = at.time;
  strayed_m_ = 0;
  excursion_ = {};
  excursion_.jump_m = std::max(0.0, way_m - kUnnoticedM);
  mark_count_ = 0;
  meter_.Begin(at.position);
}

bool Odometer::Leaps(const WayNode& to) const {
  const EastNorth chord = frame_.ToLocal(to.position);
  return std::hypot(chord.east_m, chord.north_m) >
         kLeapM + kFastestMps * Seconds(to.time - last_->time);
}

void Odometer::Update(const Estimate& e, Motion motion, const Fix* fix, Way way) {
  if (!IsSane(e) || (last_ && e.time <= last_->time)) return;
  // Unknown after a known state keeps that state: the detector will say when it changes.
  if (motion == Motion::kUnknown) motion = motion_;
  if (way == Way::kNone) motion = Motion::kStationary;
  WayNode node = NodeOf(e, fix);
  if (last_ && Leaps(node)) Break();
  if (last_) {
    node.step_s = Seconds(node.time - last_->time);
    const double told_mps = fix != nullptr ? SaneSpeed(*fix).value_or(0) : 0;
    excursion_.told_m += told_mps * std::min(WayMeter::kLongStepS, node.step_s);
  }
  if (last_ || leaving_) TakeVerdict(node, way);
  if (!last_) {
    meter_.Begin(node.position);
    if (!leaving_) {
      RestAt(node);
      excursion_ = {};
    }
  } else if (motion == Motion::kUnknown) {
    Walk(node);
    CountStep(node);
  } else if (motion == Motion::kStationary) {
    StepAtRest(node);
  } else {
    StepMoving(node);
  }
  motion_ = motion;
  last_ = node;
  frame_ = LocalFrame(node.position);
}

void Odometer::Break() {
  meter_.ForgetChords();
  if (leaving_ && way_ == Way::kHeld) {  // how it ends is still to be known
    last_.reset();
    return;
  }
  if (motion_ == Motion::kMoving && last_) {
    leaving_.reset();
    CommitHeld();
    variance_m2_ += leg_variance_m2_ + last_->variance_m2;
  }
  held_ = {};
  leaving_.reset();
  way_ = Way::kUsual;
  leg_variance_m2_ = 0;
  mark_count_ = 0;
  motion_ = Motion::kUnknown;
  last_.reset();
}

void Odometer::Finish() {
  if (leaving_ && way_ == Way::kHeld) {
    doubt_m_ += std::max(0.0, held_.distance_m);
    leaving_.reset();
    motion_ = Motion::kStationary;
  }
  Break();
}

Distance Odometer::total() const {
  double variance_m2 = variance_m2_, doubt_m = doubt_m_;
  doubt_m += 2 * strayed_m_;
  if (leaving_) doubt_m += std::max(0.0, held_.distance_m);
  if (last_ && motion_ == Motion::kMoving) variance_m2 += leg_variance_m2_ + last_->variance_m2;
  return {distance_m_,
          kNormal95 * std::sqrt(variance_m2) + kScaleError * distance_m_ + std::max(0.0, doubt_m)};
}

Distance Odometer::Between(const Distance& earlier, const Distance& now) {
  const double way_m = std::max(0.0, now.distance_m - earlier.distance_m);
  // Both bounds hold a part that grows with the way and one that adds in squares.
  const double scale_m = kScaleError * way_m;
  const double a = std::max(0.0, earlier.bound_m - kScaleError * earlier.distance_m);
  const double b = std::max(0.0, now.bound_m - kScaleError * now.distance_m);
  return {way_m, std::sqrt(std::abs(b * b - a * a)) + scale_m};
}

}  // namespace waymark
