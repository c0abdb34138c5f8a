// NMEA 0183 as receivers send it; field layouts after the gpsd project's "NMEA Revealed"
// (https://gpsd.gitlab.io/gpsd/NMEA.html).
#include "replay_tool/nmea_sentence.h"

#include <algorithm>

#include "replay_tool/number_text.h"

namespace waymark::replay {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<int> TwoDigits(std::string_view text, std::size_t at) {
  if (at + 2 > text.size() || !IsDigit(text[at]) || !IsDigit(text[at + 1])) return std::nullopt;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

// "ddmm.mmmm" with any number of degree digits.
std::optional<double> DegreesMinutes(std::string_view value) {
  value = Trim(value);
  const std::size_t point = std::min(value.find('.'), value.size());
  if (point < 3 || point > 5) return std::nullopt;
  const std::optional<std::int64_t> degrees = ParseInt(value.substr(0, point - 2));
  const std::optional<double> minutes = ParseDouble(value.substr(point - 2));
  if (!degrees || !minutes || *degrees < 0 || *minutes < 0 || *minutes >= 60) return std::nullopt;
  return static_cast<double>(*degrees) + *minutes / 60;
}

}  // namespace

std::string_view NmeaSentence::Field(std::size_t i) const {
  return i < field_count ? Trim(fields[i]) : std::string_view();
}

std::optional<NmeaSentence> ParseNmeaSentence(std::string_view text, std::size_t& end) {
  // 82 characters by the standard; receivers exceed it.
  constexpr std::size_t kMaxLength = 512;
  constexpr std::size_t kAddress = 6;  // "$GPRMC"
  end = 1;
  if (text.size() <= kAddress || text[kAddress] != ',') return std::nullopt;
  if (!std::all_of(text.begin() + 1, text.begin() + kAddress,
                   [](char c) { return IsUpper(c) || IsDigit(c); })) {
    return std::nullopt;
  }
  NmeaSentence sentence;
  sentence.talker = text.substr(1, 2);
  sentence.type = text.substr(3, 3);
  int sum = 0;
  for (std::size_t i = 1; i < kAddress; ++i) sum ^= text[i];
  std::size_t at = kAddress;
  std::size_t field_begin = kAddress + 1;
  for (; at < text.size() && at < kMaxLength; ++at) {
    const char c = text[at];
    if (c < ' ' || c > '~' || c == '*' || c == '$' || c == '!') break;
    sum ^= c;
    if (c != ',' || at == kAddress) continue;
    if (sentence.field_count == NmeaSentence::kMaxFields) return std::nullopt;
    sentence.fields[sentence.field_count++] = text.substr(field_begin, at - field_begin);
    field_begin = at + 1;
  }
  if (sentence.field_count == NmeaSentence::kMaxFields) return std::nullopt;
  sentence.fields[sentence.field_count++] = text.substr(field_begin, at - field_begin);
  end = at;
  if (at < text.size() && text[at] == '*') {
    const int high = at + 1 < text.size() ? HexDigit(text[at + 1]) : -1;
    const int low = at + 2 < text.size() ? HexDigit(text[at + 2]) : -1;
    sentence.checksum =
        high >= 0 && low >= 0 && high * 16 + low == sum ? NmeaChecksum::kGood : NmeaChecksum::kBad;
    if (sentence.checksum == NmeaChecksum::kGood) end = at + 3;
  }
  return sentence;
}

std::optional<double> ParseNmeaLatitude(std::string_view value, std::string_view hemisphere) {
  const std::optional<double> degrees = DegreesMinutes(value);
  if (!degrees || *degrees > 90 || (hemisphere != "N" && hemisphere != "S")) return std::nullopt;
  return hemisphere == "S" ? -*degrees : *degrees;
}

std::optional<double> ParseNmeaLongitude(std::string_view value, std::string_view hemisphere) {
  const std::optional<double> degrees = DegreesMinutes(value);
  if (!degrees || *degrees > 180 || (hemisphere != "E" && hemisphere != "W")) return std::nullopt;
  return hemisphere == "W" ? -*degrees : *degrees;
}

std::optional<std::chrono::milliseconds> ParseNmeaTime(std::string_view value) {
  value = Trim(value);
  const std::optional<int> hour = TwoDigits(value, 0);
  const std::optional<int> minute = TwoDigits(value, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  const std::optional<double> second = ParseDouble(value.substr(4));
  if (!second || *second < 0 || *second >= 61) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::milliseconds(static_cast<int>(*second * 1000 + 0.5));
}

std::optional<UtcTime> ParseNmeaDate(std::string_view value) {
  value = Trim(value);
  const std::optional<int> day = TwoDigits(value, 0);
  const std::optional<int> month = TwoDigits(value, 2);
  const std::optional<int> year = TwoDigits(value, 4);
  if (!day || !month || !year || value.size() != 6) return std::nullopt;
  return UtcDate(*year < 80 ? 2000 + *year : 1900 + *year, static_cast<unsigned>(*month),
                 static_cast<unsigned>(*day));
}

}  // namespace waymark::replay
