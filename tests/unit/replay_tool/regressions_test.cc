#include "replay_tool/regressions.h"

#include <gtest/gtest.h>

#include <fstream>

#include "replay_tool/evaluation.h"
#include "support/temp_dir.h"

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

Json Session(const char* path, double p95_m) {
  return Json{{"schema", "waymark.replay/1"},
              {"trace", {{"path", path}}},
              {"accuracy", {{"raw", {{"p95_m", 4.0}}}, {"live", {{"n", 10}, {"p95_m", p95_m}}}}},
              {"calibration", {{"live", {{"coverage68", 0.70}}}}},
              {"path", {{"length_error_fraction", -0.01}}},
              {"stops", {{"recall", 0.9}}}};
}

TEST(Regressions, AreWhatGrewBeyondTheTolerance) {
  const Json before = Session("a", 10);
  EXPECT_TRUE(Regressions(before, before, 0).empty());
  EXPECT_TRUE(Regressions(before, Session("a", 10.4), 5).empty());
  EXPECT_EQ(Regressions(before, Session("a", 10.6), 5).size(), 1U);
  EXPECT_TRUE(Regressions(before, Session("a", 3), 0).empty());
}

TEST(Regressions, KnowWhichWayIsWorse) {
  const Json before = Session("a", 10);
  Json after = before;
  after["stops"]["recall"] = 0.80;
  EXPECT_EQ(Regressions(before, after, 5).size(), 1U);
  after = before;
  after["calibration"]["live"]["coverage68"] = 0.66;  // as far from 0.68 as before
  EXPECT_TRUE(Regressions(before, after, 1).empty());
  after["calibration"]["live"]["coverage68"] = 0.40;
  EXPECT_EQ(Regressions(before, after, 1).size(), 1U);
  after = before;
  after["path"]["length_error_fraction"] = 0.01;
  EXPECT_TRUE(Regressions(before, after, 0.1).empty());
  after["accuracy"]["raw"]["p95_m"] = 400;  // the input is not ours
  EXPECT_TRUE(Regressions(before, after, 0.1).empty());
}

TEST(Regressions, TellSmallOnesInDigitsThatShow) {
  Json before = Session("a", 10), after = before;
  before["path"]["length_error_fraction"] = 0.000454;
  after["path"]["length_error_fraction"] = 0.000461;
  const std::vector<std::string> worse = Regressions(before, after, 0);
  ASSERT_EQ(worse.size(), 1U);
  EXPECT_NE(worse[0].find("0.000461 was 0.000454 (worse by 0.0007 %"), std::string::npos)
      << worse[0];
}

TEST(Regressions, NameWhatTheBaselineLacks) {
  const Json full = Session("a", 10);
  const Json run{{"schema", "waymark.replay/1"}, {"odometer", {{"distance_m", 1.0}}}};
  EXPECT_EQ(NotCompared(run, full),
            (std::vector<std::string>{"accuracy", "calibration", "path", "stops"}));
  EXPECT_TRUE(NotCompared(full, full).empty());
  EXPECT_TRUE(NotCompared(full, run).size() == 1);
}

TEST(Regressions, NoticeWhatIsGone) {
  const Json before = Session("a", 10);
  Json after = before;
  after["accuracy"].erase("live");
  EXPECT_EQ(Regressions(before, after, 50).size(), 1U);
  after.erase("stops");
  EXPECT_EQ(Regressions(before, after, 50).size(), 2U);
}

TEST(FindResult, ByPathThenByItsEnd) {
  const std::vector<Json> results{Session("/old/s1/fixes.csv", 1), Session("/old/s2/fixes.csv", 2)};
  EXPECT_EQ(FindResult(results, Session("/new/s2/fixes.csv", 0)), &results[1]);
  EXPECT_EQ(FindResult(results, Session("/old/s1/fixes.csv", 0)), &results[0]);
  EXPECT_EQ(FindResult(results, Session("/new/s3/fixes.csv", 0)), nullptr);
  const std::vector<Json> one{results[0]};
  EXPECT_EQ(FindResult(one, Session("/new/s3/fixes.csv", 0)), &one[0]);
}

TEST(Aggregate, MeansAndExtremesOverSessions) {
  Json a = Session("a", 10), b = Session("b", 20);
  a["ratios"] = {{"live", {{"score", 0.5}}}};
  b["ratios"] = {{"live", {{"score", 1.1}}}};
  b["accuracy"]["smoothed"] = {{"p95_m", 7.0}};
  const Json all = Aggregate({a, b})["aggregate"];
  EXPECT_EQ(all["sessions"], 2);
  EXPECT_DOUBLE_EQ(all["mean"]["accuracy"]["live"]["p95_m"].get<double>(), 15);
  EXPECT_DOUBLE_EQ(all["mean"]["accuracy"]["smoothed"]["p95_m"].get<double>(), 7);
  EXPECT_DOUBLE_EQ(all["mean"]["ratios"]["live"]["score"].get<double>(), 0.8);
  EXPECT_DOUBLE_EQ(all["min"]["ratios"]["live"]["score"].get<double>(), 0.5);
  EXPECT_DOUBLE_EQ(all["max"]["ratios"]["live"]["score"].get<double>(), 1.1);
}

TEST(ReadResults, RefusesWhatIsNoResult) {
  const waymark::testing::TempDir folder;
  const std::string path = folder / "results.json";
  std::ofstream(path) << "{\"schema\":\"waymark.replay/1\"}\n\n{\"schema\":\"other\"}\n";
  const auto result = ReadResults(path);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.status().message().find(": line 3: "), std::string::npos);
  std::ofstream(path) << "";
  EXPECT_FALSE(ReadResults(path).ok());
  EXPECT_FALSE(ReadResults(path + ".absent").ok());
}

}  // namespace
}  // namespace waymark::replay
