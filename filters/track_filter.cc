#include "filters/track_filter.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace waymark {
namespace {

constexpr double kRadPerDeg = std::numbers::pi / 180;
constexpr double kEarthRadiusM = 6371008.8;  // mean radius (IUGG)
// A plane of this radius is true to 2 mm, and its meridian convergence small (estimation.md B.2).
constexpr double kAnchorRadiusM = 5000;
// Radius of the circle that holds 68 % of a circular normal error, in sigmas per axis:
// sqrt(-2 ln 0.32).
constexpr double kR68PerSigma = 1.5095921854516636, kSigmaPerR68 = 1 / kR68PerSigma;
// The scale of an error is itself known to a factor only, so that the error as seen from inside has
// the longer tail of Student's t: with n degrees of freedom in two dimensions the radius of 95 % is
// sqrt((0.05^(-2/n) - 1) / (0.32^(-2/n) - 1)) times that of 68 %. What the fixes show is learned:
// n = 8. What they do not show differs from sky to sky: its sigma on the four surveyed drives of
// estimation.md A.3 spreads by a factor of 1.8 about its mean, as with n = 3.
constexpr double kR95PerR68Seen = 1.8389, kR95PerR68Unseen = 2.3664;
constexpr std::uint32_t kForeignToOwn = 3;  // in a row, and they are the track's own
constexpr double kMaxSpeedSigmaMps = 100;   // says nothing; a larger number no more
constexpr double kMaxAltitudeM = 1e5;       // where space begins
constexpr double kManoeuvreMps = 30;        // a car on a motorway that stops
constexpr double kLostSigmaM = 40;
constexpr double kRestSlackMps = 1;
constexpr double kHintS = 120;  // a hint of the motion sensors is good for this long
constexpr double kHintSigmaMps = 0.3;
constexpr double kHintStillM = 5;      // within which a body that fidgets stays
constexpr double kRestSpeedMps = 0.3;  // below, a course means nothing
constexpr double kLongStepS = 5;
// Orbits and clocks: ranges err by 0.5 m (GPS SPS Performance Report), positions by about as much.
constexpr double kSatelliteSigmaM = 0.5;
constexpr double kLargeSigmaM = 4;     // few phones state as much under an open sky
constexpr double kAltitudeKeptS = 60;  // an older altitude is no answer any more
constexpr double kLeastMode = 1e-4;
constexpr std::size_t kStopped = 0, kSlow = 1, kFast = 2;

double Square(double x) { return x * x; }

// What a mixture of the models consists of. Its covariance is the mean of theirs and, for each
// pair, the product of their weights times the square of how far their means are apart: a sum of
// positive terms (the mean of both axes, so that these go on sharing one covariance).
class Mixer {
 public:
  explicit Mixer(const std::array<AxisState, TrackFilter::kModels>& models)
      : models_(models),
        stopped_(Apart(models[kStopped], models[kSlow])),
        fast_(Apart(models[kFast], models[kSlow])),
        stopped_slow_(Square(stopped_)),
        slow_fast_(Square(fast_)),
        stopped_fast_(Square(Apart(stopped_, fast_))) {}

  /// The normal distribution with the first two moments of the mixture, whose weights sum to 1.
  AxisState Mix(double stopped, double slow, double fast) const {
    const AxisState& ref = models_[kSlow];
    return {ref.p + stopped * stopped_.p + fast * fast_.p,
            ref.v + stopped * stopped_.v + fast * fast_.v,
            ref.b + stopped * stopped_.b + fast * fast_.b,
            stopped * models_[kStopped].cov + slow * ref.cov + fast * models_[kFast].cov +
                (stopped * slow) * stopped_slow_ + (slow * fast) * slow_fast_ +
                (stopped * fast) * stopped_fast_};
  }

 private:
  struct Difference {
    Vec2 p, v, b;
  };
  template <typename State>
  static Difference Apart(const State& x, const State& ref) {
    return {x.p - ref.p, x.v - ref.v, x.b - ref.b};
  }
  static double MeanProduct(Vec2 x, Vec2 y) { return 0.5 * (x.e * y.e + x.n * y.n); }
  static AxisCov Square(const Difference& d) {
    return {MeanProduct(d.p, d.p), MeanProduct(d.p, d.v), MeanProduct(d.p, d.b),
            MeanProduct(d.v, d.v), MeanProduct(d.v, d.b), MeanProduct(d.b, d.b)};
  }

  const std::array<AxisState, TrackFilter::kModels>& models_;
  Difference stopped_, fast_;  ///< from the slow one
  AxisCov stopped_slow_, slow_fast_, stopped_fast_;
};

}  // namespace

void SetRadii(Estimate& e, double var_m2, double unseen_var_m2) {
  e.cov_ee_m2 = e.cov_nn_m2 = var_m2;
  e.cov_en_m2 = 0;
  const double sigma_m = std::sqrt(var_m2);
  e.r68_m = kR68PerSigma * sigma_m;
  const double unseen = std::min(1.0, unseen_var_m2 / var_m2);
  e.r95_m = (kR95PerR68Seen + unseen * (kR95PerR68Unseen - kR95PerR68Seen)) * e.r68_m;
}

double PublishedVariance(double seen_m2, double unseen_m2, bool upper_bound) {
  if (upper_bound && seen_m2 > unseen_m2)
    seen_m2 = std::sqrt(seen_m2 * std::sqrt(seen_m2 * unseen_m2));
  return seen_m2 + unseen_m2;
}

double TrackFilter::q(const FilterTuning& tuning) const {
  return mode_[kStopped] * 0.01 + mode_[kSlow] * tuning.q_slow + mode_[kFast] * tuning.q_fast;
}

void TrackFilter::SetAnchor(LatLon origin) {
  frame_ = LocalFrame(origin);
  near_pole_ = std::fabs(origin.lat_deg) > 80;
  convergence_per_m_ = near_pole_ ? 0 : -std::tan(origin.lat_deg * kRadPerDeg) / kEarthRadiusM;
}

void TrackFilter::Reanchor() {
  const LocalFrame old = frame_;
  const LatLon origin = old.FromLocal({combined_.p.e, combined_.p.n});
  const double gamma = old.ConvergenceRad(origin);
  const double c = std::cos(gamma), s = std::sin(gamma);
  SetAnchor(origin);
  // Through the sphere, so that offsets from the new anchor are exact too.
  const auto moved = [&](Vec2 p) {
    const EastNorth q = frame_.ToLocal(old.FromLocal({p.e, p.n}));
    return Vec2{q.east_m, q.north_m};
  };
  const auto move = [&](AxisState& x) {
    x.p = moved(x.p);
    x.v = Turn(x.v, c, s);
    x.b = Turn(x.b, c, s);
  };
  for (AxisState& m : models_) move(m);
  move(jump_);
  move(combined_);
  offset_ = Turn(offset_, c, s);
  rest_ = Turn(rest_, c, s);
  measured_p_ = moved(measured_p_);
  published_ = moved(published_);
  hint_p_ = moved(hint_p_);
  last_raw_v_ = Turn(last_raw_v_, c, s);
  reanchored_ = true;
}

NoiseModel TrackFilter::NoiseOf(const Observation& o, const NoiseMonitor::Level& level) const {
  const double var = Square(o.accuracy_m * kSigmaPerR68);
  // The learned scale is bounded: below, because smooth is not true; above, because a receiver
  // that is off by more than five times its word is a case for the second hypothesis.
  const double total = level.total();
  const double unit = var * std::clamp(total, 0.01, 25.0) / total;
  NoiseModel n;
  n.white_var_m2 = std::max(unit * level.white, 1e-4);
  n.gm_var_m2 = std::max(unit * level.gm, 1e-4);
  n.gm_tau_s = level.tau_s;
  return n;
}

std::optional<TrackFilter::Velocity> TrackFilter::MeasureVelocity(const Observation& o, Vec2 p,
                                                                  double dt_s,
                                                                  const FilterTuning& t) {
  if (!o.speed_mps) {
    has_last_raw_v_ = false;
    return std::nullopt;
  }
  const double speed = *o.speed_mps;
  Velocity out;
  double var = Square(std::clamp(o.speed_accuracy_mps.value_or(t.velocity_sigma_mps),
                                 t.velocity_sigma_floor_mps, kMaxSpeedSigmaMps));
  if (o.course_deg) {
    const double gamma = near_pole_ ? frame_.ConvergenceRad(o.position) : convergence_per_m_ * p.e;
    out.v = TurnBy(speed * Heading(*o.course_deg), -gamma);
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
    const double noise2 =
        2 * (noise_.white_var_m2 + noise_.gm_var_m2 * (1 - StepGm(noise_, dt_s).phi));
    if (step2 < 9 * noise2) {  // not known to 20 degrees
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
    if (dt_s > 0 && step_m < kRestSlackMps * dt_s + slack_m) var = Square(t.rest_sigma_mps);
  }
  last_raw_v_ = raw;
  has_last_raw_v_ = true;
  out.var = var;
  return out;
}

void TrackFilter::Start(const Observation& o, const NoiseMonitor::Level& level,
                        const FilterTuning& t) {
  started_ = true;
  reanchored_ = true;
  time_ = last_used_ = o.time;
  SetAnchor(o.position);
  has_last_raw_v_ = false;
  combined_ = {};
  noise_ = NoiseOf(o, level);
  own_source_ = o.source;
  foreign_count_ = 0;
  foreign_ = false;
  fresh_error_ = true;
  measured_var_ = noise_.white_var_m2;
  const auto v = MeasureVelocity(o, {}, 0, t);
  AxisState s;
  s.v = v ? v->v : Vec2{};
  // Without velocity, anything up to a car: 10 m/s per axis.
  s.cov.vv = v ? v->var : 100;
  s.cov.bb = noise_.gm_var_m2;
  s.cov.pp = noise_.white_var_m2 + noise_.gm_var_m2;
  s.cov.pb = -noise_.gm_var_m2;
  models_.fill(s);
  mode_ = {0.2, 0.4, 0.4};
  Combine();
  offset_ = rest_ = {};
  at_rest_ = false;
  measured_p_ = hint_p_ = {};
  measured_v_ = v ? std::optional<Vec2>(v->v) : std::nullopt;
  inferred_v_ = v && v->inferred;
  measured_v_var_ = v ? v->var : 1;
  FollowReceiver(o, level, std::nullopt, t);
  support_ = 1;
  jump_votes_ = 0;
  weight_ = 1;
  usual_step_s_ = 1;
  MeasureAltitude(o);
}

void TrackFilter::MixModels(double dt_s, const FilterTuning& t) {
  const double stay = factors_.stay, hop = 1 - stay;
  // A body in fast motion is slow before it stands: two hops.
  const double twice = hop * hop / 4, once = hop - twice;
  // Within a second or two, only what is about to stand comes to rest; else one outlier beside a
  // motorway would stop a car.
  const double slow2 = Square(t.rest_from_mps);
  const double rest = dt_s > kLongStepS ? 1 : Square(slow2 / (slow2 + combined_.v.norm2()));
  const double halt = rest * hop / 2, jump = rest * twice;
  const double chance[kModels][kModels] = {{stay, once, twice},
                                           {halt, 1 - halt - hop / 2, hop / 2},
                                           {jump, once, 1 - once - jump}};  // from, to
  const std::array<AxisState, kModels> models = models_;
  const std::array<double, kModels> mode = mode_;
  const Mixer mixer(models);
  for (std::size_t j = 0; j < kModels; ++j) {
    const double stopped = chance[kStopped][j] * mode[kStopped];
    const double slow = chance[kSlow][j] * mode[kSlow];
    const double fast = chance[kFast][j] * mode[kFast];
    mode_[j] = stopped + slow + fast;
    const double inv = 1 / mode_[j];
    models_[j] = mixer.Mix(stopped * inv, slow * inv, fast * inv);
  }
}

// Regular fixes are a second apart, and these the same at every step.
void TrackFilter::SetFactors(double dt_s, const FilterTuning& t) {
  if (dt_s == factors_.dt_s && noise_.gm_tau_s == factors_.gm_tau_s) return;
  factors_.gm_tau_s = noise_.gm_tau_s;
  factors_.gm_phi = StepGm(noise_, dt_s).phi;
  if (dt_s == factors_.dt_s) return;
  factors_.dt_s = dt_s;
  factors_.stay = ExpNegative(t.model_change_per_s * std::min(dt_s, 60.0));
  factors_.stop_decay = ExpNegative(dt_s / t.stop_time_constant_s);
  factors_.rest_release = ExpNegative(dt_s / t.rest_release_s);
}

void TrackFilter::PredictModels(double dt_s, const GmStep& gm, const FilterTuning& t) {
  PredictStopped(models_[kStopped], dt_s, t.stop_time_constant_s, factors_.stop_decay,
                 t.stop_walk_m2ps, t.stop_velocity_var_m2ps2, gm.phi, gm.q_m2);
  PredictMoving(models_[kSlow], dt_s, t.q_slow, gm.phi, gm.q_m2);
  // White acceleration stands for one that lasts some seconds: over regular steps that long its
  // power adds up. A silence out of the ordinary is no manoeuvre, but outliers are common after it.
  double q_fast = t.q_fast;
  if (measured_v_ && dt_s > kLongStepS) {
    q_fast = t.q_long_step;
  } else if (dt_s <= 2 * usual_step_s_) {
    q_fast *= std::clamp(dt_s, 1.0, t.manoeuvre_s);
  }
  PredictMoving(models_[kFast], dt_s, q_fast, gm.phi, gm.q_m2);
}

void TrackFilter::Combine() {
  combined_ = Mixer(models_).Mix(mode_[kStopped], mode_[kSlow], mode_[kFast]);
}

// Where the mixture of the models expects the next fix, and its variance before the fix's own.
TrackFilter::Expected TrackFilter::ExpectPosition() const {
  Vec2 at[kModels];
  Expected x;
  for (std::size_t j = 0; j < kModels; ++j) {
    const AxisState& m = models_[j];
    at[j] = foreign_ ? m.p : m.p + m.b;
    x.p = x.p + mode_[j] * at[j];
    x.var += mode_[j] * (foreign_ ? m.cov.pp : PositionInnovationVar(m, 0));
  }
  for (std::size_t j = 0; j < kModels; ++j) x.var += 0.5 * mode_[j] * (at[j] - x.p).norm2();
  return x;
}

void TrackFilter::UpdateModels(Vec2 z, double r_m2, const std::optional<Velocity>& v,
                               bool use_position) {
  // Likelihoods of the models: exp(-quadratic/2) / size, by the smallest quadratic form.
  double quadratic[kModels], size[kModels];
  double least = 1e300;
  for (std::size_t j = 0; j < kModels; ++j) {
    AxisState& m = models_[j];
    Innovation at, speed;
    if (use_position) {
      at = foreign_ ? UpdateForeignPosition(m, z, r_m2) : UpdatePosition(m, z, r_m2);
    }
    if (v) speed = UpdateVelocity(m, v->v, v->var);
    quadratic[j] = at.nis + speed.nis;
    size[j] = at.var * speed.var;
    least = std::min(least, quadratic[j]);
  }
  double sum = 0;
  double likelihood[kModels];
  std::size_t best = 0;
  for (std::size_t j = 0; j < kModels; ++j) {
    const double behind = quadratic[j] - least;
    likelihood[j] = mode_[j] / size[j];
    if (behind > 0) likelihood[j] *= ExpNegative(std::min(0.5 * behind, 50.0));
    sum += likelihood[j];
    if (likelihood[j] > likelihood[best]) best = j;
  }
  const double inv = 1 / sum;
  double total = 0;
  for (std::size_t j = 0; j < kModels; ++j) {
    mode_[j] = likelihood[j] * inv;
    // No model is ever out of the race: from 1e-4 it is back within a few fixes. But what it made
    // of fixes that it could not explain is forgotten: a body at rest left far behind would widen
    // the mixture without end.
    if (mode_[j] < kLeastMode) {
      mode_[j] = kLeastMode;
      models_[j] = models_[best];
    }
    total += mode_[j];
  }
  const double share = 1 / total;
  for (double& m : mode_) m *= share;
}

void TrackFilter::FollowReceiver(const Observation& o, const NoiseMonitor::Level& level,
                                 std::optional<double> jitter_m, const FilterTuning& t) {
  const double half2 = Square(t.follow_jitter_m);
  follow_ = jitter_m ? half2 / (half2 + Square(*jitter_m)) : 1;
  variance_scale_ = t.variance_scale;
  bound_only_ = level.upper_bound;
  const bool sees_drift = measured_v_ && !inferred_v_;
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

Verdict TrackFilter::HoldJump(const Observation& o, Vec2 z, double r_m2, double nis,
                              const std::optional<Velocity>& v, double expected_var_m2,
                              double manoeuvre_m, const FilterTuning& t) {
  const auto begin = [&] {
    jump_ = combined_;
    jump_.p = z;
    jump_.b = {};
    const double r = r_m2 + noise_.gm_var_m2;
    // Without a velocity, the old one or up to that of a car: 15 m/s per axis.
    jump_.cov = {r, 0, -noise_.gm_var_m2, v ? v->var : 225, 0, noise_.gm_var_m2};
    if (v) jump_.v = v->v;
    jump_votes_ = 1;
    jump_begin_ = o.time;
  };
  const Verdict held{Disposition::kProvisional, Reason::kInnovation, nis, t.jump_nis};
  if (jump_votes_ == 0) {
    begin();
    return held;
  }
  const double s = PositionInnovationVar(jump_, r_m2);
  const double d2 = (z - jump_.p - jump_.b).norm2();
  if (d2 > t.jump_nis * s && d2 > Square(t.jump_min_m + manoeuvre_m)) {
    begin();  // the outliers do not even agree with one another
    return held;
  }
  UpdatePosition(jump_, z, r_m2);
  if (v) UpdateVelocity(jump_, v->v, v->var);
  ++jump_votes_;
  const double span_s = Seconds(o.time - jump_begin_);
  // A track that few fixes ever supported is outvoted sooner: a bad first fix never locks it.
  const std::uint32_t needed = std::min(t.jump_votes, 2 + support_);
  const bool enough = jump_votes_ >= needed && (span_s >= t.jump_span_s || support_ < 5);
  const bool waited = jump_votes_ >= 4 && span_s >= 20;
  // Where the old track would be by now is hardly known: two that agree know better.
  const bool lost =
      jump_votes_ >= 2 && span_s > t.jump_span_s && expected_var_m2 > Square(kLostSigmaM);
  if (!enough && !waited && !lost) return held;
  models_.fill(jump_);
  Combine();
  rest_ = {};
  at_rest_ = false;
  offset_ = follow_ * combined_.b;
  support_ = jump_votes_;
  jump_votes_ = 0;
  last_used_ = o.time;
  return {Disposition::kAdjusted, Reason::kReacquired, nis, t.jump_nis};
}

// A position of another kind (a network fix between satellite fixes, a radius twice or half of
// those before) does not share their slow error. True: it is of the track's own kind, or has become
// so.
bool TrackFilter::Adopt(const Observation& o, const NoiseModel& stated) {
  fresh_error_ = false;
  if (o.source == own_source_ && stated.gm_var_m2 < 4 * noise_.gm_var_m2 &&
      4 * stated.gm_var_m2 > noise_.gm_var_m2) {
    foreign_count_ = 0;
    noise_ = stated;
    return true;
  }
  if (++foreign_count_ < kForeignToOwn) return false;
  foreign_count_ = 0;
  own_source_ = o.source;
  noise_ = stated;
  fresh_error_ = true;
  return true;
}

Verdict TrackFilter::Step(const Observation& o, const NoiseMonitor::Level& level,
                          std::optional<double> jitter_m, const FilterTuning& t) {
  const double dt_s = Seconds(o.time - time_);
  reanchored_ = false;
  if (dt_s > t.gap_restart_s) {
    Start(o, level, t);
    FollowReceiver(o, level, jitter_m, t);
    return {Disposition::kAdjusted, Reason::kReacquired, dt_s, t.gap_restart_s};
  }
  if (combined_.p.norm2() > Square(kAnchorRadiusM)) Reanchor();
  const NoiseModel stated = NoiseOf(o, level);
  foreign_ = !Adopt(o, stated);
  SetFactors(std::max(dt_s, 0.0), t);
  const double phi = fresh_error_ ? 0 : factors_.gm_phi;
  const GmStep gm{phi, noise_.gm_var_m2 * (1 - phi * phi)};
  if (dt_s > 0) {
    MixModels(dt_s, t);
    PredictModels(dt_s, gm, t);
    if (jump_votes_ > 0) PredictMoving(jump_, dt_s, t.q_fast, gm.phi, gm.q_m2);
  }
  time_ = o.time;
  const EastNorth local = frame_.ToLocal(o.position);
  const Vec2 z{local.east_m, local.north_m};
  auto v = MeasureVelocity(o, z, dt_s, t);
  UseHint(z, v);
  if (!v && o.speed_mps) Unbind(*o.speed_mps);
  measured_p_ = z;
  measured_v_ = v ? std::optional<Vec2>(v->v) : std::nullopt;
  inferred_v_ = v && v->inferred;
  measured_v_var_ = v ? v->var : 1;
  FollowReceiver(o, level, jitter_m, t);

  // Foreign fixes in a row err alike.
  measured_var_ =
      foreign_ ? (stated.white_var_m2 + stated.gm_var_m2) * foreign_count_ : noise_.white_var_m2;
  const Expected expected = ExpectPosition();
  const double d2 = (z - expected.p).norm2();
  double nis = dt_s > kLongStepS ? 1e300 : d2 / (expected.var + measured_var_);
  if (dt_s > kLongStepS) {
    // After a silence one model that explains position and velocity together is enough; at every
    // second it would let the fastest one take each burst for a manoeuvre.
    for (const AxisState& m : models_) {
      Vec2 y = z - m.p - (foreign_ ? Vec2{} : m.b);
      double s = foreign_ ? m.cov.pp + measured_var_ : PositionInnovationVar(m, measured_var_);
      if (v) {
        const double shared = m.cov.pv + (foreign_ ? 0 : m.cov.vb);
        const double gain = shared / (m.cov.vv + v->var);
        y = y - gain * (v->v - m.v);
        s -= gain * shared;
      }
      nis = std::min(nis, y.norm2() / s);
    }
  }
  // A manoeuvre that began right after the last fix is no jump. After a silence that is out of the
  // ordinary an outlier is likelier than that, and likelier yet from a jittery receiver.
  const double reach_s = std::min(dt_s, 2 * usual_step_s_);
  const double gate = t.jump_nis * (dt_s > reach_s ? 0.3 + 0.7 * follow_ : 1);
  // Without velocities the last one is but the way of two positions: it may be wrong by as much.
  const double manoeuvre_m =
      reach_s * std::min((v ? 0.5 : 1.0) * t.manoeuvre_mps2 * reach_s, kManoeuvreMps);
  // Nor has a track that hardly knows where it would be by now a say: it follows what it gets.
  const double silent_s = Seconds(o.time - last_used_);
  const double lost_m = silent_s <= 2 * usual_step_s_ ? kLostSigmaM : t.lost_m;
  const bool lost = !v && expected.var > Square(lost_m);
  const double sigma_m =
      level.measured && !level.upper_bound ? std::sqrt(noise_.white_var_m2 + noise_.gm_var_m2) : 0;
  const double jump_m = std::max(t.jump_min_m, t.jump_sigmas * sigma_m);
  if (!lost && nis > gate && d2 > Square(jump_m + manoeuvre_m)) {
    weight_ = 0;
    Combine();
    const Verdict verdict = HoldJump(o, z, measured_var_, nis, v, expected.var, manoeuvre_m, t);
    if (verdict.used()) return verdict;
    // The velocity of an outlying position is used if it fits: it is measured independently.
    if (v && (v->v - combined_.v).norm2() < 16 * (combined_.cov.vv + v->var)) {
      UpdateModels(z, 0, v, false);
      Combine();
    }
    return verdict;
  }
  // Student's t with the innovation's own covariance: the weight of a fix that fits is 1 or more,
  // and more than 1 is not believed.
  weight_ = std::min(1.0, (t.student_dof + 2) / (t.student_dof + nis));
  UpdateModels(z, measured_var_ / weight_, v, true);
  Combine();
  // Fixes that are hardly believed, one after the other, and agree among themselves: the track is
  // wrong, not they.
  if (v || weight_ >= 0.5) {
    jump_votes_ = 0;
    support_ = std::min(support_ + 1, 1000u);
  } else {
    const Verdict verdict = HoldJump(o, z, measured_var_, nis, v, expected.var, manoeuvre_m, t);
    if (verdict.used()) return verdict;
  }
  usual_step_s_ = std::max(1.0, silent_s);
  last_used_ = o.time;
  SetOffset(o.speed_mps && *o.speed_mps == 0, t);
  MeasureAltitude(o);
  if (weight_ < 0.5) return {Disposition::kAdjusted, Reason::kDownweighted, weight_, 0.5};
  return {};
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
    const double still_m = kHintStillM + 3 * std::sqrt(noise_.white_var_m2 + noise_.gm_var_m2);
    if ((p - hint_p_).norm2() > Square(still_m)) {
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

Estimate TrackFilter::At(MonoTime time, const FilterTuning& t) const {
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
  Estimate e = DescribeMotion(s);
  e.time = time;
  e.coasting = time > last_used_;
  DescribeAltitude(e);
  return e;
}

void TrackFilter::DescribeAltitude(Estimate& e) const {
  if (!altitude_.started()) return;
  const double ahead_s = std::max(0.0, Seconds(e.time - altitude_.time()));
  if (ahead_s > kAltitudeKeptS) return;
  e.altitude_m = altitude_.AltitudeM(ahead_s);
  e.altitude_sigma_m = altitude_.SigmaM(ahead_s);
}

Estimate TrackFilter::Describe(const AxisState& s, const std::optional<UtcTime>& utc) const {
  Estimate e = DescribeMotion(s);
  e.utc = utc;
  DescribeAltitude(e);
  return e;
}

Estimate TrackFilter::DescribeMotion(const AxisState& s) const {
  Estimate e;
  e.time = time_;
  const Vec2 out = s.p + offset_;
  e.position = frame_.FromLocal({out.e, out.n});
  const double gamma = near_pole_ ? frame_.ConvergenceRad(e.position) : convergence_per_m_ * out.e;
  const Vec2 v = TurnBy(s.v, gamma);
  e.velocity_east_mps = v.e;
  e.velocity_north_mps = v.n;
  // E[(out - p)^2 | fixes] = P_pp + w^2 b b^T; its mean over the axes.
  const double seen = variance_scale_ * s.cov.pp + 0.5 * offset_.norm2();
  const double var = PublishedVariance(seen, slow_var_m2_, bound_only_);
  SetRadii(e, var, slow_var_m2_);
  e.speed_sigma_mps = std::sqrt(s.cov.vv);
  e.p_stopped = mode_[kStopped];
  e.p_slow = mode_[kSlow];
  e.p_fast = mode_[kFast];
  e.motion = mode_[kStopped] > 0.5 ? Motion::kStationary : Motion::kMoving;
  return e;
}

}  // namespace waymark
