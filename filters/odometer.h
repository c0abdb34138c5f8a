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
  /// The next estimate, in order of time (an older one is ignored), and what the device is doing at
  /// that time. Live or settled estimates both serve; do not mix them in one odometer.
  void Update(const Estimate& estimate, Motion motion);
  /// The way between two estimates is not known (tracking was off, the process was dead): the next
  /// estimate counts from where it stands. The gap's chord is NOT added.
  void Break();

  Distance total() const;
  /// The part of total() that was counted while the motion was stationary (0 by construction until
  /// a stop proves to have been a crawl).
  double stationary_m() const { return state_.stationary_m; }
  /// The difference of two readings of one odometer.
  static Distance Between(const Distance& earlier, const Distance& later);
  void Reset() { state_ = {}; }

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe.
  Status Restore(std::span<const std::byte> image);

 private:
  struct Node {
    MonoTime time{};
    LatLon position;
    double velocity_east_mps = 0, velocity_north_mps = 0;
    double sigma_m = 0;
  };
  struct State {
    std::optional<Node> last;
    std::optional<Node> rest;  ///< where the device came to rest
    double distance_m = 0;
    double variance_m2 = 0;   ///< of the independent errors so far
    double systematic_m = 0;  ///< errors that add up linearly
    double stationary_m = 0;
  };
  void Advance(const Node& to);

  State state_;
  LocalFrame frame_;  ///< at state_.last; derived
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_ODOMETER_H_
