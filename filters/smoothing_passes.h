// The passes of the fixed-interval smoother over the fixes of a whole trace.
//
// Model: the filter's (axis_filter.h) with one motion model per step, whose process noise is the
// average over the mode probabilities of the forward pass. Forward Kalman pass and backward
// Rauch-Tung-Striebel pass are repeated with the weights of Student's t taken from the smoothed
// residuals (iteratively reweighted least squares; Lange, Little & Taylor, JASA 84, 1989): with the
// fixes on both sides known, a burst of outliers loses its weight by itself. Velocities are used
// with their latency removed by the following velocity, which a live filter cannot do.
//
// A trace of a million fixes does not fit into any cache, so what is kept per fix is small: the
// forward pass leaves a state at every kChunk-th fix only, and the backward pass takes the steps
// between two of them again (Griewank & Walther, ACM TOMS 26(1), 2000).
#ifndef WAYMARK_FILTERS_SMOOTHING_PASSES_H_
#define WAYMARK_FILTERS_SMOOTHING_PASSES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "filters/axis_filter.h"
#include "filters/track_filter.h"
#include "waymark/geometry.h"
#include "waymark/time.h"

namespace waymark {

/// A used fix: first as measured and judged by the forward pass, then smoothed in its place. A page
/// of fresh memory costs as much as the whole arithmetic of ten fixes, hence the single precision
/// of what is known to a few digits only.
struct SmoothedFix {
  MonoTime time{};
  std::int64_t utc_ms = 0;  ///< if has_utc
  /// In the plane `frame`; measured, then as published. Before it is placed in its plane, `p` holds
  /// longitude and latitude in degrees, `v` is east and north at the fix.
  Vec2 p, v;
  double var_m2 = 0;  ///< of the published position, per axis
  float q = 1, follow = 1, slow_var_m2 = 0;
  float gm_var_m2 = 1, gm_tau_s = 60;
  float velocity_var = 1, measured_var_m2 = 1;
  float jump_var_m2 = 0;  ///< distrust for lying beside a jump
  float weight = 1;
  union {
    float wrong_velocity_var = 0;  ///< as measured: what velocities are known to err by here
    float speed_sigma_mps;         ///< as smoothed
  };
  float p_stopped = 0, p_slow = 0;
  float altitude_m = 0, altitude_sigma_m = 0;  ///< if has_altitude
  std::uint32_t frame = 0;
  bool has_utc : 1 = false;
  bool has_altitude : 1 = false;
  bool has_velocity : 1 = false;
  bool late_velocity : 1 = false;  ///< the latency is still in it
  bool stopped : 1 = false;        ///< at rest, by its speed or by the filter
  bool foreign : 1 = false;        ///< its error is not the b of the track
  bool fresh_error : 1 = false;    ///< b begins anew here
  bool held : 1 = false;           ///< the forward pass did not use it
  bool noise_is_bound : 1 = false;
  bool velocity_denied : 1 = false;  ///< by the positions; then has_velocity means a speed of 0
  bool begin : 1 = false;            ///< nothing before it says anything about it
};
static_assert(sizeof(SmoothedFix) <= 120);

class SmoothingPasses {
 public:
  /// All three are kept by reference. The planes are made by Run.
  SmoothingPasses(std::vector<SmoothedFix>& items, std::vector<LocalFrame>& frames,
                  const FilterTuning& tuning)
      : items_(items), frames_(frames), tuning_(tuning) {}

  void Run();

 private:
  static constexpr std::size_t kChunk = 1024;  // states of 96 bytes: they stay in the L2 cache

  void Prepare();
  void RemoveLatency(std::size_t i);
  void RemoveLatencyByCurve(const SmoothedFix& before, SmoothedFix& a) const;
  void VindicateHeld();
  void DistrustJumps();
  std::optional<Vec2> OffTheWay(std::size_t from, std::size_t to) const;
  bool GoesOnWithout(std::size_t i, double jump_m2) const;
  void Forward();
  AxisState StepTo(std::size_t i, const AxisState& before) const;
  template <typename Visit>
  void Backward(const Visit& visit);
  void Reweigh(std::size_t i, const AxisState& smoothed);
  AxisState Moved(AxisState s, std::size_t from, std::size_t to) const;
  void BelieveVelocity(std::size_t i);
  static double Mismatch(const SmoothedFix& a, const SmoothedFix& b);

  std::vector<SmoothedFix>& items_;
  std::vector<LocalFrame>& frames_;
  const FilterTuning& tuning_;
  std::vector<AxisState> filtered_;     ///< of one chunk
  std::vector<AxisState> checkpoints_;  ///< the state before each chunk
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_SMOOTHING_PASSES_H_
