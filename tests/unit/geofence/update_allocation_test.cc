// Update allocates nothing unless an event fires or a fence changes its state: the global operator
// new of this binary counts.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sdk/geofence/geofence_engine.h"
#include "support/allocation_counter.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

struct Count {
  std::size_t quiet_updates = 0, quiet_allocations = 0, events = 0;
};

// A drive of 6 km past and through fences of every kind, there and back.
Count Drive(GeofenceEngine& engine, LatLon start, double from_s) {
  Count count;
  std::vector<FenceEvent> events;
  events.reserve(1000);
  for (int i = 0; i < 1200; ++i) {
    const double east_m = 10.0 * (i < 600 ? i : 1200 - i);
    Estimate e;
    e.time = MonoTime(FromSeconds(from_s + i));
    e.position = Destination(start, 90, east_m);
    e.cov_ee_m2 = e.cov_nn_m2 = 16;
    const std::size_t before = test::allocations, had = events.size();
    engine.Update(e, events);
    if (events.size() > had) continue;
    ++count.quiet_updates;
    count.quiet_allocations += test::allocations - before;
  }
  count.events = events.size();
  return count;
}

TEST(UpdateAllocation, NoneWithoutAnEvent) {
  const LatLon start{48.1, 11.5};
  std::vector<Geofence> fences;
  const auto add = [&](FenceShape shape) {
    Geofence f;
    f.id = "a fence whose name is too long for a small string " + std::to_string(fences.size());
    f.shape = std::move(shape);
    fences.push_back(std::move(f));
  };
  for (int i = 0; i < 400; ++i) {
    const LatLon at =
        Destination(Destination(start, 90, 15.0 * i), 360.0 * i / 7, 40.0 + 20 * (i % 9));
    if (i % 4 == 0) {
      add(Circle{at, 30.0 + i % 50});
    } else if (i % 4 == 1) {
      Polygon polygon;
      for (int k = 0; k < 8; ++k) polygon.outer.push_back(Destination(at, 45.0 * k, 60));
      add(polygon);
    } else if (i % 4 == 2) {
      add(Corridor{{at, Destination(at, 30, 300)}, 20});
    } else {
      add(Circle{at, 2500.0 + i});
    }
  }
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  engine.Add(fences, problems);
  ASSERT_TRUE(problems.empty()) << problems[0].reason;
  // The first drive grows the engine's own lists to their size.
  const Count first = Drive(engine, start, 1);
  const Count second = Drive(engine, start, 10'000);
  EXPECT_GT(first.events, 300u);
  EXPECT_GT(second.events, 300u);
  EXPECT_GT(second.quiet_updates, 300u);
  EXPECT_EQ(second.quiet_allocations, 0u);
}

}  // namespace
}  // namespace waymark
