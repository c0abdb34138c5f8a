// TrackPoint: one instant of any track that is to be judged: raw fixes, estimates, records or a
// peer's output.
#ifndef WAYMARK_REPLAY_TOOL_TRACK_POINT_H_
#define WAYMARK_REPLAY_TOOL_TRACK_POINT_H_

#include <cstdint>
#include <optional>

#include "waymark/estimate.h"
#include "waymark/fix.h"

namespace waymark::replay {

struct TrackPoint {
  std::int64_t utc_ms = 0;
  LatLon position;
  std::optional<double> r68_m, r95_m;
  /// Covariance of the position, east-north, m^2.
  struct Covariance {
    double ee = 0, en = 0, nn = 0;
  };
  std::optional<Covariance> covariance;
  std::optional<double> speed_mps;
  std::optional<double> course_deg;
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
