#include "replay_tool/number_text.h"

#include <gtest/gtest.h>

namespace waymark::replay {
namespace {

std::int64_t Ms(std::string_view text) {
  const std::optional<UtcTime> utc = ParseIsoTime(text);
  EXPECT_TRUE(utc) << text;
  return utc ? utc->time_since_epoch().count() : 0;
}

TEST(NumberText, DoublesAreExactAndWhole) {
  EXPECT_EQ(ParseDouble("0.1"), 0.1);
  EXPECT_EQ(ParseDouble(" +12.5\r"), 12.5);
  EXPECT_EQ(ParseDouble("-1e3"), -1000.);
  for (const char* wrong :
       {"", " ", "1,5", "1 2", "undefined", "nan", "inf", "1e999", "+-1", "0x10"}) {
    EXPECT_FALSE(ParseDouble(wrong)) << wrong;
  }
}

TEST(NumberText, IsoTimesInEveryFormOfTheField) {
  EXPECT_EQ(Ms("2020-05-29T22:44:29Z"), 1590792269000);
  EXPECT_EQ(Ms("2020-05-29T22:44:29"), 1590792269000);
  EXPECT_EQ(Ms("2020-05-29 22:44:29.5Z"), 1590792269500);
  EXPECT_EQ(Ms("2020-05-29T22:44:29.0004999Z"), 1590792269000);
  EXPECT_EQ(Ms("2020-05-29T22:44:29.9995Z"), 1590792270000);
  EXPECT_EQ(Ms("2020-05-30T00:44:29+02:00"), 1590792269000);
  EXPECT_EQ(Ms("2020-05-29T19:14:29-0330"), 1590792269000);
  EXPECT_EQ(Ms("2016-12-31T23:59:60Z"), Ms("2017-01-01T00:00:00Z"));
}

TEST(NumberText, RefusesWhatIsNoTime) {
  for (const char* wrong : {"", "2020-05-29", "2020-13-01T00:00:00Z", "2021-02-29T00:00:00Z",
                            "2020-05-29T25:00:00Z", "2020-05-29T22:60:00Z", "2020-05-29T22:44:61Z",
                            "2020-05-29T22:44:29X", "0001-01-01T00:00:00Z", "2200-01-01T00:00:00Z",
                            "20-05-29T22:44:29Z", "2020-05-29T22:44:29+"}) {
    EXPECT_FALSE(ParseIsoTime(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace waymark::replay
