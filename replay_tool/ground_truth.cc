#include "replay_tool/ground_truth.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "replay_tool/path_metrics.h"
#include "replay_tool/summary.h"

namespace waymark::replay {
namespace {

std::string SpanText(Span span) {
  const auto text = [](std::int64_t utc_ms) {
    return UtcText(UtcTime(std::chrono::milliseconds(utc_ms)));
  };
  return text(span.begin_ms) + " to " + text(span.end_ms);
}

std::string OutsideText(Span span, Span trace) {
  std::string text = "lies outside the trace: " + SpanText(span) + ", the trace " + SpanText(trace);
  if (span.end_ms < trace.begin_ms / 100) text += " (times in seconds? utc_ms is in milliseconds)";
  return text;
}

bool Overlap(Span a, Span b) { return a.begin_ms <= b.end_ms && b.begin_ms <= a.end_ms; }

// The parts that lie within `bounds`.
void Clip(std::vector<Span>& spans, Span bounds) {
  for (Span& s : spans) {
    s = {std::max(s.begin_ms, bounds.begin_ms), std::min(s.end_ms, bounds.end_ms)};
  }
  std::erase_if(spans, [](const Span& s) { return s.begin_ms >= s.end_ms; });
}

Status ReadTruthInto(const std::string& path, const GroundTruthOptions& options,
                     GroundTruth& known) {
  Result<std::vector<TruthPoint>> points = ReadTruth(path);
  if (!points.ok()) return points.status();
  if (options.want_points) {
    known.truth_points = points.value();
    std::erase_if(known.truth_points, [&](const TruthPoint& p) {
      return p.utc_ms < options.trace.begin_ms || p.utc_ms > options.trace.end_ms;
    });
    std::stable_sort(known.truth_points.begin(), known.truth_points.end(),
                     [](const TruthPoint& a, const TruthPoint& b) { return a.utc_ms < b.utc_ms; });
  }
  Result<TruthTrack> track = TruthTrack::Create(std::move(points).value(), options.max_gap_s);
  if (!track.ok()) {
    return Status(track.status().code(), path + ": " + track.status().message());
  }
  const Span span = track.value().span();
  if (!Overlap(span, options.trace)) {
    return Status(Code::kInvalidArgument, path + ": the truth " + OutsideText(span, options.trace));
  }
  known.truth.emplace(std::move(track).value());
  known.truth_line.emplace(LineOf(*known.truth));
  return {};
}

// A diary that says nothing of the trace's time leaves the rests to the truth.
Status ReadRests(const std::string& labels_path, Span trace, GroundTruth& known) {
  if (!labels_path.empty()) {
    Result<std::vector<Label>> labels = ReadLabels(labels_path);
    if (!labels.ok()) return labels.status();
    known.rests = SpansOf(std::move(labels).value());
    if (!known.rests.known.empty()) {
      const Span all{known.rests.known.front().begin_ms, known.rests.known.back().end_ms};
      if (!Overlap(all, trace)) {
        known.warnings.push_back(labels_path + ": the diary " + OutsideText(all, trace));
      }
      Clip(known.rests.known, trace);
      Clip(known.rests.stationary, trace);
      if (!known.rests.known.empty()) return {};
    }
  }
  if (!known.truth) return {};
  known.rests = {known.truth->StationarySpans(kMinStandS), known.truth->KnownSpans()};
  Clip(known.rests.known, trace);
  Clip(known.rests.stationary, trace);
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
  if (Status s = ReadRests(session.labels, options.trace, known); !s.ok()) return s;
  return known;
}

}  // namespace waymark::replay
