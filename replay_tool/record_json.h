// One delivered record as one JSON object, as REPLAY_TOOL.md ("The reference collector") lays down.
#ifndef WAYMARK_REPLAY_TOOL_RECORD_JSON_H_
#define WAYMARK_REPLAY_TOOL_RECORD_JSON_H_

#include <string>

#include "waymark/record.h"
#include "waymark/time.h"

namespace waymark::replay {

/// One line without its end. Bytes that are not UTF-8 appear as U+FFFD.
std::string RecordJsonLine(const std::string& installation, const Record& record, UtcTime received);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_RECORD_JSON_H_
