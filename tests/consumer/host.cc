// The minimal host of README, compiled by the consumer tests against the installed package and as a
// subproject: three fixes in, three estimates out.
#include <cstdio>
#include <future>

#include "waymark/posix_clock.h"
#include "waymark/serial_executor.h"
#include "waymark/tracker.h"

int main() {
  waymark::PosixClock clock;
  auto executor = waymark::MakeSerialExecutor(clock);
  struct Printer : waymark::Listener {
    void OnFix(const waymark::FixReport& r) override {
      if (r.live)
        std::printf("%s r68=%.1f m\n", DispositionName(r.verdict.disposition), r.live->r68_m);
      ++estimates;
    }
    int estimates = 0;
  } printer;

  waymark::TrackerPorts ports;
  ports.clock = &clock;
  ports.executor = executor.get();
  ports.listener = &printer;
  auto tracker = waymark::Tracker::Create(waymark::Config{}, ports);
  if (!tracker.ok()) return std::puts(tracker.status().message().c_str()), 1;

  tracker.value()->Start();
  const auto begin = clock.Now();
  for (int i = 0; i < 3; ++i) {
    waymark::Fix fix;
    fix.time = begin - std::chrono::seconds(2 - i);
    fix.position = {47.0 + i * 1e-5, 8.0};
    fix.horizontal_accuracy_m = 5;
    tracker.value()->PushFix(fix);
  }
  std::promise<void> flushed;
  tracker.value()->Flush([&](const waymark::Status&) { flushed.set_value(); });
  flushed.get_future().wait();
  return printer.estimates == 3 ? 0 : 1;
}
