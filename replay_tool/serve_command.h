// replay_tool serve: the reference collector as a command.
#ifndef WAYMARK_REPLAY_TOOL_SERVE_COMMAND_H_
#define WAYMARK_REPLAY_TOOL_SERVE_COMMAND_H_

#include <cstddef>
#include <string>

namespace CLI {
class App;
}

namespace waymark::replay {

struct ServeArguments {
  std::string listen = "127.0.0.1:8080";
  std::string out;
  std::string script;  ///< path; empty: none
  std::size_t max_body_bytes = 16u << 20;
};

/// Prints "listening on URL", serves until SIGINT or SIGTERM, returns the exit status. To be called
/// before any other thread runs: it takes those two signals for the whole process.
int RunServe(const ServeArguments& arguments);

/// Adds the sub-command; when it is chosen, `exit_status` gets its result. `app` and `exit_status`
/// must outlive the parsing.
void AddServeCommand(CLI::App& app, int& exit_status);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SERVE_COMMAND_H_
