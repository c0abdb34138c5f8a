// One track judged by all that is known of its trace.
#ifndef WAYMARK_REPLAY_TOOL_JUDGED_TRACK_H_
#define WAYMARK_REPLAY_TOOL_JUDGED_TRACK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "replay_tool/accuracy.h"
#include "replay_tool/baselines.h"
#include "replay_tool/error_ratios.h"
#include "replay_tool/ground_truth.h"
#include "replay_tool/path_metrics.h"
#include "replay_tool/track_curve.h"
#include "replay_tool/track_point.h"

namespace waymark::replay {

/// Absent: what the ground truth does not tell.
struct JudgedTrack {
  TrackAccuracy accuracy;
  std::optional<CalibrationSummary> calibration;
  std::optional<PathSummary> path;
  std::optional<double> phantom_m;  ///< moved within the rests
  ErrorsAtInstants errors;
};

/// Errors at the points of a track; cross-track from the route where there is one.
TrackErrors MeasureTrack(const std::vector<TrackPoint>& points,
                         const std::vector<SurfacePoint>& surface, const GroundTruth& known);
inline TrackErrors MeasureTrack(const std::vector<TrackPoint>& points, const GroundTruth& known) {
  return MeasureTrack(points, SurfaceOf(points), known);
}

/// `points` at the instants at which they are to be judged; between them the track is straight. At
/// `instants` tracks are compared with one another.
JudgedTrack JudgeTrack(std::vector<TrackPoint> points, std::span<const std::int64_t> instants,
                       const GroundTruth& known, std::uint64_t seed);

struct JudgedPeer {
  Peer peer = Peer::kRaw;
  std::size_t kept = 0;       ///< points of its track
  TrackAccuracy live, track;  ///< what it showed at the time, and what it says in the end
  std::optional<CalibrationSummary> calibration;  ///< only of a peer that says how sure it is
};

/// `live` as far as it is to be judged, `track` at `instants`.
JudgedPeer JudgePeer(Peer peer, const std::vector<TrackPoint>& live, std::vector<TrackPoint> track,
                     const std::vector<std::int64_t>& instants, const GroundTruth& known,
                     std::uint64_t seed);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_JUDGED_TRACK_H_
