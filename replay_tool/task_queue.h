// A queue of independent tasks that several threads work off.
#ifndef WAYMARK_REPLAY_TOOL_TASK_QUEUE_H_
#define WAYMARK_REPLAY_TOOL_TASK_QUEUE_H_

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>

namespace waymark::replay {

/// Every task writes only what is its own, so that the result does not depend on who runs it when.
/// Thread-safe.
class TaskQueue {
 public:
  void Add(std::function<void()> task);
  /// No task will follow: Work() may return when the queue is empty.
  void Close();
  /// Runs tasks on this thread until the queue is closed and empty; others may still be running
  /// elsewhere. Rethrows what a task of this thread threw, after the rest is done.
  void Work();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool closed_ = false;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TASK_QUEUE_H_
