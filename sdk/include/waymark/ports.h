// Ports: what Waymark needs from its host, one narrow interface for each effect. The platform
// adapters implement them; a test or a replay brings its own.
#ifndef WAYMARK_PORTS_H_
#define WAYMARK_PORTS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "waymark/export.h"
#include "waymark/fix.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

/// Reads the two clocks. Any thread.
class WAYMARK_API Clock {
 public:
  virtual ~Clock() = default;
  /// Never runs backwards within a boot and goes on in suspend.
  virtual MonoTime Now() const = 0;
  /// May be wrong and may jump: a guess until satellites or a server confirm the time.
  virtual UtcTime UtcNow() const = 0;
  /// Differs between boots, for MonoTime is meaningless across them; 0: unknown.
  virtual std::uint64_t BootId() const { return 0; }
};

/// Runs tasks one after another in the order of posting, never inside Post(). Any thread may post.
/// Serves any number of trackers.
class WAYMARK_API Executor {
 public:
  virtual ~Executor() = default;
  /// Does not throw but for want of memory.
  virtual void Post(std::function<void()> task) = 0;
  /// Asks that `task` be posted at or soon after `at`; replaces the previous wish of the same
  /// `owner` (any address that is the caller's own; never dereferenced). nullopt cancels.
  virtual void PostAt(const void* owner, std::optional<MonoTime> at,
                      std::function<void()> task) = 0;
  virtual bool IsCurrent() const = 0;  ///< called from a running task
};

/// What the sampling policy asks of the positioning hardware.
/// kPassive: only fixes that others ask for; kLowPower: no satellites; kHighAccuracy: satellites.
enum class SamplingMode : std::uint8_t { kOff = 0, kPassive = 1, kLowPower = 2, kHighAccuracy = 3 };

struct SamplingRequest {
  SamplingMode mode = SamplingMode::kOff;
  Duration interval{};         ///< between fixes; 0: as fast as the hardware likes
  Duration max_batch_delay{};  ///< the hardware may deliver this late
  friend bool operator==(const SamplingRequest&, const SamplingRequest&) = default;
};

/// A positioning source. Calls come on the tracker's executor; fixes may be given on any thread.
class WAYMARK_API LocationSource {
 public:
  virtual ~LocationSource() = default;
  /// Replaces the request before. Returns at once. An error is told to Listener::OnProblem and does
  /// not end tracking.
  virtual Status Apply(const SamplingRequest& request) = 0;
};

struct Battery {
  std::optional<double> level;  ///< [0, 1]; nullopt, or a number outside: unknown
  bool charging = false;
  bool power_save = false;  ///< the user asked the system to save power: as a low battery
};

/// The network as the system reports it; up until told otherwise.
struct Link {
  bool up = true;
  bool metered = false;  ///< costs by the byte
  bool roaming = false;  ///< a foreign network
};

/// Whether the host app may be seen and may locate.
struct HostState {
  bool foreground = false;         ///< visible: no hardware batching
  bool location_permitted = true;  ///< false: the source is switched off, the gap says why
};

/// A POST.
struct HttpRequest {
  std::uint64_t id = 0;         ///< of the exchange; the reply carries it back
  std::string url;              ///< https, or http to loopback
  std::string idempotency_key;  ///< sent as the header Idempotency-Key
  std::string content_type;
  std::string authorization;  ///< sent as the header Authorization when not empty; never logged
  std::vector<std::byte> body;
  std::chrono::milliseconds timeout{30'000};  ///< of the whole exchange
};

struct HttpReply {
  std::uint64_t id = 0;
  std::optional<int> http_status;                   ///< nullopt: no answer; `detail` says why
  std::optional<std::chrono::seconds> retry_after;  ///< of the Retry-After header, from now
  std::optional<UtcTime> server_date;               ///< of the Date header: confirms the time
  std::string detail;  ///< for people; holds neither secrets nor coordinates
};

/// One HTTP exchange over verified TLS (plain HTTP only to loopback). No retry, queue or backoff of
/// its own. `done` is called at most once, on any thread, never inside Send, and not after
/// CancelAll() returned; without CancelAll exactly once. Errors are replies without a status.
class WAYMARK_API Transport {
 public:
  virtual ~Transport() = default;
  virtual void Send(HttpRequest request, std::function<void(HttpReply)> done) = 0;
  /// Ends every exchange. May be called from any thread but that of a running `done`.
  virtual void CancelAll() = 0;
};

}  // namespace waymark

#endif  // WAYMARK_PORTS_H_
