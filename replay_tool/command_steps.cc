#include "replay_tool/command_steps.h"

#include "replay_tool/exit_status.h"
#include "replay_tool/geojson_reader.h"

namespace waymark::replay {

int ParseThresholds(const std::vector<std::string>& texts, std::vector<Threshold>& thresholds) {
  for (const std::string& text : texts) {
    Result<Threshold> threshold = Threshold::Parse(text);
    if (!threshold.ok()) return Fail(kExitUsage, "--fail-if: " + threshold.status().message());
    thresholds.push_back(std::move(threshold).value());
  }
  return kExitDone;
}

int ReadFences(const std::string& path, std::vector<Geofence>& fences) {
  if (path.empty()) return kExitDone;
  Result<LoadedGeofences> loaded = LoadGeofences(path);
  if (!loaded.ok()) return FailInput(loaded.status());
  for (const FeatureProblem& problem : loaded.value().problems) {
    Warn(path + ": feature " + std::to_string(problem.feature) + " ('" + problem.id +
         "') refused: " + problem.reason);
  }
  fences = std::move(loaded.value().fences);
  return kExitDone;
}

int OpenOutputs(
    const std::vector<std::pair<const std::string*, std::optional<OutputFile>*>>& files) {
  for (const auto& [path, file] : files) {
    if (path->empty()) continue;
    Result<OutputFile> created = OutputFile::Create(*path);
    if (!created.ok()) return Fail(kExitEnvironment, created.status().message());
    file->emplace(std::move(created).value());
  }
  return kExitDone;
}

}  // namespace waymark::replay
