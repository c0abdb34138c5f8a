// No allocation per fix in the steady state of filters/ and the core's fix path. This binary's
// operator new counts.
#include <gtest/gtest.h>

#include "support/allocation_counter.h"
#include "support/core_world.h"

namespace waymark::test {
namespace {

TEST(Allocation, NonePerFixThatCausesNoRecord) {
  Config config;
  config.installation = "unit";
  config.records.max_interval = std::chrono::hours(24);
  Core core = std::move(Core::Create(config, 1, {})).value();
  std::vector<Action> actions;
  actions.reserve(64);
  Stamp now{kMonoBegin, kUtcBegin};
  // Every commit is answered, as the shell would; true if there was one.
  const auto answer_commits = [&] {
    bool any = false;
    for (std::size_t k = 0; k < actions.size(); ++k) {
      if (!std::holds_alternative<act::Commit>(actions[k])) continue;
      any = true;
      core.Handle(ev::Committed{}, now, actions);
    }
    return any;
  };
  core.Handle(ev::StoreOpened{}, now, actions);
  answer_commits();
  actions.clear();
  core.Handle(ev::Start{}, now, actions);
  Geofence fence;
  fence.id = "far";
  fence.shape = Circle{{10, 10}, 100};
  core.Handle(ev::AddFences{{fence}}, now, actions);
  answer_commits();
  LatLon at{47, 8};
  std::size_t fixes_without_record = 0, allocating = 0;
  for (int i = 0; i < 3000; ++i) {
    now.mono += std::chrono::seconds(1);
    now.utc += std::chrono::seconds(1);
    at = Destination(at, 90, 14);
    Fix f;
    f.time = now.mono;
    f.utc = now.utc;
    f.position = at;
    f.horizontal_accuracy_m = 5;
    f.speed_mps = 14;
    f.course_deg = 90;
    actions.clear();
    const Event event = f;
    const std::size_t before = test::allocations;
    core.Handle(event, now, actions);
    const std::size_t count = test::allocations - before;
    const bool recorded = answer_commits();
    if (i < 100 || recorded) continue;  // scratch vectors reach their capacity first
    ++fixes_without_record;
    if (count > 0) ++allocating;
  }
  EXPECT_GT(fixes_without_record, 2500u);
  EXPECT_EQ(allocating, 0u);
}

}  // namespace
}  // namespace waymark::test
