// StayWatch: whether what leads away from a settled place of rest is a way or a receiver that
// strays.
#ifndef WAYMARK_FILTERS_STAY_WATCH_H_
#define WAYMARK_FILTERS_STAY_WATCH_H_

#include <cstdint>
#include <optional>

#include "waymark/geometry.h"
#include "waymark/time.h"

namespace waymark {

class StateReader;
class StateWriter;

/// What is to be made of the way since the last settled rest.
enum class Way : std::uint8_t {
  kUsual = 0,   ///< nothing is known of it from here
  kHeld = 1,    ///< it may be none: it waits for how it ends
  kNone = 2,    ///< at the settled place, or back there by what was no way
  kWalked = 3,  ///< what was held has proven to be a way
};

struct StayWatchTuning {
  // Who rested this long has settled (MotionOptions::min_stay).
  double settled_s = 180;
  // Who moves within this distance and rests there has not left (MotionOptions::stay_radius_m).
  double settled_m = 70;
  // So far does a receiver stray that starts indoors or takes a far access point for a near one,
  // and for so long: a recorded evening had 435 m and 471 s. More of either changes nothing, half
  // costs (filters/README.md, at home).
  double stray_m = 500;
  double stray_s = 540;
  // The least way out and back that its steps prove: on that evening what strayed without a jump
  // stayed within 43 m; 70 would lose walks of 60 m (filters/README.md, at home).
  double walk_m = 50;
};

/// Follows the fixes about a settled place. A value; allocates nothing.
class StayWatch {
 public:
  explicit StayWatch(const StayWatchTuning& tuning = {}) : tuning_(tuning) {}

  /// The device has rested at `place` for `settled_s`. Near the last place the watch goes on;
  /// elsewhere it has moved there.
  void Settle(LatLon place, double sigma_m);
  /// Whatever is held is a way, and the place is left.
  void Leave();
  /// The next fix, in order of time, where the estimate stands after it, the errors (per axis) of
  /// both, and the speed that the fix tells.
  void Add(MonoTime time, LatLon fix, double fix_sigma_m, LatLon estimate, double sigma_m,
           std::optional<double> told_mps);

  Way way() const;
  /// How far the estimate got in the excursion that goes on, or in the last one.
  double farthest_m() const { return farthest_m_; }

  void Save(StateWriter& w) const;
  void Restore(StateReader& r);

 private:
  struct Step {
    double east_mps = 0, north_mps = 0;
    double from_m = 0, to_m = 0;  ///< distances of its ends from the place
    double from_estimate_m = 0;   ///< the same of the estimate at its begin
    bool fast = false;            ///< faster than a walker, out of the noise
  };
  void JudgeStep(const Step& next);
  void Return(double sigma_m);
  double SurroundingsM(double sigma_m) const;
  double ReachM(double sigma_m) const;

  StayWatchTuning tuning_;
  LatLon place_;
  LocalFrame frame_;  ///< at place_; derived
  bool settled_ = false;
  bool away_ = false;    ///< an excursion goes on
  bool walked_ = false;  ///< the last excursion was a way
  bool tells_ = false;   ///< the last fix told a speed
  MonoTime away_since_{};
  std::uint32_t near_ = 0;
  double strayed_m_ = 0;  ///< how far fixes of excursions from here have gone that were none
  double farthest_m_ = 0, farthest_fix_m_ = 0, told_m_ = 0;
  double left_by_jump_m_ = 0, back_by_jump_m_ = 0;
  bool jumped_ = false;
  std::optional<MonoTime> last_;
  EastNorth last_fix_;
  double last_estimate_m_ = 0;
  Step step_, step_before_;
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_STAY_WATCH_H_
