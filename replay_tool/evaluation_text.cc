#include "replay_tool/evaluation_text.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

std::string Cell(const Json& object, std::string_view key, int decimals) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return "-";
  return fmt::format("{:.{}f}", found->get<double>(), decimals);
}

// A space before every cell, however wide its number.
constexpr fmt::string_view kTableRow =
    "  {:<17} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>8}\n";

void AccuracyRow(std::string& out, std::string_view name, const Json& row) {
  fmt::format_to(std::back_inserter(out), kTableRow, name, Cell(row, "n", 0), Cell(row, "p50_m", 2),
                 Cell(row, "p68_m", 2), Cell(row, "p95_m", 2), Cell(row, "p99_m", 2),
                 Cell(row, "rmse_m", 2), Cell(row, "max_m", 2), Cell(row, "score_m", 2),
                 Cell(row, "cross_track_p95_m", 2));
}

void Accuracy(std::string& out, const Json& r) {
  if (!r.contains("accuracy")) return;
  fmt::format_to(std::back_inserter(out), kTableRow, "error in metres", "n", "p50", "p68", "p95",
                 "p99", "rmse", "max", "score", "cross95");
  for (const auto& [name, row] : r["accuracy"].items()) AccuracyRow(out, name, row);
  if (!r.contains("baselines")) return;
  for (const auto& [name, peer] : r["baselines"].items()) {
    for (const char* form : {"live", "track"}) {
      if (peer.contains(form)) AccuracyRow(out, name + " " + form, peer[form]);
    }
  }
}

void Line(std::string& out, std::string_view title, const Json& object,
          std::initializer_list<std::pair<const char*, int>> keys) {
  std::string parts;
  for (const auto& [key, decimals] : keys) {
    if (object.contains(key) && object[key].is_number()) {
      fmt::format_to(std::back_inserter(parts), "  {} {}", key, Cell(object, key, decimals));
    }
  }
  if (!parts.empty()) fmt::format_to(std::back_inserter(out), "  {:<18}{}\n", title, parts);
}

}  // namespace

std::string EvaluationText(const Json& result) {
  std::string out;
  const bool aggregate = result.contains("aggregate");
  if (aggregate) {
    const Json& all = result["aggregate"];
    fmt::format_to(std::back_inserter(out), "mean of {} sessions\n",
                   all["sessions"].get<std::size_t>());
    if (!all.contains("mean")) return out;
  } else {
    const Json& trace = result["trace"];
    fmt::format_to(std::back_inserter(out), "{}: {} fixes, {} s, {} rejected\n",
                   trace["path"].get<std::string>(), trace["points"].get<std::size_t>(),
                   Cell(trace, "duration_s", 0), [&] {
                     std::size_t n = 0;
                     for (const auto& [reason, count] : result["fixes"]["rejected"].items()) {
                       n += count.get<std::size_t>();
                     }
                     return n;
                   }());
  }
  const Json& r = aggregate ? result["aggregate"]["mean"] : result;
  Accuracy(out, r);
  if (r.contains("ratios")) {
    const bool at_truth = r.contains("accuracy") && r["accuracy"].contains("raw_hold");
    for (const auto& [name, ratios] : r["ratios"].items()) {
      Line(out, name + (at_truth && name == "live" ? " / raw_hold" : " / raw"), ratios,
           {{"p50", 3},
            {"score", 3},
            {"rmse", 3},
            {"max", 3},
            {"p95", 3},
            {"cross_track_p95", 3},
            {"n", 0}});
    }
  }
  if (r.contains("calibration")) {
    for (const auto& [name, c] : r["calibration"].items()) {
      Line(out, "calibration " + name, c, {{"coverage68", 3}, {"coverage95", 3}, {"nees_mean", 2}});
    }
  }
  if (r.contains("path")) {
    Line(out, "path", r["path"],
         {{"length_error_fraction", 5},
          {"frechet_m", 2},
          {"hausdorff_m", 2},
          {"speed_rmse_mps", 2},
          {"course_p95_deg", 1}});
  }
  if (r.contains("odometer")) {
    Line(out, "odometer", r["odometer"],
         {{"judged_distance_m", 1},
          {"truth_distance_m", 1},
          {"error_fraction", 5},
          {"error_bound_m", 1}});
  }
  if (r.contains("phantom")) {
    Line(out, "phantom at rest", r["phantom"],
         {{"stationary_s", 0},
          {"odometer_m", 1},
          {"raw_m", 1},
          {"live_m", 1},
          {"smoothed_m", 1},
          {"records_m", 1}});
  }
  if (r.contains("stops")) {
    Line(out, "stops", r["stops"],
         {{"precision", 3},
          {"recall", 3},
          {"f1", 3},
          {"reference", 0},
          {"detected", 0},
          {"matched", 0},
          {"short", 0},
          {"start_latency_p50_s", 1},
          {"end_latency_p50_s", 1}});
  }
  if (r.contains("geofences") && r["geofences"].contains("true_crossings")) {
    Line(out, "geofences", r["geofences"],
         {{"true_crossings", 0},
          {"matched", 0},
          {"precision", 3},
          {"recall", 3},
          {"latency_p50_s", 1},
          {"latency_p95_s", 1},
          {"flips_per_hour", 2}});
  }
  return out;
}

}  // namespace waymark::replay
