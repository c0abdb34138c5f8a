// Receivers whose clock is wrong: one loses the count of leap seconds on the way and learns it
// again, the week number of another has run over.
#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "integration/cli/tool_test.h"

namespace waymark {
namespace {

using testing::Outcome;

class ReceiverClockCli : public testing::ToolTest {
 protected:
  static constexpr int kFirst = 100, kEnd = 200, kLeapMs = 18'000;  // rows whose clock is ahead

  void SetUp() override {
    const Outcome made =
        Run("simulate --scenario open --seed 5 --duration 300 --fixes-out made.csv --truth-out "
            "truth.csv");
    ASSERT_EQ(made.exit_status, 0) << made.err;
    for (const std::vector<std::string>& c : Cells("truth.csv")) {
      truth_[std::stoll(c[0])] = {std::stod(c[1]), std::stod(c[2])};
    }
    Write("plain.csv", Csv(/*leap=*/false, /*arrivals=*/true));
  }

  std::vector<std::vector<std::string>> Cells(const std::string& file) const {
    std::vector<std::vector<std::string>> rows;
    std::istringstream in(Read(file));
    std::string line;
    std::getline(in, line);
    while (std::getline(in, line)) {
      rows.emplace_back();
      std::istringstream cells(line);
      for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
    }
    return rows;
  }

  static long long Ahead(std::size_t row, bool leap) {
    return leap && row >= kFirst && row < kEnd ? kLeapMs : 0;
  }

  std::string Csv(bool leap, bool arrivals, long long off_ms = 0) const {
    std::string text = Read("made.csv");
    text.resize(text.find('\n') + 1);
    const auto rows = Cells("made.csv");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<std::string> row = rows[i];
      row[0] = std::to_string(std::stoll(row[0]) + Ahead(i, leap) + off_ms);
      if (!arrivals) row[10].clear();
      for (std::size_t k = 0; k < row.size(); ++k) text += (k > 0 ? "," : "") + row[k];
      text += "\n";
    }
    return text;
  }

  // UTC as `format` of strftime has it.
  static std::string Utc(long long utc_ms, const char* format) {
    const std::time_t s = utc_ms / 1000;
    std::tm tm{};
    gmtime_r(&s, &tm);
    char text[64];
    return {text, std::strftime(text, sizeof text, format, &tm)};
  }

  std::string Gpx() const {
    std::string text = "<gpx version=\"1.1\"><trk><trkseg>\n";
    const auto rows = Cells("made.csv");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      text += "<trkpt lat=\"" + rows[i][1] + "\" lon=\"" + rows[i][2] + "\"><time>" +
              Utc(std::stoll(rows[i][0]) + Ahead(i, true), "%Y-%m-%dT%H:%M:%SZ") +
              "</time></trkpt>\n";
    }
    return text + "</trkseg></trk></gpx>\n";
  }

  static std::string Angle(const std::string& degrees, int digits, const char* signs) {
    const double value = std::fabs(std::stod(degrees));
    char text[40];
    std::snprintf(text, sizeof text, "%0*d%09.6f,%c", digits, static_cast<int>(value),
                  60 * (value - std::floor(value)), signs[std::stod(degrees) < 0]);
    return text;
  }

  std::string Nmea() const {
    std::string text;
    const auto rows = Cells("made.csv");
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const long long utc_ms = std::stoll(rows[i][0]) + Ahead(i, true);
      const std::string body = "GPRMC," + Utc(utc_ms, "%H%M%S") + ",A," +
                               Angle(rows[i][1], 2, "NS") + "," + Angle(rows[i][2], 3, "EW") +
                               ",,," + Utc(utc_ms, "%d%m%y") + ",,,A";
      unsigned sum = 0;
      for (const char c : body) sum ^= static_cast<unsigned char>(c);
      char end[8];
      std::snprintf(end, sizeof end, "*%02X\r\n", sum);
      text += "$" + body + end;
    }
    return text;
  }

  // The largest error of the rows of an output.
  double WorstM(const std::string& file) const {
    double worst_m = 0;
    for (const std::vector<std::string>& c : Cells(file)) {
      const auto truth = truth_.find(std::stoll(c[0]));
      if (truth == truth_.end()) {
        ADD_FAILURE() << file << ": no truth at " << c[0];
        continue;
      }
      const auto [lat_deg, lon_deg] = truth->second;
      const double north_m = 111'200 * (std::stod(c[1]) - lat_deg);
      const double east_m = 111'300 * std::cos(lat_deg * 0.017453293) * (std::stod(c[2]) - lon_deg);
      worst_m = std::max(worst_m, std::hypot(east_m, north_m));
    }
    return worst_m;
  }

  void ExpectRepaired(const std::string& trace, double slack_m) const {
    ASSERT_EQ(
        Run("run plain.csv --quiet --live-out live0.csv --smoothed-out smooth0.csv").exit_status,
        0);
    const Outcome ran = Run("run " + trace +
                            " --quiet --live-out live.csv --smoothed-out smooth.csv "
                            "--verdicts-out verdicts.csv");
    ASSERT_EQ(ran.exit_status, 0) << ran.err;
    EXPECT_LE(WorstM("live.csv"), WorstM("live0.csv") + slack_m);
    EXPECT_LE(WorstM("smooth.csv"), WorstM("smooth0.csv") + slack_m);
    const auto verdicts = Cells("verdicts.csv");
    ASSERT_EQ(verdicts.size(), Cells("made.csv").size());
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      const std::string& reason = verdicts[i][3];
      EXPECT_THAT(verdicts[i][2], ::testing::AnyOf("accepted", "adjusted")) << i;
      if (reason == "downweighted") continue;  // an outlier all the same
      EXPECT_EQ(reason, Ahead(i, true) != 0 ? "leap_second" : "none") << i;
      EXPECT_EQ(std::stod(verdicts[i][4]), Ahead(i, true) != 0 ? 18 : 0) << i;
    }
  }

  std::map<long long, std::pair<double, double>> truth_;
};

TEST_F(ReceiverClockCli, ALeapIsTakenOutWhereTheArrivalsTell) {
  Write("t.csv", Csv(true, true));
  ExpectRepaired("t.csv", 0.01);
}

TEST_F(ReceiverClockCli, ALeapIsTakenOutWhereTheMotionTells) {
  Write("t.csv", Csv(true, false));
  ExpectRepaired("t.csv", 0.01);
}

// Position and time are all that these tell.
TEST_F(ReceiverClockCli, ALeapIsTakenOutOfATrackAndOfALog) {
  Write("t.gpx", Gpx());
  ExpectRepaired("t.gpx", 10);
  Write("t.nmea", Nmea());
  ExpectRepaired("t.nmea", 10);
}

// Truth and trace meet at the time that the fixes mean.
TEST_F(ReceiverClockCli, AWeekRolloverIsTakenOutOfAnEvaluation) {
  Write("rolled.csv", Csv(false, true, -1024LL * 7 * 86'400'000));
  const auto evaluate = [this](const std::string& trace) {
    const Outcome ran =
        Run("evaluate " + trace +
            " --truth truth.csv --baseline raw,cv --quiet --json - --live-out " + trace + ".live");
    EXPECT_EQ(ran.exit_status, 0) << ran.err;
    return nlohmann::json::parse(ran.out, nullptr, false);
  };
  const nlohmann::json rolled = evaluate("rolled.csv"), plain = evaluate("plain.csv");
  ASSERT_TRUE(rolled.is_object());
  EXPECT_EQ(rolled["fixes"]["adjusted"], plain["fixes"]["read"]);
  for (const char* key : {"first_utc_ms", "last_utc_ms", "duration_s", "distance_m"}) {
    EXPECT_EQ(rolled["trace"][key], plain["trace"][key]) << key;
  }
  for (const char* key : {"accuracy", "calibration", "path", "odometer"}) {
    EXPECT_EQ(rolled[key], plain[key]) << key;
  }
  EXPECT_EQ(Cells("rolled.csv.live").front()[0], Cells("plain.csv.live").front()[0]);
}

}  // namespace
}  // namespace waymark
