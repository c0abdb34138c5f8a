// replay_tool simulate: writes seeded scenarios with known truth.
#ifndef WAYMARK_REPLAY_TOOL_SIMULATE_COMMAND_H_
#define WAYMARK_REPLAY_TOOL_SIMULATE_COMMAND_H_

namespace CLI {
class App;
}

namespace waymark::replay {

/// `exit_code` is set when the command has run; it must outlive `app`.
void AddSimulateCommand(CLI::App& app, int& exit_code);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SIMULATE_COMMAND_H_
