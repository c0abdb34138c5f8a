// What the motion detector and the odometer take from outside: anything may come in through the
// public classes, and the squares of some of it would not be finite.
#ifndef WAYMARK_FILTERS_SANE_VALUES_H_
#define WAYMARK_FILTERS_SANE_VALUES_H_

#include <cmath>
#include <optional>

#include "waymark/estimate.h"
#include "waymark/fix.h"

namespace waymark {

/// No estimate of ours is beyond these.
inline constexpr double kSaneMps = 1e5, kSaneM = 1e8;

inline bool IsSane(const Estimate& e) {
  return std::isfinite(e.position.lat_deg) && std::isfinite(e.position.lon_deg) &&
         std::abs(e.velocity_east_mps) < kSaneMps && std::abs(e.velocity_north_mps) < kSaneMps &&
         e.r68_m >= 0 && e.r68_m < kSaneM && std::abs(e.position.lat_deg) <= 90 &&
         e.position.lon_deg >= -180 && e.position.lon_deg < 180;
}

/// The reported speed, if there is one that can be.
inline std::optional<double> SaneSpeed(const Fix& fix) {
  if (!fix.speed_mps || !(*fix.speed_mps >= 0 && *fix.speed_mps < kSaneMps)) return std::nullopt;
  return fix.speed_mps;
}

/// The reported course in degrees, if there is one that can be; some write -1 for none.
inline std::optional<double> SaneCourse(const Fix& fix) {
  if (!fix.course_deg || !(*fix.course_deg >= 0 && *fix.course_deg <= 360)) return std::nullopt;
  return fix.course_deg;
}

}  // namespace waymark

#endif  // WAYMARK_FILTERS_SANE_VALUES_H_
