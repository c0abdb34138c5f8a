// Hints of the motion sensors in the estimator: what they help, and how little a wrong one harms.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using test::Simulate;
using test::TimeOf;

double Apart(LatLon a, LatLon b) {
  const EastNorth d = LocalFrame(a).ToLocal(b);
  return std::hypot(d.east_m, d.north_m);
}

struct Walked {
  double way_m = 0, rmse_m = 0, speed_sum_mps = 0;
};

// The estimates of the last half of `drive`, with a hint every `every_s` seconds up to `until_s`.
Walked Follow(const test::Drive& drive, Activity activity, double confidence, std::size_t every_s,
              std::size_t until_s) {
  auto created = Estimator::Create({});
  Estimator e = std::move(created).value();
  Walked w;
  LatLon last;
  std::size_t n = 0;
  for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
    if (i < until_s && i % every_s == 0) e.Observe({TimeOf(i), activity, confidence});
    e.Update(drive.fixes[i].fix, drive.fixes[i].arrival);
    const Estimate here = *e.Latest();
    if (i >= drive.fixes.size() / 2) {
      if (n++ > 0) w.way_m += Apart(last, here.position);
      const double error_m = Apart(here.position, drive.truth[i]);
      w.rmse_m += error_m * error_m;
      w.speed_sum_mps += std::hypot(here.velocity_east_mps, here.velocity_north_mps);
    }
    last = here.position;
  }
  w.rmse_m = std::sqrt(w.rmse_m / static_cast<double>(n));
  return w;
}

test::Drive Standing() {
  return Simulate({.seconds = 600,
                   .white_m = 2,
                   .gm_m = 4,
                   .gm_tau_s = 20,
                   .velocity = false,
                   .max_speed_mps = 0});
}

TEST(EstimatorHint, StillnessHoldsAStandingTrackThatHasNoSpeeds) {
  const test::Drive drive = Standing();
  const Walked without = Follow(drive, Activity::kUnknown, 1, 10, 600);
  const Walked with = Follow(drive, Activity::kStill, 0.9, 10, 600);
  EXPECT_LT(with.way_m, 0.5 * without.way_m);
  EXPECT_LT(with.speed_sum_mps, 0.5 * without.speed_sum_mps);
}

TEST(EstimatorHint, OneOfLittleConfidenceSaysNothing) {
  const test::Drive drive = Standing();
  const Walked without = Follow(drive, Activity::kUnknown, 1, 10, 600);
  const Walked with = Follow(drive, Activity::kStill, 0.2, 10, 600);
  EXPECT_EQ(with.way_m, without.way_m);
}

TEST(EstimatorHint, AWrongOneBendsAMovingTrackByLittle) {
  for (const bool velocity : {true, false}) {
    const test::Drive drive = Simulate({.seconds = 600, .velocity = velocity});
    const Walked without = Follow(drive, Activity::kUnknown, 1, 10, 600);
    const Walked wrong = Follow(drive, Activity::kStill, 1, 10, 600);
    EXPECT_LT(wrong.rmse_m, without.rmse_m + (velocity ? 0.1 : 3)) << velocity;
    const Walked other = Follow(drive, Activity::kAutomotive, 1, 10, 600);
    EXPECT_LT(other.rmse_m, without.rmse_m + 0.1) << velocity;
  }
}

TEST(EstimatorHint, AnOldOneIsForgotten) {
  const test::Drive drive = Standing();
  // The last hint is older than two minutes when the judged half begins.
  const Walked old = Follow(drive, Activity::kStill, 0.9, 10, 150);
  const Walked without = Follow(drive, Activity::kUnknown, 1, 10, 600);
  EXPECT_NEAR(old.way_m, without.way_m, 0.2 * without.way_m);
}

}  // namespace
}  // namespace waymark
