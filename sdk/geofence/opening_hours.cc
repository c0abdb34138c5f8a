#include "sdk/geofence/opening_hours.h"

#include <algorithm>

namespace waymark::geofence {
namespace {

constexpr std::int64_t kMsPerMinute = 60'000;
constexpr std::int64_t kMsPerWeek = kMinutesPerWeek * kMsPerMinute;
// 1970-01-01 was a Thursday: three days after a Monday.
constexpr std::int64_t kEpochAfterMondayMs = std::int64_t{3} * 24 * 60 * kMsPerMinute;

// Milliseconds since Monday 00:00 local time, [0, one week).
std::int64_t WeekMs(UtcTime utc, std::int16_t utc_offset_minutes) {
  const std::int64_t ms = utc.time_since_epoch().count() % kMsPerWeek +
                          utc_offset_minutes * kMsPerMinute + kEpochAfterMondayMs;
  return ((ms % kMsPerWeek) + kMsPerWeek) % kMsPerWeek;
}

bool OpenAt(std::span<const WeeklyWindow> windows, std::int64_t week_ms) {
  return std::any_of(windows.begin(), windows.end(), [&](const WeeklyWindow& w) {
    const std::int64_t begin = w.begin_minute * kMsPerMinute, end = w.end_minute * kMsPerMinute;
    return (week_ms >= begin && week_ms < end) ||
           (week_ms + kMsPerWeek >= begin && week_ms + kMsPerWeek < end);
  });
}

}  // namespace

bool IsOpen(std::span<const WeeklyWindow> windows, std::int16_t utc_offset_minutes, UtcTime utc) {
  return windows.empty() || OpenAt(windows, WeekMs(utc, utc_offset_minutes));
}

std::optional<UtcTime> NextOpeningChange(std::span<const WeeklyWindow> windows,
                                         std::int16_t utc_offset_minutes, UtcTime utc) {
  if (windows.empty()) return std::nullopt;
  const std::int64_t now = WeekMs(utc, utc_offset_minutes);
  const bool open = OpenAt(windows, now);
  std::optional<std::int64_t> best;
  // The state changes only at an edge of a window; overlapping windows hide some.
  for (const WeeklyWindow& w : windows) {
    for (const std::uint32_t edge : {w.begin_minute, w.end_minute}) {
      const std::int64_t at = (edge % kMinutesPerWeek) * kMsPerMinute;
      std::int64_t wait = at - now;
      if (wait <= 0) wait += kMsPerWeek;
      if (OpenAt(windows, at) != open && (!best || wait < *best)) best = wait;
    }
  }
  if (!best) return std::nullopt;
  return utc + std::chrono::milliseconds(*best);
}

}  // namespace waymark::geofence
