// The clocks of a POSIX system.
#ifndef WAYMARK_POSIX_CLOCK_H_
#define WAYMARK_POSIX_CLOCK_H_

#include "waymark/export.h"
#include "waymark/ports.h"

namespace waymark {

/// Now(): CLOCK_BOOTTIME where there is one (counts suspend), else CLOCK_MONOTONIC. UtcNow():
/// CLOCK_REALTIME. BootId(): from /proc/sys/kernel/random/boot_id, 0 where absent. Thread-safe.
class WAYMARK_API PosixClock final : public Clock {
 public:
  PosixClock();
  MonoTime Now() const override;
  UtcTime UtcNow() const override;
  std::uint64_t BootId() const override { return boot_id_; }

 private:
  std::uint64_t boot_id_ = 0;
};

}  // namespace waymark

#endif  // WAYMARK_POSIX_CLOCK_H_
