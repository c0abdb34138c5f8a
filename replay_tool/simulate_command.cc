#include "replay_tool/simulate_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include "replay_tool/command_steps.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/flag_checks.h"
#include "replay_tool/scenario.h"
#include "replay_tool/scenario_output.h"
#include "replay_tool/standard_output.h"

namespace waymark::replay {
namespace {

struct SimulateFlags {
  ScenarioOptions scenario;
  ScenarioPaths paths;
  bool list = false;
  bool quiet = false;
};

constexpr const char* kExample =
    "Example:\n"
    "  replay_tool simulate --scenario canyon --seed 7 --out t.gpx --truth-out t.csv\n"
    "  replay_tool evaluate t.gpx --truth t.csv\n\n"
    "The same seed gives the same bytes on every machine. GPX holds position, altitude, time,\n"
    "accuracy, speed and course; --fixes-out has every column, arrival time and source included.";

Movement MovementNamed(std::string_view name) {
  if (name == "walk") return Movement::kWalk;
  if (name == "cycle") return Movement::kCycle;
  if (name == "drive") return Movement::kDrive;
  return Movement::kStay;
}

void List() {
  for (const ScenarioInfo& s : Scenarios()) {
    Say(fmt::format("{:<13} {:>5.0f} s  {}\n", s.name, s.default_duration_s, s.description));
  }
}

int Simulate(const SimulateFlags& flags) {
  if (flags.list) {
    List();
    return kExitDone;
  }
  if (flags.scenario.name.empty()) {
    return Fail(kExitUsage, "simulate: --scenario is required (simulate --list shows them)");
  }
  if (flags.paths.gpx.empty() && flags.paths.fixes_csv.empty() && flags.paths.truth_csv.empty() &&
      flags.paths.labels_csv.empty()) {
    return Fail(kExitUsage,
                "simulate: nothing to write: give --out, --fixes-out, --truth-out or --labels-out");
  }
  CommandFiles files;
  files.Writes("--out", flags.paths.gpx);
  files.Writes("--fixes-out", flags.paths.fixes_csv);
  files.Writes("--truth-out", flags.paths.truth_csv);
  files.Writes("--labels-out", flags.paths.labels_csv);
  if (const int failed = CheckFiles(files); failed != kExitDone) return failed;
  // Before a file is created or truncated.
  if (const Status status = CheckScenario(flags.scenario); !status.ok()) {
    return Fail(kExitUsage, "simulate: " + status.message());
  }
  if (flags.paths.gpx.ends_with(".csv")) {
    Warn(flags.paths.gpx + ": --out writes GPX; for CSV use --fixes-out");
  }
  const std::string title =
      fmt::format("{} seed {}", FindScenario(flags.scenario.name)->name, flags.scenario.seed);
  Result<ScenarioWriter> writer = ScenarioWriter::Create(flags.paths, title);
  if (!writer.ok()) return Fail(kExitEnvironment, writer.status().message());
  if (const Status status = RunScenario(flags.scenario, writer.value()); !status.ok()) {
    return Fail(kExitUsage, "simulate: " + status.message());
  }
  if (const Status status = writer.value().Close(); !status.ok()) {
    return Fail(kExitEnvironment, status.message());
  }
  const bool to_stdout = flags.paths.gpx == "-" || flags.paths.fixes_csv == "-" ||
                         flags.paths.truth_csv == "-" || flags.paths.labels_csv == "-";
  if (!flags.quiet && !to_stdout) {
    Say(fmt::format("{}: {} fixes, {} truth points\n", title, writer.value().fixes(),
                    writer.value().truths()));
  }
  return kExitDone;
}

}  // namespace

void AddSimulateCommand(CLI::App& app, int& exit_code) {
  const auto flags = std::make_shared<SimulateFlags>();
  CLI::App* command =
      app.add_subcommand("simulate", "Writes a seeded scenario and its truth")->footer(kExample);
  command->add_option("--scenario", flags->scenario.name, "Which; see --list")->type_name("NAME");
  command->add_option("--seed", flags->scenario.seed, "Seed of all randomness")
      ->type_name("N")
      ->check(WholeNumber())
      ->capture_default_str();
  command->add_option("--out", flags->paths.gpx, "Reports as GPX 1.1")->type_name("FILE.gpx");
  command->add_option("--fixes-out", flags->paths.fixes_csv, "Reports as fixes CSV, every column")
      ->type_name("FILE.csv");
  command->add_option("--truth-out", flags->paths.truth_csv, "Truth: utc_ms,lat_deg,lon_deg,...")
      ->type_name("FILE.csv");
  command->add_option("--labels-out", flags->paths.labels_csv, "Labels: utc_ms,stationary,mode")
      ->type_name("FILE.csv");
  command->add_option("--duration", flags->scenario.duration_s, "Length of the journey")
      ->type_name("SECONDS");
  command->add_option("--interval", flags->scenario.interval_s, "Between fixes")
      ->type_name("SECONDS")
      ->capture_default_str();
  command->add_option("--truth-interval", flags->scenario.truth_interval_s, "Between truth points")
      ->type_name("SECONDS")
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--movement",
          [flags](const std::string& name) { flags->scenario.movement = MovementNamed(name); },
          "What moves in open, suburb and canyon")
      ->type_name("stay|walk|cycle|drive")
      ->check(OneOf({"stay", "walk", "cycle", "drive"}));
  command->add_flag("--position-only", flags->scenario.position_only, "Leave out speed and course");
  command->add_flag("--without-accuracy", flags->scenario.without_accuracy,
                    "Leave out every accuracy");
  command->add_flag("--list", flags->list, "Lists the scenarios");
  command->add_flag("--quiet", flags->quiet, "Says nothing on success");
  command->callback([flags, &exit_code] { exit_code = Simulate(*flags); });
}

}  // namespace waymark::replay
