#include "replay_tool/journal_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "replay_tool/command_steps.h"
#include "replay_tool/config_flags.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/flag_checks.h"
#include "replay_tool/input_file.h"
#include "replay_tool/output_file.h"
#include "replay_tool/replay.h"
#include "replay_tool/replay_outputs.h"
#include "replay_tool/standard_output.h"
#include "replay_tool/trace_flags.h"
#include "waymark/journal.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kMaxJournalBytes = std::size_t{2} << 30;

struct JournalFlags {
  std::string trace, out, file, geofences;
  ConfigFlags config;
  ReadOptions read;
  std::uint64_t seed = 1;
};

int Record(const JournalFlags& flags) {
  Result<Config> config = MakeConfig(flags.config);
  if (!config.ok()) {
    return Fail(config.status().code() == Code::kCorruption ? kExitInput : kExitUsage,
                config.status().message());
  }
  ReplayOptions options;
  options.config = std::move(config).value();
  options.read = flags.read;
  options.seed = flags.seed;
  if (const int failed = ReadFences(flags.geofences, options.fences); failed != kExitDone) {
    return failed;
  }
  CommandFiles files;
  files.Reads("TRACE", flags.trace);
  files.Reads("--geofences", flags.geofences);
  files.Reads("--config", flags.config.file);
  files.Writes("--out", flags.out);
  files.WritesDatabase("database_path", options.config.database_path);
  if (const int failed = CheckFiles(files); failed != kExitDone) return failed;
  std::optional<OutputFile> journal;
  options.on_first_fix = [&] {
    Status status = OpenOutputs({{&flags.out, &journal}});
    if (journal) options.journal = &*journal;
    return status;
  };
  ReplayOutputs outputs;
  bool failed_in_tracker = false;
  const Result<ReplayTally> tally =
      ReplayTrace(flags.trace, options, outputs, nullptr, &failed_in_tracker);
  const Status written = journal ? journal->Close() : Status();
  if (!tally.ok()) {
    return failed_in_tracker ? Fail(kExitUsage, tally.status().message())
                             : FailInput(tally.status());
  }
  if (!written.ok()) return Fail(kExitEnvironment, written.message());
  for (const std::string& warning : tally.value().info.warnings) {
    Warn(flags.trace + ": " + warning);
  }
  if (flags.out != "-") Say(fmt::format("{}: {} fixes recorded\n", flags.out, tally.value().fixes));
  return kExitDone;
}

// The bytes of a journal, or why not.
Result<std::string> ReadJournal(const std::string& path) {
  Result<std::string> all = ReadWholeFile(path, kMaxJournalBytes);
  if (!all.ok()) return Status(all.status().code(), path + ": " + all.status().message());
  if (all.value().empty()) return Status(Code::kInvalidArgument, path + ": empty");
  if (!IsJournal(std::as_bytes(std::span(all.value())))) {
    return Status(Code::kInvalidArgument, path + ": not a Waymark journal");
  }
  return all;
}

int Replay(const JournalFlags& flags) {
  const Result<std::string> bytes = ReadJournal(flags.file);
  if (!bytes.ok()) return FailInput(bytes.status());
  const Result<JournalReport> replayed = ReplayJournal(std::as_bytes(std::span(bytes.value())));
  if (!replayed.ok())
    return FailInput(
        Status(replayed.status().code(), flags.file + ": " + replayed.status().message()));
  const JournalReport& report = replayed.value();
  if (report.cut) Warn(flags.file + ": the end is cut off; what stands before it was replayed");
  if (report.identical) {
    Say(fmt::format("{}: identical: {} events, {} actions\n", flags.file, report.events,
                    report.actions));
    return kExitDone;
  }
  Say(fmt::format("{}: differs at event {}\n  event:  {}\n  replay: {}\n", flags.file,
                  report.first_difference.value_or(0), report.event_text, report.actions_text));
  return Fail(kExitThresholdMissed,
              fmt::format("{}: the replay differs from the recording at event {}", flags.file,
                          report.first_difference.value_or(0)));
}

int Print(const JournalFlags& flags) {
  const Result<std::string> bytes = ReadJournal(flags.file);
  if (!bytes.ok()) return FailInput(bytes.status());
  const Status printed =
      PrintJournal(std::as_bytes(std::span(bytes.value())), [](std::string_view line) {
        Say(line);
        Say("\n");
      });
  if (!printed.ok()) {
    return FailInput(Status(printed.code(), flags.file + ": " + printed.message()));
  }
  return kExitDone;
}

}  // namespace

void AddJournalCommand(CLI::App& app, int& exit_status) {
  CLI::App* command =
      app.add_subcommand("journal", "Flight recorder: record, replay and print a journal");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  replay_tool journal record ride.gpx --out ride.wmj\n"
      "  replay_tool journal replay ride.wmj");
  auto flags = std::make_shared<JournalFlags>();

  CLI::App* record = command->add_subcommand("record", "Replay a trace and record a journal of it");
  record->add_option("trace", flags->trace, kTraceHelp)->type_name("TRACE")->required();
  record->add_option("--out", flags->out, "The journal")->type_name("FILE")->required();
  record->add_option("--geofences", flags->geofences, "GeoJSON FeatureCollection")
      ->type_name("FILE");
  record->add_option("--seed", flags->seed, "Randomness of the tracker")
      ->type_name("N")
      ->check(WholeNumber());
  AddTraceFlags(*record, flags->read);
  AddConfigFlags(*record, flags->config);
  record->footer("Example:\n  replay_tool journal record ride.gpx --out ride.wmj");
  record->callback([flags, &exit_status] { exit_status = Record(*flags); });

  CLI::App* replay = command->add_subcommand(
      "replay", "Replay a journal: is every action byte-identical? (exit 1 if not)");
  replay->add_option("file", flags->file, "A journal; - is stdin")->type_name("FILE")->required();
  replay->footer("Example:\n  replay_tool journal replay ride.wmj");
  replay->callback([flags, &exit_status] { exit_status = Replay(*flags); });

  CLI::App* print = command->add_subcommand("print", "One line for each event and action");
  print->add_option("file", flags->file, "A journal; - is stdin")->type_name("FILE")->required();
  print->footer("Example:\n  replay_tool journal print ride.wmj | less");
  print->callback([flags, &exit_status] { exit_status = Print(*flags); });
}

}  // namespace waymark::replay
