// Model. Two hypotheses about the last seconds: at rest, positions scatter about a place and
// velocities about zero; moving, both run on in one direction. Position errors of phones are
// correlated over 10-100 s and jump (estimation.md E), so a distance alone proves nothing; what
// a jump lacks is progress: it is one step and then none. Therefore
//   rest:  over a span long enough for a walker to leave the noise (8 s per metre of it), the drift
//          is slower than a slow walk and the scatter is the noise's (who goes in a ring drifts
//          nowhere either); with reported velocities their mean vector decides, in a short span;
//   start: the mean velocity vector over a few seconds stands out of what such means scattered here
//          at rest; or the way over a span advances in each of its parts by more than the noise
//          (a jump advances in two at most); or three fast estimates lead away while the fixes
//          themselves advance; or the estimate stays far from the place of rest.
// All lengths and spans scale with the noise: the estimate's radius, and up to half more where the
// place was seen to scatter more. The gap between the two thresholds is the hysteresis.
// What follows from rests and starts, stays and trips, is in motion_stays.cc.
#include "filters/motion_detector.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <numbers>

#include "filters/axis_filter.h"
#include "filters/sane_values.h"

namespace waymark {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kStartMps = 0.8;
constexpr double kShortestSpanS = 15, kLongestSpanS = 90;
constexpr double kShortestStartSpanS = 10, kLeastDepartureM = 8;
// A quarter of 8 s per metre of noise is longer than the noise from 0.5 m/s on: a slow walk.
constexpr double kStartSpanPerNoise = 8;
constexpr double kQuietM = 5;   // beyond, jumps that the filter follows look like departures
constexpr double kSparseS = 4;  // estimates this far apart: three of them tell a start
constexpr double kRestSpanReportedS = 6, kStartSpanReportedS = 5;
// Runners reach 5 m/s; over 10 s no walker or jump does.
constexpr double kDriveMps = 5, kDriveSpanS = 10;
constexpr Duration kDroveAge = seconds(90);
constexpr double kFastMps = 2.5;             // no standing device reports this twice
constexpr double kLeastSpeedNoiseMps = 0.1;  // the resolution of what receivers report at rest
constexpr double kSpeedMemory = 60;          // fixes
constexpr double kSampleSpacingS = 0.9;
// 5 sigma of a circular normal error are passed once in 270 000.
constexpr double kFarNoises = 5, kLeastFarM = 12;
// How much more than the estimate's own sigma a place is believed to scatter (a walk that is not
// noticed yet scatters too: with no limit it would never be).
constexpr double kMostScatter = 1.5;
constexpr Duration kGap = seconds(60);
constexpr Duration kHintAge = seconds(60);
constexpr double kHintConfidence = 0.6;
// The window is kept within this of its origin; LocalFrame is exact to 1 um there.
constexpr double kRecentreM = 5000;

// A fix without a radius is taken for one of this, as by EstimatorOptions.
constexpr double kUntoldM = 10;
double Hypot(double e, double n) { return std::sqrt(e * e + n * n); }

void Add(EastNorth& sum, const EastNorth& p) {
  sum.east_m += p.east_m;
  sum.north_m += p.north_m;
}

}  // namespace

void MotionDetector::Begin(const Estimate& live) {
  state_.started = true;
  state_.origin = live.position;
  frame_ = LocalFrame(live.position);
  state_.begin = state_.count = 0;
  state_.since = live.time;
  state_.departed = live.time;
  state_.departed_from = live.position;
  state_.place = {};
  state_.place.first = state_.place.last = live.time;
}

void MotionDetector::Recentre(LatLon origin) {
  const LocalFrame next(origin);
  const double turn = next.ConvergenceRad(state_.origin);
  const double c = std::cos(turn), s = std::sin(turn);
  const auto move = [&](EastNorth& p) { p = next.ToLocal(frame_.FromLocal(p)); };
  for (std::uint32_t i = 0; i < state_.count; ++i) {
    Sample& sample = state_.window[(state_.begin + i) % kWindow];
    move(sample.at);
    move(sample.raw);
    const double ve = sample.ve_mps, vn = sample.vn_mps;
    sample.ve_mps = c * ve + s * vn;
    sample.vn_mps = c * vn - s * ve;
  }
  move(state_.place.at);
  move(state_.stay_at);
  move(state_.stay_place.at);
  state_.origin = origin;
  frame_ = next;
}

void MotionDetector::AddSample(const Estimate& live, EastNorth at, const Fix& fix, bool used,
                               bool fresh) {
  if (state_.count > 0 && Seconds(live.time - At(state_.count - 1).time) < kSampleSpacingS) {
    return;
  }
  Sample s;
  s.time = live.time;
  s.raw = s.at = at;
  if (used) {
    const auto raw = LatLon::FromDegrees(fix.position.lat_deg, fix.position.lon_deg);
    if (raw) s.raw = frame_.ToLocal(*raw);
  }
  s.ve_mps = live.velocity_east_mps;
  s.vn_mps = live.velocity_north_mps;
  s.speed_mps = live.speed_mps();
  const std::optional<double> told_mps = fresh ? SaneSpeed(fix) : std::nullopt;
  if (told_mps) {
    s.reported = true;
    if (fix.course_deg && std::abs(*fix.course_deg) <= 360) {
      const double course_rad = *fix.course_deg * std::numbers::pi / 180;
      s.ve_mps = *told_mps * std::sin(course_rad);
      s.vn_mps = *told_mps * std::cos(course_rad);
    } else {  // the estimate lends its direction
      const double k = s.speed_mps > 1e-3 ? *told_mps / s.speed_mps : 0;
      s.ve_mps *= k;
      s.vn_mps *= k;
    }
    s.speed_mps = *told_mps;
  }
  if (state_.count == kWindow) {
    state_.begin = static_cast<std::uint32_t>((state_.begin + 1) % kWindow);
    --state_.count;
  }
  state_.window[(state_.begin + state_.count) % kWindow] = s;
  ++state_.count;
}

void MotionDetector::AddToPlace(const Fix& fix, double accuracy_m) {
  Place& place = state_.place;
  const std::optional<LatLon> position =
      LatLon::FromDegrees(fix.position.lat_deg, fix.position.lon_deg);
  if (!position) return;
  const EastNorth at = frame_.ToLocal(*position);
  const double sigma_m =
      std::isfinite(accuracy_m) ? std::clamp(accuracy_m / kR68PerSigma, 1.0, 1e4) : 1e4;
  double weight = 1 / (sigma_m * sigma_m);
  if (place.fixes > 0) {
    const double away_m = AwayM(at);
    // Huber: beyond two sigma a fix pulls with constant force.
    const double limit_m = 2 * std::sqrt(std::max(sigma_m * sigma_m, place.scatter_m2));
    if (away_m > limit_m) weight *= limit_m / away_m;
    const double n = std::min<double>(place.fixes, 300);
    place.scatter_m2 +=
        (std::min(away_m * away_m / 2, 4 * limit_m * limit_m) - place.scatter_m2) / (n + 1);
    place.variance_m2 += (sigma_m * sigma_m - place.variance_m2) / (n + 1);
  } else {
    place.at = at;
    place.variance_m2 = sigma_m * sigma_m;
  }
  place.weight += weight;
  const double k = weight / place.weight;
  place.at.east_m += k * (at.east_m - place.at.east_m);
  place.at.north_m += k * (at.north_m - place.at.north_m);
  ++place.fixes;
  place.last = state_.last;
  const Look quick = LookBack(kStartSpanReportedS, state_.since);
  if (quick.reported == quick.samples && quick.samples >= 3) {
    ++place.speeds;
    const double n = std::min<double>(place.speeds, kSpeedMemory);
    // Robust: a start that is not noticed yet is no noise.
    const double most_m2ps2 =
        9 * std::max(place.speed2_m2ps2, 2 * kLeastSpeedNoiseMps * kLeastSpeedNoiseMps);
    const double v2 = std::min(quick.velocity_mps * quick.velocity_mps, most_m2ps2);
    place.speed2_m2ps2 += (v2 - place.speed2_m2ps2) / n;
  }
}

double MotionDetector::AwayM(EastNorth at) const {
  return Hypot(at.east_m - state_.place.at.east_m, at.north_m - state_.place.at.north_m);
}

double MotionDetector::NoiseM() const { return std::clamp(state_.sigma_m, 1.0, 200.0); }

// What was seen to scatter about the place counts where the radius is too small, but a walk that is
// not noticed yet scatters too.
double MotionDetector::PlaceNoiseM() const {
  const double told_m = NoiseM();
  return std::clamp(std::sqrt(state_.place.scatter_m2), told_m, kMostScatter * told_m);
}

MotionDetector::Look MotionDetector::LookBack(double span_s, MonoTime from) const {
  Look look;
  if (state_.count == 0) return look;
  const MonoTime newest = At(state_.count - 1).time;
  // The first of the samples, which stand in order of time, that are as new as that; three at
  // least.
  std::uint32_t first = 0, end_of_old = state_.count;
  while (first < end_of_old) {
    const std::uint32_t middle = (first + end_of_old) / 2;
    const MonoTime t = At(middle).time;
    const bool recent = Seconds(newest - t) <= span_s || state_.count - middle <= 3;
    if (t >= from && recent) {
      end_of_old = middle;
    } else {
      first = middle + 1;
    }
  }
  const std::uint32_t n = state_.count - first;
  if (n == 0) return look;
  look.samples = n;
  look.span_s = Seconds(newest - At(first).time);
  if (n < 2 || look.span_s <= 0) return look;
  // The mean positions of equal parts: four, as far as there are samples for them.
  const std::size_t parts = std::min<std::size_t>(n, 4);
  EastNorth mean[4] = {};
  double mean_t[4] = {};
  double ve = 0, vn = 0, speed = 0, told = 0;
  EastNorth all;
  std::uint32_t i = 0;
  for (std::size_t k = 0; k < parts; ++k) {
    // Part k begins with the first sample i for which parts * i / n is k.
    const auto end = static_cast<std::uint32_t>(((k + 1) * n + parts - 1) / parts);
    const double count = end - i;
    EastNorth sum;
    double sum_t = 0;
    for (; i < end; ++i) {
      const Sample& s = At(first + i);
      Add(sum, s.at);
      sum_t += Seconds(s.time - newest);
      ve += s.ve_mps;
      vn += s.vn_mps;
      speed += s.speed_mps;
      if (s.reported) {
        ++look.reported;
        told += s.speed_mps;
      }
      Add(all, s.at);
    }
    mean[k] = {sum.east_m / count, sum.north_m / count};
    mean_t[k] = sum_t / count;
  }
  look.mean = {all.east_m / n, all.north_m / n};
  const std::size_t last = parts - 1;
  const double e = mean[last].east_m - mean[0].east_m, m = mean[last].north_m - mean[0].north_m;
  look.drift_m = Hypot(e, m);
  look.drift_mps = look.drift_m / (mean_t[last] - mean_t[0]);
  look.velocity_mps = Hypot(ve, vn) / n;
  look.speed_mps = speed / n;
  if (look.reported > 0) look.told_mps = told / look.reported;
  if (look.drift_m > 0 && parts >= 3) {
    look.progress_m = look.drift_m;
    for (std::size_t k = 0; k < last; ++k) {
      const double step_m = ((mean[k + 1].east_m - mean[k].east_m) * e +
                             (mean[k + 1].north_m - mean[k].north_m) * m) /
                            look.drift_m;
      look.progress_m = std::min(look.progress_m, step_m);
    }
  }
  return look;
}

double MotionDetector::ScatterM(const Look& look) const {
  double squares = 0;
  for (std::uint32_t i = state_.count - look.samples; i < state_.count; ++i) {
    const EastNorth& at = At(i).at;
    squares += Square(at.east_m - look.mean.east_m) + Square(at.north_m - look.mean.north_m);
  }
  return std::sqrt(squares / look.samples / 2);
}

// When the device came to rest, if the last seconds show that it did.
std::optional<MonoTime> MotionDetector::FindStop() const {
  if (state_.count < 2) return std::nullopt;
  const MonoTime newest = At(state_.count - 1).time;
  const bool hinted = state_.hint && state_.hint->confidence >= kHintConfidence &&
                      newest - state_.hint->time < kHintAge;
  const bool still = hinted && state_.hint->activity == Activity::kStill;
  const bool active = hinted && state_.hint->activity >= Activity::kWalking;
  // Seconds before a start say nothing about a rest after it.
  const MonoTime from = state_.motion == Motion::kMoving ? state_.since : MonoTime::min();
  double span_s = 0;
  const Look quick = LookBack(kRestSpanReportedS, from);
  if (quick.reported == quick.samples && quick.samples >= 3) {
    const bool standing = quick.speed_mps < tuning_.rest_mps && quick.span_s >= 3;
    if (standing && !active) {
      span_s = quick.span_s;
    } else {
      const Look longer = LookBack(3 * kRestSpanReportedS, from);
      if (longer.reported == longer.samples && longer.span_s >= 2 * kRestSpanReportedS &&
          longer.velocity_mps < tuning_.rest_mps && longer.speed_mps < kFastMps / 2 &&
          longer.drift_mps < tuning_.rest_mps) {
        span_s = longer.span_s;
      }
    }
  } else {
    const auto rest = [&](double span_per_noise, double drift_noises) {
      const double wanted_s =
          std::clamp(span_per_noise * NoiseM(), kShortestSpanS, kLongestSpanS) * (still ? 0.5 : 1);
      const double drift_mps = std::max(tuning_.rest_mps, drift_noises * NoiseM() / wanted_s);
      const Look look = LookBack(wanted_s, from);
      // Who goes in a ring drifts nowhere either, but scatters and is fast.
      const bool found = look.span_s >= 0.8 * wanted_s && look.drift_mps < drift_mps &&
                         look.samples >= 3 && look.told_mps < kFastMps / 2 &&
                         ScatterM(look) < tuning_.rest_scatter * NoiseM();
      return found ? look.span_s : 0;
    };
    span_s = rest(tuning_.span_per_noise, 0);
    if (span_s <= 0 && state_.drove && newest - *state_.drove < kDroveAge) {
      span_s = rest(tuning_.vehicle_span_per_noise, tuning_.vehicle_drift_noises);
    }
  }
  if (span_s <= 0) return std::nullopt;
  return newest - FromSeconds(span_s);
}

// When the device left its place of rest, if the last seconds show that it did.
std::optional<MonoTime> MotionDetector::FindStart() const {
  if (state_.count < 2) return std::nullopt;
  const Sample& newest = At(state_.count - 1);
  const bool hinted = state_.hint && state_.hint->confidence >= kHintConfidence &&
                      newest.time - state_.hint->time < kHintAge;
  const bool active = hinted && state_.hint->activity >= Activity::kWalking;
  const double ease = active ? 0.6 : 1;
  const double noise_m = PlaceNoiseM();
  const double away_m = AwayM(newest.at);
  const Look quick = LookBack(kStartSpanReportedS);
  if (quick.reported == quick.samples && quick.samples >= 2) {
    // The noise of such a mean was learned at this place: errors of velocities are coloured, so it
    // is more than a root of the count less.
    const double noise_mps = std::sqrt(state_.place.speed2_m2ps2 / 2);
    const double limit_mps = std::max(kStartMps * ease, tuning_.start_noises * noise_mps);
    if (quick.velocity_mps > limit_mps && quick.samples >= 3 && newest.speed_mps > limit_mps) {
      return DepartureTime();
    }
    const Sample& before = At(state_.count - 2);
    const double fast_mps = std::max(kFastMps, 2 * tuning_.start_noises * noise_mps);
    if (newest.speed_mps > fast_mps && before.speed_mps > fast_mps) return DepartureTime();
  } else if (LeavesFast(noise_m)) {
    return DepartureTime();
  }
  // The filter smears a jump over some fixes, which looks like progress: a short way must be long
  // against the noise, as a car's is; a walker's shows over a long span.
  const double wanted_s =
      std::clamp(kStartSpanPerNoise * noise_m, kShortestStartSpanS, kLongestSpanS);
  const double least_m = tuning_.progress_noises * noise_m * ease;
  for (const double factor : {1.0, 2.0, 4.0}) {
    const Look look = LookBack(wanted_s / factor);
    if (look.samples >= 4 && look.span_s >= 0.8 * wanted_s / factor &&
        look.progress_m > factor * least_m && look.drift_mps > tuning_.rest_mps &&
        away_m > 2 * factor * least_m) {
      return DepartureTime();
    }
  }
  // One estimate in many seconds: three that lead away, each out of the noise of the last.
  if (state_.count >= 3 && away_m > 4 * noise_m) {
    const double last_s = Seconds(newest.time - At(state_.count - 2).time);
    const double before_s = Seconds(At(state_.count - 2).time - At(state_.count - 3).time);
    if (std::min(last_s, before_s) >= kSparseS && LookBack(0).progress_m > noise_m) {
      return DepartureTime();
    }
  }
  if (state_.far && Seconds(newest.time - *state_.far) >= tuning_.far_span_s)
    return DepartureTime();
  return std::nullopt;
}

// As fast as no walker, over some seconds, each part of them a way out of the noise: no jump.
bool MotionDetector::Drives() const {
  const Look look = LookBack(kDriveSpanS);
  return look.samples >= 4 && look.drift_mps > kDriveMps && look.progress_m > NoiseM();
}

// Three fast estimates in a row that lead away from the place, well out of its noise, and fixes
// that advance from each to the next: a jump that the filter follows does not. (Where the noise is
// large, it may.)
bool MotionDetector::LeavesFast(double noise_m) const {
  if (state_.count < 4 || noise_m >= kQuietM) return false;
  const Sample& newest = At(state_.count - 1);
  const double away_m = AwayM(newest.at);
  if (away_m <= std::max(kLeastDepartureM, 4 * noise_m)) return false;
  const double e = (newest.at.east_m - state_.place.at.east_m) / away_m;
  const double n = (newest.at.north_m - state_.place.at.north_m) / away_m;
  for (std::uint32_t i = state_.count - 3; i < state_.count; ++i) {
    const Sample &before = At(i - 1), &s = At(i);
    const double raw_m =
        (s.raw.east_m - before.raw.east_m) * e + (s.raw.north_m - before.raw.north_m) * n;
    if (s.ve_mps * e + s.vn_mps * n <= kFastMps) return false;
    if (raw_m <= kFastMps / 2 * Seconds(s.time - before.time)) return false;
  }
  return true;
}

// The last time at the place before the way that leads here.
MonoTime MotionDetector::DepartureTime() const {
  const double near_m = std::max(3.0, 1.5 * PlaceNoiseM());
  for (std::uint32_t i = state_.count; i-- > 0;) {
    const Sample& s = At(i);
    const double away_m = AwayM(s.at);
    if (away_m > near_m && s.time > state_.since) continue;
    if (i + 1 >= state_.count) return s.time;
    // Between the last sample at the place and the next one, at the speed of the way.
    const Sample& next = At(i + 1);
    const double step_m = Hypot(next.at.east_m - s.at.east_m, next.at.north_m - s.at.north_m);
    const double speed_mps = std::max(next.speed_mps, 0.5);
    const Duration back = FromSeconds(std::min(step_m / speed_mps, 600.0));
    return std::max(s.time, next.time - back);
  }
  return state_.count > 0 ? std::max(state_.since, At(0).time) : state_.since;
}

void MotionDetector::Rest(MonoTime since, std::vector<MotionEvent>& out) {
  const bool changed = state_.motion != Motion::kStationary;
  state_.motion = Motion::kStationary;
  state_.far.reset();
  state_.since = std::max(since, state_.since);
  // The place begins with what the window holds of the rest.
  Place place;
  double n = 0;
  for (std::uint32_t i = 0; i < state_.count; ++i) {
    const Sample& s = At(i);
    if (s.time < state_.since) continue;
    n += 1;
    place.at.east_m += (s.at.east_m - place.at.east_m) / n;
    place.at.north_m += (s.at.north_m - place.at.north_m) / n;
  }
  const double sigma_m = NoiseM();
  place.fixes = static_cast<std::uint32_t>(n);
  place.variance_m2 = place.scatter_m2 = sigma_m * sigma_m;
  place.weight = n / (sigma_m * sigma_m);
  place.first = state_.since;
  place.last = state_.last;
  state_.place = place;
  state_.noticed = state_.last;
  if (!changed) return;
  MotionEvent event;
  event.kind = MotionEvent::Kind::kMotionChange;
  event.change = {state_.since, UtcAt(state_.since), Motion::kStationary,
                  frame_.FromLocal(place.at)};
  out.push_back(event);
  if (state_.in_stay) RestInStay(out);
}

void MotionDetector::Start(MonoTime since, const Distance& odometer,
                           std::vector<MotionEvent>& out) {
  if (state_.in_stay) state_.stay_place = StayPlace();
  state_.motion = Motion::kMoving;
  state_.noticed = state_.last;
  state_.far.reset();
  state_.since = std::max(since, state_.since);
  const LatLon from =
      state_.place.fixes > 0 ? frame_.FromLocal(state_.place.at) : state_.departed_from;
  // Who starts again on an excursion departed at its first start.
  if (!state_.departing || way() != Way::kHeld) {
    state_.departing = state_.in_stay;
    state_.departed = state_.since;
    state_.departed_from = from;
    state_.depart_reading = odometer;
  }
  MotionEvent event;
  event.kind = MotionEvent::Kind::kMotionChange;
  event.change = {state_.since, UtcAt(state_.since), Motion::kMoving, from};
  out.push_back(event);
}

void MotionDetector::Update(const Estimate& live, const Fix& fix, const Verdict& verdict,
                            const Distance& odometer, std::vector<MotionEvent>& out) {
  if (!IsSane(live)) return;
  if (!state_.started) Begin(live);
  if (state_.count > 0 && live.time <= state_.last) return;
  if (live.utc) {
    state_.utc_minus_mono_ms =
        live.utc->time_since_epoch().count() - live.time.time_since_epoch().count() / 1'000'000;
  }
  EastNorth at = frame_.ToLocal(live.position);
  if (Hypot(at.east_m, at.north_m) > kRecentreM) {
    Recentre(live.position);
    at = frame_.ToLocal(live.position);
  }
  const bool after_gap = state_.count > 0 && live.time - state_.last > kGap;
  state_.sigma_m = live.r68_m / kR68PerSigma;
  const bool used = verdict.used() && !live.coasting;
  // The velocity of an outlying fix is a Doppler measurement of its own; a repeated one is not.
  const bool fresh = used || verdict.disposition == Disposition::kProvisional ||
                     verdict.reason == Reason::kInnovation ||
                     verdict.reason == Reason::kImpliedSpeed;
  if (fresh) Watch(live, fix, used, out);
  if (after_gap) {
    const Sample before = At(state_.count - 1);
    const double moved_m = Hypot(at.east_m - before.at.east_m, at.north_m - before.at.north_m);
    const double gap_s = Seconds(live.time - state_.last);
    state_.begin = state_.count = 0;
    // Nothing is known of the gap but its ends. Nearer than a slow walk would have led: a rest.
    if (state_.motion != Motion::kStationary &&
        moved_m < std::max({options_.stay_radius_m, 3 * NoiseM()}) &&
        moved_m / gap_s < tuning_.rest_mps) {
      state_.window[0] = before;
      state_.count = 1;
      state_.last = live.time;
      AddSample(live, at, fix, used, fresh);
      Rest(before.time, out);
      SettleStay(live.time, odometer, out);
      return;
    }
  }
  state_.last = live.time;
  AddSample(live, at, fix, used, fresh);

  if (Drives()) state_.drove = live.time;
  if (state_.motion != Motion::kMoving) {
    const double far_m = std::max(kLeastFarM, kFarNoises * PlaceNoiseM());
    if (state_.motion == Motion::kStationary && AwayM(at) > far_m) {
      if (!state_.far) state_.far = live.time;
    } else {
      state_.far.reset();
    }
    if (const std::optional<MonoTime> start = FindStart()) {
      Start(*start, odometer, out);
    } else if (state_.motion == Motion::kStationary && used && !state_.far) {
      const double reported_m = fix.horizontal_accuracy_m.value_or(live.r68_m);
      AddToPlace(fix, std::isfinite(reported_m) && reported_m > 0 ? reported_m : live.r68_m);
    }
  }
  if (state_.motion != Motion::kStationary) {
    if (const std::optional<MonoTime> stop = FindStop()) Rest(*stop, out);
  }
  SettleStay(live.time, odometer, out);
  if (way() == Way::kNone) state_.departing = false;
  if (state_.motion == Motion::kMoving && !state_.in_trip &&
      (!state_.in_stay || (way() != Way::kHeld && way() != Way::kNone))) {
    const double away_m = state_.in_stay ? Hypot(at.east_m - state_.stay_at.east_m,
                                                 at.north_m - state_.stay_at.north_m)
                                         : DBL_MAX;
    if (away_m > std::max(options_.stay_radius_m, 3 * NoiseM())) LeaveStay(out);
  }
}

// Whether the way from a settled place is one.
void MotionDetector::Watch(const Estimate& live, const Fix& fix, bool used,
                           std::vector<MotionEvent>& out) {
  const auto raw = LatLon::FromDegrees(fix.position.lat_deg, fix.position.lon_deg);
  if (!raw) return;
  StayWatch& watch = state_.watch;
  const bool walked = way() == Way::kWalked;
  // (Not the estimate's: it is unsure of itself just when a fix leads away.)
  const double told_m = fix.horizontal_accuracy_m.value_or(kUntoldM);
  const double fix_sigma_m = (told_m > 0 && told_m < 1e4 ? told_m : kUntoldM) / kR68PerSigma;
  if (used && Seconds(live.time - state_.noticed) >= tuning_.watch.settled_s) {
    if (state_.motion == Motion::kStationary && !state_.far) {
      watch.Settle(frame_.FromLocal(state_.place.at), NoiseM());
    } else if (state_.motion == Motion::kMoving && way() == Way::kHeld) {
      watch.Leave();
    }
  }
  watch.Add(live.time, *raw, fix_sigma_m, live.position, NoiseM(), SaneSpeed(fix));
  if (walked || way() != Way::kWalked || !state_.in_stay) return;
  if (state_.departed < state_.stay.begin) return;  // its start is still to be found
  // Out of the surroundings, be it that he is back by now.
  if (watch.farthest_m() > std::max(options_.stay_radius_m, 3 * NoiseM())) LeaveStay(out);
}

void MotionDetector::Observe(const MotionSample& sample) {
  if (!(sample.confidence >= 0 && sample.confidence <= 1)) return;
  if (state_.hint && sample.time < state_.hint->time) return;
  state_.hint = sample;
}

std::optional<MonoTime> MotionDetector::since() const {
  return state_.motion == Motion::kUnknown ? std::nullopt : std::optional<MonoTime>(state_.since);
}

}  // namespace waymark
