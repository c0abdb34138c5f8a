// Model: a step of the way is the length of the curve through two estimates and their velocities,
// so that a turn between them is not cut; where the positions jitter against the velocities it is,
// by as much, the speed times the time instead: the speed that the receiver reports without a
// course, or else the estimate's. Jitter comes back; what the positions gain on such speeds along
// reported courses, minute after minute, does not, and is added. Over stretches that are long
// against the noise the chord says how much of the sum may be noise: positions alone make
// velocities that wander, and half of what they may have added is taken off.
//
// Error: what gaps between fixes hide of a road's curvature is independent; noise that may have
// made the way longer and corners cut between fixes far apart have one sign.
#include "filters/way_meter.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "filters/sane_values.h"

namespace waymark {
namespace {

// Faster than this an estimated velocity tells the direction.
constexpr double kHeadingMps = 1.0;
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
// A corner between two fixes lies between the chord and both sides of it.
constexpr double kCornerDoubt = 0.5;
constexpr double kSpeedSigmaMps = 0.3;  // of a reported speed (estimation.md A.5)
// A way is no shorter than its chord, but for the noise of both ends.
constexpr double kChordSigmas = 2;
// Where speed times time makes more than the curve between fixes far apart, there may have been a
// detour, or a halt: the curve errs by 0.4 of it (rms; gaps of 5-60 s cut out of nine drives).
constexpr double kDetourShare = 0.4;

/// An arc is longer than its chord by (turn/2) / sin(turn/2); `half_cosine`: cos(turn/2).
double ArcOverChord(double half_cosine) {
  const double turn2 = std::max(0.0, 1 - half_cosine * half_cosine);  // sin^2(turn / 2)
  return 1 + turn2 / 6 + 0.075 * turn2 * turn2;
}

double Length(EastNorth p) { return std::hypot(p.east_m, p.north_m); }

// The length of the curve between two nodes. May be negative: a step back of the estimate, which a
// later step forward makes good.
double CurveM(const WayNode& from, const WayNode& to, EastNorth chord) {
  const double dt_s = Seconds(to.time - from.time);
  const double chord_m = Length(chord);
  const double ve0 = from.ve_mps, vn0 = from.vn_mps;
  const double v0_mps = std::hypot(ve0, vn0), v1_mps = std::hypot(to.ve_mps, to.vn_mps);
  if (dt_s > WayMeter::kLongStepS) return chord_m;
  if (dt_s <= WayMeter::kShortStepS && std::min(v0_mps, v1_mps) > kHeadingMps) {
    const double e = ve0 / v0_mps + to.ve_mps / v1_mps;
    const double n = vn0 / v0_mps + to.vn_mps / v1_mps;
    const double length = std::hypot(e, n);  // 2 cos(turn / 2)
    if (length > 1)
      return (chord.east_m * e + chord.north_m * n) / length * ArcOverChord(length / 2);
  }
  // Velocities made from positions that do not fit the chord (a correction of the position) would
  // make loops; those that a receiver tells show the loops of the road.
  const double fastest_mps = from.told && to.told ? kSaneMps : 1.5 * chord_m / dt_s;
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
double TurnRad(const WayNode& from, const WayNode& to) {
  const double v0_mps = std::hypot(from.ve_mps, from.vn_mps);
  const double v1_mps = std::hypot(to.ve_mps, to.vn_mps);
  if (std::min(v0_mps, v1_mps) <= kHeadingMps) return 0;
  return std::atan2(from.ve_mps * to.vn_mps - from.vn_mps * to.ve_mps,
                    from.ve_mps * to.ve_mps + from.vn_mps * to.vn_mps);
}

}  // namespace

WayNode NodeOf(const Estimate& e, const Fix* fix) {
  const double sigma_m = std::max(0.0, e.r68_m) / kR68PerSigma;
  WayNode node;
  node.time = e.time;
  node.position = e.position;
  node.ve_mps = e.velocity_east_mps;
  node.vn_mps = e.velocity_north_mps;
  node.speed_mps = e.speed_mps();
  node.speed_sigma_mps = std::isfinite(e.speed_sigma_mps) ? std::abs(e.speed_sigma_mps) : 0;
  node.variance_m2 = sigma_m * sigma_m;
  if (fix == nullptr) return node;
  node.blind = !fix->speed_mps;
  node.told = !node.blind;
  // A speed without a course is no part of the estimate's velocity, but measures the way. With one,
  // the truth lies in between: slow velocities are drawn towards zero in the estimate, and longer
  // by their noise in the report.
  const std::optional<double> told_mps = SaneSpeed(*fix);
  const std::optional<double> course_deg = SaneCourse(*fix);
  if (told_mps.value_or(0) > kHeadingMps && course_deg) {
    const double course_rad = *course_deg * std::numbers::pi / 180;
    node.heading = {std::sin(course_rad), std::cos(course_rad)};
  }
  if (told_mps && !course_deg) {
    node.speed_mps = *told_mps;
    node.speed_sigma_mps = kSpeedSigmaMps;
  } else if (told_mps && *told_mps > 0) {
    node.speed_mps = (node.speed_mps + *told_mps) / 2;
  }
  return node;
}

// What the positions advance along the reported courses beyond the speeds, in the mean of a minute
// and as far as it is more than the positions' own noise over that time. (The directions of the
// estimates turn with the jitter of its positions, and would find it to lead ahead.)
double WayMeter::DriftM(const WayNode& from, const WayNode& to, EastNorth chord, double speed_m) {
  const EastNorth ahead{from.heading.east_m + to.heading.east_m,
                        from.heading.north_m + to.heading.north_m};
  const double length = Length(ahead);  // 2 cos(turn / 2), or less where a course is unknown
  const double dt_s = Seconds(to.time - from.time);
  if (dt_s > kShortStepS || length <= 1) return 0;
  const double ahead_m = (chord.east_m * ahead.east_m + chord.north_m * ahead.north_m) / length *
                         ArcOverChord(length / 2);
  double& drift_mps = state_.drift_mps;
  drift_mps += ((ahead_m - speed_m) / dt_s - drift_mps) * dt_s / (dt_s + tuning_.drift_s);
  const double usual2 = tuning_.drift_mps * tuning_.drift_mps;
  const double noise2 = 2 * to.variance_m2 / (tuning_.drift_s * tuning_.drift_s);
  return drift_mps * dt_s * usual2 / (usual2 + noise2);
}

// A step far apart in time was longer than its chord, by how much is known one step later: the road
// had the direction of the step before at its begin and of the one after at its end, and turned
// somewhere in between, at a corner or along an arc.
void WayMeter::TakeCorner(const WayNode& to, EastNorth chord, WayLength& way) {
  const EastNorth before = state_.chords[0], middle = state_.chords[1];
  state_.chords[0] = middle;
  state_.chords[1] = chord;
  const double middle_m = Length(middle);
  const double least_m = std::min({Length(before), middle_m, Length(chord)});
  if (least_m <= 0) return;
  const auto turn = [](EastNorth p, EastNorth q) {
    return std::atan2(p.east_m * q.north_m - p.north_m * q.east_m,
                      p.east_m * q.east_m + p.north_m * q.north_m);
  };
  const double a = turn(before, middle), b = turn(middle, chord);
  way.doubt_m += middle_m * std::min(kMostUnseen, kBendDoubt * (a * a + b * b));
  // There and back is no corner, and noise turns the chords to and fro.
  if (a * b <= 0 || std::abs(a + b) > kSharpestCornerRad) return;
  if (least_m < kCornerSigmas * std::sqrt(to.variance_m2)) return;
  const double corner_m = middle_m * ((std::sin(a) + std::sin(b)) / std::sin(a + b) - 1);
  way.distance_m += tuning_.corner_share * corner_m;
  state_.stretch.way_m += tuning_.corner_share * corner_m;
}

void WayMeter::Step(const WayNode& from, const WayNode& to, EastNorth chord, WayLength& way) {
  Stretch& stretch = state_.stretch;
  const double dt_s = Seconds(to.time - from.time);
  const double chord_m = Length(chord);
  // Positions far apart in time: velocities made from them are as old as the last step.
  const bool blind = to.blind && std::min(dt_s, from.step_s) > kShortStepS;
  if (!blind) ForgetChords();
  const double curve_m = blind ? chord_m : CurveM(from, to, chord);
  const double speed_m = (from.speed_mps + to.speed_mps) / 2 * dt_s;
  // What the positions say beyond the velocities: news in a clean stream, jitter in a noisy one.
  const double de = chord.east_m - (from.ve_mps + to.ve_mps) / 2 * dt_s;
  const double dn = chord.north_m - (from.vn_mps + to.vn_mps) / 2 * dt_s;
  state_.correction_m2 += (de * de + dn * dn - state_.correction_m2) / kCorrectionSteps;
  const double noise2 = 2 * to.variance_m2 / std::max(chord_m * chord_m, 1e-6);
  const double trust = blind ? 1 / (1 + noise2)
                             : 1 / (1 + tuning_.jitter_weight * state_.correction_m2 /
                                            std::max(speed_m * speed_m, 1e-6));
  const double drift_m = DriftM(from, to, chord, speed_m);
  double step_m = curve_m;
  if (dt_s <= kLongStepS) step_m = trust * curve_m + (1 - trust) * (speed_m + drift_m);
  if (dt_s > kShortStepS && from.told && to.told) {
    step_m = std::max(step_m, chord_m - kChordSigmas * std::sqrt(2 * to.variance_m2));
    const double detour_m = dt_s <= kLongStepS ? std::max(0.0, speed_m - curve_m) : 0;
    way.variance_m2 += kDetourShare * detour_m * kDetourShare * detour_m;
  }
  const double length_m = std::abs(step_m);
  // A direction that is wrong by an angle a shows cos(a) of the way; one that jitters adds as much.
  const double wrong = to.speed_mps > 0 ? std::min(1.0, to.speed_sigma_mps / to.speed_mps) : 1;
  stretch.noise_m += length_m * (blind ? std::min(noise2, wrong * wrong) : wrong * wrong) / 2;
  stretch.jitter_m += length_m * (1 - trust);
  if (to.told) stretch.told_m += length_m;
  if (to.blind && dt_s <= kShortStepS) {
    // A velocity made from positions lags, and cuts a curve by (rate of turn x lag)^2 / 2.
    const double lag = TurnRad(from, to) / dt_s * kBlindLagS;
    const double cut_m = length_m * std::min(kMostCut, lag * lag / 2);
    way.distance_m += cut_m / 2;
    way.doubt_m += cut_m;
  }
  if (dt_s > kShortStepS) {
    const double unseen_m = length_m * std::min(kMostUnseen, kUnseenPerS * dt_s);
    way.variance_m2 += unseen_m * unseen_m;
    // Where in between it turned the corner is not known: from along the chord to along both sides.
    if (blind) TakeCorner(to, chord, way);
    const double v2 = std::hypot(from.ve_mps, from.vn_mps) * std::hypot(to.ve_mps, to.vn_mps);
    if (!blind && v2 > kHeadingMps * kHeadingMps) {
      const double cosine = (from.ve_mps * to.ve_mps + from.vn_mps * to.vn_mps) / v2;
      const double half = std::sqrt(std::max(0.5, (1 + cosine) / 2));  // up to a right angle
      way.doubt_m += kCornerDoubt * length_m * (1 / half - 1);
    }
  }
  way.distance_m += step_m;
  stretch.way_m += step_m;
  const EastNorth at = stretch_frame_.ToLocal(to.position);
  const double apart_m = Length(at);
  // (Half of it, where the velocities say nothing.)
  if (std::max(stretch.way_m, apart_m / 2) >= kStretchSigmas * std::sqrt(to.variance_m2)) {
    CloseStretch(to, apart_m, way);
  }
}

// Over a stretch that is long against the noise, the chord says what the noise cannot have made
// longer. Between it and the sum of the steps lies the truth: turns on one side, noise on the
// other.
void WayMeter::CloseStretch(const WayNode& at, double chord_m, WayLength& way) {
  const Stretch& stretch = state_.stretch;
  const double way_m = std::max(stretch.way_m, 1e-9);
  const double surplus_m = stretch.way_m - chord_m;
  if (chord_m > 2 * stretch.way_m) {  // velocities that say nothing
    way.distance_m -= surplus_m;
    way.doubt_m -= surplus_m;
  } else {
    // With its sign: the noise of the chord has none, and cancels.
    const double noise_m = surplus_m * std::min(1.0, stretch.jitter_m / way_m) +
                           std::clamp(surplus_m, 0.0, stretch.noise_m);
    const double told = std::min(1.0, stretch.told_m / way_m);
    way.distance_m -= tuning_.noise_share * (1 - told) * noise_m;
    way.doubt_m += noise_m;
  }
  Begin(at.position);
}

void WayMeter::Begin(LatLon at) {
  state_.stretch = {at};
  stretch_frame_ = LocalFrame(at);
}

void WayMeter::Restore(const State& state) {
  state_ = state;
  stretch_frame_ = LocalFrame(state.stretch.from);
}

}  // namespace waymark
