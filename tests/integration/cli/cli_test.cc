// Exit statuses, error lines and outputs of replay_tool as processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "integration/cli/tool_test.h"

namespace waymark {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using ::testing::StartsWith;

constexpr char kTrace[] =
    "utc_ms,lat_deg,lon_deg,speed_mps\n1590792269000,47.5,11.25,1\n"
    "1590792270000,47.50001,11.25,1\n1590792271000,47.50002,11.25,1\n";

class Cli : public testing::ToolTest {
 protected:
  void SetUp() override { Write("ok.csv", kTrace); }
};

TEST_F(Cli, HelpAndVersion) {
  EXPECT_EQ(Run("--version").out, "replay_tool 0.1.0\n");
  for (const char* command : {"run", "evaluate", "simulate", "serve", "export", "journal record",
                              "journal replay", "journal print"}) {
    const Outcome outcome = Run(std::string(command) + " --help");
    EXPECT_EQ(outcome.exit_status, 0) << command;
    EXPECT_THAT(outcome.out, HasSubstr("replay_tool ")) << command;
  }
}

// CLI11 would print "ENUM:value in {...}" and bare "TEXT".
TEST_F(Cli, HelpNamesWhatAFlagTakes) {
  for (const char* command : {"run", "evaluate", "simulate", "export", "journal record"}) {
    const Outcome help = Run(std::string(command) + " --help");
    EXPECT_EQ(help.exit_status, 0) << command;
    EXPECT_THAT(help.out, Not(HasSubstr("ENUM"))) << command;
    EXPECT_THAT(help.out, Not(HasSubstr("TEXT"))) << command;
    EXPECT_THAT(help.out, Not(HasSubstr(" UINT"))) << command;
    EXPECT_THAT(help.out, Not(HasSubstr("{"))) << command;
  }
  EXPECT_THAT(Run("simulate --help").out, HasSubstr("--movement stay|walk|cycle|drive"));
  EXPECT_EQ(Run("simulate --scenario open --movement fly --truth-out t.csv").exit_status, 2);
}

TEST_F(Cli, UsageErrorsAreTwo) {
  ExpectFailure("", 2, "subcommand");
  ExpectFailure("ride.gpx", 2, "no command is named 'ride.gpx': there are run, evaluate");
  ExpectFailure("run", 2, "traces is required");
  ExpectFailure("run ok.csv --no-such-flag", 2, "--no-such-flag");
  ExpectFailure("run ok.csv --set nonsense=1", 2, "nonsense");
  ExpectFailure("run ok.csv --set records.max_error_m=-4", 2, "records.max_error_m");
  ExpectFailure("run ok.csv --profile x", 2, "balanced");
  ExpectFailure("run ok.csv --fail-if abc", 2, "--fail-if");
  ExpectFailure("run ok.csv --assume-date tomorrow", 2, "YYYY-MM-DD");
}

TEST_F(Cli, UnusableInputIsThree) {
  Write("empty.gpx", "");
  Write("bomb.gpx", "<!DOCTYPE g [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><gpx>&b;</gpx>");
  Write("columns.csv", "time,lat,lon\n1,2,3\n");
  Write("cell.csv", "utc_ms,lat_deg,lon_deg\n1000,1,north\n");
  Write("untimed.gpx", "<gpx><trk><trkseg><trkpt lat=\"1\" lon=\"2\"/></trkseg></trk></gpx>");
  ExpectFailure("run missing.gpx", 3, "missing.gpx: No such file");
  ExpectFailure("run .", 3, "is a directory");
  ExpectFailure("run empty.gpx", 3, "empty.gpx: empty");
  ExpectFailure("run bomb.gpx", 3, "bomb.gpx: line 1: declares an XML entity");
  ExpectFailure("run columns.csv", 3, "missing column utc_ms, lat_deg, lon_deg");
  ExpectFailure("run cell.csv", 3, "cell.csv: line 2: lon_deg");
  ExpectFailure("run untimed.gpx", 3, "1 of 1 point has no readable time");
  ExpectFailure("run ok.csv --geofences missing.json", 3, "missing.json");
  ExpectFailure("run ok.csv --config missing.json", 3, "missing.json");
  ExpectFailure("journal replay ok.csv", 3, "not a Waymark journal");
}

TEST_F(Cli, EnvironmentIsFour) {
  Write("text.db", "this is not a database\n");
  ExpectFailure("run ok.csv --db text.db", 4, "text.db");
  EXPECT_EQ(Read("text.db"), "this is not a database\n");
  ExpectFailure("export text.db", 4, "text.db");
  ExpectFailure("export missing.db", 4, "missing.db");
  ExpectFailure("run ok.csv --db no/such/folder/x.db", 4,
                "cannot write in no/such/folder: No such file");
  // A folder in which nobody may write, root included.
  ExpectFailure("run ok.csv --db /proc/x.db", 4, "/proc/x.db");
  ExpectFailure("run ok.csv --live-out /proc/x.csv", 4, "/proc/x.csv: cannot write");
  ExpectFailure("run ok.csv --live-out no/such/folder/x.csv", 4, "cannot write");
  ExpectFailure("run ok.csv --live-out /dev/full", 4, "No space left");
  ExpectFailure("run ok.csv --json /dev/full", 4, "No space left");
  ExpectFailure("run ok.csv --upload http://127.0.0.1:1/ --drain-timeout 1", 4,
                "records not delivered: Failed to connect to 127.0.0.1");
}

TEST_F(Cli, ReadOnlyFolderIsFour) {
  ASSERT_EQ(Run("run ok.csv --db kept.db").exit_status, 0);
  const std::string kept = Read("kept.db");
  std::filesystem::create_directory(folder_ / "ro");
  std::filesystem::rename(folder_ / "kept.db", folder_ / "ro/kept.db");
  // Root writes everywhere: as root the tool runs as somebody else.
  using std::filesystem::perms;
  constexpr perms kReadable = perms::owner_read | perms::owner_exec | perms::group_read |
                              perms::group_exec | perms::others_read | perms::others_exec;
  std::filesystem::permissions(folder_.path(), kReadable | perms::owner_write);
  std::filesystem::permissions(folder_ / "ro", kReadable);
  if (geteuid() == 0) {
    prefix_ = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
    if (Run("--version").exit_status != 0) GTEST_SKIP() << "nobody else can run the tool here";
  }
  ExpectFailure("run ok.csv --db ro/x.db", 4, "ro/x.db: cannot write in ro: Permission denied");
  ExpectFailure("run ok.csv --db ro/kept.db", 4, "cannot write");
  ExpectFailure("run ok.csv --live-out ro/l.csv", 4, "ro/l.csv: cannot write: Permission denied");
  ExpectFailure("serve --listen 127.0.0.1:0 --out ro/out", 4, "ro/out: ");
  EXPECT_EQ(Read("ro/kept.db"), kept);
  // What is there can still be read.
  const Outcome exported = Run("export ro/kept.db --format csv");
  EXPECT_EQ(exported.exit_status, 0) << exported.err;
  EXPECT_THAT(exported.out, HasSubstr(",point\n"));
  prefix_.clear();
  std::filesystem::permissions(folder_ / "ro", kReadable | perms::owner_write);
  // A run that was killed leaves its log.
  Write("ro/kept.db-wal", "x");
  std::filesystem::permissions(folder_ / "ro", kReadable);
  if (geteuid() == 0) prefix_ = "setpriv --reuid=65534 --regid=65534 --clear-groups ";
  ExpectFailure("export ro/kept.db --format csv", 4, "has a log beside it");
  prefix_.clear();
  std::filesystem::permissions(folder_ / "ro", kReadable | perms::owner_write);
}

TEST_F(Cli, CutGpxIsReadWithAWarning) {
  Write("cut.gpx",
        "<gpx><trk><trkseg><trkpt lat=\"1\" lon=\"2\"><time>2020-01-01T00:00:00Z</time></trkpt>"
        "<trkpt lat=\"1\" lo");
  Write("cut.csv", "utc_ms,lat_deg,lon_deg\n1590792269000,47.5,11.25\n15907922");
  EXPECT_THAT(Run("run cut.csv").err, HasSubstr("warning: cut.csv: the file is cut off"));
  EXPECT_EQ(Run("run cut.csv").exit_status, 0);
  const Outcome outcome = Run("run cut.gpx");
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_THAT(outcome.err, StartsWith("replay_tool: warning: cut.gpx: the file is cut off"));
}

TEST_F(Cli, ThresholdsDecideTheStatus) {
  ExpectFailure("run ok.csv --fail-if 'fixes.read<100'", 1, "fixes.read<100 holds");
  EXPECT_EQ(Run("run ok.csv --fail-if 'fixes.read<3'").exit_status, 0);
}

TEST_F(Cli, JsonOfSeveralTracesIsOneObjectALine) {
  const Outcome outcome = Run("run ok.csv - --json - < ok.csv");
  ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
  ASSERT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 2);
  const auto json = nlohmann::json::parse(outcome.out.substr(0, outcome.out.find('\n')));
  EXPECT_EQ(json["schema"], "waymark.replay/1");
  EXPECT_EQ(json["trace"]["points"], 3);
  EXPECT_EQ(json["trace"]["duration_s"], 2.0);
  for (const char* key : {"fixes", "estimates", "records", "odometer", "motion", "geofences",
                          "sampling", "upload", "timing"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_FALSE(json.contains("accuracy") || json.contains("calibration"));
}

TEST_F(Cli, CsvOutputsHaveTheirHeadersAndOneRowALine) {
  ASSERT_EQ(Run("run ok.csv --live-out l --smoothed-out s --records-out r --verdicts-out v "
                "--events-out e --golden-out g --report p.html")
                .exit_status,
            0);
  const std::string estimate =
      "utc_ms,lat_deg,lon_deg,r68_m,r95_m,speed_mps,speed_sigma_mps,course_deg,motion,verdict\n";
  EXPECT_THAT(Read("l"), StartsWith(estimate + "1590792269000,"));
  EXPECT_THAT(Read("s"), StartsWith(estimate));
  EXPECT_THAT(Read("r"),
              StartsWith("seq,utc_ms,lat_deg,lon_deg,r68_m,speed_mps,course_deg,kind\n"));
  EXPECT_THAT(Read("v"), StartsWith("line,utc_ms,verdict,reason,value,limit\n2,1590792269000,"));
  EXPECT_THAT(Read("e"), StartsWith("utc_ms,type,id,detail,lat_deg,lon_deg,probability\n"));
  const std::string live = Read("l"), verdicts = Read("v");
  EXPECT_EQ(std::count(live.begin(), live.end(), '\n'), 4);
  EXPECT_EQ(std::count(verdicts.begin(), verdicts.end(), '\n'), 4);
  EXPECT_THAT(Read("p.html"), HasSubstr("</svg>"));
}

TEST_F(Cli, JournalReplaysIdenticallyAndIsATrace) {
  ASSERT_EQ(Run("journal record ok.csv --out j").exit_status, 0);
  const Outcome replay = Run("journal replay j");
  EXPECT_EQ(replay.exit_status, 0) << replay.err;
  EXPECT_THAT(replay.out, HasSubstr("identical"));
  EXPECT_FALSE(Run("journal print j").out.empty());
  const Outcome again = Run("run j --json -");
  EXPECT_EQ(nlohmann::json::parse(again.out)["trace"]["format"], "journal");

  const std::string bytes = Read("j");
  Write("cut", bytes.substr(0, bytes.size() - 5));
  const Outcome cut = Run("journal replay cut");
  EXPECT_EQ(cut.exit_status, 0);
  EXPECT_THAT(cut.err, HasSubstr("cut off"));
  EXPECT_THAT(Run("run cut").err, HasSubstr("warning: cut: the journal is cut off"));
}

TEST_F(Cli, DatabaseContinuesAndIsExported) {
  ASSERT_EQ(Run("run ok.csv --db t.db --records-out first").exit_status, 0);
  const std::string first = Read("first");
  const auto rows = std::count(first.begin(), first.end(), '\n') - 1;
  ASSERT_GT(rows, 0);
  EXPECT_EQ(Run("export t.db --format csv").out, first);
  ASSERT_EQ(Run("run ok.csv --db t.db --records-out second").exit_status, 0);
  EXPECT_THAT(Read("second"), HasSubstr("\n" + std::to_string(rows + 1) + ","));
  for (const char* format : {"gpx", "kml", "geojson"}) {
    const Outcome outcome = Run(std::string("export t.db --format ") + format);
    EXPECT_EQ(outcome.exit_status, 0) << format;
    EXPECT_THAT(outcome.out, HasSubstr("11.25")) << format;
  }
  EXPECT_EQ(Run("export t.db --format gpx,geojson,csv,kml").out,
            "t.db.gpx\nt.db.geojson\nt.db.csv\nt.db.kml\n");
  EXPECT_EQ(Read("t.db.csv"), Run("export t.db --format csv").out);
  EXPECT_EQ(Run("export t.db --format csv,kml --out x").exit_status, 0);
  EXPECT_EQ(Read("x.kml"), Read("t.db.kml"));
  EXPECT_EQ(
      Run("export t.db --format gpx --out t.gpx && " WAYMARK_REPLAY_TOOL " run t.gpx").exit_status,
      0);
}

TEST_F(Cli, TheSameRunGivesTheSameBytes) {
  for (const char* out : {"a", "b"}) {
    ASSERT_EQ(
        Run(std::string("run ok.csv --golden-out ") + out + " --journal-out j" + out).exit_status,
        0);
  }
  EXPECT_EQ(Read("a"), Read("b"));
  EXPECT_EQ(Read("ja"), Read("jb"));
}

}  // namespace
}  // namespace waymark
