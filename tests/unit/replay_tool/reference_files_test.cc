#include "replay_tool/reference_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.h"

namespace waymark::replay {
namespace {

using ::testing::HasSubstr;

class ReferenceFiles : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  waymark::testing::TempDir folder_;
};

TEST_F(ReferenceFiles, TruthInAnyColumnOrder) {
  const auto truth = ReadTruth(File(
      "t.csv",
      "altitude_m,lon_deg,utc_ms,lat_deg\r\n5,8.5,1700000000000,50\r\n,8.6,1700000001000,51\r\n"));
  ASSERT_TRUE(truth.ok()) << truth.status().message();
  ASSERT_EQ(truth.value().size(), 2U);
  EXPECT_EQ(truth.value()[1].utc_ms, 1700000001000);
  EXPECT_EQ(truth.value()[1].position, (LatLon{51, 8.6}));
}

TEST_F(ReferenceFiles, ATruthThatIsNowhereOnEarthIsRefused) {
  const auto truth = ReadTruth(
      File("t.csv", "utc_ms,lat_deg,lon_deg\n1700000000000,50,8\n1700000001000,50,800\n"));
  EXPECT_EQ(truth.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(truth.status().message(), HasSubstr("t.csv: line 3: "));
}

TEST_F(ReferenceFiles, TruthAsGpx) {
  const auto truth = ReadTruth(File(
      "t.gpx",
      "<gpx version=\"1.1\"><trk><trkseg><trkpt lat=\"50\" lon=\"8\"><time>2026-01-01T00:00:00Z"
      "</time></trkpt><trkpt lat=\"50\" lon=\"8.1\"><time>2026-01-01T00:00:01Z</time></trkpt>"
      "</trkseg></trk></gpx>"));
  ASSERT_TRUE(truth.ok()) << truth.status().message();
  EXPECT_EQ(truth.value().size(), 2U);
}

TEST_F(ReferenceFiles, RouteAsCsvOrGpxWithoutTimes) {
  const auto csv = ReadRoute(File("r.csv", "lat_deg,lon_deg\n50,8\n50,8.1\n"));
  ASSERT_TRUE(csv.ok()) << csv.status().message();
  EXPECT_EQ(csv.value().size(), 2U);
  const auto gpx = ReadRoute(File("r.gpx",
                                  "<gpx version=\"1.1\"><rte><rtept lat=\"50\" lon=\"8\"/>"
                                  "<rtept lat=\"50\" lon=\"8.1\"/></rte></gpx>"));
  ASSERT_TRUE(gpx.ok()) << gpx.status().message();
  EXPECT_EQ(gpx.value().size(), 2U);
  EXPECT_THAT(ReadRoute(File("r1.csv", "lat_deg,lon_deg\n50,8\n")).status().message(),
              HasSubstr("two points"));
  EXPECT_THAT(ReadRoute(File("r2.csv", "lat_deg,lon_deg\n50,8\n99,8\n")).status().message(),
              HasSubstr("r2.csv: line 3: "));
}

TEST_F(ReferenceFiles, LabelsMayBeUnknown) {
  const auto labels = ReadLabels(File("l.csv", "utc_ms,stationary,mode\n1,1,\n2,0,Walk\n3,,Bus\n"));
  ASSERT_TRUE(labels.ok()) << labels.status().message();
  EXPECT_EQ(labels.value()[0].stationary, true);
  EXPECT_EQ(labels.value()[1].stationary, false);
  EXPECT_FALSE(labels.value()[2].stationary);
  EXPECT_EQ(labels.value()[2].mode, "Bus");
  EXPECT_THAT(ReadLabels(File("l2.csv", "utc_ms,stationary\n1,maybe\n")).status().message(),
              HasSubstr("l2.csv: line 2: "));
  EXPECT_THAT(ReadLabels(File("l3.csv", "utc_ms,mode\n1,Bus\n")).status().message(),
              HasSubstr("stationary"));
  EXPECT_THAT(ReadLabels(File("l4.csv", "")).status().message(), HasSubstr("empty"));
}

TEST_F(ReferenceFiles, ManifestPathsStartAtItsFolder) {
  std::vector<std::string> warnings;
  const auto sessions = ReadManifest(
      File("m.csv", "trace,truth,labels\na/x.gpx,a/t.csv,\n/abs/y.gpx,,l.csv\n"), warnings);
  ASSERT_TRUE(sessions.ok()) << sessions.status().message();
  ASSERT_EQ(sessions.value().size(), 2U);
  EXPECT_EQ(sessions.value()[0].trace, folder_ / "a/x.gpx");
  EXPECT_EQ(sessions.value()[0].truth, folder_ / "a/t.csv");
  EXPECT_EQ(sessions.value()[0].labels, "");
  EXPECT_EQ(sessions.value()[1].trace, "/abs/y.gpx");
  EXPECT_FALSE(ReadManifest(File("m2.csv", "trace,truth\n"), warnings).ok());
  EXPECT_THAT(ReadManifest(File("m3.csv", "trace,truth\n,x\n"), warnings).status().message(),
              HasSubstr("m3.csv: line 2: "));
  EXPECT_TRUE(warnings.empty());
}

TEST_F(ReferenceFiles, AManifestSaysByWhatToJudge) {
  std::vector<std::string> warnings;
  const auto sessions = ReadManifest(
      File("m.csv", "trace,truht,labels\nx.gpx,t.csv,l.csv\ny.gpx,t.csv,\n"), warnings);
  EXPECT_EQ(sessions.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(sessions.status().message(), HasSubstr("m.csv: line 3: nothing to judge by"));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("m.csv: line 1: unknown columns ignored: truht"));
}

}  // namespace
}  // namespace waymark::replay
