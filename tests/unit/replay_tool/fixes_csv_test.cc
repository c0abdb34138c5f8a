#include "replay_tool/fixes_csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "support/parsed_text.h"

namespace waymark::replay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Parsed;
using testing::ParseText;

Parsed Csv(const std::string& text, const ReadOptions& options = {}) {
  return ParseText(TraceFormat::kFixesCsv, text, options);
}

TEST(FixesCsv, EveryColumnInAnyOrder) {
  const Parsed p =
      Csv("simulated,source,received_utc_ms,course_accuracy_deg,course_deg,speed_accuracy_mps,"
          "speed_mps,"
          "vertical_accuracy_m,altitude_m,horizontal_accuracy_m,lon_deg,lat_deg,utc_ms\r\n"
          "1,fused,1590792270000,5,181.5,0.5,3.25,4,812.5,6,11.25,47.5,1590792269000\r\n");
  ASSERT_TRUE(p.status.ok()) << p.status.message();
  const TraceFix& read = p.fixes.at(0);
  EXPECT_EQ(read.line, 2u);
  EXPECT_EQ(read.received->time_since_epoch().count(), 1590792270000);
  EXPECT_EQ(read.fix.position, (LatLon{47.5, 11.25}));
  EXPECT_EQ(read.fix.horizontal_accuracy_m, 6.);
  EXPECT_EQ(read.fix.altitude_m, 812.5);
  EXPECT_EQ(read.fix.vertical_accuracy_m, 4.);
  EXPECT_EQ(read.fix.speed_mps, 3.25);
  EXPECT_EQ(read.fix.speed_accuracy_mps, 0.5);
  EXPECT_EQ(read.fix.course_deg, 181.5);
  EXPECT_EQ(read.fix.course_accuracy_deg, 5.);
  EXPECT_EQ(read.fix.source, FixSource::kFused);
  EXPECT_TRUE(read.fix.simulated);
}

TEST(FixesCsv, EmptyCellsAndShortLinesAreAbsentValues) {
  const Parsed p = Csv("utc_ms,lat_deg,lon_deg,speed_mps,altitude_m\n1000,1,2,,3\n\n2000,1,2\n");
  ASSERT_EQ(p.fixes.size(), 2u);
  EXPECT_FALSE(p.fixes[0].fix.speed_mps);
  EXPECT_EQ(p.fixes[0].fix.altitude_m, 3.);
  EXPECT_FALSE(p.fixes[1].fix.altitude_m);
  EXPECT_EQ(p.fixes[1].line, 4u);
}

TEST(FixesCsv, ACutEndIsTold) {
  const std::string whole = "utc_ms,lat_deg,lon_deg,speed_mps\n1000,1,2,3\n2000,1.5,2.5,";
  for (const char* rest : {"2000,1.5", "20", "2000,1.5,2.5"}) {
    const Parsed p = Csv("utc_ms,lat_deg,lon_deg,speed_mps\n1000,1,2,3\n" + std::string(rest));
    ASSERT_TRUE(p.status.ok()) << p.status.message();
    EXPECT_EQ(p.fixes.size(), 1u) << rest;
    EXPECT_TRUE(p.info.cut) << rest;
    EXPECT_THAT(p.info.warnings, ElementsAre(HasSubstr("cut off")));
  }
  EXPECT_EQ(Csv(whole).fixes.size(), 2u);
  EXPECT_FALSE(Csv(whole).info.cut);
  EXPECT_FALSE(Csv("utc_ms,lat_deg,lon_deg,speed_mps\n1000,1,2\n").info.cut);
}

TEST(FixesCsv, NanIsAbsentExceptInAPositionWhichTheCoreJudges) {
  const Parsed p = Csv("utc_ms,lat_deg,lon_deg,speed_mps\n1000,nan,2,NaN\n");
  ASSERT_EQ(p.fixes.size(), 1u) << p.status.message();
  EXPECT_TRUE(std::isnan(p.fixes[0].fix.position.lat_deg));
  EXPECT_EQ(p.fixes[0].fix.speed_mps, std::nullopt);
}

TEST(FixesCsv, UnknownColumnsGiveOneWarning) {
  const Parsed p = Csv("utc_ms,colour,lat_deg,lon_deg,mood\n1000,red,1,2,good\n2000,red,1,2,bad\n");
  EXPECT_EQ(p.fixes.size(), 2u);
  EXPECT_THAT(p.info.warnings, ElementsAre("unknown columns ignored: colour, mood"));
}

TEST(FixesCsv, MissingColumnsAreNamed) {
  const Parsed p = Csv("time,latitude,lon_deg\n1,2,3\n");
  EXPECT_EQ(p.status.code(), Code::kInvalidArgument);
  EXPECT_THAT(p.status.message(), HasSubstr("missing column utc_ms, lat_deg"));
  EXPECT_THAT(p.status.message(), HasSubstr("found: time, latitude, lon_deg"));
}

TEST(FixesCsv, WrongCellsAreNamedWithTheirLine) {
  const std::string header = "utc_ms,lat_deg,lon_deg,speed_mps,source\n";
  EXPECT_THAT(Csv(header + "1000,1,2,,\n1000,north,2,,\n").status.message(),
              HasSubstr("line 3: lat_deg is 'north', not a number"));
  EXPECT_THAT(Csv(header + "soon,1,2,,\n").status.message(), HasSubstr("line 2: utc_ms is 'soon'"));
  EXPECT_THAT(Csv(header + "1000,1,2,fast,\n").status.message(), HasSubstr("speed_mps is 'fast'"));
  EXPECT_THAT(Csv(header + "1000,1,2,,magic\n").status.message(),
              HasSubstr("gnss, network or fused"));
  EXPECT_THAT(Csv(header + "99999999999999999,1,2,,\n").status.message(), HasSubstr("utc_ms"));
}

TEST(FixesCsv, HeaderAloneOrNothingIsRefused) {
  EXPECT_THAT(Csv("utc_ms,lat_deg,lon_deg\n").status.message(),
              HasSubstr("a header and no line after it"));
  EXPECT_THAT(Csv("").status.message(), HasSubstr("no header"));
}

TEST(FixesCsv, ALineCutOffIsNotHalfANumber) {
  const Parsed p = ParseText(TraceFormat::kFixesCsv, "utc_ms,lat_deg,lon_deg\n1000,1,2\n2000,1,2.1",
                             {}, 1 << 20, /*cut=*/true);
  ASSERT_TRUE(p.status.ok());
  EXPECT_EQ(p.fixes.size(), 1u);
  EXPECT_THAT(p.info.warnings, ElementsAre(HasSubstr("cut off")));
}

TEST(FixesCsv, ByteOrderMarkAndQuotes) {
  const Parsed p = Csv("\xEF\xBB\xBF\"utc_ms\", lat_deg ,lon_deg\n\"1000\", 1 ,\"2\"\n");
  ASSERT_TRUE(p.status.ok()) << p.status.message();
  EXPECT_EQ(p.fixes.at(0).fix.position, (LatLon{1, 2}));
}

}  // namespace
}  // namespace waymark::replay
