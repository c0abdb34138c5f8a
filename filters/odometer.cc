// Model: while the device moves, the way between two estimates is the length of the cubic Hermite
// curve through their positions and velocities, so that a turn between them is not cut. While it
// rests nothing counts, however the estimate wanders; when it leaves, the straight way from the
// place of rest to the first moving estimate is added, so that the time until the start was
// noticed is not lost.
//
// Error: within a leg (from rest to rest) the errors of the positions cancel but for the first and
// the last one; each leg adds their variances. What does not cancel, the curvature lost between
// fixes and the jitter gained, grows with the way.
#include "filters/odometer.h"

#include <algorithm>
#include <cmath>

#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr std::uint32_t kStateTag = 0x4F444F4D;  // "ODOM"
constexpr std::uint16_t kStateVersion = 1;

constexpr double kR68PerSigma = 1.5095921854516636;  // sqrt(-2 ln 0.32), circular Gaussian
constexpr double kNormal95 = 1.959963984540054;
// Share of the way that stays unknown however good the positions are. Raw 1 Hz tracks of chipsets
// measure 0.04-0.10 % long against survey-grade truth (estimation.md A.3); the rest is curvature
// between fixes (tests/bench/track_ablation.cc prints the coverage that this gives).
constexpr double kScaleError = 0.0025;
// The place of rest follows the slow drift of the receiver but not a departure.
constexpr double kRestTimeConstantS = 30;
constexpr double kRestSpeedMps = 0.5;
// Where velocities are this old they no longer say how the way curved.
constexpr double kLongStepS = 60;
// Up to here the turn between two fixes is an arc to within its own noise.
constexpr double kShortStepS = 3;
// Faster than this an estimated velocity tells the direction.
constexpr double kHeadingMps = 1.0;
// An excursion from a place of rest: nearer than this and shorter than this it may be the filter
// that follows a jump of the receiver (canyon: 10 s on average, estimation.md E).
constexpr double kExcursionM = 30;
constexpr Duration kExcursion = std::chrono::seconds(60);
// What a gap between fixes hides of the way: roads within a city curve by some percent of a way of
// 10 s (estimation.md A.3: p95 of the linear track, 11 m per 10 s, at about 20 m/s).
constexpr double kUnseenPerS = 0.003, kMostUnseen = 0.3;

// No estimate of ours is beyond these; squares of what is would not be finite.
constexpr double kSaneMps = 1e5, kSaneM = 1e8;

bool Usable(const Estimate& e) {
  return std::isfinite(e.position.lat_deg) && std::isfinite(e.position.lon_deg) &&
         std::abs(e.velocity_east_mps) < kSaneMps && std::abs(e.velocity_north_mps) < kSaneMps &&
         e.r68_m >= 0 && e.r68_m < kSaneM && std::abs(e.position.lat_deg) <= 90 &&
         e.position.lon_deg >= -180 && e.position.lon_deg < 180;
}

}  // namespace

double Odometer::WayM(const Node& to, EastNorth chord) const {
  const double dt_s = Seconds(to.time - last_->time);
  const double chord_m = std::hypot(chord.east_m, chord.north_m);
  const double ve0 = last_->velocity_east_mps, vn0 = last_->velocity_north_mps;
  const double v0_mps = std::hypot(ve0, vn0);
  const double v1_mps = std::hypot(to.velocity_east_mps, to.velocity_north_mps);
  if (dt_s > kLongStepS) return chord_m;
  if (dt_s <= kShortStepS && std::min(v0_mps, v1_mps) > kHeadingMps) {
    const double e = ve0 / v0_mps + to.velocity_east_mps / v1_mps;
    const double n = vn0 / v0_mps + to.velocity_north_mps / v1_mps;
    const double length = std::hypot(e, n);  // 2 cos(turn / 2)
    if (length > 1) {
      const double turn2 = std::max(0.0, 1 - length * length / 4);  // sin^2(turn / 2)
      // An arc is longer than its chord by (turn/2) / sin(turn/2).
      return (chord.east_m * e + chord.north_m * n) / length *
             (1 + turn2 / 6 + 0.075 * turn2 * turn2);
    }
  }
  // Velocities that do not fit the chord (a correction of the position) would make loops.
  const double fastest_mps = 1.5 * chord_m / dt_s;
  const auto limited = [&](double ve, double vn) {
    const double v = std::hypot(ve, vn);
    const double k = v > fastest_mps && v > 0 ? fastest_mps / v : 1;
    return EastNorth{ve * k * dt_s, vn * k * dt_s};
  };
  const EastNorth m0 = limited(ve0, vn0);
  const EastNorth m1 = limited(to.velocity_east_mps, to.velocity_north_mps);
  // Gauss-Legendre of three points over |H'(s)|, s in [0, 1].
  constexpr double kNode[3] = {0.1127016653792583, 0.5, 0.8872983346207417};
  constexpr double kWeight[3] = {5.0 / 18, 8.0 / 18, 5.0 / 18};
  double arc_m = 0;
  for (int i = 0; i < 3; ++i) {
    const double s = kNode[i];
    const double a = 6 * s * (1 - s), b = (1 - s) * (1 - 3 * s), c = s * (3 * s - 2);
    arc_m += kWeight[i] * std::hypot(a * chord.east_m + b * m0.east_m + c * m1.east_m,
                                     a * chord.north_m + b * m0.north_m + c * m1.north_m);
  }
  return std::max(arc_m, chord_m);
}

// Takes one step into the leg that goes on.
void Odometer::Walk(const Node& to, double speed_sigma_mps) {
  const double step_m = WayM(to, frame_.ToLocal(to.position));
  const double length_m = std::abs(step_m);
  const double dt_s = Seconds(to.time - last_->time);
  const double v_mps = std::hypot(to.velocity_east_mps, to.velocity_north_mps);
  // A direction that is wrong by an angle a shows cos(a) of the way; an estimate that jitters as
  // much adds it.
  const double wrong = v_mps > 0 ? std::min(1.0, speed_sigma_mps / v_mps) : 1;
  held_.jitter_m += length_m * wrong * wrong / 2;
  if (dt_s > kShortStepS) {
    const double unseen_m = length_m * std::min(kMostUnseen, kUnseenPerS * dt_s);
    held_.variance_m2 += unseen_m * unseen_m;
  }
  held_.distance_m += step_m;
}

void Odometer::CommitHeld() {
  // A step back of the estimate waits for the step forward that makes it good.
  if (held_.distance_m < 0) return;
  distance_m_ += held_.distance_m;
  variance_m2_ += held_.variance_m2;
  jitter_m_ += held_.jitter_m;
  held_ = {};
}

// The device rests again before it got away from its last place of rest: what it did there is not
// told from noise but by where it ended.
void Odometer::EndExcursion(const Node& at) {
  const EastNorth here = rest_frame_.ToLocal(at.position);
  const double moved_m = std::hypot(here.east_m - rest_.east_m, here.north_m - rest_.north_m);
  held_ = {};
  leaving_.reset();
  if (moved_m <= 2 * std::sqrt(leg_variance_m2_ + at.variance_m2)) return;
  distance_m_ += moved_m;
  EndLeg(at);
}

void Odometer::EndLeg(const Node& at) {
  variance_m2_ += leg_variance_m2_ + at.variance_m2;
  RestAt(at);
}

void Odometer::RestAt(const Node& at) {
  leg_variance_m2_ = at.variance_m2;
  rest_origin_ = at.position;
  rest_frame_ = LocalFrame(rest_origin_);
  rest_ = {};
}

void Odometer::FollowRest(const Node& node) {
  const double dt_s = Seconds(node.time - last_->time);
  const double k = dt_s / (dt_s + kRestTimeConstantS);
  const EastNorth at = rest_frame_.ToLocal(node.position);
  rest_.east_m += k * (at.east_m - rest_.east_m);
  rest_.north_m += k * (at.north_m - rest_.north_m);
}

void Odometer::Update(const Estimate& e, Motion motion) {
  if (!Usable(e) || (last_ && e.time <= last_->time)) return;
  // Unknown after a known state keeps that state: the detector will say when it changes.
  if (motion == Motion::kUnknown) motion = motion_;
  const double sigma_m = std::max(0.0, e.r68_m) / kR68PerSigma;
  const double speed_sigma_mps = std::isfinite(e.speed_sigma_mps) ? std::abs(e.speed_sigma_mps) : 0;
  const Node node{e.time, e.position, e.velocity_east_mps, e.velocity_north_mps, sigma_m * sigma_m};
  if (!last_) {
    RestAt(node);
  } else if (motion == Motion::kUnknown) {
    Walk(node, speed_sigma_mps);
  } else if (motion == Motion::kStationary) {
    if (motion_ == Motion::kStationary) {
      if (e.speed_mps() < kRestSpeedMps) FollowRest(node);
    } else if (leaving_) {
      EndExcursion(node);
    } else if (motion_ == Motion::kMoving) {
      Walk(node, speed_sigma_mps);
      CommitHeld();
      EndLeg(node);
      held_ = {};
    } else {  // it had stood all the time
      held_ = {};
      RestAt(node);
    }
  } else {
    if (motion_ == Motion::kStationary) {
      const EastNorth at = rest_frame_.ToLocal(node.position);
      held_ = {};
      held_.distance_m = std::hypot(at.east_m - rest_.east_m, at.north_m - rest_.north_m);
      leaving_ = node.time;
    } else {
      Walk(node, speed_sigma_mps);
    }
    if (leaving_) {
      const EastNorth at = rest_frame_.ToLocal(node.position);
      const double away_m = std::hypot(at.east_m - rest_.east_m, at.north_m - rest_.north_m);
      if (away_m > std::max(kExcursionM, 4 * sigma_m) || node.time - *leaving_ > kExcursion) {
        leaving_.reset();
      }
    }
    if (!leaving_) CommitHeld();
  }
  motion_ = motion;
  last_ = node;
  frame_ = LocalFrame(node.position);
}

void Odometer::Break() {
  if (motion_ == Motion::kMoving && last_) {
    leaving_.reset();
    CommitHeld();
    variance_m2_ += leg_variance_m2_ + last_->variance_m2;
  }
  held_ = {};
  leaving_.reset();
  leg_variance_m2_ = 0;
  motion_ = Motion::kUnknown;
  last_.reset();
}

Distance Odometer::total() const {
  double variance_m2 = variance_m2_;
  if (last_ && motion_ == Motion::kMoving) variance_m2 += leg_variance_m2_ + last_->variance_m2;
  return {distance_m_, kNormal95 * std::sqrt(variance_m2) + kScaleError * distance_m_ + jitter_m_};
}

Distance Odometer::Between(const Distance& earlier, const Distance& now) {
  const double way_m = std::max(0.0, now.distance_m - earlier.distance_m);
  // Both bounds hold a part that grows with the way and one that adds in squares.
  const double scale_m = kScaleError * way_m;
  const double a = std::max(0.0, earlier.bound_m - kScaleError * earlier.distance_m);
  const double b = std::max(0.0, now.bound_m - kScaleError * now.distance_m);
  return {way_m, std::sqrt(std::max(0.0, b * b - a * a)) + scale_m};
}

void Odometer::Save(std::vector<std::byte>& out) const {
  StateWriter w(out);
  const std::size_t mark = w.BeginBlock(kStateTag, kStateVersion);
  w.Bool(last_.has_value());
  if (last_) {
    w.Time(last_->time);
    w.Position(last_->position);
    w.F64(last_->velocity_east_mps);
    w.F64(last_->velocity_north_mps);
    w.F64(last_->variance_m2);
  }
  w.U8(static_cast<std::uint8_t>(motion_));
  w.Position(rest_origin_);
  w.F64(rest_.east_m);
  w.F64(rest_.north_m);
  w.F64(held_.distance_m);
  w.F64(held_.variance_m2);
  w.F64(held_.jitter_m);
  w.OptTime(leaving_);
  w.F64(distance_m_);
  w.F64(variance_m2_);
  w.F64(jitter_m_);
  w.F64(leg_variance_m2_);
  w.EndBlock(mark);
}

Status Odometer::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  StateReader r(outer.Block(kStateTag, kStateVersion));
  Odometer o;
  if (r.Bool()) {
    Node n;
    n.time = r.Time();
    n.position = r.Position();
    n.velocity_east_mps = r.F64();
    n.velocity_north_mps = r.F64();
    n.variance_m2 = r.F64();
    o.last_ = n;
    o.frame_ = LocalFrame(n.position);
  }
  o.motion_ = r.Enum<Motion>(3);
  o.rest_origin_ = r.Position();
  o.rest_.east_m = r.F64();
  o.rest_.north_m = r.F64();
  o.held_.distance_m = r.F64();
  o.held_.variance_m2 = r.F64();
  o.held_.jitter_m = r.F64();
  o.leaving_ = r.OptTime();
  o.distance_m_ = r.F64();
  o.variance_m2_ = r.F64();
  o.jitter_m_ = r.F64();
  o.leg_variance_m2_ = r.F64();
  if (!outer.done() || !r.done() || o.distance_m_ < 0 || o.variance_m2_ < 0 ||
      o.leg_variance_m2_ < 0) {
    return CorruptState("odometer");
  }
  o.rest_frame_ = LocalFrame(o.rest_origin_);
  *this = o;
  return {};
}

}  // namespace waymark
