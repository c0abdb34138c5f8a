#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "replay_tool/config_flags.h"
#include "replay_tool/csv_output.h"
#include "replay_tool/output_file.h"
#include "replay_tool/summary.h"
#include "replay_tool/thresholds.h"
#include "replay_tool/trace_reader.h"
#include "replay_tool/track_writer.h"
#include "support/loaded_trace.h"
#include "support/temp_dir.h"

namespace waymark::replay {
namespace {

using ::testing::HasSubstr;
using waymark::testing::TempDir;

UtcTime Utc(std::int64_t ms) { return UtcTime(std::chrono::milliseconds(ms)); }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CsvOutput, RowsHaveAsManyCellsAsTheHeader) {
  const auto commas = [](std::string_view s) { return std::count(s.begin(), s.end(), ','); };
  std::string row;
  AppendEstimateRow(row, Utc(1500), Estimate(), Disposition::kAdjusted);
  EXPECT_EQ(commas(row), commas(kEstimateHeader));
  EXPECT_EQ(row, "1500,0.000000000,0.000000000,0.000,0.000,0.000,0.000,,unknown,adjusted\n");
  for (const RecordBody& body :
       {RecordBody(PointRecord()), RecordBody(StayRecord()), RecordBody(GapRecord()),
        RecordBody(TripRecord()), RecordBody(MessageRecord()), RecordBody(FenceRecord())}) {
    row.clear();
    AppendRecordRow(row, Record{1, 1, Utc(5), body});
    EXPECT_EQ(commas(row), commas(kRecordHeader)) << row;
  }
  row.clear();
  AppendVerdictRow(row, 7, Utc(5), {Disposition::kRejected, Reason::kLate, 3.5, 2});
  EXPECT_EQ(row, "7,5,rejected,late,3.5,2\n");
  row.clear();
  AppendEventRow(row, {Utc(5), "stay", "a,b", "say \"x\"\n", LatLon{1, 2}, 0.5});
  EXPECT_EQ(row, "5,stay,\"a,b\",\"say 'x' \",1.0000000,2.0000000,0.5000\n");
}

TEST(CsvOutput, ACourseStaysBelowFullCircle) {
  EXPECT_EQ(RoundedCourse(359.994), 359.99);
  EXPECT_EQ(RoundedCourse(359.996), 0.);
  EXPECT_EQ(RoundedCourse(std::nullopt), std::nullopt);
  Estimate north;
  north.velocity_north_mps = 10;
  north.velocity_east_mps = -1e-4;
  std::string row;
  AppendEstimateRow(row, Utc(0), north, Disposition::kAccepted);
  EXPECT_THAT(row, HasSubstr(",0.00,unknown"));
}

TEST(OutputFile, TellsWhatCannotBeWritten) {
  TempDir folder;
  EXPECT_THAT(OutputFile::Create(folder / "no/such/file").status().message(),
              HasSubstr("cannot write"));
  Result<OutputFile> full = OutputFile::Create("/dev/full");
  ASSERT_TRUE(full.ok());
  full.value().Append(std::string(1 << 20, 'x'));
  EXPECT_EQ(full.value().Close().code(), Code::kIo);
  EXPECT_THAT(full.value().Close().message(), HasSubstr("/dev/full"));
}

TEST(Thresholds, RelationsAndPaths) {
  const auto root = nlohmann::ordered_json::parse(R"({"a":{"b":5},"text":"x"})");
  const auto holds = [&root](const char* text) {
    return Threshold::Parse(text).value().Holds(root).value();
  };
  EXPECT_TRUE(holds("a.b>4"));
  EXPECT_FALSE(holds("a.b > 5"));
  EXPECT_TRUE(holds("a.b>=5"));
  EXPECT_TRUE(holds("a.b==5"));
  EXPECT_FALSE(holds("a.b!=5"));
  EXPECT_TRUE(holds("a.b<=5"));
  EXPECT_FALSE(holds("a.b<5"));
  for (const char* wrong : {"a.b", ">5", "a.b>x", "a.b=5", "a.b!5"}) {
    EXPECT_FALSE(Threshold::Parse(wrong).ok()) << wrong;
  }
  EXPECT_FALSE(Threshold::Parse("a.c>1").value().Holds(root).ok());
  EXPECT_FALSE(Threshold::Parse("text>1").value().Holds(root).ok());
  EXPECT_FALSE(Threshold::Parse("a>1").value().Holds(root).ok());
}

TEST(Thresholds, AReasonThatDidNotOccurIsZero) {
  const auto root = nlohmann::ordered_json::parse(R"({"fixes":{"rejected":{"late":3}}})");
  const auto holds = [&root](const char* text) {
    return Threshold::Parse(text).value().Holds(root);
  };
  EXPECT_TRUE(holds("fixes.rejected.late==3").value());
  EXPECT_TRUE(holds("fixes.rejected.duplicate==0").value());
  for (const char* no_reason :
       {"fixes.rejected.lately<1", "fixes.rejected.unknown<1", "fixes.rejected.<1",
        "fixes.rejected.duplicate.more<1", "rejected.duplicate<1"}) {
    EXPECT_FALSE(holds(no_reason).ok()) << no_reason;
  }
}

TEST(ConfigFlags, JsonPathsProfilesAndSets) {
  TempDir folder;
  std::ofstream(folder / "c.json")
      << R"({"records":{"max_error_m":7},"upload":{"allow_metered":false}})";
  ConfigFlags flags;
  flags.file = folder / "c.json";
  flags.sets = {"records.max_error_m=9"};
  const Result<Config> config = MakeConfig(flags);
  ASSERT_TRUE(config.ok()) << config.status().message();
  EXPECT_EQ(config.value().records.max_error_m, 9);
  EXPECT_FALSE(config.value().upload.allow_metered);

  flags.sets = {"no.such=1"};
  EXPECT_EQ(MakeConfig(flags).status().code(), Code::kInvalidArgument);
  flags.sets = {"nonsense"};
  EXPECT_EQ(MakeConfig(flags).status().code(), Code::kInvalidArgument);
  flags.sets.clear();
  std::ofstream(folder / "c.json") << "{\"records\":";
  EXPECT_EQ(MakeConfig(flags).status().code(), Code::kCorruption);
  flags.file.clear();
  flags.profile = "no_such_profile";
  EXPECT_EQ(MakeConfig(flags).status().code(), Code::kInvalidArgument);
}

TEST(Summary, TextsOfTimeAndDistance) {
  EXPECT_EQ(DurationText(4.25), "4.2 s");
  EXPECT_EQ(DurationText(90), "1 min 30 s");
  EXPECT_EQ(DurationText(7500), "2 h 05 min");
  EXPECT_EQ(DistanceText(999.4), "999 m");
  EXPECT_EQ(DistanceText(12345), "12.35 km");
  EXPECT_EQ(UtcText(Utc(1590792269500)), "2020-05-29 22:44:29Z");
}

TEST(TrackWriter, ExportedGpxReadsBackAsATrace) {
  TempDir folder;
  const std::string path = folder / "t.gpx";
  std::vector<Record> records;
  for (int i = 0; i < 4; ++i) {
    PointRecord point;
    point.position = {47.5 + i * 1e-4, 11.25};
    point.r68_m = 4.5;
    point.speed_mps = 3.5;
    point.course_deg = 12.25;
    records.push_back({static_cast<std::uint64_t>(i + 1), 1, Utc(1590792240000 + i * 1000), point});
  }
  records.insert(records.begin() + 2, Record{9, 1, Utc(1590792241500), GapRecord()});
  Result<OutputFile> out = OutputFile::Create(path);
  ASSERT_TRUE(out.ok());
  const auto writer = MakeTrackWriter("gpx", out.value());
  for (const Record& r : records) writer->Place(r);
  for (const Record& r : records) writer->Add(r);
  writer->Finish();
  ASSERT_TRUE(out.value().Close().ok());
  const Result<LoadedTrace> trace = LoadTrace(path, {});
  ASSERT_TRUE(trace.ok()) << trace.status().message();
  ASSERT_EQ(trace.value().read.size(), 4u);
  const Fix& fix = trace.value().read[3].fix;
  EXPECT_NEAR(fix.position.lat_deg, 47.5003, 1e-9);
  EXPECT_EQ(fix.horizontal_accuracy_m, 4.5);
  EXPECT_EQ(fix.speed_mps, 3.5);
  EXPECT_EQ(fix.course_deg, 12.25);
  const std::string text = ReadAll(path);
  EXPECT_NE(text.find("</trkseg>\n<trkseg>"), std::string::npos);
}

TEST(TrackWriter, GeoJsonIsJsonAndSplitsAtGaps) {
  TempDir folder;
  const std::string path = folder / "t.geojson";
  Result<OutputFile> out = OutputFile::Create(path);
  ASSERT_TRUE(out.ok());
  const auto writer = MakeTrackWriter("geojson", out.value());
  FenceRecord fence;
  fence.fence_id = "say \"home\"";
  writer->Place({1, 1, Utc(1), fence});
  for (int i = 0; i < 3; ++i) writer->Add({2, 1, Utc(i), PointRecord()});
  writer->Add({3, 1, Utc(4), GapRecord()});
  writer->Add({4, 1, Utc(5), PointRecord()});
  writer->Finish();
  ASSERT_TRUE(out.value().Close().ok());
  const auto json = nlohmann::json::parse(ReadAll(path));
  ASSERT_EQ(json["features"].size(), 3u);
  EXPECT_EQ(json["features"][0]["properties"]["name"], "enter say \"home\"");
  EXPECT_EQ(json["features"][1]["geometry"]["coordinates"].size(), 3u);
  EXPECT_EQ(json["features"][2]["geometry"]["type"], "Point");
}

}  // namespace
}  // namespace waymark::replay
