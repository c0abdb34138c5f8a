// Runs a loaded trace through a Tracker and keeps what is judged afterwards.
#ifndef WAYMARK_REPLAY_TOOL_EVALUATION_RUN_H_
#define WAYMARK_REPLAY_TOOL_EVALUATION_RUN_H_

#include <cstdint>
#include <span>
#include <vector>

#include "replay_tool/replay.h"
#include "replay_tool/replay_outputs.h"
#include "replay_tool/replay_tally.h"
#include "replay_tool/stop_metrics.h"
#include "replay_tool/trace_reader.h"
#include "replay_tool/track_point.h"
#include "replay_tool/truth_track.h"
#include "waymark/config.h"
#include "waymark/geofence.h"

namespace waymark::replay {

struct EvaluationRun {
  ReplayTally tally;
  std::vector<TrackPoint> live;     ///< right after each fix, in input order
  std::vector<TrackPoint> records;  ///< the stored points
  std::vector<Span> gaps;           ///< the stored gaps
  struct Odometer {
    std::int64_t utc_ms = 0;
    double distance_m = 0;
  };
  std::vector<Odometer> odometer;  ///< after each fix, in order of arrival
  std::vector<DetectedStop> stops;
  std::vector<FenceEvent> fence_events;
};

struct EvaluationRunOptions {
  Config config;
  std::uint64_t seed = 1;
  std::vector<Geofence> fences;
};

/// Without journal and upload, on a virtual clock. The error is the tracker's (kInvalidArgument:
/// the configuration; else the store). CSV rows go to `outputs` as in `run`; `watcher` may be null.
Result<EvaluationRun> RunForEvaluation(const LoadedTrace& trace,
                                       const EvaluationRunOptions& options, ReplayOutputs& outputs,
                                       ReplayWatcher* watcher);

/// Keeps the first fix and then each that comes at least `every_s` after the last kept one, as a
/// sampler would that asks for one fix in `every_s`. A twentieth of `every_s`, at most 0.25 s, is
/// forgiven: receivers do not tick exactly.
void Thin(LoadedTrace& trace, double every_s);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_EVALUATION_RUN_H_
