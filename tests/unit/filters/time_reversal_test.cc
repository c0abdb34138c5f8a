// Read backwards a trace is the same trace. The smoother's model is the same in both directions:
// white acceleration has none, nor has a Gauss-Markov error in its steady state, and the first fix
// of either direction says all that is known there. So its passes must give the same path, with
// velocities reversed, to rounding.
//
// What is not the same by its nature is switched off here: the forward pass that learns noise and
// motion models from what came before (SmoothedTrack as a whole: smoother_test.cc), the distrust
// that falls upon the fixes before a jump rather than after it (follow = 0), held fixes.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "filters/smoothing_passes.h"
#include "support/simulated_drive.h"

namespace waymark {
namespace {

using Items = std::vector<SmoothedFix>;

enum class Velocities { kAll, kSome, kNone };

// A kilometre at most, so that two planes on it agree to a micrometre.
Items Trace(std::uint64_t seed, std::size_t n, Velocities velocities) {
  test::Random r(seed);
  const LocalFrame frame({48.1, 11.5});
  Items items;
  Vec2 at, v{1, 0.5};
  MonoTime time(std::chrono::seconds(100));
  const float gm_var_m2 = static_cast<float>(r.Uniform(0.5, 20));
  const float gm_tau_s = static_cast<float>(r.Uniform(2, 60));
  for (std::size_t i = 0; i < n; ++i) {
    SmoothedFix a;
    const double dt_s = r.Uniform(0.3, 4);
    time += FromSeconds(dt_s);
    a.time = time;
    v = 0.9 * v + 0.4 * Vec2{r.Normal(), r.Normal()};
    at = at + dt_s * v;
    const bool end = i == 0 || i + 1 == n;
    // Every tenth an outlier: the weights of Student's t are part of it.
    const double error_m = i % 10 == 5 ? 20 : 2;
    const LatLon p = frame.FromLocal({at.e + error_m * r.Normal(), at.n + error_m * r.Normal()});
    a.p = {p.lon_deg, p.lat_deg};
    a.has_velocity = velocities == Velocities::kAll || (velocities == Velocities::kSome && i % 3);
    a.v = v + 0.3 * Vec2{r.Normal(), r.Normal()};
    a.velocity_var = static_cast<float>(r.Uniform(0.05, 1));
    if (end && !a.has_velocity) {
      // A velocity that nobody measured is taken for 10 m/s at the beginning: at the end as well.
      a.has_velocity = true;
      a.v = {};
      a.velocity_var = 100;
    }
    a.measured_var_m2 = static_cast<float>(r.Uniform(1, 10));
    a.foreign = !end && i % 7 == 3;
    a.gm_var_m2 = gm_var_m2;
    a.gm_tau_s = gm_tau_s;
    a.q = static_cast<float>(r.Uniform(0.1, 4));
    a.follow = 0;
    a.slow_var_m2 = 1;
    items.push_back(a);
  }
  return items;
}

Items Reversed(const Items& items) {
  Items back(items.rbegin(), items.rend());
  const MonoTime::duration sum =
      items.front().time.time_since_epoch() + items.back().time.time_since_epoch();
  for (std::size_t i = 0; i < back.size(); ++i) {
    back[i].time = MonoTime(sum - back[i].time.time_since_epoch());
    back[i].v = -1.0 * back[i].v;
    if (i > 0) back[i].q = items[items.size() - i].q;  // of the step to it
  }
  return back;
}

struct Smoothed {
  Items items;
  std::vector<LocalFrame> frames;
  explicit Smoothed(Items trace) : items(std::move(trace)) {
    SmoothingPasses(items, frames, FilterTuning{}).Run();
  }
  LatLon Position(std::size_t i) const {
    return frames[items[i].frame].FromLocal({items[i].p.e, items[i].p.n});
  }
  Vec2 Velocity(std::size_t i) const {
    return Turn(items[i].v, frames[items[i].frame].ConvergenceRad(Position(i)));
  }
};

TEST(TimeReversal, TheSmootherGivesTheSamePathReversed) {
  for (const Velocities velocities : {Velocities::kAll, Velocities::kSome, Velocities::kNone}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      SCOPED_TRACE(testing::Message()
                   << "velocities " << static_cast<int>(velocities) << ", seed " << seed);
      const std::size_t n = 300;
      const Items trace = Trace(seed, n, velocities);
      const Smoothed there(trace), back(Reversed(trace));
      ASSERT_EQ(there.items.size(), n);
      ASSERT_EQ(back.items.size(), n);
      ASSERT_EQ(there.frames.size(), 1u);
      for (std::size_t i = 0; i < n && !testing::Test::HasFailure(); ++i) {
        const std::size_t k = n - 1 - i;
        EXPECT_LT(DistanceM(there.Position(i), back.Position(k)), 1e-6) << i;
        EXPECT_LT((there.Velocity(i) + back.Velocity(k)).norm(), 1e-6) << i;
        EXPECT_NEAR(there.items[i].var_m2, back.items[k].var_m2, 1e-6) << i;
        EXPECT_NEAR(there.items[i].speed_sigma_mps, back.items[k].speed_sigma_mps, 1e-6) << i;
      }
    }
  }
}

}  // namespace
}  // namespace waymark
