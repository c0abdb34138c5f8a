// Core: the state machine that is Waymark. Events in, actions out; no clock, thread, file or
// chance.
//
// The way of a fix: estimator (verdict, live estimate) -> odometer, motion, geofences (decide on
// the live estimate) -> smoother (settles it) -> recorder (picks knots) -> records -> one Commit.
// What was committed is what the uploader peeks, sends and acknowledges.
#ifndef WAYMARK_SDK_CORE_CORE_H_
#define WAYMARK_SDK_CORE_CORE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "filters/motion_detector.h"
#include "filters/odometer.h"
#include "sdk/core/action.h"
#include "sdk/core/event.h"
#include "sdk/core/track_recorder.h"
#include "sdk/geofence/geofence_engine.h"
#include "sdk/sampling/sampling_policy.h"
#include "sdk/sync/uploader.h"
#include "waymark/config.h"
#include "waymark/estimator.h"
#include "waymark/smoother.h"
#include "waymark/status.h"
#include "waymark/time.h"
#include "waymark/tracker.h"

namespace waymark {

/// What the store keeps for the core between processes; empty at the first start.
struct SavedState {
  std::vector<std::byte> core;    ///< the value of kCoreStateKey
  std::vector<std::byte> fences;  ///< the value of kFencesStateKey
};
inline constexpr char kCoreStateKey[] = "core";
inline constexpr char kFencesStateKey[] = "fences";
inline constexpr char kTailStateKey[] = "tail";  ///< UTC ms of the newest record, little-endian i64

/// Within the years 1824 to 2116, where neither differences nor nanoseconds overflow.
UtcTime SaneUtc(UtcTime utc);

std::vector<std::byte> EncodeTail(UtcTime last_utc);
std::optional<UtcTime> DecodeTail(std::span<const std::byte> bytes);

class Core {
 public:
  /// kInvalidArgument lists every violation of `config`. A damaged saved state is not an error: the
  /// core starts afresh and says so with its first actions.
  static Result<Core> Create(const Config& config, std::uint64_t seed, const SavedState& saved);

  /// Nothing outlives this process, not even a journal of it: from now on commits carry no state,
  /// which costs more to make than a fix. Everything else stays the same.
  void ForgetState() { keeps_state_ = false; }

  /// Total: never fails, never throws. Appends what follows from `event` to `out`, in order.
  void Handle(const Event& event, const Stamp& now, std::vector<Action>& out);

  /// When to send ev::AlarmFired; nullopt: not before another event.
  std::optional<MonoTime> NextDeadline() const;

  /// The complete state but config and fence definitions: restoring it at any event is a no-op.
  void Save(std::vector<std::byte>& out) const;
  /// Fence definitions, to go with Save.
  void SaveFences(std::vector<std::byte>& out) const { fences_.SaveFences(out); }

  Stats GetStats() const;
  /// The estimate at a time of the host; nullopt outside of what Estimator::Predict covers.
  std::optional<Estimate> Predict(MonoTime at) const;
  const GeofenceEngine& fences() const { return fences_; }
  std::optional<FenceState> GetFenceState(std::string_view id) const;

 private:
  Core(const Config& config, std::uint64_t seed, Estimator estimator);

  // core.cc: one function for each event.
  void On(const ev::StoreOpened& e, std::vector<Action>& out);
  void On(const ev::Start& e, std::vector<Action>& out);
  void On(const ev::Stop& e, std::vector<Action>& out);
  void On(const ev::AlarmFired& e, std::vector<Action>& out);
  void On(const ev::Flush& e, std::vector<Action>& out);
  void On(const MotionSample& e, std::vector<Action>& out);
  void On(const Battery& e, std::vector<Action>& out);
  void On(const Link& e, std::vector<Action>& out);
  void On(const HostState& e, std::vector<Action>& out);
  void On(const ev::AddFences& e, std::vector<Action>& out);
  void On(const ev::RemoveFences& e, std::vector<Action>& out);
  void On(const ev::ClearFences& e, std::vector<Action>& out);
  void On(const ev::Enqueue& e, std::vector<Action>& out);
  void BeginBoot(std::uint64_t boot_id);
  void UpdateSampling(std::vector<Action>& out);
  void AdvanceTime(std::vector<Action>& out);

  // core_track.cc: the way of a fix.
  void On(const Fix& fix, std::vector<Action>& out);
  void CheckGap(MonoTime until, std::optional<UtcTime> until_utc, std::vector<Action>& out);
  void TellMotion(std::vector<Action>& out);
  void TellFences(std::vector<Action>& out);
  void SettleAll();
  void RecordSettled();
  void RecordTrack();
  void CloseTrack();

  // core_time.cc: what time it is, and the times of records.
  void LearnUtc(const Estimate& told, FixSource source);
  void SetUtc(std::chrono::milliseconds utc_minus_mono);
  UtcTime UtcOf(MonoTime internal, const std::optional<UtcTime>& utc = std::nullopt) const;
  void DateLastFix();
  std::optional<UtcTime> NewestRecordUtc() const;
  void Append(MonoTime at, const std::optional<UtcTime>& utc, RecordBody body);
  void AppendUntimed(RecordBody body);
  void Append(MonoTime at, UtcTime when, RecordBody body);
  void DateHeld();
  void AcceptGuess();

  // core_store.cc: records to the store and from there to the server.
  void On(const ev::Committed& e, std::vector<Action>& out);
  void On(const ev::Peeked& e, std::vector<Action>& out);
  void On(const ev::Enforced& e, std::vector<Action>& out);
  void On(const HttpReply& e, std::vector<Action>& out);
  void CommitIfDue(std::vector<Action>& out);
  void PutState(std::vector<KeyValue>& state) const;
  bool MayUpload() const;
  void PumpUpload(std::vector<Action>& out);
  void EnforceIfDue(std::vector<Action>& out);
  void Drop(const sync::UploadDrop& drop);
  void FinishFlush(std::vector<Action>& out);
  void Say(Code code, std::string message, std::vector<Action>& out);

  // core_snapshot.cc
  Status Restore(std::span<const std::byte> image);

  /// Internal time runs on across boots; the host's monotonic time is internal - offset_.
  /// What a host gives may be any number: the sum saturates.
  MonoTime Internal(MonoTime host) const;
  MonoTime Host(MonoTime internal) const { return internal - offset_; }

  Config config_;
  Stamp now_;             ///< of the event that is handled: internal mono, host's utc
  MonoTime host_mono_{};  ///< of the event that is handled, as the host stamped it
  Duration offset_{};
  std::uint64_t boot_id_ = 0;
  MonoTime last_mono_{};  ///< newest internal time seen

  // Track
  Estimator estimator_;
  FixedLagSmoother smoother_;
  MotionDetector motion_;
  Odometer odometer_;
  TrackRecorder recorder_;
  GeofenceEngine fences_;
  bool tracking_ = false;
  std::uint64_t session_ = 0;
  std::optional<MonoTime> last_used_fix_;
  std::optional<UtcTime> last_used_utc_;
  std::uint64_t rejected_since_used_ = 0;
  GapCause silence_cause_ = GapCause::kUnknown;  ///< why fixes may be missing, as far as known
  double raw_stationary_m_ = 0;
  std::optional<LatLon> last_raw_;

  // Time
  /// utc - internal mono, as a source told it in this boot.
  std::optional<std::chrono::milliseconds> utc_offset_;
  bool utc_confirmed_ = false;  ///< by satellites or a server, not only by a network fix
  /// Another offset, told by the latest fixes in a row.
  std::optional<std::chrono::milliseconds> utc_rival_;
  std::uint32_t utc_rival_votes_ = 0;
  bool guess_accepted_ = false;         ///< in this boot nothing waits for a confirmed time
  std::optional<MonoTime> hold_until_;  ///< set while held_ is not empty

  // Conditions
  Battery battery_;
  HostState host_;
  std::optional<SamplingRequest> sampling_;

  // Store
  bool keeps_state_ = true;
  std::uint64_t next_seq_ = 1;
  std::optional<UtcTime> last_record_utc_;  ///< of the newest record that is not held
  std::vector<Record> unsaved_;             ///< not yet committed, in order
  /// When the last records of unsaved_ were true: those that wait for a confirmed time.
  std::vector<MonoTime> held_;
  bool opened_ = false;
  bool commit_in_flight_ = false;
  std::size_t committing_ = 0;  ///< how many of unsaved_ are in the commit in flight
  std::vector<SeqRange> acks_;  ///< to leave the store, one with each commit
  bool commit_acks_ = false;    ///< the commit in flight carries acks_.front()
  bool fences_changed_ = false;
  bool snapshot_due_ = false;
  std::optional<MonoTime> next_snapshot_;
  std::optional<MonoTime> retry_commit_;
  Duration commit_backoff_{};
  std::uint64_t stored_records_ = 0, stored_bytes_ = 0;
  bool enforce_in_flight_ = false;
  std::optional<MonoTime> next_enforce_;
  DropsRecord unreported_drops_;

  // Upload
  sync::Uploader uploader_;
  bool flushing_ = false;
  std::uint64_t sent_bytes_ = 0, sent_records_ = 0;
  SeqRange sent_range_;
  std::optional<UtcTime> sent_oldest_utc_;

  Stats stats_;
  Status restore_status_;
  Code last_store_problem_ = Code::kOk;

  // Scratch, empty between events: kept for their capacity.
  std::vector<Estimate> settled_;
  std::vector<MotionEvent> motion_events_;
  std::vector<FenceEvent> fence_events_;
};

}  // namespace waymark

#endif  // WAYMARK_SDK_CORE_CORE_H_
