// Model: a fix is judged against three things that do not depend on a motion model: the ranges of
// its fields, the order of time, and the fixes before it. Each refusal that rests on the track so
// far (clock, impossible speed, repeats, coarse radius) ends by itself: fixes that contradict the
// track but agree with one another outvote it, so that a bad start never locks the filter.
#include "filters/fix_validator.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "filters/fix_fingerprint.h"
#include "filters/state_bytes.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// The GPS week number has 10 bits (IS-GPS-200): a receiver that cannot extend it is 1024 weeks
// late.
constexpr std::int64_t kRolloverMs = milliseconds(hours(24 * 7 * 1024)).count();
constexpr std::int64_t kRolloverSlackMs = milliseconds(hours(24)).count();
// UTC - GPS has grown by 18 s since 1980; a receiver without almanac uses the count it was built
// with, or none. 20 s leaves room for the next ones.
constexpr std::int64_t kMaxLeapSeconds = 20;
constexpr std::int64_t kLeapSlackMs = 200;
// A receiver hears the count within 12.5 minutes, the length of the navigation message
// (IS-GPS-200), at a fix a second. If UTC still runs ahead then, it was wrong before.
constexpr std::uint32_t kMaxLeapShifted = 750;
// UTC of a host that has it from a network, with the latency of a fix.
constexpr std::int64_t kHostAgreesMs = 700;
// Reports of one epoch (gpsd: 2-4 growing TPVs, NMEA: RMC and GGA) carry one time stamp; the
// fastest receivers in the field (25 Hz) are 40 ms apart.
constexpr Duration kSameEpoch = milliseconds(5);
// Whole-second stamps of chipsets and the jitter of the host's clock mapping.
constexpr Duration kFutureSlack = seconds(2);
constexpr Duration kOldestDelivery = std::chrono::hours(24);
// A lone wrong stamp, and a burst that a host hands over at once, are shorter; at a fix a second a
// clock that was set costs 4 fixes.
constexpr std::uint32_t kClockVotes = 5;
constexpr Duration kClockAgreement = seconds(1);
// A late run shorter than this catches up by itself.
constexpr Duration kClockStep = seconds(10);
// Bursts of network or multipath positions that the field reports last up to 6 fixes, one a second.
constexpr std::uint32_t kJumpVotes = 3;
constexpr Duration kJumpSpan = seconds(6);
// A radius of 2.5 x r68 holds 99.9 % of a circular Gaussian.
constexpr double kJumpSlackRadii = 2.5;
constexpr double kStaleReportedSpeedMps = 1.0;
constexpr double kStaleEstimatedSpeedMps = 5.0;
constexpr Duration kStaleLimit = seconds(30);
constexpr double kSameJourneyS = 120;  // the speed between fixes further apart says nothing
constexpr double kBrakingMps2 = 3.0;   // firm braking of a car
constexpr Duration kCachedGap = seconds(10);
constexpr double kCachedSpeedMps = 2.0;
constexpr std::uint32_t kCachedLimit = 3;
constexpr double kCoarseNetworkM = 50, kCoarseOtherM = 100;
constexpr double kCoarseRatio = 5;
constexpr double kWalkMps = 1.5;
// Cell and Wi-Fi positions without a radius (Android documents "hundreds of metres").
constexpr double kNetworkDefaultM = 100;
constexpr double kMaxAltitudeM = 1e5;
constexpr std::int64_t kSaneMs = std::int64_t{1} << 46;  // UTC up to the year 4199

void Refuse(Intake& intake, Reason reason, double value, double limit) {
  intake.action = IntakeAction::kDrop;
  intake.verdict = {Disposition::kRejected, reason, value, limit};
}

void Adjust(Intake& intake, Reason reason, double value, double limit) {
  if (intake.verdict.reason != Reason::kNone) return;  // the first repair names the verdict
  intake.verdict = {Disposition::kAdjusted, reason, value, limit};
}

// b - a, saturating: a time stamp may be anything.
Duration Apart(MonoTime a, MonoTime b) {
  std::int64_t out = 0;
  if (__builtin_sub_overflow(b.time_since_epoch().count(), a.time_since_epoch().count(), &out)) {
    return b < a ? Duration::min() : Duration::max();
  }
  return Duration(out);
}

// t + d, saturating.
MonoTime Later(MonoTime t, Duration d) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(t.time_since_epoch().count(), d.count(), &out)) {
    return d.count() < 0 ? MonoTime::min() : MonoTime::max();
  }
  return MonoTime(Duration(out));
}

bool Beyond(MonoTime t) {
  const std::int64_t ns = t.time_since_epoch().count();
  return ns > kMaxTimeNs || ns < -kMaxTimeNs;
}

// How many rollovers `behind_ms` is, if it is that within a day; else 0. In milliseconds, because
// the difference of two UTC times need not fit into nanoseconds.
std::int64_t Rollovers(std::int64_t behind_ms) {
  if (behind_ms < kRolloverMs - kRolloverSlackMs) return 0;
  const std::int64_t n = (behind_ms + kRolloverSlackMs) / kRolloverMs;
  return std::abs(behind_ms - n * kRolloverMs) <= kRolloverSlackMs ? n : 0;
}

// The seconds of a step of the leap count, if it is one; else 0.
std::int64_t LeapSeconds(std::int64_t step_ms) {
  const std::int64_t s = (step_ms + (step_ms < 0 ? -500 : 500)) / 1000;
  return std::abs(step_ms - s * 1000) <= kLeapSlackMs && std::abs(s) <= kMaxLeapSeconds ? s : 0;
}

std::int64_t Milliseconds(Duration d) { return d.count() / 1'000'000; }

// The source's time is taken to be off by `offset`.
void AdjustClock(Intake& intake, Duration offset) {
  if (const std::int64_t behind_s = LeapSeconds(Milliseconds(offset)); behind_s != 0) {
    Adjust(intake, Reason::kLeapSecond, static_cast<double>(-behind_s), kMaxLeapSeconds);
  } else if (offset < Duration::zero()) {
    Adjust(intake, Reason::kFuture, -Seconds(offset), 0);
  } else {
    Adjust(intake, Reason::kLate, Seconds(offset), 0);
  }
}

// The coarsest decimal grid that both coordinates stand on, as a length: a file with four decimals
// repeats a position of a walker without meaning it.
double QuantumM(LatLon p) {
  double per_degree = 1e3;
  for (int i = 0; i < 3; ++i, per_degree *= 10) {
    const double lat = p.lat_deg * per_degree, lon = p.lon_deg * per_degree;
    if (std::abs(lat - std::round(lat)) < 1e-5 && std::abs(lon - std::round(lon)) < 1e-5) {
      return 111e3 / per_degree;
    }
  }
  return 0.11;
}

double ApartM(LatLon a, LatLon b) {
  const EastNorth d = LocalFrame(a).ToLocal(b);
  return std::hypot(d.east_m, d.north_m);
}

// No less than the distance, and quick: along the meridian, then along the parallel. A degree of
// latitude is 111,694 m at most, one of longitude 111,320 m.
double ApartAtMostM(LatLon a, LatLon b) {
  const double lat = std::fabs(a.lat_deg - b.lat_deg), lon = std::fabs(a.lon_deg - b.lon_deg);
  return 111'695 * lat + 111'320 * std::min(lon, 360 - lon);
}

int Fields(const Fix& f) {
  return f.utc.has_value() + f.horizontal_accuracy_m.has_value() + f.altitude_m.has_value() +
         f.vertical_accuracy_m.has_value() + f.speed_mps.has_value() +
         f.speed_accuracy_mps.has_value() + f.course_deg.has_value() +
         f.course_accuracy_deg.has_value();
}

// Fields that `to` lacks come from `from`; those that qualify one another travel together.
void FillFrom(const Fix& from, Fix& to) {
  if (!to.utc) to.utc = from.utc;
  if (!to.horizontal_accuracy_m) to.horizontal_accuracy_m = from.horizontal_accuracy_m;
  if (!to.altitude_m) {
    to.altitude_m = from.altitude_m;
    to.vertical_accuracy_m = from.vertical_accuracy_m;
  } else if (!to.vertical_accuracy_m) {
    to.vertical_accuracy_m = from.vertical_accuracy_m;
  }
  if (!to.speed_mps) {
    to.speed_mps = from.speed_mps;
    to.speed_accuracy_mps = from.speed_accuracy_mps;
    to.course_deg = from.course_deg;
    to.course_accuracy_deg = from.course_accuracy_deg;
  } else {
    if (!to.speed_accuracy_mps) to.speed_accuracy_mps = from.speed_accuracy_mps;
    if (!to.course_deg) {
      to.course_deg = from.course_deg;
      to.course_accuracy_deg = from.course_accuracy_deg;
    } else if (!to.course_accuracy_deg) {
      to.course_accuracy_deg = from.course_accuracy_deg;
    }
  }
  if (to.source == FixSource::kUnknown) to.source = from.source;
  to.simulated = to.simulated || from.simulated;
}

// Removes an optional field that is not in [least, most]; reports the first that was removed.
void Keep(std::optional<double>& field, double least, double most, Intake& intake) {
  if (!field || (*field >= least && *field <= most)) return;
  if (std::isfinite(*field)) {
    Adjust(intake, Reason::kOutOfRange, *field, *field < least ? least : most);
  } else {
    Adjust(intake, Reason::kNotFinite, 0, 0);
  }
  field.reset();
}

}  // namespace

double FixValidator::AccuracyM(const Fix& fix) const {
  if (fix.horizontal_accuracy_m) return *fix.horizontal_accuracy_m;
  return fix.source == FixSource::kNetwork ? std::max(options_.default_accuracy_m, kNetworkDefaultM)
                                           : options_.default_accuracy_m;
}

Intake FixValidator::Screen(const Fix& fix, const Stamp& delivered) {
  Intake intake;
  intake.fix = fix;
  if (!Sanitise(intake)) return intake;
  const std::uint64_t fingerprint = Fingerprint(fix);
  // A report newer than all before cannot be one of them.
  if (fix.time > state_.newest_delivered) {
    if (!Beyond(fix.time)) state_.newest_delivered = fix.time;
  } else if (WasSeen(fingerprint)) {
    Refuse(intake, Reason::kDuplicate, 0, 0);
    return intake;
  }
  const Duration clock_offset = state_.clock_offset;
  const std::uint32_t utc_shifted = state_.utc_shifted;
  Stamp arrival = delivered;
  if (Beyond(arrival.mono)) arrival.mono = fix.time;
  const bool in_time = RepairTime(arrival, intake);
  if (Beyond(fix.time) || Beyond(intake.fix.time)) {
    Refuse(intake, Reason::kOutOfRange, Seconds(fix.time.time_since_epoch()),
           Seconds(Duration(kMaxTimeNs)));
    if (!Beyond(fix.time)) RememberSeen(fingerprint, fix);
    return intake;
  }
  if (!in_time) {
    RememberSeen(fingerprint, intake.fix);
    return intake;
  }
  RepairUtc(arrival, intake);
  if (!PlaceInTime(arrival, intake)) {
    // What is late beyond the window is refused again however often it comes; remembering it
    // would only push out fixes that matter. It must not have taught anything then.
    if (intake.verdict.reason != Reason::kLate || state_.clock.votes > 0 ||
        state_.clock_offset != clock_offset) {
      RememberSeen(fingerprint, intake.fix);
    } else {
      state_.utc_shifted = utc_shifted;
    }
    return intake;
  }
  state_.clock.votes = 0;
  RememberSeen(fingerprint, intake.fix);
  return intake;
}

bool FixValidator::Sanitise(Intake& intake) const {
  Fix& fix = intake.fix;
  intake.action = IntakeAction::kUse;
  if (fix.simulated && !options_.accept_simulated) {
    Refuse(intake, Reason::kSimulated, 0, 0);
    return false;
  }
  const double lat = fix.position.lat_deg, lon = fix.position.lon_deg;
  if (!std::isfinite(lat) || !std::isfinite(lon)) {
    Refuse(intake, Reason::kNotFinite, 0, 0);
    return false;
  }
  const std::optional<LatLon> position = LatLon::FromDegrees(lat, lon);
  if (!position) {
    const bool bad_lat = lat < -90 || lat > 90;
    Refuse(intake, Reason::kOutOfRange, bad_lat ? lat : lon, bad_lat ? 90 : 360);
    return false;
  }
  fix.position = *position;
  if (fix.position == LatLon{}) {  // how some receivers say that they have no place
    Refuse(intake, Reason::kOutOfRange, 0, 0);
    return false;
  }
  // A radius of zero or less is how some programs write "unknown".
  Keep(fix.horizontal_accuracy_m, 1e-12, 1e300, intake);
  Keep(fix.altitude_m, -kMaxAltitudeM, kMaxAltitudeM, intake);
  Keep(fix.vertical_accuracy_m, 1e-12, 1e300, intake);
  if (!fix.altitude_m) fix.vertical_accuracy_m.reset();
  Keep(fix.speed_mps, 0, options_.max_speed_mps, intake);
  Keep(fix.speed_accuracy_mps, 1e-12, 1e300, intake);
  if (fix.course_deg && *fix.course_deg == 360) fix.course_deg = 0;
  Keep(fix.course_deg, 0, 360, intake);
  Keep(fix.course_accuracy_deg, 1e-12, 360, intake);
  if (!fix.speed_mps) fix.speed_accuracy_mps.reset();
  // A course says something about the velocity only together with a speed.
  if (!fix.speed_mps) fix.course_deg.reset();
  if (!fix.course_deg) fix.course_accuracy_deg.reset();
  intake.accuracy_m = AccuracyM(fix);
  if (intake.accuracy_m > options_.max_accuracy_m) {
    Refuse(intake, Reason::kAccuracy, intake.accuracy_m, options_.max_accuracy_m);
    return false;
  }
  return true;
}

bool FixValidator::RepairTime(Stamp& arrival, Intake& intake) {
  Fix& fix = intake.fix;
  std::int64_t weeks = Rollovers(Milliseconds(Apart(fix.time, arrival.mono)));
  // In a replay the arrival may be the fix's own time; then the fix before it tells.
  if (weeks == 0 && state_.newest)
    weeks = Rollovers(Milliseconds(Apart(fix.time, state_.newest->time)));
  if (weeks > 0) {
    fix.time = Later(fix.time, milliseconds(weeks * kRolloverMs));
    if (state_.newest && arrival.mono < state_.newest->time) arrival.mono = fix.time;
    Adjust(intake, Reason::kWeekRollover, static_cast<double>(weeks) * 1024, 0);
  }
  if (state_.clock_offset != Duration::zero()) {
    // The source's clock came right again: its own time is in order and not ahead of its arrival.
    const Duration lag = Apart(fix.time, arrival.mono);
    if (lag >= -kFutureSlack && lag < kClockStep && state_.newest &&
        fix.time > state_.newest->time) {
      state_.clock_offset = Duration::zero();
    } else {
      AdjustClock(intake, state_.clock_offset);
      fix.time = Later(fix.time, state_.clock_offset);
    }
  }
  const Duration ahead = Apart(arrival.mono, fix.time);
  if (ahead > kFutureSlack && !LeaptAhead(-ahead, intake) && !VoteOnClock(arrival, intake)) {
    Refuse(intake, Reason::kFuture, Seconds(ahead), Seconds(kFutureSlack));
    return false;
  }
  // Hardware batches are minutes late, never days. Later fixes are held against the one before
  // them.
  const Duration late = Apart(fix.time, arrival.mono);
  if (!state_.newest && late > kOldestDelivery && !VoteOnClock(arrival, intake)) {
    Refuse(intake, Reason::kStale, Seconds(late), Seconds(kOldestDelivery));
    return false;
  }
  return true;
}

// A fix that is ahead of its arrival by whole seconds more than the one before: its source lost the
// leap count between the two.
bool FixValidator::LeaptAhead(Duration lag, Intake& intake) {
  if (!state_.newest || Beyond(MonoTime(lag))) return false;
  const std::int64_t step_s = LeapSeconds(Milliseconds(state_.newest_lag - lag));
  const MonoTime offset = Later(MonoTime(state_.clock_offset), -seconds(step_s));
  if (step_s <= 0 || Beyond(offset)) return false;
  state_.clock_offset = offset.time_since_epoch();
  intake.fix.time = Later(intake.fix.time, -seconds(step_s));
  AdjustClock(intake, state_.clock_offset);
  return true;
}

// Counts a fix whose time cannot be right. True once enough of them in a row ran in step with their
// arrival: then the source's clock stands wrong, and the offset is taken out.
bool FixValidator::VoteOnClock(const Stamp& arrival, Intake& intake) {
  ClockBallot& ballot = state_.clock;
  const Duration lag = Apart(intake.fix.time, arrival.mono);
  const MonoTime offset = Later(MonoTime(state_.clock_offset), lag);
  if (Beyond(intake.fix.time) || Beyond(MonoTime(lag)) || Beyond(offset)) return false;
  const Duration change = Apart(MonoTime(ballot.lag), MonoTime(lag));
  const bool agrees = ballot.votes > 0 && intake.fix.time > ballot.last &&
                      change <= kClockAgreement && change >= -kClockAgreement;
  if (!agrees) ballot = {0, intake.fix.time, intake.fix.time, lag};
  ++ballot.votes;
  ballot.last = intake.fix.time;
  ballot.lag = std::min(ballot.lag, lag);
  if (ballot.votes < kClockVotes || Apart(ballot.first, ballot.last) < kFutureSlack) return false;
  state_.clock_offset = Apart(MonoTime{}, Later(MonoTime(state_.clock_offset), ballot.lag));
  intake.fix.time = Later(intake.fix.time, ballot.lag);
  ballot = {};
  AdjustClock(intake, state_.clock_offset);
  return true;
}

void FixValidator::RepairUtc(const Stamp& arrival, Intake& intake) {
  Fix& fix = intake.fix;
  if (!fix.utc) return;
  const std::int64_t raw_ms = fix.utc->time_since_epoch().count();
  if (raw_ms < -kSaneMs || raw_ms > kSaneMs) {
    Adjust(intake, Reason::kOutOfRange, static_cast<double>(raw_ms), static_cast<double>(kSaneMs));
    fix.utc.reset();
    return;
  }
  const std::int64_t arrival_ms = arrival.utc.time_since_epoch().count();
  const bool arrival_known = arrival_ms > 0 && arrival_ms < kSaneMs;
  const std::optional<Fix>& before = state_.newest;
  // By how much UTC ran ahead of monotonic time since the fix before, in ms.
  std::optional<std::int64_t> drift_ms;
  if (before && before->utc) {
    drift_ms = (raw_ms - before->utc->time_since_epoch().count()) -
               Milliseconds(Apart(before->time, fix.time));
  }
  std::int64_t weeks = 0;
  if (arrival_known) weeks = Rollovers(arrival_ms - raw_ms);
  if (weeks == 0 && drift_ms) weeks = Rollovers(-*drift_ms);
  if (weeks > 0) {
    const std::int64_t shift_ms = weeks * kRolloverMs;
    fix.utc = *fix.utc + milliseconds(shift_ms);
    if (drift_ms) *drift_ms += shift_ms;
    Adjust(intake, Reason::kWeekRollover, static_cast<double>(weeks) * 1024, 0);
  }
  if (!drift_ms) return;
  const std::int64_t step_s = LeapSeconds(*drift_ms);
  const auto host_says = [&](UtcTime utc) {
    return arrival_known && std::abs(arrival_ms - utc.time_since_epoch().count()) < kHostAgreesMs;
  };
  if (step_s < 0) {
    // A receiver that learns the leap count steps back: from now on it is right.
    Adjust(intake, Reason::kLeapSecond, static_cast<double>(step_s), kMaxLeapSeconds);
  } else if (step_s > 0 && !host_says(*fix.utc) &&
             (host_says(*fix.utc - seconds(step_s)) || state_.utc_shifted < kMaxLeapShifted)) {
    // It lost the count (a cold start): it is ahead of UTC until it learns it again.
    ++state_.utc_shifted;
    fix.utc = *fix.utc - seconds(step_s);
    Adjust(intake, Reason::kLeapSecond, static_cast<double>(step_s), kMaxLeapSeconds);
  } else {
    state_.utc_shifted = 0;
  }
}

bool FixValidator::PlaceInTime(const Stamp& arrival, Intake& intake) {
  if (!state_.newest) return true;
  const Duration ahead = Apart(state_.newest->time, intake.fix.time);
  if (ahead > kSameEpoch) return true;
  if (ahead >= -kSameEpoch) {
    Merge(intake);
    return intake.action != IntakeAction::kDrop;
  }
  const double late_s = -Seconds(ahead);
  if (ahead >= -options_.reorder_window) {
    for (std::uint32_t i = 0; i < state_.seen_count; ++i) {
      const Duration apart = Apart(state_.seen[i].time, intake.fix.time);
      if (apart <= kSameEpoch && apart >= -kSameEpoch) {
        Refuse(intake, Reason::kMerged, Seconds(apart), Seconds(kSameEpoch));
        return false;
      }
    }
    intake.action = IntakeAction::kInsertLate;
    Adjust(intake, Reason::kLate, late_s, Seconds(options_.reorder_window));
    return true;
  }
  const bool stands_wrong = Apart(intake.fix.time, arrival.mono) > kClockStep;
  if (stands_wrong && VoteOnClock(arrival, intake) &&
      Apart(state_.newest->time, intake.fix.time) > kSameEpoch) {
    return true;
  }
  Refuse(intake, Reason::kLate, late_s, Seconds(options_.reorder_window));
  return false;
}

void FixValidator::Merge(Intake& intake) const {
  const Fix& first = *state_.newest;
  const double apart_s = Seconds(Apart(first.time, intake.fix.time));
  const bool sharper = intake.accuracy_m < AccuracyM(first) / 2;
  const bool grows = Fields(intake.fix) >= Fields(first) && intake.accuracy_m <= AccuracyM(first) &&
                     intake.fix.position == first.position;
  Fix merged = sharper || grows ? intake.fix : first;
  FillFrom(sharper || grows ? first : intake.fix, merged);
  merged.time = first.time;
  if (Fingerprint(merged) == Fingerprint(first)) {
    Refuse(intake, Reason::kMerged, apart_s, Seconds(kSameEpoch));
    return;
  }
  intake.action = IntakeAction::kMergeNewest;
  intake.fix = merged;
  intake.accuracy_m = AccuracyM(merged);
  intake.verdict = {Disposition::kAdjusted, Reason::kMerged, apart_s, Seconds(kSameEpoch)};
}

bool FixValidator::WasSeen(std::uint64_t fingerprint) const {
  for (std::uint32_t i = 0; i < state_.seen_count; ++i) {
    if (state_.seen[i].fingerprint == fingerprint) return true;
  }
  return false;
}

void FixValidator::RememberSeen(std::uint64_t fingerprint, const Fix& fix) {
  state_.seen[state_.seen_next] = {fingerprint, fix.time, fix.position};
  state_.seen_next = (state_.seen_next + 1) % kRemembered;
  state_.seen_count = std::min<std::uint32_t>(state_.seen_count + 1, kRemembered);
}

bool FixValidator::NeedsPrediction(const Intake& intake) const {
  if (!state_.newest) return false;
  if (intake.accuracy_m >= kCoarseNetworkM) return true;
  return intake.fix.position == state_.newest->position && !intake.fix.speed_mps;
}

void FixValidator::Weigh(const std::optional<Estimate>& prediction, Intake& intake) {
  if (RepeatsOldPosition(prediction, intake)) return;
  if (CoarseAgainstGoodTrack(prediction, intake)) return;
  ImpliesImpossibleSpeed(intake);
}

bool FixValidator::RepeatsOldPosition(const std::optional<Estimate>& prediction, Intake& intake) {
  if (!state_.newest) return false;
  const Fix& fix = intake.fix;
  const Fix& newest = *state_.newest;
  if (fix.position != newest.position) {
    state_.repeats = std::min(state_.repeats, kCachedLimit);
    const std::optional<Anchor>& anchor = state_.anchor;
    if (!anchor || Apart(anchor->time, fix.time) < kCachedGap ||
        anchor->speed_mps < kCachedSpeedMps || state_.repeats >= kCachedLimit) {
      state_.repeats = 0;
      return false;
    }
    // After a sleep on the way, a position that was there before is the cache's.
    for (std::uint32_t i = 0; i < state_.seen_count; ++i) {
      const Seen& seen = state_.seen[i];
      if (seen.position == fix.position && seen.time < fix.time) {
        ++state_.repeats;
        Refuse(intake, Reason::kCached, ApartM(anchor->position, fix.position), 0);
        return true;
      }
    }
    state_.repeats = 0;
    return false;
  }
  const Duration step = Apart(newest.time, fix.time);
  double speed_mps = 0, least_mps = kStaleEstimatedSpeedMps;
  Duration limit = kStaleLimit;
  if (fix.speed_mps) {
    speed_mps = *fix.speed_mps;
    least_mps = kStaleReportedSpeedMps;
    // Whoever drives is not where it was before the sleep, however long that was.
    if (step >= kCachedGap && state_.repeats < kCachedLimit) limit = Duration::max();
  } else if (prediction && prediction->p_stopped < 0.5) {
    // The estimate's speed lags: no longer than the device could have braked.
    speed_mps = prediction->speed_mps();
    limit = std::min(limit, FromSeconds(speed_mps / kBrakingMps2));
  } else if (!prediction && state_.anchor && step >= kCachedGap && state_.repeats < kCachedLimit) {
    speed_mps = state_.anchor->speed_mps;
    limit = Duration::max();
  }
  const double moved_m = speed_mps * Seconds(step);
  if (state_.repeats == 0) state_.repeat_begin = newest.time;
  const Duration age = Apart(state_.repeat_begin, fix.time);
  if (speed_mps < least_mps || moved_m < std::max(1.0, 2 * QuantumM(fix.position)) || age > limit) {
    state_.repeats = 0;
    return false;
  }
  ++state_.repeats;
  if (step >= kCachedGap) {
    Refuse(intake, Reason::kCached, moved_m, 0);
  } else {
    Refuse(intake, Reason::kStale, Seconds(age), Seconds(limit));
  }
  return true;
}

bool FixValidator::CoarseAgainstGoodTrack(const std::optional<Estimate>& prediction,
                                          Intake& intake) const {
  const double least_m = intake.fix.source == FixSource::kNetwork ? kCoarseNetworkM : kCoarseOtherM;
  if (!state_.anchor || intake.accuracy_m < least_m) return false;
  const Anchor& anchor = *state_.anchor;
  // How well the position is known without this fix: by the filter, or by what a device can have
  // moved since.
  const double known_m =
      prediction ? std::max(prediction->r68_m, anchor.accuracy_m / 2)
                 : anchor.accuracy_m + std::max(0.0, Seconds(Apart(anchor.time, intake.fix.time))) *
                                           std::max(kWalkMps, anchor.speed_mps);
  if (!(intake.accuracy_m > kCoarseRatio * known_m)) return false;
  Refuse(intake, Reason::kUntrustedSource, intake.accuracy_m, kCoarseRatio * known_m);
  return true;
}

bool FixValidator::ImpliesImpossibleSpeed(Intake& intake) {
  if (!state_.anchor) return false;
  const Fix& fix = intake.fix;
  const auto implied_mps = [&](MonoTime time, LatLon position, double accuracy_m) {
    const double dt_s = std::max(1e-3, Seconds(Apart(time, fix.time)));
    const double slack_m = kJumpSlackRadii * (accuracy_m + intake.accuracy_m);
    // Nearly every fix is so near that the exact distance makes no difference.
    if (ApartAtMostM(position, fix.position) <= slack_m + options_.max_speed_mps * dt_s) return 0.0;
    return std::max(0.0, ApartM(position, fix.position) - slack_m) / dt_s;
  };
  const Anchor& anchor = *state_.anchor;
  const double speed_mps = implied_mps(anchor.time, anchor.position, anchor.accuracy_m);
  JumpBallot& jump = state_.jump;
  if (speed_mps <= options_.max_speed_mps) {
    jump.votes = 0;
    return false;
  }
  const bool agrees =
      jump.votes > 0 && jump.time < fix.time &&
      implied_mps(jump.time, jump.position, jump.accuracy_m) <= options_.max_speed_mps;
  jump = {agrees ? jump.votes + 1 : 1, agrees ? jump.begin : fix.time, fix.time, fix.position,
          intake.accuracy_m};
  // A lone first fix (a cache's, often) against a second one: the later is the better guess.
  const bool outvoted = jump.votes >= kJumpVotes && Apart(jump.begin, jump.time) >= kJumpSpan;
  if (outvoted || !anchor.confirmed) {
    intake.restart = true;
    Adjust(intake, Reason::kReacquired, speed_mps, options_.max_speed_mps);
    return false;
  }
  Refuse(intake, Reason::kImpliedSpeed, speed_mps, options_.max_speed_mps);
  return true;
}

void FixValidator::Remember(const Intake& intake, const Stamp& arrival) {
  if (intake.action == IntakeAction::kInsertLate) return;
  state_.newest = intake.fix;
  if (intake.action == IntakeAction::kMergeNewest) return;
  const Duration lag = Apart(intake.fix.time, arrival.mono);
  state_.newest_lag = Beyond(MonoTime(lag)) ? Duration::zero() : lag;
}

void FixValidator::Commit(const Intake& intake, const Verdict& final_verdict) {
  if (!final_verdict.used() || intake.action == IntakeAction::kDrop) return;
  std::optional<Anchor>& anchor = state_.anchor;
  if (anchor && intake.fix.time < anchor->time) return;
  const Fix& fix = intake.fix;
  const double dt_s = anchor ? Seconds(Apart(anchor->time, fix.time)) : 0;
  if (anchor && !fix.speed_mps && anchor->position == fix.position && dt_s > 0 &&
      dt_s < kSameJourneyS) {
    // Told again it says nothing of the time since: the next one may be as far as it has had time.
    anchor->confirmed = true;
    anchor->speed_mps = 0;
    state_.jump.votes = 0;
    return;
  }
  double speed_mps = 0;
  if (fix.speed_mps) {
    speed_mps = *fix.speed_mps;
  } else if (anchor && dt_s >= 1 && dt_s < kSameJourneyS && !intake.restart) {
    speed_mps = std::min(options_.max_speed_mps, ApartM(anchor->position, fix.position) / dt_s);
  } else if (anchor && dt_s < 1) {
    speed_mps = anchor->speed_mps;
  }
  // Two fixes of one second agree by being near; a merged report adds no witness.
  // (Nor does one of a journey long ago.)
  const bool confirmed = intake.restart
                             ? state_.jump.votes >= kJumpVotes
                             : anchor && dt_s < kSameJourneyS && (dt_s > 0 || anchor->confirmed);
  state_.jump.votes = 0;
  if (!anchor) anchor = Anchor{};
  anchor->time = fix.time;
  anchor->position = fix.position;
  anchor->accuracy_m = intake.accuracy_m;
  anchor->speed_mps = speed_mps;
  anchor->confirmed = confirmed;
}

}  // namespace waymark
