#include "replay_tool/ground_truth.h"

#include <algorithm>
#include <utility>

#include "replay_tool/path_metrics.h"

namespace waymark::replay {
namespace {

Status ReadTruthInto(const std::string& path, const GroundTruthOptions& options,
                     GroundTruth& known) {
  Result<std::vector<TruthPoint>> points = ReadTruth(path);
  if (!points.ok()) return points.status();
  if (options.want_points) {
    known.truth_points = points.value();
    std::stable_sort(known.truth_points.begin(), known.truth_points.end(),
                     [](const TruthPoint& a, const TruthPoint& b) { return a.utc_ms < b.utc_ms; });
  }
  Result<TruthTrack> track = TruthTrack::Create(std::move(points).value(), options.max_gap_s);
  if (!track.ok()) {
    return Status(track.status().code(), path + ": " + track.status().message());
  }
  known.truth.emplace(std::move(track).value());
  known.truth_line.emplace(LineOf(*known.truth));
  return {};
}

}  // namespace

Result<GroundTruth> ReadGroundTruth(const Session& session, const GroundTruthOptions& options) {
  GroundTruth known;
  if (!session.truth.empty()) {
    if (Status s = ReadTruthInto(session.truth, options, known); !s.ok()) return s;
  }
  if (!session.route.empty()) {
    const Result<std::vector<LatLon>> line = ReadRoute(session.route);
    if (!line.ok()) return line.status();
    known.route.emplace(DivideGeodesics(line.value()));
  }
  if (!session.labels.empty()) {
    Result<std::vector<Label>> labels = ReadLabels(session.labels);
    if (!labels.ok()) return labels.status();
    known.labels = SpansOf(std::move(labels).value());
  }
  if (known.labels && !known.labels->known.empty()) {
    known.rests = known.labels->stationary;
  } else if (known.truth) {
    known.rests = known.truth->StationarySpans(kMinStandS);
  }
  return known;
}

}  // namespace waymark::replay
