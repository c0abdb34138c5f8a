// Counts what a replay of one trace observes, for the summary and the JSON output. Memory grows
// with stays, gaps and uploads, never with fixes.
#ifndef WAYMARK_REPLAY_TOOL_REPLAY_TALLY_H_
#define WAYMARK_REPLAY_TOOL_REPLAY_TALLY_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "replay_tool/ecef.h"
#include "replay_tool/trace.h"
#include "replay_tool/trace_timeline.h"
#include "waymark/tracker.h"

namespace waymark::replay {

struct ReplayTally {
  // The trace.
  std::string path;
  TraceInfo info;
  std::optional<UtcTime> first_utc, last_utc;  ///< earliest and latest time of validity
  double raw_distance_m = 0;                   ///< along the raw fixes, as they come

  // Fixes.
  std::uint64_t fixes = 0, estimates = 0;
  std::array<std::uint64_t, 4> by_disposition{};  ///< index: Disposition
  std::map<Reason, std::uint64_t> rejected_by_reason;
  std::map<Reason, std::uint64_t> adjusted_by_reason;

  // Records, motion, fences.
  std::uint64_t records = 0;
  std::map<RecordKind, std::uint64_t> records_by_kind;
  double moving_s = 0, stationary_s = 0;
  std::vector<Stay> stops;  ///< stays, and rests of a minute and more outside of them
  std::uint64_t stays = 0, trips = 0;
  std::vector<Gap> gaps;
  std::array<std::uint64_t, 5> fence_events{};  ///< index: FenceTransition
  std::uint64_t fence_problems = 0;

  // Sampling: what the policy asked of the positioning hardware.
  std::uint64_t sampling_requests = 0;
  double asked_fixes = 0;  ///< time in each mode over its interval
  double gnss_on_s = 0;    ///< that the policy asks of the receiver
  double watched_s = 0;    ///< from Start() to Stop()
  std::uint64_t wakeups = 0;

  // Upload.
  bool uploading = false;
  std::uint64_t requests = 0, batches_acknowledged = 0, records_sent = 0, records_acknowledged = 0;
  std::uint64_t bytes_sent = 0;
  std::vector<double> upload_delays_s;

  // At the end.
  Stats stats;
  double wall_s = 0;
  std::optional<std::string> environment_failure;  ///< the first; exit status 4
  std::optional<std::string> drain_failure;        ///< why records are left undelivered
  std::optional<std::string> upload_refusal;       ///< what the server held against uploads
  std::uint64_t dropped_before_problem = 0;        ///< of stats.records_dropped, told of
  std::string drop_reason;                         ///< the latest

  void OnRead(const DeliveredFix& placed);
  void OnFix(const FixReport& report);
  void OnMotion(const MotionChange& change);
  void OnStay(const Stay& stay) {
    ++stays;
    stops.push_back(stay);
  }
  void OnGap(const Gap& gap) { gaps.push_back(gap); }
  void OnFence(const FenceEvent& event);
  void OnRecord(const Record& record);
  void OnSampling(const SamplingRequest& request, MonoTime now);
  void OnUpload(const UploadReport& report);
  /// Closes the intervals that are still open at `now`.
  void Finish(MonoTime now);

 private:
  void CountMotionUntil(MonoTime time);
  void EndRest(MonoTime at);
  void AddRests();
  void CountSamplingUntil(MonoTime now);

  std::optional<LatLon> last_position_;
  Vec3 last_ecef_;
  Motion motion_ = Motion::kUnknown;
  std::optional<MonoTime> motion_since_;
  double live_r68_m_ = 0;     ///< of the latest estimate
  std::optional<Stay> rest_;  ///< that goes on
  std::vector<Stay> rests_;
  SamplingRequest sampling_;
  std::optional<MonoTime> sampling_since_;
};

/// What of the environment failed, in one line, though there may be two reasons: what is not stored
/// is not delivered either. `database` is the path of the store; empty: in memory.
std::optional<std::string> EnvironmentFailure(const ReplayTally& tally,
                                              const std::string& database);

/// Adds to the warnings what the store had to drop, and that no fix was of use.
void AddWarnings(ReplayTally& tally);

/// "late 2, duplicate 1".
std::string CountsText(const std::map<Reason, std::uint64_t>& by_reason);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPLAY_TALLY_H_
