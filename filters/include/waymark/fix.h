// Fix: what a positioning source reports, and Verdict: what Waymark thought of it.
#ifndef WAYMARK_FIX_H_
#define WAYMARK_FIX_H_

#include <cmath>
#include <cstdint>
#include <optional>

#include "waymark/time.h"

namespace waymark {

/// A point on WGS 84. lat_deg in [-90, 90], lon_deg in [-180, 180). 0,0 and the equator are valid.
struct LatLon {
  double lat_deg = 0;
  double lon_deg = 0;

  /// `lon_deg` is brought into [-180, 180). nullopt if a number is not finite, |lat_deg| > 90 or
  /// |lon_deg| > 360.
  static std::optional<LatLon> FromDegrees(double lat_deg, double lon_deg) {
    if (!std::isfinite(lat_deg) || !std::isfinite(lon_deg)) return std::nullopt;
    if (lat_deg < -90 || lat_deg > 90 || lon_deg < -360 || lon_deg > 360) return std::nullopt;
    if (lon_deg >= 180) lon_deg -= 360;
    if (lon_deg < -180) lon_deg += 360;
    return LatLon{lat_deg, lon_deg};
  }
  friend bool operator==(const LatLon&, const LatLon&) = default;
};

/// Which provider computed a fix. The values are persistent: append only.
enum class FixSource : std::uint8_t { kUnknown = 0, kGnss = 1, kNetwork = 2, kFused = 3 };

/// One report of a positioning source, unaltered.
struct Fix {
  MonoTime time{};  ///< monotonic time of VALIDITY, not of arrival (batching delivers late)
  std::optional<UtcTime> utc;  ///< the source's own UTC for the same instant
  LatLon position;
  std::optional<double>
      horizontal_accuracy_m;         ///< r68: the circle that holds the truth with p = 0.68; > 0
  std::optional<double> altitude_m;  ///< above the WGS 84 ellipsoid
  std::optional<double> vertical_accuracy_m;  ///< 1 sigma
  std::optional<double> speed_mps;            ///< over ground, >= 0
  std::optional<double> speed_accuracy_mps;   ///< 1 sigma
  std::optional<double> course_deg;           ///< clockwise from true north, [0, 360)
  std::optional<double> course_accuracy_deg;  ///< 1 sigma
  FixSource source = FixSource::kUnknown;
  bool simulated = false;  ///< the platform marked it as mocked
};

/// What the platform's motion sensors say the device is doing. Persistent values: append only.
enum class Activity : std::uint8_t {
  kUnknown = 0,
  kStill = 1,
  kWalking = 2,
  kRunning = 3,
  kCycling = 4,
  kAutomotive = 5,
};

/// One hint of the motion sensors.
struct MotionSample {
  MonoTime time{};
  Activity activity = Activity::kUnknown;
  double confidence = 0;  ///< [0, 1]
};

/// What became of a fix. Persistent values: append only.
enum class Disposition : std::uint8_t {
  kAccepted = 0,     ///< used as it stands
  kAdjusted = 1,     ///< used after a repair or with less weight; the reason says which
  kProvisional = 2,  ///< held in a second hypothesis; a later fix confirms or discards it
  kRejected = 3,     ///< not used; the reason says why
};

/// Why a fix was not simply accepted. Persistent values: append only.
enum class Reason : std::uint8_t {
  kNone = 0,
  kNotFinite = 1,   ///< a number is NaN or infinite
  kOutOfRange = 2,  ///< latitude, longitude, speed, course or accuracy outside its range, or the
                    ///< place 0, 0, by which receivers say that they have none
  kDuplicate = 3,   ///< the same report again
  kMerged = 4,      ///< another report of the same epoch; value: seconds apart
  kLate =
      5,  ///< adjusted: put in its place within the window; rejected: beyond it; value, limit: s
  kStale = 6,          ///< an old position or time delivered as new; value: age in s
  kFuture = 7,         ///< stamped after its arrival; value, limit: s
  kWeekRollover = 8,   ///< adjusted: stamped a multiple of 1024 weeks off; value: weeks
  kLeapSecond = 9,     ///< adjusted: whole seconds that UTC ran ahead (< 0: behind); value: s
  kAccuracy = 10,      ///< reported radius beyond the limit; value, limit: m
  kImpliedSpeed = 11,  ///< would need an impossible speed; value, limit: m/s
  kInnovation = 12,    ///< too far from the prediction; value, limit: normalised innovation squared
  kCached =
      13,  ///< a cached position delivered as the first after sleep; value: m from the estimate
  kUntrustedSource = 14,  ///< a coarse source against a good track; value, limit: m
  kDownweighted = 15,  ///< adjusted: an outlying fix used with less weight; value: weight in (0, 1)
  kReacquired = 16,    ///< adjusted: the track goes on here, after rejects, a long gap, an outlier
  kSimulated = 17,     ///< marked as mocked while mocked fixes are refused
};

/// The judgement on one fix, with the number that decided and the limit it was held against. Both
/// are finite. The limit is 0 where there is none: kDuplicate, kSimulated and kOutOfRange of the
/// place 0, 0 (value 0 too),
/// kNotFinite (value 0: the number cannot be told), kCached (value: m that the device moved since,
/// however few), kWeekRollover, and kLate and kFuture of an adjusted fix, whose source's clock was
/// found to stand wrong by `value`. That of kLeapSecond is 20 s.
struct Verdict {
  Disposition disposition = Disposition::kAccepted;
  Reason reason = Reason::kNone;
  double value = 0;
  double limit = 0;

  bool used() const {
    return disposition == Disposition::kAccepted || disposition == Disposition::kAdjusted;
  }
};

constexpr const char* DispositionName(Disposition d) {
  switch (d) {
    case Disposition::kAccepted:
      return "accepted";
    case Disposition::kAdjusted:
      return "adjusted";
    case Disposition::kProvisional:
      return "provisional";
    case Disposition::kRejected:
      return "rejected";
  }
  return "unknown";
}

constexpr const char* ReasonName(Reason r) {
  switch (r) {
    case Reason::kNone:
      return "none";
    case Reason::kNotFinite:
      return "not_finite";
    case Reason::kOutOfRange:
      return "out_of_range";
    case Reason::kDuplicate:
      return "duplicate";
    case Reason::kMerged:
      return "merged";
    case Reason::kLate:
      return "late";
    case Reason::kStale:
      return "stale";
    case Reason::kFuture:
      return "future";
    case Reason::kWeekRollover:
      return "week_rollover";
    case Reason::kLeapSecond:
      return "leap_second";
    case Reason::kAccuracy:
      return "accuracy";
    case Reason::kImpliedSpeed:
      return "implied_speed";
    case Reason::kInnovation:
      return "innovation";
    case Reason::kCached:
      return "cached";
    case Reason::kUntrustedSource:
      return "untrusted_source";
    case Reason::kDownweighted:
      return "downweighted";
    case Reason::kReacquired:
      return "reacquired";
    case Reason::kSimulated:
      return "simulated";
  }
  return "unknown";
}

}  // namespace waymark

#endif  // WAYMARK_FIX_H_
