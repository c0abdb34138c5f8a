// One track's errors over another's, at the same instants: what one of them alone was asked for
// (an outlier that the other left out, say) belongs to neither side.
#ifndef WAYMARK_REPLAY_TOOL_ERROR_RATIOS_H_
#define WAYMARK_REPLAY_TOOL_ERROR_RATIOS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "replay_tool/accuracy.h"

namespace waymark::replay {

/// The errors of a track at each instant of a list, NaN where it has none. Of several at one
/// instant the last counts. (Kept for every fix of a long trace: hence single precision.)
class ErrorsAtInstants {
 public:
  /// `instants` are sorted, each stands once.
  void Add(const TrackErrors& errors, std::span<const std::int64_t> instants);

  std::span<const float> error_m() const { return error_m_; }
  std::span<const float> cross_m() const { return cross_m_; }

 private:
  std::vector<float> error_m_, cross_m_;  // empty, or one for each instant
};

/// Absent where there is nothing to divide, or 0 to divide by.
struct ErrorRatios {
  std::size_t n = 0;  ///< instants at which both tell something
  std::optional<double> p50, p95, rmse, max, score;
  std::optional<double> cross_track_p50, cross_track_p95;
};

/// `ours` over `theirs`; both of the same instants.
ErrorRatios CompareErrors(const ErrorsAtInstants& ours, const ErrorsAtInstants& theirs);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_ERROR_RATIOS_H_
