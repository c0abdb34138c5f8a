// replay_tool: replays recorded traces through Waymark and says what came out.
// The commands, flags, outputs and exit statuses are a contract: they grow and do not change.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "replay_tool/evaluate_command.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/export_command.h"
#include "replay_tool/journal_command.h"
#include "replay_tool/run_command.h"
#include "replay_tool/serve_command.h"
#include "replay_tool/simulate_command.h"
#include "replay_tool/standard_output.h"
#include "waymark/version.h"

namespace waymark::replay {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  replay_tool simulate --scenario canyon --seed 7 --out t.gpx --truth-out t.csv\n"
    "  replay_tool run t.gpx --events-out events.csv --report report.html\n"
    "  replay_tool evaluate t.gpx --truth t.csv\n"
    "  replay_tool serve --listen 127.0.0.1:8080 --out received\n"
    "  replay_tool run t.gpx --db t.db --upload http://127.0.0.1:8080/\n"
    "  replay_tool export t.db --format gpx --out track.gpx\n"
    "  replay_tool journal record t.gpx --out t.wmj\n\n"
    "Exit status: 0 done; 1 a stated threshold was missed; 2 usage; 3 an input is unusable;\n"
    "4 environment (disk, network, database). Each command has its own --help.";

// Of a command that does not exist CLI11 says only that one is missing, and helps with the others.
std::optional<std::string> UnknownCommand(const CLI::App& app, int argc, char** argv) {
  const CLI::App* command = &app;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const std::vector<const CLI::App*> known = command->get_subcommands(nullptr);
    if (known.empty()) break;
    std::string names;
    const CLI::App* named = nullptr;
    for (const CLI::App* one : known) {
      names += (names.empty() ? "" : ", ") + one->get_name();
      if (one->get_name() == argv[i]) named = one;
    }
    if (named == nullptr) {
      return (command == &app ? std::string() : command->get_name() + ": ") +
             "no command is named '" + argv[i] + "': there are " + names;
    }
    command = named;
  }
  return std::nullopt;
}

// A file that is opened in place of a closed standard stream would receive what is said there. With
// the wrong direction, so that writing fails as it should.
void OccupyClosedStreams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    [[maybe_unused]] const int taken =
        open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int Main(int argc, char** argv) {
  CLI::App app("Replays recorded traces through the Waymark SDK.", "replay_tool");
  app.require_subcommand(1);
  app.footer(kExamples);
  app.set_version_flag("--version", "replay_tool " WAYMARK_VERSION);
  app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
  int exit_status = kExitDone;
  AddRunCommand(app, exit_status);
  AddEvaluateCommand(app, exit_status);
  AddSimulateCommand(app, exit_status);
  AddJournalCommand(app, exit_status);
  AddServeCommand(app, exit_status);
  AddExportCommand(app, exit_status);
  if (const auto wrong = UnknownCommand(app, argc, argv)) return Fail(kExitUsage, *wrong);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {  // --help, --version
    std::ostringstream text;
    app.exit(wish, text, text);
    Say(text.str());
  } catch (const CLI::ParseError& error) {
    return Fail(kExitUsage, std::string(error.what()) + " (see replay_tool --help)");
  }
  const Status said = EndStandardOutput();
  if (said.ok() || exit_status > kExitThresholdMissed) return exit_status;
  return Fail(kExitEnvironment, said.message());
}

}  // namespace
}  // namespace waymark::replay

int main(int argc, char** argv) {
  waymark::replay::OccupyClosedStreams();
  // A closed pipe and a file that may not grow (ulimit -f) are failures of writing, seen where they
  // happen; neither kills the process without a word.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    return waymark::replay::Main(argc, argv);
  } catch (const std::exception& error) {
    return waymark::replay::Fail(waymark::replay::kExitEnvironment,
                                 std::string("internal error: ") + error.what());
  }
}
