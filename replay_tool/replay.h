// Replays one trace through a Tracker on a virtual clock. Uses the public API only.
#ifndef WAYMARK_REPLAY_TOOL_REPLAY_H_
#define WAYMARK_REPLAY_TOOL_REPLAY_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "replay_tool/replay_outputs.h"
#include "replay_tool/replay_tally.h"
#include "replay_tool/trace.h"
#include "replay_tool/trace_reader.h"
#include "waymark/config.h"
#include "waymark/geofence.h"
#include "waymark/ports.h"

namespace waymark::replay {

struct ReplayOptions {
  Config config;
  ReadOptions read;
  std::uint64_t seed = 1;
  std::vector<Geofence> fences;
  bool realtime = false;                            ///< wait as long as the trace took
  Transport* transport = nullptr;                   ///< null: nothing is uploaded
  std::chrono::milliseconds drain_timeout{60'000};  ///< real time for what is left at the end
  OutputFile* journal = nullptr;                    ///< receives the journal's bytes
  /// Called with the first fix of a trace, before anything is replayed: time to create outputs, now
  /// that there is something to write. A failure ends the replay.
  std::function<Status()> on_first_fix;
  ProgressSink progress;
};

/// Watches a replay beside tally and outputs, e.g. to draw it.
class ReplayWatcher {
 public:
  virtual ~ReplayWatcher() = default;
  virtual void OnFix(const FixReport& report) = 0;
  virtual void OnRecord(const Record& record) = 0;
  virtual void OnEvent(const EventRow& row) = 0;
  virtual void OnMotion(const MotionChange&) {}
  virtual void OnFence(const FenceEvent&) {}
};

/// Reads `path` and replays it. The error is of reading (kInvalidArgument, kCorruption, kIo as
/// ReadTrace) or of creating the tracker (then `*failed_in_tracker` is set). Environment failures
/// while it runs stand in the tally. `watcher` may be null.
Result<ReplayTally> ReplayTrace(const std::string& path, const ReplayOptions& options,
                                ReplayOutputs& outputs, ReplayWatcher* watcher,
                                bool* failed_in_tracker);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPLAY_H_
