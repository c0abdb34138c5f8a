#include "replay_tool/evaluate_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replay_tool/command_steps.h"
#include "replay_tool/evaluation.h"
#include "replay_tool/evaluation_text.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/flag_checks.h"
#include "replay_tool/html_report.h"
#include "replay_tool/input_file.h"
#include "replay_tool/json_output.h"
#include "replay_tool/output_file.h"
#include "replay_tool/progress_bar.h"
#include "replay_tool/regressions.h"
#include "replay_tool/replay_flags.h"
#include "replay_tool/standard_output.h"

namespace waymark::replay {
namespace {

struct EvaluateFlags : ReplayFlags {
  std::string truth, route, labels, manifest;
  EvaluationOptions options;
  std::vector<std::string> baseline;
  std::optional<double> tolerance_percent;
};

constexpr const char* kExample =
    "Examples:\n"
    "  replay_tool evaluate drive.gpx --truth truth.csv --baseline raw,cv,gate\n"
    "  replay_tool evaluate --manifest sessions.csv --json - --fail-if 'ratios.live.score>1.1'\n"
    "  replay_tool evaluate drive.gpx --truth truth.csv --every 20 --at-truth\n"
    "  replay_tool evaluate drive.gpx --truth truth.csv --baseline before.json --tolerance 5\n\n"
    "--baseline takes names of peers or, when none of its parts is one, the file of an earlier\n"
    "--json. gpsbabel is its kalman filter without the pass that fills gaps. With --manifest a\n"
    "path in --fail-if that begins with aggregate is held against the aggregate, any other\n"
    "against every session.\n\n"
    "Only the time of the trace is judged; a truth that lies wholly outside is an error.\n\n"
    "ratios are ours over raw at the n instants at which both have a place: the times of the\n"
    "fixes, refused ones too, where the smoothed track is asked all the same. With --at-truth\n"
    "they are the truth's times, and live is held against raw_hold, the newest fix: raw is drawn\n"
    "straight from fix to fix and so knows the next one.\n\n"
    "stops: a detected stop and one of the reference match if half of their union is common;\n"
    "precision = matched / detected, recall = matched / reference. What matches a stop shorter\n"
    "than --min-stop counts in neither (short).\n\n"
    "With --at-truth, a row of --live-out tells the verdict on the newest fix that had arrived,\n"
    "and the motion then; one of --smoothed-out the verdict on the newest fix by its own time.";

// "raw,cv" are peers; "before.json" is a file. A name that is misspelt is neither, and the message
// names both readings.
Result<std::vector<Peer>> PeersOf(const std::string& text) {
  std::vector<Peer> peers;
  std::string unknown;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string name = text.substr(begin, end - begin);
    begin = end + 1;
    if (const std::optional<Peer> peer = PeerFromName(name)) {
      peers.push_back(*peer);
    } else if (unknown.empty()) {
      unknown = name;
    }
  }
  if (unknown.empty() || peers.empty()) return peers;
  return Status(Code::kInvalidArgument, "--baseline: no peer is named '" + unknown + "'");
}

class EvaluateCommand {
 public:
  explicit EvaluateCommand(EvaluateFlags& flags) : flags_(flags), options_(flags.options) {}

  int Run() {
    for (int (EvaluateCommand::*step)() :
         {&EvaluateCommand::CheckFlags, &EvaluateCommand::CollectSessions,
          &EvaluateCommand::ReadBaselines, &EvaluateCommand::CheckFiles,
          &EvaluateCommand::EvaluateAll, &EvaluateCommand::CloseOutputs}) {
      if (const int failed = (this->*step)(); failed != kExitDone) return failed;
    }
    if (environment_failed_) return kExitEnvironment;
    return missed_ ? kExitThresholdMissed : kExitDone;
  }

 private:
  using Json = nlohmann::ordered_json;

  bool has_aggregate() const { return !flags_.manifest.empty() || sessions_.size() > 1; }

  int CheckFlags() {
    if (int failed = ConfigureReplay(flags_, options_)) return failed;
    options_.outputs = flags_.outputs;
    return ParseThresholds(flags_.fail_if, thresholds_);
  }

  int CollectSessions() {
    if (!flags_.manifest.empty()) {
      if (!flags_.traces.empty() || !flags_.truth.empty() || !flags_.route.empty() ||
          !flags_.labels.empty()) {
        return Fail(kExitUsage,
                    "evaluate: --manifest names the traces and their truth; give nothing else");
      }
      std::vector<std::string> warnings;
      Result<std::vector<Session>> sessions = ReadManifest(flags_.manifest, warnings);
      if (!sessions.ok()) return FailInput(sessions.status());
      for (const std::string& w : warnings) Warn(w);
      sessions_ = std::move(sessions).value();
    } else if (flags_.traces.empty()) {
      return Fail(kExitUsage,
                  "evaluate: give a trace with --truth, --route or --labels, or a "
                  "--manifest");
    } else if (flags_.truth.empty() && flags_.route.empty() && flags_.labels.empty()) {
      return Fail(kExitUsage, "evaluate: nothing to judge by: give --truth, --route or --labels");
    }
    for (const std::string& trace : flags_.traces) {
      sessions_.push_back({trace, flags_.truth, flags_.route, flags_.labels});
    }
    for (const Session& session : sessions_) {
      if (!options_.at_truth || !session.truth.empty()) continue;
      return Fail(kExitUsage, "evaluate: --at-truth needs a truth; " + session.trace + " has none");
    }
    for (const Threshold& threshold : thresholds_) {
      if (threshold.of_aggregate() && !has_aggregate()) {
        return Fail(kExitUsage, "--fail-if " + threshold.text +
                                    ": one trace has no aggregate (give several or a --manifest)");
      }
    }
    return CheckOneTrace(sessions_.size(), options_.outputs);
  }

  int ReadBaselines() {
    for (const std::string& text : flags_.baseline) {
      Result<std::vector<Peer>> peers = PeersOf(text);
      if (!peers.ok()) return Fail(kExitUsage, peers.status().message());
      if (!peers.value().empty()) {
        options_.peers.insert(options_.peers.end(), peers.value().begin(), peers.value().end());
        continue;
      }
      if (!before_.empty()) return Fail(kExitUsage, "--baseline: only one file can be given");
      Result<std::vector<Json>> before = ReadResults(text);
      if (!before.ok()) {
        Fail(kExitInput, "--baseline: " + before.status().message());
        std::string names;
        for (const PeerName& p : PeerNames()) {
          if (!names.empty()) names += ", ";
          names += p.name;
        }
        return Fail(kExitInput, "hint: peers are " + names);
      }
      before_ = std::move(before).value();
      before_path_ = text;
    }
    if (flags_.tolerance_percent && before_.empty()) {
      return Fail(kExitUsage, "--tolerance needs --baseline FILE");
    }
    return kExitDone;
  }

  int CheckFiles() {
    CommandFiles files = FilesOf(flags_, options_.config);
    files.Reads("--manifest", flags_.manifest);
    files.Reads("--baseline", before_path_);
    const std::string whose = flags_.manifest.empty() ? "--" : "the manifest's ";
    for (const Session& s : sessions_) {
      if (!flags_.manifest.empty()) files.Reads(whose + "trace", s.trace);
      files.Reads(whose + "truth", s.truth);
      files.Reads(whose + "route", s.route);
      files.Reads(whose + "labels", s.labels);
    }
    if (int failed = replay::CheckFiles(files)) return failed;
    // What a trace is judged by is read after it: too late to find out that it is missing.
    for (const Session& s : sessions_) {
      for (const std::string& path : {s.truth, s.route, s.labels}) {
        if (const Status status = CheckInput(path); !status.ok()) return FailInput(status);
      }
    }
    if (!flags_.report.empty()) options_.report = &html_.emplace();
    options_.on_first_fix = [this] { return OpenOutputs(); };
    return OpenTransport(transport_, options_);
  }

  // Once, though every session has a first fix.
  Status OpenOutputs() {
    if (std::exchange(opened_, true)) return Status();
    return replay::OpenOutputs({{&flags_.json, &json_}, {&flags_.report, &report_}});
  }

  int EvaluateAll() {
    std::vector<Json> results;
    for (const Session& session : sessions_) {
      ProgressBar bar(flags_.bar(), session.trace);
      options_.progress = [&bar](double share) { bar.Show(share); };
      bool environment = false;
      Result<Evaluated> result = Evaluate(session, options_, &environment);
      bar.Clear();
      if (!result.ok()) {
        CloseOutputs();
        return environment ? Fail(kExitEnvironment, result.status().message())
                           : FailInput(result.status());
      }
      Tell(result.value().json, session.trace);
      if (result.value().failure) {
        environment_failed_ = true;
        Fail(kExitEnvironment, *result.value().failure);
      }
      results.push_back(std::move(result).value().json);
    }
    if (has_aggregate()) Tell(Aggregate(results), "aggregate");
    if (!not_compared_.empty()) {
      Warn("--baseline " + before_path_ + ": not compared, for it has none: " + not_compared_);
    }
    return kExitDone;
  }

  void Tell(const Json& result, const std::string& name) {
    if (json_) json_->Append(JsonLine(result) + "\n");
    if (!flags_.quiet && flags_.json != "-") Say(EvaluationText(result));
    if (result.contains("trace") && result["trace"].contains("warnings")) {
      for (const Json& w : result["trace"]["warnings"]) Warn(name + ": " + w.get<std::string>());
    }
    for (const Threshold& threshold : thresholds_) {
      if (threshold.of_aggregate() != result.contains("aggregate")) continue;
      const Result<bool> holds = threshold.Holds(result);
      if (holds.ok() && !holds.value()) continue;
      Miss(name + ": " +
           (holds.ok() ? threshold.text + " holds" : "--fail-if: " + holds.status().message()));
    }
    if (before_.empty()) return;
    const Json* before = FindResult(before_, result);
    if (before == nullptr) {
      if (!result.contains("aggregate")) Miss(name + ": --baseline has no result of this trace");
      return;
    }
    for (const std::string& part : NotCompared(*before, result)) {
      if (not_compared_.find(part) == std::string::npos) {
        not_compared_ += (not_compared_.empty() ? "" : ", ") + part;
      }
    }
    for (const std::string& worse :
         Regressions(*before, result, flags_.tolerance_percent.value_or(0))) {
      Miss(name + ": " + worse);
    }
  }

  void Miss(const std::string& what) {
    missed_ = true;
    Fail(kExitThresholdMissed, what);
  }

  int CloseOutputs() {
    int worst = kExitDone;
    const auto close = [&worst](const Status& status) {
      if (!status.ok()) worst = Fail(kExitEnvironment, status.message());
    };
    if (report_) {
      report_->Append(html_->Page());
      close(report_->Close());
    }
    if (json_) close(json_->Close());
    return worst;
  }

  EvaluateFlags& flags_;
  EvaluationOptions& options_;
  std::vector<Session> sessions_;
  std::vector<Threshold> thresholds_;
  std::vector<Json> before_;
  std::string before_path_, not_compared_;
  std::optional<OutputFile> json_, report_;
  std::optional<HtmlReport> html_;
  std::unique_ptr<Transport> transport_;
  bool opened_ = false, missed_ = false, environment_failed_ = false;
};

void AddFlags(CLI::App& command, EvaluateFlags& flags) {
  EvaluationOptions& options = flags.options;
  AddReplayFlags(command, flags);
  command
      .add_option("--truth", flags.truth, "Where it really was: CSV utc_ms,lat_deg,lon_deg or GPX")
      ->type_name("FILE");
  command
      .add_option("--route", flags.route,
                  "Where it went, without times: CSV lat_deg,lon_deg or GPX")
      ->type_name("FILE");
  command.add_option("--labels", flags.labels, "Diary: CSV utc_ms,stationary,mode")
      ->type_name("FILE");
  command.add_option("--manifest", flags.manifest, "Several: CSV trace,truth,route,labels")
      ->type_name("FILE");
  command.add_flag("--at-truth", options.at_truth,
                   "Judge at every truth time (live: predicted from the past) instead of at fixes");
  command.add_option("--every", options.every_s, "Use one fix in so many seconds of the input")
      ->type_name("SECONDS")
      ->check(Within(0.001, 86400.0));
  command
      .add_option("--baseline", flags.baseline,
                  "Peers to judge beside (raw,cv,cv_gate,gate,organic,gpsbabel), or an earlier "
                  "--json FILE to compare with")
      ->type_name("NAMES|FILE")
      ->take_all();
  command
      .add_option("--tolerance", flags.tolerance_percent,
                  "How much worse than --baseline FILE is still good (default 0)")
      ->type_name("PERCENT")
      ->check(Within(0.0, 1000.0));
  command
      .add_option("--min-stop", options.min_stop_s,
                  "Stops shorter than this count neither found nor missed (default 60)")
      ->type_name("SECONDS")
      ->check(Within(0.0, 86400.0));
  command
      .add_option("--truth-max-gap", options.truth_max_gap_s,
                  "Truth is interpolated over at most this, and not known between (default 2)")
      ->type_name("SECONDS")
      ->check(Within(0.0, 3600.0));
  command.footer(kExample);
}

}  // namespace

void AddEvaluateCommand(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("evaluate", "Judge traces against their truth");
  auto flags = std::make_shared<EvaluateFlags>();
  AddFlags(*command, *flags);
  command->callback([flags, &exit_code] { exit_code = EvaluateCommand(*flags).Run(); });
}

}  // namespace waymark::replay
