#include "replay_tool/number_text.h"

#include <charconv>
#include <chrono>
#include <cmath>

namespace waymark::replay {
namespace {

constexpr UtcTime kEarliest =
    std::chrono::sys_days(std::chrono::year(1900) / std::chrono::January / 1);
constexpr UtcTime kEnd = std::chrono::sys_days(std::chrono::year(2200) / std::chrono::January / 1);

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view WithoutPlus(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  return text;
}

// Reads exactly `digits` digits from the front of `text`.
std::optional<int> TakeDigits(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!IsDigit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Decimals after the point, rounded to milliseconds.
int TakeFractionMs(std::string_view& text) {
  int ms = 0;
  int scale = 100;
  bool round_up = false;
  for (std::size_t place = 0; !text.empty() && IsDigit(text.front()); ++place) {
    const int digit = text.front() - '0';
    if (place < 3) {
      ms += digit * scale;
      scale /= 10;
    } else if (place == 3) {
      round_up = digit >= 5;
    }
    text.remove_prefix(1);
  }
  return ms + (round_up ? 1 : 0);
}

// "Z", "+01:00", "-0330", "+01" or nothing, as the offset to subtract.
std::optional<std::chrono::minutes> TakeZone(std::string_view& text) {
  if (text.empty()) return std::chrono::minutes(0);
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) return std::chrono::minutes(0);
  const bool negative = text.front() == '-';
  if (!negative && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const std::optional<int> hours = TakeDigits(text, 2);
  if (!hours) return std::nullopt;
  TakeChar(text, ':');
  int minutes = 0;
  if (!text.empty()) {
    const std::optional<int> given = TakeDigits(text, 2);
    if (!given) return std::nullopt;
    minutes = *given;
  }
  if (*hours > 15 || minutes > 59) return std::nullopt;
  const int total = *hours * 60 + minutes;
  return std::chrono::minutes(negative ? -total : total);
}

}  // namespace

std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> ParseDouble(std::string_view text) {
  text = WithoutPlus(Trim(text));
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseInt(std::string_view text) {
  text = WithoutPlus(Trim(text));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool UtcInRange(std::int64_t utc_ms) {
  const UtcTime utc{std::chrono::milliseconds(utc_ms)};
  return utc >= kEarliest && utc < kEnd;
}

std::optional<UtcTime> UtcDate(int year, unsigned month, unsigned day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) return std::nullopt;
  const UtcTime utc = std::chrono::sys_days(date);
  if (utc < kEarliest || utc >= kEnd) return std::nullopt;
  return utc;
}

std::optional<UtcTime> ParseIsoTime(std::string_view text) {
  text = Trim(text);
  const std::optional<int> year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, '-')) return std::nullopt;
  const std::optional<int> month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, '-')) return std::nullopt;
  const std::optional<int> day = TakeDigits(text, 2);
  if (!day) return std::nullopt;
  if (!TakeChar(text, 'T') && !TakeChar(text, 't') && !TakeChar(text, ' ')) return std::nullopt;
  const std::optional<int> hour = TakeDigits(text, 2);
  if (!hour || *hour > 24 || !TakeChar(text, ':')) return std::nullopt;
  const std::optional<int> minute = TakeDigits(text, 2);
  if (!minute || *minute > 59 || !TakeChar(text, ':')) return std::nullopt;
  const std::optional<int> second = TakeDigits(text, 2);
  if (!second || *second > 60) return std::nullopt;
  int ms = 0;
  if (TakeChar(text, '.') || TakeChar(text, ',')) ms = TakeFractionMs(text);
  const std::optional<std::chrono::minutes> zone = TakeZone(text);
  if (!zone || !text.empty()) return std::nullopt;
  const std::optional<UtcTime> date =
      UtcDate(*year, static_cast<unsigned>(*month), static_cast<unsigned>(*day));
  if (!date) return std::nullopt;
  return *date + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second) + std::chrono::milliseconds(ms) - *zone;
}

}  // namespace waymark::replay
