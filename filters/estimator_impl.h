// The inside of an Estimator, shared with the smoother and the ablation.
#ifndef WAYMARK_FILTERS_ESTIMATOR_IMPL_H_
#define WAYMARK_FILTERS_ESTIMATOR_IMPL_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "filters/fix_validator.h"
#include "filters/noise_monitor.h"
#include "filters/track_filter.h"
#include "waymark/estimator.h"
#include "waymark/smoother.h"

namespace waymark {

struct Estimator::Impl {
  static constexpr std::size_t kSources = 4;
  // What the reorder window holds at 10 s and 3 Hz, or 2 s and 16 Hz.
  static constexpr std::size_t kSteps = 32;

  /// A used fix with the filter before and after it: to put a late fix in its place, and for the
  /// smoother to look back.
  struct Done {
    Observation o;
    std::optional<UtcTime> utc;
    TrackFilter before;
    Verdict verdict;
  };

  explicit Impl(const EstimatorOptions& o) : options(o), validator(o), done(kSteps) {}

  EstimatorOptions options;
  FilterTuning tuning;
  FixValidator validator;
  TrackFilter filter;
  std::array<NoiseMonitor, kSources> monitors;
  std::vector<Done> done;
  std::size_t done_begin = 0, done_count = 0;
  MonoTime newest{};  ///< time of the newest fix that was in order, used or not
  /// No late fix reaches further back than the reorder window before this. It never goes back, so
  /// that what Save leaves out is never needed again.
  MonoTime in_order{Duration(-kMaxTimeNs)};
  std::optional<UtcTime> newest_utc;
  MonoTime newest_utc_time{};
  // What the last Update did, for the smoothers; no state.
  IntakeAction last_action = IntakeAction::kDrop;
  Observation last_observation;

  Done& At(std::size_t i) { return done[(done_begin + i) % kSteps]; }
  const Done& At(std::size_t i) const { return done[(done_begin + i) % kSteps]; }

  Verdict Update(const Fix& fix, const Stamp& arrival);
  std::optional<Estimate> Predict(MonoTime time) const;

  /// Steps the filter by `o` and keeps the step.
  Verdict Apply(const Observation& o, const std::optional<UtcTime>& utc);
  Verdict ApplyLate(const Observation& o, const std::optional<UtcTime>& utc);
  Verdict ReplaceNewest(const Observation& o, const std::optional<UtcTime>& utc);
  void Learn(const Observation& o);
  Done& PushDone();
};

/// FNV-1a of a saved image: a flipped bit would otherwise be a plausible number.
inline std::uint64_t Checksum(std::span<const std::byte> bytes) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const std::byte b : bytes) h = (h ^ static_cast<std::uint64_t>(b)) * 0x100000001b3;
  return h;
}

/// True if the last 8 bytes of `block` are the checksum of those before.
inline bool ChecksumHolds(std::span<const std::byte> block) {
  if (block.size() < 8) return false;
  StateReader stored(block.last(8));
  return stored.U64() == Checksum(block.first(block.size() - 8));
}

/// For the ablation and for the tests of the inside.
struct EstimatorAccess {
  static Estimator::Impl& Of(Estimator& e) { return *e.impl_; }
  static Result<SmoothedTrack> Smooth(std::span<const DeliveredFix> fixes,
                                      const EstimatorOptions& options, const FilterTuning& tuning);
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_ESTIMATOR_IMPL_H_
