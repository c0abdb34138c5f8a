// The fixes CSV of REPLAY_TOOL.md.
#ifndef WAYMARK_REPLAY_TOOL_FIXES_CSV_READER_H_
#define WAYMARK_REPLAY_TOOL_FIXES_CSV_READER_H_

#include <memory>

#include "replay_tool/trace.h"

namespace waymark::replay {

/// Header required, columns in any order, unknown columns ignored with one warning, an empty cell
/// is an absent value. A cell that is not of its column's type is an error that names the line.
std::unique_ptr<TraceParser> MakeFixesCsvParser(const ReadOptions& options, FixSink sink);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_FIXES_CSV_READER_H_
