// Tracker: the product. Feed it what the platform reports; it filters, fences, stores and uploads,
// and tells a listener what happened.
#ifndef WAYMARK_TRACKER_H_
#define WAYMARK_TRACKER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/config.h"
#include "waymark/estimate.h"
#include "waymark/export.h"
#include "waymark/fix.h"
#include "waymark/geofence.h"
#include "waymark/ports.h"
#include "waymark/record.h"
#include "waymark/status.h"

namespace waymark {

/// What became of one fix.
struct FixReport {
  Fix fix;
  Verdict verdict;
  /// The estimate right after this fix, at its time (or at the newest time so far when the fix is
  /// late or its time unusable); nullopt without any estimate within max_coast.
  std::optional<Estimate> live;
};

/// A batch that was answered.
struct UploadReport {
  std::uint64_t first_seq = 0, last_seq = 0;
  std::uint64_t records = 0, bytes = 0;  ///< bytes of the body, headers not counted
  std::optional<int> http_status;        ///< nullopt: no answer
  bool acknowledged = false;
  std::optional<Duration>
      oldest_delay;  ///< from recording to acknowledgement, of the oldest record
};

/// Counters since Create(), and what waits.
struct Stats {
  std::uint64_t fixes = 0, accepted = 0, adjusted = 0, provisional = 0, rejected = 0;
  std::uint64_t records = 0;  ///< appended
  std::uint64_t pending = 0;  ///< stored and not yet acknowledged
  std::uint64_t requests = 0, batches_acknowledged = 0, records_acknowledged = 0, bytes_sent = 0;
  std::uint64_t records_dropped = 0;
  std::uint64_t sampling_requests = 0;
  double odometer_m = 0, odometer_bound_m = 0;  ///< distance travelled and its 95 % error bound
  double stationary_m = 0;  ///< part of the raw displacement that was held back at rest
  Motion motion = Motion::kUnknown;
  std::size_t geofences = 0;
};

/// Called on the tracker's executor, one at a time, never under a lock; may call any method of the
/// tracker. References are valid during the call.
class WAYMARK_API Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnFix(const FixReport&) {}
  virtual void OnMotion(const MotionChange&) {}
  virtual void OnStay(const Stay&) {}       ///< when it ended
  virtual void OnTripStart(const Trip&) {}  ///< end, to and distance are not yet set
  virtual void OnTrip(const Trip&) {}       ///< when it ended
  virtual void OnGap(const Gap&) {}
  virtual void OnFence(const FenceEvent&) {}
  virtual void OnFenceProblem(const FenceProblem&) {}
  virtual void OnRecord(const Record&) {}  ///< appended to the store
  virtual void OnSampling(const SamplingRequest&, std::string_view /*reason*/) {}
  virtual void OnUpload(const UploadReport&) {}
  virtual void OnProblem(const Status&) {}  ///< an environment failure, said once
};

/// Borrowed; each must outlive the tracker. clock and executor are required.
struct TrackerPorts {
  const Clock* clock = nullptr;
  Executor* executor = nullptr;
  Transport* transport = nullptr;      ///< null: nothing is uploaded
  LocationSource* location = nullptr;  ///< null: the host only pushes
  Listener* listener = nullptr;
  /// Receives the journal's bytes in order (see waymark/journal.h); empty: no journal.
  std::function<void(std::span<const std::byte>)> journal;
  std::uint64_t seed = 0;  ///< randomness for jitter and the installation id: give random bits
};

/// All methods are thread-safe and return at once: the work happens on the executor, in order of
/// the calls. No method throws. Trackers with databases of their own may live in one process and
/// share clock, executor and listener; a transport serves one.
class WAYMARK_API Tracker {
 public:
  /// Opens the store and restores the saved state. kInvalidArgument lists every violation of the
  /// config; store errors are passed on.
  static Result<std::unique_ptr<Tracker>> Create(const Config& config, const TrackerPorts& ports);
  /// Cancels transport, then waits for a running task. From the executor itself it completes
  /// inline. Nothing is called after it returned.
  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  /// Begins a session; has no effect while one runs.
  void Start();
  /// Stores what is pending and ends the session. Fences and uploads go on with what they have.
  void Stop();
  /// Not used before Start() and after Stop().
  void PushFix(const Fix& fix);
  void PushMotion(const MotionSample& sample);
  void SetBattery(const Battery& battery);
  void SetLink(const Link& link);
  void SetHostState(const HostState& state);
  /// Adds the fences, replacing those of equal id; refused ones are told to OnFenceProblem.
  void AddGeofences(std::vector<Geofence> fences);
  void RemoveGeofences(std::vector<std::string> ids);
  void ClearGeofences();
  /// Of what the tracker has handled so far; a call queued before may still wait. Each waits for
  /// the event being handled: microseconds, or as long as a set of fences takes to be added.
  std::optional<Geofence> FindGeofence(std::string_view id) const;
  std::optional<FenceState> GetFenceState(std::string_view id) const;
  std::vector<std::string> GeofenceIds() const;  ///< in increasing byte order
  /// The fences whose shape holds `p`, in increasing byte order, whatever the device's own place.
  std::vector<std::string> GeofencesContaining(LatLon p) const;
  /// The application's own message: stored and delivered like a record. At most 64 KiB.
  void Enqueue(std::string topic, std::vector<std::byte> body);
  /// Settles what is pending, stores it, makes it survive power loss and uploads without waiting
  /// for a full batch. `done` runs on the executor when everything was acknowledged, or says why
  /// not (kUnavailable: the link or the server; records stay stored. Another code: the store
  /// refuses writes; records wait in memory). Not called if the tracker is destroyed before.
  void Flush(std::function<void(Status)> done);
  /// The estimate carried on to `at`, with growing covariance: for drawing at display rate. nullopt
  /// before the newest used fix, more than max_coast after it, and without a session.
  std::optional<Estimate> Predict(MonoTime at) const;
  /// The counters as of now.
  Stats GetStats() const;

 private:
  class Shell;
  explicit Tracker(std::shared_ptr<Shell> shell);
  std::shared_ptr<Shell> shell_;
};

}  // namespace waymark

#endif  // WAYMARK_TRACKER_H_
