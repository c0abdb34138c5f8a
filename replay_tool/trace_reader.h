// Opens a trace of any format, told by its content, and delivers its fixes.
#ifndef WAYMARK_REPLAY_TOOL_TRACE_READER_H_
#define WAYMARK_REPLAY_TOOL_TRACE_READER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "replay_tool/trace.h"
#include "waymark/smoother.h"

namespace waymark::replay {

/// The format that `head`, the first bytes of an input, begins. kInvalidArgument says what it is
/// instead, if anything known.
Result<TraceFormat> DetectTraceFormat(std::string_view head);

/// A parser for one of the text formats; null for kJournal, which is read whole.
std::unique_ptr<TraceParser> MakeTraceParser(TraceFormat format, const ReadOptions& options,
                                             FixSink sink);

/// Called now and then while reading, with the share of the file that was read (0 for a pipe).
using ProgressSink = std::function<void(double share)>;

/// Reads the trace at `path` ("-": standard input), gzip or plain, in constant memory (a journal:
/// in its own size). Errors begin with the path: kInvalidArgument or kCorruption: the trace is not
/// usable; kIo: the disk failed.
Result<TraceInfo> ReadTrace(const std::string& path, const ReadOptions& options,
                            const FixSink& sink, const ProgressSink& progress = {});

/// Gives the fixes of a trace their monotonic times. A trace knows only UTC, so that its first fix
/// is put at kOrigin and every later instant as far from it as UTC says.
class TraceTimeline {
 public:
  static constexpr MonoTime kOrigin{std::chrono::hours(1)};

  /// `read` with its monotonic time, and when it arrived: when the trace says so, else at its own
  /// time or, being late, at the newest time so far. Arrivals never go back.
  DeliveredFix Place(const TraceFix& read);
  /// UTC as a monotonic time of this trace; after the first Place().
  MonoTime ToMono(UtcTime utc) const;
  UtcTime ToUtc(MonoTime time) const;

 private:
  std::optional<UtcTime> first_utc_;
  std::optional<Stamp> newest_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACE_READER_H_
