// The filter allocates nothing per fix: counted through the global operator new of this binary.
#include <gtest/gtest.h>

#include "support/allocation_counter.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/smoother.h"

namespace waymark {
namespace {

void ExpectNone(bool velocity) {
  auto drive =
      test::Simulate({.seconds = 2000, .white_m = 2, .velocity = velocity, .max_speed_mps = 30});
  for (std::size_t i = 50; i < 2000; i += 97) {
    drive.fixes[i].fix.position = test::Moved(drive.fixes[i].fix.position, 300, 0);  // an outlier
  }
  for (std::size_t i = 60; i + 1 < 2000; i += 61) std::swap(drive.fixes[i], drive.fixes[i + 1]);
  Estimator e = std::move(Estimator::Create({})).value();
  FixedLagSmoother smoother;
  std::vector<Estimate> settled;
  settled.reserve(4000);
  const std::size_t before = test::allocations;
  for (const auto& d : drive.fixes) {
    const bool still = settled.size() % 2 == 0;
    e.Observe({d.fix.time, still ? Activity::kStill : Activity::kWalking, 0.9});
    e.Update(d.fix, d.arrival);
    (void)e.Latest();
    (void)e.Predict(d.arrival.mono + std::chrono::seconds(1));
    smoother.Push(e, settled);
  }
  EXPECT_EQ(test::allocations - before, 0u);
  EXPECT_GT(settled.size(), 1800u);
}

TEST(Allocation, NoneForAFixAfterCreate) { ExpectNone(true); }
TEST(Allocation, NoneForAPositionAlone) { ExpectNone(false); }

}  // namespace
}  // namespace waymark
