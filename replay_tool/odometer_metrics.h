// The tracker's odometer against the truth, and what anything moved while nothing did.
#ifndef WAYMARK_REPLAY_TOOL_ODOMETER_METRICS_H_
#define WAYMARK_REPLAY_TOOL_ODOMETER_METRICS_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "replay_tool/truth_track.h"

namespace waymark::replay {

/// What the odometer had counted at an instant.
struct OdometerSample {
  std::int64_t utc_ms = 0;
  double distance_m = 0;
};

/// Adds {truth_distance_m, judged_distance_m, error_fraction, within_bound} to `json`: over the
/// time that `samples` (in order of time) and the truth share.
void JudgeOdometer(std::span<const OdometerSample> samples, const TruthTrack& truth, double bound_m,
                   nlohmann::ordered_json& json);

/// Counted within `rests`.
double OdometerWithinM(std::span<const OdometerSample> samples, std::span<const Span> rests);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_ODOMETER_METRICS_H_
