// NMEA 0183 logs: sentences of one epoch become one fix.
#ifndef WAYMARK_REPLAY_TOOL_NMEA_READER_H_
#define WAYMARK_REPLAY_TOOL_NMEA_READER_H_

#include <memory>

#include "replay_tool/trace.h"

namespace waymark::replay {

/// Reads RMC, GGA, GNS, GLL (position), VTG (speed, course), GST (accuracy), GSA (HDOP) and ZDA
/// (date) of every talker; skips and counts other sentences, wrong checksums and everything that is
/// not a sentence. Altitudes are brought to the ellipsoid with the sentence's geoid separation.
std::unique_ptr<TraceParser> MakeNmeaParser(const ReadOptions& options, FixSink sink);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_NMEA_READER_H_
