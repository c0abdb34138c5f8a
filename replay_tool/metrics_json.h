// Metrics as JSON, in the names of REPLAY_TOOL.md.
#ifndef WAYMARK_REPLAY_TOOL_METRICS_JSON_H_
#define WAYMARK_REPLAY_TOOL_METRICS_JSON_H_

#include <cstdint>
#include <nlohmann/json.hpp>

#include "replay_tool/accuracy.h"
#include "replay_tool/path_metrics.h"
#include "replay_tool/stop_metrics.h"

namespace waymark::replay {

/// Rounds to `decimals`: what lies below is noise, and the text stays short.
double Rounded(double value, int decimals = 4);

/// {n, p50_m, ..., score_m, cross_track_p50_m, cross_track_p95_m, ..._ci_m: [low, high]}; without
/// the errors where there are none. Null if there is nothing to tell.
nlohmann::ordered_json AccuracyJson(const TrackErrors& errors, std::uint64_t seed);
/// {coverage68, coverage95, nees_mean, ...}; null without claims.
nlohmann::ordered_json CalibrationJson(const TrackErrors& errors, std::uint64_t seed);
nlohmann::ordered_json PathJson(const PathSummary& path);
nlohmann::ordered_json StopsJson(const StopSummary& stops);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_METRICS_JSON_H_
