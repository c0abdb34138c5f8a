// One NMEA 0183 sentence: its checksum, its fields, and the numbers in them.
#ifndef WAYMARK_REPLAY_TOOL_NMEA_SENTENCE_H_
#define WAYMARK_REPLAY_TOOL_NMEA_SENTENCE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "waymark/time.h"

namespace waymark::replay {

enum class NmeaChecksum : std::uint8_t { kAbsent, kGood, kBad };

/// Views into the line that was parsed.
struct NmeaSentence {
  static constexpr std::size_t kMaxFields = 40;
  std::string_view talker;  ///< "GP", "GN", "II", ...
  std::string_view type;    ///< "RMC"
  std::array<std::string_view, kMaxFields> fields;
  std::size_t field_count = 0;  ///< address field not counted: fields[0] follows the first comma
  NmeaChecksum checksum = NmeaChecksum::kAbsent;

  /// Field `i`, trimmed; empty when the sentence has fewer.
  std::string_view Field(std::size_t i) const;
};

/// The sentence that begins with the '$' or '!' at the front of `text` and ends at `end`, which may
/// stand before the end of `text`. nullopt if it is not of the form $ttsss,... with printable
/// ASCII.
std::optional<NmeaSentence> ParseNmeaSentence(std::string_view text, std::size_t& end);

/// "ddmm.mmmm" with "N"/"S", or "dddmm.mmmm" with "E"/"W", in degrees.
std::optional<double> ParseNmeaLatitude(std::string_view value, std::string_view hemisphere);
std::optional<double> ParseNmeaLongitude(std::string_view value, std::string_view hemisphere);
/// "hhmmss.sss" since midnight; second 60 is allowed.
std::optional<std::chrono::milliseconds> ParseNmeaTime(std::string_view value);
/// "ddmmyy": 80-99 are 1980-1999. As the receiver says it; week rollovers are the core's matter.
std::optional<UtcTime> ParseNmeaDate(std::string_view value);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_NMEA_SENTENCE_H_
