// --baseline FILE --tolerance PCT: what got worse since an earlier result was written.
#ifndef WAYMARK_REPLAY_TOOL_REGRESSIONS_H_
#define WAYMARK_REPLAY_TOOL_REGRESSIONS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "waymark/status.h"

namespace waymark::replay {

/// The results in a file that --json wrote: one JSON object a line. kInvalidArgument or
/// kCorruption: not readable or not of this schema; the message begins with the path.
Result<std::vector<nlohmann::ordered_json>> ReadResults(const std::string& path);

/// The result of the same trace: by path, else by the file's name and folder, so that a moved
/// checkout still compares; a single result fits any single trace; an aggregate fits an aggregate.
/// Null if there is none.
const nlohmann::ordered_json* FindResult(const std::vector<nlohmann::ordered_json>& results,
                                         const nlohmann::ordered_json& now);

/// The compared parts that `after` has and `before` has not, such as all that a result of `run`
/// lacks.
std::vector<std::string> NotCompared(const nlohmann::ordered_json& before,
                                     const nlohmann::ordered_json& after);

/// What got worse than in `before` by more than `tolerance_percent`: errors and distances that
/// grew, precision and recall that fell, coverages that moved away from their nominal value by more
/// than that many percentage points, and figures that are gone. Only accuracy, calibration, path,
/// phantom, odometer and stops are compared.
std::vector<std::string> Regressions(const nlohmann::ordered_json& before,
                                     const nlohmann::ordered_json& after, double tolerance_percent);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REGRESSIONS_H_
