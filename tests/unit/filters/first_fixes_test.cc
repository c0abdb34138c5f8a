// How a track begins: at its first fix, after a gap, after a silence. Any of the first fixes may be
// wrong; nobody can know which before the third one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

struct Start {
  int step_s = 1;
  double speed_mps = 0;
  bool velocity = false;
  int bad = 1;         ///< this one of the fixes is wrong,
  double off_m = 100;  ///< by so much
  int silent_s = 0;    ///< after a track of two minutes; 0: there was none

  std::string Name() const {
    return std::to_string(step_s) + " s, " + std::to_string(speed_mps) + " m/s, " +
           (velocity ? "velocity, " : "") + "bad " + std::to_string(bad) + " by " +
           std::to_string(off_m) + " m, silence " + std::to_string(silent_s);
  }
};

/// The largest error from the third fix on, and what the fixes themselves err by then.
struct Worst {
  double live_m = 0, raw_m = 0;
};

Worst Begin(const Start& w, std::uint64_t seed) {
  test::Random random(seed);
  const LocalFrame frame({48.1, 11.5});
  Estimator e = std::move(Estimator::Create({})).value();
  int second = 0;
  Worst worst;
  const auto feed = [&](double off_m, double angle) {
    const double way_m = w.speed_mps * second;
    Fix f;
    f.time = test::TimeOf(static_cast<std::size_t>(second));
    f.position = frame.FromLocal({way_m + 2 * random.Normal() + off_m * std::sin(angle),
                                  2 * random.Normal() + off_m * std::cos(angle)});
    f.horizontal_accuracy_m = 6;
    if (w.velocity) {
      f.speed_mps = w.speed_mps;
      f.course_deg = 90;
    }
    const DeliveredFix d = test::Deliver(f);
    e.Update(d.fix, d.arrival);
    const LatLon truth = frame.FromLocal({way_m, 0});
    return std::pair(DistanceM(e.Latest()->position, truth), DistanceM(f.position, truth));
  };
  if (w.silent_s > 0) {
    for (; second < 120; second += w.step_s) feed(0, 0);
    second += w.silent_s;
  }
  for (int i = 0; i < 20; ++i, second += w.step_s) {
    const auto [live_m, raw_m] =
        feed(i == w.bad ? w.off_m : 0, random.Uniform(0, 2 * std::numbers::pi));
    if (i < 2 || i == w.bad) continue;
    worst.live_m = std::max(worst.live_m, live_m);
    worst.raw_m = std::max(worst.raw_m, raw_m);
  }
  return worst;
}

void ExpectRightFromTheThirdOn(const Start& start) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Worst worst = Begin(start, seed);
    EXPECT_LT(worst.live_m, worst.raw_m + 10) << start.Name() << ", seed " << seed;
  }
}

TEST(FirstFixes, TheThirdTellsWhichOfTwoWasRight) {
  for (const int step_s : {1, 2, 5, 10}) {
    for (const double speed_mps : {0.0, 1.4, 15.0}) {
      for (const bool velocity : {false, true}) {
        for (const int bad : {0, 1}) {
          for (const double off_m : {60.0, 150.0, 600.0, 3000.0}) {
            // Where the way between two fixes is as long, an outlier may be a turn.
            if (off_m <= 2 * speed_mps * step_s) continue;
            for (const int silent_s : {0, 600}) {
              ExpectRightFromTheThirdOn({step_s, speed_mps, velocity, bad, off_m, silent_s});
            }
          }
        }
      }
    }
  }
}

// After a minute of silence the track is not given up, but hardly knows its place: the first fix
// errs by tens of metres where a tunnel ends.
TEST(FirstFixes, AfterASilenceTheSecondTellsThatTheFirstWasWrong) {
  for (const int step_s : {1, 2, 5}) {
    for (const bool velocity : {false, true}) {
      for (const double off_m : {30.0, 60.0, 90.0}) {
        ExpectRightFromTheThirdOn({step_s, 1.4, velocity, 0, off_m, 60});
      }
    }
  }
}

}  // namespace
}  // namespace waymark
