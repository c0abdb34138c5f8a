#include "replay_tool/task_queue.h"

#include <utility>

namespace waymark::replay {

void TaskQueue::Add(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void TaskQueue::Close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

void TaskQueue::Work() {
  std::exception_ptr failed;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || !tasks_.empty(); });
    if (tasks_.empty()) break;
    const std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    try {
      task();
    } catch (...) {
      failed = std::current_exception();
    }
    lock.lock();
  }
  lock.unlock();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace waymark::replay
