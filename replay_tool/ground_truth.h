// What is known of a trace beside the trace itself.
#ifndef WAYMARK_REPLAY_TOOL_GROUND_TRUTH_H_
#define WAYMARK_REPLAY_TOOL_GROUND_TRUTH_H_

#include <optional>
#include <string>
#include <vector>

#include "replay_tool/polyline_index.h"
#include "replay_tool/reference_files.h"
#include "replay_tool/stop_metrics.h"
#include "replay_tool/truth_track.h"
#include "waymark/status.h"

namespace waymark::replay {

/// What a session's files say of the time of its trace; absent where it names none. Never changes
/// once read, so that several threads may judge by it.
struct GroundTruth {
  std::optional<TruthTrack> truth;
  std::optional<PolylineIndex> truth_line;  ///< the same as mere geometry
  std::vector<TruthPoint> truth_points;     ///< in order of time; only for geofences
  std::optional<PolylineIndex> route;
  /// When nothing moved and when that is known at all: from the labels, or else from the truth.
  LabelSpans rests;
  std::vector<std::string> warnings;

  /// By what a track's distance from the way can be told.
  bool judges_positions() const { return truth || route; }
};

struct GroundTruthOptions {
  double max_gap_s = 2;      ///< truth is interpolated over at most this
  bool want_points = false;  ///< keep `truth_points`
  Span trace;                ///< what lies outside cannot be judged
};

/// The reference stands at least this long before it counts as a rest.
inline constexpr double kMinStandS = 10;

/// Errors begin with the path of the file. A truth that does not overlap the trace is one
/// (kInvalidArgument): it is of another trace, or its times are wrong.
Result<GroundTruth> ReadGroundTruth(const Session& session, const GroundTruthOptions& options);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_GROUND_TRUTH_H_
