#include "replay_tool/judged_track.h"

#include <utility>

#include "replay_tool/metrics_json.h"
#include "replay_tool/path_metrics.h"
#include "replay_tool/track_curve.h"

namespace waymark::replay {

TrackErrors MeasureTrack(const std::vector<TrackPoint>& points, const GroundTruth& known) {
  TrackErrors errors;
  if (known.truth) errors = MeasureErrors(points, *known.truth);
  if (known.route) {
    TrackErrors cross = MeasureCrossTrack(points, *known.route);
    errors.cross_times_s = std::move(cross.cross_times_s);
    errors.cross_m = std::move(cross.cross_m);
    errors.along_m.clear();
  }
  return errors;
}

JudgedTrack JudgeTrack(std::vector<TrackPoint> points, const GroundTruth& known,
                       std::uint64_t seed) {
  JudgedTrack judged;
  if (known.judges_positions()) {
    const TrackErrors errors = MeasureTrack(points, known);
    judged.accuracy = AccuracyJson(errors, seed);
    judged.calibration = CalibrationJson(errors, seed);
  }
  if (!known.truth && known.rests.empty()) return judged;
  const TrackCurve line(std::move(points), Interpolation::kLinear);
  if (known.truth) {
    const std::optional<PathSummary> s = ComparePath(line, *known.truth, *known.truth_line);
    if (s) judged.path = PathJson(*s);
  }
  if (!known.rests.empty()) judged.phantom_m = PhantomM(line, known.rests);
  return judged;
}

}  // namespace waymark::replay
