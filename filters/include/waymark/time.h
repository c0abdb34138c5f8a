// Time as Waymark uses it. Values only: nothing in this header reads a clock.
#ifndef WAYMARK_TIME_H_
#define WAYMARK_TIME_H_

#include <chrono>
#include <cstdint>

namespace waymark {

using Duration = std::chrono::nanoseconds;

/// Time since boot, including suspend (CLOCK_BOOTTIME, elapsedRealtimeNanos, mach_continuous_time).
/// Orders and times everything. Valid within one boot. Has no now(): ports read clocks.
struct MonoClock {
  using duration = Duration;
  using rep = Duration::rep;
  using period = Duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;

/// Civil time, milliseconds since 1970-01-01T00:00:00Z without leap seconds. Reported and stored;
/// decides only expiry and retention, and only once confirmed by GNSS or a server in this boot.
using UtcTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// The instant at which an event reached the SDK, on both clocks.
struct Stamp {
  MonoTime mono{};
  UtcTime utc{};
};

/// Seconds as a double, for arithmetic inside formulas.
constexpr double Seconds(Duration d) { return static_cast<double>(d.count()) * 1e-9; }

/// The nearest Duration to `s` seconds. |s| must be below 9e9 (292 years).
constexpr Duration FromSeconds(double s) {
  return Duration(static_cast<std::int64_t>(s * 1e9 + (s < 0 ? -0.5 : 0.5)));
}

}  // namespace waymark

#endif  // WAYMARK_TIME_H_
