// Standard output, whose failure is noticed once, by main().
#ifndef WAYMARK_REPLAY_TOOL_STANDARD_OUTPUT_H_
#define WAYMARK_REPLAY_TOOL_STANDARD_OUTPUT_H_

#include <string_view>

#include "waymark/status.h"

namespace waymark::replay {

/// Writes to standard output, buffered.
void Say(std::string_view text);

/// Writes what is buffered.
void FlushStandardOutput();

/// The same at the end. kIo: not everything that was said has arrived. A reader that has closed its
/// pipe (`| head`) has seen enough: that is no failure, and what else is said goes nowhere.
Status EndStandardOutput();

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_STANDARD_OUTPUT_H_
