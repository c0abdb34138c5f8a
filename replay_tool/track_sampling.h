// The tracks under test at the instants at which they are judged.
#ifndef WAYMARK_REPLAY_TOOL_TRACK_SAMPLING_H_
#define WAYMARK_REPLAY_TOOL_TRACK_SAMPLING_H_

#include <cstdint>
#include <span>
#include <vector>

#include "replay_tool/baselines.h"
#include "replay_tool/trace_timeline.h"
#include "replay_tool/track_curve.h"
#include "replay_tool/track_point.h"
#include "replay_tool/truth_track.h"
#include "waymark/estimator.h"
#include "waymark/smoother.h"

namespace waymark::replay {

std::int64_t ToUtcMs(const TraceTimeline& timeline, MonoTime time);

/// What a file states may be no position at all; that is an error of the source, not of a track.
bool IsOnEarth(const Fix& fix);

/// The fixes as points, in order of delivery.
std::vector<TrackPoint> RawPoints(std::span<const DeliveredFix> fixes);

/// The times of the fixes on earth, in order, once each.
std::vector<std::int64_t> FixInstants(std::span<const DeliveredFix> fixes);
/// The truth's times within the span of the trace.
std::vector<std::int64_t> TruthInstants(const TruthTrack& truth, const TraceTimeline& timeline,
                                        std::span<const DeliveredFix> fixes);

/// Those of `instants` at which none of `points`, which are in order of time, lies.
std::vector<std::int64_t> Missing(std::span<const TrackPoint> points,
                                  std::span<const std::int64_t> instants);
/// For each of `estimates`, in order of time, the verdict on the newest fix until then by its own
/// time. `verdicts` has one for each of `fixes`; the first fix is not after the first estimate.
std::vector<Disposition> NewestVerdicts(std::span<const Estimate> estimates,
                                        std::span<const DeliveredFix> fixes,
                                        std::span<const Verdict> verdicts);

// Each gives a point for those of `instants` at which the track says something.

std::vector<TrackPoint> Sample(const TrackCurve& curve, std::span<const std::int64_t> instants);
/// A peer: its newest answer that had arrived, moved on if the peer does so.
std::vector<TrackPoint> SampleLive(const PeerTrack& peer, const TraceTimeline& timeline,
                                   std::span<const std::int64_t> instants);
/// The live estimate, from nothing but what had arrived.
Result<std::vector<Estimate>> PredictLive(std::span<const DeliveredFix> fixes,
                                          const EstimatorOptions& options,
                                          const TraceTimeline& timeline,
                                          std::span<const std::int64_t> instants);
std::vector<Estimate> Sample(const SmoothedTrack& track, const TraceTimeline& timeline,
                             std::span<const std::int64_t> instants);

std::vector<TrackPoint> ToTrackPoints(std::span<const Estimate> estimates,
                                      const TraceTimeline& timeline);
std::vector<TrackPoint> ToTrackPoints(const SmoothedTrack::Knots& knots,
                                      const TraceTimeline& timeline);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACK_SAMPLING_H_
