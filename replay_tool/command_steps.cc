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

int CheckFiles(const CommandFiles& files) {
  const Status status = files.Check();
  return status.ok() ? kExitDone : Fail(kExitUsage, status.message());
}

int CheckOneTrace(std::size_t traces, const OutputFlags& outputs, const std::string& journal) {
  if (traces <= 1) return kExitDone;
  const char* several = journal.empty() ? nullptr : "--journal-out";
  for (const OutputFlag& flag : kOutputFlags) {
    if (!(outputs.*flag.path).empty()) several = flag.name;
  }
  if (several == nullptr) return kExitDone;
  return Fail(kExitUsage,
              std::string(several) + " holds one trace; there are " + std::to_string(traces));
}

Status OpenOutputs(
    const std::vector<std::pair<const std::string*, std::optional<OutputFile>*>>& files) {
  for (const auto& [path, file] : files) {
    if (path->empty()) continue;
    Result<OutputFile> created = OutputFile::Create(*path);
    if (!created.ok()) return created.status();
    file->emplace(std::move(created).value());
  }
  return Status();
}

}  // namespace waymark::replay
