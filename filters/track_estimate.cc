// TrackFilter: what is published. How far the receiver is followed, where a body at rest stands,
// and the radii: what the fixes show of the error and what they cannot.
#include "filters/track_filter.h"

#include <algorithm>
#include <cmath>

namespace waymark {
namespace {

// The scale of an error is itself known to a factor only, so that the error as seen from inside has
// the longer tail of Student's t: with n degrees of freedom in two dimensions the radius of 95 % is
// sqrt((0.05^(-2/n) - 1) / (0.32^(-2/n) - 1)) times that of 68 %. What the fixes show is learned:
// n = 8. What they do not show differs from sky to sky: its sigma on the four surveyed drives of
// estimation.md A.3 spreads by a factor of 1.8 about its mean, as with n = 3. How a body went on
// since the last fix has the longest tail: most roads run straight and some turn. Between fixes 20
// s apart the ratio is 1.8-3.3 from 8 s on, rising with time: n = 2 (`ablation --predicted`).
constexpr double kR95PerR68Seen = 1.8389, kR95PerR68Unseen = 2.3664, kR95PerR68Coasted = 2.9902;
// Orbits and clocks alone: ranges err by 2 m in 95 % at most (GPS SPS Performance Standard, 2020),
// in practice by half a metre, and positions by about as much.
constexpr double kSatelliteSigmaM = 0.5;
constexpr double kLargeSigmaM = 4;     // few phones state as much under an open sky
constexpr double kAltitudeKeptS = 60;  // an older altitude is no answer any more

// Where the track has leapt by d it may have been wrong to, once in five: p d^2 / 2 per axis.
constexpr double kWrongShare = 0.1;
constexpr std::uint32_t kFewLeaps = 2;
constexpr double kCanyonM = 200;         // all that tall buildings do
constexpr double kR95PerSigma = 2.4477;  // of a circular normal error: sqrt(-2 ln 0.05)

}  // namespace

void SetRadii(Estimate& e, double var_m2, double unseen_var_m2, double coasted_var_m2) {
  e.cov_ee_m2 = e.cov_nn_m2 = var_m2;
  e.cov_en_m2 = 0;
  const double sigma_m = std::sqrt(var_m2);
  e.r68_m = kR68PerSigma * sigma_m;
  const double coasted = std::min(1.0, coasted_var_m2 / var_m2);
  const double unseen = std::min(1 - coasted, unseen_var_m2 / var_m2);
  e.r95_m = (kR95PerR68Seen + unseen * (kR95PerR68Unseen - kR95PerR68Seen) +
             coasted * (kR95PerR68Coasted - kR95PerR68Seen)) *
            e.r68_m;
}

double PublishedVariance(double seen_m2, double unseen_m2, bool upper_bound) {
  if (upper_bound && seen_m2 > unseen_m2)
    seen_m2 = std::sqrt(seen_m2 * std::sqrt(seen_m2 * unseen_m2));
  return seen_m2 + unseen_m2;
}

void TrackFilter::FollowReceiver(const Observation& o, const NoiseMonitor::Level& level,
                                 std::optional<double> jitter_m, const FilterTuning& t) {
  const double half2 = Square(t.follow_jitter_m);
  follow_ = jitter_m ? half2 / (half2 + Square(*jitter_m)) : 1;
  bound_only_ = level.upper_bound;
  wrong_velocity_var_ = level.velocity_var_m2ps2;
  const bool sees_drift = measured_v_ && !inferred_v_ && level.velocity_var_m2ps2 == 0;
  variance_scale_ = sees_drift ? t.variance_scale : t.blind_variance_scale;
  const double unseen_m = sees_drift ? t.slow_sigma_m : t.blind_sigma_m;
  // The radius of a receiver that states one is half the truth, in the logarithm; a large one more,
  // up to being taken at its word.
  const double stated_m = o.accuracy_reported ? o.accuracy_m * kSigmaPerR68 : unseen_m;
  slow_var_m2_ = unseen_m * stated_m;
  if (stated_m > kLargeSigmaM) {
    slow_var_m2_ = std::min(slow_var_m2_ * Square(stated_m / kLargeSigmaM), Square(stated_m));
  }
  // A receiver that is followed errs by what it wanders against its own velocities, which is seen,
  // and by what the satellites do not tell it at least.
  if (sees_drift && level.measured) {
    const double wander_var_m2 =
        std::max(noise_.white_var_m2 + noise_.gm_var_m2, Square(kSatelliteSigmaM));
    slow_var_m2_ += t.wander_share * follow_ * (wander_var_m2 - slow_var_m2_);
  }
  if (level.measured && !level.upper_bound) {
    slow_var_m2_ += t.slower_share * (1 - follow_) * (noise_.white_var_m2 + noise_.gm_var_m2);
  }
}

void TrackFilter::SetOffset(bool at_rest, const FilterTuning& t) {
  // What moves from one fix at rest to the next is the error.
  const bool still = at_rest && at_rest_;
  at_rest_ = at_rest;
  // What of b lies beyond three sigmas is no slow error of the receiver but a velocity gone wrong.
  const double limit_m2 = 9 * (noise_.white_var_m2 + noise_.gm_var_m2);
  const double b_m2 = combined_.b.norm2();
  const double share = b_m2 > limit_m2 ? 1 - (1 - follow_) * std::sqrt(limit_m2 / b_m2) : follow_;
  // Right after a much better fix of another kind, p is what it says; b is the others' error.
  const bool better = foreign_ && measured_var_ < noise_.white_var_m2 + noise_.gm_var_m2;
  const Vec2 target = better ? Vec2{} : share * combined_.b;
  rest_ = still ? published_ - combined_.p - target : factors_.rest_release * rest_;
  const double size_m2 = rest_.norm2();
  if (size_m2 > Square(t.rest_limit_m)) rest_ = (t.rest_limit_m / std::sqrt(size_m2)) * rest_;
  offset_ = target + rest_;
  published_ = combined_.p + offset_;
}

void TrackFilter::At(MonoTime time, const FilterTuning& t, Estimate& e) const {
  AxisState s = combined_;
  const double dt_s = Seconds(time - time_);
  if (dt_s > 0) {
    // Coasting: the mixture of the models moves as its mean; a stopped one does not move.
    const GmStep gm = StepGm(noise_, dt_s);
    PredictMoving(s, dt_s, q(t), gm.phi, gm.q_m2);
    // A velocity correlated with the position error may make the next instant surer than this one;
    // not by anything that has been seen.
    s.cov.pp = std::max(s.cov.pp, combined_.cov.pp);
  }
  Describe(s, time, e, variance_scale_ * (s.cov.pp - combined_.cov.pp));
  Doubt(e);
  e.coasting = time > last_used_;
}

// A leap that no fix has agreed with makes two places of one. The radius of 68 % holds the nearer,
// until leaps in a row say that no fix is to be trusted. (Leaps of tens of metres are what a canyon
// does, and in the noise that has been learned.)
void TrackFilter::Doubt(Estimate& e) const {
  if (!unsettled()) return;
  e.cov_ee_m2 += kWrongShare * unsettled_m2_;
  e.cov_nn_m2 = e.cov_ee_m2;
  const double sigma_m = std::sqrt(e.cov_ee_m2);
  e.r95_m = std::max(e.r95_m, kR95PerSigma * sigma_m);
  if (leaps_in_a_row_ > kFewLeaps && unsettled_m2_ > Square(kCanyonM))
    e.r68_m = std::max(e.r68_m, kR68PerSigma * sigma_m);
}

void TrackFilter::Describe(const AxisState& s, MonoTime time, Estimate& e,
                           double coasted_var_m2) const {
  e.time = time;
  const Vec2 out = s.p + offset_;
  e.position = frame_.FromLocal({out.e, out.n});
  const double gamma = near_pole_ ? frame_.ConvergenceRad(e.position) : convergence_per_m_ * out.e;
  const Vec2 v = Turn(s.v, gamma);
  e.velocity_east_mps = v.e;
  e.velocity_north_mps = v.n;
  // E[(out - p)^2 | fixes] = P_pp + w^2 b b^T; its mean over the axes.
  const double seen = variance_scale_ * s.cov.pp + 0.5 * offset_.norm2();
  const double var = PublishedVariance(seen, slow_var_m2_, bound_only_);
  SetRadii(e, var, slow_var_m2_, coasted_var_m2);
  e.speed_sigma_mps = std::sqrt(s.cov.vv);
  e.p_stopped = mode_[kStopped];
  e.p_slow = mode_[kSlow];
  e.p_fast = mode_[kFast];
  e.motion = mode_[kStopped] > 0.5 ? Motion::kStationary : Motion::kMoving;
  if (!altitude_.started()) return;
  const double ahead_s = std::max(0.0, Seconds(time - altitude_.time()));
  if (ahead_s > kAltitudeKeptS) return;
  e.altitude_m = altitude_.AltitudeM(ahead_s);
  e.altitude_sigma_m = altitude_.SigmaM(ahead_s);
}

}  // namespace waymark
