// The engine's behaviour on small, readable stories.
#include "sdk/geofence/geofence_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

const LatLon kHome{48.137, 11.575};

MonoTime At(double s) { return MonoTime(FromSeconds(s)); }

Estimate EstimateAt(double t_s, LatLon p, double sigma_m) {
  Estimate e;
  e.time = At(t_s);
  e.utc = UtcTime(std::chrono::milliseconds(1'760'000'000'000 + static_cast<long>(t_s * 1000)));
  e.position = p;
  e.cov_ee_m2 = e.cov_nn_m2 = sigma_m * sigma_m;
  return e;
}

/// A place `east_m` east of kHome.
LatLon East(double east_m) { return Destination(kHome, 90, east_m); }

Geofence CircleFence(std::string id, double radius_m, LatLon centre = kHome) {
  Geofence f;
  f.id = std::move(id);
  f.shape = Circle{centre, radius_m};
  return f;
}

class EngineTest : public ::testing::Test {
 protected:
  void Add(const Geofence& f) {
    std::vector<FenceProblem> problems;
    engine.Add(std::span(&f, 1), problems);
    ASSERT_TRUE(problems.empty()) << problems[0].reason;
  }
  std::vector<FenceEvent> Step(double t_s, double east_m, double sigma_m = 5) {
    std::vector<FenceEvent> events;
    engine.Update(EstimateAt(t_s, East(east_m), sigma_m), events);
    return events;
  }
  std::vector<FenceEvent> AdvanceTo(double t_s, bool confirmed = true) {
    std::vector<FenceEvent> events;
    engine.Advance({At(t_s), UtcTime(std::chrono::milliseconds(1'760'000'000'000 +
                                                               static_cast<long>(t_s * 1000)))},
                   confirmed, events);
    return events;
  }
  GeofenceEngine engine;
};

std::string Brief(const std::vector<FenceEvent>& events) {
  std::string s;
  for (const FenceEvent& e : events) {
    s += std::string(FenceTransitionName(e.transition)) + ":" + e.id + " ";
  }
  return s;
}

TEST_F(EngineTest, EntersAndLeavesACircle) {
  Add(CircleFence("home", 100));
  EXPECT_EQ(Brief(Step(0, -300)), "");
  EXPECT_EQ(Brief(Step(1, -200)), "");
  auto events = Step(2, -50);
  EXPECT_EQ(Brief(events), "enter:home ");
  EXPECT_NEAR(Seconds(events[0].crossing_time.time_since_epoch()), 1 + 100.0 / 150, 1e-3);
  EXPECT_NEAR(DistanceM(events[0].crossing_position, East(-100)), 0, 0.01);
  EXPECT_NEAR(events[0].distance_m, -50, 0.01);
  EXPECT_GT(events[0].probability, 0.9);
  EXPECT_EQ(events[0].evidence_from, At(1));
  EXPECT_EQ(Brief(Step(3, 0)), "");
  EXPECT_EQ(Brief(Step(4, 150)), "exit:home ");
  EXPECT_EQ(engine.State("home")->hits, 1u);
}

TEST_F(EngineTest, SeesAFenceDrivenThroughBetweenTwoFixes) {
  Add(CircleFence("gate", 30));
  EXPECT_EQ(Brief(Step(0, -100, 3)), "");
  const auto events = Step(4, 100, 3);
  EXPECT_EQ(Brief(events), "enter:gate exit:gate ");
  EXPECT_NEAR(Seconds(events[0].crossing_time.time_since_epoch()), 4 * 70.0 / 200, 1e-3);
  EXPECT_NEAR(Seconds(events[1].crossing_time.time_since_epoch()), 4 * 130.0 / 200, 1e-3);
}

TEST_F(EngineTest, DoesNotClaimASmallFenceBesideALongGap) {
  Add(CircleFence("gate", 30));
  Step(0, -2000, 3);
  EXPECT_EQ(Brief(Step(120, 2000, 3)), "");  // may have gone around: 900 m of freedom
}

TEST_F(EngineTest, ConfirmsAPendingExitAndKeepsItsCrossing) {
  Add(CircleFence("home", 100));
  Step(0, 0, 10);
  Step(1, 90, 10);
  EXPECT_EQ(Brief(Step(2, 105, 10)), "");
  EXPECT_TRUE(engine.State("home")->pending);
  const auto events = Step(3, 160, 10);
  EXPECT_EQ(Brief(events), "exit:home ");
  EXPECT_NEAR(Seconds(events[0].crossing_time.time_since_epoch()), 1 + 10.0 / 15, 1e-3);
  EXPECT_EQ(events[0].evidence_from, At(1));
  EXPECT_EQ(events[0].evidence_to, At(3));
}

TEST_F(EngineTest, ReportsACancelledExitOnce) {
  Add(CircleFence("home", 100));
  EXPECT_EQ(Brief(Step(0, 0, 10)), "enter:home ");
  EXPECT_EQ(Brief(Step(1, 90, 10)), "");
  EXPECT_EQ(Brief(Step(2, 110, 10)), "");
  const auto events = Step(3, 60, 10);
  ASSERT_EQ(Brief(events), "rejected:home ");
  EXPECT_EQ(events[0].rejection, FenceRejection::kPendingCancelled);
  EXPECT_EQ(events[0].trigger, FenceTransition::kExit);
  EXPECT_EQ(Brief(Step(4, 110, 10)), "");
  EXPECT_EQ(Brief(Step(5, 60, 10)), "");
}

TEST_F(EngineTest, InitialTriggerDecidesAboutTheFirstEnter) {
  Geofence quiet = CircleFence("quiet", 100);
  quiet.initial_trigger = false;
  Add(quiet);
  Add(CircleFence("loud", 100));
  EXPECT_EQ(Brief(Step(0, 0)), "enter:loud ");
  EXPECT_TRUE(engine.State("quiet")->inside);
  EXPECT_EQ(Brief(Step(1, 300)), "exit:loud exit:quiet ");
}

TEST_F(EngineTest, DwellsOnceAVisitAndOnlyInside) {
  Geofence f = CircleFence("cafe", 100);
  f.dwell = seconds(60);
  Add(f);
  EXPECT_EQ(Brief(Step(0, 0)), "enter:cafe ");
  EXPECT_EQ(engine.NextDeadline(), At(60));
  EXPECT_EQ(Brief(AdvanceTo(59)), "");
  EXPECT_EQ(Brief(AdvanceTo(60)), "dwell:cafe ");
  EXPECT_EQ(engine.NextDeadline(), std::nullopt);
  EXPECT_EQ(Brief(AdvanceTo(200)), "");
  EXPECT_EQ(Brief(Step(201, 300)), "exit:cafe ");
  EXPECT_EQ(Brief(AdvanceTo(400)), "");
}

TEST_F(EngineTest, ExpiresOnlyByConfirmedUtc) {
  Geofence f = CircleFence("sale", 100);
  f.expires = UtcTime(std::chrono::milliseconds(1'760'000'010'000));
  Add(f);
  AdvanceTo(20, false);
  EXPECT_EQ(engine.size(), 1u);
  AdvanceTo(5, true);
  EXPECT_EQ(engine.NextDeadline(), At(10));
  AdvanceTo(10, true);
  EXPECT_EQ(engine.size(), 0u);
}

TEST_F(EngineTest, OpeningHoursBoundTheFenceInTime) {
  // 1'760'000'000 is Thursday 2025-10-09 08:53:20 UTC.
  Geofence f = CircleFence("shop", 100);
  const std::uint32_t nine = 3 * 24 * 60 + 9 * 60;
  f.open = {{nine, nine + 60}};
  Add(f);
  AdvanceTo(-1);
  auto events = Step(0, 0);
  ASSERT_EQ(Brief(events), "rejected:shop ");
  EXPECT_EQ(events[0].rejection, FenceRejection::kClosed);
  EXPECT_EQ(engine.NextDeadline(), At(400));
  EXPECT_EQ(Brief(AdvanceTo(400)), "enter:shop ");
  EXPECT_EQ(engine.NextDeadline(), At(4000));
  EXPECT_EQ(Brief(AdvanceTo(4000)), "exit:shop ");
  events = Step(4001, 400);
  ASSERT_EQ(Brief(events), "rejected:shop ");
  EXPECT_EQ(events[0].trigger, FenceTransition::kExit);
}

TEST_F(EngineTest, NotifyFlagsTurnEventsIntoRejections) {
  Geofence f = CircleFence("door", 100);
  f.notify_enter = false;
  Add(f);
  const auto events = Step(0, 0);
  ASSERT_EQ(Brief(events), "rejected:door ");
  EXPECT_EQ(events[0].rejection, FenceRejection::kNotNotified);
  EXPECT_EQ(Brief(Step(1, 300)), "exit:door ");
}

TEST_F(EngineTest, OldAndRepeatedEstimatesChangeNothing) {
  Add(CircleFence("home", 100));
  Step(5, -300);
  EXPECT_EQ(Brief(Step(5, 0)), "");
  EXPECT_EQ(Brief(Step(4, 0)), "");
  EXPECT_FALSE(engine.State("home")->inside);
}

TEST_F(EngineTest, ReplacementKeepsTheState) {
  Add(CircleFence("home", 100));
  Step(0, 0);
  Add(CircleFence("home", 150));
  EXPECT_EQ(Brief(Step(1, 1)), "");
  Add(CircleFence("home", 150, East(1000)));
  EXPECT_EQ(Brief(Step(2, 2)), "exit:home ");
}

TEST_F(EngineTest, RefusesWhatItCannotUseAndKeepsTheRest) {
  std::vector<Geofence> set{CircleFence("a", 100), CircleFence("b", 0.5), CircleFence("a", 50),
                            CircleFence("", 50)};
  Geofence bow = CircleFence("bow", 1);
  bow.shape = Polygon{{{48, 11}, {48.01, 11.01}, {48, 11.01}, {48.01, 11}}, {}};
  set.push_back(bow);
  Geofence nan = CircleFence("nan", 50);
  nan.shape = Polygon{{{48, 11}, {NAN, 11.01}, {48, 11.01}}, {}};
  set.push_back(nan);
  Geofence two = CircleFence("two", 50);
  two.shape = Polygon{{{48, 11}, {48.01, 11.01}}, {}};
  set.push_back(two);
  std::vector<FenceProblem> problems;
  engine.Add(set, problems);
  EXPECT_EQ(engine.size(), 1u);
  ASSERT_EQ(problems.size(), 6u);
  EXPECT_EQ(problems[0].index, 1u);
  EXPECT_THAT(problems[0].reason, ::testing::HasSubstr("radius_m is 0.5"));
  EXPECT_THAT(problems[1].reason, ::testing::HasSubstr("twice"));
  EXPECT_THAT(problems[3].reason, ::testing::HasSubstr("cross"));
  EXPECT_EQ(std::get<Circle>(engine.Find("a")->shape).radius_m, 100);
}

TEST_F(EngineTest, RestartIsNoSecondEnterAndNoLostExit) {
  Add(CircleFence("home", 100));
  EXPECT_EQ(Brief(Step(0, 0)), "enter:home ");
  std::vector<std::byte> fences, state;
  engine.SaveFences(fences);
  engine.SaveState(state);
  GeofenceEngine again;
  ASSERT_TRUE(again.RestoreFences(fences).ok());
  ASSERT_TRUE(again.RestoreState(state).ok());
  engine = again;
  EXPECT_EQ(Brief(Step(1, 10)), "");
  EXPECT_EQ(Brief(Step(2, 300)), "exit:home ");
}

// The intake takes times of up to 146 years; found by fuzz_core_events.
TEST_F(EngineTest, RestoresTheLatestTimeThereMayBe) {
  Add(CircleFence("home", 100));
  std::vector<FenceEvent> events;
  Estimate e = EstimateAt(0, East(0), 5);
  e.time = MonoTime(Duration((std::int64_t{1} << 62) - 1));
  engine.Update(e, events);
  std::vector<std::byte> state, again;
  engine.SaveState(state);
  ASSERT_TRUE(engine.RestoreState(state).ok());
  engine.SaveState(again);
  EXPECT_EQ(state, again);
}

TEST_F(EngineTest, SurvivesAReboot) {
  Geofence f = CircleFence("home", 100);
  f.dwell = seconds(100);
  Add(f);
  EXPECT_EQ(Brief(Step(1000, 0)), "enter:home ");
  std::vector<std::byte> state;
  engine.SaveState(state);
  ASSERT_TRUE(engine.RestoreState(state).ok());
  std::vector<FenceEvent> events;
  Estimate e = EstimateAt(1090, East(0), 5);  // 90 s later by UTC,
  e.time = At(3);                             // on a clock that began anew
  engine.Update(e, events);
  EXPECT_EQ(Brief(events), "");
  EXPECT_EQ(engine.NextDeadline(), At(13));
}

TEST_F(EngineTest, TellsHowFarItIsToTheNextEvent) {
  EXPECT_EQ(engine.NextCheckDistanceM(), GeofenceEngine::kFarM);
  Add(CircleFence("home", 100));
  EXPECT_EQ(engine.NextCheckDistanceM(), 0);
  Step(0, 1100, 0);
  EXPECT_NEAR(engine.NextCheckDistanceM(), 1000, 5);
  EXPECT_NEAR(Seconds(*engine.TimeToNearestPossibleEvent(10)), 100, 0.5);
  Step(1, 50'000'0, 0);
  EXPECT_EQ(engine.TimeToNearestPossibleEvent(10), std::nullopt);
}

}  // namespace
}  // namespace waymark
