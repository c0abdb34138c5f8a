// Each attribute of a fence and each shape that is hard, by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "sdk/geofence/geofence_engine.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const LatLon kHome{48.137, 11.575};

Geofence Fence(std::string id, FenceShape shape) {
  Geofence f;
  f.id = std::move(id);
  f.shape = std::move(shape);
  return f;
}

Estimate EstimateAt(double t_s, LatLon p, double sigma_m) {
  Estimate e;
  e.time = MonoTime(FromSeconds(t_s));
  e.position = p;
  e.cov_ee_m2 = e.cov_nn_m2 = sigma_m * sigma_m;
  return e;
}

std::vector<FenceProblem> Add(GeofenceEngine& engine, const Geofence& fence) {
  std::vector<FenceProblem> problems;
  engine.Add(std::span(&fence, 1), problems);
  return problems;
}

std::vector<FenceEvent> Step(GeofenceEngine& engine, double t_s, LatLon p, double sigma_m) {
  std::vector<FenceEvent> events;
  engine.Update(EstimateAt(t_s, p, sigma_m), events);
  return events;
}

std::vector<std::string> Containing(const GeofenceEngine& engine, LatLon p) {
  std::vector<std::string> ids;
  engine.Containing(p, ids);
  return ids;
}

// P(inside) at 10 m within the border and a sigma of 10 m is 0.84.
TEST(FenceAttributes, TheRequiredConfidenceDecidesWhoEnters) {
  GeofenceEngine engine;
  for (const double confidence : {0.6, 0.8, 0.88, 0.99}) {
    Geofence f =
        Fence("c" + std::to_string(static_cast<int>(confidence * 100 + 0.5)), Circle{kHome, 1000});
    f.confidence = confidence;
    ASSERT_THAT(Add(engine, f), IsEmpty());
  }
  std::vector<std::string> entered;
  for (const FenceEvent& e : Step(engine, 1, Destination(kHome, 90, 990), 10)) {
    EXPECT_EQ(e.transition, FenceTransition::kEnter);
    EXPECT_NEAR(e.probability, 0.8413, 0.01);
    entered.push_back(e.id);
  }
  EXPECT_THAT(entered, ElementsAre("c60", "c80"));
}

TEST(FenceAttributes, ExtrasComeBackWithEveryEventAndSurviveARestart) {
  Geofence f = Fence("shop", Circle{kHome, 100});
  f.extras = std::string("{\"k\": \"v\"}\0\xff", 12);
  f.dwell = std::chrono::seconds(5);
  GeofenceEngine first;
  ASSERT_THAT(Add(first, f), IsEmpty());
  std::vector<std::byte> image;
  first.SaveFences(image);
  GeofenceEngine engine;
  ASSERT_TRUE(engine.RestoreFences(image).ok());
  EXPECT_EQ(engine.Find("shop")->extras, f.extras);
  std::vector<FenceEvent> events = Step(engine, 0, kHome, 3);
  engine.Advance({MonoTime(FromSeconds(6)), UtcTime()}, false, events);
  for (const FenceEvent& e : Step(engine, 7, Destination(kHome, 0, 400), 3)) events.push_back(e);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[1].transition, FenceTransition::kDwell);
  for (const FenceEvent& e : events) EXPECT_EQ(e.extras, f.extras);
}

// 1'760'000'000 is Thursday 2025-10-09 08:53:20 UTC, 10:53:20 two hours to the east.
TEST(FenceAttributes, OpeningHoursStandInTheirOwnOffset) {
  constexpr std::uint32_t kThursday = 3 * 24 * 60;
  for (const std::int16_t offset : {std::int16_t{0}, std::int16_t{120}, std::int16_t{-840}}) {
    Geofence f = Fence("office", Circle{kHome, 100});
    f.utc_offset_minutes = offset;
    f.open = {{kThursday + 10 * 60, kThursday + 11 * 60}};
    GeofenceEngine engine;
    ASSERT_THAT(Add(engine, f), IsEmpty());
    std::vector<FenceEvent> events;
    engine.Advance({MonoTime(FromSeconds(0)), UtcTime(std::chrono::seconds(1'760'000'000))}, true,
                   events);
    const auto entered = Step(engine, 1, kHome, 3);
    ASSERT_EQ(entered.size(), 1u);
    EXPECT_EQ(entered[0].rejection,
              offset == 120 ? FenceRejection::kNone : FenceRejection::kClosed);
  }
}

TEST(FenceAttributes, AWindowMayWrapOverSundayMidnight) {
  Geofence f = Fence("bar", Circle{kHome, 100});
  f.open = {{6 * 24 * 60 + 23 * 60, 7 * 24 * 60 + 60}};  // Sunday 23:00 to Monday 01:00
  GeofenceEngine engine;
  ASSERT_THAT(Add(engine, f), IsEmpty());
  std::vector<FenceEvent> events;
  const std::int64_t monday = 1'759'708'800;  // 2025-10-06 00:00 UTC
  engine.Advance({MonoTime(FromSeconds(0)), UtcTime(std::chrono::seconds(monday + 1800))}, true,
                 events);
  const auto entered = Step(engine, 1, kHome, 3);
  ASSERT_EQ(entered.size(), 1u);
  EXPECT_EQ(entered[0].transition, FenceTransition::kEnter);
  EXPECT_EQ(engine.NextDeadline(), MonoTime(FromSeconds(1800)));
}

TEST(FenceAttributes, WhatIsOutOfRangeIsRefusedWithItsReason) {
  GeofenceEngine engine;
  const auto refused = [&](const char* why, auto change) {
    Geofence f = Fence("x", Circle{kHome, 100});
    change(f);
    const auto problems = Add(engine, f);
    ASSERT_EQ(problems.size(), 1u) << why;
    EXPECT_THAT(problems[0].reason, HasSubstr(why));
    EXPECT_EQ(engine.size(), 0u);
  };
  refused("radius_m", [](Geofence& f) { f.shape = Circle{kHome, 0}; });
  refused("radius_m", [](Geofence& f) { f.shape = Circle{kHome, -5}; });
  refused("radius_m", [](Geofence& f) { f.shape = Circle{kHome, 500'001}; });
  refused("radius_m", [](Geofence& f) { f.shape = Circle{kHome, NAN}; });
  refused("confidence", [](Geofence& f) { f.confidence = 0.5; });
  refused("confidence", [](Geofence& f) { f.confidence = NAN; });
  refused("utc_offset", [](Geofence& f) { f.utc_offset_minutes = 841; });
  refused("extras", [](Geofence& f) { f.extras = std::string(4097, 'x'); });
  refused("dwell", [](Geofence& f) { f.dwell = Duration(-1); });
  refused("id", [](Geofence& f) { f.id = std::string(257, 'x'); });
  refused("width_m", [](Geofence& f) { f.shape = Corridor{{kHome, {48, 11}}, 1}; });
  refused("point", [](Geofence& f) { f.shape = Corridor{{kHome}, 10}; });
}

std::vector<LatLon> Ring(LatLon centre, std::size_t vertices, double radius_m) {
  std::vector<LatLon> ring;
  for (std::size_t i = 0; i < vertices; ++i) {
    const double azimuth = 360.0 * static_cast<double>(i) / static_cast<double>(vertices);
    ring.push_back(Destination(centre, azimuth, radius_m * (i % 2 == 0 ? 1 : 0.999)));
  }
  return ring;
}

TEST(FenceShapes, AHundredThousandVerticesAreTakenAndOneMoreIsNot) {
  GeofenceEngine engine;
  ASSERT_THAT(Add(engine, Fence("lake", Polygon{Ring(kHome, 100'000, 50'000), {}})), IsEmpty());
  EXPECT_THAT(Containing(engine, kHome), ElementsAre("lake"));
  EXPECT_THAT(Containing(engine, Destination(kHome, 33, 49'900)), ElementsAre("lake"));
  EXPECT_THAT(Containing(engine, Destination(kHome, 33, 50'100)), IsEmpty());
  EXPECT_THAT(Step(engine, 0, Destination(kHome, 33, 50'200), 3), IsEmpty());
  const auto entered = Step(engine, 30, Destination(kHome, 33, 49'500), 3);
  ASSERT_EQ(entered.size(), 1u);
  EXPECT_NEAR(DistanceM(entered[0].crossing_position, kHome), 49'975, 26);
  const auto problems = Add(engine, Fence("sea", Polygon{Ring(kHome, 100'001, 50'000), {}}));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_THAT(problems[0].reason, HasSubstr("100,000"));
  EXPECT_EQ(engine.size(), 1u);
}

TEST(FenceShapes, APolygonMayEncloseAPole) {
  for (const double pole : {90.0, -90.0}) {
    GeofenceEngine engine;
    ASSERT_THAT(Add(engine, Fence("cap", Polygon{Ring({pole, 0}, 24, 80'000), {}})), IsEmpty());
    for (const double lon : {-180.0, -90.0, 0.0, 10.0, 179.9}) {
      const double side = pole > 0 ? 1 : -1;
      EXPECT_THAT(Containing(engine, {side * 89.5, lon}), ElementsAre("cap"));
      EXPECT_THAT(Containing(engine, {side * 89.2, lon}), IsEmpty());
    }
    // Over the pole and out on the other side within one step.
    Step(engine, 0, {pole * 0.99, 20}, 0);
    const auto events = Step(engine, 500, {pole * 0.99, -160}, 0);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].transition, FenceTransition::kEnter);
    EXPECT_EQ(events[1].transition, FenceTransition::kExit);
  }
}

TEST(FenceShapes, APolygonMayLieAcrossTheAntimeridian) {
  GeofenceEngine engine;
  const Polygon fiji{{{-17, 179.9}, {-17, -179.9}, {-17.2, -179.9}, {-17.2, 179.9}}, {}};
  ASSERT_THAT(Add(engine, Fence("fiji", fiji)), IsEmpty());
  EXPECT_THAT(Containing(engine, {-17.1, 179.95}), ElementsAre("fiji"));
  EXPECT_THAT(Containing(engine, {-17.1, -179.95}), ElementsAre("fiji"));
  EXPECT_THAT(Containing(engine, {-17.1, -180}), ElementsAre("fiji"));
  EXPECT_THAT(Containing(engine, {-17.1, 179.8}), IsEmpty());
  EXPECT_THAT(Containing(engine, {-17.1, 0}), IsEmpty());
  Step(engine, 0, {-17.1, 179.999}, 3);
  EXPECT_TRUE(engine.State("fiji")->inside);
  EXPECT_THAT(Step(engine, 20, {-17.1, -179.999}, 3), IsEmpty());
  EXPECT_TRUE(engine.State("fiji")->inside);
}

TEST(FenceShapes, AHoleIsOutside) {
  GeofenceEngine engine;
  const Polygon ring{Ring(kHome, 20, 500), {Ring(kHome, 12, 100)}};
  ASSERT_THAT(Add(engine, Fence("ring", ring)), IsEmpty());
  Step(engine, 0, Destination(kHome, 90, 300), 3);
  EXPECT_TRUE(engine.State("ring")->inside);
  const auto events = Step(engine, 30, kHome, 3);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].transition, FenceTransition::kExit);
}

// Every azimuth, a hair inside and outside, of circles that lie in one cell and in many: beside and
// across the edge of the polar caps, over a pole, and in between.
TEST(FenceShapes, ACircleIsFoundAllAround) {
  for (const LatLon centre :
       {LatLon{85.35, 20}, LatLon{85.3846, -100}, LatLon{85.42, 179.999}, LatLon{-85.3846, 3},
        LatLon{89.999, 50}, LatLon{-90, 0}, LatLon{52.1, 179.998}, LatLon{0, -0.001}}) {
    for (const double radius_m : {1.0, 10.0, 400.0, 1900.0, 3000.0, 60'000.0, 500'000.0}) {
      GeofenceEngine engine;
      ASSERT_THAT(Add(engine, Fence("c", Circle{centre, radius_m})), IsEmpty());
      for (int azimuth = 0; azimuth < 720; ++azimuth) {
        SCOPED_TRACE(std::to_string(centre.lat_deg) + " " + std::to_string(radius_m) + " " +
                     std::to_string(azimuth / 2.0));
        const LatLon inside = Destination(centre, azimuth / 2.0, radius_m - 0.02);
        const LatLon outside = Destination(centre, azimuth / 2.0, radius_m + 0.02);
        ASSERT_THAT(Containing(engine, inside), ElementsAre("c"));
        ASSERT_THAT(Containing(engine, outside), IsEmpty());
      }
    }
  }
}

// Of a place 2 m within the edge of a strip of 20 m, sigma 5 m: Phi(2 / 5) - Phi(-18 / 5).
TEST(FenceShapes, AThinCorridorHasTwoSides) {
  GeofenceEngine engine;
  Geofence path =
      Fence("path", Corridor{{Destination(kHome, 0, 500), Destination(kHome, 180, 500)}, 20});
  path.confidence = 0.6;
  ASSERT_THAT(Add(engine, path), IsEmpty());
  EXPECT_THAT(Step(engine, 0, Destination(kHome, 90, 100), 5), IsEmpty());
  const auto events = Step(engine, 20, Destination(kHome, 90, 8), 5);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_NEAR(events[0].probability, 0.655, 0.01);
}

// At the centre of a circle half a sigma wide the chance to be inside is 0.12, not Phi(0.5).
TEST(FenceShapes, ACircleSmallerThanTheDoubtIsNotEntered) {
  GeofenceEngine engine;
  Geofence dot = Fence("dot", Circle{kHome, 5});
  dot.confidence = 0.55;
  ASSERT_THAT(Add(engine, dot), IsEmpty());
  EXPECT_THAT(Step(engine, 0, Destination(kHome, 90, 200), 10), IsEmpty());
  EXPECT_THAT(Step(engine, 60, kHome, 10), IsEmpty());
  EXPECT_FALSE(engine.State("dot")->inside);
}

TEST(FencePaths, AGapOfMoreThanTenMinutesIsNoWay) {
  for (const double gap_s : {540.0, 660.0}) {
    GeofenceEngine engine;
    ASSERT_THAT(Add(engine, Fence("gate", Circle{kHome, 100})), IsEmpty());
    Step(engine, 0, Destination(kHome, 270, 1000), 0);
    EXPECT_EQ(Step(engine, gap_s, Destination(kHome, 90, 1000), 0).size(), gap_s < 600 ? 2u : 0u);
  }
}

// The dwell of a fence that opened around the device counts from the opening, after a restart too.
TEST(FenceAttributes, ADwellKeepsItsBeginningOverARestart) {
  GeofenceEngine engine;
  Geofence shop = Fence("shop", Circle{kHome, 100});
  shop.dwell = std::chrono::seconds(60);
  const std::uint32_t nine = 3 * 24 * 60 + 9 * 60;  // 400 s after Thursday 08:53:20
  shop.open = {{nine, nine + 60}};
  ASSERT_THAT(Add(engine, shop), IsEmpty());
  const auto advance = [&](double t_s) {
    std::vector<FenceEvent> events;
    const auto ms = static_cast<std::int64_t>(t_s * 1000);
    engine.Advance(
        {MonoTime(FromSeconds(t_s)), UtcTime(std::chrono::milliseconds(1'760'000'000'000 + ms))},
        true, events);
    return events;
  };
  advance(-1);
  Step(engine, 0, kHome, 5);
  ASSERT_EQ(advance(400).size(), 1u);
  std::vector<std::byte> fences, state;
  engine.SaveFences(fences);
  engine.SaveState(state);
  GeofenceEngine again;
  ASSERT_TRUE(again.RestoreFences(fences).ok());
  ASSERT_TRUE(again.RestoreState(state).ok());
  engine = std::move(again);
  EXPECT_THAT(advance(459), IsEmpty());
  EXPECT_EQ(advance(460).size(), 1u);
}

}  // namespace
}  // namespace waymark
