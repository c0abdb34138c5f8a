// Numbers and times as text, read exactly and independently of the locale.
#ifndef WAYMARK_REPLAY_TOOL_NUMBER_TEXT_H_
#define WAYMARK_REPLAY_TOOL_NUMBER_TEXT_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "waymark/time.h"

namespace waymark::replay {

/// `text` without ASCII white space at both ends.
std::string_view Trim(std::string_view text);

/// The whole of `text`, trimmed, as a decimal number ("-1.5e3"; a leading '+' is allowed). nullopt
/// if anything else stands in it, "nan" and "inf" included.
std::optional<double> ParseDouble(std::string_view text);
std::optional<std::int64_t> ParseInt(std::string_view text);

/// ISO 8601 as xsd:dateTime writes it, and its common relatives: any number of decimals (rounded to
/// the millisecond), 'T' or a space, zone "Z", "+hh:mm", "+hhmm" or none (UTC). Second 60 is the
/// first of the next minute. nullopt outside the years 1900 to 2199.
std::optional<UtcTime> ParseIsoTime(std::string_view text);

/// Midnight UTC of a civil date; nullopt if there is no such day or it lies outside 1900 to 2199.
std::optional<UtcTime> UtcDate(int year, unsigned month, unsigned day);

/// The bounds of every time that the readers accept.
bool UtcInRange(std::int64_t utc_ms);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_NUMBER_TEXT_H_
