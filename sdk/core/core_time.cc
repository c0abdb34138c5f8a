// What time it is, and what time a record gets.
//
// Monotonic time orders everything. UTC = monotonic time + an offset that satellites or a server
// confirm in each boot; the host's clock is only a guess (a device without a battery for its clock
// wakes up in another year). A record made before the confirmation is therefore held back for a
// while: it is durable in the snapshot, and gets its number's place in the queue with its true time
// as soon as that is known.
#include <algorithm>
#include <chrono>
#include <utility>

#include "sdk/core/core.h"
#include "sdk/sync/record_codec.h"

namespace waymark {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// A cold start in the open finds satellites in a minute or two; who has none for ten is indoors.
constexpr Duration kLongestHold = minutes(10);
// Each held record is written again with each snapshot.
constexpr std::size_t kMaxHeld = 64;

// Beyond this a fix that says another time than the ones before is not believed at once: more than
// any latency and jitter between the two clocks.
constexpr milliseconds kUtcTolerance = seconds(10);
constexpr std::uint32_t kUtcVotes = 3;
// A record can be this much ahead of the time that is true after all: then the clock that dated it
// was wrong, and no later record follows it.
constexpr milliseconds kAheadOfTruth = minutes(1);

milliseconds FloorMs(MonoTime t) { return std::chrono::floor<milliseconds>(t.time_since_epoch()); }

// The times inside a body move with its record's.
struct Shift {
  milliseconds by;
  void operator()(PointRecord&) const {}
  void operator()(FenceRecord& r) const { r.crossing_utc += by; }
  void operator()(MotionRecord&) const {}
  void operator()(StayRecord& r) const { r.begin_utc += by, r.end_utc += by; }
  void operator()(TripRecord& r) const { r.begin_utc += by, r.end_utc += by; }
  void operator()(GapRecord& r) const { r.begin_utc += by, r.end_utc += by; }
  void operator()(DropsRecord&) const {}
  void operator()(MessageRecord&) const {}
};

}  // namespace

// A fix told the time: `told.utc` is what the estimator made of its UTC.
void Core::LearnUtc(const Estimate& told, FixSource source) {
  const milliseconds utc_minus_mono = told.utc->time_since_epoch() - FloorMs(told.time);
  // What a network location says is the host's clock or the network's; it cannot confirm.
  if (source == FixSource::kNetwork) {
    if (!utc_confirmed_) utc_offset_ = utc_minus_mono;
    return;
  }
  if (!utc_confirmed_ || std::chrono::abs(utc_minus_mono - *utc_offset_) <= kUtcTolerance) {
    utc_rival_.reset();
    SetUtc(utc_minus_mono);
    return;
  }
  const bool again = utc_rival_ && std::chrono::abs(utc_minus_mono - *utc_rival_) <= kUtcTolerance;
  utc_rival_votes_ = again ? utc_rival_votes_ + 1 : 1;
  utc_rival_ = utc_minus_mono;
  if (utc_rival_votes_ < kUtcVotes) return;
  utc_rival_.reset();
  SetUtc(utc_minus_mono);
}

UtcTime SaneUtc(UtcTime utc) {
  constexpr UtcTime kLatest{std::chrono::milliseconds((std::int64_t{1} << 62) / 1'000'000)};
  constexpr UtcTime kEarliest{-kLatest.time_since_epoch()};
  return std::clamp(utc, kEarliest, kLatest);
}

void Core::SetUtc(milliseconds utc_minus_mono) {
  utc_offset_ = utc_minus_mono;
  utc_confirmed_ = true;
  if (last_record_utc_ && *last_record_utc_ - UtcOf(now_.mono) > kAheadOfTruth) {
    last_record_utc_.reset();
  }
  DateHeld();
}

// UTC of an internal instant: the source's own unless it contradicts what is confirmed; else
// through the offset; else through the host's clock.
UtcTime Core::UtcOf(MonoTime internal, const std::optional<UtcTime>& utc) const {
  const milliseconds offset =
      utc_offset_ ? *utc_offset_ : now_.utc.time_since_epoch() - FloorMs(now_.mono);
  const UtcTime ours = SaneUtc(UtcTime(FloorMs(internal) + offset));
  if (!utc) return ours;
  const bool contradicts = utc_confirmed_ && std::chrono::abs(*utc - ours) > kUtcTolerance;
  return contradicts ? ours : SaneUtc(*utc);
}

// A silence begins that may outlast this boot: its begin is dated while the offset is known.
void Core::DateLastFix() {
  if (last_used_fix_ && utc_offset_) last_used_utc_ = UtcOf(*last_used_fix_, last_used_utc_);
}

std::optional<UtcTime> Core::NewestRecordUtc() const {
  return held_.empty() ? last_record_utc_ : std::optional(unsaved_.back().utc);
}

// `at`: when it was true, in internal time; `utc`: the same as the source has it.
void Core::Append(MonoTime at, const std::optional<UtcTime>& utc, RecordBody body) {
  UtcTime when = UtcOf(at, utc);
  if (const auto newest = NewestRecordUtc(); newest && when < *newest) when = *newest;
  Append(at, when, std::move(body));
}

// For what has no instant of its own: that of the record before, so that none behind it is pushed
// on.
void Core::AppendUntimed(RecordBody body) {
  const MonoTime at = held_.empty() ? now_.mono : held_.back();
  const UtcTime when = NewestRecordUtc().value_or(UtcOf(now_.mono));
  Append(at, when, std::move(body));
}

void Core::Append(MonoTime at, UtcTime when, RecordBody body) {
  unsaved_.push_back(sync::Quantised({next_seq_++, session_, when, std::move(body)}));
  ++stats_.records;
  if (utc_confirmed_ || guess_accepted_) {
    last_record_utc_ = when;
    return;
  }
  held_.push_back(at);
  if (!hold_until_) hold_until_ = now_.mono + kLongestHold;
  snapshot_due_ = true;  // that is where it is durable meanwhile
  if (held_.size() >= kMaxHeld) AcceptGuess();
}

// What was held gets the best time that is known now and waits no longer.
void Core::DateHeld() {
  std::size_t i = unsaved_.size() - held_.size();
  for (const MonoTime at : held_) {
    Record& record = unsaved_[i++];
    UtcTime when = UtcOf(at);
    if (last_record_utc_ && when < *last_record_utc_) when = *last_record_utc_;
    std::visit(Shift{when - record.utc}, record.body);
    record.utc = when;
    last_record_utc_ = when;
  }
  held_.clear();
  hold_until_.reset();
}

// Nobody confirms the time, or nobody wants to wait for it.
void Core::AcceptGuess() {
  guess_accepted_ = true;
  DateHeld();
}

}  // namespace waymark
