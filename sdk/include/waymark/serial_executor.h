// The default Executor: one thread, tasks in order, a timer for each owner.
#ifndef WAYMARK_SERIAL_EXECUTOR_H_
#define WAYMARK_SERIAL_EXECUTOR_H_

#include <memory>

#include "waymark/export.h"
#include "waymark/ports.h"

namespace waymark {

/// Starts the thread. `clock` is borrowed and must outlive the executor. The destructor runs what
/// was posted before, drops the timers and joins; it must not be called from a task.
WAYMARK_API std::unique_ptr<Executor> MakeSerialExecutor(const Clock& clock);

}  // namespace waymark

#endif  // WAYMARK_SERIAL_EXECUTOR_H_
