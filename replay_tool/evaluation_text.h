// The readable form of an evaluation.
#ifndef WAYMARK_REPLAY_TOOL_EVALUATION_TEXT_H_
#define WAYMARK_REPLAY_TOOL_EVALUATION_TEXT_H_

#include <nlohmann/json.hpp>
#include <string>

namespace waymark::replay {

/// A table of the result of one session, or of an aggregate (whose figures are means).
std::string EvaluationText(const nlohmann::ordered_json& result);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_EVALUATION_TEXT_H_
