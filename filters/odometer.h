// Odometer: how far the device has gone, and how wrong that number can be.
#ifndef WAYMARK_FILTERS_ODOMETER_H_
#define WAYMARK_FILTERS_ODOMETER_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "waymark/estimate.h"
#include "waymark/geometry.h"
#include "waymark/status.h"

namespace waymark {

/// A distance with the error that it exceeds in one case of twenty.
struct Distance {
  double distance_m = 0;
  double bound_m = 0;  ///< |error| <= bound_m with p = 0.95
};

/// Adds up the way between estimates. A value; allocates nothing.
class Odometer {
 public:
  /// The next estimate, in order of time (one that is not later is ignored), and what the device
  /// is doing at that time. Live or settled estimates both serve; do not mix them in one odometer.
  /// While the motion is unknown the way is held back: it counts once the device proves to move.
  void Update(const Estimate& estimate, Motion motion);
  /// The way between two estimates is not known (tracking was off, the process was dead): the next
  /// estimate counts from where it stands. The gap's chord is NOT added.
  void Break();

  Distance total() const;
  /// The way between two readings of one odometer.
  static Distance Between(const Distance& earlier, const Distance& later);
  void Reset() { *this = Odometer(); }

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe.
  Status Restore(std::span<const std::byte> image);

 private:
  struct Node {
    MonoTime time{};
    LatLon position;
    double velocity_east_mps = 0, velocity_north_mps = 0;
    double variance_m2 = 0;  ///< of the position along the way
  };
  /// The way from last_ to `to`, whose offset in last_'s plane is `chord`. May be negative: a step
  /// back of the estimate, which a later step forward makes good.
  double WayM(const Node& to, EastNorth chord) const;

  /// A way that is not counted yet.
  struct Held {
    double distance_m = 0, variance_m2 = 0, jitter_m = 0;
  };
  void Walk(const Node& to, double speed_sigma_mps);
  void CommitHeld();
  void EndExcursion(const Node& at);
  void EndLeg(const Node& at);
  void RestAt(const Node& at);
  void FollowRest(const Node& node);

  std::optional<Node> last_;
  Motion motion_ = Motion::kUnknown;
  /// Where the device rests or rested last, in the plane of `rest_frame_`.
  LatLon rest_origin_;
  EastNorth rest_;
  Held held_;
  std::optional<MonoTime> leaving_;  ///< moving, but not yet away from the place of rest
  double distance_m_ = 0;
  double variance_m2_ = 0;         ///< independent errors
  double jitter_m_ = 0;            ///< errors of one sign, that add up
  double leg_variance_m2_ = 0;     ///< of the position where the present leg began
  LocalFrame frame_, rest_frame_;  ///< at last_ and rest_origin_; derived
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_ODOMETER_H_
