// Weekly opening windows at a fixed offset from UTC.
#ifndef SDK_GEOFENCE_OPENING_HOURS_H_
#define SDK_GEOFENCE_OPENING_HOURS_H_

#include <cstdint>
#include <optional>
#include <span>

#include "waymark/geofence.h"

namespace waymark::geofence {

inline constexpr std::uint32_t kMinutesPerWeek = 7 * 24 * 60;

/// Whether one of the windows contains `utc`; true without windows.
bool IsOpen(std::span<const WeeklyWindow> windows, std::int16_t utc_offset_minutes, UtcTime utc);

/// The first instant after `utc` at which IsOpen changes. nullopt if it never does.
std::optional<UtcTime> NextOpeningChange(std::span<const WeeklyWindow> windows,
                                         std::int16_t utc_offset_minutes, UtcTime utc);

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_OPENING_HOURS_H_
