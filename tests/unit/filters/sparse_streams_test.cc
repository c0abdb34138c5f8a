// Streams with less in them than one fix a second with every field: do no harm all the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "filters/track_filter.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using test::Deliver;
using test::Drive;
using test::TimeOf;

struct Leg {
  std::size_t seconds;
  double acceleration_mps2, turn_deg_per_s;
};

// A town at its hardest: stops, starts at 2.5 m/s^2, brakes at 3 m/s^2, corners within 4 s.
const std::vector<Leg> kTown = {{8, 0, 0},  {8, 2.5, 0}, {20, 0, 0},  {4, -3, 0},   {4, 0, 22.5},
                                {6, 2, 0},  {15, 0, 0},  {7, -3, 0},  {25, 0, 0},   {10, 2.5, 0},
                                {30, 0, 1}, {5, -3, 0},  {4, 0, -25}, {4, 2.5, -5}, {12, 0, 0},
                                {8, -3, 0}, {40, 0, 0}};

// Ten rounds of kTown at one fix per second, the receiver's error slow and smooth.
Drive Town(std::uint64_t seed) {
  test::Random random(seed);
  Drive d;
  const LocalFrame frame({48.1, 11.5});
  double east = 0, north = 0, heading = 1, speed = 0, be = 1, bn = -0.5;
  std::size_t second = 0;
  for (int round = 0; round < 10; ++round) {
    for (const Leg& leg : kTown) {
      for (std::size_t i = 0; i < leg.seconds; ++i, ++second) {
        const double before = speed;
        speed = std::clamp(speed + leg.acceleration_mps2, 0.0, 25.0);
        const double turn = leg.turn_deg_per_s * std::numbers::pi / 180;
        east += (before + speed) / 2 * std::sin(heading + turn / 2);
        north += (before + speed) / 2 * std::cos(heading + turn / 2);
        heading += turn;
        be = 0.98 * be + 0.2 * random.Normal();
        bn = 0.98 * bn + 0.2 * random.Normal();
        d.truth.push_back(frame.FromLocal({east, north}));
        Fix f;
        f.time = TimeOf(second);
        f.position = frame.FromLocal({east + be, north + bn});
        f.speed_mps = speed;
        f.course_deg = std::fmod(heading * 180 / std::numbers::pi + 7200, 360.0);
        d.fixes.push_back(Deliver(f));
      }
    }
  }
  return d;
}

double Apart(LatLon a, LatLon b) {
  const EastNorth d = LocalFrame(a).ToLocal(b);
  return std::hypot(d.east_m, d.north_m);
}

struct Outcome {
  std::size_t used = 0, fixes = 0;
  double raw_rmse_m = 0, live_rmse_m = 0, live_max_m = 0;
};

Outcome Follow(const Drive& d, std::size_t every) {
  auto created = Estimator::Create({});
  Estimator e = std::move(created).value();
  Outcome o;
  for (std::size_t i = 0; i < d.fixes.size(); i += every) {
    ++o.fixes;
    o.used += e.Update(d.fixes[i].fix, d.fixes[i].arrival).used();
    const auto live = e.Latest();
    if (!live) continue;
    const double raw_m = Apart(d.fixes[i].fix.position, d.truth[i]);
    const double live_m = Apart(live->position, d.truth[i]);
    o.raw_rmse_m += raw_m * raw_m;
    o.live_rmse_m += live_m * live_m;
    o.live_max_m = std::max(o.live_max_m, live_m);
  }
  o.raw_rmse_m = std::sqrt(o.raw_rmse_m / static_cast<double>(o.fixes));
  o.live_rmse_m = std::sqrt(o.live_rmse_m / static_cast<double>(o.fixes));
  return o;
}

void DropVelocity(Drive& d) {
  for (auto& x : d.fixes) {
    x.fix.speed_mps.reset();
    x.fix.course_deg.reset();
  }
}

TEST(SparseStreams, AManoeuvreBetweenFixesIsNoJumpAtAnyRate) {
  for (const std::size_t every : {1u, 2u, 5u, 10u, 20u}) {
    for (const bool velocity : {true, false}) {
      Drive d = Town(3);
      if (!velocity) DropVelocity(d);
      const Outcome o = Follow(d, every);
      EXPECT_EQ(o.used, o.fixes) << every << " s, velocity " << velocity;
      EXPECT_LE(o.live_rmse_m, 1.25 * o.raw_rmse_m) << every << " s, velocity " << velocity;
    }
  }
}

TEST(SparseStreams, ASpeedWithoutCourseIsNoRest) {
  Drive d = Town(4);
  for (auto& x : d.fixes) x.fix.course_deg.reset();
  const Outcome o = Follow(d, 1);
  EXPECT_EQ(o.used, o.fixes);
  EXPECT_LE(o.live_rmse_m, 1.1 * o.raw_rmse_m);
}

// At one fix per 10 s nothing tells an outlier from a car that stopped: what is accepted by mistake
// must not carry the track further off than the outlier itself.
TEST(SparseStreams, AnOutlierDoesNotCarryASparseTrackAway) {
  Drive d = Town(5);
  DropVelocity(d);
  for (std::size_t i = 50; i < d.fixes.size(); i += 100) {
    d.fixes[i].fix.position = test::Moved(d.fixes[i].fix.position, 250, -160);
  }
  const Outcome o = Follow(d, 10);
  EXPECT_LE(o.live_max_m, 1.3 * std::hypot(250, 160));
  EXPECT_LE(o.live_rmse_m, 1.15 * o.raw_rmse_m);
}

// A walk by positions alone; one fix in twenty of those at `every` seconds lies `off_m` off.
Drive WalkWithOutliers(std::uint64_t seed, std::size_t every, double off_m) {
  Drive d = test::Simulate({.seconds = 200 * every,
                            .white_m = 2,
                            .gm_m = 3,
                            .gm_tau_s = 30,
                            .accuracy_m = 8,
                            .velocity = false,
                            .max_speed_mps = 1.5,
                            .seed = seed});
  test::Random random(seed);
  for (std::size_t i = 15 * every; i < d.fixes.size(); i += 20 * every) {
    const double angle = random.Uniform(0, 2 * std::numbers::pi);
    d.fixes[i].fix.position =
        test::Moved(d.fixes[i].fix.position, off_m * std::cos(angle), off_m * std::sin(angle));
  }
  return d;
}

// What may have been a manoeuvre and was none leads nowhere: the next fix tells.
TEST(SparseStreams, TheFixAfterAnOutlierTellsThatItWasOne) {
  for (const std::size_t every : {2u, 3u, 5u}) {
    for (const double off_m : {30.0, 60.0, 90.0}) {
      double worst_m = 0;
      for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        const Drive d = WalkWithOutliers(seed, every, off_m);
        Estimator e = std::move(Estimator::Create({})).value();
        for (std::size_t i = 0; i < d.fixes.size(); i += every) {
          e.Update(d.fixes[i].fix, d.fixes[i].arrival);
          if (i % (20 * every) != 15 * every) {
            worst_m = std::max(worst_m, Apart(e.Latest()->position, d.truth[i]));
          }
        }
      }
      EXPECT_LT(worst_m, 30) << every << " s, " << off_m << " m";
    }
  }
}

// Nobody who walks gets so far in ten seconds, not even by starting a car.
TEST(SparseStreams, AWalkerIsNotWhereNoCarWouldTakeHim) {
  for (const double off_m : {300.0, 500.0}) {
    double worst_m = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const Drive d = WalkWithOutliers(seed, 10, off_m);
      worst_m = std::max(worst_m, Follow(d, 10).live_max_m);
    }
    EXPECT_LT(worst_m, 60) << off_m << " m";
  }
}

// What cannot be seen has an unknown scale, and so a longer tail than what can.
TEST(Radii, HaveALongerTailWhereTheErrorCannotBeSeen) {
  Estimate e;
  SetRadii(e, 4, 0);
  EXPECT_NEAR(e.r68_m, 2 * 1.5096, 1e-3);
  EXPECT_NEAR(e.r95_m / e.r68_m, 1.839, 1e-3);  // Student's t with 8 degrees of freedom
  SetRadii(e, 4, 2);
  EXPECT_NEAR(e.r95_m / e.r68_m, (1.839 + 2.366) / 2, 1e-3);
  SetRadii(e, 4, 4);
  EXPECT_NEAR(e.r95_m / e.r68_m, 2.366, 1e-3);  // and with 3
  SetRadii(e, 4, 0, 4);
  EXPECT_NEAR(e.r95_m / e.r68_m, 2.990, 1e-3);  // and with 2: how the body went on
  SetRadii(e, 4, 2, 2);
  EXPECT_NEAR(e.r95_m / e.r68_m, (2.366 + 2.990) / 2, 1e-3);
}

// A model of rest, left kilometres behind by a car on a motorway, once widened the mixture to 30 m.
TEST(SparseStreams, TheRadiusDoesNotGrowOnAStraightRoad) {
  const LocalFrame frame({48.1, 11.5});
  Estimator estimator = std::move(Estimator::Create({})).value();
  test::Random random(3);
  double be = 1, bn = -1;
  for (std::size_t t = 0; t < 1000; t += 5) {
    be = 0.95 * be + 0.3 * random.Normal();
    bn = 0.95 * bn + 0.3 * random.Normal();
    Fix f;
    f.time = TimeOf(t);
    f.position = frame.FromLocal({30.0 * static_cast<double>(t) + be, bn});
    f.speed_mps = 30 + 0.1 * random.Normal();
    f.course_deg = 90;
    const DeliveredFix d = Deliver(f);
    EXPECT_TRUE(estimator.Update(d.fix, d.arrival).used()) << t;
    if (t > 300) {
      EXPECT_LT(estimator.Latest()->r68_m, 6) << t;
    }
  }
}

}  // namespace
}  // namespace waymark
