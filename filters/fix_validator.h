// FixValidator: what can be said about a fix before the filter sees it. It repairs what is known to
// go wrong with time stamps, brings fixes into order, recognises what is no news (duplicates,
// repeats, reports of one epoch) and refuses what cannot be true. What is merely unlikely is left
// to the estimator's innovation test.
#ifndef WAYMARK_FILTERS_FIX_VALIDATOR_H_
#define WAYMARK_FILTERS_FIX_VALIDATOR_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "filters/state_bytes.h"
#include "waymark/estimate.h"
#include "waymark/estimator.h"
#include "waymark/fix.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

/// What the estimator is to do with a judged fix.
enum class IntakeAction : std::uint8_t {
  kUse = 0,          ///< newer than everything so far: predict to its time and update
  kInsertLate = 1,   ///< within the reorder window: go back to its time, update, repeat the rest
  kMergeNewest = 2,  ///< another report of the newest epoch: replace that epoch's measurement by
                     ///< Intake::fix, which is the union of the epoch's reports
  kDrop = 3,         ///< not to be used; Intake::verdict is final
};

struct Intake {
  IntakeAction action = IntakeAction::kDrop;
  /// kAccepted or kAdjusted where the fix may be used; the estimator may still judge otherwise.
  Verdict verdict;
  /// The fix to use: time repaired, longitude in [-180, 180), optional fields that made no sense
  /// removed, course without speed removed.
  Fix fix;
  /// The radius to take for it: the reported one, or the option's default.
  double accuracy_m = 0;
  /// The track up to now was outvoted or lies far back: begin a new one here.
  bool restart = false;
};

class FixValidator {
 public:
  explicit FixValidator(const EstimatorOptions& options = {}) : options_(options) {}

  /// Judges `fix`. `predict(MonoTime)` gives the estimator's std::optional<Estimate> at a time; it
  /// is asked at most once, at the repaired time, and only where it matters. A duplicate changes
  /// nothing at all. Total: any numbers are safe.
  template <std::invocable<MonoTime> Predict>
  Intake Judge(const Fix& fix, const Stamp& arrival, Predict&& predict) {
    Intake intake = Screen(fix, arrival);
    if (intake.action == IntakeAction::kUse) {
      Weigh(NeedsPrediction(intake) ? predict(intake.fix.time) : std::optional<Estimate>(), intake);
    }
    if (intake.action != IntakeAction::kDrop) Remember(intake, arrival);
    return intake;
  }
  /// The same, with the prediction at hand (or none).
  Intake Judge(const Fix& fix, const Stamp& arrival, const std::optional<Estimate>& prediction) {
    return Judge(fix, arrival, [&](MonoTime) { return prediction; });
  }

  /// Tells what became of the fix that the last Judge let through. Without it the fix counts as not
  /// used: implied speed and repeats are measured from used fixes.
  void Commit(const Intake& intake, const Verdict& final_verdict);

  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe. The options are not part of it.
  Status Restore(std::span<const std::byte> image);

 private:
  static constexpr std::size_t kRemembered = 32;

  /// A fix seen lately, as far as recognising it again needs it.
  struct Seen {
    std::uint64_t fingerprint = 0;  ///< over every field as delivered
    MonoTime time{};                ///< repaired
    LatLon position;
  };
  /// The newest fix that the filter used.
  struct Anchor {
    MonoTime time{};
    LatLon position;
    double accuracy_m = 0;
    double speed_mps = 0;
    bool confirmed = false;  ///< a second fix agreed with it
  };
  /// Fixes refused in a row because they contradict the track, and agree with one another.
  struct JumpBallot {
    std::uint32_t votes = 0;
    MonoTime begin{}, time{};
    LatLon position;
    double accuracy_m = 0;
  };
  /// Fixes refused in a row because of their time, that run in step with their arrival.
  struct ClockBallot {
    std::uint32_t votes = 0;
    MonoTime first{}, last{};  ///< as delivered
    Duration lag{};            ///< arrival - time, the least of them
  };
  struct State {
    std::array<Seen, kRemembered> seen{};
    std::uint32_t seen_count = 0, seen_next = 0;
    MonoTime newest_delivered{Duration(-kMaxTimeNs)};  ///< of the seen ones, as delivered
    std::optional<Fix> newest;  ///< the reports of the newest epoch that was let through, merged
    Duration newest_lag{};      ///< arrival - time of the first of them
    std::optional<Anchor> anchor;
    JumpBallot jump;
    ClockBallot clock;
    Duration clock_offset{};        ///< added to the source's monotonic time
    std::uint32_t utc_shifted = 0;  ///< fixes in a row whose UTC ran whole seconds ahead
    std::uint32_t repeats = 0;      ///< refused repeats of a position in a row
    MonoTime repeat_begin{};
  };

  Intake Screen(const Fix& fix, const Stamp& arrival);
  bool Sanitise(Intake& intake) const;
  bool RepairTime(Stamp& arrival, Intake& intake);
  bool LeaptAhead(Duration lag, Intake& intake);
  bool VoteOnClock(const Stamp& arrival, Intake& intake);
  void RepairUtc(const Stamp& arrival, Intake& intake);
  bool PlaceInTime(const Stamp& arrival, Intake& intake);
  void Merge(Intake& intake) const;
  bool WasSeen(std::uint64_t fingerprint) const;
  bool NeedsPrediction(const Intake& intake) const;
  void Weigh(const std::optional<Estimate>& prediction, Intake& intake);
  bool RepeatsOldPosition(const std::optional<Estimate>& prediction, Intake& intake);
  bool CoarseAgainstGoodTrack(const std::optional<Estimate>& prediction, Intake& intake) const;
  bool ImpliesImpossibleSpeed(Intake& intake);
  void RememberSeen(std::uint64_t fingerprint, const Fix& fix);
  void Remember(const Intake& intake, const Stamp& arrival);
  double AccuracyM(const Fix& fix) const;

  EstimatorOptions options_;
  State state_;
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_FIX_VALIDATOR_H_
