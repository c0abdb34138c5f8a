#include "filters/velocity_trial.h"

#include <algorithm>

namespace waymark {
namespace {

constexpr double kLongestStepS = 30;  // over which velocities tell the way
constexpr double kGate = 16;          // four sigmas: no velocity explains such a step
constexpr double kSteady = 9;         // three: the step is like the one before
constexpr double kManoeuvreMps2 = 4;  // what vehicles can do: hard braking, a fast turn
// A step speaks for a velocity if it is known so well and lies so near.
constexpr double kSeenSigmas = 3, kFits = 0.3;
// Bursts that the field reports last up to 6 fixes (estimation.md E): one more a second apart, or
// as many.
constexpr double kDenyS = 7, kMostOfAStepS = 1;
// Once denied, velocities take four times as long to be believed again: at low speeds, or in the
// direction in which a course is stuck, wrong ones fit.
constexpr double kMostS = 2 * kDenyS, kRecoverShare = 0.25;

}  // namespace

bool VelocityTrial::Add(const Step& s) {
  const Vec2 way_before = last_way_, velocity_before = last_velocity_;
  const double dt_before_s = last_dt_s_;
  last_way_ = s.way;
  last_velocity_ = s.velocity;
  last_dt_s_ = s.dt_s;
  if (dt_before_s == 0 || s.dt_s > kLongestStepS) return false;
  const double dt2 = s.dt_s * s.dt_s;
  const double bend2 = (s.way - (s.dt_s / dt_before_s) * way_before).norm2();
  const Vec2 told = (0.5 * s.dt_s) * (velocity_before + s.velocity);
  const bool kink = bend2 > kSteady * 3 * s.noise_var_m2 + Square(kManoeuvreMps2 * dt2);
  steady_s_ = kink ? 0 : std::min(steady_s_ + s.dt_s, kLongestBurstS);
  // Who speeds up and brakes again within the step has gone so much further.
  const double unseen_m2 = Square(kManoeuvreMps2 / 4 * dt2);
  const double off2 = (s.way - told).norm2();
  const double step_s = std::min(s.dt_s, kMostOfAStepS);
  if (off2 > kGate * (s.noise_var_m2 + dt2 * s.velocity_var) + unseen_m2) {
    if (steady_s_ >= kLongestBurstS && off2 > bend2)
      evidence_s_ = std::min(evidence_s_ + step_s, kMostS);
  } else if (told.norm2() > Square(kSeenSigmas) * s.noise_var_m2 &&
             off2 < Square(kFits) * told.norm2()) {
    evidence_s_ = std::max(evidence_s_ - (denied_ ? kRecoverShare : 1) * step_s, -kDenyS);
  }
  const bool before = denied_;
  denied_ = evidence_s_ >= kDenyS || (denied_ && evidence_s_ > 0);
  return denied_ && !before;
}

void VelocityTrial::Save(StateWriter& w) const {
  w.F64s({last_way_.e, last_way_.n, last_velocity_.e, last_velocity_.n, last_dt_s_, steady_s_,
          evidence_s_});
  w.Bool(denied_);
}

void VelocityTrial::Load(StateReader& r) {
  for (double* x : {&last_way_.e, &last_way_.n, &last_velocity_.e, &last_velocity_.n, &last_dt_s_,
                    &steady_s_, &evidence_s_})
    *x = r.F64();
  denied_ = r.Bool();
  if (!(last_dt_s_ >= 0) || !(steady_s_ >= 0)) r.Fail();
  if (!(evidence_s_ >= -kDenyS) || !(evidence_s_ <= kMostS)) r.Fail();
}

}  // namespace waymark
