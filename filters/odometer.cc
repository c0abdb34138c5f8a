// Model: while the device moves, a step of the way is the length of the curve through two estimates
// and their velocities, so that a turn between them is not cut; where the positions jitter against
// the velocities it is, by as much, the speed times the time instead: the speed that the receiver
// reports without a course, or else the estimate's. Over stretches that are long against the noise
// the chord says how much of the sum may be noise: positions alone make velocities that wander, and
// half of what they may have added is taken off.
// While the device rests nothing counts, however the estimate wanders; when it leaves, the way from
// the place of rest is added, so that the time until the start was noticed is not lost. A start is
// held back while it may be a jump of the receiver that comes back. When it comes to rest, what it
// seemed to walk within the noise about the place is taken back.
//
// Error: within a leg (from rest to rest) the errors of the positions cancel but for the first and
// the last one; each leg adds their variances. What has one sign adds up: noise that may have made
// the way longer, corners cut between fixes far apart, what is held back.
#include "filters/odometer.h"

#include <algorithm>
#include <cmath>

namespace waymark {
namespace {

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
constexpr double kExcursionPerNoiseS = 8;  // as long as a rest takes to be seen
// A filter follows a jump in so many steps.
constexpr double kJumpSteps = 4;
constexpr Duration kExcursion = std::chrono::seconds(60), kJump = std::chrono::seconds(30);
// What a gap between fixes hides of the way: roads within a city curve by some percent of a way of
// 10 s (estimation.md A.3: p95 of the linear track, 11 m per 10 s, at about 20 m/s).
constexpr double kUnseenPerS = 0.003, kMostUnseen = 0.3;

// Positions against velocities: corrections are averaged over so many steps, and where they are a
// fifth of the step both count alike (a tenth or a half: filters/README.md, odometer).
constexpr double kCorrectionSteps = 30;
// A stretch of ten sigma is longer by noise by one percent at most: sigma^2 / length^2.
constexpr double kStretchSigmas = 10;
// How far behind the live velocity is where no receiver tells one: what a ring of 8 m/s and 25 m
// loses (filters/README.md), and the most that a turn may lose.
constexpr double kBlindLagS = 1.0, kMostCut = 0.1;
// Chords shorter than this are turned by noise.
constexpr double kCornerSigmas = 3;
// A corner of 90 degrees in the middle of a step turns both chords by 45 and adds 0.41 of it; it
// may lie nearer to either end, and an arc adds 0.05.
constexpr double kBendDoubt = 0.12;
// A sharper turn is no street corner but the way back.
constexpr double kSharpestCornerRad = 1.9;
constexpr double kSpeedSigmaMps = 0.3;  // of a reported speed (estimation.md A.5)
constexpr double kUnnoticedM = 15;      // what a car goes before its start is seen
// A way that was not noticed is known by a few points; a corner between two fixes lies between the
// chord and both sides of it.
constexpr double kUnnoticedDoubt = 0.1, kCornerDoubt = 0.5;
constexpr double kMarkSpacingS = 1.5;  // times kMarks: longer than the detector's longest look
// Of what was taken back, half may have been a way; as much may have been left.
constexpr double kTakenBackDoubt = 0.5;
// A circular normal error is within 2 sigma in 86, within 3 in 99 of 100 cases.
constexpr double kNearSigmas = 2, kMovedSigmas = 3;

// No estimate of ours is beyond these; squares of what is would not be finite.
constexpr double kSaneMps = 1e5, kSaneM = 1e8;

bool Usable(const Estimate& e) {
  return std::isfinite(e.position.lat_deg) && std::isfinite(e.position.lon_deg) &&
         std::abs(e.velocity_east_mps) < kSaneMps && std::abs(e.velocity_north_mps) < kSaneMps &&
         e.r68_m >= 0 && e.r68_m < kSaneM && std::abs(e.position.lat_deg) <= 90 &&
         e.position.lon_deg >= -180 && e.position.lon_deg < 180;
}

}  // namespace

// The length of the curve from last_ to `to`. May be negative: a step back of the estimate, which
// a later step forward makes good.
double Odometer::CurveM(const Node& to, EastNorth chord) const {
  const double dt_s = Seconds(to.time - last_->time);
  const double chord_m = std::hypot(chord.east_m, chord.north_m);
  const double ve0 = last_->ve_mps, vn0 = last_->vn_mps;
  const double v0_mps = std::hypot(ve0, vn0), v1_mps = std::hypot(to.ve_mps, to.vn_mps);
  if (dt_s > kLongStepS) return chord_m;
  if (dt_s <= kShortStepS && std::min(v0_mps, v1_mps) > kHeadingMps) {
    const double e = ve0 / v0_mps + to.ve_mps / v1_mps;
    const double n = vn0 / v0_mps + to.vn_mps / v1_mps;
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
  const EastNorth m1 = limited(to.ve_mps, to.vn_mps);
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

// By what the velocity turned; zero where it tells no direction.
double Odometer::TurnRad(const Node& from, const Node& to) {
  const double v0_mps = std::hypot(from.ve_mps, from.vn_mps);
  const double v1_mps = std::hypot(to.ve_mps, to.vn_mps);
  if (std::min(v0_mps, v1_mps) <= kHeadingMps) return 0;
  return std::atan2(from.ve_mps * to.vn_mps - from.vn_mps * to.ve_mps,
                    from.ve_mps * to.ve_mps + from.vn_mps * to.vn_mps);
}

// A step far apart in time was longer than its chord, by how much is known one step later: the road
// had the direction of the step before at its begin and of the one after at its end, and turned
// somewhere in between, at a corner or along an arc.
void Odometer::TakeCorner(const Node& to, EastNorth chord) {
  const EastNorth before = chords_[0], middle = chords_[1];
  chords_[0] = middle;
  chords_[1] = chord;
  const auto length = [](EastNorth p) { return std::hypot(p.east_m, p.north_m); };
  const double middle_m = length(middle);
  const double least_m = std::min({length(before), middle_m, length(chord)});
  if (least_m <= 0) return;
  const auto turn = [](EastNorth p, EastNorth q) {
    return std::atan2(p.east_m * q.north_m - p.north_m * q.east_m,
                      p.east_m * q.east_m + p.north_m * q.north_m);
  };
  const double a = turn(before, middle), b = turn(middle, chord);
  held_.doubt_m += middle_m * std::min(kMostUnseen, kBendDoubt * (a * a + b * b));
  // There and back is no corner, and noise turns the chords to and fro.
  if (a * b <= 0 || std::abs(a + b) > kSharpestCornerRad) return;
  if (least_m < kCornerSigmas * std::sqrt(to.variance_m2)) return;
  const double corner_m = middle_m * ((std::sin(a) + std::sin(b)) / std::sin(a + b) - 1);
  held_.distance_m += tuning_.corner_share * corner_m;
  stretch_.way_m += tuning_.corner_share * corner_m;
}

// Takes one step into the leg that goes on.
void Odometer::Walk(const Node& to) {
  const EastNorth chord = frame_.ToLocal(to.position);
  const double dt_s = Seconds(to.time - last_->time);
  const double chord_m = std::hypot(chord.east_m, chord.north_m);
  // Positions far apart in time: velocities made from them are as old as the last step.
  const bool blind = to.blind && std::min(dt_s, last_->step_s) > kShortStepS;
  if (!blind) chords_[0] = chords_[1] = {};
  const double curve_m = blind ? chord_m : CurveM(to, chord);
  const double speed_m = (last_->speed_mps + to.speed_mps) / 2 * dt_s;
  // What the positions say beyond the velocities: news in a clean stream, jitter in a noisy one.
  const double de = chord.east_m - (last_->ve_mps + to.ve_mps) / 2 * dt_s;
  const double dn = chord.north_m - (last_->vn_mps + to.vn_mps) / 2 * dt_s;
  correction_m2_ += (de * de + dn * dn - correction_m2_) / kCorrectionSteps;
  const double noise2 = 2 * to.variance_m2 / std::max(chord_m * chord_m, 1e-6);
  const double trust =
      blind ? 1 / (1 + noise2)
            : 1 / (1 + tuning_.jitter_weight * correction_m2_ / std::max(speed_m * speed_m, 1e-6));
  const double step_m = dt_s <= kLongStepS ? trust * curve_m + (1 - trust) * speed_m : curve_m;
  const double length_m = std::abs(step_m);
  // A direction that is wrong by an angle a shows cos(a) of the way; one that jitters adds as much.
  const double wrong = to.speed_mps > 0 ? std::min(1.0, to.speed_sigma_mps / to.speed_mps) : 1;
  stretch_.noise_m += length_m * (blind ? std::min(noise2, wrong * wrong) : wrong * wrong) / 2;
  stretch_.jitter_m += length_m * (1 - trust);
  if (to.told) stretch_.told_m += length_m;
  if (to.blind && dt_s <= kShortStepS) {
    // A velocity made from positions lags, and cuts a curve by (rate of turn x lag)^2 / 2.
    const double lag = TurnRad(*last_, to) / dt_s * kBlindLagS;
    const double cut_m = length_m * std::min(kMostCut, lag * lag / 2);
    held_.distance_m += cut_m / 2;
    held_.doubt_m += cut_m;
  }
  if (dt_s > kShortStepS) {
    const double unseen_m = length_m * std::min(kMostUnseen, kUnseenPerS * dt_s);
    held_.variance_m2 += unseen_m * unseen_m;
    // Where in between it turned the corner is not known: from along the chord to along both sides.
    if (blind) {
      TakeCorner(to, chord);
    }
    const double v2 = std::hypot(last_->ve_mps, last_->vn_mps) * std::hypot(to.ve_mps, to.vn_mps);
    if (!blind && v2 > kHeadingMps * kHeadingMps) {
      const double cosine = (last_->ve_mps * to.ve_mps + last_->vn_mps * to.vn_mps) / v2;
      const double half = std::sqrt(std::max(0.5, (1 + cosine) / 2));  // up to a right angle
      held_.doubt_m += kCornerDoubt * length_m * (1 / half - 1);
    }
  }
  held_.distance_m += step_m;
  stretch_.way_m += step_m;
  const EastNorth at = stretch_frame_.ToLocal(to.position);
  const double apart_m = std::hypot(at.east_m, at.north_m);
  // (Half of it, where the velocities say nothing.)
  if (std::max(stretch_.way_m, apart_m / 2) >= kStretchSigmas * std::sqrt(to.variance_m2)) {
    CloseStretch(to, apart_m);
  }
}

// Over a stretch that is long against the noise, the chord says what the noise cannot have made
// longer. Between it and the sum of the steps lies the truth: turns on one side, noise on the
// other.
void Odometer::CloseStretch(const Node& at, double chord_m) {
  const double way_m = std::max(stretch_.way_m, 1e-9);
  const double surplus_m = stretch_.way_m - chord_m;
  if (chord_m > 2 * stretch_.way_m) {  // velocities that say nothing
    held_.distance_m -= surplus_m;
    held_.doubt_m -= surplus_m;
  } else {
    // With its sign: the noise of the chord has none, and cancels.
    const double noise_m = surplus_m * std::min(1.0, stretch_.jitter_m / way_m) +
                           std::clamp(surplus_m, 0.0, stretch_.noise_m);
    const double told = std::min(1.0, stretch_.told_m / way_m);
    held_.distance_m -= tuning_.noise_share * (1 - told) * noise_m;
    held_.doubt_m += noise_m;
  }
  BeginStretch(at);
}

void Odometer::BeginStretch(const Node& at) {
  stretch_ = {at.position};
  stretch_frame_ = LocalFrame(at.position);
}

void Odometer::CommitHeld() {
  // A step back of the estimate waits for the step forward that makes it good.
  if (held_.distance_m < 0) return;
  distance_m_ += held_.distance_m;
  variance_m2_ += held_.variance_m2;
  doubt_m_ += held_.doubt_m;
  held_ = {};
}

void Odometer::AddMark(const Node& at) {
  if (mark_count_ > 0) {
    const Mark& newest = marks_[(mark_begin_ + mark_count_ - 1) % kMarks];
    if (Seconds(at.time - newest.time) < kMarkSpacingS) return;
  }
  if (mark_count_ == kMarks) {
    mark_begin_ = (mark_begin_ + 1) % kMarks;
    --mark_count_;
  }
  marks_[(mark_begin_ + mark_count_++) % kMarks] = {at.time, at.position,
                                                    distance_m_ + held_.distance_m};
}

// The device rests: what it seemed to walk within the noise about this place, since it came so
// near, was the straight way. The rest is taken back: a debt, since readings never fall.
void Odometer::TakeBack(const Node& at) {
  const LocalFrame here(at.position);
  const double near_m = kNearSigmas * std::sqrt(at.variance_m2);
  const double now_m = distance_m_ + held_.distance_m;
  double surplus_m = 0;
  for (std::uint32_t i = mark_count_; i-- > 0;) {
    const Mark& mark = marks_[(mark_begin_ + i) % kMarks];
    const EastNorth p = here.ToLocal(mark.position);
    const double away_m = std::hypot(p.east_m, p.north_m);
    if (away_m > near_m) break;
    surplus_m = std::max(0.0, now_m - mark.distance_m - away_m);
  }
  held_.distance_m -= surplus_m;
  doubt_m_ += kTakenBackDoubt * surplus_m;
}

// The way from the place of rest to `at`, where the start was noticed: along the estimates since
// the last one near the place, as far as they stand out of the noise.
double Odometer::UnnoticedM(const Node& at) const {
  const EastNorth end = rest_frame_.ToLocal(at.position);
  const double near_m = kNearSigmas * std::sqrt(leg_variance_m2_ + at.variance_m2);
  const auto apart_m = [](EastNorth a, EastNorth b) {
    return std::hypot(a.east_m - b.east_m, a.north_m - b.north_m);
  };
  double way_m = 0;
  EastNorth to = end;
  for (std::uint32_t i = mark_count_; i-- > 0;) {
    const EastNorth p = rest_frame_.ToLocal(marks_[(mark_begin_ + i) % kMarks].position);
    if (apart_m(p, rest_) <= near_m) break;
    if (apart_m(p, to) <= 4 * near_m) continue;
    way_m += apart_m(p, to);
    to = p;
  }
  return way_m + apart_m(to, rest_);
}

// The largest steps of an excursion may be a jump of the receiver.
void Odometer::CountStep(const Node& to) {
  const EastNorth chord = frame_.ToLocal(to.position);
  const double step_m = std::hypot(chord.east_m, chord.north_m);
  ++excursion_.steps;
  excursion_.shortest_s = std::min(excursion_.shortest_s, Seconds(to.time - last_->time));
  if (step_m <= excursion_.largest_m) return;
  excursion_.jump_m += kJumpSteps * (step_m - excursion_.largest_m);
  excursion_.largest_m = step_m;
}

// Whether the way that began at leaving_ is one. Near its place, and for some time, it may be the
// filter that follows a jump of the receiver. A way advances in many steps, a jump in one or two;
// speeds that the receiver reports tell at once.
bool Odometer::Left(const Node& at) const {
  if (way_ == Way::kHeld) return false;
  const Duration since = at.time - *leaving_;
  const EastNorth here = rest_frame_.ToLocal(at.position);
  const double away_m = std::hypot(here.east_m - rest_.east_m, here.north_m - rest_.north_m);
  const double sigma_m = std::sqrt(at.variance_m2);
  const bool told = excursion_.told_m >= away_m / 2;
  if (since > kExcursion + FromSeconds(kExcursionPerNoiseS * sigma_m)) return true;
  if (away_m <= std::max(kExcursionM, 4 * sigma_m)) return false;
  // Estimates far apart in time show no burst of bad fixes whole: several agreed on the way
  // already.
  if (excursion_.steps >= 2 && excursion_.shortest_s > kShortStepS) return true;
  if (told) return true;
  // Who was put there in some steps and stands there has not left.
  if (at.speed_mps < kRestSpeedMps) return false;
  return away_m - excursion_.jump_m > kExcursionM / 2 || since > kJump;
}

// The device rests again before it got away from its last place of rest: what it did there is not
// told from noise but by where it ended, and that only after a while: a jump of the receiver comes
// back.
void Odometer::EndExcursion(const Node& at) {
  const EastNorth here = rest_frame_.ToLocal(at.position);
  const double moved_m = std::hypot(here.east_m - rest_.east_m, here.north_m - rest_.north_m);
  const double sigma_m = std::sqrt(leg_variance_m2_ + at.variance_m2);
  const bool near = moved_m <= kMovedSigmas * sigma_m;
  if (!near && excursion_.told_m < moved_m / 2 && at.time - *leaving_ <= kExcursion) return;
  const bool first = *leaving_ == rest_since_;
  leaving_.reset();
  if (near) {
    doubt_m_ += std::clamp(held_.distance_m, 0.0, excursion_.told_m);  // speeds spoke for a way
    held_ = {};
    return;
  }
  // At first, in a few steps, farther than anything at rest gets in them: the receiver found its
  // place.
  if (first && moved_m > kExcursionM && excursion_.shortest_s <= kShortStepS &&
      excursion_.told_m < moved_m / 2 && moved_m < 1.5 * excursion_.jump_m) {
    doubt_m_ += moved_m;
    held_ = {};
    RestAt(at);
    return;
  }
  held_.distance_m = moved_m;
  CommitHeld();
  EndLeg(at);
}

// What was held back because it led away from a settled place is known now: a way or none.
void Odometer::TakeVerdict(const Node& at, Way way) {
  if (leaving_ && way == Way::kNone) {
    doubt_m_ += std::max(0.0, held_.distance_m);
    leaving_.reset();
    held_ = {};
    motion_ = Motion::kStationary;
  } else if (leaving_ && way_ == Way::kHeld && way == Way::kWalked) {
    leaving_.reset();
    CommitHeld();
    if (motion_ == Motion::kStationary) EndLeg(at);
  }
  way_ = way;
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
  rest_since_ = at.time;
  rest_told_ = {};
  strayed_m_ = 0;
  mark_count_ = 0;
  chords_[0] = chords_[1] = {};
}

// By positions alone a slow way out and back may be taken for a rest.
void Odometer::DoubtRest(const Node& at) {
  const EastNorth here = rest_frame_.ToLocal(at.position);
  const double away_m = std::hypot(here.east_m - rest_.east_m, here.north_m - rest_.north_m);
  const double sigma_m = std::sqrt(leg_variance_m2_ + at.variance_m2);
  strayed_m_ = std::max(strayed_m_, away_m - kMovedSigmas * sigma_m);
  if (away_m > kNearSigmas * sigma_m) return;
  doubt_m_ += 2 * strayed_m_;
  strayed_m_ = 0;
}

// Where speeds are noisy, a slow way may be taken for a rest: as long as what they tell in the mean
// of half a minute.
void Odometer::DoubtTold(const Node& node) {
  const double dt_s = std::min(kLongStepS, Seconds(node.time - last_->time));
  const double k = dt_s / (dt_s + kRestTimeConstantS);
  rest_told_.east_m += k * (node.ve_mps - rest_told_.east_m);
  rest_told_.north_m += k * (node.vn_mps - rest_told_.north_m);
  doubt_m_ += std::hypot(rest_told_.east_m, rest_told_.north_m) * dt_s;
}

void Odometer::FollowRest(const Node& node) {
  const double dt_s = Seconds(node.time - last_->time);
  const double k = dt_s / (dt_s + kRestTimeConstantS);
  const EastNorth at = rest_frame_.ToLocal(node.position);
  rest_.east_m += k * (at.east_m - rest_.east_m);
  rest_.north_m += k * (at.north_m - rest_.north_m);
  // What leads further than the noise is a way that the detector has not seen yet.
  const double far_m = std::hypot(rest_.east_m, rest_.north_m);
  const double limit_m = kNearSigmas * std::sqrt(leg_variance_m2_);
  if (far_m > limit_m) rest_ = {rest_.east_m * limit_m / far_m, rest_.north_m * limit_m / far_m};
}

void Odometer::Update(const Estimate& e, Motion motion, const Fix* fix, Way way) {
  if (!Usable(e) || (last_ && e.time <= last_->time)) return;
  // Unknown after a known state keeps that state: the detector will say when it changes.
  if (motion == Motion::kUnknown) motion = motion_;
  if (way == Way::kNone) motion = Motion::kStationary;
  const double sigma_m = std::max(0.0, e.r68_m) / kR68PerSigma;
  Node node;
  node.time = e.time;
  node.position = e.position;
  node.ve_mps = e.velocity_east_mps;
  node.vn_mps = e.velocity_north_mps;
  node.speed_mps = e.speed_mps();
  node.speed_sigma_mps = std::isfinite(e.speed_sigma_mps) ? std::abs(e.speed_sigma_mps) : 0;
  node.variance_m2 = sigma_m * sigma_m;
  // A speed without a course is no part of the estimate's velocity, but measures the way. With one,
  // the truth lies in between: slow velocities are drawn towards zero in the estimate, and longer
  // by their noise in the report.
  if (fix != nullptr && fix->speed_mps && *fix->speed_mps >= 0 && *fix->speed_mps < kSaneMps) {
    if (!fix->course_deg) {
      node.speed_mps = *fix->speed_mps;
      node.speed_sigma_mps = kSpeedSigmaMps;
    } else if (*fix->speed_mps > 0) {
      node.speed_mps = (node.speed_mps + *fix->speed_mps) / 2;
    }
  }
  node.told = fix != nullptr && fix->speed_mps.has_value();
  node.blind = fix != nullptr && !fix->speed_mps;
  if (last_ && fix != nullptr && fix->speed_mps && *fix->speed_mps < kSaneMps) {
    excursion_.told_m +=
        std::max(0.0, *fix->speed_mps) * std::min(kLongStepS, Seconds(node.time - last_->time));
  }
  if (last_ || leaving_) TakeVerdict(node, way);
  if (!last_) {
    BeginStretch(node);
    if (!leaving_) {
      RestAt(node);
      excursion_ = {};
    }
  } else if (motion == Motion::kUnknown) {
    Walk(node);
    CountStep(node);
  } else if (motion == Motion::kStationary) {
    if (leaving_) {
      if (motion_ == Motion::kMoving) Walk(node);
      if (way != Way::kHeld) EndExcursion(node);
    } else if (motion_ == Motion::kStationary) {
      if (node.blind) DoubtRest(node);
      if (node.told) DoubtTold(node);
      if (e.speed_mps() < kRestSpeedMps) FollowRest(node);
      AddMark(node);
    } else if (motion_ == Motion::kMoving) {
      Walk(node);
      if (!node.told) TakeBack(node);
      CommitHeld();
      EndLeg(node);
      held_.variance_m2 = held_.doubt_m = 0;
      held_.distance_m = std::min(0.0, held_.distance_m);
    } else {  // it had stood all the time
      held_ = {};
      RestAt(node);
    }
  } else {
    if (motion_ == Motion::kStationary && !leaving_) {
      const double way_m = UnnoticedM(node);
      held_ = {std::min(0.0, held_.distance_m) + way_m, 0, kUnnoticedDoubt * way_m};
      leaving_ = node.time;
      strayed_m_ = 0;
      excursion_ = {};
      excursion_.jump_m = std::max(0.0, way_m - kUnnoticedM);
      mark_count_ = 0;
      BeginStretch(node);
    } else {
      Walk(node);
      if (motion_ == Motion::kUnknown) leaving_ = rest_since_;
      // What a rest that was none has swallowed.
      if (leaving_ && motion_ == Motion::kStationary) {
        held_.distance_m = std::max(held_.distance_m, UnnoticedM(node));
      }
    }
    if (leaving_) {
      if (*leaving_ != node.time) CountStep(node);
      if (Left(node)) leaving_.reset();
    }
    if (!leaving_) CommitHeld();
    AddMark(node);
  }
  node.step_s = last_ ? Seconds(node.time - last_->time) : 0;
  motion_ = motion;
  last_ = node;
  frame_ = LocalFrame(node.position);
}

void Odometer::Break() {
  chords_[0] = chords_[1] = {};
  if (leaving_ && way_ == Way::kHeld) {  // how it ends is still to be known
    last_.reset();
    return;
  }
  if (motion_ == Motion::kMoving && last_) {
    leaving_.reset();
    CommitHeld();
    variance_m2_ += leg_variance_m2_ + last_->variance_m2;
  }
  held_ = {};
  leaving_.reset();
  way_ = Way::kUsual;
  leg_variance_m2_ = 0;
  mark_count_ = 0;
  motion_ = Motion::kUnknown;
  last_.reset();
}

void Odometer::Finish() {
  if (leaving_ && way_ == Way::kHeld) {
    doubt_m_ += std::max(0.0, held_.distance_m);
    leaving_.reset();
    motion_ = Motion::kStationary;
  }
  Break();
}

Distance Odometer::total() const {
  double variance_m2 = variance_m2_, doubt_m = doubt_m_;
  doubt_m += 2 * strayed_m_;
  if (leaving_) doubt_m += std::max(0.0, held_.distance_m);
  if (last_ && motion_ == Motion::kMoving) variance_m2 += leg_variance_m2_ + last_->variance_m2;
  return {distance_m_,
          kNormal95 * std::sqrt(variance_m2) + kScaleError * distance_m_ + std::max(0.0, doubt_m)};
}

Distance Odometer::Between(const Distance& earlier, const Distance& now) {
  const double way_m = std::max(0.0, now.distance_m - earlier.distance_m);
  // Both bounds hold a part that grows with the way and one that adds in squares.
  const double scale_m = kScaleError * way_m;
  const double a = std::max(0.0, earlier.bound_m - kScaleError * earlier.distance_m);
  const double b = std::max(0.0, now.bound_m - kScaleError * now.distance_m);
  return {way_m, std::sqrt(std::abs(b * b - a * a)) + scale_m};
}

}  // namespace waymark
