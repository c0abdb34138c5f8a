#include "replay_tool/gpx_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/parsed_text.h"

namespace waymark::replay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Parsed;
using testing::ParseText;

Parsed Gpx(const std::string& text, const ReadOptions& options = {}) {
  return ParseText(TraceFormat::kGpx, text, options);
}

// A track with `points` inside one segment.
std::string Track(const std::string& points) {
  return "<?xml version=\"1.0\"?><gpx version=\"1.1\"><trk><trkseg>" + points +
         "</trkseg></trk></gpx>";
}

std::string Point(const std::string& inside, const std::string& second = "00") {
  return "<trkpt lat=\"47.5\" lon=\"11.25\"><time>2020-05-29T22:44:" + second + "Z</time>" +
         inside + "</trkpt>";
}

std::string Utf16(const std::string& ascii, bool big_endian) {
  std::string out = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) out += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return out;
}

TEST(GpxReader, ReadsSchemaFields) {
  const Parsed p =
      Gpx(Track(Point("<ele>812.5</ele><geoidheight>47</geoidheight><hdop>1.5</hdop>"
                      "<speed>3.25</speed><course>181</course><src>gps</src>")));
  ASSERT_TRUE(p.status.ok()) << p.status.message();
  ASSERT_EQ(p.fixes.size(), 1u);
  const Fix& fix = p.fixes[0].fix;
  EXPECT_EQ(fix.position, (LatLon{47.5, 11.25}));
  EXPECT_EQ(fix.utc->time_since_epoch().count(), 1590792240000);
  EXPECT_EQ(fix.altitude_m, 859.5);
  EXPECT_EQ(fix.horizontal_accuracy_m, 7.5);
  EXPECT_EQ(fix.speed_mps, 3.25);
  EXPECT_EQ(fix.course_deg, 181.);
  EXPECT_EQ(fix.source, FixSource::kGnss);
}

TEST(GpxReader, ReadsExtensionsByLocalNameWhateverThePrefix) {
  for (const std::string prefix : {"", "gpxtpx:", "never_declared:", "ns3:"}) {
    const Parsed p =
        Gpx(Track(Point("<extensions><" + prefix + "TrackPointExtension><" + prefix + "speed>4</" +
                        prefix + "speed><" + prefix + "course>90</" + prefix + "course></" +
                        prefix + "TrackPointExtension><" + prefix + "accuracy_horizontal>6</" +
                        prefix + "accuracy_horizontal><" + prefix + "accuracy_vertical>8</" +
                        prefix + "accuracy_vertical></extensions>")));
    ASSERT_TRUE(p.status.ok()) << prefix << p.status.message();
    const Fix& fix = p.fixes.at(0).fix;
    EXPECT_EQ(fix.speed_mps, 4.) << prefix;
    EXPECT_EQ(fix.course_deg, 90.) << prefix;
    EXPECT_EQ(fix.horizontal_accuracy_m, 6.) << prefix;
    EXPECT_EQ(fix.vertical_accuracy_m, 8.) << prefix;
  }
}

TEST(GpxReader, AppleAccuracyAndGpsTrackEditorSpeed) {
  const Parsed p =
      Gpx(Track(Point("<extensions><hAcc>5</hAcc><vAcc>3</vAcc></extensions>") +
                Point("<extensions><gte:gps speed=\"36\" azimuth=\"12.5\"/></extensions>", "01")));
  ASSERT_EQ(p.fixes.size(), 2u);
  EXPECT_EQ(p.fixes[0].fix.horizontal_accuracy_m, 5.);
  EXPECT_EQ(p.fixes[0].fix.vertical_accuracy_m, 3.);
  EXPECT_EQ(p.fixes[1].fix.speed_mps, 10.);
  EXPECT_EQ(p.fixes[1].fix.course_deg, 12.5);
}

TEST(GpxReader, NestedTimesAreNotThePoints) {
  const Parsed p =
      Gpx(Track(Point("<extensions><x:time>1999-01-01T00:00:00Z</x:time></extensions>")));
  EXPECT_EQ(p.fixes.at(0).fix.utc->time_since_epoch().count(), 1590792240000);
}

TEST(GpxReader, EmptyElementsAreAbsentValues) {
  const Parsed p = Gpx(Track(Point("<ele/><speed></speed><hdop>0</hdop><accuracy>-1</accuracy>")));
  const Fix& fix = p.fixes.at(0).fix;
  EXPECT_FALSE(fix.altitude_m || fix.speed_mps || fix.horizontal_accuracy_m);
}

TEST(GpxReader, AccuracyFlagFillsWhatTheFileLeavesOut) {
  ReadOptions options;
  options.accuracy_m = 12;
  const Parsed p =
      Gpx(Track(Point("") + Point("<hdop>2</hdop>", "01") + Point("<accuracy>3</accuracy>", "02")),
          options);
  ASSERT_EQ(p.fixes.size(), 3u);
  EXPECT_EQ(p.fixes[0].fix.horizontal_accuracy_m, 12.);
  EXPECT_EQ(p.fixes[1].fix.horizontal_accuracy_m, 12.);
  EXPECT_EQ(p.fixes[2].fix.horizontal_accuracy_m, 3.);
}

TEST(GpxReader, EncodingsOfTheField) {
  const std::string name = "<name>Caf\xE9</name>";
  const std::string latin = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><gpx>" + name +
                            "<trk><trkseg>" + Point("") + "</trkseg></trk></gpx>";
  EXPECT_EQ(Gpx(latin).fixes.size(), 1u);
  std::string windows = latin;
  windows.replace(windows.find("ISO-8859-1"), 10, "windows-1252");
  EXPECT_EQ(Gpx(windows).fixes.size(), 1u);
  EXPECT_EQ(Gpx("\xEF\xBB\xBF" + Track(Point(""))).fixes.size(), 1u);
  const std::string plain = "<gpx><trk><trkseg>" + Point("") + "</trkseg></trk></gpx>";
  EXPECT_EQ(Gpx(Utf16(plain, false)).fixes.size(), 1u);
  EXPECT_EQ(Gpx(Utf16(plain, true)).fixes.size(), 1u);
}

TEST(GpxReader, BytesThatAreNotUtf8AreReadAround) {
  const std::string text = "<gpx><trk><name>Gr\xFCn \xE2\x82</name><trkseg>" + Point("") +
                           "</trkseg></trk><trk><name>Gr\xC3\xBCn</name></trk></gpx>";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
    const Parsed p = ParseText(TraceFormat::kGpx, text, {}, piece);
    EXPECT_TRUE(p.status.ok()) << p.status.message();
    EXPECT_EQ(p.fixes.size(), 1u) << piece;
    EXPECT_TRUE(p.info.warnings.empty()) << piece;
  }
}

TEST(GpxReader, WaypointsAreToldFromTracks) {
  EXPECT_THAT(Gpx("<gpx><wpt lat=\"1\" lon=\"2\"/></gpx>").status.message(),
              HasSubstr("only 1 waypoint: places"));
  EXPECT_THAT(Gpx("<gpx><rte><rtept lat=\"1\" lon=\"2\"/></rte></gpx>").status.message(),
              HasSubstr("--routes"));
  EXPECT_THAT(Gpx("<?xml ver").status.message(), HasSubstr("cut off before its <gpx>"));
}

TEST(GpxReader, PointsWithoutTimeAreRefusedWithTheirCount) {
  const std::string text =
      Track("<trkpt lat=\"1\" lon=\"2\"/>" + Point("") + "<trkpt lat=\"1\" lon=\"2\"/>");
  const Parsed p = Gpx(text);
  EXPECT_THAT(p.status.message(), HasSubstr("2 of 3 points have no readable time"));
  EXPECT_THAT(p.status.message(), HasSubstr("--assume-interval"));

  ReadOptions options;
  options.assume_interval_s = 2.5;
  const Parsed assumed = Gpx(text, options);
  ASSERT_TRUE(assumed.status.ok());
  ASSERT_EQ(assumed.fixes.size(), 3u);
  EXPECT_EQ(assumed.fixes[2].fix.utc->time_since_epoch().count(), 1590792240000 + 2500);
  EXPECT_THAT(assumed.info.warnings, ElementsAre(HasSubstr("the time of 2 points was assumed")));
}

TEST(GpxReader, RoutesOnlyWhenAskedFor) {
  const std::string route =
      "<gpx><rte><rtept lat=\"1\" lon=\"2\"><time>2020-01-01T00:00:00Z</time></rtept></rte></gpx>";
  EXPECT_THAT(Gpx(route).status.message(), HasSubstr("1 route point (--routes reads them)"));
  ReadOptions options;
  options.routes = true;
  EXPECT_EQ(Gpx(route, options).fixes.size(), 1u);
}

TEST(GpxReader, UnreadableCoordinatesAreSkippedOrRefusedWhenNothingElseStands) {
  const std::string bad =
      "<trkpt lat=\"undefined\" lon=\"2\"><time>2020-01-01T00:00:00Z</time></trkpt>";
  EXPECT_THAT(Gpx(Track(bad)).status.message(), HasSubstr("none has a latitude and longitude"));
  const Parsed p = Gpx(Track(bad + Point("")));
  EXPECT_TRUE(p.status.ok());
  EXPECT_EQ(p.fixes.size(), 1u);
  EXPECT_THAT(p.info.warnings, ElementsAre(HasSubstr("1 point without a readable latitude")));
}

TEST(GpxReader, CutFileIsReadUpToTheCut) {
  const std::string whole = Track(Point("") + Point("", "01") + Point("", "02"));
  const std::string cut = whole.substr(0, whole.rfind("</trkpt>") - 3);
  const Parsed p = Gpx(cut);
  ASSERT_TRUE(p.status.ok()) << p.status.message();
  EXPECT_EQ(p.fixes.size(), 2u);
  EXPECT_TRUE(p.info.cut);
  EXPECT_THAT(p.info.warnings, ElementsAre(HasSubstr("cut off after 2 points")));
}

TEST(GpxReader, ZeroBytesAfterAPowerLossAreACut) {
  const std::string whole = Track(Point("") + Point("", "01"));
  const Parsed p = Gpx(whole.substr(0, whole.rfind("<trkpt")) + std::string(100, '\0'));
  ASSERT_TRUE(p.status.ok()) << p.status.message();
  EXPECT_EQ(p.fixes.size(), 1u);
  EXPECT_TRUE(p.info.cut);
}

TEST(GpxReader, RefusesEntityDeclarations) {
  const Parsed p =
      Gpx("<!DOCTYPE gpx [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
          "\"&a;&a;&a;&a;\">]><gpx><name>&b;</name>" +
          Point("") + "</gpx>");
  EXPECT_EQ(p.status.code(), Code::kInvalidArgument);
  EXPECT_THAT(p.status.message(), HasSubstr("declares an XML entity"));
}

TEST(GpxReader, RefusesDepthAndLengthWithoutEnd) {
  std::string deep = "<gpx>";
  for (int i = 0; i < 100; ++i) deep += "<extensions>";
  EXPECT_THAT(Gpx(deep).status.message(), HasSubstr("nested deeper"));
  const Parsed p =
      ParseText(TraceFormat::kGpx, "<gpx name=\"" + std::string(3 << 20, 'x'), {}, 1 << 16);
  EXPECT_THAT(p.status.message(), HasSubstr("longer than 1 MiB"));
}

TEST(GpxReader, RefusesOtherXmlAndBrokenXmlWithTheLine) {
  EXPECT_THAT(Gpx("<kml></kml>").status.message(), HasSubstr("the root element is <kml>"));
  EXPECT_THAT(Gpx("<gpx>\n<trk>\n</gpx>").status.message(), HasSubstr("line 3"));
}

TEST(GpxReader, WhatFollowsTheEndIsIgnoredWithAWarning) {
  const Parsed p = Gpx(Track(Point("")) + "\n<gpx/>");
  EXPECT_TRUE(p.status.ok());
  EXPECT_EQ(p.fixes.size(), 1u);
  EXPECT_EQ(p.info.warnings.size(), 1u);
}

TEST(GpxReader, StopsWhenTheSinkHasEnough) {
  int taken = 0;
  const auto parser = MakeGpxParser({}, [&taken](const TraceFix&) { return ++taken < 2; });
  const std::string text = Track(Point("") + Point("", "01") + Point("", "02") + Point("", "03"));
  EXPECT_TRUE(parser->Feed(text).ok());
  EXPECT_TRUE(parser->stopped());
  EXPECT_TRUE(parser->Finish(false).ok());
  EXPECT_EQ(taken, 2);
}

}  // namespace
}  // namespace waymark::replay
