// One track judged by all that is known of its trace.
#ifndef WAYMARK_REPLAY_TOOL_JUDGED_TRACK_H_
#define WAYMARK_REPLAY_TOOL_JUDGED_TRACK_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "replay_tool/accuracy.h"
#include "replay_tool/ground_truth.h"
#include "replay_tool/track_point.h"

namespace waymark::replay {

/// Null or absent: what the ground truth does not tell.
struct JudgedTrack {
  nlohmann::ordered_json accuracy, calibration, path;
  std::optional<double> phantom_m;  ///< moved within the rests
};

/// Errors at the points of a track; cross-track from the route where there is one.
TrackErrors MeasureTrack(const std::vector<TrackPoint>& points, const GroundTruth& known);

/// `points` at the instants at which they are to be judged; between them the track is straight.
JudgedTrack JudgeTrack(std::vector<TrackPoint> points, const GroundTruth& known,
                       std::uint64_t seed);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_JUDGED_TRACK_H_
