// VelocityTrial: whether the positions of a moving receiver deny its velocities.
//
// Some sources tell velocities that are none: a speed in km/h or knots, a course that is always 0
// or reversed, both many seconds old. A filter that believes them takes the positions for outliers.
// No single fix can tell which of the two is wrong. So time decides: for how long positions that go
// on as a body can, each step much like the one before, have gone another way than the velocities
// say. A burst of outliers may go on so too, but it begins with a kink, as no body makes it: for a
// while after one the positions are no witness. A receiver whose velocities have fitted lately is
// believed for twice as long. (How often it is right: `error_worlds`, velocity of another kind.)
#ifndef WAYMARK_FILTERS_VELOCITY_TRIAL_H_
#define WAYMARK_FILTERS_VELOCITY_TRIAL_H_

#include "filters/axis_filter.h"
#include "filters/state_bytes.h"

namespace waymark {

/// A value; allocates nothing.
class VelocityTrial {
 public:
  /// A step between two fixes, in m and m/s, s and m^2 per axis.
  struct Step {
    Vec2 way;                 ///< of the positions
    double dt_s = 0;          ///< > 0
    double noise_var_m2 = 0;  ///< of `way`, by the errors of the positions
    Vec2 velocity;            ///< as told at its end
    double velocity_var = 0;  ///< as stated, m^2/s^2
  };
  /// Judges the next step. True: with it the velocities are denied that were not before.
  bool Add(const Step& step);
  /// The next step does not go on from the last one: nothing can be said of how steady it is.
  void Break() { last_dt_s_ = 0; }
  /// A position was told again: the way has a kink here, if not one of the body's.
  void Repeat() { last_dt_s_ = steady_s_ = 0; }
  /// True: no velocity of this receiver is to be used.
  bool denied() const { return denied_; }
  /// The axes have turned.
  void TurnAxes(SinCos turn) {
    last_way_ = Turn(last_way_, turn);
    last_velocity_ = Turn(last_velocity_, turn);
  }

  void Save(StateWriter& w) const;
  void Load(StateReader& r);

 private:
  static constexpr double kLongestBurstS = 20;  ///< a burst of outliers at one fix per second

  Vec2 last_way_, last_velocity_;
  double last_dt_s_ = 0;              ///< 0: there is none
  double steady_s_ = kLongestBurstS;  ///< since the way had a kink
  double evidence_s_ = 0;             ///< against the velocities; negative: for them
  bool denied_ = false;
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_VELOCITY_TRIAL_H_
