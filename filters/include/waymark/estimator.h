// The estimator by itself: raw fixes in, verdicts and trustworthy estimates out.
// For who wants only the filter; the Tracker of waymark/tracker.h contains one.
#ifndef WAYMARK_ESTIMATOR_H_
#define WAYMARK_ESTIMATOR_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "waymark/estimate.h"
#include "waymark/export.h"
#include "waymark/fix.h"
#include "waymark/status.h"

namespace waymark {

/// Limits and choices that belong to the application, not to the physics. Physical constants live
/// in filters/ beside their source.
struct EstimatorOptions {
  double max_accuracy_m = 2000;    ///< fixes with a larger reported radius are refused; > 0
  double default_accuracy_m = 10;  ///< radius assumed where a source reports none; > 0
  double max_speed_mps = 340;      ///< a faster implied speed is impossible for the host; > 0
  Duration reorder_window =
      std::chrono::seconds(2);                    ///< late fixes are put in their place; [0, 10] s
  Duration max_coast = std::chrono::seconds(30);  ///< no estimate further from the last fix; > 0
  bool accept_simulated = true;  ///< false: fixes that the platform marked as mocked are refused
};

/// Turns fixes into estimates. See filters/README.md for the model and its measured behaviour.
/// A movable value without threads, clocks or globals: the same calls give the same bits.
/// Not thread-safe. Allocates nothing after Create().
class WAYMARK_API Estimator {
 public:
  /// kInvalidArgument names the option that is out of range.
  static Result<Estimator> Create(const EstimatorOptions& options);
  Estimator(Estimator&&) noexcept;
  Estimator& operator=(Estimator&&) noexcept;
  Estimator(const Estimator&);
  Estimator& operator=(const Estimator&);
  ~Estimator();

  /// Judges `fix`, which arrived at `arrival`, and uses it if it can. Total: never fails, whatever
  /// the numbers. A fix older than the newest but within `reorder_window` is applied in its place.
  Verdict Update(const Fix& fix, const Stamp& arrival);

  /// A hint of the motion sensors; may arrive at any time.
  void Observe(const MotionSample& sample);

  /// The estimate at the time of the newest fix so far, used or not. nullopt before the first used
  /// fix and when the newest fix lies more than `max_coast` beyond the last used one.
  std::optional<Estimate> Latest() const;

  /// `fix`, the newest that was judged, as others should hear it: without a velocity that the
  /// positions deny (some receivers say 0 for want of a speed or a course, or tell km/h).
  Fix Heard(const Fix& fix) const;

  /// The estimate at any `time` not before the last used fix, with growing covariance, up to
  /// `max_coast` beyond it; nullopt outside that. For drawing at display rate.
  std::optional<Estimate> Predict(MonoTime time) const;

  /// Appends a complete, versioned image of the state to `out`.
  void Save(std::vector<std::byte>& out) const;
  /// Replaces the state by an image. kCorruption leaves the state unchanged. Any bytes are safe.
  Status Restore(std::span<const std::byte> image);

 private:
  friend class FixedLagSmoother;
  friend class SmoothedTrack;
  friend struct EstimatorAccess;  // the ablation and the tests of the inside
  struct Impl;
  explicit Estimator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace waymark

#endif  // WAYMARK_ESTIMATOR_H_
