#include "filters/motion_detector.h"

#include <gtest/gtest.h>

#include <cmath>

#include "unit/filters/motion_world.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = MotionEvent::Kind;

TEST(MotionDetector, NoticesRestAndStartAndDatesThemBack) {
  World w;
  w.Step(10, 0, 30);
  EXPECT_EQ(w.detector.motion(), Motion::kMoving);
  const double stopped_s = w.t_s, stopped_east_m = w.east_m;
  w.Rest(8);
  EXPECT_EQ(w.detector.motion(), Motion::kStationary);
  const MotionEvent* stop = w.Last(Kind::kMotionChange);
  EXPECT_EQ(stop->change.motion, Motion::kStationary);
  EXPECT_NEAR(At(stop->change.time), stopped_s, 2);
  EXPECT_NEAR(DistanceM(stop->change.position, LocalFrame(kHere).FromLocal({stopped_east_m, 0})), 0,
              1);
  w.Rest(20);
  const double left_s = w.t_s;
  w.Step(0, 5, 6);
  EXPECT_EQ(w.detector.motion(), Motion::kMoving);
  const MotionEvent* start = w.Last(Kind::kMotionChange);
  EXPECT_EQ(start->change.motion, Motion::kMoving);
  EXPECT_NEAR(At(start->change.time), left_s, 1);
  EXPECT_TRUE(start->change.utc.has_value());
}

TEST(MotionDetector, TellsStaysAndTripsInTurnWithTheirDistance) {
  World w;
  w.Rest(300);
  w.Step(10, 0, 100);
  w.Rest(60);  // a red light: no stay
  w.Step(10, 0, 100);
  w.Rest(300);
  w.Step(0, 1.2, 200);
  w.detector.Finish(w.odometer.total(), w.events);
  std::vector<Kind> big;
  for (const Kind k : w.Kinds()) {
    if (k != Kind::kMotionChange) big.push_back(k);
  }
  EXPECT_EQ(big, (std::vector<Kind>{Kind::kStayBegan, Kind::kStayEnded, Kind::kTripBegan,
                                    Kind::kTripEnded, Kind::kStayBegan, Kind::kStayEnded,
                                    Kind::kTripBegan, Kind::kTripEnded}));
  std::vector<Trip> trips;
  std::vector<Stay> stays;
  std::uint64_t last_id = 0;
  for (const MotionEvent& e : w.events) {
    if (e.kind == Kind::kTripEnded) trips.push_back(e.trip);
    if (e.kind == Kind::kStayEnded) stays.push_back(e.stay);
    if (e.kind == Kind::kTripBegan || e.kind == Kind::kStayBegan) {
      const std::uint64_t id = e.kind == Kind::kTripBegan ? e.trip.id : e.stay.id;
      EXPECT_GT(id, last_id);
      last_id = id;
    }
  }
  ASSERT_EQ(trips.size(), 2u);
  EXPECT_NEAR(trips[0].distance_m, 2000, 10);
  EXPECT_GT(trips[0].distance_bound_m, 0);
  EXPECT_NEAR(At(trips[0].begin), 1300, 2);
  EXPECT_NEAR(At(trips[0].end), 1560, 3);
  EXPECT_NEAR(trips[1].distance_m, 240, 5);
  EXPECT_NEAR(DistanceM(trips[0].from, kHere), 0, 2);
  EXPECT_NEAR(DistanceM(trips[0].to, trips[1].from), 0, 3);
  ASSERT_EQ(stays.size(), 2u);
  EXPECT_NEAR(At(stays[1].begin), 1560, 3);
  EXPECT_NEAR(At(stays[1].end), 1860, 3);
  EXPECT_GT(stays[1].fixes, 250u);
}

TEST(MotionDetector, StaysPutInCanyonNoiseAndFindsThePlace) {
  World w;
  w.noise_m = 12;
  w.reports_speed = false;
  w.Rest(1800);
  int starts = 0;
  for (const MotionEvent& e : w.events) {
    starts += e.kind == Kind::kMotionChange && e.change.motion == Motion::kMoving;
  }
  EXPECT_EQ(starts, 0);
  EXPECT_EQ(w.odometer.total().distance_m, 0);
  ASSERT_TRUE(w.detector.current_stay().has_value());
  const Stay stay = *w.detector.current_stay();
  const double off_m = DistanceM(stay.position, kHere);
  EXPECT_LT(off_m, 3);
  EXPECT_LT(off_m, 2.5 * stay.r68_m);
}

TEST(MotionDetector, FindsAWalkerWithoutReportedSpeed) {
  World w;
  w.noise_m = 4;
  w.reports_speed = false;
  w.Rest(300);
  EXPECT_EQ(w.detector.motion(), Motion::kStationary);
  const double left_s = w.t_s;
  w.Step(1.3, 0, 60);
  EXPECT_EQ(w.detector.motion(), Motion::kMoving);
  EXPECT_NEAR(At(w.Last(Kind::kMotionChange)->change.time), left_s, 15);
  w.Rest(90);
  EXPECT_EQ(w.detector.motion(), Motion::kStationary);
}

// Positions that scatter by 8 m cannot tell a red light from a stroll in half a minute; but who
// drove a moment ago does not stroll.
TEST(MotionDetector, SeesARedLightByPositionsAlone) {
  World w;
  w.reports_speed = false;
  w.noise_m = 8;
  w.Rest(120);
  w.Step(12, 0, 60);
  ASSERT_EQ(w.detector.motion(), Motion::kMoving);
  w.Rest(40);
  EXPECT_EQ(w.detector.motion(), Motion::kStationary);
  const double stopped_s = w.t_s - 40;
  EXPECT_NEAR(At(w.Last(MotionEvent::Kind::kMotionChange)->change.time), stopped_s, 8);
  w.Step(12, 0, 30);
  EXPECT_EQ(w.detector.motion(), Motion::kMoving);
}

TEST(MotionDetector, IgnoresAJumpThatComesBack) {
  World w;
  w.reports_speed = false;
  w.Rest(300);
  w.east_m += 80;
  w.Rest(20);
  w.east_m -= 80;
  w.Rest(100);
  EXPECT_EQ(w.detector.motion(), Motion::kStationary);
  EXPECT_EQ(w.odometer.total().distance_m, 0);
}

TEST(MotionDetector, FollowsAMoveThatItSlept) {
  World w;
  w.Rest(300);
  w.t_s += 3600;
  w.east_m += 5000;
  w.Rest(300);
  ASSERT_TRUE(w.detector.current_stay().has_value());
  EXPECT_NEAR(
      DistanceM(w.detector.current_stay()->position, LocalFrame(kHere).FromLocal({5000, 0})), 0, 2);
}

TEST(MotionDetector, TakesAGapAtOnePlaceForARest) {
  World w;
  w.Step(10, 0, 60);
  const double stopped_s = w.t_s;
  w.t_s += 1800;
  w.Step(0, 0, 1);
  EXPECT_EQ(w.detector.motion(), Motion::kStationary);
  ASSERT_TRUE(w.detector.current_stay().has_value());
  EXPECT_NEAR(At(w.detector.current_stay()->begin), stopped_s, 1);
}

TEST(MotionDetector, SeesAStayThatBeginsWhileNoFixComes) {
  World w;
  w.Step(10, 0, 60);
  w.Rest(20);
  ASSERT_TRUE(w.detector.NextDeadline().has_value());
  const MonoTime due = *w.detector.NextDeadline();
  const std::size_t before = w.events.size();
  w.detector.Advance(due - milliseconds(1), w.odometer.total(), w.events);
  EXPECT_EQ(w.events.size(), before);
  w.detector.Advance(due, w.odometer.total(), w.events);
  ASSERT_EQ(w.events.size(), before + 2);
  EXPECT_EQ(w.events[before].kind, Kind::kTripEnded);
  EXPECT_EQ(w.events[before + 1].kind, Kind::kStayBegan);
  EXPECT_FALSE(w.detector.NextDeadline().has_value());
}

TEST(MotionDetector, TellsEachStayItsOwnPlace) {
  World w;
  w.Rest(300);
  w.Step(10, 0, 8);  // around the corner, so quickly that the stay is left only by the next rest
  w.Rest(300);
  std::vector<Stay> stays;
  w.detector.Finish(w.odometer.total(), w.events);
  for (const MotionEvent& e : w.events) {
    if (e.kind == Kind::kStayEnded) stays.push_back(e.stay);
  }
  ASSERT_EQ(stays.size(), 2u);
  EXPECT_NEAR(DistanceM(stays[0].position, kHere), 0, 1);
  EXPECT_NEAR(DistanceM(stays[1].position, kHere), 80, 1);
}

TEST(MotionDetector, PlacesAStayByAllItsFixes) {
  World w;
  w.Rest(300);
  w.Step(2, 0, 10);
  w.Rest(300);
  ASSERT_TRUE(w.detector.current_stay().has_value());
  EXPECT_NEAR(DistanceM(w.detector.current_stay()->position, kHere), 10, 2);
  EXPECT_GT(w.detector.current_stay()->fixes, 500u);
}

TEST(MotionDetector, KeepsOneStayThroughStepsWithinThePlace) {
  World w;
  w.Rest(300);
  for (int i = 0; i < 5; ++i) {
    w.Step(1.2, 0, 12);
    w.Rest(60);
    w.Step(-1.2, 0, 12);
    w.Rest(60);
  }
  for (const Kind k : w.Kinds()) EXPECT_NE(k, Kind::kStayEnded);
}

TEST(MotionDetector, GoesOnFromASnapshotAtAnyPoint) {
  World straight, interrupted;
  const auto script = [](World& w, int i) {
    w.noise_m = 3;
    w.reports_speed = i % 2 == 0;
    if (i % 4 == 3) w.detector.Observe({MonoTime(FromSeconds(w.t_s)), Activity::kWalking, 0.7});
    if (i / 100 % 2 == 0) {
      w.Rest(1, i % 50 == 49 ? 200 : 1);
    } else {
      w.Step(40, 30);  // far enough to move the frame
    }
  };
  for (int i = 0; i < 1000; ++i) {
    script(straight, i);
    script(interrupted, i);
    std::vector<std::byte> image;
    interrupted.detector.Save(image);
    MotionDetector restored;
    ASSERT_TRUE(restored.Restore(image).ok());
    std::vector<std::byte> again;
    restored.Save(again);
    ASSERT_EQ(again, image);
    ASSERT_EQ(restored.Restore(std::span(image).first(image.size() - 1)).code(), Code::kCorruption);
    interrupted.detector = restored;
    ASSERT_EQ(straight.events.size(), interrupted.events.size()) << i;
  }
  ASSERT_GT(straight.events.size(), 10u);
  for (std::size_t i = 0; i < straight.events.size(); ++i) {
    EXPECT_EQ(straight.events[i].kind, interrupted.events[i].kind);
    EXPECT_EQ(straight.events[i].change.time, interrupted.events[i].change.time);
    EXPECT_EQ(straight.events[i].stay.position, interrupted.events[i].stay.position);
    EXPECT_EQ(straight.events[i].trip.distance_m, interrupted.events[i].trip.distance_m);
  }
}

}  // namespace
}  // namespace waymark
