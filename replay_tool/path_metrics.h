// How well a track draws the way that was travelled, whenever each point was reached.
#ifndef WAYMARK_REPLAY_TOOL_PATH_METRICS_H_
#define WAYMARK_REPLAY_TOOL_PATH_METRICS_H_

#include <optional>
#include <span>

#include "replay_tool/polyline_index.h"
#include "replay_tool/track_curve.h"
#include "replay_tool/truth_track.h"

namespace waymark::replay {

struct PathSummary {
  double length_m = 0;        ///< of the track, between the first and last instant it shares with
                              ///< the truth
  double truth_length_m = 0;  ///< of the truth between the same instants
  /// length_m / truth_length_m - 1; absent where the truth moved less than 10 m.
  std::optional<double> length_error_fraction;
  /// Discrete Frechet distance (Eiter and Mannila 1994) over the instants both have, at most one a
  /// second, in which the two may lag one another by at most 30 instants.
  double frechet_m = 0;
  double hausdorff_m = 0;  ///< the larger of the two directed distances
  double hausdorff_track_to_truth_m = 0, hausdorff_truth_to_track_m = 0;
  /// Of the points that tell a speed, where the truth's is known; this and the next are absent
  /// where that is fewer than half of them within its span.
  std::optional<double> speed_rmse_mps;
  std::optional<double> course_p95_deg;  ///< where the truth moves faster than 1 m/s
};

inline PolylineIndex LineOf(const TruthTrack& truth) {
  return PolylineIndex({truth.positions().begin(), truth.positions().end()});
}

/// `track` must be kLinear: sample a bent curve first. `truth_line` is LineOf(truth). nullopt if
/// track and truth share fewer than two instants.
std::optional<PathSummary> ComparePath(const TrackCurve& track, const TruthTrack& truth,
                                       const PolylineIndex& truth_line);

inline std::optional<PathSummary> ComparePath(const TrackCurve& track, const TruthTrack& truth) {
  return ComparePath(track, truth, LineOf(truth));
}

/// Metres that the track moved within the spans in which nothing moved. Each span stands alone:
/// a jump between two spans is no phantom.
double PhantomM(const TrackCurve& track, std::span<const Span> stationary);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_PATH_METRICS_H_
