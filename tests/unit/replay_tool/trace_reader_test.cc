#include "replay_tool/trace_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "support/loaded_trace.h"
#include "support/temp_dir.h"

namespace waymark::replay {
namespace {

using ::testing::HasSubstr;
using waymark::testing::TempDir;

const std::string kCsv = "utc_ms,lat_deg,lon_deg\n1000,1,2\n2000,1,2.1\n";

class TraceReader : public ::testing::Test {
 protected:
  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  std::string Why(const std::string& path) const {
    const Result<LoadedTrace> trace = LoadTrace(path, {});
    EXPECT_FALSE(trace.ok());
    return trace.status().message();
  }
  TempDir folder_;
};

TEST_F(TraceReader, FormatIsToldByContentNotByName) {
  EXPECT_EQ(DetectTraceFormat("<?xml version=\"1.0\"?><gpx/>").value(), TraceFormat::kGpx);
  EXPECT_EQ(DetectTraceFormat("\xEF\xBB\xBF \n<gpx/>").value(), TraceFormat::kGpx);
  EXPECT_EQ(DetectTraceFormat(std::string_view("\xFF\xFE<\0g\0", 6)).value(), TraceFormat::kGpx);
  EXPECT_EQ(DetectTraceFormat("utc_ms,lat_deg,lon_deg\n").value(), TraceFormat::kFixesCsv);
  EXPECT_EQ(DetectTraceFormat("a,b\n").value(), TraceFormat::kFixesCsv);
  EXPECT_EQ(DetectTraceFormat("# x\n$GPRMC,,V*00\n").value(), TraceFormat::kNmea);
  EXPECT_EQ(DetectTraceFormat("12:00, $GPRMC,,V*00\n").value(), TraceFormat::kNmea);
  EXPECT_EQ(DetectTraceFormat("# \n# Fix,Provider,Latitude\n").value(), TraceFormat::kGnssLogger);
  EXPECT_THAT(DetectTraceFormat("{\"type\":1}").status().message(), HasSubstr("JSON"));
  EXPECT_THAT(DetectTraceFormat(std::string_view("\x7F"
                                                 "ELF\x01\0\0\0",
                                                 8))
                  .status()
                  .message(),
              HasSubstr("binary"));
}

TEST_F(TraceReader, MissingEmptyAndFolderSayWhy) {
  EXPECT_THAT(Why(folder_ / "none.gpx"), HasSubstr("none.gpx: No such file"));
  EXPECT_THAT(Why(folder_.path()), HasSubstr("is a directory"));
  EXPECT_THAT(Why(File("empty.gpx", "")), HasSubstr("empty"));
  EXPECT_THAT(Why(File("blank.gpx", " \n\n")), HasSubstr("only white space"));
  using namespace std::string_literals;
  EXPECT_THAT(Why(File("a.db", "SQLite format 3\0abc"s)), HasSubstr("SQLite database"));
}

TEST_F(TraceReader, GzipIsUnpackedAndACutOneReadUpToTheCut) {
  const std::string path = folder_ / "a.bin";
  gzFile gz = gzopen(path.c_str(), "wb");
  std::string text = "utc_ms,lat_deg,lon_deg\n";
  for (int i = 0; i < 20000; ++i)
    text += std::to_string(i * 1000) + ",1,2." + std::to_string(i) + "\n";
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  const Result<LoadedTrace> whole = LoadTrace(path, {});
  ASSERT_TRUE(whole.ok()) << whole.status().message();
  EXPECT_EQ(whole.value().read.size(), 20000u);

  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  const Result<LoadedTrace> cut = LoadTrace(path, {});
  ASSERT_TRUE(cut.ok()) << cut.status().message();
  EXPECT_TRUE(cut.value().info.cut);
  EXPECT_GT(cut.value().read.size(), 1000u);
  EXPECT_LT(cut.value().read.size(), 20000u);
  EXPECT_THAT(cut.value().info.warnings, ::testing::Contains(HasSubstr("cut off")));
}

TEST_F(TraceReader, SinkThatHasEnoughEndsTheReading) {
  int taken = 0;
  const auto info = ReadTrace(File("a.csv", kCsv), {}, [&taken](const TraceFix&) {
    ++taken;
    return false;
  });
  EXPECT_TRUE(info.ok());
  EXPECT_EQ(taken, 1);
}

// What a person would call readable is read, the rest refused with one line.
class SharedData : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(WAYMARK_SHARED_DATA)) GTEST_SKIP() << "no " WAYMARK_SHARED_DATA;
  }
  // Names of the files under `folder` that are refused.
  std::set<std::string> Refused(const std::string& folder, const ReadOptions& options) const {
    std::set<std::string> refused;
    const std::filesystem::path root = std::filesystem::path(WAYMARK_SHARED_DATA) / folder;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string name = entry.path().filename().string();
      if (!entry.is_regular_file() || name == "NOTICE" || name.starts_with("LICENSE")) continue;
      const auto info =
          ReadTrace(entry.path().string(), options, [](const TraceFix&) { return true; });
      if (info.ok()) continue;
      EXPECT_EQ(info.status().message().find('\n'), std::string::npos);
      refused.insert(std::filesystem::relative(entry.path(), root).string());
    }
    return refused;
  }
};

TEST_F(SharedData, EveryGpxWithAPositionIsRead) {
  ReadOptions options;
  options.routes = true;
  options.assume_interval_s = 1;
  const std::set<std::string> refused = Refused("gpx", options);
  for (const std::string& name : refused) {
    std::ifstream file(std::filesystem::path(WAYMARK_SHARED_DATA) / "gpx" / name);
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const bool has_point =
        text.find("<trkpt") != std::string::npos || text.find("<rtept") != std::string::npos;
    EXPECT_TRUE(!has_point || text.find("lat=\"undefined\"") != std::string::npos) << name;
  }
  EXPECT_FALSE(refused.empty());
}

TEST_F(SharedData, EveryNmeaLogWithAFixIsRead) {
  EXPECT_THAT(Refused("nmea", {}),
              ::testing::UnorderedElementsAre(
                  "gpsd/garmin18x-bin.log", "gpsd/greis-raw-2m.log", "gpsd/greis-test.log",
                  "gpsd/navisys-gr701w.log", "gpsd/sirfstarv.log", "gpsd/skytraq-A8.log",
                  "gpsd/trimble-lassen_iq-3dfix.log", "gpsd/trimble-lasseniq-bin2d.log",
                  "gpsd/trimble-res720-dr.log", "gpsd/trimble-smt-360.log",
                  "gpsd/trimble-smtx-dr.log", "gpsd/ublox-neo-m8l.log", "gpsd/ublox-neo-m8p.log",
                  "gpsd/ublox-neo-m8t-s.log", "gpsd/ublox-zed-f9p-hp.log", "gpsd/zodiac.log"));
}

// The same recordings stand in the data as CSV, made by somebody else.
TEST_F(SharedData, ReadersAgreeWithTheCsvOfTheSameRecording) {
  const std::string data = std::string(WAYMARK_SHARED_DATA) + "/";
  const std::pair<const char*, const char*> pairs[] = {
      {"gpx/robjordan/MotoG3.gpx", "traces/robjordan-cycling/routeA_MotoG3/fixes.csv"},
      {"gpx/robjordan/xiaomi.gpx", "traces/robjordan-cycling/routeA_xiaomi/fixes.csv"},
      {"nmea/google/MTV.Local1.ublox-F9K.20200206-181434.nmea",
       "traces/google-nmeautils/MTV.Local1.F9K/fixes.csv"},
  };
  for (const auto& [raw, csv] : pairs) {
    const Result<LoadedTrace> a = LoadTrace(data + raw, {});
    const Result<LoadedTrace> b = LoadTrace(data + csv, {});
    ASSERT_TRUE(a.ok() && b.ok()) << raw;
    std::size_t matched = 0, j = 0;
    for (const TraceFix& expected : b.value().read) {
      while (j < a.value().read.size() && *a.value().read[j].fix.utc < *expected.fix.utc) ++j;
      if (j == a.value().read.size()) break;
      const Fix& got = a.value().read[j].fix;
      if (got.utc != expected.fix.utc) continue;
      ++matched;
      ASSERT_NEAR(got.position.lat_deg, expected.fix.position.lat_deg, 2e-8) << raw;
      ASSERT_NEAR(got.position.lon_deg, expected.fix.position.lon_deg, 2e-8) << raw;
      if (got.speed_mps && expected.fix.speed_mps) {
        ASSERT_NEAR(*got.speed_mps, *expected.fix.speed_mps, 2e-3) << raw;
      }
    }
    EXPECT_GE(matched * 100, b.value().read.size() * 99) << raw;
  }
}

}  // namespace
}  // namespace waymark::replay
