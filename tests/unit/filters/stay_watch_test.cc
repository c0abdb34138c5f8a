// A phone at home that strays or is carried away, by positions alone.
#include "filters/stay_watch.h"

#include <gtest/gtest.h>

#include "unit/filters/motion_world.h"

namespace waymark {
namespace {

// At home for a quarter of an hour.
World AtHome() {
  World w;
  w.reports_speed = false;
  w.Rest(900);
  EXPECT_EQ(w.detector.way(), Way::kNone);
  return w;
}

int Trips(const World& w) {
  int n = 0;
  for (const MotionEvent& e : w.events) n += e.kind == MotionEvent::Kind::kTripBegan;
  return n;
}

// Whatever the GNSS does out there: what jumps back home is no way and no trip.
TEST(StayWatch, WhatJumpsBackIsNoWay) {
  for (const double far_m : {40.0, 90.0, 160.0, 250.0, 400.0}) {
    for (const double creep_mps : {0.0, 0.8, 1.5, 2.5}) {
      World w = AtHome();
      w.t_s += 5;
      w.east_m += far_m;
      w.Step(0, creep_mps, 40);
      w.Rest(20);
      w.t_s += 10;
      w.east_m = w.north_m = 0;
      w.Rest(300, 5);
      EXPECT_EQ(w.odometer.total().distance_m, 0) << far_m << " " << creep_mps;
      EXPECT_EQ(Trips(w), 0) << far_m << " " << creep_mps;
      EXPECT_TRUE(w.detector.current_stay().has_value());
    }
  }
}

TEST(StayWatch, AWalkOutAndBackIsAWay) {
  for (const double far_m : {80.0, 100.0, 200.0, 300.0}) {
    World w = AtHome();
    const int steps = static_cast<int>(far_m / 1.25);
    w.Step(1.25, 0, steps);
    w.Step(-1.25, 0, steps);
    w.Rest(300);
    EXPECT_NEAR(w.odometer.total().distance_m, 2 * far_m, 0.05 * 2 * far_m + 6) << far_m;
    EXPECT_EQ(Trips(w), 1) << far_m;
  }
}

// The first fix of a real way may be a jump too: counted in full once it has gone on for as long as
// it takes to settle.
TEST(StayWatch, AWayThatBeginsWithAJumpIsCountedWhenItIsKnown) {
  World w = AtHome();
  w.t_s += 5;
  w.east_m += 60;
  w.Step(1.25, 0, 120);
  EXPECT_EQ(w.odometer.total().distance_m, 0);
  EXPECT_GT(w.odometer.total().bound_m, 150);
  w.Step(1.25, 0, 280);
  EXPECT_NEAR(w.odometer.total().distance_m, 560, 15);
  EXPECT_EQ(Trips(w), 1);
}

// Nor need it get out of the reach of what strays: nobody strays for minutes without a rest.
TEST(StayWatch, WhoGoesOnWithoutARestIsOnHisWay) {
  World w = AtHome();
  w.t_s += 5;
  w.east_m += 60;
  w.Step(1.25, 0, 120);
  w.Step(0, 1.25, 60);
  EXPECT_EQ(w.odometer.total().distance_m, 0);
  w.Step(-1.25, 0, 80);
  EXPECT_NEAR(w.odometer.total().distance_m, 60 + 1.25 * 260, 15);
}

// The process may die meanwhile, or tracking may end before it is known.
TEST(StayWatch, WhatIsHeldBackOutlivesABreakAndIsNoWayInTheEnd) {
  for (const bool restored : {false, true}) {
    World w = AtHome();
    w.t_s += 5;
    w.east_m += 60;
    w.Step(1.25, 0, 60);
    w.odometer.Break();
    if (restored) {
      std::vector<std::byte> image;
      w.odometer.Save(image);
      ASSERT_TRUE(w.odometer.Restore(image).ok());
    }
    w.Step(1.25, 0, 60);
    EXPECT_EQ(w.odometer.total().distance_m, 0);
    World ended = w;
    ended.odometer.Finish();
    EXPECT_EQ(ended.odometer.total().distance_m, 0);
    EXPECT_GT(ended.odometer.total().bound_m, 150);
    w.Step(1.25, 0, 280);
    EXPECT_NEAR(w.odometer.total().distance_m, 560, 15);
    EXPECT_EQ(Trips(w), 1);
  }
}

// An excursion that is none, a walk, another excursion, a move.
void Evening(World& w) {
  w.Rest(900);
  for (const double way_m : {0.0, 1.25, 0.0}) {
    w.t_s += 5;
    w.east_m += 40 * (way_m == 0);
    w.Step(way_m, 1.25 * (way_m == 0), 100);
    w.Step(-way_m, 0, 100);
    w.t_s += 10;
    w.east_m = w.north_m = 0;
    w.Rest(300, 5);
  }
  w.Step(1.25, 0, 120);
  w.Rest(600);
}

TEST(StayWatch, GoesOnAfterARestartAtAnyFix) {
  World whole, restarted;
  whole.reports_speed = restarted.reports_speed = false;
  restarted.restarts = true;
  Evening(whole);
  Evening(restarted);
  EXPECT_GT(whole.odometer.total().distance_m, 300);
  EXPECT_EQ(restarted.odometer.total().distance_m, whole.odometer.total().distance_m);
  EXPECT_EQ(restarted.odometer.total().bound_m, whole.odometer.total().bound_m);
  EXPECT_EQ(restarted.ways, whole.ways);
  EXPECT_EQ(restarted.Kinds(), whole.Kinds());
}

TEST(StayWatch, WhoRestsElsewhereHasMoved) {
  World w = AtHome();
  w.Step(1.25, 0, 120);
  w.Rest(600);
  EXPECT_NEAR(w.odometer.total().distance_m, 150, 8);
  ASSERT_TRUE(w.detector.current_stay().has_value());
  EXPECT_NEAR(DistanceM(w.detector.current_stay()->position, LocalFrame(kHere).FromLocal({150, 0})),
              0, 5);
}

}  // namespace
}  // namespace waymark
