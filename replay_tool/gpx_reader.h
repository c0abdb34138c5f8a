// GPX 1.0 and 1.1 as programs really write it, read as a stream.
#ifndef WAYMARK_REPLAY_TOOL_GPX_READER_H_
#define WAYMARK_REPLAY_TOOL_GPX_READER_H_

#include <memory>

#include "replay_tool/trace.h"

namespace waymark::replay {

/// Tracks and segments in file order; route points too with `options.routes`. Elements and
/// extensions are known by their local name, so that an undeclared prefix does no harm. Entity
/// declarations, nesting deeper than 64 and a tag or text longer than 1 MiB are refused.
std::unique_ptr<TraceParser> MakeGpxParser(const ReadOptions& options, FixSink sink);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_GPX_READER_H_
