// Hands the fixes of a trace from the thread that reads them to the one that replays them, so that
// the replay does not wait for the end of the file.
#ifndef WAYMARK_REPLAY_TOOL_FIX_PIPE_H_
#define WAYMARK_REPLAY_TOOL_FIX_PIPE_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "replay_tool/trace_reader.h"
#include "waymark/smoother.h"

namespace waymark::replay {

/// Some fixes in order of delivery, each with its line.
struct FixChunk {
  std::vector<DeliveredFix> fixes;
  std::vector<std::uint64_t> lines;
  TraceTimeline timeline;
};

/// One writer, one reader. Unbounded: who evaluates keeps the whole trace anyway.
class FixPipe {
 public:
  /// The writer's end. Push() is false once the reader has given up.
  bool Push(const DeliveredFix& fix, std::uint64_t line, const TraceTimeline& timeline);
  void Close();

  /// The reader's end: the next fixes; nullopt after the last.
  std::optional<FixChunk> Pop();
  void Abandon();

 private:
  bool Send();

  FixChunk filling_;  // the writer's alone
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FixChunk> full_;
  bool closed_ = false, abandoned_ = false;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_FIX_PIPE_H_
