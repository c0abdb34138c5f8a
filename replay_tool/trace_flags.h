// Flags that say how traces are read.
#ifndef WAYMARK_REPLAY_TOOL_TRACE_FLAGS_H_
#define WAYMARK_REPLAY_TOOL_TRACE_FLAGS_H_

#include "replay_tool/trace.h"

namespace CLI {
class App;
}

namespace waymark::replay {

/// What an argument that takes a trace says of it.
inline constexpr char kTraceHelp[] =
    "GPX, NMEA 0183, fixes CSV, GnssLogger text or journal; - is stdin";

/// Adds --routes, --assume-interval, --assume-date and --accuracy to `command`; they write to
/// `options`, which must live as long as it.
void AddTraceFlags(CLI::App& command, ReadOptions& options);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACE_FLAGS_H_
