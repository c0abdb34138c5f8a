#include "sdk/geofence/rest_anchor.h"

#include <algorithm>
#include <cmath>

#include "sdk/geofence/cell_grid.h"
#include "waymark/geometry.h"

namespace waymark::geofence {
namespace {

constexpr double kRestAfterS = 120;  // longer than errors stay correlated (10 to 100 s)
// Agreement while rest is not sure yet, and departure once it is: in sigmas of one axis, but in
// metres for a good receiver, whose sigma does not tell of multipath.
constexpr double kAgreeSigmas = 4, kAgreeM = 15;
constexpr double kLeaveSigmas = 8, kLeaveM = 50;
constexpr double kSigmasPerMetreFloor = 40;  // a receiver of centimetres keeps centimetres
constexpr double kLeaveAfterS = 20;          // excursions come back; who leaves stays away
// Who walks is seen to move without a break. So are phones at rest, for at most 10 s or on a few
// sparse fixes in five hours of which an excursion takes them 20 m and more.
constexpr double kMovingMps = 0.6;
constexpr double kWalkS = 13, kWalkSigmas = 4, kWalkM = 20;
constexpr std::uint32_t kWalkSteps = 6;
// What is kept as a possible way off begins here, or with movement. Decides about no event.
constexpr double kAwaySigmas = 2, kAwayM = 6;
constexpr double kClipSigmas = 1.5;
constexpr double kMaxWeight = 3600;
// Errors a correlation time apart count as new: at most ten of them, for what stays common.
constexpr double kCorrelationS = 100;
constexpr double kMaxIndependent = 10;
// What multipath leaves in the mean of hours; less for a receiver of centimetres.
constexpr double kAnchorSigmaM = 1.5, kAnchorSigmas = 4;

double Square(double x) { return x * x; }

double Limit2(double variance_m2, double sigmas, double metres) {
  return std::max(Square(sigmas) * variance_m2,
                  std::min(Square(metres), Square(kSigmasPerMetreFloor) * variance_m2));
}

constexpr double kMetresPerLat = 111'132, kMetresPerLon = 111'320;

}  // namespace

double RestAnchor::MetresPerLon(double lat_deg) {
  const auto step = static_cast<std::int32_t>(lat_deg * 64);
  if (step != scale_step_) {
    scale_step_ = step;
    scale_ = kMetresPerLon * CosDeg(step / 64.0);
  }
  return scale_;
}

bool RestAnchor::Walked(const Estimate& e, double away2) const {
  if (state_.steps < kWalkSteps || Seconds(e.time - state_.walking_since) < kWalkS) return false;
  const double variance = (e.cov_ee_m2 + e.cov_nn_m2) / 2;
  const double far2 = Limit2(variance, kWalkSigmas, kWalkM);
  const double walked_m = DistanceM(e.position, state_.walking_from);
  return away2 > far2 && Square(walked_m) > far2;
}

void RestAnchor::See(const Estimate& e) {
  if (state_.seen_count == kMaxSeen) {
    // Every second one will do, after the first.
    for (std::size_t i = 1; 2 * i < kMaxSeen; ++i) state_.seen[i] = state_.seen[2 * i];
    state_.seen_count = kMaxSeen / 2;
  }
  state_.seen[state_.seen_count++] = {e.time, e.position, e.cov_ee_m2, e.cov_en_m2, e.cov_nn_m2};
}

void RestAnchor::Restart(const Estimate& e) {
  if (state_.at_rest) {
    way_off_ = state_.seen;
    way_off_count_ = state_.seen_count;
  }
  // All but the places seen, which count for nothing: who drives comes here with every estimate.
  state_.active = true;
  state_.at_rest = state_.leaving = false;
  state_.steps = state_.seen_count = 0;
  state_.begin = state_.leaving_from = state_.walking_since = e.time;
  state_.walking_from = state_.place = e.position;
  state_.weight = 1;
}

const Estimate& RestAnchor::Apply(const Estimate& e, Estimate& anchored) {
  way_off_count_ = 0;
  const double variance = (e.cov_ee_m2 + e.cov_nn_m2) / 2;
  if (variance <= 0 || std::fabs(e.position.lat_deg) > 89) {
    if (state_.active) state_ = {};
    return e;
  }
  const double speed2 = Square(e.velocity_east_mps) + Square(e.velocity_north_mps);
  const bool moving = e.motion == Motion::kMoving && speed2 > Square(kMovingMps);
  const bool surely_moving = moving && speed2 > Square(std::max(1.0, 3 * e.speed_sigma_mps));
  const double metres_per_lon = MetresPerLon(e.position.lat_deg);
  double lon = e.position.lon_deg - state_.place.lon_deg;
  if (lon > 180) lon -= 360;
  if (lon < -180) lon += 360;
  const double east = lon * metres_per_lon;
  const double north = (e.position.lat_deg - state_.place.lat_deg) * kMetresPerLat;
  const double away2 = Square(east) + Square(north);
  bool gone = !state_.active;
  if (!state_.at_rest) {
    gone |= surely_moving || away2 > Limit2(variance, kAgreeSigmas, kAgreeM);
  } else {
    const bool left = away2 > Limit2(variance, kLeaveSigmas, kLeaveM);
    if (left && !state_.leaving) state_.leaving_from = e.time;
    state_.leaving = left;
    if (!moving) {
      state_.steps = 0;
    } else if (state_.steps++ == 0) {
      state_.walking_since = e.time;
      state_.walking_from = e.position;
    }
    gone = (left && Seconds(e.time - state_.leaving_from) >= kLeaveAfterS) || Walked(e, away2);
  }
  if (gone) {
    Restart(e);
    return e;
  }
  state_.weight = std::min(state_.weight + 1, kMaxWeight);
  const double sigma = std::sqrt(variance), away = std::sqrt(away2);
  const double share_of_mean =
      (away > kClipSigmas * sigma ? kClipSigmas * sigma / away : 1) / state_.weight;
  state_.place.lat_deg += north * share_of_mean / kMetresPerLat;
  const auto place = LatLon::FromDegrees(
      state_.place.lat_deg, state_.place.lon_deg + east * share_of_mean / metres_per_lon);
  if (place) state_.place = *place;
  const double rest_s = Seconds(e.time - state_.begin);
  if (!state_.at_rest && rest_s < kRestAfterS) return e;
  state_.at_rest = true;
  anchored = e;
  anchored.position = state_.place;
  const double share = 1 / std::clamp(rest_s / kCorrelationS, 1.0, kMaxIndependent);
  const double floor_m = std::min(kAnchorSigmaM, kAnchorSigmas * sigma);
  anchored.cov_ee_m2 = std::max(e.cov_ee_m2 * share, floor_m * floor_m);
  anchored.cov_nn_m2 = std::max(e.cov_nn_m2 * share, floor_m * floor_m);
  anchored.cov_en_m2 *= share;
  anchored.motion = Motion::kStationary;
  if (moving || away2 > Limit2(variance, kAwaySigmas, kAwayM)) {
    if (state_.seen_count > 0) See(e);
  } else {
    state_.seen_count = 0;
    See(anchored);
  }
  return anchored;
}

}  // namespace waymark::geofence
