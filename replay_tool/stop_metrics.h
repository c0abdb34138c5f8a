// Stops against a diary: precision, recall and how late they were noticed.
#ifndef WAYMARK_REPLAY_TOOL_STOP_METRICS_H_
#define WAYMARK_REPLAY_TOOL_STOP_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "replay_tool/truth_track.h"

namespace waymark::replay {

/// One row of a labels file; it holds until the next row.
struct Label {
  std::int64_t utc_ms = 0;
  std::optional<bool> stationary;
  std::string mode;
};

/// Maximal spans that are labelled stationary, and the spans about which the diary says anything.
struct LabelSpans {
  std::vector<Span> stationary;
  std::vector<Span> known;
};
LabelSpans SpansOf(std::vector<Label> labels);

struct DetectedStop {
  Span span;
  /// When the tracker said so, where that is known: later than the span's own ends.
  std::optional<std::int64_t> begin_decided_ms, end_decided_ms;
};

struct StopSummary {
  std::size_t reference = 0;        ///< stops of the diary of at least the stated length
  std::size_t detected = 0;         ///< detected stops that lie mostly where the diary speaks
  std::size_t matched = 0;          ///< pairs of the two; each stop is in one pair at most
  std::size_t short_stops = 0;      ///< detected, but not counted: they match a shorter one of the
                                    ///< diary's, which need not be found and is no error when it is
  std::optional<double> precision;  ///< matched / detected; absent where nothing was detected
  std::optional<double> recall;     ///< matched / reference; absent where there was nothing to find
  double f1 = 0;                    ///< 0 where one of them is absent
  std::optional<double> start_latency_p50_s, end_latency_p50_s;  ///< from the diary's time to the
                                                                 ///< tracker's word
  /// Absolute differences between the stop's own ends and the diary's.
  std::optional<double> start_error_p50_s, end_error_p50_s;
};

/// Two stops match if the intersection of their spans is at least half of the union. nullopt if
/// there is neither a reference nor a detected stop.
std::optional<StopSummary> CompareStops(std::span<const DetectedStop> detected,
                                        const LabelSpans& labels, double min_reference_s);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_STOP_METRICS_H_
