#include "replay_tool/regressions.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "replay_tool/input_file.h"

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kParts[] = {"accuracy", "calibration", "path",
                                  "phantom",  "odometer",    "stops"};
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

std::string PathOf(const Json& result) {
  if (!result.contains("trace") || !result["trace"].contains("path")) return {};
  const Json& path = result["trace"]["path"];
  return path.is_string() ? path.get<std::string>() : std::string();
}

// "session/fixes.csv" of "/any/where/session/fixes.csv".
std::string Tail(const std::string& path) {
  const std::filesystem::path p(path);
  return (p.parent_path().filename() / p.filename()).string();
}

// How much worse `after` is than `before`; 0 or less: not worse. In percent of `before`, for shares
// in percentage points.
std::optional<double> WorseByPercent(const std::string& key, double before, double after) {
  const auto ends = [&](std::string_view end) { return key.ends_with(end); };
  if (key == "precision" || key == "recall" || key == "f1") return 100 * (before - after);
  if (key.starts_with("coverage")) {
    const double nominal = ends("95") ? 0.95 : 0.68;
    return 100 * (std::abs(after - nominal) - std::abs(before - nominal));
  }
  if (key == "length_error_fraction" || key == "error_fraction") {
    return 100 * (std::abs(after) - std::abs(before));
  }
  const bool lower_is_better = (ends("_m") && !ends("length_m") && !ends("distance_m") &&
                                !ends("bound_m") && key != "stationary_m" && key != "raw_m") ||
                               ends("_mps") || ends("_deg") || ends("latency_p50_s") ||
                               ends("error_p50_s");
  if (!lower_is_better) return std::nullopt;
  if (before <= 0) return after > 0 ? 100 : 0;
  return 100 * (after - before) / before;
}

void Compare(const Json& before, const Json& after, const std::string& path,
             double tolerance_percent, std::vector<std::string>& worse) {
  for (const auto& [key, value] : before.items()) {
    const std::string here = path.empty() ? key : path + "." + key;
    // Of the input, not ours.
    if (key == "raw" || key == "raw_hold" || key == "baselines" || key == "ratios") continue;
    if (!after.contains(key)) {
      if (value.is_number() || value.is_object()) worse.push_back(here + ": no longer measured");
      continue;
    }
    const Json& now = after[key];
    if (value.is_object() && now.is_object()) {
      Compare(value, now, here, tolerance_percent, worse);
    } else if (value.is_number() && now.is_number()) {
      const std::optional<double> by = WorseByPercent(key, value.get<double>(), now.get<double>());
      if (by && *by > tolerance_percent) {
        worse.push_back(fmt::format("{}: {} was {} (worse by {:.4g} %, allowed {:g} %)", here,
                                    now.get<double>(), value.get<double>(), *by,
                                    tolerance_percent));
      }
    }
  }
}

}  // namespace

Result<std::vector<Json>> ReadResults(const std::string& path) {
  Result<std::string> text = ReadWholeFile(path, kMaxBytes);
  if (!text.ok()) return Status(text.status().code(), path + ": " + text.status().message());
  std::vector<Json> results;
  std::string_view rest = text.value();
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::size_t end = rest.find('\n');
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    Json json = Json::parse(one, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || json.value("schema", "") != "waymark.replay/1") {
      return Status(Code::kInvalidArgument,
                    fmt::format("{}: line {}: not a result of replay_tool --json", path, line));
    }
    results.push_back(std::move(json));
  }
  if (results.empty()) return Status(Code::kInvalidArgument, path + ": holds no result");
  return results;
}

const Json* FindResult(const std::vector<Json>& results, const Json& now) {
  if (now.contains("aggregate")) {
    for (const Json& r : results) {
      if (r.contains("aggregate")) return &r;
    }
    return nullptr;
  }
  const std::string path = PathOf(now);
  for (const Json& r : results) {
    if (!r.contains("aggregate") && PathOf(r) == path) return &r;
  }
  for (const Json& r : results) {
    if (!r.contains("aggregate") && Tail(PathOf(r)) == Tail(path)) return &r;
  }
  return results.size() == 1 && !results[0].contains("aggregate") ? &results[0] : nullptr;
}

std::vector<std::string> NotCompared(const Json& before, const Json& after) {
  std::vector<std::string> parts;
  for (const char* part : kParts) {
    if (after.contains(part) && !before.contains(part)) parts.emplace_back(part);
  }
  return parts;
}

std::vector<std::string> Regressions(const Json& before, const Json& after,
                                     double tolerance_percent) {
  std::vector<std::string> worse;
  if (before.contains("aggregate") && after.contains("aggregate")) {
    Compare(before["aggregate"]["mean"], after["aggregate"]["mean"], "mean", tolerance_percent,
            worse);
    return worse;
  }
  for (const char* part : kParts) {
    if (!before.contains(part)) continue;
    if (!after.contains(part)) {
      worse.push_back(std::string(part) + ": no longer measured");
      continue;
    }
    Compare(before[part], after[part], part, tolerance_percent, worse);
  }
  return worse;
}

}  // namespace waymark::replay
