// When the fixes of a trace arrived, on a clock that never goes back.
#ifndef WAYMARK_REPLAY_TOOL_TRACE_TIMELINE_H_
#define WAYMARK_REPLAY_TOOL_TRACE_TIMELINE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "replay_tool/trace.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"
#include "waymark/time.h"

namespace waymark::replay {

/// UTC of a trace as monotonic time and back. A trace knows only UTC, so that its first fix is put
/// at kOrigin and every other instant as far from it as UTC says, but for the steps of its clock.
class TraceTimeline {
 public:
  static constexpr MonoTime kOrigin{std::chrono::hours(1)};

  TraceTimeline() = default;
  explicit TraceTimeline(UtcTime first) : first_utc_(first) {}
  /// From `at` on UTC stands `behind` from where it would stand without steps. In order of time.
  void Step(MonoTime at, std::chrono::milliseconds behind);
  /// Of an instant that UTC tells twice the later.
  MonoTime ToMono(UtcTime utc) const;
  UtcTime ToUtc(MonoTime time) const;
  /// As if there were no steps.
  MonoTime Unstepped(UtcTime utc) const;
  std::size_t steps() const { return steps_.size(); }

 private:
  std::optional<UtcTime> first_utc_;
  std::vector<std::pair<MonoTime, std::chrono::milliseconds>> steps_;
};

/// By so much is `utc`, of a receiver whose week number ran over, behind what it means: a multiple
/// of 1024 weeks, if it is that within a day.
std::chrono::milliseconds RolledBack(UtcTime utc, UtcTime arrival);
/// The UTC that the fix means.
inline UtcTime MeantUtc(const DeliveredFix& d) {
  return *d.fix.utc + RolledBack(*d.fix.utc, d.arrival.utc);
}

/// Gives the fixes of a trace their monotonic times, and the arrivals that a phone would have seen.
/// Where the trace tells the arrival it is that; else it is the fix's own time, but for times that
/// cannot be right:
///  - a few fixes far ahead of those before and behind them (a wrong stamp) arrive with those
///    behind them. To see that, fixes that come after a pause, or first, are held back until some
///    more were read;
///  - where time goes back (a clock that was set, tracks that are not in order), arrivals go on at
///    the pace of the trace, a usual step after the one before;
///  - where UTC alone steps by up to 20 whole seconds, forth or back, and the motion goes on as if
///    nothing had been (a receiver lost the leap count, or learned it), monotonic time goes on too,
///    as a phone's would.
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
  struct Passed {
    UtcTime own;
    LatLon position;
    double radius_m = 0;
  };

  bool Place(const TraceFix& read, std::optional<UtcTime> arrival);
  bool PlaceHeld();
  bool MayBeWrong(UtcTime own) const;
  bool MayBeLeap(UtcTime own) const;
  void TakeLeap(const TraceFix& first, const TraceFix& second);
  UtcTime OwnTime(const TraceFix& read) const;
  UtcTime PacedArrival(const TraceFix& read);
  void NoteClock(UtcTime arrival);
  void NoteMotion(const TraceFix& read);

  Sink sink_;
  TraceTimeline timeline_;
  bool begun_ = false;
  std::optional<Stamp> newest_;            ///< arrival
  std::optional<Passed> last_;             ///< the fix before
  LatLon before_;                          ///< where it was `step_` earlier, if any are paced
  std::chrono::milliseconds step_{1000};   ///< the last one forward
  std::size_t paced_steps_ = 0;            ///< in a row that were as long
  std::chrono::milliseconds leap_{0};      ///< by so much is UTC ahead: own time is without it
  std::chrono::milliseconds learned_{0};   ///< the most by which it was behind: there it was right
  std::chrono::milliseconds set_back_{0};  ///< by so much do arrivals run ahead of the trace
  std::chrono::milliseconds behind_{0};    ///< as the timeline has it
  std::uint64_t times_set_back_ = 0;
  std::uint64_t first_set_back_ = 0;  ///< its line
  std::vector<TraceFix> held_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACE_TIMELINE_H_
