// Smoothing: what the fixes that came later say about an earlier instant.
#ifndef WAYMARK_SMOOTHER_H_
#define WAYMARK_SMOOTHER_H_

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "waymark/estimate.h"
#include "waymark/estimator.h"
#include "waymark/export.h"
#include "waymark/fix.h"
#include "waymark/status.h"

namespace waymark {

/// Settles estimates a fixed time after their fix. Fed from the same fixes as an Estimator.
/// Not thread-safe; allocates nothing per fix after construction.
class WAYMARK_API FixedLagSmoother {
 public:
  /// `lag` in [0, 60] s: how long an estimate may still improve.
  explicit FixedLagSmoother(Duration lag = std::chrono::seconds(10));
  FixedLagSmoother(FixedLagSmoother&&) noexcept;
  FixedLagSmoother& operator=(FixedLagSmoother&&) noexcept;
  FixedLagSmoother(const FixedLagSmoother&);
  FixedLagSmoother& operator=(const FixedLagSmoother&);
  ~FixedLagSmoother();

  /// Call after each Estimator::Update that used the fix. Appends to `settled`, in order of time,
  /// the estimates that are now older than the lag; one for each used fix.
  void Push(const Estimator& estimator, std::vector<Estimate>& settled);
  /// Settles everything that is pending, at the newest knowledge.
  void Flush(std::vector<Estimate>& settled);
  /// Settles what is older than the lag at `now`, without a new fix.
  void Advance(MonoTime now, std::vector<Estimate>& settled);
  /// When Advance has work; nullopt when nothing is pending.
  std::optional<MonoTime> NextDeadline() const;

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe.
  Status Restore(std::span<const std::byte> image);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A fix together with when it arrived.
struct DeliveredFix {
  Fix fix;
  Stamp arrival;
};

/// A whole trace smoothed by a fixed-interval (Rauch-Tung-Striebel) pass, to be asked at any time.
class WAYMARK_API SmoothedTrack {
 public:
  /// Runs an Estimator forward over `fixes` (in order of delivery), then the smoother backward.
  static Result<SmoothedTrack> Create(std::span<const DeliveredFix> fixes, const EstimatorOptions&);
  SmoothedTrack(SmoothedTrack&&) noexcept;
  SmoothedTrack& operator=(SmoothedTrack&&) noexcept;
  ~SmoothedTrack();

  /// The estimates at the used fixes, in order of time, each worked out when it is asked for.
  class WAYMARK_API Knots;
  /// Valid as long as the track, wherever that is moved.
  Knots knots() const;
  /// The verdict on each input fix, in input order, as the forward pass gave it.
  std::span<const Verdict> verdicts() const;
  /// Velocity-aware (cubic Hermite) evaluation between knots with a covariance that grows away
  /// from them; nullopt outside the trace by more than `max_coast`, and inside a gap so long that
  /// the velocity says nothing (there the track is re-initialised).
  std::optional<Estimate> At(MonoTime time) const;

 private:
  friend struct EstimatorAccess;  // the ablation varies the constants
  SmoothedTrack();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class WAYMARK_API SmoothedTrack::Knots {
 public:
  class Iterator {
   public:
    using value_type = Estimate;
    using reference = Estimate;
    using pointer = void;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    Iterator() = default;
    Estimate operator*() const { return Knots(track_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) { return Iterator(track_, at_++); }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class Knots;
    Iterator(const Impl* track, std::size_t at) : track_(track), at_(at) {}
    const Impl* track_ = nullptr;
    std::size_t at_ = 0;
  };

  std::size_t size() const;
  bool empty() const { return size() == 0; }
  /// `i` must be below size().
  Estimate operator[](std::size_t i) const;
  Estimate front() const { return (*this)[0]; }
  Estimate back() const { return (*this)[size() - 1]; }
  Iterator begin() const { return {track_, 0}; }
  Iterator end() const { return {track_, size()}; }

 private:
  friend class SmoothedTrack;
  explicit Knots(const Impl* track) : track_(track) {}
  const Impl* track_;
};

}  // namespace waymark

#endif  // WAYMARK_SMOOTHER_H_
