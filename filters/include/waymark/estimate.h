// Estimate: where the device is and how sure Waymark is of it; and the objects of a track that
// follow from estimates (motion changes, stays, trips, gaps).
#ifndef WAYMARK_ESTIMATE_H_
#define WAYMARK_ESTIMATE_H_

#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>

#include "waymark/fix.h"
#include "waymark/time.h"

namespace waymark {

/// Radius of the circle that holds 68 % of a circular normal error, in sigmas per axis:
/// sqrt(-2 ln 0.32).
inline constexpr double kR68PerSigma = 1.5095921854516636;

enum class Motion : std::uint8_t { kUnknown = 0, kStationary = 1, kMoving = 2 };

constexpr const char* MotionName(Motion m) {
  return m == Motion::kStationary ? "stationary" : m == Motion::kMoving ? "moving" : "unknown";
}

/// The filtered state at one instant. Covariances are symmetric, positive semidefinite and finite.
struct Estimate {
  MonoTime time{};
  std::optional<UtcTime> utc;
  LatLon position;
  /// Covariance of the position in the local east-north frame, m^2. True, not optimistic: it
  /// contains the slowly varying part of the GNSS error.
  double cov_ee_m2 = 0, cov_en_m2 = 0, cov_nn_m2 = 0;
  double r68_m = 0;  ///< radius around `position` that holds the truth with p = 0.68
  double r95_m = 0;  ///< the same with p = 0.95
  double velocity_east_mps = 0, velocity_north_mps = 0;
  double speed_sigma_mps = 0;              ///< 1 sigma per axis of the velocity
  std::optional<double> altitude_m;        ///< above the WGS 84 ellipsoid
  std::optional<double> altitude_sigma_m;  ///< 1 sigma
  /// Probabilities of the motion models; they sum to 1.
  double p_stopped = 0, p_slow = 0, p_fast = 0;
  Motion motion = Motion::kUnknown;
  bool coasting = false;  ///< predicted beyond the last accepted fix

  double speed_mps() const { return std::hypot(velocity_east_mps, velocity_north_mps); }
  /// Clockwise from true north, [0, 360). nullopt where the velocity does not tell a direction
  /// (slower than 0.3 m/s or than its own sigma).
  std::optional<double> course_deg() const {
    const double v = speed_mps();
    if (v < 0.3 || v < speed_sigma_mps) return std::nullopt;
    const double deg = std::atan2(velocity_east_mps, velocity_north_mps) * 180 / std::numbers::pi;
    return deg < 0 ? deg + 360 : deg;
  }
};

/// The device began to move or came to rest.
struct MotionChange {
  MonoTime time{};  ///< when it happened, which may lie before the fix that showed it
  std::optional<UtcTime> utc;
  Motion motion = Motion::kUnknown;
  LatLon position;
};

/// A time at rest in one place.
struct Stay {
  std::uint64_t id = 0;  ///< increasing within an installation
  MonoTime begin{}, end{};
  std::optional<UtcTime> begin_utc, end_utc;
  LatLon position;   ///< from all the fixes of the stay
  double r68_m = 0;  ///< of `position`
  std::uint32_t fixes = 0;
};

/// The way between two stays.
struct Trip {
  std::uint64_t id = 0;
  MonoTime begin{}, end{};
  std::optional<UtcTime> begin_utc, end_utc;
  LatLon from, to;
  double distance_m = 0, distance_bound_m = 0;  ///< odometer, and its 95 % error bound
};

/// Why nothing was recorded for a while. Persistent values: append only.
enum class GapCause : std::uint8_t {
  kUnknown = 0,
  kNoSignal = 1,           ///< fixes were asked for, none came
  kSamplingPaused = 2,     ///< the policy did not ask (stationary, budget)
  kStopped = 3,            ///< tracking was stopped by the host
  kPermission = 4,         ///< permission or location service was off
  kProcessNotRunning = 5,  ///< the process was dead or the device off
  kRejected = 6,           ///< fixes came and none could be used
};

constexpr const char* GapCauseName(GapCause c) {
  switch (c) {
    case GapCause::kUnknown:
      return "unknown";
    case GapCause::kNoSignal:
      return "no_signal";
    case GapCause::kSamplingPaused:
      return "sampling_paused";
    case GapCause::kStopped:
      return "stopped";
    case GapCause::kPermission:
      return "permission";
    case GapCause::kProcessNotRunning:
      return "process_not_running";
    case GapCause::kRejected:
      return "rejected";
  }
  return "unknown";
}

struct Gap {
  MonoTime begin{}, end{};
  std::optional<UtcTime> begin_utc, end_utc;
  GapCause cause = GapCause::kUnknown;
};

}  // namespace waymark

#endif  // WAYMARK_ESTIMATE_H_
