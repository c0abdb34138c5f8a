#include "replay_tool/trace_timeline.h"

#include <algorithm>
#include <string>

#include "replay_tool/plural.h"

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

}  // namespace

MonoTime TraceTimeline::ToMono(UtcTime utc) const {
  if (!first_utc_) return kOrigin;
  return kOrigin + std::clamp<milliseconds>(utc - *first_utc_, -kMaxSpan, kMaxSpan);
}

UtcTime TraceTimeline::ToUtc(MonoTime time) const {
  const UtcTime first = first_utc_.value_or(UtcTime());
  return first + std::chrono::floor<milliseconds>(time - kOrigin);
}

bool TracePlacer::Add(const TraceFix& read) {
  if (read.received) return PlaceHeld() && Place(read, read.received);
  const UtcTime own = *read.fix.utc;
  if (held_.empty()) {
    if (newest_ && own + set_back_ - newest_->utc <= kPause) return Place(read, std::nullopt);
    held_.push_back(read);
    return true;
  }
  held_.push_back(read);
  const UtcTime ahead = *held_.front().fix.utc;
  const bool fell_back = ahead - own > kPause;
  if (!fell_back && held_.size() < kAgreeing) return true;
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

bool TracePlacer::Finish() { return PlaceHeld(); }

bool TracePlacer::PlaceHeld() {
  const std::vector<TraceFix> held = std::exchange(held_, {});
  return std::all_of(held.begin(), held.end(),
                     [this](const TraceFix& f) { return Place(f, std::nullopt); });
}

// When a fix arrived that bears this time, which may have been set back.
UtcTime TracePlacer::PacedArrival(const TraceFix& read) {
  const UtcTime own = *read.fix.utc;
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

void TracePlacer::AddWarning(TraceInfo& info) const {
  if (times_set_back_ == 0) return;
  info.warnings.push_back(
      "time goes back " + Plural(times_set_back_, "time") + ", first at " +
      (info.format == TraceFormat::kGpx ? "point " : "line ") + std::to_string(first_set_back_) +
      ", as if a clock had been set; tracks that are not in order of time should be put in order");
}

bool TracePlacer::Place(const TraceFix& read, std::optional<UtcTime> arrival) {
  const UtcTime own = *read.fix.utc;
  if (!arrival) arrival = PacedArrival(read);
  if (!begun_) timeline_ = TraceTimeline(read.received ? own : *arrival);
  begun_ = true;
  if (last_ && own > *last_ && own - *last_ <= kPause) step_ = own - *last_;
  last_ = own;
  DeliveredFix placed;
  placed.fix = read.fix;
  placed.fix.time = timeline_.ToMono(own);
  placed.arrival = {timeline_.ToMono(*arrival), *arrival};
  if (newest_ && placed.arrival.mono < newest_->mono) placed.arrival = *newest_;
  newest_ = placed.arrival;
  return sink_(placed, read.line);
}

}  // namespace waymark::replay
