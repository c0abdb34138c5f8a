#include "replay_tool/metrics_json.h"

#include <cmath>
#include <optional>

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

void Put(Json& json, const char* key, const std::optional<double>& value) {
  if (value) json[key] = Rounded(*value);
}

void Put(Json& json, const char* key, const std::optional<Interval>& interval) {
  if (interval) json[key] = Json::array({Rounded(interval->low), Rounded(interval->high)});
}

}  // namespace

double Rounded(double value, int decimals) {
  const double scale = std::pow(10.0, decimals);
  return std::round(value * scale) / scale;
}

Json AccuracyJson(const TrackAccuracy& accuracy) {
  Json json;
  if (accuracy.error) {
    const AccuracySummary& s = *accuracy.error;
    json["n"] = s.n;
    json["p50_m"] = Rounded(s.p50_m);
    json["p68_m"] = Rounded(s.p68_m);
    json["p95_m"] = Rounded(s.p95_m);
    json["p99_m"] = Rounded(s.p99_m);
    json["rmse_m"] = Rounded(s.rmse_m);
    json["max_m"] = Rounded(s.max_m);
    json["score_m"] = Rounded(s.score_m);
    Put(json, "p50_ci_m", s.p50_ci_m);
    Put(json, "p68_ci_m", s.p68_ci_m);
    Put(json, "p95_ci_m", s.p95_ci_m);
    Put(json, "p99_ci_m", s.p99_ci_m);
    Put(json, "rmse_ci_m", s.rmse_ci_m);
    Put(json, "score_ci_m", s.score_ci_m);
  }
  if (const std::optional<OffsetSummary>& cross = accuracy.cross_track) {
    if (!accuracy.error) json["n"] = cross->n;
    json["cross_track_n"] = cross->n;
    json["cross_track_p50_m"] = Rounded(cross->p50_m);
    json["cross_track_p95_m"] = Rounded(cross->p95_m);
  }
  if (const std::optional<OffsetSummary>& along = accuracy.along_track) {
    json["along_track_p50_m"] = Rounded(along->p50_m);
    json["along_track_p95_m"] = Rounded(along->p95_m);
  }
  return json;
}

Json CalibrationJson(const std::optional<CalibrationSummary>& s) {
  if (!s) return {};
  Json json;
  json["n"] = s->n;
  json["coverage68"] = Rounded(s->coverage68);
  Put(json, "coverage95", s->coverage95);
  Put(json, "nees_mean", s->nees_mean);
  Put(json, "ellipse_coverage68", s->ellipse_coverage68);
  Put(json, "ellipse_coverage95", s->ellipse_coverage95);
  Put(json, "coverage68_ci", s->coverage68_ci);
  Put(json, "coverage95_ci", s->coverage95_ci);
  Put(json, "nees_mean_ci", s->nees_mean_ci);
  return json;
}

Json RatiosJson(const ErrorRatios& r) {
  if (r.n == 0) return {};
  Json json;
  json["n"] = r.n;
  Put(json, "p50", r.p50);
  Put(json, "p95", r.p95);
  Put(json, "rmse", r.rmse);
  Put(json, "max", r.max);
  Put(json, "score", r.score);
  Put(json, "cross_track_p50", r.cross_track_p50);
  Put(json, "cross_track_p95", r.cross_track_p95);
  return json;
}

Json PathJson(const std::optional<PathSummary>& path) {
  if (!path) return {};
  Json json;
  if (path->length_error_fraction) {
    json["length_error_fraction"] = Rounded(*path->length_error_fraction, 6);
  }
  json["length_m"] = Rounded(path->length_m, 2);
  json["truth_length_m"] = Rounded(path->truth_length_m, 2);
  json["frechet_m"] = Rounded(path->frechet_m);
  json["hausdorff_m"] = Rounded(path->hausdorff_m);
  json["hausdorff_track_to_truth_m"] = Rounded(path->hausdorff_track_to_truth_m);
  json["hausdorff_truth_to_track_m"] = Rounded(path->hausdorff_truth_to_track_m);
  Put(json, "speed_rmse_mps", path->speed_rmse_mps);
  Put(json, "course_p95_deg", path->course_p95_deg);
  return json;
}

Json StopsJson(const std::optional<StopSummary>& s) {
  if (!s) return {};
  Json json;
  Put(json, "precision", s->precision);
  Put(json, "recall", s->recall);
  json["f1"] = Rounded(s->f1);
  Put(json, "start_latency_p50_s", s->start_latency_p50_s);
  Put(json, "end_latency_p50_s", s->end_latency_p50_s);
  Put(json, "start_error_p50_s", s->start_error_p50_s);
  Put(json, "end_error_p50_s", s->end_error_p50_s);
  json["reference"] = s->reference;
  json["detected"] = s->detected;
  json["matched"] = s->matched;
  json["short"] = s->short_stops;
  return json;
}

Json FencesJson(const FenceMetrics& m) {
  Json json;
  json["true_crossings"] = m.true_crossings;
  json["matched"] = m.matched;
  Put(json, "precision", m.precision);
  Put(json, "recall", m.recall);
  Put(json, "latency_p50_s", m.latency_p50_s);
  Put(json, "latency_p95_s", m.latency_p95_s);
  Put(json, "crossing_error_p50_s", m.crossing_error_p50_s);
  Put(json, "crossing_error_p95_s", m.crossing_error_p95_s);
  Put(json, "flips_per_hour", m.flips_per_hour);
  return json;
}

}  // namespace waymark::replay
