// What the motion sensors say helps where the fixes leave a doubt, and does no harm where it is
// wrong, old or unsure.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "unit/filters/motion_world.h"

namespace waymark {
namespace {

MotionSample Hint(const World& w, Activity activity, double confidence = 0.9,
                  double seconds_ago = 0) {
  return {MonoTime(FromSeconds(w.t_s - seconds_ago)), activity, confidence};
}

// A walker without reported speed comes to rest after two minutes; seconds until that is noticed.
int SecondsToRest(const std::function<void(World&)>& hint) {
  World w;
  w.reports_speed = false;
  w.noise_m = 5;
  w.Step(1.3, 0, 120);
  for (int i = 0; i < 120; ++i) {
    hint(w);
    w.Rest(1);
    if (w.detector.motion() == Motion::kStationary) return i;
  }
  return 120;
}

// Someone who has stood for five minutes walks off; seconds until that is noticed.
int SecondsToStart(double speed_mps, const std::function<void(World&)>& hint) {
  World w;
  w.reports_speed = false;
  w.noise_m = 4;
  w.Rest(300);
  for (int i = 0; i < 200; ++i) {
    hint(w);
    w.Step(speed_mps, 0);
    if (w.detector.motion() == Motion::kMoving) return i;
  }
  return 200;
}

void Say(World& w, Activity a, double confidence = 0.9) {
  w.detector.Observe(Hint(w, a, confidence));
}

TEST(MotionHint, StillShortensTheDoubtAboutARest) {
  EXPECT_LT(SecondsToRest([](World& w) { Say(w, Activity::kStill); }),
            SecondsToRest([](World&) {}));
}

TEST(MotionHint, WalkingShortensTheDoubtAboutAStart) {
  EXPECT_LT(SecondsToStart(1.0, [](World& w) { Say(w, Activity::kWalking); }),
            SecondsToStart(1.0, [](World&) {}));
}

TEST(MotionHint, DoesNothingWhereItIsUnsureOldUnknownOrNoNumber) {
  const int none = SecondsToRest([](World&) {});
  EXPECT_EQ(SecondsToRest([](World& w) { Say(w, Activity::kStill, 0.5); }), none);
  EXPECT_EQ(SecondsToRest([](World& w) { Say(w, Activity::kUnknown); }), none);
  EXPECT_EQ(SecondsToRest([](World& w) {
              Say(w, Activity::kStill, std::numeric_limits<double>::quiet_NaN());
            }),
            none);
  EXPECT_EQ(SecondsToRest([](World& w) { Say(w, Activity::kStill, 1.5); }), none);
  EXPECT_EQ(SecondsToRest([](World& w) { w.detector.Observe(Hint(w, Activity::kStill, 0.9, 61)); }),
            none);
}

TEST(MotionHint, AnOlderOneDoesNotReplaceANewerOne) {
  const int still = SecondsToRest([](World& w) { Say(w, Activity::kStill); });
  EXPECT_EQ(SecondsToRest([](World& w) {
              Say(w, Activity::kStill);
              w.detector.Observe(Hint(w, Activity::kWalking, 0.9, 5));
            }),
            still);
}

TEST(MotionHint, AWrongStillSwallowsNoWalker) {
  for (const bool speed : {true, false}) {
    World w;
    w.reports_speed = speed;
    w.noise_m = 3;
    w.Rest(200);
    for (int i = 0; i < 300; ++i) {
      Say(w, Activity::kStill, 1);
      w.Step(1.0, 0);
    }
    EXPECT_EQ(w.detector.motion(), Motion::kMoving) << speed;
    EXPECT_NEAR(w.odometer.total().distance_m, 300, 15) << speed;
  }
}

TEST(MotionHint, AWrongStillSwallowsNoDrive) {
  World w;
  w.Step(10, 0, 60);
  for (int i = 0; i < 300; ++i) {
    Say(w, Activity::kStill, 1);
    w.Step(i < 150 ? 15 : 2, 0);
    ASSERT_EQ(w.detector.motion(), Motion::kMoving) << i;
  }
}

TEST(MotionHint, AWrongWalkingMakesNoWayAtRest) {
  for (const bool speed : {true, false}) {
    World w;
    w.reports_speed = speed;
    w.noise_m = 5;
    w.Rest(120);
    for (int i = 0; i < 1800; ++i) {
      Say(w, i % 600 < 300 ? Activity::kWalking : Activity::kAutomotive, 1);
      w.east_m = 4 * std::sin(i / 19.0);  // the receiver's slow wander
      w.Rest(1);
    }
    EXPECT_EQ(w.odometer.total().distance_m, 0) << speed;
    EXPECT_EQ(w.detector.motion(), Motion::kStationary) << speed;
  }
}

TEST(MotionHint, AWrongWalkingDelaysARestButDoesNotPreventIt) {
  World w;
  w.Step(10, 0, 60);
  int seen = -1;
  for (int i = 0; i < 60 && seen < 0; ++i) {
    Say(w, Activity::kWalking, 1);
    w.Rest(1);
    if (w.detector.motion() == Motion::kStationary) seen = i;
  }
  EXPECT_GE(seen, 0);
  EXPECT_LE(seen, 30);
}

TEST(MotionHint, IsPartOfTheSnapshot) {
  EXPECT_EQ(SecondsToRest([](World& w) {
              Say(w, Activity::kStill);
              std::vector<std::byte> image;
              w.detector.Save(image);
              w.detector = MotionDetector();
              ASSERT_TRUE(w.detector.Restore(image).ok());
            }),
            SecondsToRest([](World& w) { Say(w, Activity::kStill); }));
}

}  // namespace
}  // namespace waymark
