// Google's GnssLogger text logs: the fixes that the phone itself computed.
#ifndef WAYMARK_REPLAY_TOOL_GNSS_LOGGER_READER_H_
#define WAYMARK_REPLAY_TOOL_GNSS_LOGGER_READER_H_

#include <memory>

#include "replay_tool/trace.h"

namespace waymark::replay {

/// Reads the "Fix," lines by the column names of the "# Fix," comment, in the order of the file;
/// raw measurements and navigation messages are skipped.
std::unique_ptr<TraceParser> MakeGnssLoggerParser(const ReadOptions& options, FixSink sink);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_GNSS_LOGGER_READER_H_
