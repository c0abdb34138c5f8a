#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "replay_tool/evaluation.h"
#include "replay_tool/metrics_json.h"

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

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
