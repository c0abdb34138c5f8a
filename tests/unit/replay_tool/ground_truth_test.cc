#include "replay_tool/ground_truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "support/temp_dir.h"

namespace waymark::replay {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kBegin = 1'700'000'000'000;

class GroundTruthFiles : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  // A point a second; it rests from 100 to 200 s and from 300 to 400 s.
  std::string Truth() const {
    std::string text = "utc_ms,lat_deg,lon_deg\n";
    double lat_deg = 50;
    for (int s = 0; s <= 500; ++s) {
      text += std::to_string(kBegin + s * 1000) + "," + std::to_string(lat_deg) + ",8\n";
      if (s < 100 || (s >= 200 && s < 300) || s >= 400) lat_deg += 1e-4;
    }
    return File("truth.csv", text);
  }
  static GroundTruthOptions Within(int from_s, int to_s) {
    return {2, true, {kBegin + from_s * 1000, kBegin + to_s * 1000}};
  }
  waymark::testing::TempDir folder_;
};

TEST_F(GroundTruthFiles, OnlyWhatLiesWithinTheTraceIsJudged) {
  const std::string labels =
      File("labels.csv",
           "utc_ms,stationary\n1700000000000,0\n1700000100000,1\n1700000200000,0\n"
           "1700000300000,1\n1700000400000,0\n1700000500000,0\n");
  for (const bool diary : {false, true}) {
    const auto known =
        ReadGroundTruth({"t.csv", Truth(), "", diary ? labels : ""}, Within(150, 250));
    ASSERT_TRUE(known.ok()) << known.status().message();
    const LabelSpans& rests = known.value().rests;
    ASSERT_EQ(rests.stationary.size(), 1U);
    EXPECT_EQ(rests.stationary[0].begin_ms, kBegin + 150'000);
    EXPECT_NEAR(static_cast<double>(rests.stationary[0].end_ms), kBegin + 200'000, 1000);
    EXPECT_EQ(rests.known, (std::vector<Span>{{kBegin + 150'000, kBegin + 250'000}}));
    EXPECT_EQ(known.value().truth_points.size(), 101U);
    EXPECT_TRUE(known.value().warnings.empty());
  }
}

TEST_F(GroundTruthFiles, ATruthOfAnotherTimeIsNone) {
  for (const auto& [from_s, to_s] : {std::pair{-300, -100}, {600, 700}}) {
    const auto known = ReadGroundTruth({"t.csv", Truth(), "", ""}, Within(from_s, to_s));
    EXPECT_EQ(known.status().code(), Code::kInvalidArgument);
    EXPECT_THAT(
        known.status().message(),
        HasSubstr("2023-11-14 22:13:20Z to 2023-11-14 22:21:40Z, the trace 2023-11-14 22:"));
  }
  const std::string seconds =
      File("s.csv", "utc_ms,lat_deg,lon_deg\n1700000000,50,8\n1700000001,50,8\n");
  const auto known = ReadGroundTruth({"t.csv", seconds, "", ""}, Within(0, 100));
  EXPECT_THAT(known.status().message(), HasSubstr("s.csv: the truth lies outside"));
  EXPECT_THAT(known.status().message(), HasSubstr("times in seconds?"));
}

TEST_F(GroundTruthFiles, ADiaryOfAnotherTimeLeavesTheRestsToTheTruth) {
  const std::string labels =
      File("labels.csv", "utc_ms,stationary\n1600000000000,1\n1600000100000,0\n1600000200000,1\n");
  const auto known = ReadGroundTruth({"t.csv", Truth(), "", labels}, Within(0, 250));
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known.value().rests.stationary.size(), 1U);
  ASSERT_EQ(known.value().warnings.size(), 1U);
  EXPECT_THAT(known.value().warnings[0], HasSubstr("labels.csv: the diary lies outside the trace"));
  const auto alone = ReadGroundTruth({"t.csv", "", "", labels}, Within(0, 250));
  EXPECT_TRUE(alone.value().rests.known.empty());
}

}  // namespace
}  // namespace waymark::replay
