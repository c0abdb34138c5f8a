// Odometer: how far the device has gone, and how wrong that number can be.
#ifndef WAYMARK_FILTERS_ODOMETER_H_
#define WAYMARK_FILTERS_ODOMETER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "filters/stay_watch.h"
#include "filters/way_meter.h"
#include "waymark/estimate.h"
#include "waymark/fix.h"
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
  explicit Odometer(const OdometerTuning& tuning = {}) : meter_(tuning) {}

  /// The next estimate, in order of time (one that is not later is ignored), and what the device
  /// is doing at that time. Live or settled estimates both serve; do not mix them in one odometer.
  /// While the motion is unknown the way is held back: it counts once the device proves to move.
  /// `fix`: what the estimate was made from, if the caller has it; its speed measures the way where
  /// positions are noisy. `way`: what MotionDetector makes of the way.
  void Update(const Estimate& estimate, Motion motion, const Fix* fix = nullptr,
              Way way = Way::kUsual);
  /// The way between two estimates is not known (the process was dead): the next estimate counts
  /// from where it stands. The gap's chord is NOT added. What MotionDetector holds back waits on.
  void Break();
  /// Tracking ends. What the detector holds back to the end is no way.
  void Finish();

  Distance total() const;
  /// Nothing leads away from the place of rest.
  bool rests() const { return motion_ == Motion::kStationary && !leaving_; }
  /// What may be no way is held back, a start or all before the first rest or start: once it no
  /// longer waits the total tells whether it was one.
  bool waits() const { return leaving_ || (last_ && motion_ == Motion::kUnknown); }
  /// The way between two readings of one odometer.
  static Distance Between(const Distance& earlier, const Distance& later);
  void Reset() { *this = Odometer(meter_.tuning()); }

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe.
  Status Restore(std::span<const std::byte> image);

 private:
  /// Where the way stood lately: what lies behind a stop is judged when the stop is known.
  struct Mark {
    MonoTime time{};
    LatLon position;
    double distance_m = 0;
  };
  static constexpr std::size_t kMarks = 64;

  bool Leaps(const WayNode& to) const;
  void Walk(const WayNode& to);
  void StepAtRest(const WayNode& to);
  void StepMoving(const WayNode& to);
  void Depart(const WayNode& at);
  void CommitHeld();
  void TakeBack(const WayNode& at);
  void AddMark(const WayNode& at);
  double UnnoticedM(const WayNode& at) const;
  bool Left(const WayNode& at) const;
  void CountStep(const WayNode& to);
  void EndExcursion(const WayNode& at);
  void EndLeg(const WayNode& at);
  void TakeVerdict(const WayNode& at, Way way);
  void RestAt(const WayNode& at);
  void DoubtRest(const WayNode& at);
  void DoubtTold(const WayNode& node);
  void FollowRest(const WayNode& node);

  WayMeter meter_;
  std::optional<WayNode> last_;
  Motion motion_ = Motion::kUnknown;
  /// Where the device rests or rested last, in the plane of `rest_frame_`.
  LatLon rest_origin_;
  EastNorth rest_;
  MonoTime rest_since_{};
  Way way_ = Way::kUsual;
  EastNorth rest_told_;   ///< mean velocity, per s, while at rest by a receiver that tells speeds
  double strayed_m_ = 0;  ///< how far out of the noise about the place of rest, not yet back
  WayLength held_;        ///< a way that is not counted yet
  /// Moving, but not yet known to be away from the place of rest.
  std::optional<MonoTime> leaving_;
  struct Excursion {
    double told_m = 0;     ///< the way by reported speeds
    double jump_m = 0;     ///< what of the distance may be jumps
    double largest_m = 0;  ///< the largest step
    double shortest_s = 3600;
    double steps = 0;
  };
  Excursion excursion_;  ///< since leaving_
  double distance_m_ = 0;
  double variance_m2_ = 0;      ///< independent errors
  double doubt_m_ = 0;          ///< errors of one sign, that add up
  double leg_variance_m2_ = 0;  ///< of the position where the present leg began
  std::array<Mark, kMarks> marks_{};
  std::uint32_t mark_begin_ = 0, mark_count_ = 0;
  LocalFrame frame_, rest_frame_;  ///< at last_ and rest_origin_; derived
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_ODOMETER_H_
