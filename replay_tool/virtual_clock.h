// A clock that a trace drives, and an executor that runs on whoever drives it.
#ifndef WAYMARK_REPLAY_TOOL_VIRTUAL_CLOCK_H_
#define WAYMARK_REPLAY_TOOL_VIRTUAL_CLOCK_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "waymark/ports.h"
#include "waymark/time.h"

namespace waymark::replay {

/// Time stands still until the driving thread steps it; tasks run in RunReady() and StepToward() on
/// that thread. Post(), PostAt() and the clock may be used from any thread (a transport's, say).
class VirtualClock final : public Clock, public Executor {
 public:
  /// `boot_id` tells this clock's monotonic time from that of other replays; 0: unknown.
  explicit VirtualClock(Stamp start, std::uint64_t boot_id = 0)
      : mono_(start.mono), utc_(start.utc), boot_id_(boot_id) {}

  MonoTime Now() const override { return mono_; }
  UtcTime UtcNow() const override { return utc_; }
  std::uint64_t BootId() const override { return boot_id_; }
  void Post(std::function<void()> task) override;
  void PostAt(const void* owner, std::optional<MonoTime> at, std::function<void()> task) override;
  bool IsCurrent() const override;

  /// Runs every task that was posted, also those that these post.
  void RunReady();
  /// Goes to `to`, or to a timer that is due before: then runs it and returns false, so that the
  /// caller can look around and step on. Time never goes back.
  bool StepToward(const Stamp& to);
  std::optional<MonoTime> NextTimer() const;
  void DropTimers();
  /// Waits in real time until a task was posted, at most `real_time`. True if there is one.
  bool WaitForTask(std::chrono::milliseconds real_time);
  /// How often a timer ran: each is a wake-up of the device.
  std::uint64_t timers_run() const { return timers_run_; }

 private:
  struct Timer {
    const void* owner;
    MonoTime at;
    std::function<void()> task;
  };
  std::vector<Timer>::iterator Next();

  std::atomic<MonoTime> mono_;  // asked for several times per fix: no lock for these
  std::atomic<UtcTime> utc_;
  mutable std::mutex mutex_;  // guards the rest
  std::condition_variable posted_;
  std::deque<std::function<void()>> tasks_;
  std::vector<Timer> timers_;
  const std::uint64_t boot_id_;
  std::thread::id running_;  // the thread inside a task, if any
  std::uint64_t timers_run_ = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_VIRTUAL_CLOCK_H_
