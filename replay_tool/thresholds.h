// --fail-if: limits on the numbers of the JSON output.
#ifndef WAYMARK_REPLAY_TOOL_THRESHOLDS_H_
#define WAYMARK_REPLAY_TOOL_THRESHOLDS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "waymark/status.h"

namespace waymark::replay {

/// "accuracy.live.p95_m>10": a path of keys, one of < <= > >= == !=, and a number.
struct Threshold {
  std::string text;
  std::string path;
  std::string relation;
  double limit = 0;

  /// kInvalidArgument says what is wrong with `text`.
  static Result<Threshold> Parse(std::string_view text);
  /// Whether it is about the aggregate of several results.
  bool of_aggregate() const { return path.starts_with("aggregate."); }
  /// Whether the stated condition holds in `root`. kInvalidArgument: no number at `path`. A reason
  /// for which no fix was rejected does not stand there and is 0.
  Result<bool> Holds(const nlohmann::ordered_json& root) const;
  bool HoldsFor(double value) const;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_THRESHOLDS_H_
