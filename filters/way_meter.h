// WayMeter: how long the way between two estimates was while the device moved, and how wrong that
// can be.
#ifndef WAYMARK_FILTERS_WAY_METER_H_
#define WAYMARK_FILTERS_WAY_METER_H_

#include "waymark/estimate.h"
#include "waymark/fix.h"
#include "waymark/geometry.h"
#include "waymark/time.h"

namespace waymark {

/// The constants of the model that the ablation varies, each with its source.
struct OdometerTuning {
  // Of what noise may have added to the way: between none and all, since turns look the same.
  double noise_share = 0.5;
  // Positions against velocities: where they are a fifth of the step both count alike.
  double jitter_weight = 25;
  // Between two fixes far apart the way runs along the chord (0) or both sides of a corner (1).
  double corner_share = 0.3;
  // Velocities that are too low (or high) stay so for minutes, by a walker's half a metre per
  // second at most (filters/README.md, odometer).
  double drift_s = 60, drift_mps = 0.5;
};

/// An estimate as the odometer needs it.
struct WayNode {
  MonoTime time{};
  LatLon position;
  double ve_mps = 0, vn_mps = 0;
  double speed_mps = 0;  ///< measured without a direction, or the length of the velocity
  double speed_sigma_mps = 0;
  double variance_m2 = 0;  ///< of the position, per axis
  double step_s = 0;       ///< since the estimate before
  bool blind = false;      ///< made from a position alone
  bool told = false;       ///< the receiver reported a speed
  EastNorth heading;  ///< the direction that it reported, of length 1; zero where it is unknown
};
/// `fix`: what the estimate was made from, if known.
WayNode NodeOf(const Estimate& estimate, const Fix* fix);

/// A way and the errors that it may have: independent ones, and those of one sign, that add up.
struct WayLength {
  double distance_m = 0, variance_m2 = 0, doubt_m = 0;
};

/// Measures a way step by step. A value; allocates nothing.
class WayMeter {
 public:
  /// Up to here the turn between two fixes is an arc to within its own noise.
  static constexpr double kShortStepS = 3;
  /// Where velocities are this old they no longer say how the way curved.
  static constexpr double kLongStepS = 60;

  /// The part of the way that noise cannot make much longer: its ends are far apart.
  struct Stretch {
    LatLon from;
    double way_m = 0;
    double noise_m = 0;   ///< longer by errors of the velocity, at most
    double jitter_m = 0;  ///< way where positions jitter as much as they move
    double told_m = 0;    ///< way with reported speeds
  };
  /// What a snapshot keeps.
  struct State {
    EastNorth chords[2];       ///< the last two steps far apart in time; zero where there was none
    double correction_m2 = 0;  ///< running mean square of what positions add to velocities
    double drift_mps = 0;      ///< running mean of what they add along the way
    Stretch stretch;
  };

  explicit WayMeter(const OdometerTuning& tuning = {}) : tuning_(tuning) {}

  /// Adds the step between two estimates, `to` later than `from` and `chord` away from it, to
  /// `way`. What noise made longer is taken off at the end of a stretch: a step may be negative.
  void Step(const WayNode& from, const WayNode& to, EastNorth chord, WayLength& way);
  /// A stretch begins here: the way before says nothing of the one that follows.
  void Begin(LatLon at);
  /// The directions of the steps before say nothing of the road that follows.
  void ForgetChords() { state_.chords[0] = state_.chords[1] = {}; }

  const OdometerTuning& tuning() const { return tuning_; }
  const State& state() const { return state_; }
  void Restore(const State& state);

 private:
  double DriftM(const WayNode& from, const WayNode& to, EastNorth chord, double speed_m);
  void TakeCorner(const WayNode& to, EastNorth chord, WayLength& way);
  void CloseStretch(const WayNode& at, double chord_m, WayLength& way);

  OdometerTuning tuning_;
  State state_;
  LocalFrame stretch_frame_;  ///< at the stretch's begin; derived
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_WAY_METER_H_
