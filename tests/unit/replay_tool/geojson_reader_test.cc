#include "replay_tool/geojson_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "replay_tool/fence_metrics.h"
#include "support/temp_dir.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

using ::testing::HasSubstr;

struct Parsed {
  std::vector<Geofence> fences;
  GeofenceFile file;
  Status status;
};

Parsed Parse(std::string_view text) {
  Parsed out;
  auto result = ParseGeofences(text, [&](Geofence&& fence) {
    out.fences.push_back(std::move(fence));
    return true;
  });
  if (result.ok()) {
    out.file = result.value();
  } else {
    out.status = result.status();
  }
  return out;
}

std::string Collection(const std::string& features) {
  return R"({"type": "FeatureCollection", "features": [)" + features + "]}";
}

std::string Feature(const std::string& geometry, const std::string& properties) {
  return R"({"type": "Feature", "geometry": )" + geometry + R"(, "properties": )" + properties +
         "}";
}

constexpr char kPoint[] = R"({"type": "Point", "coordinates": [11.5, 48.1]})";
constexpr char kSquare[] =
    R"({"type": "Polygon", "coordinates": [[[11,48],[11.1,48],[11.1,48.1],[11,48.1],[11,48]],
        [[11.02,48.02],[11.04,48.02],[11.04,48.04],[11.02,48.02]]]})";

TEST(GeojsonReader, ReadsACircleWithEveryAttribute) {
  const auto parsed = Parse(Collection(Feature(
      kPoint, R"({"id": "home", "radius_m": 120.5, "dwell_s": 90, "expires_utc_ms": 1760000000000,
                 "notify_on": ["enter", "dwell"], "initial_trigger": false, "confidence": 0.8,
                 "utc_offset_minutes": 60, "open": [[0, 600], {"begin_minute": 700, "end_minute": 800}],
                 "extras": {"colour": "red"}, "note": [1, {"deep": null}]})")));
  ASSERT_TRUE(parsed.status.ok()) << parsed.status.message();
  ASSERT_EQ(parsed.fences.size(), 1u);
  const Geofence& f = parsed.fences[0];
  EXPECT_EQ(f.id, "home");
  EXPECT_EQ(std::get<Circle>(f.shape).radius_m, 120.5);
  EXPECT_EQ(std::get<Circle>(f.shape).centre, (LatLon{48.1, 11.5}));
  EXPECT_EQ(f.dwell, std::chrono::seconds(90));
  EXPECT_EQ(f.expires->time_since_epoch().count(), 1'760'000'000'000);
  EXPECT_TRUE(f.notify_enter && f.notify_dwell && !f.notify_exit);
  EXPECT_FALSE(f.initial_trigger);
  EXPECT_EQ(f.confidence, 0.8);
  EXPECT_EQ(f.utc_offset_minutes, 60);
  ASSERT_EQ(f.open.size(), 2u);
  EXPECT_EQ(f.open[1].begin_minute, 700u);
  EXPECT_EQ(f.extras, R"({"colour":"red"})");
}

TEST(GeojsonReader, AcceptsNotifyOnAsText) {
  const auto parsed =
      Parse(Collection(Feature(kPoint, R"({"radius_m": 50, "notify_on": "enter|exit"})")));
  ASSERT_EQ(parsed.fences.size(), 1u);
  EXPECT_TRUE(parsed.fences[0].notify_enter && parsed.fences[0].notify_exit);
  EXPECT_FALSE(parsed.fences[0].notify_dwell);
  EXPECT_EQ(parsed.fences[0].id, "feature-0");
}

TEST(GeojsonReader, ReadsEveryShapeWhateverTheOrderOfItsMembers) {
  const std::string square = kSquare;
  const auto parsed = Parse(
      Collection(R"({"properties": {"id": 7}, "geometry": )" + square + R"(, "type": "Feature"},)" +
                 Feature(R"({"coordinates": [[[[0,0],[1,0],[1,1],[0,0]]],[[[5,5],[6,5],[6,6],[5,5]],
                [[5.5,5.2],[5.6,5.2],[5.6,5.3],[5.5,5.2]]]], "type": "MultiPolygon"})",
                         "null") +
                 "," +
                 Feature(R"({"type": "LineString", "coordinates": [[0,0,10],[1,0,20]]})",
                         R"({"width_m": 30})")));
  ASSERT_TRUE(parsed.status.ok()) << parsed.status.message();
  ASSERT_EQ(parsed.fences.size(), 3u);
  EXPECT_EQ(parsed.fences[0].id, "7");
  const auto& polygon = std::get<Polygon>(parsed.fences[0].shape);
  EXPECT_EQ(polygon.outer.size(), 5u);
  ASSERT_EQ(polygon.holes.size(), 1u);
  EXPECT_EQ(polygon.holes[0].size(), 4u);
  const auto& multi = std::get<MultiPolygon>(parsed.fences[1].shape);
  ASSERT_EQ(multi.parts.size(), 2u);
  EXPECT_EQ(multi.parts[0].holes.size(), 0u);
  EXPECT_EQ(multi.parts[1].holes.size(), 1u);
  EXPECT_EQ(std::get<Corridor>(parsed.fences[2].shape).line.size(), 2u);
}

TEST(GeojsonReader, ListsEachUnusableFeatureAndKeepsTheRest) {
  const auto parsed = Parse(
      Collection(Feature(kPoint, "{}") + "," + Feature(kPoint, R"({"radius_m": "wide"})") + "," +
                 Feature(R"({"type": "Point", "coordinates": [11.5, 98]})", R"({"radius_m": 5})") +
                 "," + Feature("null", R"({"radius_m": 5})") + "," +
                 Feature(R"({"type": "MultiPoint", "coordinates": [[1, 2]]})", "{}") + "," +
                 Feature(R"({"type": "Polygon", "coordinates": [[1, 2]]})", "{}") + ",5," +
                 Feature(R"({"type": "Polygon", "coordinates": []})", "{}") + "," +
                 Feature(R"({"type": "Polygon", "coordinates": [["a"]]})", "{}") + "," +
                 Feature(kPoint, R"({"radius_m": 5, "notify_on": "leave"})") + "," +
                 Feature(kPoint, R"({"radius_m": 5, "id": "good"})")));
  ASSERT_TRUE(parsed.status.ok()) << parsed.status.message();
  ASSERT_EQ(parsed.fences.size(), 1u);
  EXPECT_EQ(parsed.fences[0].id, "good");
  EXPECT_EQ(parsed.file.features, 11u);
  ASSERT_EQ(parsed.file.problems.size(), 10u);
  EXPECT_THAT(parsed.file.problems[0].reason, HasSubstr("radius_m"));
  EXPECT_EQ(parsed.file.problems[2].feature, 2u);
  EXPECT_THAT(parsed.file.problems[2].reason, HasSubstr("position 0"));
  EXPECT_THAT(parsed.file.problems[9].reason, HasSubstr("leave"));
}

TEST(GeojsonReader, RefusesWhatIsNoGeojsonInOneLine) {
  for (const char* text : {"", "[]", "{}", "{\"type\": \"Point\"}", "hello", "{\"type\": 5}",
                           "{\"type\": \"FeatureCollection\"}"}) {
    const auto parsed = Parse(text);
    EXPECT_EQ(parsed.status.code(), Code::kCorruption) << text;
    EXPECT_THAT(parsed.status.message(), ::testing::Not(HasSubstr("\n"))) << text;
  }
  std::string deep = R"({"type": "FeatureCollection", "features": )";
  deep.append(100'000, '[');
  EXPECT_THAT(Parse(deep).status.message(), HasSubstr("nested"));
  const auto cut = Parse(R"({"type": "FeatureCollection", "features": [{"type": "Fea)");
  EXPECT_THAT(cut.status.message(), HasSubstr("byte"));
}

TEST(GeojsonReader, ReadsALoneFeature) {
  const auto parsed = Parse(Feature(kPoint, R"({"radius_m": 50, "id": "x"})"));
  ASSERT_TRUE(parsed.status.ok()) << parsed.status.message();
  ASSERT_EQ(parsed.fences.size(), 1u);
  EXPECT_EQ(parsed.fences[0].id, "x");
}

TEST(GeojsonReader, NamesTheFileItCannotRead) {
  const auto loaded = LoadGeofences("/nowhere/fences.geojson");
  EXPECT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.status().message(), HasSubstr("/nowhere/fences.geojson"));
}

TEST(GeojsonReader, ReadsFromAFile) {
  const waymark::testing::TempDir folder;
  const std::string path = folder / "fences.json";
  std::ofstream(path) << Collection(Feature(kPoint, R"({"radius_m": 50, "id": "x"})"));
  const auto loaded = LoadGeofences(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message();
  EXPECT_EQ(loaded.value().fences.size(), 1u);
}

// A walk east through a circle of 100 m, 2 m/s: in at 50 s, out at 150 s.
TEST(FenceMetrics, ComparesEventsWithTheTruth) {
  const LatLon home{48, 11};
  Geofence fence;
  fence.id = "home";
  fence.shape = Circle{home, 100};
  std::vector<TruthPoint> truth;
  for (int t = 0; t <= 3600; ++t) {
    truth.push_back({t * 1000, Destination(home, 90, std::min(-200.0 + 2 * t, 3000.0))});
  }
  const auto event = [](FenceTransition transition, double decided_s, double crossed_s) {
    FenceEvent e;
    e.id = "home";
    e.transition = e.trigger = transition;
    e.utc = UtcTime(std::chrono::milliseconds(static_cast<long>(decided_s * 1000)));
    e.crossing_utc = UtcTime(std::chrono::milliseconds(static_cast<long>(crossed_s * 1000)));
    return e;
  };
  const std::vector<FenceEvent> events{event(FenceTransition::kEnter, 54, 51),
                                       event(FenceTransition::kExit, 60, 60),
                                       event(FenceTransition::kExit, 153, 149)};
  const auto metrics = MeasureFences(std::span(&fence, 1), events, truth);
  EXPECT_EQ(metrics.true_crossings, 2u);
  EXPECT_EQ(metrics.reported, 3u);
  EXPECT_EQ(metrics.matched, 2u);
  EXPECT_NEAR(*metrics.precision, 2.0 / 3, 1e-9);
  EXPECT_NEAR(*metrics.recall, 1, 1e-9);
  EXPECT_NEAR(*metrics.latency_p50_s, 3.5, 0.05);
  EXPECT_NEAR(*metrics.crossing_error_p95_s, 1, 0.05);
  EXPECT_NEAR(*metrics.flips_per_hour, 1, 1e-9);
}

}  // namespace
}  // namespace waymark::replay
