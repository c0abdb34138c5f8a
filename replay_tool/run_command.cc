#include "replay_tool/run_command.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replay_tool/command_steps.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/html_report.h"
#include "replay_tool/json_output.h"
#include "replay_tool/output_file.h"
#include "replay_tool/progress_bar.h"
#include "replay_tool/replay.h"
#include "replay_tool/replay_flags.h"
#include "replay_tool/replay_outputs.h"
#include "replay_tool/standard_output.h"
#include "replay_tool/summary.h"

namespace waymark::replay {
namespace {

struct RunFlags : ReplayFlags {
  std::string journal;
  bool realtime = false;
};

class RunCommand {
 public:
  explicit RunCommand(const RunFlags& flags) : flags_(flags) {}

  int Run() {
    for (int (RunCommand::*step)() : {&RunCommand::Configure, &RunCommand::CheckFiles,
                                      &RunCommand::ReplayAll, &RunCommand::CloseOutputs}) {
      if (const int failed = (this->*step)(); failed != kExitDone) return failed;
    }
    if (environment_failed_) return kExitEnvironment;
    return threshold_missed_ ? kExitThresholdMissed : kExitDone;
  }

 private:
  int Configure() {
    if (int failed = ConfigureReplay(flags_, options_)) return failed;
    options_.realtime = flags_.realtime;
    options_.on_first_fix = [this] { return OpenOutputs(); };
    if (!flags_.report.empty()) html_.emplace();
    if (int failed = ParseThresholds(flags_.fail_if, thresholds_)) return failed;
    return OpenTransport(transport_, options_);
  }

  int CheckFiles() {
    CommandFiles files = FilesOf(flags_, options_.config);
    files.Writes("--journal-out", flags_.journal);
    if (int failed = replay::CheckFiles(files)) return failed;
    return CheckOneTrace(flags_.traces.size(), flags_.outputs, flags_.journal);
  }

  // Once, though every trace has a first fix.
  Status OpenOutputs() {
    if (std::exchange(opened_, true)) return Status();
    Result<ReplayOutputs> outputs = ReplayOutputs::Create(flags_.outputs);
    if (!outputs.ok()) return outputs.status();
    outputs_ = std::move(outputs).value();
    Status status = replay::OpenOutputs(
        {{&flags_.json, &json_}, {&flags_.journal, &journal_}, {&flags_.report, &report_}});
    if (journal_) options_.journal = &*journal_;
    return status;
  }

  int ReplayAll() {
    for (const std::string& path : flags_.traces) {
      ProgressBar bar(flags_.bar(), path);
      options_.progress = [&bar](double share) { bar.Show(share); };
      if (html_) html_->Begin(path, options_.fences);
      bool failed_in_tracker = false;
      const Result<ReplayTally> tally =
          ReplayTrace(path, options_, outputs_, html_ ? &*html_ : nullptr, &failed_in_tracker);
      bar.Clear();
      if (!tally.ok()) {
        CloseOutputs();
        if (failed_in_tracker) return Fail(kExitEnvironment, tally.status().message());
        return FailInput(tally.status());
      }
      Tell(tally.value());
    }
    return kExitDone;
  }

  void Tell(const ReplayTally& tally) {
    for (const std::string& warning : tally.info.warnings) Warn(tally.path + ": " + warning);
    const nlohmann::ordered_json json = ToJson(tally);
    if (json_) json_->Append(JsonLine(json) + "\n");
    if (!flags_.quiet && flags_.json != "-") Say(Summary(tally));
    if (html_) html_->End(tally);
    if (const auto failure = EnvironmentFailure(tally, flags_.db)) {
      environment_failed_ = true;
      Fail(kExitEnvironment, *failure);
    }
    for (const Threshold& threshold : thresholds_) {
      const Result<bool> holds = threshold.Holds(json);
      if (holds.ok() && !holds.value()) continue;
      threshold_missed_ = true;
      Fail(kExitThresholdMissed,
           tally.path + ": " +
               (holds.ok() ? threshold.text + " holds" : "--fail-if: " + holds.status().message()));
    }
  }

  int CloseOutputs() {
    int worst = kExitDone;
    const auto close = [&worst](Status status) {
      if (!status.ok()) worst = Fail(kExitEnvironment, status.message());
    };
    if (report_) {
      report_->Append(html_->Page());
      close(report_->Close());
    }
    close(outputs_.Close());
    if (json_) close(json_->Close());
    if (journal_) close(journal_->Close());
    return worst;
  }

  const RunFlags& flags_;
  ReplayOptions options_;
  std::unique_ptr<Transport> transport_;
  ReplayOutputs outputs_;
  std::optional<OutputFile> json_, journal_, report_;
  std::optional<HtmlReport> html_;
  std::vector<Threshold> thresholds_;
  bool opened_ = false;
  bool environment_failed_ = false;
  bool threshold_missed_ = false;
};

void AddFlags(CLI::App& command, RunFlags& flags) {
  AddReplayFlags(command, flags);
  command.get_option("traces")->required();
  command.add_option("--journal-out", flags.journal, "Record every event and its actions")
      ->type_name("FILE");
  command.add_flag("--realtime", flags.realtime, "Take as long as the trace did");
  command.footer(
      "Example:\n"
      "  replay_tool run ride.gpx --geofences home.geojson --events-out events.csv\n"
      "  replay_tool run drive.csv --db track.db --upload http://127.0.0.1:8080/ --json -");
}

}  // namespace

void AddRunCommand(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand("run", "Replay traces through the SDK on a virtual clock");
  auto flags = std::make_shared<RunFlags>();
  AddFlags(*command, *flags);
  command->callback([flags, &exit_status] { exit_status = RunCommand(*flags).Run(); });
}

}  // namespace waymark::replay
