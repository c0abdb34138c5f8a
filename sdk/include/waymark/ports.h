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
  virtual MonoTime Now() const = 0;
  virtual UtcTime UtcNow() const = 0;
  /// Differs between boots, for MonoTime is meaningless across them; 0: unknown.
  virtual std::uint64_t BootId() const { return 0; }
};

/// Runs tasks one after another in the order of posting, never inside Post(). Any thread may post.
/// Serves any number of trackers.
class WAYMARK_API Executor {
 public:
  virtual ~Executor() = default;
  virtual void Post(std::function<void()> task) = 0;
  /// Asks that `task` be posted at or soon after `at`; replaces the previous wish of the same
  /// `owner` (any address that is the caller's own; never dereferenced). nullopt cancels.
  virtual void PostAt(const void* owner, std::optional<MonoTime> at,
                      std::function<void()> task) = 0;
  virtual bool IsCurrent() const = 0;  ///< called from a running task
};

/// What the sampling policy asks of the positioning hardware.
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
  virtual Status Apply(const SamplingRequest& request) = 0;
};

struct Battery {
  std::optional<double> level;  ///< [0, 1]
  bool charging = false;
  bool power_save = false;
};

struct Link {
  bool up = true;
  bool metered = false;
  bool roaming = false;
};

/// Whether the host app may be seen and may locate.
struct HostState {
  bool foreground = false;
  bool location_permitted = true;
};

struct HttpRequest {
  std::uint64_t id = 0;
  std::string url;
  std::string idempotency_key;  ///< sent as the header Idempotency-Key
  std::string content_type;
  std::string authorization;  ///< sent as the header Authorization when not empty; never logged
  std::vector<std::byte> body;
  std::chrono::milliseconds timeout{30'000};
};

struct HttpReply {
  std::uint64_t id = 0;
  std::optional<int> http_status;  ///< nullopt: no answer; `detail` says why
  std::optional<std::chrono::seconds> retry_after;
  std::optional<UtcTime> server_date;  ///< of the Date header
  std::string detail;                  ///< for people; holds neither secrets nor coordinates
};

/// One HTTP exchange over verified TLS (plain HTTP only to loopback). No retry, queue or backoff of
/// its own. `done` is called exactly once, on any thread, never inside Send, and not after
/// CancelAll() returned.
class WAYMARK_API Transport {
 public:
  virtual ~Transport() = default;
  virtual void Send(HttpRequest request, std::function<void(HttpReply)> done) = 0;
  virtual void CancelAll() = 0;
};

}  // namespace waymark

#endif  // WAYMARK_PORTS_H_
