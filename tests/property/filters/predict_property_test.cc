// Beyond the last fix: what is not known grows.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::milliseconds;
using test::Drive;
using test::DriveOptions;
using test::Simulate;
using test::TimeOf;

/// Calls visit(i, estimator) at one in seven of the fixes of seeded drives.
template <typename Visit>
void EachSeventh(DriveOptions o, const Visit& visit) {
  for (o.seed = 1; o.seed <= 20; ++o.seed) {
    SCOPED_TRACE("seed " + std::to_string(o.seed));
    const Drive d = Simulate(o);
    Estimator e = std::move(Estimator::Create({})).value();
    for (std::size_t i = 0; i + 30 < d.fixes.size(); ++i) {
      if (!e.Update(d.fixes[i].fix, d.fixes[i].arrival).used()) continue;
      if (i >= 60 && i % 7 == 0) visit(e, d, i);
    }
  }
}

// Strictly, and by no less than what the velocity is unsure of carries it: both errors are kept
// apart by nothing that has been seen, so they add up, or more.
TEST(PredictProperty, TheRadiusGrowsByTheVelocitysErrorAtLeast) {
  for (const bool velocity : {true, false}) {
    for (const double white_m : {0.2, 2.0}) {
      for (const double speed_mps : {1.5, 15.0}) {
        SCOPED_TRACE(std::to_string(white_m) + " m, " + std::to_string(speed_mps) + " m/s");
        const DriveOptions o{.seconds = 300,
                             .white_m = white_m,
                             .gm_m = white_m,
                             .velocity = velocity,
                             .max_speed_mps = speed_mps};
        EachSeventh(o, [](const Estimator& e, const Drive&, std::size_t i) {
          const Estimate now = *e.Latest();
          Estimate last = now;
          for (std::size_t age_s = 1; age_s <= 30; ++age_s) {
            const auto then = e.Predict(TimeOf(i + age_s));
            ASSERT_TRUE(then);
            ASSERT_GT(then->r68_m, last.r68_m) << "fix " << i << " age " << age_s;
            ASSERT_GT(then->r95_m, last.r95_m) << "fix " << i << " age " << age_s;
            ASSERT_GT(then->speed_sigma_mps, last.speed_sigma_mps);
            const double carried_m = static_cast<double>(age_s) * now.speed_sigma_mps;
            ASSERT_GT(then->cov_ee_m2, now.cov_ee_m2 + carried_m * carried_m)
                << "fix " << i << " age " << age_s;
            last = *then;
          }
        });
      }
    }
  }
}

// Within a second too, as a display asks for it.
TEST(PredictProperty, TheRadiusNeverShrinksBetweenFrames) {
  EachSeventh({.seconds = 120, .white_m = 1}, [](const Estimator& e, const Drive&, std::size_t i) {
    double last_m = 0;
    for (int ms = 0; ms <= 2000; ms += 16) {
      const auto then = e.Predict(TimeOf(i) + milliseconds(ms));
      ASSERT_TRUE(then);
      ASSERT_GE(then->r68_m, last_m) << "fix " << i << " after " << ms << " ms";
      last_m = then->r68_m;
    }
  });
}

// Who walks turns slowly; who drives takes some seconds.
TEST(PredictProperty, TheRadiusHoldsWhoWalksOn) {
  struct Case {
    double speed_mps;
    std::vector<std::size_t> ages_s;
  };
  for (const Case& c : {Case{1.5, {1, 3, 8, 15}}, Case{15, {1, 3}}}) {
    for (const bool velocity : {true, false}) {
      for (const double white_m : {0.2, 2.0}) {
        for (const std::size_t age_s : c.ages_s) {
          double n = 0, in95 = 0;
          const DriveOptions o{.seconds = 300,
                               .white_m = white_m,
                               .gm_m = white_m,
                               .velocity = velocity,
                               .max_speed_mps = c.speed_mps,
                               .turn_sigma_rad = 0.05};
          EachSeventh(o, [&](const Estimator& e, const Drive& d, std::size_t i) {
            const auto then = e.Predict(TimeOf(i + age_s));
            n += 1;
            in95 += DistanceM(then->position, d.truth[i + age_s]) <= then->r95_m;
          });
          EXPECT_GT(in95 / n, 0.93) << c.speed_mps << " m/s, " << white_m << " m, after " << age_s
                                    << " s, velocity " << velocity;
        }
      }
    }
  }
}

}  // namespace
}  // namespace waymark
