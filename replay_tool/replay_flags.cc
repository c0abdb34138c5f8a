#include "replay_tool/replay_flags.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <utility>

#include "replay_tool/command_steps.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/flag_checks.h"
#include "replay_tool/trace_flags.h"
#include "waymark/curl_transport.h"

namespace waymark::replay {

const std::string& ReplayFlags::bar() const {
  static const std::string never = "never";
  return quiet ? never : progress;
}

void AddReplayFlags(CLI::App& command, ReplayFlags& flags) {
  command.add_option("traces", flags.traces, kTraceHelp)->type_name("TRACE");
  AddTraceFlags(command, flags.read);
  AddConfigFlags(command, flags.config);
  AddOutputFlags(command, flags.outputs);
  command.add_option("--json", flags.json, "Machine output; - replaces the readable one")
      ->type_name("FILE|-");
  command.add_option("--report", flags.report, "A page with map and tables")
      ->type_name("FILE.html");
  command.add_option("--db", flags.db, "Database; continues an existing one (default: in memory)")
      ->type_name("FILE");
  command.add_option("--upload", flags.upload, "Deliver to this collector")->type_name("URL");
  command
      .add_option("--drain-timeout", flags.drain_timeout_s,
                  "Seconds to wait at the end until everything is delivered (default 60)")
      ->type_name("SECONDS")
      ->check(Within(0.0, 86400.0));
  command.add_option("--geofences", flags.geofences, "GeoJSON FeatureCollection")
      ->type_name("FILE");
  command.add_option("--seed", flags.seed, "All randomness (default 1)")
      ->type_name("N")
      ->check(WholeNumber());
  command
      .add_option("--fail-if", flags.fail_if,
                  "Exit with 1 if it holds, e.g. 'fixes.accepted<100'; may be repeated")
      ->type_name("CONDITION")
      ->take_all();
  command.add_flag("--quiet", flags.quiet, "No readable summary, no progress");
  command.add_option("--progress", flags.progress, "Progress bar on standard error")
      ->type_name("auto|always|never")
      ->check(OneOf({"auto", "always", "never"}));
}

int ConfigureReplay(const ReplayFlags& flags, ReplayOptions& options) {
  Result<Config> config = MakeConfig(flags.config);
  if (!config.ok()) {
    return Fail(config.status().code() == Code::kCorruption ? kExitInput : kExitUsage,
                config.status().message());
  }
  options.config = std::move(config).value();
  if (!flags.db.empty()) options.config.database_path = flags.db;
  if (!flags.upload.empty()) options.config.upload.url = flags.upload;
  if (const auto violations = options.config.Validate(); !violations.empty()) {
    std::string all;
    for (const Config::Violation& v : violations) {
      all += (all.empty() ? "" : "; ") + v.field + ": " + v.reason;
    }
    return Fail(flags.config.file.empty() ? kExitUsage : kExitInput, "configuration: " + all);
  }
  options.read = flags.read;
  options.seed = flags.seed;
  options.drain_timeout =
      std::chrono::milliseconds(static_cast<std::int64_t>(flags.drain_timeout_s * 1000));
  return ReadFences(flags.geofences, options.fences);
}

CommandFiles FilesOf(const ReplayFlags& flags, const Config& config) {
  CommandFiles files;
  for (const std::string& trace : flags.traces) files.Reads("TRACE", trace);
  files.Reads("--geofences", flags.geofences);
  files.Reads("--config", flags.config.file);
  files.Writes("--json", flags.json);
  files.Writes("--report", flags.report);
  for (const OutputFlag& flag : kOutputFlags) files.Writes(flag.name, flags.outputs.*flag.path);
  files.WritesDatabase("--db", config.database_path);
  return files;
}

int OpenTransport(std::unique_ptr<Transport>& transport, ReplayOptions& options) {
  if (options.config.upload.url.empty()) return kExitDone;
  Result<std::unique_ptr<Transport>> made = MakeCurlTransport();
  if (!made.ok()) return Fail(kExitEnvironment, made.status().message());
  transport = std::move(made).value();
  options.transport = transport.get();
  return kExitDone;
}

}  // namespace waymark::replay
