// TrackFilter: what a fix says. Its velocity, brought forward by its latency; the noise of its
// position, of the track's own source or a foreign one; the hints of the motion sensors.
#include "filters/track_filter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace waymark {
namespace {

constexpr double kRadPerDeg = std::numbers::pi / 180;
constexpr std::uint32_t kForeignToOwn = 3;  // in a row, and they are the track's own
// Radii off by this factor are of another kind, unless this receiver's differ so from fix to fix:
// four mean deviations (of the logarithm) hold 99.9 % of a normal distribution.
constexpr double kOtherKind = 2, kUsualFixes = 16;
constexpr double kLeastNoise = 0.01, kMostNoise = 25;  // per variance that the radius says
constexpr double kSmoothM2 = kLeastNoise * 100 * kSigmaPerR68 * kSigmaPerR68;
constexpr double kMaxSpeedSigmaMps = 100;  // says nothing; a larger number no more
constexpr double kMaxAltitudeM = 1e5;      // where space begins
constexpr double kRestSlackMps = 1, kSteadySigmas = 4;
constexpr double kHintS = 120;   // a hint of the motion sensors is good for this long
constexpr double kWanderS = 60;  // a receiver at rest wanders by metres a minute, not by a walk
constexpr double kHintSigmaMps = 0.3;
constexpr double kStillM = 5;          // within which a body that fidgets stays
constexpr double kMovesSigmas = 3;     // a circular normal error is beyond in one of ninety cases
constexpr double kRestSpeedMps = 0.3;  // below, a course means nothing

}  // namespace

NoiseModel TrackFilter::NoiseOf(const Observation& o, const NoiseMonitor::Level& level) const {
  const double var = Square(o.accuracy_m * kSigmaPerR68);
  // The learned scale is bounded: below, because smooth is not true (where the radius is large, by
  // what that is of one of 10 m); above, because a receiver that is off by more than five times its
  // word is a case for the second hypothesis.
  const double total = level.total();
  const double least = std::min(kLeastNoise, kSmoothM2 / var);
  const double unit = var * std::clamp(total, least, kMostNoise) / total;
  NoiseModel n;
  n.white_var_m2 = std::max(unit * level.white, 1e-4);
  n.gm_var_m2 = std::max(unit * level.gm, 1e-4);
  n.gm_tau_s = level.tau_s;
  return n;
}

// Variance per axis of the step between two positions of the track's own kind, by their errors.
double TrackFilter::StepNoise(double dt_s) const {
  return 2 * (noise_.white_var_m2 + noise_.gm_var_m2 * (1 - StepGm(noise_, dt_s).phi));
}

// Some receivers say 0 for want of a speed. Where the body was when they began tells, once it has
// been elsewhere for longer than a burst of outliers lasts. A receiver at rest wanders, but slower
// than anyone walks.
bool TrackFilter::MovesOn(Vec2 p, double dt_s, const FilterTuning& t) {
  if (!at_zero_ || dt_s > kLongStepS) zero_p_ = p;  // between long steps it may have moved
  at_zero_ = true;
  if ((p - zero_p_).norm2() < Square(StillM())) {
    zero_p_ = zero_p_ + std::min(1.0, dt_s / kWanderS) * (p - zero_p_);
    zero_time_ = time_;
  }
  return IsElsewhere(t);
}

bool TrackFilter::IsElsewhere(const FilterTuning& t) const {
  return at_zero_ && Seconds(time_ - zero_time_) >= t.jump_span_s;
}

// Elsewhere it may have been put by a jump that lasts; there it stands again.
bool TrackFilter::DeniesRest(const FilterTuning& t) const {
  return IsElsewhere(t) && combined_.v.norm2() > Square(kMovesSigmas) * combined_.cov.vv;
}

// How far from where it was the positions of a body that fidgets are found.
double TrackFilter::StillM() const {
  return kStillM + 3 * std::sqrt(noise_.white_var_m2 + noise_.gm_var_m2);
}

std::optional<TrackFilter::Velocity> TrackFilter::MeasureVelocity(const Observation& o, Vec2 p,
                                                                  double dt_s,
                                                                  std::optional<double> jitter_m,
                                                                  const FilterTuning& t) {
  if (!o.speed_mps || *o.speed_mps > 0) at_zero_ = false;
  if (!o.speed_mps) {
    has_last_raw_v_ = false;
    return std::nullopt;
  }
  const double speed = *o.speed_mps;
  if (speed == 0 && MovesOn(p, dt_s, t)) {
    has_last_raw_v_ = false;
    return std::nullopt;
  }
  Velocity out;
  double var = Square(std::clamp(o.speed_accuracy_mps.value_or(t.velocity_sigma_mps),
                                 t.velocity_sigma_floor_mps, kMaxSpeedSigmaMps));
  if (o.course_deg) {
    const double gamma = near_pole_ ? frame_.ConvergenceRad(o.position) : convergence_per_m_ * p.e;
    out.v = Turn(speed * Heading(*o.course_deg), -gamma);
    if (o.course_accuracy_deg) {
      // Isotropic: the larger of the two axes' errors would waste a good speed, the mean does not.
      const double across = speed * std::min(*o.course_accuracy_deg * kRadPerDeg, 1.0);
      var = (var + std::max(across * across, var)) / 2;
    }
  } else if (speed < kRestSpeedMps) {
    out.v = {};
  } else {
    // Speed without course: along the step of the positions, as far as their noise lets it be seen.
    // The filter's own direction would be its guess, fed back to it.
    const Vec2 step = p - measured_p_;
    const double step2 = step.norm2();
    if (!(dt_s > 0 && dt_s < kLongStepS) || step2 == 0) {
      has_last_raw_v_ = false;
      return std::nullopt;
    }
    out.v = (speed / std::sqrt(step2)) * step;
    const double noise2 = StepNoise(dt_s);
    // Not known to 20 degrees, or a jump: too long for the speed.
    const double surplus_m = std::sqrt(step2) - speed * dt_s;
    if (step2 < 9 * noise2 ||
        surplus_m > std::max(t.jump_min_m, t.jump_sigmas * std::sqrt(noise2 / 2))) {
      has_last_raw_v_ = false;
      return std::nullopt;
    }
    var += 0.5 * speed * speed * noise2 / step2;
    out.inferred = true;
  }
  // Late by the latency: go ahead with the acceleration seen, of what vehicles can do (4 m/s^2).
  const Vec2 raw = out.v;
  if (has_last_raw_v_ && dt_s > 0 && dt_s < 3) {
    Vec2 a = (1 / dt_s) * (raw - last_raw_v_);
    const double a2 = a.norm2();
    if (a2 > 16) a = (4 / std::sqrt(a2)) * a;
    out.v = out.v + t.velocity_latency_s * a;
    var += 0.01 * std::min(a2, 16.0);
  }
  if (speed == 0) {
    out.v = {};
    // Chipsets say exactly 0 in 94-99 % of the stopped seconds and hardly ever else (A.3), unless
    // the position says otherwise: then it is but a velocity.
    const double step_m = (p - measured_p_).norm();
    const double slack_m = 2 * std::sqrt(noise_.white_var_m2 + noise_.gm_var_m2);
    double most_m = kRestSlackMps * dt_s + slack_m;
    // A receiver that is seen to be steady shows the slowest way (some say 0 below half a metre a
    // second and more).
    if (jitter_m) most_m = std::min(most_m, kSteadySigmas * *jitter_m);
    out.rests = dt_s > 0 && step_m < most_m;
    if (out.rests) var = Square(t.rest_sigma_mps);
  }
  last_raw_v_ = raw;
  has_last_raw_v_ = true;
  out.var = var;
  return out;
}

// A position of another kind (a network fix between satellite fixes, a radius off by a factor of
// two, or by more than this receiver's radii usually are) does not share the slow error of those
// before. True: it is of the track's own kind, or has become so.
bool TrackFilter::Adopt(const Observation& o, const NoiseModel& stated) {
  fresh_error_ = false;
  const double off = std::max(o.accuracy_m / usual_accuracy_m_, usual_accuracy_m_ / o.accuracy_m);
  const bool own = o.source == own_source_;
  const bool usual = own && off < std::max(kOtherKind, Square(Square(usual_off_)));
  if (own) usual_off_ += (std::min(off, kOtherKind) - usual_off_) / kUsualFixes;
  if (usual) {
    foreign_count_ = 0;
    usual_accuracy_m_ += (o.accuracy_m - usual_accuracy_m_) / kUsualFixes;
    noise_ = stated;
    return true;
  }
  if (++foreign_count_ < kForeignToOwn) return false;
  BeginNoise(o, stated);
  return true;
}

// What the fixes of the track are from here on.
void TrackFilter::BeginNoise(const Observation& o, const NoiseModel& stated) {
  own_source_ = o.source;
  usual_accuracy_m_ = o.accuracy_m;
  foreign_count_ = 0;
  noise_ = stated;
  fresh_error_ = true;
}

void TrackFilter::MeasureAltitude(const Observation& o) {
  if (!o.altitude_m || !(std::fabs(*o.altitude_m) < kMaxAltitudeM)) return;
  // VDOP is about 1.5 times HDOP where the sky is open (GPS SPS Performance Standard, 2020).
  altitude_.Update(o.time, *o.altitude_m, o.vertical_accuracy_m.value_or(1.5 * o.accuracy_m));
}

// A speed in no known direction: what the models know of the velocity ends where it exceeds theirs.
void TrackFilter::Unbind(double speed_mps) {
  if (speed_mps < kRestSpeedMps) return;
  for (AxisState& m : models_) {
    const double beyond = speed_mps - m.v.norm();
    if (beyond > 0) m.cov.vv = std::max(m.cov.vv, 0.5 * beyond * beyond);
  }
  mode_[kStopped] = 1e-4;
  const double sum = mode_[kStopped] + mode_[kSlow] + mode_[kFast];
  for (double& m : mode_) m /= sum;
}

// Sensors that feel no motion stand in for a missing speed; such that feel some rule out rest.
void TrackFilter::UseHint(Vec2 p, std::optional<Velocity>& v) {
  const double age_s = Seconds(time_ - hint_time_);
  if (hint_stopped_ == 0 || age_s < 0 || age_s > kHintS) return;
  if (hint_stopped_ > 0) {
    // Sensors notice late that a body has moved on. Where it was when they spoke tells.
    if ((p - hint_p_).norm2() > Square(StillM())) {
      hint_stopped_ = 0;
      return;
    }
    if (!v) v = Velocity{{}, Square(kHintSigmaMps / hint_stopped_)};
    return;
  }
  mode_[kStopped] = std::max(1e-4, mode_[kStopped] * (1 + 0.9 * hint_stopped_));
  const double sum = mode_[kStopped] + mode_[kSlow] + mode_[kFast];
  for (double& m : mode_) m /= sum;
}

void TrackFilter::Hint(const MotionSample& sample) {
  if (sample.activity == Activity::kUnknown || !(sample.confidence >= 0.3)) return;
  const double c = std::min(sample.confidence, 1.0);
  hint_stopped_ = sample.activity == Activity::kStill ? c : -c;
  hint_time_ = sample.time;
  hint_p_ = measured_p_;
}

}  // namespace waymark
