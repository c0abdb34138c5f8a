// How well fence events agree with where the device really was.
#ifndef WAYMARK_REPLAY_TOOL_FENCE_METRICS_H_
#define WAYMARK_REPLAY_TOOL_FENCE_METRICS_H_

#include <cstddef>
#include <optional>
#include <span>

#include "replay_tool/truth_track.h"
#include "waymark/geofence.h"

namespace waymark::replay {

struct FenceMetricsOptions {
  /// A truth that goes less deep than this over a boundary did not cross it: the reference itself
  /// is not better.
  double min_depth_m = 2;
  /// A reported crossing belongs to a true one of the same fence and kind within this time.
  double match_window_s = 60;
};

/// Keys of the JSON object "geofences" when a truth is given. What has no event to measure is
/// absent.
struct FenceMetrics {
  std::size_t true_crossings = 0;  ///< enters and exits of the truth; an enter if it begins inside
  std::size_t reported = 0;        ///< enters and exits within the truth's span
  std::size_t matched = 0;
  std::optional<double> precision, recall;
  /// From the true crossing to the decision; negative where the event came early.
  std::optional<double> latency_p50_s, latency_p95_s;
  /// Of the reported crossing time, absolute.
  std::optional<double> crossing_error_p50_s, crossing_error_p95_s;
  std::optional<double> flips_per_hour;  ///< reported crossings that match none
};

/// `truth` in increasing time. Fences that are not usable are passed over, as the engine does.
FenceMetrics MeasureFences(std::span<const Geofence> fences, std::span<const FenceEvent> events,
                           std::span<const TruthPoint> truth,
                           const FenceMetricsOptions& options = {});

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_FENCE_METRICS_H_
