// What a command does to the files it is given: an output never costs an input or another output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "integration/cli/tool_test.h"

namespace waymark {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using testing::Outcome;
using ::testing::StartsWith;

constexpr char kTrace[] =
    "utc_ms,lat_deg,lon_deg\n1590792269000,47.5,11.25\n1590792270000,47.50001,11.25\n"
    "1590792271000,47.50002,11.25\n";

class CommandFilesCli : public testing::ToolTest {
 protected:
  void SetUp() override {
    Write("in.csv", kTrace);
    Write("t.csv", kTrace);
    Write("r.csv", "lat_deg,lon_deg\n47.5,11.25\n47.6,11.25\n");
    Write("l.csv", "utc_ms,stationary,mode\n1590792269000,1,\n");
    Write("m.csv", "trace,truth\nin.csv,t.csv\n");
    Write("f.json", R"({"type":"FeatureCollection","features":[]})");
    Write("c.json", "{}");
    Write("s.json", "[]");
    std::filesystem::create_symlink("in.csv", folder_ / "link.csv");
    std::filesystem::create_hard_link(folder_ / "in.csv", folder_ / "hard.csv");
    std::filesystem::create_symlink("nowhere.csv", folder_ / "dangling.csv");
  }

  // A usage error that names both flags; `file` keeps its bytes.
  void ExpectRefusal(const std::string& arguments, const std::string& file,
                     const std::string& output, const std::string& other) const {
    const std::string before = Read(file);
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_status, 2) << arguments << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(StartsWith("replay_tool: " + output),
                                   EndsWith(": is the same file as " + other + "\n")));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_EQ(Read(file), before) << arguments;
  }
};

TEST_F(CommandFilesCli, NoOutputIsAnInput) {
  ExpectRefusal("run in.csv --live-out in.csv", "in.csv", "--live-out in.csv", "TRACE in.csv");
  ExpectRefusal("run in.csv --verdicts-out ./../$(basename $PWD)/in.csv", "in.csv",
                "--verdicts-out", "TRACE in.csv");
  ExpectRefusal("run link.csv --live-out in.csv", "in.csv", "--live-out", "TRACE link.csv");
  ExpectRefusal("run in.csv --live-out link.csv", "in.csv", "--live-out", "TRACE in.csv");
  ExpectRefusal("run hard.csv --golden-out in.csv", "in.csv", "--golden-out", "TRACE hard.csv");
  ExpectRefusal("run in.csv --report in.csv", "in.csv", "--report", "TRACE in.csv");
  ExpectRefusal("run t.csv in.csv --json in.csv", "in.csv", "--json", "TRACE in.csv");
  ExpectRefusal("run - --json in.csv < in.csv", "in.csv", "--json in.csv", "TRACE -");
  ExpectRefusal("run in.csv --db in.csv", "in.csv", "--db", "TRACE in.csv");
  ExpectRefusal("run in.csv --geofences f.json --json f.json", "f.json", "--json",
                "--geofences f.json");
  ExpectRefusal("run in.csv --config c.json --json c.json", "c.json", "--json", "--config c.json");
  ExpectRefusal("evaluate in.csv --truth t.csv --json t.csv", "t.csv", "--json", "--truth t.csv");
  ExpectRefusal("evaluate in.csv --route r.csv --report r.csv", "r.csv", "--report",
                "--route r.csv");
  ExpectRefusal("evaluate in.csv --labels l.csv --live-out l.csv", "l.csv", "--live-out",
                "--labels l.csv");
  ExpectRefusal("evaluate --manifest m.csv --json m.csv", "m.csv", "--json", "--manifest m.csv");
  ExpectRefusal("evaluate --manifest m.csv --json t.csv", "t.csv", "--json",
                "the manifest's truth t.csv");
  ExpectRefusal("journal record in.csv --out in.csv", "in.csv", "--out", "TRACE in.csv");
  ExpectRefusal("journal record in.csv --geofences f.json --out f.json", "f.json", "--out",
                "--geofences f.json");
  prefix_ = "timeout 5 ";  // a collector that starts does not end
  std::filesystem::create_directory(folder_ / "got");
  std::filesystem::rename(folder_ / "s.json", folder_ / "got/records.jsonl");
  ExpectRefusal("serve --listen 127.0.0.1:0 --script got/records.jsonl --out got",
                "got/records.jsonl", "--out got/records.jsonl", "--script got/records.jsonl");
}

TEST_F(CommandFilesCli, JournalsAndResultsAreKept) {
  ASSERT_EQ(Run("journal record in.csv --out j.wmj").exit_status, 0);
  ExpectRefusal("run j.wmj --journal-out j.wmj", "j.wmj", "--journal-out j.wmj", "TRACE j.wmj");
  ASSERT_EQ(Run("evaluate in.csv --truth t.csv --json b.json").exit_status, 0);
  ExpectRefusal("evaluate in.csv --truth t.csv --baseline b.json --json b.json", "b.json", "--json",
                "--baseline b.json");
}

TEST_F(CommandFilesCli, TheQueueOfADatabaseIsKept) {
  ASSERT_EQ(Run("run in.csv --db x.db").exit_status, 0);
  ExpectRefusal("export x.db --out x.db", "x.db", "--out x.db", "DB x.db");
  ExpectRefusal("export x.db --format csv --out x.db-wal", "x.db", "--out x.db-wal", "DB x.db-wal");
  ExpectRefusal("run in.csv --db x.db --live-out x.db", "x.db", "--db x.db", "--live-out x.db");
  ExpectRefusal("run in.csv --db x.db --live-out x.db-wal", "x.db", "--db x.db-wal",
                "--live-out x.db-wal");
  ExpectRefusal("run in.csv --set database_path=x.db --live-out x.db", "x.db", "--db x.db",
                "--live-out x.db");
}

TEST_F(CommandFilesCli, NoTwoOutputsAreOneFile) {
  ExpectRefusal("run in.csv --live-out f --verdicts-out f", "f", "--verdicts-out f",
                "--live-out f");
  ExpectRefusal("run in.csv --live-out f --events-out ./f", "f", "--events-out ./f",
                "--live-out f");
  ExpectRefusal("run in.csv --live-out dangling.csv --records-out nowhere.csv", "nowhere.csv",
                "--records-out nowhere.csv", "--live-out dangling.csv");
  ExpectRefusal("run in.csv --live-out - --json -", "f", "--live-out -", "--json -");
  ExpectRefusal("run in.csv --report f --journal-out f", "f", "--journal-out f", "--report f");
  ExpectRefusal("simulate --scenario open --out z --truth-out z", "z", "--truth-out z", "--out z");
  ExpectRefusal("simulate --scenario open --fixes-out - --labels-out -", "z", "--labels-out -",
                "--fixes-out -");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "f"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "z"));
}

TEST_F(CommandFilesCli, DevicesAndPipesMayBeNamedTwice) {
  EXPECT_EQ(Run("run in.csv --live-out /dev/null --verdicts-out /dev/null").exit_status, 0);
  ExpectFailure("run in.csv --live-out /dev/full --verdicts-out /dev/full", 4, "No space left");
  EXPECT_EQ(Run("run in.csv --live-out /dev/stdout --verdicts-out /dev/stdout | cat").exit_status,
            0);
  ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(Run("run in.csv --live-out pipe --verdicts-out pipe & cat pipe; wait $!").exit_status,
            0);
  EXPECT_EQ(Run("run in.csv in.csv --json new.json").exit_status, 0);
  EXPECT_EQ(Run("evaluate in.csv --truth in.csv").exit_status, 0);
}

// Until an input has given a fix, nothing is overwritten.
TEST_F(CommandFilesCli, AnUnusableInputCostsNoOutput) {
  Write("precious", "kept");
  Write("columns.csv", "time,lat,lon\n1,2,3\n");
  Write("nothing.csv", "utc_ms,lat_deg,lon_deg\n");
  Write("text", "nothing known\n");
  const std::string all =
      " --live-out precious --verdicts-out new1 --report new2 --json new3 --golden-out new4";
  for (const std::string trace : {"nofile", ".", "text", "columns.csv", "nothing.csv", "r.csv"}) {
    ExpectFailure("run " + trace + all + " --journal-out new5", 3, trace);
    ExpectFailure("evaluate " + trace + " --truth t.csv" + all, 3, trace);
    ExpectFailure("journal record " + trace + " --out precious", 3, trace);
  }
  ExpectFailure("evaluate in.csv --truth nofile" + all, 3, "nofile");
  ExpectFailure("evaluate in.csv --labels ." + all, 3, "is a directory");
  ExpectFailure("export text --out precious", 4, "text");
  EXPECT_EQ(Read("precious"), "kept");
  for (const char* name : {"new1", "new2", "new3", "new4", "new5"}) {
    EXPECT_FALSE(std::filesystem::exists(folder_ / name)) << name;
  }
}

// Two traces in one CSV or journal could not be told apart.
TEST_F(CommandFilesCli, SeveralTracesHaveNoCommonCsv) {
  for (const char* command : {"run in.csv t.csv", "evaluate in.csv t.csv --truth t.csv"}) {
    for (const char* flag : {"--live-out", "--smoothed-out", "--records-out", "--verdicts-out",
                             "--events-out", "--golden-out"}) {
      ExpectFailure(std::string(command) + " " + flag + " new", 2,
                    std::string(flag) + " holds one trace; there are 2");
    }
  }
  ExpectFailure("run in.csv t.csv --journal-out new", 2,
                "--journal-out holds one trace; there are 2");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
  EXPECT_EQ(Run("run in.csv t.csv --json a --report b --db c").exit_status, 0);
}

}  // namespace
}  // namespace waymark
