// One trace judged against what is known of it: the evaluation of REPLAY_TOOL.md.
#ifndef WAYMARK_REPLAY_TOOL_EVALUATION_H_
#define WAYMARK_REPLAY_TOOL_EVALUATION_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "replay_tool/baselines.h"
#include "replay_tool/html_report.h"
#include "replay_tool/reference_files.h"
#include "replay_tool/replay.h"
#include "replay_tool/replay_outputs.h"

namespace waymark::replay {

/// How a trace is replayed, and how it is judged then.
struct EvaluationOptions : ReplayOptions {
  bool at_truth = false;          ///< at every truth time instead of at the fixes
  std::optional<double> every_s;  ///< thins the input
  std::vector<Peer> peers;
  double min_stop_s = 60;      ///< shorter stops of a diary count neither found nor missed
  double truth_max_gap_s = 2;  ///< truth is interpolated over at most this
  OutputFlags outputs;
  HtmlReport* report = nullptr;  ///< gets a section for the trace; may be null
};

/// The object of REPLAY_TOOL.md with the keys for which `session` brings the ground truth. Beyond
/// the contract: *_ci_* (95 % intervals), calibration.raw, path of raw, live and records, phantom,
/// ratios, stops.{reference, detected, matched, short} and baselines. Nothing is judged outside of
/// the trace's own time.
///
/// ratios.{live, smoothed, records}: ours over raw at the `n` instants at which both have a place.
/// These are the times of the fixes, refused ones too, of which the smoothed track has a place like
/// any other; with `at_truth` the truth's times, and then live, which knows nothing of what comes,
/// is held against accuracy.raw_hold, the newest fix; the others against accuracy.raw, which is
/// drawn straight from fix to fix. The absolute figures in `accuracy` are each over their own `n`:
/// the quotient of two of them need not be the ratio.
struct Evaluated {
  nlohmann::ordered_json json;
  std::optional<std::string> failure;  ///< of the environment, see EnvironmentFailure()
};

/// `*failed_in_environment`: the error is of the disk or the store, not of an input.
Result<Evaluated> Evaluate(const Session& session, const EvaluationOptions& options,
                           bool* failed_in_environment);

/// Means over sessions of every number under accuracy, calibration, path, phantom, stops, ratios
/// and baselines, and the extremes of ratios and coverages.
nlohmann::ordered_json Aggregate(const std::vector<nlohmann::ordered_json>& sessions);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_EVALUATION_H_
