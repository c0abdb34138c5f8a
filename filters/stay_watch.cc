// Model. A phone that lies indoors is placed by access points, always at the same spot; now and
// then its GNSS starts, comes out 30-400 m off, creeps about and is given up: the position jumps
// back to the metre. What leads away from a settled place is therefore held back until it is known
// how it ends:
//   it gets out of reach:        a way. Reach is the surroundings of a stay; where the excursion
//                                had a jump in it, or others from this place were none, it is for
//                                some minutes as far as receivers stray;
//   it goes on without a rest for as long as it takes to settle: a way;
//   it rests elsewhere, settled: a way if that is out of the surroundings, else none;
//   it comes back:               a way if it led out and came back in steps, none if a jump did.
// A jump is a step as no walker makes (out of the noise of the fixes, faster than 2.5 m/s) which is
// not part of a drive: neither the step before nor the one after goes the same way at half its
// speed.
// Held, not dropped: a walk is counted in full, at the latest when its end is known.
#include "filters/stay_watch.h"

#include <algorithm>
#include <cmath>

#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr double kWalkerMps = 2.5;
constexpr double kJumpSigmas = 3, kLeastJumpM = 10;
// A circular normal error is within 3 sigma in 99 of 100 cases; houses are that large.
constexpr double kNearSigmas = 3, kLeastNearM = 20;
constexpr double kFarSigmas = 4;
constexpr double kNoiseSigmas = 2;  // 86 of 100
constexpr double kStrayFactor = 1.5;
constexpr double kLongestStepS = 60;

double Length(EastNorth p) { return std::sqrt(p.east_m * p.east_m + p.north_m * p.north_m); }

}  // namespace

double StayWatch::SurroundingsM(double sigma_m) const {
  return std::max(tuning_.settled_m, kFarSigmas * sigma_m);
}

double StayWatch::ReachM(double sigma_m) const {
  const double least_m = SurroundingsM(sigma_m);
  if (!away_ || Seconds(*last_ - away_since_) > tuning_.stray_s) return least_m;
  return std::max(least_m, jumped_ || step_.fast
                               ? tuning_.stray_m
                               : std::min(tuning_.stray_m, kStrayFactor * strayed_m_));
}

Way StayWatch::way() const {
  if (walked_) return Way::kWalked;
  if (!settled_) return Way::kUsual;
  if (away_) return told_m_ > 0 && told_m_ >= farthest_m_ / 2 ? Way::kUsual : Way::kHeld;
  return tells_ ? Way::kUsual : Way::kNone;
}

void StayWatch::Settle(LatLon place, double sigma_m) {
  const double apart_m = settled_ ? Length(frame_.ToLocal(place)) : 0;
  if (apart_m > SurroundingsM(sigma_m)) return;  // Add() sees when it is out of reach
  const bool near = apart_m <= std::max(kLeastNearM, kNearSigmas * sigma_m);
  if (away_ && near) return;
  if (!settled_) {
    *this = StayWatch(tuning_);
    settled_ = true;
  }
  away_ = false;  // what led here within the surroundings was none
  const EastNorth last = frame_.ToLocal(place);
  last_fix_ = {last_fix_.east_m - last.east_m, last_fix_.north_m - last.north_m};
  place_ = place;
  frame_ = LocalFrame(place);
}

void StayWatch::Leave() {
  walked_ = settled_;
  settled_ = away_ = false;
}

// Looks at the step before `next`, now that its neighbours are known.
void StayWatch::JudgeStep(const Step& next) {
  const double speed2 = step_.east_mps * step_.east_mps + step_.north_mps * step_.north_mps;
  const auto along = [&](const Step& s) {
    return s.east_mps * step_.east_mps + s.north_mps * step_.north_mps > speed2 / 2;
  };
  if (!step_.fast || along(step_before_) || along(next)) return;
  jumped_ = true;
  if (step_.to_m > step_.from_m) {
    if (farthest_m_ < step_.to_m) left_by_jump_m_ = std::max(left_by_jump_m_, step_.to_m);
  } else {
    // What the estimate has not followed, it need not come back from.
    back_by_jump_m_ = std::min(step_.from_m, step_.from_estimate_m) - step_.to_m;
  }
}

void StayWatch::Add(MonoTime time, LatLon fix, double fix_sigma_m, LatLon estimate, double sigma_m,
                    std::optional<double> told_mps) {
  if (!settled_) return;
  if (last_ && time <= *last_) return;
  const EastNorth at = frame_.ToLocal(fix);
  const double away_m = Length(at), estimate_m = Length(frame_.ToLocal(estimate));
  tells_ = told_mps.has_value();
  Step step;
  if (last_) {
    const double dt_s = Seconds(time - *last_);
    const EastNorth way{at.east_m - last_fix_.east_m, at.north_m - last_fix_.north_m};
    step.east_mps = way.east_m / dt_s;
    step.north_mps = way.north_m / dt_s;
    step.from_m = Length(last_fix_);
    step.to_m = away_m;
    step.from_estimate_m = last_estimate_m_;
    step.fast = Length(way) > kWalkerMps * dt_s + std::max(kLeastJumpM, kJumpSigmas * fix_sigma_m);
    told_m_ += told_mps.value_or(0) * std::min(dt_s, kLongestStepS);
  }
  // (An estimate that follows a jump runs on.)
  const double out_m = std::min(away_m, estimate_m);
  const bool near = away_m <= std::max(kLeastNearM, kNearSigmas * fix_sigma_m);
  near_ = near ? near_ + 1 : 0;
  if (!near && !away_) {
    away_ = true;
    away_since_ = time;
    walked_ = jumped_ = false;
    farthest_m_ = farthest_fix_m_ = told_m_ = left_by_jump_m_ = back_by_jump_m_ = 0;
  }
  if (away_) {
    back_by_jump_m_ = 0;  // the last step back counts
    JudgeStep(step);
    farthest_m_ = std::max(farthest_m_, out_m - kNoiseSigmas * sigma_m);
    farthest_fix_m_ = std::max(farthest_fix_m_, away_m);
  }
  step_before_ = step_;
  step_ = step;
  last_ = time;
  last_fix_ = at;
  last_estimate_m_ = estimate_m;
  if (!away_) return;
  if (near_ >= 2) {
    Return(sigma_m);
  } else if (out_m > ReachM(sigma_m)) {
    Leave();
  }
}

// Back at the place.
void StayWatch::Return(double sigma_m) {
  away_ = false;
  const double led_m = farthest_m_;
  const double jump_m = std::max(left_by_jump_m_, back_by_jump_m_);
  // (Where speeds are told, they say more than the steps do.)
  const bool steps = told_m_ <= 0 && back_by_jump_m_ <= led_m / 2 &&
                     led_m - jump_m > std::max(tuning_.walk_m, kFarSigmas * sigma_m);
  if (steps) {
    walked_ = true;
  } else {
    strayed_m_ = std::max(strayed_m_, farthest_fix_m_);
  }
}

void StayWatch::Save(StateWriter& w) const {
  w.Bool(settled_);
  w.Position(place_);
  for (const bool b : {away_, walked_, tells_, jumped_}) w.Bool(b);
  w.U32(near_);
  w.Time(away_since_);
  w.F64s({strayed_m_, farthest_m_, farthest_fix_m_, told_m_, left_by_jump_m_, back_by_jump_m_,
          last_fix_.east_m, last_fix_.north_m, last_estimate_m_});
  w.OptTime(last_);
  for (const Step* s : {&step_, &step_before_}) {
    w.F64s({s->east_mps, s->north_mps, s->from_m, s->to_m, s->from_estimate_m});
    w.Bool(s->fast);
  }
}

void StayWatch::Restore(StateReader& r) {
  *this = StayWatch(tuning_);
  settled_ = r.Bool();
  place_ = r.Position();
  for (bool* b : {&away_, &walked_, &tells_, &jumped_}) *b = r.Bool();
  near_ = r.U32();
  away_since_ = r.Time();
  for (double* v : {&strayed_m_, &farthest_m_, &farthest_fix_m_, &told_m_, &left_by_jump_m_,
                    &back_by_jump_m_, &last_fix_.east_m, &last_fix_.north_m, &last_estimate_m_}) {
    *v = r.F64();
  }
  last_ = r.OptTime();
  for (Step* s : {&step_, &step_before_}) {
    for (double* v : {&s->east_mps, &s->north_mps, &s->from_m, &s->to_m, &s->from_estimate_m}) {
      *v = r.F64();
    }
    s->fast = r.Bool();
  }
  if (away_ && !last_) r.Fail();
  frame_ = LocalFrame(place_);
}

}  // namespace waymark
