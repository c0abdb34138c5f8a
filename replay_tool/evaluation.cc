#include "replay_tool/evaluation.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "replay_tool/accuracy.h"
#include "replay_tool/evaluation_run.h"
#include "replay_tool/fence_metrics.h"
#include "replay_tool/json_output.h"
#include "replay_tool/metrics_json.h"
#include "replay_tool/path_metrics.h"
#include "replay_tool/polyline_index.h"
#include "replay_tool/stop_metrics.h"
#include "replay_tool/track_curve.h"
#include "replay_tool/truth_track.h"
#include "waymark/estimator.h"
#include "waymark/smoother.h"

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

// The reference stands at least this long before its stops count for phantom distance.
constexpr double kMinStandS = 10;

// What is known of the trace.
struct GroundTruth {
  std::optional<TruthTrack> truth;
  std::vector<TruthPoint> truth_points;  ///< only for geofences
  std::optional<PolylineIndex> route;
  std::optional<LabelSpans> labels;

  /// Spans in which nothing moved, from the labels or else from the truth.
  std::vector<Span> Stationary() const {
    if (labels && !labels->known.empty()) return labels->stationary;
    return truth ? truth->StationarySpans(kMinStandS) : std::vector<Span>();
  }
};

Result<GroundTruth> ReadGroundTruth(const Session& session, const EvaluationOptions& options) {
  GroundTruth known;
  if (!session.truth.empty()) {
    Result<std::vector<TruthPoint>> points = ReadTruth(session.truth);
    if (!points.ok()) return points.status();
    if (!options.fences.empty()) {
      known.truth_points = points.value();
      std::stable_sort(
          known.truth_points.begin(), known.truth_points.end(),
          [](const TruthPoint& a, const TruthPoint& b) { return a.utc_ms < b.utc_ms; });
    }
    Result<TruthTrack> track =
        TruthTrack::Create(std::move(points).value(), options.truth_max_gap_s);
    if (!track.ok()) {
      return Status(track.status().code(), session.truth + ": " + track.status().message());
    }
    known.truth.emplace(std::move(track).value());
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
  return known;
}

// The tracks under test, each at the instants at which it is judged.
struct Tracks {
  std::vector<TrackPoint> raw, live, smoothed, records;
  std::vector<TrackPoint> raw_hold;  ///< only at truth times: what a viewer of fixes sees live
};

std::int64_t UtcMs(const TraceTimeline& timeline, MonoTime time) {
  return timeline.ToUtc(time).time_since_epoch().count();
}

MonoTime ToMono(const TraceTimeline& timeline, std::int64_t utc_ms) {
  return timeline.ToMono(UtcTime(std::chrono::milliseconds(utc_ms)));
}

// What a file states may be no position at all; it is an error of the source, not of a track.
bool IsOnEarth(const Fix& fix) {
  return LatLon::FromDegrees(fix.position.lat_deg, fix.position.lon_deg).has_value();
}

std::vector<DeliveredFix> FixesOnEarth(const LoadedTrace& trace) {
  std::vector<DeliveredFix> fixes;
  std::copy_if(trace.delivered.begin(), trace.delivered.end(), std::back_inserter(fixes),
               [](const DeliveredFix& d) { return IsOnEarth(d.fix); });
  return fixes;
}

std::vector<TrackPoint> RawPoints(const LoadedTrace& trace) {
  std::vector<TrackPoint> points;
  points.reserve(trace.read.size());
  for (const TraceFix& read : trace.read) {
    if (!IsOnEarth(read.fix)) continue;
    points.push_back(ToTrackPoint(read.fix, read.fix.utc->time_since_epoch().count()));
  }
  return points;
}

std::vector<TrackPoint> Sample(const TrackCurve& curve, std::span<const std::int64_t> instants) {
  std::vector<TrackPoint> points;
  points.reserve(instants.size());
  for (const std::int64_t t : instants) {
    if (const std::optional<TrackPoint> p = curve.At(t)) points.push_back(*p);
  }
  return points;
}

// A peer at any instant: its newest answer that had arrived, moved on if the peer does so.
std::vector<TrackPoint> SampleLive(const PeerTrack& peer, const TraceTimeline& timeline,
                                   std::span<const std::int64_t> instants) {
  std::vector<TrackPoint> points;
  std::size_t known = 0;
  for (const std::int64_t t : instants) {
    const MonoTime now = ToMono(timeline, t);
    while (known < peer.live.size() && peer.arrivals[known] <= now) ++known;
    if (known == 0) continue;
    TrackPoint p = peer.live[known - 1];
    const double ahead_s = static_cast<double>(t - p.utc_ms) * 1e-3;
    p.utc_ms = t;
    if (peer.predicts && ahead_s > 0 && p.course_deg) {
      p.position = Destination(p.position, *p.course_deg, *p.speed_mps * ahead_s);
      p.r68_m.reset();  // known for the instant of the fix only
    }
    points.push_back(p);
  }
  return points;
}

// The live estimate at every truth time, from nothing but what had arrived.
Result<std::vector<TrackPoint>> PredictLive(const LoadedTrace& trace, const Config& config,
                                            std::span<const std::int64_t> instants,
                                            std::vector<Estimate>& estimates) {
  Result<Estimator> created = Estimator::Create(config.estimator);
  if (!created.ok()) return created.status();
  Estimator estimator = std::move(created).value();
  std::vector<TrackPoint> points;
  points.reserve(instants.size());
  std::size_t next = 0;
  for (const std::int64_t t : instants) {
    const MonoTime now = ToMono(trace.timeline, t);
    while (next < trace.delivered.size() && trace.delivered[next].arrival.mono <= now) {
      estimator.Update(trace.delivered[next].fix, trace.delivered[next].arrival);
      ++next;
    }
    if (const std::optional<Estimate> e = estimator.Predict(now)) {
      points.push_back(ToTrackPoint(*e, t));
      estimates.push_back(*e);
    }
  }
  return points;
}

// Truth times within the span of the trace.
std::vector<std::int64_t> TruthInstants(const TruthTrack& truth, const LoadedTrace& trace) {
  std::int64_t first = UtcMs(trace.timeline, trace.delivered.front().fix.time);
  std::int64_t last = first;
  for (const DeliveredFix& d : trace.delivered) {
    const std::int64_t t = UtcMs(trace.timeline, d.fix.time);
    first = std::min(first, t);
    last = std::max(last, t);
  }
  const auto times = truth.times_ms();
  const auto begin = std::lower_bound(times.begin(), times.end(), first);
  const auto end = std::upper_bound(begin, times.end(), last);
  return {begin, end};
}

// Instants of the raw fixes, in order, once each.
std::vector<std::int64_t> FixInstants(const std::vector<TrackPoint>& raw) {
  std::vector<std::int64_t> instants;
  for (const TrackPoint& p : raw) instants.push_back(p.utc_ms);
  std::sort(instants.begin(), instants.end());
  instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
  return instants;
}

Status WriteEstimates(const std::string& path, const TraceTimeline& timeline,
                      const std::vector<Estimate>& estimates) {
  if (path.empty()) return {};
  Result<OutputFile> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  file.value().Append(kEstimateHeader);
  std::string row;
  for (const Estimate& e : estimates) {
    row.clear();
    AppendEstimateRow(row, timeline.ToUtc(e.time), e, Disposition::kAccepted);
    file.value().Append(row);
  }
  return file.value().Close();
}

TrackErrors Measure(const std::vector<TrackPoint>& track, const GroundTruth& known) {
  TrackErrors errors;
  if (known.truth) errors = MeasureErrors(track, *known.truth);
  if (known.route) {
    TrackErrors cross = MeasureCrossTrack(track, *known.route);
    errors.cross_times_s = std::move(cross.cross_times_s);
    errors.cross_m = std::move(cross.cross_m);
    errors.along_m.clear();
  }
  return errors;
}

void PutUnlessNull(Json& json, const char* key, Json value) {
  if (!value.is_null()) json[key] = std::move(value);
}

// The odometer of the tracker between the ends of two spans' overlap, and within rests.
double OdometerAt(std::span<const EvaluationRun::Odometer> samples, std::int64_t utc_ms) {
  const auto after = std::upper_bound(
      samples.begin(), samples.end(), utc_ms,
      [](std::int64_t t, const EvaluationRun::Odometer& s) { return t < s.utc_ms; });
  return after == samples.begin() ? 0 : std::prev(after)->distance_m;
}

void JudgeOdometer(const EvaluationRun& run, const TruthTrack& truth, Json& odometer) {
  if (run.odometer.empty()) return;
  const std::int64_t from = std::max(run.odometer.front().utc_ms, truth.span().begin_ms);
  const std::int64_t to = std::min(run.odometer.back().utc_ms, truth.span().end_ms);
  const double truth_m = truth.LengthBetweenM(from, to);
  if (to <= from) return;
  odometer["truth_distance_m"] = Rounded(truth_m, 3);
  const double ours_m = OdometerAt(run.odometer, to) - OdometerAt(run.odometer, from);
  odometer["judged_distance_m"] = Rounded(ours_m, 3);
  if (truth_m >= 10) odometer["error_fraction"] = Rounded(ours_m / truth_m - 1, 6);
  odometer["within_bound"] = std::abs(ours_m - truth_m) <= run.tally.stats.odometer_bound_m;
}

Json PhantomJson(const EvaluationRun& run, const Tracks& tracks, const std::vector<Span>& rests) {
  Json json;
  double rest_s = 0, odometer_m = 0;
  for (const Span& s : rests) {
    rest_s += s.seconds();
    odometer_m += OdometerAt(run.odometer, s.end_ms) - OdometerAt(run.odometer, s.begin_ms);
  }
  json["stationary_s"] = Rounded(rest_s, 3);
  json["odometer_m"] = Rounded(odometer_m, 3);
  const auto of = [&](const std::vector<TrackPoint>& points) {
    return Rounded(PhantomM(TrackCurve(points, Interpolation::kLinear), rests), 3);
  };
  json["raw_m"] = of(tracks.raw);
  json["live_m"] = of(tracks.live);
  json["smoothed_m"] = of(tracks.smoothed);
  json["records_m"] =
      Rounded(PhantomM(TrackCurve(run.records, Interpolation::kHermite, run.gaps), rests), 3);
  return json;
}

// Ours over raw, the form in which the requirements are stated.
Json RatiosJson(const Json& accuracy) {
  Json ratios;
  if (!accuracy.contains("raw")) return ratios;
  const Json& raw = accuracy["raw"];
  for (const char* track : {"live", "smoothed", "records"}) {
    if (!accuracy.contains(track)) continue;
    const Json& ours = accuracy[track];
    Json of_track;
    for (const char* key : {"p50_m", "p95_m", "rmse_m", "max_m", "score_m", "cross_track_p50_m",
                            "cross_track_p95_m"}) {
      if (!raw.contains(key) || !ours.contains(key) || raw[key].get<double>() <= 0) continue;
      std::string name = key;
      name.resize(name.size() - 2);
      of_track[name] = Rounded(ours[key].get<double>() / raw[key].get<double>());
    }
    if (!of_track.is_null()) ratios[track] = std::move(of_track);
  }
  return ratios;
}

class Evaluation {
 public:
  Evaluation(const EvaluationOptions& options, const LoadedTrace& trace, const GroundTruth& known)
      : options_(options), trace_(trace), known_(known) {}

  Status Run(const std::string& path, ReplayOutputs& outputs) {
    if (options_.report != nullptr) options_.report->Begin(path, options_.fences);
    Result<EvaluationRun> run = RunForEvaluation(
        trace_, {options_.config, options_.seed, options_.fences}, outputs, options_.report);
    if (!run.ok()) return run.status();
    run_ = std::move(run).value();
    run_.tally.path = path;
    if (options_.report != nullptr) options_.report->End(run_.tally);
    return CollectTracks(outputs);
  }

  Json ToJson() {
    const auto begin = std::chrono::steady_clock::now();
    Json json = replay::ToJson(run_.tally);
    if (known_.truth) JudgeOdometer(run_, *known_.truth, json["odometer"]);
    if (known_.truth || known_.route) PutAccuracy(json);
    if (known_.truth) PutPath(json);
    if (const std::vector<Span> rests = known_.Stationary(); !rests.empty()) {
      json["phantom"] = PhantomJson(run_, tracks_, rests);
      json["path"]["phantom_stationary_m"] = json["phantom"]["odometer_m"];
    }
    PutStops(json);
    PutFences(json);
    PutPeers(json);
    json["timing"]["evaluate_s"] =
        Rounded(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() +
                smoothing_s_);
    return json;
  }

 private:
  Status CollectTracks(ReplayOutputs& outputs) {
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<TrackPoint> raw = RawPoints(trace_);
    const Result<SmoothedTrack> smoothed =
        SmoothedTrack::Create(trace_.delivered, options_.config.estimator);
    if (!smoothed.ok()) return smoothed.status();
    const TrackCurve stored(run_.records, Interpolation::kHermite, run_.gaps);
    if (options_.at_truth && known_.truth) {
      instants_ = TruthInstants(*known_.truth, trace_);
      tracks_.raw = Sample(TrackCurve(raw, Interpolation::kLinear), instants_);
      tracks_.raw_hold = SampleLive(
          RunPeer(Peer::kRaw, trace_.delivered, options_.config.estimator.default_accuracy_m),
          trace_.timeline, instants_);
      std::vector<Estimate> live, smooth;
      Result<std::vector<TrackPoint>> predicted =
          PredictLive(trace_, options_.config, instants_, live);
      if (!predicted.ok()) return predicted.status();
      tracks_.live = std::move(predicted).value();
      for (const std::int64_t t : instants_) {
        if (const std::optional<Estimate> e = smoothed.value().At(ToMono(trace_.timeline, t))) {
          tracks_.smoothed.push_back(ToTrackPoint(*e, t));
          smooth.push_back(*e);
        }
      }
      if (Status s = WriteEstimates(options_.outputs.live, trace_.timeline, live); !s.ok()) {
        return s;
      }
      if (Status s = WriteEstimates(options_.outputs.smoothed, trace_.timeline, smooth); !s.ok()) {
        return s;
      }
    } else {
      instants_ = FixInstants(raw);
      tracks_.raw = raw;
      tracks_.live = run_.live;
      for (const Estimate& e : smoothed.value().knots()) {
        tracks_.smoothed.push_back(ToTrackPoint(e, UtcMs(trace_.timeline, e.time)));
      }
      if (outputs.wants_smoothed()) {
        if (Status s =
                outputs.WriteSmoothed(trace_.delivered, options_.config.estimator, trace_.timeline);
            !s.ok()) {
          return s;
        }
      }
    }
    tracks_.records = Sample(stored, instants_);
    smoothing_s_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return {};
  }

  void PutAccuracy(Json& json) {
    Json accuracy, calibration;
    const auto put = [&](const char* name, const std::vector<TrackPoint>& track) {
      const TrackErrors errors = Measure(track, known_);
      PutUnlessNull(accuracy, name, AccuracyJson(errors, options_.seed));
      PutUnlessNull(calibration, name, CalibrationJson(errors, options_.seed));
    };
    put("raw", tracks_.raw);
    if (options_.at_truth) put("raw_hold", tracks_.raw_hold);
    put("live", tracks_.live);
    put("smoothed", tracks_.smoothed);
    put("records", tracks_.records);
    PutUnlessNull(json, "ratios", RatiosJson(accuracy));
    PutUnlessNull(json, "accuracy", std::move(accuracy));
    PutUnlessNull(json, "calibration", std::move(calibration));
  }

  void PutPath(Json& json) {
    const auto of = [&](const TrackCurve& curve) -> Json {
      const std::optional<PathSummary> s = ComparePath(curve, *known_.truth);
      return s ? PathJson(*s) : Json();
    };
    Json path = of(TrackCurve(tracks_.smoothed, Interpolation::kLinear));
    PutUnlessNull(path, "raw", of(TrackCurve(tracks_.raw, Interpolation::kLinear)));
    PutUnlessNull(path, "live", of(TrackCurve(tracks_.live, Interpolation::kLinear)));
    PutUnlessNull(path, "records", of(TrackCurve(tracks_.records, Interpolation::kLinear)));
    PutUnlessNull(json, "path", std::move(path));
  }

  void PutStops(Json& json) {
    LabelSpans reference;
    if (known_.labels && !known_.labels->known.empty()) {
      reference = *known_.labels;
    } else if (known_.truth && !known_.labels) {
      reference.stationary = known_.truth->StationarySpans(kMinStandS);
      reference.known = {known_.truth->span()};
    } else {
      return;
    }
    if (const std::optional<StopSummary> s =
            CompareStops(run_.stops, reference, options_.min_stop_s)) {
      json["stops"] = StopsJson(*s);
    }
  }

  void PutFences(Json& json) {
    if (options_.fences.empty() || !known_.truth) return;
    const FenceMetrics m = MeasureFences(options_.fences, run_.fence_events, known_.truth_points);
    Json& fences = json["geofences"];
    fences["true_crossings"] = m.true_crossings;
    fences["matched"] = m.matched;
    const auto put = [&](const char* key, const std::optional<double>& value) {
      if (value) fences[key] = Rounded(*value);
    };
    put("precision", m.precision);
    put("recall", m.recall);
    put("latency_p50_s", m.latency_p50_s);
    put("latency_p95_s", m.latency_p95_s);
    put("crossing_error_p50_s", m.crossing_error_p50_s);
    put("crossing_error_p95_s", m.crossing_error_p95_s);
    put("flips_per_hour", m.flips_per_hour);
  }

  void PutPeers(Json& json) {
    if (options_.peers.empty() || (!known_.truth && !known_.route)) return;
    const std::vector<DeliveredFix> fixes = FixesOnEarth(trace_);
    for (const Peer peer : options_.peers) {
      const PeerTrack track = RunPeer(peer, fixes, options_.config.estimator.default_accuracy_m);
      const bool at_truth = options_.at_truth && known_.truth;
      const std::vector<TrackPoint> live =
          at_truth ? SampleLive(track, trace_.timeline, instants_) : track.live;
      const std::vector<TrackPoint> whole =
          Sample(TrackCurve(track.track, Interpolation::kLinear), instants_);
      Json of_peer;
      const TrackErrors errors = Measure(live, known_);
      of_peer["kept"] = track.track.size();
      PutUnlessNull(of_peer, "live", AccuracyJson(errors, options_.seed));
      PutUnlessNull(of_peer, "track", AccuracyJson(Measure(whole, known_), options_.seed));
      if (peer != Peer::kGate && peer != Peer::kOrganic) {
        PutUnlessNull(of_peer, "calibration", CalibrationJson(errors, options_.seed));
      }
      const auto name = std::find_if(PeerNames().begin(), PeerNames().end(),
                                     [&](const PeerName& n) { return n.peer == peer; });
      json["baselines"][std::string(name->name)] = std::move(of_peer);
    }
  }

  const EvaluationOptions& options_;
  const LoadedTrace& trace_;
  const GroundTruth& known_;
  EvaluationRun run_;
  Tracks tracks_;
  std::vector<std::int64_t> instants_;
  double smoothing_s_ = 0;
};

// Visits every number below `json` with its dotted path. Intervals are arrays and not visited.
void ForEachNumber(const Json& json, const std::string& path,
                   const std::function<void(const std::string&, double)>& visit) {
  for (const auto& [key, value] : json.items()) {
    const std::string here = path.empty() ? key : path + "." + key;
    if (value.is_object()) ForEachNumber(value, here, visit);
    if (value.is_number()) visit(here, value.get<double>());
    if (value.is_boolean()) visit(here, value.get<bool>() ? 1 : 0);
  }
}

Json::json_pointer Pointer(std::string dotted) {
  std::replace(dotted.begin(), dotted.end(), '.', '/');
  return Json::json_pointer("/" + dotted);
}

}  // namespace

Result<Json> Evaluate(const Session& session, const EvaluationOptions& options,
                      bool* failed_in_environment) {
  *failed_in_environment = false;
  Result<LoadedTrace> trace = LoadTrace(session.trace, options.read);
  if (!trace.ok()) return trace.status();
  if (trace.value().delivered.empty()) {
    return Status(Code::kInvalidArgument, session.trace + ": the trace has no fix");
  }
  if (options.every_s) Thin(trace.value(), *options.every_s);
  const Result<GroundTruth> known = ReadGroundTruth(session, options);
  if (!known.ok()) return known.status();

  *failed_in_environment = true;
  OutputFlags files = options.outputs;
  if (options.at_truth && known.value().truth) {
    files.live.clear();  // written at the truth times instead
    files.smoothed.clear();
  }
  Result<ReplayOutputs> outputs = ReplayOutputs::Create(files);
  if (!outputs.ok()) return outputs.status();
  Evaluation evaluation(options, trace.value(), known.value());
  if (Status status = evaluation.Run(session.trace, outputs.value()); !status.ok()) return status;
  if (Status status = outputs.value().Close(); !status.ok()) return status;
  return evaluation.ToJson();
}

Json Aggregate(const std::vector<Json>& sessions) {
  struct Column {
    std::string path;
    std::vector<double> values;
  };
  std::vector<Column> columns;  // in order of first appearance
  for (const Json& session : sessions) {
    for (const char* part : {"accuracy", "calibration", "path", "phantom", "stops", "odometer",
                             "ratios", "baselines"}) {
      if (!session.contains(part)) continue;
      ForEachNumber(session[part], part, [&](const std::string& path, double value) {
        auto column = std::find_if(columns.begin(), columns.end(),
                                   [&](const Column& c) { return c.path == path; });
        if (column == columns.end()) column = columns.insert(columns.end(), {path, {}});
        column->values.push_back(value);
      });
    }
  }
  Json aggregate;
  aggregate["schema"] = "waymark.replay/1";
  Json& all = aggregate["aggregate"];
  all["sessions"] = sessions.size();
  for (const Column& c : columns) {
    double sum = 0;
    for (const double v : c.values) sum += v;
    all["mean"][Pointer(c.path)] = Rounded(sum / static_cast<double>(c.values.size()), 6);
    const bool bounded =
        c.path.starts_with("ratios") || c.path.find("coverage") != std::string::npos;
    if (!bounded) continue;
    all["min"][Pointer(c.path)] = *std::min_element(c.values.begin(), c.values.end());
    all["max"][Pointer(c.path)] = *std::max_element(c.values.begin(), c.values.end());
  }
  return aggregate;
}

}  // namespace waymark::replay
