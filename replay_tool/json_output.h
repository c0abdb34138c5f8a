// The machine-readable result of a replay: REPLAY_TOOL.md, "JSON output".
#ifndef WAYMARK_REPLAY_TOOL_JSON_OUTPUT_H_
#define WAYMARK_REPLAY_TOOL_JSON_OUTPUT_H_

#include <nlohmann/json.hpp>
#include <string>

#include "replay_tool/replay_tally.h"

namespace waymark::replay {

/// The object of one trace. Keys whose facts are not known are absent.
nlohmann::ordered_json ToJson(const ReplayTally& tally);

/// One line without its end; text that is not UTF-8 is repaired.
std::string JsonLine(const nlohmann::ordered_json& json);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_JSON_OUTPUT_H_
