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
constexpr double kManoeuvreMps = 30;      // a car on a motorway that stops
constexpr double kUnknownSpeedVar = 225;  // of a car: 15 m/s per axis
constexpr double kLostSigmaM = 40;        // 25 to 60 make no difference (README)
constexpr double kVelocityGate = 16;      // a velocity further off than four sigmas is not believed
constexpr std::uint32_t kFewFixes = 5;    // that support a track: it is hardly known
constexpr double kFarNis = 9;             // three sigmas
constexpr double kAnywhereM = 1e8;
constexpr double kLongestBurstS = 30;  // of outliers that move off together
constexpr double kSettledM2 = 1;       // of a leap this is nothing
constexpr double kAgreedShare = 0.1;   // each fix that agrees with a leap makes ten times the odds
constexpr double kLeastMode = 1e-4;
constexpr double kSamePlaceM = 1e-3;  // receivers round to centimetres
constexpr double kMovesMps = 1;       // who repeats a place at this speed may be elsewhere (intake)

// What a mixture of the models consists of. Its covariance is the mean of theirs and, for each
// pair, the product of their weights times the square of how far their means are apart: a sum of
// positive terms (the mean of both axes, so that these go on sharing one covariance).
class Mixer {
 public:
  explicit Mixer(const std::array<AxisState, TrackFilter::kModels>& models)
      : models_(models),
        stopped_(Apart(models[TrackFilter::kStopped], models[TrackFilter::kSlow])),
        fast_(Apart(models[TrackFilter::kFast], models[TrackFilter::kSlow])),
        stopped_slow_(Square(stopped_)),
        slow_fast_(Square(fast_)),
        stopped_fast_(Square(Apart(stopped_, fast_))) {}

  /// The normal distribution with the first two moments of the mixture, whose weights sum to 1.
  AxisState Mix(double stopped, double slow, double fast) const {
    const AxisState& ref = models_[TrackFilter::kSlow];
    return {ref.p + stopped * stopped_.p + fast * fast_.p,
            ref.v + stopped * stopped_.v + fast * fast_.v,
            ref.b + stopped * stopped_.b + fast * fast_.b,
            stopped * models_[TrackFilter::kStopped].cov + slow * ref.cov +
                fast * models_[TrackFilter::kFast].cov + (0.5 * stopped * slow) * stopped_slow_ +
                (0.5 * slow * fast) * slow_fast_ + (0.5 * stopped * fast) * stopped_fast_};
  }

 private:
  struct Difference {
    Vec2 p, v, b;
  };
  template <typename State>
  static Difference Apart(const State& x, const State& ref) {
    return {x.p - ref.p, x.v - ref.v, x.b - ref.b};
  }
  static AxisCov Square(const Difference& d) {  // the sum over both axes
    return AxisCov::Outer(d.p.e, d.v.e, d.b.e) + AxisCov::Outer(d.p.n, d.v.n, d.b.n);
  }

  const std::array<AxisState, TrackFilter::kModels>& models_;
  Difference stopped_, fast_;  ///< from the slow one
  AxisCov stopped_slow_, slow_fast_, stopped_fast_;
};

// In a silence a body may have turned anywhere: whether `z` lies no further than it gets at its
// speed, and no nearer than it takes to brake (a receiver that repeats itself is no body at rest).
bool MayHaveTurned(const AxisState& before, Vec2 z, double dt_s, double braking_mps2) {
  const double speed_mps = before.v.norm(), braking_s = std::min(dt_s, speed_mps / braking_mps2);
  const double way_m = (z - before.p).norm();
  return way_m < speed_mps * dt_s &&
         way_m > braking_s * (speed_mps - 0.5 * braking_mps2 * braking_s);
}

}  // namespace

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
  const SinCos turn{std::sin(gamma), std::cos(gamma)};
  SetAnchor(origin);
  // Through the sphere, so that offsets from the new anchor are exact too.
  const auto moved = [&](Vec2 p) {
    const EastNorth q = frame_.ToLocal(old.FromLocal({p.e, p.n}));
    return Vec2{q.east_m, q.north_m};
  };
  const auto move = [&](AxisState& x) {
    x.p = moved(x.p);
    x.v = Turn(x.v, turn);
    x.b = Turn(x.b, turn);
  };
  for (AxisState& m : models_) move(m);
  move(jump_);
  move(without_it_);
  move(combined_);
  offset_ = Turn(offset_, turn);
  rest_ = Turn(rest_, turn);
  measured_p_ = moved(measured_p_);
  published_ = moved(published_);
  hint_p_ = moved(hint_p_);
  zero_p_ = moved(zero_p_);
  jump_begin_p_ = moved(jump_begin_p_);
  last_raw_v_ = Turn(last_raw_v_, turn);
  trial_.TurnAxes(turn);
  reanchored_ = true;
}

void TrackFilter::Start(const Observation& o, const NoiseMonitor::Level& level,
                        const FilterTuning& t) {
  started_ = true;
  reanchored_ = true;
  time_ = last_used_ = o.time;
  SetAnchor(o.position);
  has_last_raw_v_ = at_zero_ = false;
  trial_.Break();
  combined_ = {};
  BeginNoise(o, NoiseOf(o, level));
  foreign_ = false;
  measured_var_ = noise_.white_var_m2;
  const auto v = MeasureVelocity(o, {}, 0, std::nullopt, t);
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
  lone_ = true;
  doubt_m_ = unsettled_m2_ = 0;
  leaps_in_a_row_ = 0;
  jump_votes_ = 0;
  repeats_ = false;
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

AxisState TrackFilter::Mixture() const {
  return Mixer(models_).Mix(mode_[kStopped], mode_[kSlow], mode_[kFast]);
}

void TrackFilter::Combine() { combined_ = Mixture(); }

// Where a state expects a fix of the kind at hand; and the variance of their difference, if that of
// the fix alone is `r_m2`. A foreign one does not share b.
Vec2 TrackFilter::ExpectedBy(const AxisState& s) const { return foreign_ ? s.p : s.p + s.b; }
double TrackFilter::InnovationVar(const AxisState& s, double r_m2) const {
  return foreign_ ? s.cov.pp + r_m2 : PositionInnovationVar(s, r_m2);
}

// Where the mixture of the models expects the next fix, and its variance before the fix's own.
TrackFilter::Expected TrackFilter::ExpectPosition() const {
  Vec2 at[kModels];
  Expected x;
  for (std::size_t j = 0; j < kModels; ++j) {
    const AxisState& m = models_[j];
    at[j] = ExpectedBy(m);
    x.p = x.p + mode_[j] * at[j];
    x.var += mode_[j] * InnovationVar(m, 0);
  }
  for (std::size_t j = 0; j < kModels; ++j) x.var += 0.5 * mode_[j] * (at[j] - x.p).norm2();
  return x;
}

// No body changes its velocity by more than it can, unless little was known of it: what a position
// asks for beyond is no motion but a place that was wrong, this one or one before. Nor is the old
// velocity to be relied on then. (By halves, so that either gives way to fixes that agree.)
void TrackFilter::BoundManoeuvre(const AxisState& before, AxisState& m) {
  const Vec2 change = m.v - before.v;
  const double change2 = change.norm2();
  if (change2 <= std::max(Square(kManoeuvreMps), kFarNis * before.cov.vv)) return;
  m.v = 0.5 * before.v + (kManoeuvreMps / std::sqrt(change2)) * change;
  m.cov.vv = std::max(m.cov.vv, kUnknownSpeedVar);
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

// Without velocities a manoeuvre between two fixes and an outlier look alike. The next fix tells:
// whether it is likelier where the last one has led or where the track would be without that one.
// If it fits neither, the track that goes less far does less harm.
bool TrackFilter::GoesOnWithout(Vec2 z, const Expected& expected) const {
  const double s = expected.var + measured_var_;
  const double s0 = InnovationVar(without_it_, measured_var_);
  const double nis = (z - expected.p).norm2() / s;
  const double nis0 = (z - ExpectedBy(without_it_)).norm2() / s0;
  if ((z - expected.p).norm2() > Square(doubt_m_)) return false;
  const bool likelier = nis0 + 2 * std::log(s0) < nis + 2 * std::log(s);
  const bool slower = support_ >= kFewFixes && 4 * without_it_.v.norm2() < combined_.v.norm2();
  return likelier && (nis0 < kFarNis || slower);
}

// Whether one of the models can explain such a velocity or, where they have gone wrong, the step of
// the positions can. A receiver that goes on saying 0, or what it said before it lost its
// satellites, while its positions move on, is not argued with.
bool TrackFilter::Believable(const Velocity& v, Vec2 step, double dt_s) const {
  const auto explains = [&](const AxisState& m) {
    return (v.v - m.v).norm2() < kVelocityGate * (m.cov.vv + v.var);
  };
  return std::any_of(models_.begin(), models_.end(), explains) ||
         (step - dt_s * v.v).norm2() < kVelocityGate * (StepNoise(dt_s) + Square(dt_s) * v.var);
}

// Who was led by velocities that turn out to be none hardly has a place: it is outvoted soon.
bool TrackFilter::IsDenied(const Velocity& v, Vec2 step, double dt_s) {
  if (repeats_) {
    trial_.Repeat();
  } else if (!(dt_s > 0)) {
    trial_.Break();
  } else if (trial_.Add({step, dt_s, StepNoise(dt_s), v.v, v.var})) {
    support_ = 0;
    jump_votes_ = 0;
  }
  return trial_.denied();
}

// What a fix `apart_m2` from where the new track has it leaves of a leap: no less than what is more
// than noise. And a position told again is no second witness.
double TrackFilter::Settled(double leap_m2, double apart_m2) const {
  if (leap_m2 == 0 || IsNoWitness()) return leap_m2;
  const double noise_m2 = kFarNis * (noise_.white_var_m2 + noise_.gm_var_m2);
  const double left_m2 = std::max(kAgreedShare * leap_m2, std::min(apart_m2 - noise_m2, leap_m2));
  return left_m2 < kSettledM2 ? 0 : left_m2;
}

void TrackFilter::Leap(double leap_m2) {
  unsettled_m2_ += leap_m2;
  ++leaps_in_a_row_;
}

void TrackFilter::Agree(double apart_m2) {
  unsettled_m2_ = Settled(unsettled_m2_, apart_m2);
  if (!IsNoWitness()) leaps_in_a_row_ = 0;
}

Verdict TrackFilter::HoldJump(const Observation& o, Vec2 z, double nis,
                              const std::optional<Velocity>& v, double leap2_m2,
                              double expected_var_m2, double manoeuvre_m, const FilterTuning& t) {
  const auto begin = [&] {
    jump_ = combined_;
    jump_.p = z;
    jump_.b = {};
    const double r = measured_var_ + noise_.gm_var_m2;
    // Without a velocity, the old one or up to that of a car.
    jump_.cov = {r, 0, -noise_.gm_var_m2, v ? v->var : kUnknownSpeedVar, 0, noise_.gm_var_m2};
    if (v) jump_.v = v->v;
    jump_votes_ = 1;
    jump_unsettled_m2_ = leap2_m2;
    jump_begin_ = o.time;
    jump_begin_p_ = z;
  };
  const Verdict held{Disposition::kProvisional, Reason::kInnovation, nis, t.jump_nis};
  if (jump_votes_ == 0) {
    begin();
    return held;
  }
  const double s = PositionInnovationVar(jump_, measured_var_);
  const double d2 = (z - jump_.p - jump_.b).norm2();
  if (d2 > t.jump_nis * s && d2 > Square(t.jump_min_m + manoeuvre_m)) {
    // The outliers do not even agree with one another. But after longer than a burst lasts that may
    // be the way of something fast.
    const double step_s = Seconds(o.time - jump_begin_);
    const double way2_m2 = (z - jump_begin_p_).norm2();
    const bool fast = jump_votes_ == 1 && step_s > 0 && step_s < kLongStepS &&
                      Seconds(o.time - last_used_) > kLongestBurstS;
    begin();
    if (fast && !v) jump_.cov.vv = std::max(jump_.cov.vv, 0.5 * way2_m2 / Square(step_s));
    return held;
  }
  const AxisState before = jump_;
  UpdatePosition(jump_, z, measured_var_);
  if (v) {
    UpdateVelocity(jump_, v->v, v->var);
  } else {
    BoundManoeuvre(before, jump_);
  }
  ++jump_votes_;
  jump_unsettled_m2_ = Settled(jump_unsettled_m2_, d2);
  const double span_s = Seconds(o.time - jump_begin_);
  // A track that few fixes ever supported is outvoted sooner: a bad first fix never locks it.
  const std::uint32_t needed = std::min(t.jump_votes, 2 + support_);
  const bool enough = jump_votes_ >= needed && (span_s >= t.jump_span_s || support_ < kFewFixes);
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
  Leap(jump_unsettled_m2_);
  support_ = jump_votes_;
  jump_votes_ = 0;
  doubt_m_ = 0;
  lone_ = false;
  if ((z - jump_begin_p_).norm2() < Square(StillM())) zero_p_ = z;  // at rest in another place
  last_used_ = o.time;
  return {Disposition::kAdjusted, Reason::kReacquired, nis, t.jump_nis};
}

// A receiver that has lost its sky may go on telling its last position. Where that began in motion
// the run says nothing for the track: two fixes that agree elsewhere are enough. One is not, for
// who brakes and then stands may repeat itself too.
void TrackFilter::DoubtRepeats(MonoTime time, Vec2 p, const FilterTuning& t) {
  const bool again = (p - measured_p_).norm2() < Square(kSamePlaceM);
  if (again && !repeats_) {
    moved_before_ = combined_.v.norm2() > Square(kMovesMps);
    news_time_ = time_;
  }
  const bool ends = repeats_ && !again;
  repeats_ = again;
  if (ends && moved_before_ && Seconds(time - news_time_) < t.gap_restart_s) support_ = 0;
}

// After a silence one model that explains position and velocity together is enough; at every second
// it would let the fastest one take each burst for a manoeuvre.
double TrackFilter::NisAfterSilence(Vec2 z, const std::optional<Velocity>& v) const {
  double least = 1e300;
  for (const AxisState& m : models_) {
    Vec2 y = z - ExpectedBy(m);
    double s = InnovationVar(m, measured_var_);
    if (v) {
      const double shared = m.cov.pv + (foreign_ ? 0 : m.cov.vb);
      const double gain = shared / (m.cov.vv + v->var);
      y = y - gain * (v->v - m.v);
      s -= gain * shared;
    }
    least = std::min(least, y.norm2() / s);
  }
  return least;
}

// Of a lone first fix and a second one, `way2_m2` apart, the later is the better guess (as the
// intake has it); the third may tell that it was not. Without a velocity that may have been the
// way.
void TrackFilter::BeginAtSecond(const Observation& o, const NoiseMonitor::Level& level,
                                bool velocity, double way2_m2, double dt_s, const FilterTuning& t) {
  AxisState first = Mixture();
  const LatLon first_place = frame_.FromLocal({first.p.e, first.p.n});
  Start(o, level, t);
  lone_ = false;
  for (AxisState& m : models_) {
    if (!velocity) m.cov.vv = std::max(m.cov.vv, 0.5 * way2_m2 / Square(std::max(dt_s, 1.0)));
  }
  Combine();
  const EastNorth from_here = frame_.ToLocal(first_place);
  first.p = {from_here.east_m, from_here.north_m};
  without_it_ = first;
  doubt_m_ = kAnywhereM;
  Leap(way2_m2);
}

Verdict TrackFilter::Step(const Observation& o, const NoiseMonitor::Level& level,
                          std::optional<double> jitter_m, const FilterTuning& t) {
  const double dt_s = Seconds(o.time - time_);
  reanchored_ = false;
  const double silent_s = Seconds(o.time - last_used_);  // nothing came, or nothing that fits
  if (silent_s > t.gap_restart_s) {
    Start(o, level, t);
    FollowReceiver(o, level, jitter_m, t);
    return {Disposition::kAdjusted, Reason::kReacquired, silent_s, t.gap_restart_s};
  }
  if (combined_.p.norm2() > Square(kAnchorRadiusM)) Reanchor();
  const EastNorth local = frame_.ToLocal(o.position);
  const Vec2 z{local.east_m, local.north_m};
  DoubtRepeats(o.time, z, t);
  const NoiseModel stated = NoiseOf(o, level);
  foreign_ = !Adopt(o, stated);
  SetFactors(std::max(dt_s, 0.0), t);
  time_ = o.time;
  auto v = MeasureVelocity(o, z, dt_s, jitter_m, t);
  const AxisState& before = combined_;  // until the models are combined again
  const double phi = fresh_error_ ? 0 : factors_.gm_phi;
  const GmStep gm{phi, noise_.gm_var_m2 * (1 - phi * phi)};
  if (dt_s > 0) {
    MixModels(dt_s, t);
    PredictModels(dt_s, gm, t);
    if (jump_votes_ > 0) PredictMoving(jump_, dt_s, t.q_fast, gm.phi, gm.q_m2);
    if (doubt_m_ > 0) PredictMoving(without_it_, dt_s, t.q_fast, gm.phi, gm.q_m2);
  }
  // Speeds that are wrong are so in motion.
  if (v && !v->inferred && *o.speed_mps > 0) v->var = std::max(v->var, level.velocity_var_m2ps2);
  UseHint(z, v);
  if (v && !v->inferred) {
    const Vec2 step = z - measured_p_;
    const bool denied = *o.speed_mps > 0 && IsDenied(*v, step, dt_s);
    if (denied || !Believable(*v, step, dt_s)) v.reset();
  }
  if (!v && o.speed_mps && !trial_.denied()) Unbind(*o.speed_mps);
  measured_p_ = z;
  measured_v_ = v ? std::optional<Vec2>(v->v) : std::nullopt;
  inferred_v_ = v && v->inferred;
  measured_v_var_ = v ? v->var : 1;
  FollowReceiver(o, level, jitter_m, t);

  // Foreign fixes in a row err alike.
  measured_var_ =
      foreign_ ? (stated.white_var_m2 + stated.gm_var_m2) * foreign_count_ : noise_.white_var_m2;
  const bool turned = dt_s > 2 * usual_step_s_ && MayHaveTurned(before, z, dt_s, t.manoeuvre_mps2);
  Expected expected = ExpectPosition();
  const bool last_was_outlier = doubt_m_ > 0 && GoesOnWithout(z, expected);
  if (last_was_outlier) {
    models_.fill(without_it_);
    Combine();
    expected = ExpectPosition();
  }
  const double d2 = (z - expected.p).norm2();
  const double nis =
      dt_s > kLongStepS ? NisAfterSilence(z, v) : d2 / (expected.var + measured_var_);
  // A manoeuvre that began right after the last fix is no jump. After a silence that is out of the
  // ordinary an outlier is likelier than that, and likelier yet from a jittery receiver.
  const double reach_s = std::min(dt_s, 2 * usual_step_s_);
  const double gate = t.jump_nis * (dt_s > reach_s ? 0.3 + 0.7 * follow_ : 1);
  // A body brakes from its speed or speeds up; who walks does not get far in some seconds.
  const double fastest_mps = combined_.v.norm() + std::sqrt(combined_.cov.vv);
  const auto furthest_m = [&](double s) { return s * (fastest_mps + 0.5 * t.manoeuvre_mps2 * s); };
  // Without velocities the last one is but the way of two positions: it may be wrong by as much.
  const double manoeuvre_m =
      std::min(reach_s * std::min((v ? 0.5 : 1.0) * t.manoeuvre_mps2 * reach_s, kManoeuvreMps),
               v ? 1e300 : furthest_m(reach_s));
  // Nor has a track that hardly knows where it would be by now a say: it follows what it gets, if
  // it can have got there.
  const bool silence = silent_s > 2 * usual_step_s_;
  const bool beyond = d2 > Square(furthest_m(silent_s) + t.jump_min_m + std::sqrt(expected.var));
  const double lost_m = silence ? t.lost_m : kLostSigmaM;
  const bool lost = !v && (expected.var > Square(lost_m) || turned) && !beyond;
  const double sigma_m =
      level.measured && !level.upper_bound ? std::sqrt(noise_.white_var_m2 + noise_.gm_var_m2) : 0;
  const double jump_m = std::max(t.jump_min_m, t.jump_sigmas * sigma_m);
  if (lone_ && nis > kFarNis && d2 > Square(jump_m + manoeuvre_m)) {
    BeginAtSecond(o, level, v.has_value(), d2, dt_s, t);
    return {Disposition::kAdjusted, Reason::kReacquired, nis, kFarNis};
  }
  if (!lost && nis > gate && d2 > Square(jump_m + manoeuvre_m)) {
    weight_ = 0;
    Combine();
    const Verdict verdict = HoldJump(o, z, nis, v, d2, expected.var, manoeuvre_m, t);
    if (verdict.used()) return verdict;
    // The velocity of an outlying position is used if it fits: it is measured independently.
    if (v && (v->v - combined_.v).norm2() < kVelocityGate * (combined_.cov.vv + v->var)) {
      UpdateModels(z, 0, v, false);
      Combine();
    }
    return verdict;
  }
  jump_votes_ = 0;
  const bool young = support_ < kFewFixes;
  // After a silence that left the place open, this fix alone says where it is.
  const bool open = silence && expected.var > Square(t.jump_min_m);
  support_ = open ? 1 : std::min(support_ + 1, 1000u);
  // Student's t with the innovation's own covariance: the weight of a fix that fits is 1 or more,
  // and more than 1 is not believed.
  weight_ = std::min(1.0, (t.student_dof + 2) / (t.student_dof + nis));
  const bool unclear = !v && (lone_ || nis > kFarNis);
  doubt_m_ = unclear ? kAnywhereM : open ? 3 * t.first_fix_sigma_m : 0;
  if (doubt_m_ > 0) without_it_ = Mixture();
  lone_ = false;
  if (nis > kFarNis && d2 > Square(t.jump_min_m)) {
    Leap(d2);
  } else {
    Agree(d2);
  }
  UpdateModels(z, measured_var_ / weight_, v, true);
  if (!v) {
    for (AxisState& m : models_) BoundManoeuvre(before, m);
  }
  if (open && v) {
    for (AxisState& m : models_) m.cov.pp += Square(t.first_fix_sigma_m);
  }
  Combine();
  // One silence makes no habit: of a track that is known the usual step doubles at most. Nor do a
  // few short steps end it.
  const double step_s = young ? silent_s : std::min(silent_s, 2 * usual_step_s_);
  usual_step_s_ = std::max({1.0, step_s, 0.9 * usual_step_s_});
  last_used_ = o.time;
  SetOffset(v && v->rests, t);
  MeasureAltitude(o);
  if (last_was_outlier) return {Disposition::kAdjusted, Reason::kReacquired, nis, kFarNis};
  if (weight_ < 0.5) return {Disposition::kAdjusted, Reason::kDownweighted, weight_, 0.5};
  return {};
}

}  // namespace waymark
