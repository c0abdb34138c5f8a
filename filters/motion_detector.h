// MotionDetector: moving or at rest, decided from geometry with the sensors' hints; and what
// follows from it: start and stop anchors, stays, trips.
#ifndef WAYMARK_FILTERS_MOTION_DETECTOR_H_
#define WAYMARK_FILTERS_MOTION_DETECTOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "filters/odometer.h"
#include "waymark/estimate.h"
#include "waymark/fix.h"
#include "waymark/geometry.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

struct MotionOptions {
  /// A rest this long is a stay, and ends the trip. [10 s, 24 h]
  Duration min_stay = std::chrono::seconds(180);
  /// Two places closer than this are one: the least size of a stay. [5, 1000] m
  double stay_radius_m = 30;
};

/// Something the detector found. `kind` says which member counts.
struct MotionEvent {
  enum class Kind : std::uint8_t {
    kMotionChange = 0,  ///< `change`: the anchor; its time may lie before the fix that showed it
    kStayBegan = 1,     ///< `stay`: end == begin, position so far
    kStayEnded = 2,     ///< `stay`: complete
    kTripBegan = 3,     ///< `trip`: end == begin, to == from
    kTripEnded = 4,     ///< `trip`: complete, with the odometer's distance
  };
  Kind kind = Kind::kMotionChange;
  MotionChange change;
  Stay stay;
  Trip trip;
};

/// Order of events: kMotionChange stationary .. kTripEnded, kStayBegan .. kMotionChange moving,
/// kStayEnded, kTripBegan. Stays and trips alternate. A value; allocates nothing but in `out`.
class MotionDetector {
 public:
  explicit MotionDetector(const MotionOptions& options = {}) : options_(options) {}

  /// The live estimate after `fix` was judged (also when it was rejected), and the odometer's
  /// reading before this estimate was added to it. Appends what was found to `out`.
  void Update(const Estimate& live, const Fix& fix, const Verdict& verdict,
              const Distance& odometer, std::vector<MotionEvent>& out);
  /// A hint of the motion sensors.
  void Observe(const MotionSample& sample, std::vector<MotionEvent>& out);
  /// Time passed without a fix.
  void Advance(MonoTime now, std::vector<MotionEvent>& out);
  /// When Advance has work; nullopt when it has none.
  std::optional<MonoTime> NextDeadline() const;
  /// Tracking ends: the open stay or trip is closed at the last estimate.
  void Finish(const Distance& odometer, std::vector<MotionEvent>& out);

  Motion motion() const { return state_.motion; }
  /// Since when; the time of the last MotionChange.
  std::optional<MonoTime> since() const { return state_.since; }
  /// The stay that is going on, with its position from all the fixes so far.
  std::optional<Stay> current_stay() const;
  std::optional<Trip> current_trip() const;

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe. The options are not part of it.
  Status Restore(std::span<const std::byte> image);

 private:
  static constexpr std::size_t kWindow = 96;

  /// One fix of the recent past, in the plane of `frame_`.
  struct Sample {
    MonoTime time{};
    std::optional<UtcTime> utc;
    EastNorth at;        ///< the estimate
    EastNorth reported;  ///< the fix, or the estimate where it was refused
    double sigma_m = 0;  ///< 1 sigma per axis of `reported`
    double speed_mps = 0;
    std::optional<double> reported_speed_mps;
    float weight = 0;  ///< fixes this sample stands for
  };
  /// A place at rest: robust weighted mean of its fixes.
  struct Place {
    EastNorth at;
    double weight = 0, weight2 = 0;
    double scatter_m2 = 0;
    std::uint32_t fixes = 0;
  };
  struct State {
    Motion motion = Motion::kUnknown;
    std::optional<MonoTime> since;
    std::optional<UtcTime> since_utc;
    LatLon origin;
    bool has_origin = false;
    std::array<Sample, kWindow> window{};
    std::uint32_t window_begin = 0, window_count = 0;
    MotionSample hint;
    Place place;
    bool in_stay = false, in_trip = false;
    Stay stay;
    Trip trip;
    Distance trip_begin;
    std::uint64_t next_id = 1;
  };

  MotionOptions options_;
  State state_;
  LocalFrame frame_;  ///< at state_.origin; derived
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_MOTION_DETECTOR_H_
