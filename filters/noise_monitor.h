// NoiseMonitor: learns, while a track is recorded, how large and how coloured the position error of
// its fixes is, so that the filter can tell a receiver that has filtered already (follow it) from
// one that jitters (trust the dynamics).
//
// Model. The structure function (variogram) of the position error at lags of 1, 5 and 20 s:
//   gamma(h) = E |d(t) - d(t - h)|^2 / 4 per axis,   d = position - integral of velocity,
// which is sigma_w^2 + sigma_b^2 (1 - exp(-h / tau)) for a white plus a Gauss-Markov error
// (Cressie, Statistics for Spatial Data, 2.4). Without velocities the second difference of the
// positions 1 s apart stands in for it, and where it shows that the velocities are to blame. Each
// is divided by the variance that the fixes reported, and tracked as a running median, which bursts
// of outliers cannot move far. It looks at fixes only, never at the filter's own output: no
// feedback, so it cannot talk itself into a wrong world.
#ifndef WAYMARK_FILTERS_NOISE_MONITOR_H_
#define WAYMARK_FILTERS_NOISE_MONITOR_H_

#include <array>
#include <cstdint>
#include <optional>

#include "filters/axis_filter.h"
#include "filters/state_bytes.h"
#include "waymark/time.h"

namespace waymark {

/// Follows the median of a stream of positive numbers by steps in its logarithm (stochastic
/// approximation, Robbins & Monro 1951). Steps shrink while the stream is stationary and grow when
/// most samples fall on one side.
class RunningMedian {
 public:
  explicit RunningMedian(double start = 1) : median_(start) {}
  void Add(double x);
  double median() const { return median_; }
  std::uint32_t count() const { return count_; }

  void Save(StateWriter& w) const;
  void Load(StateReader& r);

 private:
  double median_;
  double drift_ = 0;  ///< recent mean of the signs of the steps
  std::uint32_t count_ = 0;
};

class NoiseMonitor {
 public:
  /// `p` in metres in any frame that is kept for the session's part at hand (Reset when it moves);
  /// `variance_m2` is what the fix reported, per axis.
  void Add(MonoTime time, Vec2 p, const std::optional<Vec2>& told, double variance_m2);
  /// The next fix does not continue the last (a gap, a new frame, a jump): medians are kept.
  void Break() { count_ = 0; }

  /// Error of a position per reported variance.
  struct Level {
    double white = 0.1, gm = 0.9, tau_s = 60;
    double jitter = 0;  ///< gamma(1 s): what changes from second to second, per reported variance
    bool measured = false;     ///< from data; else the prior
    bool upper_bound = false;  ///< manoeuvres between the fixes are in it
    /// What the velocities err by, per axis, where the positions give them the lie (the rest is
    /// from the positions alone then); else 0.
    double velocity_var_m2ps2 = 0;
    double total() const { return white + gm; }
  };
  const Level& level() const { return level_; }
  /// The noise of one-second steps, metres per axis; nullopt before there is evidence.
  std::optional<double> jitter_m() const { return jitter_m_; }

  void Save(StateWriter& w) const;
  void Load(StateReader& r);

 private:
  static constexpr std::size_t kRing = 32;
  struct Sample {
    double t_s = 0;
    Vec2 p, d;  ///< position; position minus the integral of velocity
    double variance_m2 = 1;
  };
  static constexpr std::uint32_t kRefresh = 4;  // samples between two readings of the medians
  void Refresh(double step_s);
  static Level LevelBlind(double total, double step_s);
  Level LevelByVelocities(double step_s) const;
  double VelocityError(double step_s) const;
  const Sample& Back(std::size_t n) const { return ring_[(next_ + kRing - n) % kRing]; }
  void Compare(std::size_t back, double now_s, double lag_s, const Sample& s, RunningMedian& m);

  std::array<Sample, kRing> ring_{};
  std::size_t next_ = 0, count_ = 0;
  bool has_velocity_ = false;
  std::uint32_t of_other_kind_ = 0;  ///< fixes with, or without, a velocity unlike the stream
  MonoTime base_{};
  Vec2 last_v_, integral_;
  double last_s_ = 0;
  std::uint32_t until_refresh_ = kRefresh;
  Level level_;
  std::optional<double> jitter_m_;
  RunningMedian gamma1_{0.05}, gamma5_{0.3}, gamma20_{0.8}, second_{0.2}, jitter_{0.5};
  RunningMedian bend_{0.2};  ///< as second_, of a stream with velocities
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_NOISE_MONITOR_H_
