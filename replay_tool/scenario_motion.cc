#include "replay_tool/scenario_motion.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <utility>

#include "replay_tool/portable_math.h"

namespace waymark::replay {
namespace {

constexpr double kPolarRadiusM = kEquatorRadiusM * (1 - kFlattening);
constexpr double kRadPerDeg = std::numbers::pi / 180;

Vec3 Cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

Vec3 Unit(Vec3 v) { return (1 / Norm(v)) * v; }

Vec3 Normal(Vec3 p) {
  constexpr double a2 = kEquatorRadiusM * kEquatorRadiusM, b2 = kPolarRadiusM * kPolarRadiusM;
  return {p.x / a2, p.y / a2, p.z / b2};
}

// Kinematic limits of a comfortable ride (ISO 15622 allows 2.5 m/s^3 and 3.5 m/s^2).
constexpr double kJerkMps3 = 2;
constexpr double kLateralMps2 = 3;
constexpr double kTurnLagS = 0.5;
// What policy_sim.py uses: targets in m/s, mean seconds between changes.
constexpr std::array<double, 5> kDriveTargetsMps{0, 8, 14, 25, 30};
constexpr double kDriveChangeS = 45;
constexpr double kDriveTurnS = 30;

}  // namespace

SurfaceAxes::SurfaceAxes(Vec3 position) {
  up = Unit(Normal(position));
  const double equatorial = std::sqrt(position.x * position.x + position.y * position.y);
  // At the pole itself every direction is south (or north): any east will do.
  east =
      equatorial > 0 ? Vec3{-position.y / equatorial, position.x / equatorial, 0} : Vec3{0, 1, 0};
  north = Cross(up, east);
}

Vec3 PortableToEcef(LatLon p) {
  const double sin_lat = PortableSin(p.lat_deg * kRadPerDeg);
  const double cos_lat = PortableCos(p.lat_deg * kRadPerDeg);
  const double n = kEquatorRadiusM / std::sqrt(1 - kEccentricity2 * sin_lat * sin_lat);
  return {n * cos_lat * PortableCos(p.lon_deg * kRadPerDeg),
          n * cos_lat * PortableSin(p.lon_deg * kRadPerDeg), n * (1 - kEccentricity2) * sin_lat};
}

// Bowring's step as in FromEcef, with sine and cosine of the reduced latitude by division.
LatLon PortableFromEcef(Vec3 v) {
  constexpr double kSecondEccentricity2 = kEccentricity2 / (1 - kEccentricity2);
  const double p = std::sqrt(v.x * v.x + v.y * v.y);
  const double y = v.z * kEquatorRadiusM, x = p * kPolarRadiusM;
  const double h = std::sqrt(x * x + y * y);
  const double su = y / h, cu = x / h;
  const double lat = PortableAtan2(v.z + kSecondEccentricity2 * kPolarRadiusM * su * su * su,
                                   p - kEccentricity2 * kEquatorRadiusM * cu * cu * cu);
  double lon_deg = PortableAtan2(v.y, v.x) / kRadPerDeg;
  if (lon_deg >= 180) lon_deg -= 360;
  return {lat / kRadPerDeg, lon_deg};
}

std::string_view GaitMode(Gait gait) {
  switch (gait) {
    case Gait::kStay:
      return "Still";
    case Gait::kWalk:
      return "Walk";
    case Gait::kCycle:
      return "Bike";
    case Gait::kDrive:
    case Gait::kHighway:
    case Gait::kTrek:
      return "Car";
    case Gait::kSail:
      return "Ferry";
    case Gait::kFly:
      return "Plane";
  }
  return "";
}

Traveller::Traveller(LatLon start, double course_deg, std::vector<Phase> phases, std::uint64_t seed)
    : random_(seed, "motion"), phases_(std::move(phases)), position_(PortableToEcef(start)) {
  const SurfaceAxes axes(position_);
  direction_ = PortableSin(course_deg * kRadPerDeg) * axes.east +
               PortableCos(course_deg * kRadPerDeg) * axes.north;
}

void Traveller::Turn(double angle_rad) {
  const Vec3 right = Cross(direction_, Unit(Normal(position_)));
  direction_ = Unit(PortableCos(angle_rad) * direction_ + PortableSin(angle_rad) * right);
}

void Traveller::QuarterTurn(double rate_rad_s) {
  // Two draws, two statements: the operands of one expression have no order.
  const double side = random_.Chance(0.5) ? 1 : -1;
  turn_left_rad_ = side * random_.Uniform(0.6, 1.0) * std::numbers::pi / 2;
  turn_rate_rad_s_ = rate_rad_s;
}

void Traveller::DecideWalk(double dt_s, Wish& wish) {
  wish.max_accel_mps2 = wish.max_brake_mps2 = 1;
  if (pause_left_s_ > 0) {
    pause_left_s_ -= dt_s;
    return;
  }
  if (random_.Chance(dt_s / 240)) pause_left_s_ = random_.Uniform(10, 40);
  if (turn_left_rad_ == 0 && random_.Chance(dt_s / 70)) QuarterTurn(0.9);
  wish.speed_mps = 1.35 + 0.1 * wander_;
  wish.turn_rad_s = 0.03 * wander_;
}

void Traveller::DecideCycle(double dt_s, Wish& wish) {
  wish.max_accel_mps2 = 0.8;
  wish.max_brake_mps2 = 1.5;
  if (pause_left_s_ > 0) {
    pause_left_s_ -= dt_s;
    return;
  }
  if (random_.Chance(dt_s / 180)) pause_left_s_ = random_.Uniform(10, 40);
  if (turn_left_rad_ == 0 && random_.Chance(dt_s / 60)) QuarterTurn(0.45);
  wish.speed_mps = turn_left_rad_ != 0 ? 4 : 5.5 + 0.8 * wander_;
  wish.turn_rad_s = 0.01 * wander_;
}

void Traveller::DecideDrive(double dt_s, Wish& wish) {
  const bool highway = gait() == Gait::kHighway;
  wish.max_accel_mps2 = 1.8;
  wish.max_brake_mps2 = 2.5;
  if (target_mps_ == 0 && speed_mps_ == 0 && phase_time_s_ <= dt_s) target_mps_ = 14;
  if (random_.Chance(dt_s / kDriveChangeS)) {
    target_mps_ = highway ? random_.Uniform(22, 32)
                          : kDriveTargetsMps[random_.Index(kDriveTargetsMps.size())];
  }
  if (highway && target_mps_ < 22) target_mps_ = 27;
  if (!highway && turn_left_rad_ == 0 && speed_mps_ > 2 && speed_mps_ < 9 &&
      random_.Chance(dt_s / kDriveTurnS)) {
    QuarterTurn(0.3);
  }
  wish.speed_mps = turn_left_rad_ != 0 ? std::min(target_mps_, 8.0) : target_mps_;
  wish.turn_rad_s = (highway ? 0.002 : 0.006) * wander_;
}

// Stand, taxi, take off and climb to 10 km, cruise: the clock of the phase decides.
void Traveller::DecideFlight(Wish& wish) {
  wish.max_accel_mps2 = 2.5;
  wish.max_brake_mps2 = 1;
  if (phase_time_s_ < 120) return;
  if (phase_time_s_ < 300) {
    wish.speed_mps = 8;
    wish.turn_rad_s = 0.02 * wander_;
    return;
  }
  wish.speed_mps = speed_mps_ < 80 ? 90 : 230;
  if (speed_mps_ >= 80) {
    wish.max_accel_mps2 = 0.4;
    wish.turn_rad_s = 0.004 * wander_;
    wish.climb_mps = altitude_m_ < 10'000 ? 12 : 0;
  }
}

Traveller::Wish Traveller::Decide(double dt_s) {
  Wish wish;
  switch (gait()) {
    case Gait::kStay:
      // A ship is brought alongside, a car stands on its brakes.
      wish.max_brake_mps2 = phase_ > 0 && phases_[phase_ - 1].gait == Gait::kSail ? 0.15 : 2.5;
      break;
    case Gait::kWalk:
      DecideWalk(dt_s, wish);
      break;
    case Gait::kCycle:
      DecideCycle(dt_s, wish);
      break;
    case Gait::kDrive:
    case Gait::kHighway:
      DecideDrive(dt_s, wish);
      break;
    case Gait::kTrek:
      wish.speed_mps = 10 + wander_;
      break;
    case Gait::kSail:
      wish.max_accel_mps2 = 0.08;
      wish.max_brake_mps2 = 0.15;
      wish.speed_mps = 9;
      wish.turn_rad_s = 0.002 * wander_;
      break;
    case Gait::kFly:
      DecideFlight(wish);
      break;
  }
  return wish;
}

void Traveller::Step(double dt_s) {
  phase_time_s_ += dt_s;
  if (phase_ + 1 < phases_.size() && phase_time_s_ > phases_[phase_].duration_s) {
    ++phase_;
    phase_time_s_ = dt_s;
    target_mps_ = turn_left_rad_ = pause_left_s_ = 0;
  }
  constexpr double kWanderS = 8;
  const double keep = PortableExp(-dt_s / kWanderS);
  wander_ = keep * wander_ + std::sqrt(1 - keep * keep) * random_.Normal();

  const Wish wish = Decide(dt_s);
  const double wanted =
      std::clamp((wish.speed_mps - speed_mps_) / 1.5, -wish.max_brake_mps2, wish.max_accel_mps2);
  accel_mps2_ += std::clamp(wanted - accel_mps2_, -kJerkMps3 * dt_s, kJerkMps3 * dt_s);
  speed_mps_ += accel_mps2_ * dt_s;
  // The controller only creeps towards a stop; the last 5 cm/s are a brake's.
  if (speed_mps_ <= 0 || (wish.speed_mps == 0 && speed_mps_ < 0.05)) {
    speed_mps_ = 0;
    accel_mps2_ = std::max(accel_mps2_, 0.0);
  }

  double turn = wish.turn_rad_s;
  if (turn_left_rad_ != 0) turn = std::copysign(turn_rate_rad_s_, turn_left_rad_);
  if (speed_mps_ > 0) {
    const double limit = kLateralMps2 / speed_mps_;
    turn = std::clamp(turn, -limit, limit);
  } else {
    turn = 0;
  }
  turn_rad_s_ += (turn - turn_rad_s_) * std::min(1.0, dt_s / kTurnLagS);
  if (speed_mps_ == 0) turn_rad_s_ = 0;
  if (turn_left_rad_ != 0) {
    const double before = turn_left_rad_;
    turn_left_rad_ -= turn_rad_s_ * dt_s;
    if (before * turn_left_rad_ <= 0) turn_left_rad_ = 0;
  }
  Turn(turn_rad_s_ * dt_s);
  altitude_m_ += wish.climb_mps * dt_s;

  // Along the tangent, back onto the ellipsoid, and the direction into the new tangent plane: to
  // first order a step along the geodesic.
  Vec3 p = position_ + (speed_mps_ * dt_s) * direction_;
  const Vec3 normal = Normal(p);
  const double excess = (Dot(p, normal) - 1) / (2 * Dot(normal, normal));
  p = p - excess * normal;
  position_ = p;
  const Vec3 up = Unit(Normal(p));
  direction_ = Unit(direction_ - Dot(direction_, up) * up);
}

}  // namespace waymark::replay
