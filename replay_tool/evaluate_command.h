// replay_tool evaluate: a trace judged against what is known of it.
#ifndef WAYMARK_REPLAY_TOOL_EVALUATE_COMMAND_H_
#define WAYMARK_REPLAY_TOOL_EVALUATE_COMMAND_H_

namespace CLI {
class App;
}

namespace waymark::replay {

/// `exit_code` is set when the command has run; it must outlive `app`.
void AddEvaluateCommand(CLI::App& app, int& exit_code);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_EVALUATE_COMMAND_H_
