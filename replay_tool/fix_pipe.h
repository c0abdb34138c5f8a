// Hands the fixes of a trace from the thread that reads them to those that replay and smooth them,
// so that these do not wait for the end of the file.
#ifndef WAYMARK_REPLAY_TOOL_FIX_PIPE_H_
#define WAYMARK_REPLAY_TOOL_FIX_PIPE_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>

#include "replay_tool/stable_array.h"
#include "replay_tool/trace_timeline.h"
#include "waymark/smoother.h"

namespace waymark::replay {

/// Some fixes in order of delivery, each with its line. Valid as long as the pipe.
struct FixChunk {
  std::span<const DeliveredFix> fixes;
  std::span<const std::uint64_t> lines;
  TraceTimeline timeline;  ///< knows all steps up to the last of them
};

/// One writer, one reader. Keeps the whole trace, once, for all who judge it later.
class FixPipe {
 public:
  /// The writer's end. Push() is false once the reader has given up.
  bool Push(const DeliveredFix& fix, std::uint64_t line, const TraceTimeline& timeline);
  /// `whole`: no failure has cut the trace short. Only the first call counts.
  void Close(bool whole = true);

  /// The reader's end: the next fixes; nullopt after the last.
  std::optional<FixChunk> Pop();
  /// After the last.
  bool whole() const { return whole_; }
  void Abandon();

  /// All of them: for the writer, or when it has closed.
  std::span<const DeliveredFix> fixes() const { return fixes_.elements(); }

 private:
  bool Tell();

  StableArray<DeliveredFix> fixes_;  // the writer's, as far as it has not told of them
  StableArray<std::uint64_t> lines_;
  std::size_t steps_ = 0;   // of the timeline; the writer's
  std::size_t popped_ = 0;  // the reader's
  std::mutex mutex_;        // guards the rest
  std::condition_variable changed_;
  std::size_t told_ = 0;
  TraceTimeline timeline_;
  bool closed_ = false, whole_ = false, abandoned_ = false;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_FIX_PIPE_H_
