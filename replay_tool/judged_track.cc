#include "replay_tool/judged_track.h"

#include <utility>

#include "replay_tool/track_curve.h"
#include "replay_tool/track_sampling.h"

namespace waymark::replay {

TrackErrors MeasureTrack(const std::vector<TrackPoint>& points,
                         const std::vector<SurfacePoint>& surface, const GroundTruth& known) {
  TrackErrors errors;
  if (known.truth) errors = MeasureErrors(points, surface, *known.truth);
  if (known.route) {
    TrackErrors cross = MeasureCrossTrack(points, surface, *known.route);
    errors.cross_times_s = std::move(cross.cross_times_s);
    errors.cross_m = std::move(cross.cross_m);
    errors.along_m.clear();
  }
  return errors;
}

JudgedTrack JudgeTrack(std::vector<TrackPoint> points, std::span<const std::int64_t> instants,
                       const GroundTruth& known, std::uint64_t seed) {
  JudgedTrack judged;
  std::vector<SurfacePoint> surface = SurfaceOf(points);
  if (known.judges_positions()) {
    const TrackErrors errors = MeasureTrack(points, surface, known);
    judged.accuracy = SummariseTrack(errors, seed);
    judged.calibration = SummariseCalibration(errors.claims, seed);
    judged.errors.Add(errors, instants);
  }
  const std::vector<Span>& rests = known.rests.stationary;
  if (!known.truth && rests.empty()) return judged;
  const TrackCurve line(std::move(points), std::move(surface));
  if (known.truth) judged.path = ComparePath(line, *known.truth, *known.truth_line);
  if (!rests.empty()) judged.phantom_m = PhantomM(line, rests);
  return judged;
}

JudgedPeer JudgePeer(Peer peer, const std::vector<TrackPoint>& live, std::vector<TrackPoint> track,
                     const std::vector<std::int64_t>& instants, const GroundTruth& known,
                     std::uint64_t seed) {
  JudgedPeer judged;
  judged.peer = peer;
  judged.kept = track.size();
  const TrackErrors errors = MeasureTrack(live, known);
  judged.live = SummariseTrack(errors, seed);
  const TrackCurve line(std::move(track), Interpolation::kLinear);
  judged.track = SummariseTrack(MeasureTrack(Sample(line, instants), known), seed);
  if (peer != Peer::kGate && peer != Peer::kOrganic) {
    judged.calibration = SummariseCalibration(errors.claims, seed);
  }
  return judged;
}

}  // namespace waymark::replay
