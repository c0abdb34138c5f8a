// TrackFilter: the filter proper, for fixes that the intake has put in order and found possible.
//
// Model. Three axis filters (axis_filter.h) run side by side as an interacting multiple model
// (Blom & Bar-Shalom, IEEE TAC 33(8), 1988): stopped, slow, fast. A fix is position + Gauss-Markov
// error + white noise, of the size that the NoiseMonitor has measured for its source; its weight
// follows Student's t (robust to single outliers). A fix far outside the prediction is not argued
// away but held as the start of a second hypothesis: the track stays where it is until either the
// old track is confirmed or the new place has gathered the votes. The published position is
// p + w b, with w near 1 where the receiver's own output is smooth (do no harm) and near 0 where
// it jitters (trust the dynamics).
// Trivially copyable: a checkpoint is a copy.
#ifndef WAYMARK_FILTERS_TRACK_FILTER_H_
#define WAYMARK_FILTERS_TRACK_FILTER_H_

#include <array>
#include <cstdint>
#include <optional>

#include "filters/altitude_filter.h"
#include "filters/axis_filter.h"
#include "filters/noise_monitor.h"
#include "filters/state_bytes.h"
#include "filters/velocity_trial.h"
#include "waymark/estimate.h"
#include "waymark/fix.h"
#include "waymark/geometry.h"
#include "waymark/time.h"

namespace waymark {

/// The constants of the filter, each with its source. A struct, so that the ablation can vary them
/// (tests/bench/ablation.cc); nothing else may.
struct FilterTuning {
  // Acceleration densities, m^2/s^3: estimation.md A.5, measured 4 on real drives, 0.1 on walks.
  double q_fast = 2.0;
  double q_slow = 0.2;
  // A stopped body: velocity dies within a second, position walks 0.01 m^2/s (A.5).
  double stop_time_constant_s = 1.0;
  double stop_walk_m2ps = 0.003;
  double stop_velocity_var_m2ps2 = 0.0025;
  // How often a motion model gives way to another (A.5 has 0.03; 0.01 to 0.1 make no difference).
  double model_change_per_s = 0.05;
  // Speed from which a body comes to rest within a second: braking at 2-3 m/s^2.
  double rest_from_mps = 2.5;
  // Speed and course lag the position by 0.2-0.5 s (A.3).
  double velocity_latency_s = 0.3;
  // Velocity noise where the phone states none, and the least that is believed (A.5), m/s.
  double velocity_sigma_mps = 0.7;
  double velocity_sigma_floor_mps = 0.15;
  // A reported speed of exactly 0, where the position agrees.
  double rest_sigma_mps = 0.2;
  // Degrees of freedom of Student's t (A.5).
  double student_dof = 4;
  // A fix beyond this normalised innovation squared and this distance opens a second hypothesis.
  // 25: chance 4e-6 for a normal error; the distance keeps small steps of smooth receivers alive.
  double jump_nis = 25;
  double jump_min_m = 20;
  // Nor is a jump what lies in the tail of the noise that has been learned: between tall buildings
  // errors of ten times their median come and go (estimation.md E: jumps of 10 + Exp(50) m).
  double jump_sigmas = 10;
  // After a silence a track without velocities that knows its place to this only has nothing to
  // hold against a fix: first fixes after a tunnel err by 20-80 m (estimation.md E).
  double lost_m = 100;
  // So far, m per axis, the place is open after such a fix (50 m / sqrt 2).
  double first_fix_sigma_m = 35;
  // What vehicles can do: hard braking, a fast turn (m/s^2), and how long it lasts (s).
  double manoeuvre_mps2 = 4;
  double manoeuvre_s = 3;
  // Votes and time that a second hypothesis needs against a well supported track: the bursts of
  // network or multipath positions that the field reports last up to 6 fixes.
  std::uint32_t jump_votes = 7;
  double jump_span_s = 6;
  // Output weight: half where second-to-second jitter is this large, m per axis.
  double follow_jitter_m = 1.0;
  // Error that cannot be seen in the fixes themselves (ionosphere, ephemeris): m per axis. Without
  // velocities the drift over some seconds cannot be seen either, and nothing that can be seen
  // tells one sky from another: the geometric mean over the four surveyed phone drives of
  // estimation.md A.3 (0.7, 1.5, 1.0, 3.1 m per axis).
  double slow_sigma_m = 0.9;
  double blind_sigma_m = 1.4;
  double wander_share = 1;  // of a followed receiver, by what it wanders (0: not at all)
  // Of one that is not followed there is more than can be seen over 20 s: errors of 40 s and more
  // are half of a canyon's variance, a fourth of a suburb's after 20 s (estimation.md E).
  double slower_share = 0.2;
  // The filter's own variance is taken this many times: velocity errors are coloured too, and
  // without velocities manoeuvres are.
  double variance_scale = 1.1;
  double blind_variance_scale = 1.3;
  double gap_restart_s = 120;
  // 1: the noise of a source is learned; 0: its radius is believed (for the ablation).
  double learn_noise = 1;
  // At rest the published position stands still, up to this many metres from where the fixes lead,
  // and this long after (s).
  double rest_limit_m = 3;
  double rest_release_s = 0.5;
  // Over a silence of more than 5 s a body may have been in any mode of motion: real driving has 4.
  double q_long_step = 4;
  // The smoother more: how a body got from fix to fix over such a step says little about how fast
  // it was at either, and would bend the measured velocities.
  double smooth_q_long_step = 12;
  // Between two fixes with velocities the smoothed curve errs less (mixed driving, C.5).
  double q_between = 0.4;
  // How long a change of speed or course takes: 10 m/s at 1-2 m/s^2, in seconds.
  double change_s = 10;
  // The smoother: the least white noise of a fix, m per axis (a chipset's own filter hides it);
  // without velocities to carry the track less;
  double smooth_white_m = 1.5;
  double smooth_white_blind_m = 1.0;
  // no following of the receiver's wander at rest (1) or the same as in motion (0);
  double smooth_freeze = 1.0;
  // and what a jump of d metres discredits: variance d^2 times this just before and just after it,
  // fading over so many seconds. Receivers drift off, then jump back.
  double jump_before = 1.0;
  double jump_after = 0.1;
  double jump_spread_s = 5;
  double jump_detect_m = 6;
};

/// One fix, ready for the filter.
struct Observation {
  MonoTime time{};
  LatLon position;
  double accuracy_m = 0;
  std::optional<double> speed_mps, speed_accuracy_mps, course_deg, course_accuracy_deg;
  std::optional<double> altitude_m, vertical_accuracy_m;
  FixSource source = FixSource::kUnknown;
  bool accuracy_reported = false;
};

inline constexpr double kSigmaPerR68 = 1 / kR68PerSigma;

/// Sets covariance and radii from the variance per axis of a circular error; `unseen_var_m2` is the
/// part of it that the fixes cannot show, `coasted_var_m2` that of the way since the last one.
void SetRadii(Estimate& e, double var_m2, double unseen_var_m2, double coasted_var_m2 = 0);

/// Of a position, per axis: of what the fixes show and of what they cannot. Where they show but an
/// upper bound (manoeuvres between them look like noise) the truth lies between the two: nearer to
/// the bound, three parts to one in the logarithm, for what is published must not be too sure.
double PublishedVariance(double seen_m2, double unseen_m2, bool upper_bound);

class TrackFilter {
 public:
  static constexpr std::size_t kModels = 3, kStopped = 0, kSlow = 1, kFast = 2;

  bool started() const { return started_; }
  MonoTime time() const { return time_; }  ///< of the state
  MonoTime last_used() const { return last_used_; }

  /// Uses `o`, which is not older than time(). `level` is the noise of its source. The verdict is
  /// kAccepted, kAdjusted (with reason) or kProvisional.
  Verdict Step(const Observation& o, const NoiseMonitor::Level& level,
               std::optional<double> jitter_m, const FilterTuning& tuning);
  /// Begins a new track at `o`.
  void Start(const Observation& o, const NoiseMonitor::Level& level, const FilterTuning& tuning);
  void Hint(const MotionSample& sample);

  /// Writes the estimate at `time` >= time() to `e`, which is new; UTC is the caller's. (Filled in
  /// where it stays: a copy of what has just been written stalls the processor.)
  void At(MonoTime time, const FilterTuning& tuning, Estimate& e) const;
  /// The same of `s`, a state of this filter's frame at `time`.
  void Describe(const AxisState& s, MonoTime time, Estimate& e, double coasted_var_m2 = 0) const;
  /// Widens `e` by the leaps of the track that no fix has agreed with.
  void Doubt(Estimate& e) const;
  bool unsettled() const { return unsettled_m2_ > 0; }
  bool SameFrame(const TrackFilter& o) const { return frame_.origin() == o.frame_.origin(); }

  // What the smoother and the noise monitor need of the last step.
  const LocalFrame& frame() const { return frame_; }
  const AxisState& combined() const { return combined_; }
  const NoiseModel& noise() const { return noise_; }     ///< of the track's own source
  bool foreign() const { return foreign_; }              ///< the last fix was not of that kind
  double measured_var() const { return measured_var_; }  ///< its variance without b
  bool fresh_error() const { return fresh_error_; }      ///< b began anew with the last fix
  double follow() const { return follow_; }
  bool at_rest() const { return at_rest_; }
  double slow_var_m2() const { return slow_var_m2_; }
  bool noise_is_bound() const { return bound_only_; }
  const std::array<double, kModels>& mode() const { return mode_; }
  double q(const FilterTuning& tuning) const;
  const AltitudeFilter& altitude() const { return altitude_; }
  Vec2 measured_position() const { return measured_p_; }
  const std::optional<Vec2>& measured_velocity() const { return measured_v_; }
  /// What the velocities of the track's source are known to err by, per axis; 0: no more than
  /// usual.
  double wrong_velocity_var() const { return wrong_velocity_var_; }
  /// The positions deny what the receiver tells of its velocity.
  bool velocity_denied() const { return trial_.denied(); }
  /// Not for who compares positions with velocities.
  bool inferred_velocity() const { return inferred_v_; }
  double measured_velocity_var() const { return measured_v_var_; }
  /// The last fix tells a speed of 0, and the positions have moved on since that began and still
  /// do.
  bool DeniesRest(const FilterTuning& tuning) const;
  bool reanchored() const { return reanchored_; }
  double weight() const { return weight_; }

  void Save(StateWriter& w) const;
  void Load(StateReader& r);

 private:
  friend struct TrackFilterAccess;         // the tests of the inside
  static constexpr double kLongStepS = 5;  ///< over which noise and manoeuvres look alike
  struct Velocity {
    Vec2 v;
    double var = 0;
    bool inferred = false;  ///< its direction is that of the positions
    bool rests = false;     ///< a speed of 0, and the positions do not deny it
  };
  std::optional<Velocity> MeasureVelocity(const Observation& o, Vec2 p, double dt_s,
                                          std::optional<double> jitter_m,
                                          const FilterTuning& tuning);
  bool Believable(const Velocity& v, Vec2 step, double dt_s) const;
  bool IsDenied(const Velocity& v, Vec2 step, double dt_s);
  double StepNoise(double dt_s) const;
  bool MovesOn(Vec2 p, double dt_s, const FilterTuning& tuning);
  bool IsElsewhere(const FilterTuning& tuning) const;
  double StillM() const;
  NoiseModel NoiseOf(const Observation& o, const NoiseMonitor::Level& level) const;
  void MeasureAltitude(const Observation& o);
  void UseHint(Vec2 p, std::optional<Velocity>& v);
  void Unbind(double speed_mps);
  void SetAnchor(LatLon origin);
  void Reanchor();
  void DoubtRepeats(MonoTime time, Vec2 p, const FilterTuning& tuning);
  void PredictModels(double dt_s, const GmStep& gm, const FilterTuning& tuning);
  void MixModels(double dt_s, const FilterTuning& tuning);
  static void BoundManoeuvre(const AxisState& before, AxisState& m);
  void UpdateModels(Vec2 z, double r_m2, const std::optional<Velocity>& v, bool use_position);
  bool Adopt(const Observation& o, const NoiseModel& noise);
  void BeginNoise(const Observation& o, const NoiseModel& stated);
  AxisState Mixture() const;
  void Combine();
  bool IsNoWitness() const { return repeats_ && !measured_v_; }
  void Leap(double leap_m2);
  void Agree(double apart_m2);
  double Settled(double leap_m2, double apart_m2) const;
  Verdict HoldJump(const Observation& o, Vec2 z, double nis, const std::optional<Velocity>& v,
                   double leap2_m2, double expected_var_m2, double manoeuvre_m,
                   const FilterTuning& tuning);
  void FollowReceiver(const Observation& o, const NoiseMonitor::Level& level,
                      std::optional<double> jitter_m, const FilterTuning& tuning);
  void SetOffset(bool at_rest, const FilterTuning& tuning);
  void SetFactors(double dt_s, const FilterTuning& tuning);
  struct Expected {
    Vec2 p;
    double var = 0;
  };
  Vec2 ExpectedBy(const AxisState& s) const;
  double InnovationVar(const AxisState& s, double r_m2) const;
  Expected ExpectPosition() const;
  double NisAfterSilence(Vec2 z, const std::optional<Velocity>& v) const;
  bool GoesOnWithout(Vec2 z, const Expected& expected) const;
  void BeginAtSecond(const Observation& o, const NoiseMonitor::Level& level, bool velocity,
                     double way2_m2, double dt_s, const FilterTuning& tuning);

  bool started_ = false, reanchored_ = false;
  MonoTime time_{}, last_used_{};
  LocalFrame frame_;
  double convergence_per_m_ = 0;  ///< meridian convergence per metre east of the anchor
  bool near_pole_ = false;
  std::array<AxisState, kModels> models_{};
  std::array<double, kModels> mode_{0.2, 0.4, 0.4};
  AxisState combined_;
  NoiseModel noise_;
  FixSource own_source_ = FixSource::kUnknown;
  double usual_accuracy_m_ = 1, usual_off_ = 1;  ///< radius of its fixes; factor they are off by
  std::uint32_t foreign_count_ = 0;
  bool foreign_ = false, fresh_error_ = true;
  double measured_var_ = 1;
  double follow_ = 1;
  Vec2 offset_;     ///< published position less combined_.p
  Vec2 rest_;       ///< the part of it that a rest has left over
  Vec2 published_;  ///< with the last fix that was used
  bool at_rest_ = false;
  double slow_var_m2_ = 2, variance_scale_ = 1;
  bool bound_only_ = false;  ///< the noise that the filter works with is more than there is
  double weight_ = 1;
  double usual_step_s_ = 1;  ///< between the last two fixes used, 1 s at least
  Vec2 measured_p_;
  std::optional<Vec2> measured_v_;
  bool inferred_v_ = false;
  double measured_v_var_ = 1;
  double wrong_velocity_var_ = 0;
  Vec2 last_raw_v_;
  bool has_last_raw_v_ = false;
  VelocityTrial trial_;
  bool at_zero_ = false;          ///< the speed is said to be 0
  Vec2 zero_p_;                   ///< where that began
  MonoTime zero_time_{};          ///< when it was last there
  std::uint32_t support_ = 0;     ///< fixes that agreed with this track lately
  std::uint32_t jump_votes_ = 0;  ///< fixes that agree with the second hypothesis
  MonoTime jump_begin_{};
  Vec2 jump_begin_p_;
  AxisState jump_;
  bool lone_ = false;        ///< the track is a first fix and nothing else
  double doubt_m_ = 0;       ///< > 0: the last fix used may be an outlier if the next lies within
  AxisState without_it_;     ///< the track if it is an outlier
  double unsettled_m2_ = 0;  ///< squares of the leaps, as far as no fix has agreed with them
  double jump_unsettled_m2_ = 0;  ///< what the second hypothesis would add
  std::uint32_t leaps_in_a_row_ = 0;
  bool repeats_ = false;       ///< the last fix told the position of the one before again
  bool moved_before_ = false;  ///< the track was in motion when that began
  MonoTime news_time_{};       ///< of the last fix that did not
  double hint_stopped_ = 0;
  MonoTime hint_time_{};
  Vec2 hint_p_;  ///< the last measured position when it came
  AltitudeFilter altitude_;
  // What depends on the length of a step alone (and on tau): kept between steps, no state.
  struct Factors {
    double dt_s = -1, gm_tau_s = -1;
    double gm_phi = 1, stay = 1, stop_decay = 1, rest_release = 1;
  };
  Factors factors_;
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_TRACK_FILTER_H_
