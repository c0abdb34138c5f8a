// Opens a trace of any format, told by its content, and delivers its fixes.
#ifndef WAYMARK_REPLAY_TOOL_TRACE_READER_H_
#define WAYMARK_REPLAY_TOOL_TRACE_READER_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "replay_tool/trace.h"

namespace waymark::replay {

/// The format that `head`, the first bytes of an input, begins. kInvalidArgument says what it is
/// instead, if anything known.
Result<TraceFormat> DetectTraceFormat(std::string_view head);

/// A parser for one of the text formats; null for kJournal, which is read whole.
std::unique_ptr<TraceParser> MakeTraceParser(TraceFormat format, const ReadOptions& options,
                                             FixSink sink);

/// Called now and then while reading, with the share of the file that was read (0 for a pipe).
using ProgressSink = std::function<void(double share)>;

/// Reads the trace at `path` ("-": standard input), gzip or plain, in constant memory (a journal:
/// in its own size). Errors begin with the path: kInvalidArgument or kCorruption: the trace is not
/// usable; kIo: the disk failed.
Result<TraceInfo> ReadTrace(const std::string& path, const ReadOptions& options,
                            const FixSink& sink, const ProgressSink& progress = {});

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACE_READER_H_
