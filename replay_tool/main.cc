// replay_tool: replays recorded traces through Waymark and says what came out.
// The commands, flags, outputs and exit statuses are a contract: they grow and do not change.
#include <CLI/CLI.hpp>
#include <csignal>
#include <exception>
#include <string>

#include "replay_tool/evaluate_command.h"
#include "replay_tool/exit_status.h"
#include "replay_tool/export_command.h"
#include "replay_tool/journal_command.h"
#include "replay_tool/run_command.h"
#include "replay_tool/serve_command.h"
#include "replay_tool/simulate_command.h"
#include "waymark/version.h"

namespace waymark::replay {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("Replays recorded traces through the Waymark SDK.", "replay_tool");
  app.require_subcommand(1);
  app.set_version_flag("--version", "replay_tool " WAYMARK_VERSION);
  app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
  int exit_status = kExitDone;
  AddRunCommand(app, exit_status);
  AddEvaluateCommand(app, exit_status);
  AddSimulateCommand(app, exit_status);
  AddJournalCommand(app, exit_status);
  AddServeCommand(app, exit_status);
  AddExportCommand(app, exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {  // --help, --version
    return app.exit(wish);
  } catch (const CLI::ParseError& error) {
    return Fail(kExitUsage, std::string(error.what()) + " (see replay_tool --help)");
  }
  return exit_status;
}

}  // namespace
}  // namespace waymark::replay

int main(int argc, char** argv) {
  // A closed pipe is an error of writing, reported as such; it must not kill the process silently.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return waymark::replay::Main(argc, argv);
  } catch (const std::exception& error) {
    return waymark::replay::Fail(waymark::replay::kExitEnvironment,
                                 std::string("internal error: ") + error.what());
  }
}
