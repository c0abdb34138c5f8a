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
#include "filters/stay_watch.h"
#include "waymark/estimate.h"
#include "waymark/fix.h"
#include "waymark/geometry.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

struct MotionOptions {
  /// A rest this long is a stay, and ends the trip. [10 s, 24 h]
  Duration min_stay = std::chrono::seconds(180);
  /// Who comes to rest again this near to a stay has not left it. 70 m is what the field uses for
  /// people and vehicles alike (Radar stopDistance; Traccar 100 m). [5, 1000] m
  double stay_radius_m = 70;
};

/// The constants of the detector's model that the ablation varies, each with its source.
struct MotionTuning {
  // Slower than this is no walk: ambling people measure 0.6-0.8 m/s (Bohannon 1997: 1.3 normal).
  double rest_mps = 0.35;
  // A walker is out of the noise after 8 s per metre of it: at 1.2 m/s half-span means stand 4.8
  // sigma apart.
  double span_per_noise = 8;
  // Who drove a moment ago does not walk away at once: at a vehicle's 3 m/s the same is seen in 3 s
  // per metre, and a drift of two noises over the span is none.
  double vehicle_span_per_noise = 3;
  double vehicle_drift_noises = 2;
  // Of the mean velocity vector at rest: 3.5 sigma of a circular normal error are passed once in
  // 460.
  double start_noises = 3.5;
  // A short way must advance in each of its parts by so many times the noise.
  double progress_noises = 1.0;
  // Against the estimate's own sigma: what a rest may scatter.
  double rest_scatter = 2.5;
  // A jump of a canyon lasts 10 s on average, exponentially (estimation.md E): 1 % outlast 45 s.
  double far_span_s = 45;
  StayWatchTuning watch;
};

/// Something the detector found. `kind` says which member counts.
struct MotionEvent {
  enum class Kind : std::uint8_t {
    kMotionChange = 0,  ///< `change`: an anchor; its time may lie before the fix that showed it
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

/// Stays and trips alternate: at rest for min_stay gives kTripEnded (if one was open), kStayBegan;
/// leaving the stay's surroundings gives kStayEnded, kTripBegan. kMotionChange tells every rest and
/// every start, red lights included, at once. A value; allocates nothing but in `out`.
class MotionDetector {
 public:
  explicit MotionDetector(const MotionOptions& options = {}, const MotionTuning& tuning = {})
      : options_(options), tuning_(tuning) {
    state_.watch = StayWatch(tuning.watch);
  }

  /// The live estimate after `fix` was judged (also when it was rejected), and the odometer's
  /// reading before this estimate was added to it. Appends what was found to `out`.
  void Update(const Estimate& live, const Fix& fix, const Verdict& verdict,
              const Distance& odometer, std::vector<MotionEvent>& out);
  /// A hint of the motion sensors; acts with the next fix.
  void Observe(const MotionSample& sample);
  /// Time passed without a fix: a rest becomes a stay.
  void Advance(MonoTime now, const Distance& odometer, std::vector<MotionEvent>& out);
  /// When Advance has work; nullopt when it has none.
  std::optional<MonoTime> NextDeadline() const;
  /// Tracking ends: the open stay or trip is closed at the last estimate. The next Update begins
  /// anew.
  void Finish(const Distance& odometer, std::vector<MotionEvent>& out);

  Motion motion() const { return state_.motion; }
  /// What the odometer is to make of the way since the last settled rest.
  Way way() const { return state_.watch.way(); }
  /// Since when: the time of the last kMotionChange.
  std::optional<MonoTime> since() const;
  /// The stay that is going on, with its position from all the fixes so far.
  std::optional<Stay> current_stay() const;
  std::optional<Trip> current_trip() const;

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe. The options are not part of it.
  Status Restore(std::span<const std::byte> image);

 private:
  static constexpr std::size_t kWindow = 96;

  /// The device at one moment, in the plane of `frame_`.
  struct Sample {
    MonoTime time{};
    EastNorth at;
    EastNorth raw;                  ///< the fix where it was used, else `at`
    double ve_mps = 0, vn_mps = 0;  ///< reported where there is one, else estimated
    double speed_mps = 0;
    bool reported = false;  ///< the source reported speed (and course, if it moved)
  };
  /// What the last seconds look like: a span, three samples at least where there are, and none
  /// before `from`.
  struct Look {
    double span_s = 0;
    std::uint32_t samples = 0, reported = 0;
    double drift_m = 0;  ///< between the mean positions of the first and the last part
    double drift_mps = 0;
    double velocity_mps = 0;  ///< length of the mean velocity vector
    double speed_mps = 0;     ///< mean of the speeds
    double progress_m = 0;    ///< the least step between parts, along the drift
    double told_mps = 0;      ///< mean of the reported speeds
    EastNorth mean;           ///< position
  };
  /// Where the device rests: a weighted, robust mean of the fixes.
  struct Place {
    EastNorth at;
    double weight = 0;
    double variance_m2 = 0;   ///< mean variance of a fix, per axis
    double scatter_m2 = 0;    ///< mean squared distance per axis
    double speed2_m2ps2 = 0;  ///< mean square of reported speeds: the noise of a speed of zero
    std::uint32_t speeds = 0;
    std::uint32_t fixes = 0;
    MonoTime first{}, last{};
  };
  struct State {
    Motion motion = Motion::kUnknown;
    bool started = false;
    LatLon origin;
    std::array<Sample, kWindow> window{};
    std::uint32_t begin = 0, count = 0;
    MonoTime last{};
    std::optional<std::int64_t> utc_minus_mono_ms;
    double sigma_m = 0;  ///< of the last estimate, per axis
    std::optional<MotionSample> hint;
    MonoTime since{};
    MonoTime noticed{};             ///< when `since` was found
    std::optional<MonoTime> drove;  ///< when it last went as only vehicles go
    Place place;                    ///< of the rest that goes on, or the last one
    std::optional<MonoTime> far;    ///< since when the estimate stands away from `place`
    bool departing = false;         ///< what `departed` says is of the excursion that is held back
    MonoTime departed{};
    LatLon departed_from;
    Distance depart_reading;
    bool in_stay = false, in_trip = false;
    Stay stay;
    EastNorth stay_at;  ///< where it began
    Place stay_place;   ///< of its rests before the last start
    Trip trip;
    Distance trip_reading;
    StayWatch watch;
    std::uint64_t next_id = 1;
  };

  // `begin` and `i` are below kWindow: a comparison does for the division.
  const Sample& At(std::uint32_t i) const {
    const std::uint32_t at = state_.begin + i;
    return state_.window[at < kWindow ? at : at - kWindow];
  }
  void Begin(const Estimate& live);
  /// `at` is the estimate in the plane of `frame_`.
  void AddSample(const Estimate& live, EastNorth at, const Fix& fix, bool used, bool fresh);
  void AddToPlace(const Fix& fix, double accuracy_m);
  Look LookBack(double span_s, MonoTime from = MonoTime::min()) const;
  /// Root mean square of the samples of `look` about their mean position, per axis.
  double ScatterM(const Look& look) const;
  double NoiseM() const;
  double PlaceNoiseM() const;
  double AwayM(EastNorth at) const;
  void Watch(const Estimate& live, const Fix& fix, bool used, std::vector<MotionEvent>& out);
  std::optional<MonoTime> FindStop() const;
  std::optional<MonoTime> FindStart() const;
  bool Drives() const;
  bool LeavesFast(double noise_m) const;
  MonoTime DepartureTime() const;
  void Rest(MonoTime since, std::vector<MotionEvent>& out);
  Place StayPlace() const;
  void RestInStay(std::vector<MotionEvent>& out);
  void Start(MonoTime since, const Distance& odometer, std::vector<MotionEvent>& out);
  void SettleStay(MonoTime now, const Distance& odometer, std::vector<MotionEvent>& out);
  void LeaveStay(std::vector<MotionEvent>& out);
  void Recentre(LatLon origin);
  Stay StayNow(MonoTime end, const Place& place) const;
  Trip TripNow(MonoTime end, LatLon to, const Distance& odometer) const;
  std::optional<UtcTime> UtcAt(MonoTime time) const;

  MotionOptions options_;
  MotionTuning tuning_;
  State state_;
  LocalFrame frame_;  ///< at state_.origin; derived
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_MOTION_DETECTOR_H_
