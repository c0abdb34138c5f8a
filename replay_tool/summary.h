// The readable result of a replay.
#ifndef WAYMARK_REPLAY_TOOL_SUMMARY_H_
#define WAYMARK_REPLAY_TOOL_SUMMARY_H_

#include <string>

#include "replay_tool/replay_tally.h"

namespace waymark::replay {

/// Several lines, each ended.
std::string Summary(const ReplayTally& tally);

/// "2 h 05 min", "12 min 30 s", "4.2 s".
std::string DurationText(double seconds);
/// "12.34 km", "340 m".
std::string DistanceText(double metres);
/// "2026-11-22 15:57:03Z".
std::string UtcText(UtcTime utc);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SUMMARY_H_
