// When the fixes of a trace arrived, on a clock that never goes back.
#ifndef WAYMARK_REPLAY_TOOL_TRACE_TIMELINE_H_
#define WAYMARK_REPLAY_TOOL_TRACE_TIMELINE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "replay_tool/trace.h"
#include "waymark/smoother.h"
#include "waymark/time.h"

namespace waymark::replay {

/// UTC of a trace as monotonic time and back. A trace knows only UTC, so that its first fix is put
/// at kOrigin and every other instant as far from it as UTC says.
class TraceTimeline {
 public:
  static constexpr MonoTime kOrigin{std::chrono::hours(1)};

  TraceTimeline() = default;
  explicit TraceTimeline(UtcTime first) : first_utc_(first) {}
  MonoTime ToMono(UtcTime utc) const;
  UtcTime ToUtc(MonoTime time) const;

 private:
  std::optional<UtcTime> first_utc_;
};

/// Gives the fixes of a trace their monotonic times, and the arrivals that a phone would have seen.
/// Where the trace tells the arrival it is that; else it is the fix's own time, but for times that
/// cannot be right:
///  - a few fixes far ahead of those before and behind them (a wrong stamp) arrive with those
///    behind them. To see that, fixes that come after a pause, or first, are held back until some
///    more were read;
///  - where time goes back (a clock that was set, tracks that are not in order), arrivals go on at
///    the pace of the trace, a usual step after the one before.
/// What to make of the times themselves is the tracker's business.
class TracePlacer {
 public:
  /// Takes one placed fix; false: no more is wanted.
  using Sink = std::function<bool(const DeliveredFix& fix, std::uint64_t line)>;

  explicit TracePlacer(Sink sink) : sink_(std::move(sink)) {}

  /// The next fix of the trace. False: the sink wants no more.
  bool Add(const TraceFix& read);
  /// The trace has ended: what is held back goes to the sink.
  bool Finish();
  /// Of this trace; valid from the first call of the sink on.
  const TraceTimeline& timeline() const { return timeline_; }
  /// Says so in `info` if time went back.
  void AddWarning(TraceInfo& info) const;

 private:
  bool Place(const TraceFix& read, std::optional<UtcTime> arrival);
  bool PlaceHeld();
  UtcTime PacedArrival(const TraceFix& read);

  Sink sink_;
  TraceTimeline timeline_;
  bool begun_ = false;
  std::optional<Stamp> newest_;            ///< arrival
  std::optional<UtcTime> last_;            ///< own time of the fix before
  std::chrono::milliseconds step_{1000};   ///< the last one forward
  std::chrono::milliseconds set_back_{0};  ///< by so much do arrivals run ahead of the trace
  std::uint64_t times_set_back_ = 0;
  std::uint64_t first_set_back_ = 0;  ///< its line
  std::vector<TraceFix> held_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACE_TIMELINE_H_
