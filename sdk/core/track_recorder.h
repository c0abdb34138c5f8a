// TrackRecorder: what of the track becomes records.
#ifndef WAYMARK_SDK_CORE_TRACK_RECORDER_H_
#define WAYMARK_SDK_CORE_TRACK_RECORDER_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "filters/odometer.h"
#include "filters/track_simplifier.h"
#include "waymark/estimate.h"
#include "waymark/record.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

/// The records of a track say what the odometer says: a rest is its stop anchor; from a start
/// anchor to the next stop anchor the simplifier's knots follow. What the odometer holds back, a
/// start that may be a receiver that strays or all before the first rest or start, waits here too:
/// once its way counts it becomes records, and if it was none it leaves none. A value.
class TrackRecorder {
 public:
  /// What is to be a record, and when it was true.
  struct Entry {
    MonoTime at{};
    std::optional<UtcTime> utc;
    RecordBody body;
  };

  explicit TrackRecorder(const SimplifierOptions& options) : simplifier_(options) {}

  /// The odometer after each estimate that it took, before what else is known of that estimate.
  void Follow(const Odometer& odometer);
  /// The next settled estimate, in order of time.
  void Push(const Estimate& settled);
  /// A start or a stop; what settles of the time before a stop has been pushed. `r68_m`: how well
  /// the place is known.
  void Change(const MotionChange& change, double r68_m, const Odometer& odometer);
  /// A silence of the fixes: the curve ends before it.
  void Break(MonoTime at, const std::optional<UtcTime>& utc, const GapRecord& gap);
  /// The newest estimate becomes a knot; the track goes on.
  void Close();
  /// The curve ends at the newest estimate.
  void Flush();
  /// What waits becomes records whatever comes of it: something else is to be recorded after it.
  void Release();
  /// Tracking has stopped.
  void Stop();

  /// What has become certain, in order, for the caller to take.
  std::vector<Entry>& ready() { return ready_; }
  /// Drops what waits or is ready and `stored(entry)` knows to be in the store.
  template <class Stored>
  void Forget(const Stored& stored) {
    std::erase_if(ready_, stored);
    std::erase_if(waiting_, stored);
  }

  /// ready() is not part of the state: it is empty between events.
  void Save(std::vector<std::byte>& out) const;
  /// kCorruption leaves the state unchanged. Any bytes are safe.
  Status Restore(std::span<const std::byte> image);

 private:
  void Add(MonoTime at, const std::optional<UtcTime>& utc, RecordBody body);
  void AddKnots();
  void Anchor(const MotionChange& change, double r68_m);
  void Decide(bool rests);

  TrackSimplifier simplifier_;
  Motion motion_ = Motion::kUnknown;   ///< of the newest anchor
  std::optional<MonoTime> anchor_at_;  ///< when that was
  bool resting_ = false;               ///< nothing of the track is recorded until a start is
  /// A start that the odometer takes for none so far.
  struct Start {
    MotionChange change;
    double r68_m = 0;
  };
  std::optional<Start> start_;
  double counted_m_ = 0;  ///< the odometer's reading
  bool waits_ = false;    ///< the odometer holds something back
  bool holds_ = false;    ///< and so does this
  double held_from_m_ = 0;
  Motion held_motion_ = Motion::kUnknown;  ///< motion_ when that began
  std::vector<Entry> waiting_, ready_;
  std::vector<Estimate> knots_;  ///< scratch
};

}  // namespace waymark

#endif  // WAYMARK_SDK_CORE_TRACK_RECORDER_H_
