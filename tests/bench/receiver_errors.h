// What receivers of many makes do to a way whose truth is known: each kind of error is a function,
// a world is several of them one after the other. Nothing here is shared with trace_corpus's model
// or with the simulator of the tool.
#ifndef WAYMARK_TESTS_BENCH_RECEIVER_ERRORS_H_
#define WAYMARK_TESTS_BENCH_RECEIVER_ERRORS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bench/trace_corpus.h"
#include "filters/axis_filter.h"

namespace waymark::worlds {

using corpus::Random;

/// A way with its truth, in a plane.
class Road {
 public:
  /// `way` has a truth; what it has beyond `minutes` is left out.
  Road(corpus::Session way, double minutes);
  const corpus::Session& way() const { return way_; }
  const LocalFrame& frame() const { return frame_; }
  std::optional<Vec2> At(std::int64_t utc_ms) const;
  std::int64_t begin_ms() const { return way_.truth.front().utc_ms; }
  std::int64_t end_ms() const { return way_.truth.back().utc_ms; }

 private:
  corpus::Session way_;
  LocalFrame frame_;
};

/// A moment of a way, and what is said of it.
struct Sample {
  std::int64_t utc_ms = 0;
  Vec2 truth, true_velocity;
  Vec2 position;
  std::optional<Vec2> velocity;
  bool course = true;  ///< said with the speed
  double radius_m = 4;
  FixSource source = FixSource::kGnss;
};

struct Stream {
  const Road& road;
  std::vector<Sample> samples;
};

/// The seconds to the next fix.
using Clock = std::function<double(Random&)>;
Clock Regular(double step_s);
Clock Jittered(double step_s, double share);     ///< each step off by up to that share
Clock Irregular(double least_s, double most_s);  ///< most steps short, some long

using Effect = std::function<void(Stream&, Random&)>;

// Errors of the position. Sigmas in m per axis.
Effect White(double sigma_m);
Effect Coloured(double sigma_m, double tau_s);
Effect RandomWalk(double m_per_root_s);
Effect HeavyTailed(double scale_m);  ///< Student's t, 2 degrees of freedom
enum class Burst { kFixed, kScattered, kMovingOff };
/// One to `most` fixes `near_m` to `far_m` away, once a minute or two; `honest`: with such a
/// radius.
Effect Bursts(Burst kind, int most, double near_m, double far_m, bool honest = false);
/// Once a minute or two the same fix is told again for a while (`whole`), or the same position with
/// what else is new.
Effect Repeats(double least_s, double most_s, bool whole);
/// At rest the position of its beginning is told again: an honest repeat.
Effect HeldAtRest();
/// Silences; the first fix after each is off by up to `bad_m`.
Effect Gaps(double least_s, double most_s, double bad_m);
Effect Quantised(double degrees);
Effect Lag(double seconds);
Effect Overshoot();                               ///< a tracking loop with too little damping
Effect OtherRoad(double least_m, double most_m);  ///< for minutes beside the way

// Errors of the velocity.
Effect VelocityNoise(double sigma_mps);
Effect VelocityDrift(double sigma_mps, double tau_s);
Effect VelocityLate(double seconds);
Effect SpeedScaled(double factor);
Effect SpeedStuckAtZero(double spell_s);  ///< once in three minutes; 0: always
Effect NoCourse();
Effect CourseOff(double degrees);    ///< by so much, always
Effect CourseStuck(double degrees);  ///< at this, always

// What is said of the error, and by whom.
Effect Radius(double radius_m);
Effect RadiusInSteps();
Effect NetworkBetween(double every_s, double sigma_m);  ///< fixes of a network besides
Effect NetworkInstead(double least_s, double most_s, double sigma_m);  ///< for a while, sparsely
/// For a while the masts of cells that far apart, told twice each ten seconds, or the last fix
/// before, out of a cache: what phones say in trains and tunnels.
Effect CellsInstead(double least_s, double most_s, double apart_m);

/// No more than positions and times.
Effect PositionOnly();

/// What a receiver of this clock and these errors says along `road`.
corpus::Session Drive(const Road& road, const Clock& clock, const std::vector<Effect>& effects,
                      std::uint64_t seed);

}  // namespace waymark::worlds

#endif  // WAYMARK_TESTS_BENCH_RECEIVER_ERRORS_H_
