#include "replay_tool/virtual_clock.h"

#include <algorithm>
#include <utility>

namespace waymark::replay {

void VirtualClock::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  posted_.notify_one();
}

void VirtualClock::PostAt(const void* owner, std::optional<MonoTime> at,
                          std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  std::erase_if(timers_, [owner](const Timer& t) { return t.owner == owner; });
  if (at) timers_.push_back({owner, *at, std::move(task)});
}

std::vector<VirtualClock::Timer>::iterator VirtualClock::Next() {
  return std::min_element(timers_.begin(), timers_.end(),
                          [](const Timer& a, const Timer& b) { return a.at < b.at; });
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
    const auto next = Next();
    if (next == timers_.end() || next->at > to.mono) {
      if (to.mono >= Now()) {
        mono_ = to.mono;
        utc_ = to.utc;
      }
      return true;
    }
    const MonoTime due = std::max(next->at, Now());
    utc_ = UtcNow() + std::chrono::floor<std::chrono::milliseconds>(due - Now());
    mono_ = due;
    tasks_.push_back(std::move(next->task));
    timers_.erase(next);
    ++timers_run_;
  }
  RunReady();
  return false;
}

std::optional<MonoTime> VirtualClock::NextTimer() const {
  const std::lock_guard lock(mutex_);
  std::optional<MonoTime> at;
  for (const Timer& t : timers_) at = std::min(at.value_or(t.at), t.at);
  return at;
}

void VirtualClock::DropTimers() {
  const std::lock_guard lock(mutex_);
  timers_.clear();
}

bool VirtualClock::WaitForTask(std::chrono::milliseconds real_time) {
  std::unique_lock lock(mutex_);
  return posted_.wait_for(lock, real_time, [this] { return !tasks_.empty(); });
}

}  // namespace waymark::replay
