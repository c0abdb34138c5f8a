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

/// The constants of the odometer's model that the ablation varies, each with its source.
struct OdometerTuning {
  // Of what noise may have added to the way: between none and all, since turns look the same.
  double noise_share = 0.5;
  // Positions against velocities: where they are a fifth of the step both count alike.
  double jitter_weight = 25;
  // Between two fixes far apart the way runs along the chord (0) or both sides of a corner (1).
  double corner_share = 0.3;
};

/// Adds up the way between estimates. A value; allocates nothing.
class Odometer {
 public:
  explicit Odometer(const OdometerTuning& tuning = {}) : tuning_(tuning) {}

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
  void Reset() { *this = Odometer(tuning_); }

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe.
  Status Restore(std::span<const std::byte> image);

 private:
  /// An estimate as the odometer needs it.
  struct Node {
    MonoTime time{};
    LatLon position;
    double ve_mps = 0, vn_mps = 0;
    double speed_mps = 0;  ///< measured without a direction, or the length of the velocity
    double speed_sigma_mps = 0;
    double variance_m2 = 0;  ///< of the position, per axis
    double step_s = 0;       ///< since the estimate before
    bool blind = false;      ///< made from a position alone
    bool told = false;       ///< the receiver reported a speed
  };
  /// Where the way stood lately: what lies behind a stop is judged when the stop is known.
  struct Mark {
    MonoTime time{};
    LatLon position;
    double distance_m = 0;
  };
  static constexpr std::size_t kMarks = 64;

  /// A way that is not counted yet.
  struct Held {
    double distance_m = 0, variance_m2 = 0, doubt_m = 0;
  };
  double CurveM(const Node& to, EastNorth chord) const;
  static double TurnRad(const Node& from, const Node& to);
  void TakeCorner(const Node& to, EastNorth chord);
  void Walk(const Node& to);
  void CloseStretch(const Node& at, double chord_m);
  void BeginStretch(const Node& at);
  void CommitHeld();
  void TakeBack(const Node& at);
  void AddMark(const Node& at);
  double UnnoticedM(const Node& at) const;
  bool Left(const Node& at) const;
  void CountStep(const Node& to);
  void EndExcursion(const Node& at);
  void EndLeg(const Node& at);
  void TakeVerdict(const Node& at, Way way);
  void RestAt(const Node& at);
  void DoubtRest(const Node& at);
  void DoubtTold(const Node& node);
  void FollowRest(const Node& node);

  OdometerTuning tuning_;
  std::optional<Node> last_;
  EastNorth chords_[2];  ///< the last two steps far apart in time; zero where there was none
  Motion motion_ = Motion::kUnknown;
  /// Where the device rests or rested last, in the plane of `rest_frame_`.
  LatLon rest_origin_;
  EastNorth rest_;
  MonoTime rest_since_{};
  Way way_ = Way::kUsual;
  EastNorth rest_told_;   ///< mean velocity, per s, while at rest by a receiver that tells speeds
  double strayed_m_ = 0;  ///< how far out of the noise about the place of rest, not yet back
  Held held_;
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
  double correction_m2_ = 0;    ///< running mean square of what positions add to velocities
  /// The part of the way that noise cannot make much longer: its ends are far apart.
  struct Stretch {
    LatLon from;
    double way_m = 0;
    double noise_m = 0;   ///< longer by errors of the velocity, at most
    double jitter_m = 0;  ///< way where positions jitter as much as they move
    double told_m = 0;    ///< way with reported speeds
  };
  Stretch stretch_;
  std::array<Mark, kMarks> marks_{};
  std::uint32_t mark_begin_ = 0, mark_count_ = 0;
  LocalFrame frame_, rest_frame_,
      stretch_frame_;  ///< at last_, rest_origin_, stretch_.from; derived
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_ODOMETER_H_
