#include "replay_tool/nmea_reader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "replay_tool/nmea_sentence.h"
#include "support/parsed_text.h"

namespace waymark::replay {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using testing::Parsed;
using testing::ParseText;

// "$body*hh\r\n" with the right checksum.
std::string Sentence(const std::string& body, char start = '$') {
  int sum = 0;
  for (const char c : body) sum ^= c;
  return fmt::format("{}{}*{:02X}\r\n", start, body, sum);
}

Parsed Nmea(const std::string& text, const ReadOptions& options = {}) {
  return ParseText(TraceFormat::kNmea, text, options);
}

std::int64_t Ms(const TraceFix& read) { return read.fix.utc->time_since_epoch().count(); }

TEST(NmeaReader, SentencesOfOneEpochBecomeOneFix) {
  const Parsed p =
      Nmea(Sentence("GPGGA,120000.00,4730.000,N,01115.000,E,1,08,1.5,800.0,M,47.0,M,,") +
           Sentence("GPRMC,120000.00,A,4730.000,N,01115.000,E,10.0,181.5,290520,,,A") +
           Sentence("GPGST,120000.00,,,,,3.0,4.0,7.0") +
           Sentence("GPGGA,120001.00,4730.001,N,01115.000,E,1,08,1.5,800.0,M,47.0,M,,"));
  ASSERT_TRUE(p.status.ok()) << p.status.message();
  ASSERT_EQ(p.fixes.size(), 2u);
  const Fix& fix = p.fixes[0].fix;
  EXPECT_EQ(Ms(p.fixes[0]), 1590753600000);
  EXPECT_EQ(fix.position, (LatLon{47.5, 11.25}));
  EXPECT_EQ(fix.altitude_m, 847.);
  EXPECT_DOUBLE_EQ(*fix.speed_mps, 10 * 1852. / 3600);
  EXPECT_EQ(fix.course_deg, 181.5);
  EXPECT_NEAR(*fix.horizontal_accuracy_m, 5 / std::sqrt(2.) * 1.5096, 1e-9);
  EXPECT_EQ(fix.vertical_accuracy_m, 7.);
  EXPECT_EQ(fix.source, FixSource::kGnss);
  EXPECT_EQ(p.fixes[1].fix.horizontal_accuracy_m, 7.5);
  EXPECT_EQ(Ms(p.fixes[1]), 1590753601000);
}

TEST(NmeaReader, SouthAndWestAreNegative) {
  const Parsed p = Nmea(Sentence("GPRMC,120000,A,3351.5,S,07030.0,W,0,0,290520,,"));
  EXPECT_EQ(p.fixes.at(0).fix.position, (LatLon{-33.858333333333334, -70.5}));
}

TEST(NmeaReader, ACutEndIsTold) {
  const std::string first = Sentence("GPRMC,120000,A,4730.0,N,01115.0,E,0,0,290520,,");
  const std::string last = Sentence("GPRMC,120001,A,4730.0,N,01115.0,E,12,0,290520,,");
  // Cut in the checksum, before it (half a speed) and in the address.
  for (const std::size_t size : {last.size() - 3, last.size() - 18, std::size_t{4}}) {
    const Parsed p = Nmea(first + last.substr(0, size));
    ASSERT_TRUE(p.status.ok()) << p.status.message();
    EXPECT_EQ(p.fixes.size(), 1u);
    EXPECT_TRUE(p.info.cut);
    EXPECT_THAT(p.info.warnings, ::testing::ElementsAre(HasSubstr("cut off")));
  }
  const Parsed whole = Nmea(first + last.substr(0, last.size() - 2));
  EXPECT_EQ(whole.fixes.size(), 2u);
  EXPECT_FALSE(whole.info.cut);
}

TEST(NmeaReader, WhoseChecksumIsMissingHasLostItsEnd) {
  const std::string first = Sentence("GPRMC,120000,A,4730.0,N,01115.0,E,0,0,290520,,");
  const Parsed p = Nmea(first + "$GPRMC,120001,A,4730.0,N,01115.0,E,1" + first +
                        Sentence("GPRMC,120002,A,4730.0,N,01115.0,E,0,0,290520,,"));
  ASSERT_EQ(p.fixes.size(), 2u);
  EXPECT_EQ(Ms(p.fixes[1]) - Ms(p.fixes[0]), 2000);
  EXPECT_THAT(p.info.warnings, Contains(HasSubstr("1 sentence with a wrong or missing checksum")));
  // A receiver that sends none is read.
  EXPECT_EQ(Nmea("$GPRMC,120001,A,4730.0,N,01115.0,E,1,0,290520,,\n").fixes.size(), 1u);
}

TEST(NmeaReader, WrongChecksumsAndGarbageAreSkippedAndCounted) {
  std::string wrong = Sentence("GPRMC,120001,A,4730.0,N,01115.0,E,0,0,290520,,");
  wrong[wrong.size() - 3] = wrong[wrong.size() - 3] == '0' ? '1' : '0';
  const Parsed p =
      Nmea("# a comment\n" + Sentence("GPRMC,120000,A,4730.0,N,01115.0,E,0,0,290520,,") + wrong +
           "\xB5\x62\x01\x02 binary\n" + "12:00:02 " +
           Sentence("GPRMC,120002,A,4730.0,N,01115.0,E,0,0,290520,,"));
  EXPECT_EQ(p.fixes.size(), 2u);
  EXPECT_THAT(p.info.warnings, Contains(HasSubstr("1 sentence with a wrong or missing checksum")));
  EXPECT_THAT(p.info.warnings, Contains(HasSubstr("1 line without NMEA")));
}

TEST(NmeaReader, CombinedSolutionBeforeThatOfOneSystem) {
  const Parsed p = Nmea(Sentence("GLRMC,120000,A,4731.0,N,01115.0,E,0,0,290520,,") +
                        Sentence("GNRMC,120000,A,4730.0,N,01115.0,E,0,0,290520,,") +
                        Sentence("GPGGA,120000,4732.0,N,01115.0,E,1,8,1,,,,,,"));
  ASSERT_EQ(p.fixes.size(), 1u);
  EXPECT_EQ(p.fixes[0].fix.position.lat_deg, 47.5);
}

TEST(NmeaReader, DayTurnsAtMidnightWithoutANewDate) {
  const Parsed p = Nmea(Sentence("GPRMC,235959,A,4730.0,N,01115.0,E,0,0,311219,,") +
                        Sentence("GPGGA,000000,4730.0,N,01115.0,E,1,8,1,,,,,,") +
                        Sentence("GPGGA,000001,4730.0,N,01115.0,E,1,8,1,,,,,,") +
                        Sentence("GPRMC,000001,A,4730.0,N,01115.0,E,0,0,010120,,"));
  ASSERT_EQ(p.fixes.size(), 3u);
  EXPECT_EQ(Ms(p.fixes[1]) - Ms(p.fixes[0]), 1000);
  EXPECT_EQ(Ms(p.fixes[2]) - Ms(p.fixes[0]), 2000);
}

TEST(NmeaReader, FixesBeforeTheFirstDateWaitForIt) {
  const Parsed p = Nmea(Sentence("GPGGA,235958,4730.0,N,01115.0,E,1,8,1,,,,,,") +
                        Sentence("GPGGA,235959,4730.0,N,01115.0,E,1,8,1,,,,,,") +
                        Sentence("GPZDA,000001,01,01,2020,,") +
                        Sentence("GPGGA,000001,4730.0,N,01115.0,E,1,8,1,,,,,,"));
  ASSERT_EQ(p.fixes.size(), 3u);
  EXPECT_EQ(Ms(p.fixes[2]), 1577836801000);
  EXPECT_EQ(Ms(p.fixes[0]), 1577836801000 - 3000);
}

TEST(NmeaReader, LogWithoutADateIsReadWithAWarning) {
  const std::string text = Sentence("GPGLL,4730.0,N,01115.0,E,120000,A");
  const Parsed p = Nmea(text);
  EXPECT_EQ(p.fixes.size(), 1u);
  EXPECT_THAT(p.info.warnings, Contains(HasSubstr("--assume-date")));
  ReadOptions options;
  options.assume_date = UtcTime(std::chrono::milliseconds(1590710400000));
  EXPECT_EQ(Ms(Nmea(text, options).fixes.at(0)), 1590753600000);
}

TEST(NmeaReader, SaysWhatIsWrongWithALogOfNoUse) {
  EXPECT_THAT(Nmea(Sentence("AIVDM,1,1,,A,14eG;o@034o8sd<L9i:a;WF>062D,0", '!')).status.message(),
              HasSubstr("AIS only"));
  EXPECT_THAT(Nmea(Sentence("GPRMC,120000,V,,,,,,,290520,,,N")).status.message(),
              HasSubstr("no fix in its 1 epoch"));
  EXPECT_THAT(Nmea(Sentence("GPTXT,01,01,02,hello")).status.message(),
              HasSubstr("no position among"));
  EXPECT_THAT(Nmea("$GPRMC,120000,A,4730.0,N,01115.0,E,0,0,290520,,*00\n").status.message(),
              HasSubstr("no right checksum"));
}

TEST(NmeaReader, SimulatorModeIsMarked) {
  const Parsed p = Nmea(Sentence("GPRMC,120000,A,4730.0,N,01115.0,E,0,0,290520,,,S"));
  EXPECT_TRUE(p.fixes.at(0).fix.simulated);
}

TEST(NmeaReader, SpeedOfVtgWhereRmcHasNone) {
  const Parsed p =
      Nmea(Sentence("GPGLL,4730.0,N,01115.0,E,120000,A") + Sentence("GPVTG,90.0,T,,M,,N,36.0,K"));
  EXPECT_DOUBLE_EQ(*p.fixes.at(0).fix.speed_mps, 10.);
  EXPECT_EQ(p.fixes.at(0).fix.course_deg, 90.);
}

TEST(NmeaSentence, FieldsOutsideTheirRangeAreRefused) {
  EXPECT_FALSE(ParseNmeaLatitude("9130.0", "N"));
  EXPECT_FALSE(ParseNmeaLatitude("4760.0", "N"));
  EXPECT_FALSE(ParseNmeaLatitude("4730.0", "E"));
  EXPECT_FALSE(ParseNmeaLongitude("18130.0", "E"));
  EXPECT_FALSE(ParseNmeaTime("246000"));
  EXPECT_FALSE(ParseNmeaDate("310220"));
  EXPECT_EQ(ParseNmeaDate("060180")->time_since_epoch().count(), 315964800000);
}

}  // namespace
}  // namespace waymark::replay
