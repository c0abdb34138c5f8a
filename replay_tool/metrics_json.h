// Metrics as JSON, in the names of REPLAY_TOOL.md.
#ifndef WAYMARK_REPLAY_TOOL_METRICS_JSON_H_
#define WAYMARK_REPLAY_TOOL_METRICS_JSON_H_

#include <nlohmann/json.hpp>
#include <optional>

#include "replay_tool/accuracy.h"
#include "replay_tool/error_ratios.h"
#include "replay_tool/fence_metrics.h"
#include "replay_tool/path_metrics.h"
#include "replay_tool/stop_metrics.h"

namespace waymark::replay {

/// Rounds to `decimals`: what lies below is noise, and the text stays short.
double Rounded(double value, int decimals = 4);

// Null if there is nothing to tell.

/// {n, p50_m, ..., score_m, cross_track_p50_m, cross_track_p95_m, ..._ci_m: [low, high]}; without
/// the errors where there are none.
nlohmann::ordered_json AccuracyJson(const TrackAccuracy& accuracy);
/// {coverage68, coverage95, nees_mean, ...}
nlohmann::ordered_json CalibrationJson(const std::optional<CalibrationSummary>& calibration);
/// {n, p50, p95, rmse, max, score, cross_track_p50, cross_track_p95}
nlohmann::ordered_json RatiosJson(const ErrorRatios& ratios);
nlohmann::ordered_json PathJson(const std::optional<PathSummary>& path);
nlohmann::ordered_json StopsJson(const std::optional<StopSummary>& stops);
/// Of the metrics only: keys to add to what the replay counted.
nlohmann::ordered_json FencesJson(const FenceMetrics& fences);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_METRICS_JSON_H_
