#include "replay_tool/trace_timeline.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "replay_tool/plural.h"
#include "waymark/estimator.h"

namespace waymark::replay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A century is more than any trace and far from overflowing 64 bits of nanoseconds.
constexpr auto kMaxSpan = std::chrono::hours(24 * 36525);
// Further ahead than this a time may be wrong, further back it is no fix that came late: as
// FixValidator has it.
constexpr milliseconds kPause = seconds(10);
// So many fixes that agree make a pause of what may have been a wrong time: as many as FixValidator
// wants before it believes that a clock stands wrong.
constexpr std::size_t kAgreeing = 5;

// A trace whose clock steps more often has none.
constexpr std::size_t kMaxSteps = 1000;
constexpr milliseconds kRollover = std::chrono::hours(24 * 7 * 1024);
// So many equal steps make a pace. Phones that hand over two fixes every ten seconds, each where
// the device was a while ago, have none.
constexpr std::size_t kPacedSteps = 5;
// What FixValidator takes for a step of the leap count.
constexpr milliseconds kMaxLeap = seconds(20);
constexpr milliseconds kLeapSlack{200};
constexpr double kBrakingMps2 = 3;   // firm braking of a car
constexpr double kSlackRadii = 2.5;  // hold 99.9 % of a circular Gaussian

double LengthM(EastNorth v) { return std::hypot(v.east_m, v.north_m); }
EastNorth Minus(EastNorth a, EastNorth b) { return {a.east_m - b.east_m, a.north_m - b.north_m}; }
EastNorth Times(double k, EastNorth v) { return {k * v.east_m, k * v.north_m}; }

double RadiusM(const Fix& fix) {
  return fix.horizontal_accuracy_m.value_or(EstimatorOptions().default_accuracy_m);
}

// The shortest way of a car that has these speeds before and after `time_s`: it brakes, perhaps to
// a stand, and speeds up again.
double ShortestWayM(double before_mps, double after_mps, double time_s) {
  const double slowest_mps = std::clamp((before_mps + after_mps - kBrakingMps2 * time_s) / 2, 0.0,
                                        std::min(before_mps, after_mps));
  return (before_mps * before_mps + after_mps * after_mps - 2 * slowest_mps * slowest_mps) /
         (2 * kBrakingMps2);
}

}  // namespace

void TraceTimeline::Step(MonoTime at, milliseconds behind) {
  if (steps_.size() < kMaxSteps) steps_.emplace_back(at, behind);
}

MonoTime TraceTimeline::Unstepped(UtcTime utc) const {
  if (!first_utc_) return kOrigin;
  return kOrigin + std::clamp<milliseconds>(utc - *first_utc_, -kMaxSpan, kMaxSpan);
}

MonoTime TraceTimeline::ToMono(UtcTime utc) const {
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    if (const MonoTime time = Unstepped(utc + step->second); time >= step->first) return time;
  }
  return Unstepped(utc);
}

UtcTime TraceTimeline::ToUtc(MonoTime time) const {
  const auto next = std::upper_bound(steps_.begin(), steps_.end(), time,
                                     [](MonoTime t, const auto& step) { return t < step.first; });
  const milliseconds behind = next == steps_.begin() ? milliseconds(0) : std::prev(next)->second;
  const UtcTime first = first_utc_.value_or(UtcTime());
  return first + std::chrono::floor<milliseconds>(time - kOrigin) - behind;
}

milliseconds RolledBack(UtcTime utc, UtcTime arrival) {
  constexpr milliseconds kSlack = std::chrono::hours(24);
  const milliseconds behind = arrival - utc;
  const auto rollovers = (behind + kSlack) / kRollover;
  const milliseconds back = rollovers * kRollover;
  return rollovers > 0 && std::chrono::abs(behind - back) <= kSlack ? back : milliseconds(0);
}

// A trace without arrivals goes on from the fix before.
UtcTime TracePlacer::OwnTime(const TraceFix& read) const {
  const UtcTime utc = *read.fix.utc;
  const UtcTime about = read.received ? *read.received : last_ ? last_->own : utc;
  return utc + RolledBack(utc, about) - leap_;
}

bool TracePlacer::Add(const TraceFix& read) {
  if (read.received) return PlaceHeld() && Place(read, read.received);
  if (held_.empty()) {
    if (!MayBeWrong(OwnTime(read)) && !MayBeLeap(OwnTime(read))) return Place(read, std::nullopt);
    held_.push_back(read);
    return true;
  }
  held_.push_back(read);
  if (held_.size() == 2) TakeLeap(held_[0], held_[1]);
  const UtcTime ahead = OwnTime(held_.front()), own = OwnTime(read);
  const bool fell_back = ahead - own > kPause;
  if (!fell_back && held_.size() < kAgreeing && MayBeWrong(ahead)) return true;
  // Behind the one that came first, and not behind what was before it: that one's time was wrong.
  // Of a trace that begins with several that agree, the clock was set back.
  const bool wrong =
      fell_back && (newest_ ? own + set_back_ >= newest_->utc - kPause : held_.size() == 2);
  std::vector<TraceFix> held = std::exchange(held_, {});
  const std::optional<UtcTime> arrival =
      wrong ? std::optional(own + set_back_) : std::optional<UtcTime>();
  if (!Place(held.front(), arrival)) return false;
  return std::all_of(held.begin() + 1, held.end(), [this](const TraceFix& f) { return Add(f); });
}

// First, or after a pause: only what comes behind it tells whether its time is right.
bool TracePlacer::MayBeWrong(UtcTime own) const {
  return !newest_ || own + set_back_ - newest_->utc > kPause;
}

// Whole seconds beside the pace of the trace. (Time that stands is that of a clock without
// fractions.)
bool TracePlacer::MayBeLeap(UtcTime own) const {
  if (paced_steps_ < kPacedSteps) return false;
  const milliseconds apart = own - last_->own, jump = apart - step_;
  const milliseconds off = jump - std::chrono::round<seconds>(jump);
  return apart != milliseconds(0) && std::chrono::abs(jump) >= milliseconds(500) &&
         std::chrono::abs(jump) <= kMaxLeap && std::chrono::abs(off) <= kLeapSlack;
}

// Did the clock leap before `first`, behind which comes `second`? The motion is the witness: both
// what came before and what comes after say that the way to it took one step of the trace. Back in
// time that is no fix that came late, as it would lie where the device was then; ahead it is no
// pause, if nobody could have braked and sped up again on so short a way.
void TracePlacer::TakeLeap(const TraceFix& first, const TraceFix& second) {
  if (!MayBeLeap(OwnTime(first)) || second.received) return;
  const double step_s = Seconds(step_);
  const milliseconds after = OwnTime(second) - OwnTime(first);
  if (std::chrono::abs(after - step_) > kLeapSlack) return;
  const LocalFrame frame(first.fix.position);
  const EastNorth last = frame.ToLocal(last_->position);
  const EastNorth before = Minus(last, frame.ToLocal(before_)), way = Times(-1, last);
  const EastNorth onward = frame.ToLocal(second.fix.position);
  const auto goes_on = [&](EastNorth expected) {
    return LengthM(Minus(way, expected)) < LengthM(expected) / 2;
  };
  if (!goes_on(before) || !goes_on(onward)) return;
  const milliseconds apart = OwnTime(first) - last_->own;
  if (apart > milliseconds(0)) {
    const double slack_m = kSlackRadii * std::hypot(last_->radius_m, RadiusM(first.fix));
    const double least_m =
        ShortestWayM(LengthM(before) / step_s, LengthM(onward) / step_s, Seconds(apart));
    if (LengthM(way) + slack_m >= least_m) return;
  }
  leap_ += std::chrono::round<seconds>(apart - step_);
  learned_ = std::max(learned_, -leap_);
}

bool TracePlacer::Finish() { return PlaceHeld(); }

bool TracePlacer::PlaceHeld() {
  const std::vector<TraceFix> held = std::exchange(held_, {});
  return std::all_of(held.begin(), held.end(),
                     [this](const TraceFix& f) { return Place(f, std::nullopt); });
}

// When a fix arrived that bears this time, which may have been set back.
UtcTime TracePlacer::PacedArrival(const TraceFix& read) {
  const UtcTime own = OwnTime(read);
  if (!newest_ || own >= newest_->utc) {
    set_back_ = milliseconds(0);
    return own;
  }
  if (own + set_back_ < newest_->utc - kPause) {
    set_back_ = newest_->utc + step_ - own;
    if (times_set_back_++ == 0) first_set_back_ = read.line;
  }
  return own + set_back_;
}

// From this arrival on the clock of the trace is behind that of the arrivals.
void TracePlacer::NoteClock(UtcTime arrival) {
  if (set_back_ + learned_ == behind_) return;
  behind_ = set_back_ + learned_;
  timeline_.Step(timeline_.Unstepped(arrival), behind_);
}

void TracePlacer::AddWarning(TraceInfo& info) const {
  if (times_set_back_ == 0) return;
  info.warnings.push_back(
      "time goes back " + Plural(times_set_back_, "time") + ", first at " +
      (info.format == TraceFormat::kGpx ? "point " : "line ") + std::to_string(first_set_back_) +
      ", as if a clock had been set; tracks that are not in order of time should be put in order");
}

void TracePlacer::NoteMotion(const TraceFix& read) {
  const UtcTime own = OwnTime(read);
  if (last_ && own == last_->own) return;
  if (last_ && own > last_->own && own - last_->own <= kPause) {
    const milliseconds step = own - last_->own;
    paced_steps_ = std::chrono::abs(step - step_) <= kLeapSlack ? paced_steps_ + 1 : 1;
    step_ = step;
    before_ = last_->position;
  } else {
    paced_steps_ = 0;
  }
  last_ = {own, read.fix.position, RadiusM(read.fix)};
}

bool TracePlacer::Place(const TraceFix& read, std::optional<UtcTime> arrival) {
  const UtcTime own = OwnTime(read);
  if (!arrival) arrival = PacedArrival(read);
  if (!begun_) timeline_ = TraceTimeline(read.received ? own : *arrival);
  begun_ = true;
  NoteClock(*arrival);
  NoteMotion(read);
  DeliveredFix placed;
  placed.fix = read.fix;
  placed.fix.time = timeline_.Unstepped(own);
  placed.arrival = {timeline_.Unstepped(*arrival), *arrival};
  if (newest_ && placed.arrival.mono < newest_->mono) placed.arrival = *newest_;
  newest_ = placed.arrival;
  return sink_(placed, read.line);
}

}  // namespace waymark::replay
