#include "replay_tool/evaluation_json.h"

#include <algorithm>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "replay_tool/fence_metrics.h"
#include "replay_tool/json_output.h"
#include "replay_tool/metrics_json.h"
#include "replay_tool/odometer_metrics.h"

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

void PutUnlessNull(Json& json, const char* key, Json value) {
  if (!value.is_null()) json[key] = std::move(value);
}

// Ours over raw, the form in which the requirements are stated. A live estimate knows nothing of
// what comes, so between fixes it is held against a raw track that does not either.
Json RatiosJson(const Findings& found, bool at_truth) {
  // Side by side: together they take a while for a long trace.
  std::vector<std::pair<const char*, std::future<ErrorRatios>>> comparisons;
  for (const auto& [name, ours, raw] :
       {std::tuple{"live", &found.live, at_truth ? &found.raw_hold : &found.raw},
        {"smoothed", &found.smoothed, &found.raw},
        {"records", &found.records, &found.raw}}) {
    comparisons.emplace_back(name, std::async(std::launch::async, CompareErrors,
                                              std::cref(ours->errors), std::cref(raw->errors)));
  }
  Json ratios;
  for (auto& [name, comparison] : comparisons) {
    PutUnlessNull(ratios, name, replay::RatiosJson(comparison.get()));
  }
  return ratios;
}

void PutTracks(const Findings& found, bool at_truth, Json& json) {
  Json accuracy, calibration;
  for (const auto& [name, track] : {std::pair{"raw", &found.raw},
                                    {"raw_hold", &found.raw_hold},
                                    {"live", &found.live},
                                    {"smoothed", &found.smoothed},
                                    {"records", &found.records}}) {
    PutUnlessNull(accuracy, name, AccuracyJson(track->accuracy));
    PutUnlessNull(calibration, name, CalibrationJson(track->calibration));
  }
  PutUnlessNull(json, "ratios", RatiosJson(found, at_truth));
  PutUnlessNull(json, "accuracy", std::move(accuracy));
  PutUnlessNull(json, "calibration", std::move(calibration));
  Json path = PathJson(found.smoothed.path);
  PutUnlessNull(path, "raw", PathJson(found.raw.path));
  PutUnlessNull(path, "live", PathJson(found.live.path));
  PutUnlessNull(path, "records", PathJson(found.records.path));
  PutUnlessNull(json, "path", std::move(path));
}

void PutPhantom(const Findings& found, const EvaluationRun& run, const GroundTruth& known,
                Json& json) {
  const std::vector<Span>& rests = known.rests.stationary;
  if (rests.empty()) return;
  double rest_s = 0;
  for (const Span& s : rests) rest_s += s.seconds();
  Json& phantom = json["phantom"];
  phantom["stationary_s"] = Rounded(rest_s, 3);
  phantom["odometer_m"] = Rounded(OdometerWithinM(run.odometer, rests), 3);
  for (const auto& [name, track] : {std::pair{"raw_m", &found.raw},
                                    {"live_m", &found.live},
                                    {"smoothed_m", &found.smoothed},
                                    {"records_m", &found.records}}) {
    phantom[name] = Rounded(track->phantom_m.value_or(0), 3);
  }
  json["path"]["phantom_stationary_m"] = phantom["odometer_m"];
  json["path"]["raw_phantom_stationary_m"] = phantom["raw_m"];  // what that is a share of
}

void PutPeers(const std::vector<JudgedPeer>& peers, Json& json) {
  for (const JudgedPeer& judged : peers) {
    const auto name = std::find_if(PeerNames().begin(), PeerNames().end(),
                                   [&](const PeerName& n) { return n.peer == judged.peer; });
    Json peer;
    peer["kept"] = judged.kept;
    PutUnlessNull(peer, "live", AccuracyJson(judged.live));
    PutUnlessNull(peer, "track", AccuracyJson(judged.track));
    PutUnlessNull(peer, "calibration", CalibrationJson(judged.calibration));
    json["baselines"][std::string(name->name)] = std::move(peer);
  }
}

}  // namespace

Json EvaluationJson(const Findings& found, const EvaluationRun& run, const GroundTruth& known,
                    const EvaluationOptions& options) {
  Json json = ToJson(run.tally);
  if (known.truth) {
    JudgeOdometer(run.odometer, *known.truth, run.tally.stats.odometer_bound_m, json["odometer"]);
  }
  PutTracks(found, options.at_truth && known.truth, json);
  PutPhantom(found, run, known, json);
  PutUnlessNull(json, "stops", StopsJson(CompareStops(run.stops, known.rests, options.min_stop_s)));
  if (!options.fences.empty() && known.truth) {
    json["geofences"].update(
        FencesJson(MeasureFences(options.fences, run.fence_events, known.truth_points)));
  }
  PutPeers(found.peers, json);
  return json;
}

}  // namespace waymark::replay
