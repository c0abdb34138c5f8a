#include "replay_tool/virtual_clock.h"

#include <algorithm>
#include <utility>

namespace waymark::replay {

MonoTime VirtualClock::Now() const {
  const std::lock_guard lock(mutex_);
  return now_.mono;
}

UtcTime VirtualClock::UtcNow() const {
  const std::lock_guard lock(mutex_);
  return now_.utc;
}

void VirtualClock::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  posted_.notify_one();
}

void VirtualClock::PostAt(std::optional<MonoTime> at, std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  timer_at_ = at;
  timer_task_ = std::move(task);
}

bool VirtualClock::IsCurrent() const {
  const std::lock_guard lock(mutex_);
  return running_ == std::this_thread::get_id();
}

void VirtualClock::RunReady() {
  std::unique_lock lock(mutex_);
  while (!tasks_.empty()) {
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    running_ = std::this_thread::get_id();
    lock.unlock();
    task();
    lock.lock();
    running_ = std::thread::id();
  }
}

bool VirtualClock::StepToward(const Stamp& to) {
  {
    const std::lock_guard lock(mutex_);
    if (!timer_at_ || *timer_at_ > to.mono) {
      if (to.mono >= now_.mono) now_ = to;
      return true;
    }
    const MonoTime due = std::max(*timer_at_, now_.mono);
    now_ = {due, now_.utc + std::chrono::floor<std::chrono::milliseconds>(due - now_.mono)};
    timer_at_.reset();
    tasks_.push_back(std::exchange(timer_task_, {}));
    ++timers_run_;
  }
  RunReady();
  return false;
}

std::optional<MonoTime> VirtualClock::NextTimer() const {
  const std::lock_guard lock(mutex_);
  return timer_at_;
}

bool VirtualClock::WaitForTask(std::chrono::milliseconds real_time) {
  std::unique_lock lock(mutex_);
  return posted_.wait_for(lock, real_time, [this] { return !tasks_.empty(); });
}

}  // namespace waymark::replay
