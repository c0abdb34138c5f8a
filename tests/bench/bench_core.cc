// Core::Handle(Fix): the whole way of a fix but the disk. Commits are answered at once.
#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>

#include "sdk/core/core.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

Config BenchConfig() {
  Config config;
  config.installation = "bench";
  return config;
}

// A drive that bends all the time, one fix a second with speed and course and deterministic noise.
class Drive {
 public:
  Fix Next() {
    time_ += std::chrono::seconds(1);
    const double course_deg = 90 + 60 * std::sin(static_cast<double>(n_) * 0.02);
    at_ = Destination(at_, course_deg, 14);
    Fix f;
    f.time = time_;
    f.utc = UtcTime(std::chrono::milliseconds(1'700'000'000'000 + n_ * 1000));
    f.position = {at_.lat_deg + 2e-5 * std::sin(static_cast<double>(n_) * 1.7), at_.lon_deg};
    f.horizontal_accuracy_m = 5;
    f.speed_mps = 14;
    f.course_deg = course_deg;
    f.source = FixSource::kGnss;
    ++n_;
    if (n_ % 50'000 == 0) at_ = {47, 8};  // the jump is one fix in 50,000
    return f;
  }

 private:
  LatLon at_{47, 8};
  MonoTime time_{std::chrono::hours(1)};
  std::int64_t n_ = 0;
};

void HandleFix(benchmark::State& state) {
  Core core = std::move(Core::Create(BenchConfig(), 1, {})).value();
  std::vector<Action> actions;
  Stamp now{MonoTime(std::chrono::hours(1)), UtcTime(std::chrono::milliseconds(1'700'000'000'000))};
  const auto handle = [&](const Event& event) {
    actions.clear();
    core.Handle(event, now, actions);
    for (std::size_t i = 0; i < actions.size(); ++i) {
      if (std::holds_alternative<act::Commit>(actions[i])) {
        core.Handle(ev::Committed{}, now, actions);
      } else if (std::holds_alternative<act::Enforce>(actions[i])) {
        core.Handle(ev::Enforced{}, now, actions);
      }
    }
  };
  handle(ev::StoreOpened{});
  handle(ev::Start{});
  std::vector<Geofence> fences;
  for (int i = 0; i < state.range(0); ++i) {
    Geofence fence;
    fence.id = "f" + std::to_string(i);
    fence.shape = Circle{Destination({47, 8}, i * 137.5, 100 + 40.0 * i), 150};
    fences.push_back(fence);
  }
  if (!fences.empty()) handle(ev::AddFences{fences});
  Drive drive;
  std::vector<Event> events(4096);
  std::size_t next = events.size();
  for (auto _ : state) {
    if (next == events.size()) {
      state.PauseTiming();
      for (Event& e : events) e = drive.Next();
      next = 0;
      state.ResumeTiming();
    }
    const Fix& fix = std::get<Fix>(events[next]);
    now.mono = fix.time;
    now.utc = *fix.utc;
    handle(events[next++]);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(HandleFix)->Arg(0)->Arg(100)->Arg(10'000);

void SnapshotAndRestore(benchmark::State& state) {
  Core core = std::move(Core::Create(BenchConfig(), 1, {})).value();
  for (auto _ : state) {
    SavedState saved;
    core.Save(saved.core);
    benchmark::DoNotOptimize(Core::Create(BenchConfig(), 1, saved));
  }
}
BENCHMARK(SnapshotAndRestore);

}  // namespace
}  // namespace waymark

BENCHMARK_MAIN();
