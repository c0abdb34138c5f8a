// One trace on its way through a Tracker on a virtual clock: what `run` and `evaluate` share.
#ifndef WAYMARK_REPLAY_TOOL_REPLAY_SESSION_H_
#define WAYMARK_REPLAY_TOOL_REPLAY_SESSION_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "replay_tool/in_flight_transport.h"
#include "replay_tool/replay.h"
#include "replay_tool/virtual_clock.h"
#include "waymark/tracker.h"

namespace waymark::replay {

/// Tells what the tracker says to the tally, to the outputs and to a watcher, in this order.
class ReplaySession final : public Listener {
 public:
  ReplaySession(const ReplayOptions& options, ReplayOutputs& outputs, ReplayWatcher* watcher);

  /// The first fix sets the clock, so that the tracker is made when it comes; `timeline` has placed
  /// it, may learn of more steps, and must live as long as this. The error is the tracker's.
  Status Begin(const DeliveredFix& first, const TraceTimeline& timeline);
  bool begun() const { return tracker_ != nullptr; }
  /// Steps the clock to the fix and hands it over; `line` is its place in its trace.
  void Push(const DeliveredFix& placed, std::uint64_t line);
  /// The trace has ended: settle, deliver what is left if `drain`, and stop.
  void End(bool drain);

  MonoTime now() const { return clock_->Now(); }
  double odometer_m() const { return tracker_->GetStats().odometer_m; }
  /// Complete after End(), but for trace and wall time.
  ReplayTally& tally() { return tally_; }

  void OnFix(const FixReport& report) override;
  void OnMotion(const MotionChange& change) override;
  void OnStay(const Stay& stay) override;
  void OnTripStart(const Trip& trip) override;
  void OnTrip(const Trip& trip) override;
  void OnGap(const Gap& gap) override;
  void OnFence(const FenceEvent& event) override;
  void OnFenceProblem(const FenceProblem& problem) override;
  void OnRecord(const Record& record) override;
  void OnSampling(const SamplingRequest& request, std::string_view) override;
  void OnUpload(const UploadReport& report) override;
  void OnProblem(const Status& problem) override;

 private:
  using RealClock = std::chrono::steady_clock;

  void AdvanceTo(const Stamp& to);
  // The codes of what an uploader says about a server's answer.
  static bool IsRefusal(Code code);
  // Each replay is a boot of its own: named by the UTC at which it begins and, on a database, by
  // how far that has come, so that the same trace again is another boot. The same run has the same
  // name.
  std::uint64_t BootId(UtcTime begin) const;
  void Event(const EventRow& row);
  // A request that is under way takes no time of the trace, whatever the network does: results do
  // not depend on the speed of this machine. Without `until`, a server that asks to wait is waited
  // for as long as the drain may take, over the whole trace.
  void HoldForNetwork(std::optional<RealClock::time_point> until);
  void WaitUntilReal(MonoTime target);
  // Outlives the drain, should its answer come late.
  struct FlushState {
    bool done = false;
    Status status;
  };
  std::shared_ptr<FlushState> RequestFlush();
  // Lets the tracker's own backoff pass, at once, until it sends again.
  void StepToNextAttempt();
  // Delivers what is left. Retries follow the tracker's own timers, which pass at once here; each
  // failed attempt costs some real time, so that a server that comes back finds us trying.
  void Drain();

  const ReplayOptions& options_;
  ReplayOutputs& outputs_;
  ReplayWatcher* const watcher_;
  ReplayTally tally_;
  const TraceTimeline* timeline_ = nullptr;
  std::optional<InFlightTransport> transport_;
  RealClock::duration wait_left_{};  // real time for servers that ask to wait, before the drain
  bool last_upload_failed_ = false;
  std::optional<VirtualClock> clock_;
  RealClock::time_point real_start_;
  MonoTime virtual_start_{};
  std::deque<std::uint64_t> lines_;   // of fixes whose report is still to come
  std::unique_ptr<Tracker> tracker_;  // last: it refers to the clock and the transport
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPLAY_SESSION_H_
