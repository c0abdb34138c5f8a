// The integer forms in which records are stored and sent. One place, so that the row, the wire and
// their tests cannot disagree. Every To...() is total: NaN becomes 0, out of range the limit.
#ifndef WAYMARK_SDK_SYNC_QUANTISE_H_
#define WAYMARK_SDK_SYNC_QUANTISE_H_

#include <cstdint>

#include "waymark/fix.h"
#include "waymark/time.h"

namespace waymark::sync {

// 1e-7 deg is 11 mm on the meridian; finer bits are noise, and 180 deg still fits 32 bits.
inline constexpr double kUnitsPerDegree = 1e7;
inline constexpr std::int64_t kMaxLatE7 = 900'000'000;
inline constexpr std::int64_t kMaxLonE7 = 1'800'000'000;
inline constexpr std::int64_t kCourseTurn = 36'000;  // 0.01 deg
// No stored length, speed or height is longer than this many centimetres (the distance of a trip
// of 10 million km); keeps every difference of three neighbours inside 64 bits.
inline constexpr std::int64_t kMaxCentimetres = 1'000'000'000'000;
inline constexpr std::int64_t kMaxProbability = 1'000'000;  // 1e-6

/// Rounds half away from zero, clamps to [low, high]; NaN gives 0 clamped.
inline std::int64_t ToUnits(double value, double units, std::int64_t low, std::int64_t high) {
  const double scaled = value * units;
  if (!(scaled == scaled)) return low > 0 ? low : 0;
  if (scaled <= static_cast<double>(low)) return low;
  if (scaled >= static_cast<double>(high)) return high;
  return static_cast<std::int64_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
}

struct PositionE7 {
  std::int64_t lat = 0;
  std::int64_t lon = 0;
};

inline PositionE7 ToE7(LatLon p) {
  PositionE7 q{ToUnits(p.lat_deg, kUnitsPerDegree, -kMaxLatE7, kMaxLatE7),
               ToUnits(p.lon_deg, kUnitsPerDegree, -kMaxLonE7, kMaxLonE7)};
  if (q.lon == kMaxLonE7) q.lon = -kMaxLonE7;  // [-180, 180): 179.99999999 rounds onto the seam
  return q;
}
inline bool ValidE7(PositionE7 q) {
  return q.lat >= -kMaxLatE7 && q.lat <= kMaxLatE7 && q.lon >= -kMaxLonE7 && q.lon < kMaxLonE7;
}
inline LatLon FromE7(PositionE7 q) {
  return LatLon{static_cast<double>(q.lat) / kUnitsPerDegree,
                static_cast<double>(q.lon) / kUnitsPerDegree};
}

inline std::int64_t ToCm(double metres) {
  return ToUnits(metres, 100, -kMaxCentimetres, kMaxCentimetres);
}
inline std::int64_t ToCmUnsigned(double metres) { return ToUnits(metres, 100, 0, kMaxCentimetres); }
inline double FromCm(std::int64_t cm) { return static_cast<double>(cm) / 100; }

/// [0, 36000): 359.999 deg is north.
inline std::int64_t ToCourse(double course_deg) {
  return ToUnits(course_deg, 100, 0, kCourseTurn) % kCourseTurn;
}
inline double FromCourse(std::int64_t units) { return static_cast<double>(units) / 100; }

inline std::int64_t ToProbability(double p) {
  return ToUnits(p, static_cast<double>(kMaxProbability), 0, kMaxProbability);
}
inline double FromProbability(std::int64_t units) {
  return static_cast<double>(units) / static_cast<double>(kMaxProbability);
}

inline std::int64_t ToMs(UtcTime t) { return t.time_since_epoch().count(); }
inline UtcTime FromMs(std::int64_t ms) { return UtcTime(std::chrono::milliseconds(ms)); }

}  // namespace waymark::sync

#endif  // WAYMARK_SDK_SYNC_QUANTISE_H_
