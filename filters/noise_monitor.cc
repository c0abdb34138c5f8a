#include "filters/noise_monitor.h"

#include <algorithm>
#include <cmath>

namespace waymark {
namespace {

// The square of a 2-D normal error has its median at 2 ln 2 variances per axis.
constexpr double kMedianOfSquare = 1.3862943611198906;
// Structure functions are about samples one second apart; faster receivers are thinned to this.
constexpr double kStepS = 0.8;
// Beyond, the integral of velocity, or the second difference, says nothing about the error.
constexpr double kMaxStepS = 12, kMaxBlindStepS = 5.5;
// Without velocities: the share of the noise that is white. Over longer steps noise and manoeuvres
// cannot be told apart, with velocities or without, and the receiver is followed (do no harm).
constexpr double kShortStepS = 2.5, kWhiteShare = 0.25, kLongStepWhiteShare = 0.02;
constexpr double kFloor = 1e-6;        // quantised and standing positions differ by nothing at all
constexpr std::uint32_t kEnough = 12;  // samples before a median is believed
// Second differences of the coloured noise that phones and canyons show (autocorrelation about 0.7
// at 1 s and 0.55 at 2 s, estimation.md section E) hold 6 - 8 * 0.7 + 2 * 0.55 = 1.5 variances.
constexpr std::uint32_t kOtherKind = 5;  // fixes, until a stream is of another kind
constexpr std::uint32_t kSettled = 48;   // samples from which a running median's steps are 3 %
constexpr double kMaxRise = 10;          // of gamma from 1 to 20 s (5 to 20 differ little: README)
// A Gauss-Markov error's gamma rises no faster than a random walk's: by 19 parts from 1 to 20 s for
// 4 from 1 to 5 s, and a third more by chance. What rises faster is the integral of wrong
// velocities, unless the receiver glides (changes by less than this from second to second).
constexpr double kMostOfLateRise = 4.0 / 3 * 19 / 4, kLeastRise = 0.1, kGlidesM2 = 1;
constexpr double kSecondDifferenceShare = 1.5;
constexpr double kJitterShare = 0.35;  // gamma(1 s) of the same noise is 0.3 to 0.4 of its variance
// What the positions say of the velocities. Of the variance of their second differences white noise
// has a sixth in gamma(1 s), a random walk a quarter, and nothing that does not glide has more than
// h times that in gamma(h). What is more, by a third for chance, the velocities err.
constexpr double kMostOfSecondDifference = 4.0 / 3 * kSecondDifferenceShare / 4;
// They are wrong from half of the variance that the filter takes a velocity for (0.7 m/s), and
// right again at a quarter of that. Errors that come in bouts are larger in them than the median:
// twice.
constexpr double kWrongM2ps2 = 0.25, kRightAgainM2ps2 = 0.06, kBouts = 4;

}  // namespace

void RunningMedian::Add(double x) {
  ++count_;
  // Without a branch on what is a coin toss: up by the factor 1 + step, down by its inverse.
  const double side = std::copysign(1.0, median_ - x);  // -1: x lies above
  drift_ += 0.05 * (-side - drift_);
  const double beyond = std::fabs(drift_) - 0.5;  // of a fair coin it is beyond in one of 500 cases
  const double surplus = 0.5 * (beyond + std::fabs(beyond));  // max(0, beyond)
  const double least = count_ >= kSettled ? 1.5 / (2 + kSettled) : 1.5 / (2.0 + count_);
  const double step = least + 0.3 * surplus, up = 0.5 - 0.5 * side;
  median_ = std::clamp(median_ * (1 + up * step) / (1 + (1 - up) * step), kFloor, 1e8);
}

void RunningMedian::Save(StateWriter& w) const {
  w.F64(median_);
  w.F64(drift_);
  w.U32(count_);
}
void RunningMedian::Load(StateReader& r) {
  median_ = std::clamp(r.F64(), kFloor, 1e8);
  drift_ = std::clamp(r.F64(), -1.0, 1.0);
  count_ = r.U32();
}

void NoiseMonitor::Compare(std::size_t back, double now_s, double lag_s, const Sample& s,
                           RunningMedian& m) {
  // The sample nearest the lag lies at most a few places from where a 1 Hz stream has it.
  std::size_t n = std::min(back, count_);
  while (n > 1 && now_s - Back(n).t_s > 1.25 * lag_s) --n;
  if (n == 0) return;
  const Sample& old = Back(n);
  const double h = now_s - old.t_s;
  if (h < 0.75 * lag_s || h > 1.25 * lag_s) return;
  m.Add((s.d - old.d).norm2() / (kMedianOfSquare * (s.variance_m2 + old.variance_m2)));
}

void NoiseMonitor::Add(MonoTime time, Vec2 p, const std::optional<Vec2>& told, double variance_m2) {
  if (count_ == 0) {
    base_ = time;
    integral_ = {};
  }
  const double now_s = Seconds(time - base_);
  const bool first = count_ == 0;
  const double dt = first ? 0 : now_s - last_s_;
  if (!first && (dt <= 0 || dt > (has_velocity_ ? kMaxStepS : kMaxBlindStepS))) {
    if (dt > 0) {
      count_ = 0;
      Add(time, p, told, variance_m2);
    }
    return;
  }
  // Some leave out a velocity now and then. The kind of a stream changes to one with velocities
  // once most fixes have one, back once none has.
  if (!first && told.has_value() != has_velocity_) {
    if (++of_other_kind_ >= kOtherKind) {
      count_ = 0;
      Add(time, p, told, variance_m2);
      return;
    }
    if (has_velocity_) return;
  } else if (of_other_kind_ > 0) {
    of_other_kind_ = has_velocity_ ? 0 : of_other_kind_ - 1;
  }
  if (first) {
    has_velocity_ = told.has_value();
    of_other_kind_ = 0;
  }
  const std::optional<Vec2> v = has_velocity_ ? told : std::nullopt;
  if (v) {
    if (!first) integral_ = integral_ + (0.5 * dt) * (last_v_ + *v);
    last_v_ = *v;
  }
  last_s_ = now_s;
  if (!first && now_s - Back(1).t_s < kStepS) return;
  Sample s{now_s, p, p - integral_, variance_m2};
  // The same position again is no news about the noise, moving or not.
  const bool news = !first && (p - Back(1).p).norm2() != 0;
  if (news && v) {
    Compare(1, now_s, 1, s, gamma1_);
    Compare(5, now_s, 5, s, gamma5_);
    Compare(20, now_s, 20, s, gamma20_);
    if (now_s - Back(1).t_s < 2) {
      jitter_.Add((s.d - Back(1).d).norm2() / 2 / kMedianOfSquare);
    }
  }
  if (news && count_ >= 2) {
    const Sample &a = Back(1), &b = Back(2);
    const double h1 = now_s - a.t_s, h2 = a.t_s - b.t_s;
    const bool short_steps = h1 < 2 && h2 < 2;
    if (h1 < 2 * h2 && h2 < 2 * h1 && h1 > 0.5 && h2 > 0.5) {
      const Vec2 dd = (p - a.p) - (h1 / h2) * (a.p - b.p);
      const double x = dd.norm2() / kMedianOfSquare / kSecondDifferenceShare;
      const double relative = x / ((variance_m2 + a.variance_m2 + b.variance_m2) / 3);
      // Over more than a second or two it holds manoeuvres as well: what it says is an upper bound.
      if (!v) second_.Add(relative);
      if (v && short_steps) bend_.Add(relative);
      if (!v && short_steps) jitter_.Add(x * kJitterShare);
    }
  }
  if (--until_refresh_ == 0) {
    until_refresh_ = kRefresh;
    Refresh(first ? 0 : now_s - Back(1).t_s);
  }
  ring_[next_] = s;
  next_ = (next_ + 1) % kRing;
  count_ = std::min(count_ + 1, kRing);
}

NoiseMonitor::Level NoiseMonitor::LevelBlind(double total, double step_s) {
  Level level;
  level.white = (step_s < kShortStepS ? kWhiteShare : kLongStepWhiteShare) * total;
  level.gm = total - level.white;
  level.tau_s = 6;
  level.jitter = kJitterShare * total;
  level.measured = true;
  level.upper_bound = step_s >= kShortStepS;
  return level;
}

NoiseMonitor::Level NoiseMonitor::LevelByVelocities(double step_s) const {
  Level level;
  const double g1 = gamma1_.median(), g5 = gamma5_.median();
  // Where 20 s differ so much more than 1 s, the velocities are to blame.
  double g20 = std::clamp(gamma20_.median(), g1, std::max(kMaxRise * g1, 1.0));
  if (jitter_.median() > kGlidesM2) {
    g20 = std::min(g20, g1 + std::max(kMostOfLateRise * (g5 - g1), kLeastRise * g1));
  }
  const double rise5 = std::max(g20 - g5, 0.02 * g20), rise1 = std::max(g20 - g1, 0.02 * g20);
  const double ratio = std::max(rise1 / rise5, 1.07);
  level.tau_s = std::clamp(4 / std::log(ratio), 1.0, 60.0);
  const double gm = rise1 * std::exp(1 / level.tau_s);
  level.gm = std::clamp(gm, 0.05 * g20, 0.95 * g20);
  if (step_s >= kShortStepS) level.gm = (1 - kLongStepWhiteShare) * g20;
  level.white = g20 - level.gm;
  level.jitter = g1;
  level.measured = true;
  return level;
}

// Of the velocities' error, per axis, what the positions cannot have caused; 0 where it is no more
// than the filter counts on. A white error has a quarter of its variance in gamma(1 s), a constant
// one h^2 / 2 times it in gamma(h).
double NoiseMonitor::VelocityError(double step_s) const {
  if (bend_.count() < kSettled || step_s >= kShortStepS) return 0;
  const double own = kMostOfSecondDifference * bend_.median();
  const double g1 = gamma1_.median(), g5 = gamma5_.median();
  const double unit_m2 = jitter_.median() / g1;
  const double var_m2ps2 = unit_m2 * std::max(4 * (g1 - own), 2 * (g5 - 5 * own) / 25);
  const bool wrong = level_.velocity_var_m2ps2 > 0;
  return var_m2ps2 > (wrong ? kRightAgainM2ps2 : kWrongM2ps2) ? kBouts * var_m2ps2 : 0;
}

void NoiseMonitor::Refresh(double step_s) {
  double jitter_m2 = jitter_.median();
  Level level;
  if (has_velocity_ && gamma20_.count() >= kEnough) {
    level = LevelByVelocities(step_s);
    if (const double error_m2ps2 = VelocityError(step_s); error_m2ps2 > 0) {
      const double unit_m2 = jitter_m2 / level.jitter;
      level = LevelBlind(bend_.median(), step_s);
      level.velocity_var_m2ps2 = error_m2ps2;
      jitter_m2 = std::min(jitter_m2, level.jitter * unit_m2);
    }
  } else if (!has_velocity_ && second_.count() >= kEnough) {
    level = LevelBlind(second_.median(), step_s);
  }
  if (jitter_.count() >= kEnough) jitter_m_ = std::sqrt(jitter_m2);
  level_ = level;
}

void NoiseMonitor::Save(StateWriter& w) const {
  w.U32(static_cast<std::uint32_t>(count_));
  for (std::size_t n = count_; n > 0; --n) {
    const Sample& s = Back(n);
    w.F64s({s.t_s, s.p.e, s.p.n, s.d.e, s.d.n, s.variance_m2});
  }
  w.U32(until_refresh_);
  for (double x : {level_.white, level_.gm, level_.tau_s, level_.jitter, level_.velocity_var_m2ps2})
    w.F64(x);
  w.Bool(level_.measured);
  w.Bool(level_.upper_bound);
  w.OptF64(jitter_m_);
  w.Bool(has_velocity_);
  w.U32(of_other_kind_);
  w.Time(base_);
  for (double x : {last_v_.e, last_v_.n, integral_.e, integral_.n, last_s_}) {
    w.F64(x);
  }
  for (const RunningMedian* m : {&gamma1_, &gamma5_, &gamma20_, &second_, &bend_, &jitter_})
    m->Save(w);
}

void NoiseMonitor::Load(StateReader& r) {
  count_ = r.Count(kRing);
  for (std::size_t i = 0; i < count_; ++i) {
    Sample& s = ring_[i];
    for (double* x : {&s.t_s, &s.p.e, &s.p.n, &s.d.e, &s.d.n, &s.variance_m2}) *x = r.F64();
    if (!(s.variance_m2 > 0)) r.Fail();
  }
  next_ = count_ % kRing;
  until_refresh_ = std::clamp(r.U32(), 1u, kRefresh);
  for (double* x :
       {&level_.white, &level_.gm, &level_.tau_s, &level_.jitter, &level_.velocity_var_m2ps2})
    *x = r.F64();
  if (!(level_.white > 0) || !(level_.gm > 0) || !(level_.tau_s > 0)) r.Fail();
  if (!(level_.velocity_var_m2ps2 >= 0)) r.Fail();
  level_.measured = r.Bool();
  level_.upper_bound = r.Bool();
  jitter_m_ = r.OptF64();
  has_velocity_ = r.Bool();
  of_other_kind_ = r.U32();
  base_ = r.Time();
  for (double* x : {&last_v_.e, &last_v_.n, &integral_.e, &integral_.n, &last_s_}) {
    *x = r.F64();
  }
  for (RunningMedian* m : {&gamma1_, &gamma5_, &gamma20_, &second_, &bend_, &jitter_}) m->Load(r);
}

}  // namespace waymark
