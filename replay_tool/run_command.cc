#include "replay_tool/run_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replay_tool/command_steps.h"
#include "replay_tool/config_flags.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/html_report.h"
#include "replay_tool/json_output.h"
#include "replay_tool/output_file.h"
#include "replay_tool/plural.h"
#include "replay_tool/progress_bar.h"
#include "replay_tool/replay.h"
#include "replay_tool/replay_outputs.h"
#include "replay_tool/summary.h"
#include "replay_tool/trace_flags.h"
#include "waymark/curl_transport.h"

namespace waymark::replay {
namespace {

struct RunFlags {
  std::vector<std::string> traces;
  ConfigFlags config;
  ReadOptions read;
  OutputFlags outputs;
  std::string json, report, db, upload, geofences, journal, progress = "auto";
  std::vector<std::string> fail_if;
  std::uint64_t seed = 1;
  double drain_timeout_s = 60;
  bool realtime = false;
  bool quiet = false;
};

class RunCommand {
 public:
  explicit RunCommand(const RunFlags& flags) : flags_(flags) {}

  int Run() {
    for (int (RunCommand::*step)() : {&RunCommand::Configure, &RunCommand::OpenOutputs,
                                      &RunCommand::ReplayAll, &RunCommand::CloseOutputs}) {
      if (const int failed = (this->*step)(); failed != kExitDone) return failed;
    }
    if (environment_failed_) return kExitEnvironment;
    return threshold_missed_ ? kExitThresholdMissed : kExitDone;
  }

 private:
  int Configure() {
    Result<Config> config = MakeConfig(flags_.config);
    if (!config.ok()) {
      return Fail(config.status().code() == Code::kCorruption ? kExitInput : kExitUsage,
                  config.status().message());
    }
    options_.config = std::move(config).value();
    if (!flags_.db.empty()) options_.config.database_path = flags_.db;
    if (!flags_.upload.empty()) options_.config.upload.url = flags_.upload;
    if (const auto violations = options_.config.Validate(); !violations.empty()) {
      std::string all;
      for (const Config::Violation& v : violations) {
        all += (all.empty() ? "" : "; ") + v.field + ": " + v.reason;
      }
      return Fail(flags_.config.file.empty() ? kExitUsage : kExitInput, "configuration: " + all);
    }
    if (int failed = ParseThresholds(flags_.fail_if, thresholds_)) return failed;
    options_.read = flags_.read;
    options_.seed = flags_.seed;
    options_.realtime = flags_.realtime;
    options_.drain_timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(flags_.drain_timeout_s * 1000));
    return ReadFences(flags_.geofences, options_.fences);
  }

  int OpenOutputs() {
    Result<ReplayOutputs> outputs = ReplayOutputs::Create(flags_.outputs);
    if (!outputs.ok()) return Fail(kExitEnvironment, outputs.status().message());
    outputs_ = std::move(outputs).value();
    if (int failed = replay::OpenOutputs(
            {{&flags_.json, &json_}, {&flags_.journal, &journal_}, {&flags_.report, &report_}})) {
      return failed;
    }
    if (journal_) options_.journal = &*journal_;
    if (report_) html_.emplace();
    if (!options_.config.upload.url.empty()) {
      Result<std::unique_ptr<Transport>> transport = MakeCurlTransport();
      if (!transport.ok()) return Fail(kExitEnvironment, transport.status().message());
      transport_ = std::move(transport).value();
      options_.transport = transport_.get();
    }
    return kExitDone;
  }

  int ReplayAll() {
    for (const std::string& path : flags_.traces) {
      ProgressBar bar(flags_.quiet ? "never" : flags_.progress, path);
      options_.progress = [&bar](double share) { bar.Show(share); };
      if (html_) html_->Begin(path, options_.fences);
      bool failed_in_tracker = false;
      const Result<ReplayTally> tally =
          ReplayTrace(path, options_, *outputs_, html_ ? &*html_ : nullptr, &failed_in_tracker);
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
    if (!flags_.quiet && flags_.json != "-") {
      const std::string text = Summary(tally);
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
    if (html_) html_->End(tally);
    // One line, though there may be two reasons: what is not stored is not delivered either.
    if (tally.environment_failure) {
      environment_failed_ = true;
      Fail(kExitEnvironment, tally.path + ": " + *tally.environment_failure);
    } else if (tally.drain_failure) {
      environment_failed_ = true;
      Fail(kExitEnvironment, "upload: " + Plural(tally.stats.pending, "record") +
                                 " not delivered: " + *tally.drain_failure +
                                 (flags_.db.empty() ? " (with --db FILE they would be kept)"
                                                    : " (kept in " + flags_.db + ")"));
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
    close(outputs_->Close());
    if (json_) close(json_->Close());
    if (journal_) close(journal_->Close());
    if (std::fflush(stdout) != 0) worst = Fail(kExitEnvironment, "standard output: cannot write");
    return worst;
  }

  const RunFlags& flags_;
  ReplayOptions options_;
  std::unique_ptr<Transport> transport_;
  std::optional<ReplayOutputs> outputs_;
  std::optional<OutputFile> json_, journal_, report_;
  std::optional<HtmlReport> html_;
  std::vector<Threshold> thresholds_;
  bool environment_failed_ = false;
  bool threshold_missed_ = false;
};

void AddFlags(CLI::App& command, RunFlags& flags) {
  command.add_option("traces", flags.traces, "GPX, NMEA 0183, fixes CSV or journal; - is stdin")
      ->type_name("TRACE")
      ->required();
  AddTraceFlags(command, flags.read);
  AddConfigFlags(command, flags.config);
  AddOutputFlags(command, flags.outputs);
  command.add_option("--json", flags.json, "Machine output; - replaces the readable one")
      ->type_name("FILE|-");
  command.add_option("--report", flags.report, "A page with map and tables")
      ->type_name("FILE.html");
  command.add_option("--journal-out", flags.journal, "Record every event and its actions")
      ->type_name("FILE");
  command.add_option("--db", flags.db, "Database; continues an existing one (default: in memory)")
      ->type_name("FILE");
  command.add_option("--upload", flags.upload, "Deliver to this collector")->type_name("URL");
  command
      .add_option("--drain-timeout", flags.drain_timeout_s,
                  "Seconds to wait at the end until everything is delivered (default 60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 86400.0));
  command.add_option("--geofences", flags.geofences, "GeoJSON FeatureCollection")
      ->type_name("FILE");
  command.add_option("--seed", flags.seed, "Randomness of the tracker (default 1)")->type_name("N");
  command
      .add_option("--fail-if", flags.fail_if,
                  "Exit with 1 if it holds, e.g. 'fixes.accepted<100'; may be repeated")
      ->type_name("CONDITION")
      ->take_all();
  command.add_flag("--realtime", flags.realtime, "Take as long as the trace did");
  command.add_flag("--quiet", flags.quiet, "No readable summary, no progress");
  command.add_option("--progress", flags.progress, "Progress bar on standard error")
      ->type_name("auto|always|never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
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
