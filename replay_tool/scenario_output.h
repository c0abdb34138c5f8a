// A scenario as files: GPX and fixes CSV for the reports, truth and labels CSV for what was true.
#ifndef WAYMARK_REPLAY_TOOL_SCENARIO_OUTPUT_H_
#define WAYMARK_REPLAY_TOOL_SCENARIO_OUTPUT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "replay_tool/output_file.h"
#include "replay_tool/scenario.h"

namespace waymark::replay {

/// Empty paths are not written; "-" is standard output.
struct ScenarioPaths {
  std::string gpx, fixes_csv, truth_csv, labels_csv;
};

/// Writes while the scenario runs: memory does not grow with its length.
class ScenarioWriter : public ScenarioSink {
 public:
  /// `title` becomes the name of the GPX track. kIo: a file cannot be created.
  static Result<ScenarioWriter> Create(const ScenarioPaths& paths, const std::string& title);

  void OnTruth(const ScenarioTruth& truth) override;
  void OnFix(const ScenarioFix& fix) override;
  /// Ends the files. kIo: the first failure of any.
  Status Close();

  std::uint64_t fixes() const { return fixes_; }
  std::uint64_t truths() const { return truths_; }

 private:
  ScenarioWriter() = default;
  void AppendLabel(const ScenarioTruth& truth);

  std::optional<OutputFile> gpx_, fixes_csv_, truth_csv_, labels_csv_;
  std::string line_;
  std::uint64_t fixes_ = 0, truths_ = 0;
  std::optional<ScenarioTruth> labelled_, last_truth_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SCENARIO_OUTPUT_H_
