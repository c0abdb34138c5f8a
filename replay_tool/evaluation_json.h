// The findings of an evaluation as the JSON object of REPLAY_TOOL.md.
#ifndef WAYMARK_REPLAY_TOOL_EVALUATION_JSON_H_
#define WAYMARK_REPLAY_TOOL_EVALUATION_JSON_H_

#include <nlohmann/json.hpp>
#include <vector>

#include "replay_tool/evaluation.h"
#include "replay_tool/evaluation_run.h"
#include "replay_tool/ground_truth.h"
#include "replay_tool/judged_track.h"

namespace waymark::replay {

struct Findings {
  JudgedTrack raw, live, smoothed, records;
  JudgedTrack raw_hold;  ///< the newest fix, standing; only with at_truth
  std::vector<JudgedPeer> peers;
};

/// Only keys of which `known` tells something.
nlohmann::ordered_json EvaluationJson(const Findings& found, const EvaluationRun& run,
                                      const GroundTruth& known, const EvaluationOptions& options);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_EVALUATION_JSON_H_
