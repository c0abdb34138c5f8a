#include "waymark/serial_executor.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace waymark {
namespace {

class SerialExecutor final : public Executor {
 public:
  explicit SerialExecutor(const Clock& clock) : clock_(clock), thread_([this] { Run(); }) {}

  ~SerialExecutor() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void Post(std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }

  void PostAt(const void* owner, std::optional<MonoTime> at, std::function<void()> task) override {
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(timers_, [owner](const Timer& t) { return t.owner == owner; });
      if (at) timers_.push_back({owner, *at, std::move(task)});
    }
    wake_.notify_one();
  }

  bool IsCurrent() const override { return std::this_thread::get_id() == thread_.get_id(); }

 private:
  struct Timer {
    const void* owner;
    MonoTime at;
    std::function<void()> task;
  };

  void Run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!tasks_.empty()) {
        std::function<void()> task = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        task();
        task = nullptr;  // what the task holds is released outside the lock
        lock.lock();
        continue;
      }
      if (stopping_) return;
      const auto next =
          std::min_element(timers_.begin(), timers_.end(),
                           [](const Timer& a, const Timer& b) { return a.at < b.at; });
      if (next == timers_.end()) {
        wake_.wait(lock);
        continue;
      }
      const Duration left = next->at - clock_.Now();
      if (left <= Duration::zero()) {
        tasks_.push_back(std::move(next->task));
        timers_.erase(next);
        continue;
      }
      // wait_for runs on a clock that stands still in suspend; an hour's cap bounds how late a
      // timer can be after a resume.
      wake_.wait_for(lock, std::min<Duration>(left, std::chrono::hours(1)));
    }
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<Timer> timers_;  // one for each tracker: few
  bool stopping_ = false;
  std::thread thread_;  // last: it starts with everything above in place
};

}  // namespace

std::unique_ptr<Executor> MakeSerialExecutor(const Clock& clock) {
  return std::make_unique<SerialExecutor>(clock);
}

}  // namespace waymark
