// The CSV outputs of REPLAY_TOOL.md, row by row, and the golden output.
#ifndef WAYMARK_REPLAY_TOOL_CSV_OUTPUT_H_
#define WAYMARK_REPLAY_TOOL_CSV_OUTPUT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "replay_tool/output_file.h"
#include "waymark/estimate.h"
#include "waymark/fix.h"
#include "waymark/geofence.h"
#include "waymark/record.h"
#include "waymark/time.h"

namespace waymark::replay {

inline constexpr std::string_view kEstimateHeader =
    "utc_ms,lat_deg,lon_deg,r68_m,r95_m,speed_mps,speed_sigma_mps,course_deg,motion,verdict\n";
inline constexpr std::string_view kRecordHeader =
    "seq,utc_ms,lat_deg,lon_deg,r68_m,speed_mps,course_deg,kind\n";
inline constexpr std::string_view kVerdictHeader = "line,utc_ms,verdict,reason,value,limit\n";
inline constexpr std::string_view kEventHeader =
    "utc_ms,type,id,detail,lat_deg,lon_deg,probability\n";

/// To hundredths of a degree and still in [0, 360): 360.00 is not a course.
std::optional<double> RoundedCourse(std::optional<double> course_deg);

/// A row of --live-out and --smoothed-out. `utc` is the instant of the estimate.
void AppendEstimateRow(std::string& out, UtcTime utc, const Estimate& estimate,
                       Disposition verdict);
void AppendRecordRow(std::string& out, const Record& record);
/// `utc` is the fix's own time.
void AppendVerdictRow(std::string& out, std::uint64_t line, UtcTime utc, const Verdict& verdict);

/// One row of --events-out. `type` as the contract lists it.
struct EventRow {
  std::optional<UtcTime> utc;
  std::string_view type;
  std::string id;
  std::string detail;
  std::optional<LatLon> position;
  std::optional<double> probability;
};
void AppendEventRow(std::string& out, const EventRow& row);

/// "fence_enter", "fence_exit", "fence_dwell" or "fence_rejected".
const char* FenceEventType(FenceTransition transition);
EventRow MakeEventRow(const FenceEvent& event);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_CSV_OUTPUT_H_
