// Traveller: something that moves over the ellipsoid like a walker, a car, a ship or an aircraft.
#ifndef WAYMARK_REPLAY_TOOL_SCENARIO_MOTION_H_
#define WAYMARK_REPLAY_TOOL_SCENARIO_MOTION_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "replay_tool/ecef.h"
#include "replay_tool/random.h"
#include "waymark/fix.h"

namespace waymark::replay {

/// Directions at a point of the ellipsoid, from arithmetic and square roots alone.
struct SurfaceAxes {
  Vec3 east, north, up;
  explicit SurfaceAxes(Vec3 position);
};
/// Like ToEcef and FromEcef, but the same bits on every machine.
Vec3 PortableToEcef(LatLon p);
LatLon PortableFromEcef(Vec3 v);

enum class Gait : std::uint8_t { kStay, kWalk, kCycle, kDrive, kHighway, kTrek, kSail, kFly };
/// The label of a gait: "Still", "Walk", ...
std::string_view GaitMode(Gait gait);

struct Phase {
  Gait gait = Gait::kStay;
  double duration_s = 0;
};

/// Speeds and turns follow reference prototypes/policy_sim.py, with bounded jerk and turn rate so
/// that 10 Hz truth is smooth. The last phase goes on for ever.
class Traveller {
 public:
  Traveller(LatLon start, double course_deg, std::vector<Phase> phases, std::uint64_t seed);

  void Step(double dt_s);

  Vec3 position() const { return position_; }
  Vec3 velocity() const { return speed_mps_ * direction_; }
  double speed_mps() const { return speed_mps_; }
  double altitude_m() const { return altitude_m_; }
  Gait gait() const { return phases_[phase_].gait; }
  bool standing() const { return speed_mps_ == 0; }

 private:
  struct Wish {
    double speed_mps = 0;
    double turn_rad_s = 0;
    double max_accel_mps2 = 1, max_brake_mps2 = 1;
    double climb_mps = 0;
  };
  Wish Decide(double dt_s);
  void DecideWalk(double dt_s, Wish& wish);
  void DecideCycle(double dt_s, Wish& wish);
  void DecideDrive(double dt_s, Wish& wish);
  void DecideFlight(Wish& wish);
  void QuarterTurn(double rate_rad_s);
  void Turn(double angle_rad);

  Random random_;
  std::vector<Phase> phases_;
  std::size_t phase_ = 0;
  double phase_time_s_ = 0;
  Vec3 position_, direction_;
  double speed_mps_ = 0, accel_mps2_ = 0, turn_rad_s_ = 0, altitude_m_ = 50;
  double target_mps_ = 0;     ///< of driving and cycling
  double turn_left_rad_ = 0;  ///< of the turn under way, signed
  double turn_rate_rad_s_ = 0;
  double pause_left_s_ = 0;
  double wander_ = 0;  ///< slowly varying, unit variance
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SCENARIO_MOTION_H_
