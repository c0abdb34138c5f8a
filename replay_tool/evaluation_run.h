// Runs a loaded trace through a Tracker and keeps what is judged afterwards.
#ifndef WAYMARK_REPLAY_TOOL_EVALUATION_RUN_H_
#define WAYMARK_REPLAY_TOOL_EVALUATION_RUN_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "replay_tool/fix_pipe.h"
#include "replay_tool/odometer_metrics.h"
#include "replay_tool/replay.h"
#include "replay_tool/replay_outputs.h"
#include "replay_tool/replay_tally.h"
#include "replay_tool/stop_metrics.h"
#include "replay_tool/track_point.h"
#include "replay_tool/truth_track.h"
#include "waymark/estimate.h"
#include "waymark/fix.h"
#include "waymark/geofence.h"

namespace waymark::replay {

/// What became of a fix, and what the tracker took for the motion then.
struct HeardFix {
  Disposition verdict = Disposition::kRejected;
  Motion motion = Motion::kUnknown;
};

struct EvaluationRun {
  ReplayTally tally;
  std::vector<HeardFix> heard;           ///< one for each fix, in input order
  std::vector<TrackPoint> live;          ///< right after each fix, in input order
  std::vector<TrackPoint> records;       ///< the stored points
  std::vector<Span> gaps;                ///< the stored gaps
  std::vector<OdometerSample> odometer;  ///< after each fix, in order of arrival
  std::vector<DetectedStop> stops;
  std::vector<FenceEvent> fence_events;
};

/// Replays what comes through `pipe` to its end. The error is the tracker's (kInvalidArgument: the
/// configuration; else the store). CSV rows go to `outputs` as in `run`; `watcher` may be null. The
/// tally's trace and wall time stay open.
Result<EvaluationRun> RunForEvaluation(FixPipe& pipe, const ReplayOptions& options,
                                       ReplayOutputs& outputs, ReplayWatcher* watcher);

/// Thins a trace as a sampler would that asks for one fix in `every_s`: keeps the first fix and
/// then each that comes at least that long after the last kept one. A twentieth of it, at most 0.25
/// s, is forgiven: receivers do not tick exactly.
class Thinning {
 public:
  explicit Thinning(double every_s) : needed_s_(every_s - std::min(0.25, every_s / 20)) {}

  bool Keeps(MonoTime time);

 private:
  double needed_s_;
  std::optional<MonoTime> last_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_EVALUATION_RUN_H_
