// Where a device lies that lies still.
//
// A phone at rest reports places that wander for hours, with a spread that its accuracy tells and,
// for minutes, far beyond it (measured: 2 to 3 m, and 20 to 40 m a few times in five hours). Judged
// one by one they cross any border through the place again and again. So once all estimates of two
// minutes agree with one place, fences are judged by that place: the running mean, with innovations
// clipped (Huber) so that a minute's excursion hardly moves it. It ends when the device is seen to
// move for 13 s without a break and 20 m, or when for 20 s every estimate lies clearly elsewhere:
// an excursion glides for 10 s at most, and comes back. What the estimates said meanwhile is kept:
// once the rest turns out to be over, it is the way that the device took.
#ifndef SDK_GEOFENCE_REST_ANCHOR_H_
#define SDK_GEOFENCE_REST_ANCHOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "waymark/estimate.h"

namespace waymark::geofence {

class RestAnchor {
 public:
  /// The estimate to judge fences by: `e` itself, or while at rest `anchored`, which is then
  /// filled. Estimates without any error are taken at their word and pass unchanged.
  const Estimate& Apply(const Estimate& e, Estimate& anchored);

  /// A place of the way off.
  struct Seen {
    MonoTime time{};
    LatLon position;
    double cov_ee_m2 = 0, cov_en_m2 = 0, cov_nn_m2 = 0;
  };
  /// If the last estimate ended a rest: the resting place when it was last believed, and the
  /// estimates between that and the last one, thinned out where they are many. Empty otherwise.
  std::span<const Seen> WayOff() const { return {way_off_.data(), way_off_count_}; }
  /// Of what was seen so far nothing is a way: fences that were added later would be crossed by it.
  void ForgetWay() { state_.seen_count = 0; }

  static constexpr std::size_t kMaxSeen = 16;
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
    /// While at rest: the resting place, and the estimates since that may be a way off.
    std::array<Seen, kMaxSeen> seen;
    std::uint32_t seen_count = 0;
  };
  const State& state() const { return state_; }
  void set_state(const State& state) { state_ = state; }
  void Shift(Duration by) {
    state_.begin += by;
    state_.leaving_from += by;
    state_.walking_since += by;
    for (Seen& seen : state_.seen) seen.time += by;
  }

 private:
  /// Of the latitude rounded to 1/64 degree: what is remembered depends on no history.
  double MetresPerLon(double lat_deg);
  bool Walked(const Estimate& e, double away2) const;
  void See(const Estimate& e);
  void Restart(const Estimate& e);

  State state_;
  std::array<Seen, kMaxSeen> way_off_;
  std::size_t way_off_count_ = 0;
  std::int32_t scale_step_ = -1'000'000;
  double scale_ = 0;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_REST_ANCHOR_H_
