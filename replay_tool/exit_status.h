// What replay_tool's exit status says (REPLAY_TOOL.md), and how it reports an error.
#ifndef WAYMARK_REPLAY_TOOL_EXIT_STATUS_H_
#define WAYMARK_REPLAY_TOOL_EXIT_STATUS_H_

#include <string_view>

#include "waymark/status.h"

namespace waymark::replay {

inline constexpr int kExitDone = 0;
inline constexpr int kExitThresholdMissed = 1;  ///< the work was done and a stated limit was missed
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInput = 3;        ///< an input file is not usable
inline constexpr int kExitEnvironment = 4;  ///< disk, network, database

/// Writes the one line "replay_tool: WHAT: WHY" to standard error and returns `exit_status`.
int Fail(int exit_status, std::string_view what_and_why);

/// The same for the failure of reading an input: 4 if the disk failed, else 3.
int FailInput(const Status& status);

/// "replay_tool: warning: ..." on standard error.
void Warn(std::string_view text);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_EXIT_STATUS_H_
