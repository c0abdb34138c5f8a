// TrackPoint: one instant of any track that is to be judged: raw fixes, estimates, records or a
// peer's output.
#ifndef WAYMARK_REPLAY_TOOL_TRACK_POINT_H_
#define WAYMARK_REPLAY_TOOL_TRACK_POINT_H_

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "waymark/estimate.h"
#include "waymark/fix.h"

namespace waymark::replay {

/// An optional number in eight bytes, for what a long trace holds a million times. NaN, which is no
/// measurement, is nothing.
class OptionalNumber {
 public:
  OptionalNumber() = default;
  OptionalNumber(double value) : value_(value) {}
  OptionalNumber(std::nullopt_t) {}
  OptionalNumber(const std::optional<double>& value) {
    if (value) value_ = *value;
  }

  bool has_value() const { return !std::isnan(value_); }
  explicit operator bool() const { return has_value(); }
  double operator*() const { return value_; }
  void reset() { *this = OptionalNumber(); }
  operator std::optional<double>() const {
    return has_value() ? std::optional(value_) : std::nullopt;
  }

 private:
  double value_ = std::numeric_limits<double>::quiet_NaN();
};

struct TrackPoint {
  std::int64_t utc_ms = 0;
  LatLon position;
  OptionalNumber r68_m, r95_m;
  /// Covariance of the position, east-north, m^2.
  struct Covariance {
    double ee = 0, en = 0, nn = 0;
  };
  std::optional<Covariance> covariance;
  OptionalNumber speed_mps;
  OptionalNumber course_deg;
};

inline TrackPoint ToTrackPoint(const Fix& fix, std::int64_t utc_ms) {
  TrackPoint p;
  p.utc_ms = utc_ms;
  p.position = fix.position;
  p.r68_m = fix.horizontal_accuracy_m;
  p.speed_mps = fix.speed_mps;
  p.course_deg = fix.course_deg;
  return p;
}

inline TrackPoint ToTrackPoint(const Estimate& e, std::int64_t utc_ms) {
  TrackPoint p;
  p.utc_ms = utc_ms;
  p.position = e.position;
  p.r68_m = e.r68_m;
  p.r95_m = e.r95_m;
  p.covariance = TrackPoint::Covariance{e.cov_ee_m2, e.cov_en_m2, e.cov_nn_m2};
  p.speed_mps = e.speed_mps();
  p.course_deg = e.course_deg();
  return p;
}

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACK_POINT_H_
