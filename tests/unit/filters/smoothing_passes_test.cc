// The smoother's passes, which keep few states, against the same passes that keep all of them.
#include "filters/smoothing_passes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "filters/axis_smoother.h"
#include "support/simulated_drive.h"

namespace waymark {
namespace {

using Items = std::vector<SmoothedFix>;

Items Trace(std::size_t n) {
  test::Random random(5);
  const LocalFrame frame({48.1, 11.5});
  Items items;
  for (std::size_t i = 0; i < n; ++i) {
    SmoothedFix a;
    a.time = MonoTime(std::chrono::seconds(100 + i));
    const double t = static_cast<double>(i);
    const LatLon p = frame.FromLocal({2 * t + 2 * random.Normal(), 3 * random.Normal()});
    a.p = {p.lon_deg, p.lat_deg};
    a.v = {2 + 0.3 * random.Normal(), 0.3 * random.Normal()};
    a.has_velocity = i % 3 != 0;
    a.velocity_var = 0.2f;
    a.measured_var_m2 = 4;
    a.gm_var_m2 = 9;
    a.gm_tau_s = 20;
    a.q = i % 500 < 250 ? 2.0f : 0.2f;
    a.follow = 0;
    a.foreign = i % 7 == 0;
    a.fresh_error = i % 900 == 899;
    a.begin = i == 1500;
    items.push_back(a);
  }
  return items;
}

// Forward over `items` (placed in their plane), then backward.
std::vector<AxisState> Smooth(const Items& items) {
  const auto gm = [](const SmoothedFix& a) {
    if (a.fresh_error) return GmStep{0, a.gm_var_m2};
    return StepGm({.gm_var_m2 = a.gm_var_m2, .gm_tau_s = a.gm_tau_s}, 1);
  };
  std::vector<AxisState> states;
  for (const SmoothedFix& a : items) {
    AxisState s;
    const double r = a.measured_var_m2 / double{a.weight};
    if (states.empty() || a.begin) {
      s.p = a.p;
      s.v = a.has_velocity ? a.v : Vec2{};
      s.cov = {r + a.gm_var_m2, 0, -a.gm_var_m2, a.has_velocity ? a.velocity_var : 100, 0,
               a.gm_var_m2};
    } else {
      s = states.back();
      PredictMoving(s, 1, a.q, gm(a).phi, gm(a).q_m2);
      a.foreign ? UpdateForeignPosition(s, a.p, r) : UpdatePosition(s, a.p, r);
      if (a.has_velocity) UpdateVelocity(s, a.v, a.velocity_var);
    }
    states.push_back(s);
  }
  for (std::size_t i = items.size() - 1; i-- > 0;) {
    const SmoothedFix& b = items[i + 1];
    if (b.begin) continue;
    states[i] = SmoothBack(states[i], states[i + 1], 1, b.q, gm(b).phi, gm(b).q_m2);
  }
  return states;
}

TEST(SmoothingPasses, StatesTakenAgainAreThoseThatWereNotKept) {
  const FilterTuning tuning;
  for (const std::size_t n : {1u, 2u, 1023u, 1024u, 1025u, 3000u}) {
    Items items = Trace(n), reference = items;
    std::vector<LocalFrame> frames;
    SmoothingPasses(items, frames, tuning).Run();
    ASSERT_EQ(frames.size(), 1u);
    for (SmoothedFix& a : reference) {
      const EastNorth p = frames[0].ToLocal({a.p.n, a.p.e});
      if (a.has_velocity) a.v = Turn(a.v, -frames[0].ConvergenceRad({a.p.n, a.p.e}));
      a.p = {p.east_m, p.north_m};
    }
    const std::vector<AxisState> once = Smooth(reference);
    for (std::size_t i = 0; i < n; ++i) {  // Student's t
      SmoothedFix& a = reference[i];
      const double r = a.measured_var_m2 + (a.foreign ? 0.0 : a.gm_var_m2) + once[i].cov.pp;
      const double d2 = (a.p - once[i].p).norm2();
      a.weight = static_cast<float>(
          std::min(1.0, (tuning.student_dof + 2) / (tuning.student_dof + d2 / r)));
    }
    const std::vector<AxisState> twice = Smooth(reference);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(items[i].p.e, twice[i].p.e, 1e-9) << n << ": " << i;
      EXPECT_NEAR(items[i].p.n, twice[i].p.n, 1e-9) << n << ": " << i;
      EXPECT_NEAR(items[i].v.e, twice[i].v.e, 1e-9) << n << ": " << i;
      EXPECT_NEAR(items[i].var_m2, tuning.variance_scale * twice[i].cov.pp + items[i].slow_var_m2,
                  1e-9)
          << n << ": " << i;
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace waymark
