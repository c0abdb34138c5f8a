// Where a device lies that lies still.
//
// A phone at rest reports places that wander for hours, with a spread that its accuracy tells and,
// for minutes, far beyond it (measured: 2 to 3 m, and 20 to 40 m a few times in five hours). Judged
// one by one they cross any border through the place again and again. So once all estimates of two
// minutes agree with one place, fences are judged by that place: the running mean, with innovations
// clipped (Huber) so that a minute's excursion hardly moves it. It ends when the device is seen to
// move for 13 s without a break and 20 m, or when for 20 s every estimate lies clearly elsewhere:
// an excursion glides for 10 s at most, and comes back.
#ifndef SDK_GEOFENCE_REST_ANCHOR_H_
#define SDK_GEOFENCE_REST_ANCHOR_H_

#include <cstdint>

#include "waymark/estimate.h"

namespace waymark::geofence {

class RestAnchor {
 public:
  /// The estimate to judge fences by: `e` itself, or while at rest `anchored`, which is then
  /// filled. Estimates without any error are taken at their word and pass unchanged.
  const Estimate& Apply(const Estimate& e, Estimate& anchored);

  /// What a restart must keep.
  struct State {
    bool active = false, at_rest = false;
    MonoTime begin{};
    bool leaving = false;  ///< the estimates since `leaving_from` all lie elsewhere
    MonoTime leaving_from{};
    std::uint32_t steps = 0;  ///< estimates in a row, the last included, that are seen to move
    MonoTime walking_since{};
    LatLon walking_from;
    LatLon place;
    double weight = 0;
  };
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }
  void Shift(Duration by) {
    state_.begin += by;
    state_.leaving_from += by;
    state_.walking_since += by;
  }

 private:
  /// Of the latitude rounded to 1/64 degree: what is remembered depends on no history.
  double MetresPerLon(double lat_deg);
  bool Walked(const Estimate& e, double away2) const;

  State state_;
  std::int32_t scale_step_ = -1'000'000;
  double scale_ = 0;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_REST_ANCHOR_H_
