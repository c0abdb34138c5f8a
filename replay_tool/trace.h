// A trace: fixes in order of delivery, whatever the file they come from.
#ifndef WAYMARK_REPLAY_TOOL_TRACE_H_
#define WAYMARK_REPLAY_TOOL_TRACE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/fix.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark::replay {

enum class TraceFormat : std::uint8_t { kGpx, kNmea, kFixesCsv, kGnssLogger, kJournal };

constexpr const char* TraceFormatName(TraceFormat f) {
  switch (f) {
    case TraceFormat::kGpx:
      return "gpx";
    case TraceFormat::kNmea:
      return "nmea";
    case TraceFormat::kFixesCsv:
      return "fixes_csv";
    case TraceFormat::kGnssLogger:
      return "gnss_logger";
    case TraceFormat::kJournal:
      return "journal";
  }
  return "unknown";
}

/// One report as the file has it. `fix.utc` is always set; `fix.time` is not (see TraceTimeline).
struct TraceFix {
  Fix fix;
  std::optional<UtcTime> received;  ///< arrival, where the file knows it
  /// 1-based line of the file; of a GPX, whose lines mean nothing, the number of the point.
  std::uint64_t line = 0;
};

/// Takes one fix; false ends the reading early, which is not an error.
using FixSink = std::function<bool(const TraceFix&)>;

struct ReadOptions {
  bool routes = false;                      ///< read route points too (GPX)
  std::optional<double> assume_interval_s;  ///< for points without time (GPX)
  std::optional<UtcTime> assume_date;       ///< midnight of the first fix, for a log without date
  std::optional<double> accuracy_m;         ///< of fixes whose source tells none
};

/// What a reader found, known when it has finished.
struct TraceInfo {
  TraceFormat format = TraceFormat::kGpx;
  std::uint64_t points = 0;  ///< delivered to the sink
  bool cut = false;          ///< the file ends in the middle; what stands before was read
  std::vector<std::string> warnings;
};

/// Reads one format from bytes that come in pieces of any size. Memory does not grow with the
/// length of the input. After an error or a sink that said stop, no further call is made.
class TraceParser {
 public:
  virtual ~TraceParser() = default;
  /// kInvalidArgument: the input is not usable; the message says where and why.
  virtual Status Feed(std::string_view bytes) = 0;
  /// The input has ended; `cut` if its container (gzip) says that something is missing.
  virtual Status Finish(bool cut) = 0;
  /// The sink wants no more.
  virtual bool stopped() const = 0;
  /// Complete after Finish().
  virtual const TraceInfo& info() const = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACE_H_
