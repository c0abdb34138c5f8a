#include "waymark/posix_clock.h"

#include <time.h>

#include <cstdio>

namespace waymark {
namespace {

// FNV-1a of the boot id's text: 64 bits are enough to tell two boots apart.
std::uint64_t ReadBootId() {
  std::FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "re");
  if (file == nullptr) return 0;
  char text[64];
  const std::size_t size = std::fread(text, 1, sizeof text, file);
  std::fclose(file);
  std::uint64_t hash = 1469598103934665603u;
  for (std::size_t i = 0; i < size; ++i) {
    hash = (hash ^ static_cast<unsigned char>(text[i])) * 1099511628211u;
  }
  return size == 0 ? 0 : hash;
}

}  // namespace

PosixClock::PosixClock() : boot_id_(ReadBootId()) {}

MonoTime PosixClock::Now() const {
#ifdef CLOCK_BOOTTIME
  constexpr clockid_t kClock = CLOCK_BOOTTIME;
#else
  constexpr clockid_t kClock = CLOCK_MONOTONIC;
#endif
  timespec ts{};
  clock_gettime(kClock, &ts);
  return MonoTime(std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec));
}

UtcTime PosixClock::UtcNow() const {
  timespec ts{};
  clock_gettime(CLOCK_REALTIME, &ts);
  return UtcTime(std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec)));
}

}  // namespace waymark
