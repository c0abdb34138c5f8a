// replay_tool run.
#ifndef WAYMARK_REPLAY_TOOL_RUN_COMMAND_H_
#define WAYMARK_REPLAY_TOOL_RUN_COMMAND_H_

namespace CLI {
class App;
}

namespace waymark::replay {

/// Registers the command; when it was given, parsing runs it and sets `exit_status`.
void AddRunCommand(CLI::App& app, int& exit_status);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_RUN_COMMAND_H_
