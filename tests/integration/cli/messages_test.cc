// What replay_tool takes, refuses and says: numbers, thresholds, standard output, messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "integration/cli/tool_test.h"

namespace waymark {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Outcome;
using ::testing::StartsWith;

constexpr char kTrace[] =
    "utc_ms,lat_deg,lon_deg\n1590792269000,47.5,11.25\n1590792270000,47.50001,11.25\n"
    "1590792271000,47.50002,11.25\n";

class MessagesCli : public testing::ToolTest {
 protected:
  void SetUp() override { Write("ok.csv", kTrace); }
};

TEST_F(MessagesCli, NoNumberIsNotANumber) {
  for (const char* flag : {"--assume-interval", "--accuracy", "--drain-timeout"}) {
    for (const char* value : {"nan", "-nan", "inf", "-1"}) {
      ExpectFailure("run ok.csv " + std::string(flag) + "=" + value, 2, flag);
    }
  }
  for (const char* flag : {"--every", "--tolerance", "--min-stop", "--truth-max-gap"}) {
    ExpectFailure("evaluate ok.csv --truth ok.csv " + std::string(flag) + " nan", 2, flag);
  }
  for (const char* flag : {"--duration", "--interval", "--truth-interval"}) {
    ExpectFailure("simulate --scenario open --truth-out t " + std::string(flag) + " nan", 2, "");
  }
  ExpectFailure("evaluate ok.csv --truth ok.csv --every nan", 2,
                "--every: 'nan' is not a number in [0.001 - 86400]");
  EXPECT_EQ(Run("evaluate ok.csv --truth ok.csv --every 1.5 --quiet").exit_status, 0);
}

TEST_F(MessagesCli, SeedsAreWholeNumbers) {
  for (const char* command :
       {"run ok.csv", "evaluate ok.csv --truth ok.csv", "journal record ok.csv --out j",
        "simulate --scenario open --truth-out t"}) {
    for (const char* seed : {"-1", "18446744073709551616", "1.5", "x", "''"}) {
      ExpectFailure(command + (" --seed=" + std::string(seed)), 2, "--seed");
    }
    EXPECT_EQ(Run(std::string(command) + " --seed 18446744073709551615").exit_status, 0);
  }
  prefix_ = "timeout 5 ";  // a collector that starts does not end
  ExpectFailure("serve --out d --listen 127.0.0.1:0 --max-body-bytes=-1", 2, "--max-body-bytes");
}

TEST_F(MessagesCli, AReasonThatDidNotOccurIsZero) {
  EXPECT_EQ(Run("run ok.csv --quiet --fail-if 'fixes.rejected.late>5'").exit_status, 0);
  ExpectFailure("run ok.csv --quiet --fail-if 'fixes.rejected.late<5'", 1,
                "fixes.rejected.late<5 holds");
  ExpectFailure("run ok.csv --quiet --fail-if 'fixes.rejected.unknown>5'", 1,
                "has no fixes.rejected.unknown");
  ExpectFailure("run ok.csv --quiet --fail-if 'fixes.rejected.lately>5'", 1, "has no fixes.rej");
}

TEST_F(MessagesCli, OneTraceHasNoAggregate) {
  for (const char* path : {"aggregate.mean.accuracy.live.p95_m", "aggregate.nonsense"}) {
    ExpectFailure("evaluate ok.csv --truth ok.csv --quiet --fail-if '" + std::string(path) + ">1'",
                  2, "one trace has no aggregate");
  }
  Write("m.csv", "trace,truth\nok.csv,ok.csv\n");
  const std::string manifest = "evaluate --manifest m.csv --quiet --fail-if ";
  EXPECT_EQ(Run(manifest + "'aggregate.mean.accuracy.live.p95_m>1'").exit_status, 0);
  ExpectFailure(manifest + "'aggregate.nonsense>1'", 1, "has no aggregate.nonsense");
}

TEST_F(MessagesCli, ABaselineOfRunComparesLittle) {
  ASSERT_EQ(Run("run ok.csv --quiet --json before.json").exit_status, 0);
  const std::string evaluate =
      "evaluate ok.csv --truth ok.csv --quiet --tolerance 50 --json after.json --baseline ";
  const Outcome outcome = Run(evaluate + "before.json");
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(outcome.err,
            "replay_tool: warning: --baseline before.json: not compared, for it has none: "
            "accuracy, calibration, path\n");
  ASSERT_EQ(Run("evaluate ok.csv --truth ok.csv --quiet --json full.json").exit_status, 0);
  EXPECT_THAT(Run(evaluate + "full.json").err, IsEmpty());
}

TEST_F(MessagesCli, AFullDiskIsTold) {
  ASSERT_EQ(Run("journal record ok.csv --out j").exit_status, 0);
  ASSERT_EQ(Run("run ok.csv --db d --quiet").exit_status, 0);
  for (const char* command :
       {"simulate --list", "simulate --scenario open --truth-out t", "run ok.csv",
        "run ok.csv --json -", "evaluate ok.csv --truth ok.csv", "journal print j",
        "journal replay j", "journal record ok.csv --out k", "export d", "--help", "--version"}) {
    const Outcome outcome = Shell(std::string(kTool) + " " + command + " >/dev/full");
    EXPECT_EQ(outcome.exit_status, 4) << command;
    EXPECT_THAT(outcome.err, HasSubstr("replay_tool: standard output: cannot write: No space left"))
        << command;
  }
}

// The first file to be opened would take the place of standard output, and get what is said there.
TEST_F(MessagesCli, AClosedStandardOutputIsNoFile) {
  const std::string simulate = std::string(kTool) + " simulate --scenario open --truth-out ";
  ASSERT_EQ(Shell(simulate + "t.csv").exit_status, 0);
  EXPECT_EQ(Shell(simulate + "closed.csv >&-").exit_status, 4);
  EXPECT_EQ(Read("closed.csv"), Read("t.csv"));
}

// As with `| less` or `| head`: who has seen enough goes, and that is no failure.
TEST_F(MessagesCli, AReaderMayLeave) {
  ASSERT_EQ(Run("simulate --scenario suburb --duration 3000 --fixes-out t.csv --quiet").exit_status,
            0);
  ASSERT_EQ(Run("journal record t.csv --out j").exit_status, 0);
  ASSERT_EQ(Run("run t.csv --db d --quiet").exit_status, 0);
  for (const char* command :
       {"simulate --list", "simulate --scenario open --truth-out -", "run t.csv",
        "run t.csv --live-out -", "run t.csv --json -", "evaluate t.csv --truth t.csv",
        "journal print j", "journal replay j", "export d", "--help", "run --help"}) {
    const Outcome outcome = Shell("{ sleep 0.1; " + std::string(kTool) + " " + command +
                                  "; echo $? >status; } | true; cat status");
    EXPECT_EQ(outcome.out, "0\n") << command;
    EXPECT_THAT(outcome.err, IsEmpty()) << command;
  }
}

TEST_F(MessagesCli, AFileThatMayNotGrowIsFour) {
  ASSERT_EQ(Run("simulate --scenario suburb --duration 3000 --fixes-out t.csv --quiet").exit_status,
            0);
  prefix_ = "ulimit -f 8; ";
  ExpectFailure("run t.csv --quiet --live-out live", 4, "live: cannot write: File too large");
  ExpectFailure("simulate --scenario open --duration 3000 --out t", 4, "File too large");
  ExpectFailure("run t.csv --quiet --db d", 4, "d: ");
}

TEST_F(MessagesCli, UnknownCommandsGetNoHelp) {
  for (const char* command : {"compare", "sweep", "ride.gpx"}) {
    for (const char* flag : {"", " --help", " a.gpx --help", " -h"}) {
      ExpectFailure(command + std::string(flag), 2,
                    "no command is named '" + std::string(command) + "': there are run, evaluate");
    }
  }
  ExpectFailure("journal play --help", 2,
                "journal: no command is named 'play': there are record, replay, print");
  EXPECT_EQ(Run("run --help").exit_status, 0);
  EXPECT_EQ(Run("--help").exit_status, 0);
}

TEST_F(MessagesCli, SimulateSaysWhatItWrites) {
  ExpectFailure("simulate --scenario open", 2,
                "give --out, --fixes-out, --truth-out or --labels-out");
  EXPECT_EQ(Run("simulate --scenario open --quiet --out x.csv").err,
            "replay_tool: warning: x.csv: --out writes GPX; for CSV use --fixes-out\n");
}

TEST_F(MessagesCli, EveryFormatIsNamed) {
  Write("text", "nothing known\n");
  Write("list.json", "[1]");
  Write("semi.csv", "utc_ms;lat_deg;lon_deg\n1590792269000;47,5;11,25\n");
  Write("tab.csv", "utc_ms\tlat_deg\tlon_deg\n1590792269000\t47.5\t11.25\n");
  const std::string formats = "not a trace (GPX, NMEA 0183, fixes CSV, GnssLogger text, Waymark jo";
  ExpectFailure("run text", 3, "text: " + formats);
  ExpectFailure("run list.json", 3, "list.json: JSON, " + formats);
  ExpectFailure("run semi.csv", 3, "columns between semicolons, where a CSV has commas");
  ExpectFailure("run tab.csv", 3, "columns between tabs, where a CSV has commas");
  for (const char* command : {"run", "evaluate", "journal record"}) {
    EXPECT_THAT(Run(std::string(command) + " --help").out, HasSubstr("GnssLogger"));
  }
  for (const char* command : {"", "journal ", "journal record ", "journal print "}) {
    EXPECT_THAT(Run(std::string(command) + "--help").out,
                AllOf(HasSubstr(".wmj"), Not(HasSubstr(".wmjl"))));
  }
}

TEST_F(MessagesCli, ErrorsNameFileAndLineInOneForm) {
  Write("columns.csv", "\nlat,lon\n1,2\n");
  Write("labels.csv", "utc_ms,stationary\n1590792269000,maybe\n");
  Write("manifest.csv", "truth\nok.csv\n");
  Write("route.csv", "lat_deg,lon_deg\nnorth,2\n");
  Write("empty.csv", "utc_ms,lat_deg,lon_deg\n");
  Write("base.json", "\n{}\n");
  ExpectFailure("run columns.csv", 3, "columns.csv: line 2: missing column utc_ms");
  const std::string evaluate = "evaluate ok.csv --truth ";
  ExpectFailure(evaluate + "columns.csv", 3, "columns.csv: line 2: missing column utc_ms");
  ExpectFailure(evaluate + "empty.csv", 3, "empty.csv: a header and no line after it");
  ExpectFailure(evaluate + "ok.csv --labels labels.csv", 3, "labels.csv: line 2: stationary");
  ExpectFailure(evaluate + "ok.csv --route route.csv", 3, "route.csv: line 2: lat_deg");
  ExpectFailure("evaluate --manifest manifest.csv", 3,
                "manifest.csv: line 1: missing column trace");
  EXPECT_THAT(Run(evaluate + "ok.csv --baseline base.json").err,
              HasSubstr("base.json: line 2: not a result"));
  ASSERT_EQ(Shell("gzip -k ok.csv").exit_status, 0);
  const std::string packed = Read("ok.csv.gz");
  Write("bad.csv.gz", packed.substr(0, packed.size() - 8) + "12345678");
  ExpectFailure("run bad.csv.gz", 3, "bad.csv.gz: damaged gzip: incorrect data check");
}

TEST_F(MessagesCli, ABusyDatabaseIsOneShortLine) {
  Write("slow.csv", "utc_ms,lat_deg,lon_deg\n1590792269000,47.5,11.25\n1590792299000,47.5,11.25\n");
  const std::string run = std::string(kTool) + " run ";
  const Outcome outcome =
      Shell(run + "slow.csv --realtime --quiet --db d & until [ -e d-wal ]; do sleep 0.05; done; " +
            run + "ok.csv --db d; echo $?; kill $!");
  EXPECT_EQ(outcome.out, "4\n");
  EXPECT_THAT(outcome.err, StartsWith("replay_tool: d: cannot open: in use by another process"));
  EXPECT_THAT(outcome.err, Not(HasSubstr("PRAGMA")));
}

TEST_F(MessagesCli, ScriptsNameRequestsThatThereAre) {
  const std::string serve = "serve --listen 127.0.0.1:0 --out d --script s.json";
  for (const char* entry : {R"({"request": 0, "close": true})", R"({"from": 0, "status": 500})",
                            R"({"from": 5, "to": 1, "status": 500})"}) {
    Write("s.json", "[{\"request\": 1, \"close\": true}, " + std::string(entry) + "]");
    prefix_ = "timeout 5 ";  // a collector that starts does not end
    ExpectFailure(serve, 3, "s.json: script entry 2: ");
  }
}

TEST_F(MessagesCli, TracksThatAreNotInOrderAreReplayedAndWarnedOf) {
  const auto track = [](int minute) {
    std::string text = "<trk><trkseg>";
    for (int s = 10; s < 40; ++s) {
      text += "<trkpt lat=\"47.5" + std::to_string(minute) + "\" lon=\"11.25" + std::to_string(s) +
              "\"><time>2024-05-01T10:" + std::to_string(minute) + ":" + std::to_string(s) +
              "Z</time></trkpt>";
    }
    return text + "</trkseg></trk>";
  };
  Write("newest_first.gpx", "<gpx>" + track(40) + track(30) + track(20) + "</gpx>");
  for (const char* command : {"run newest_first.gpx --json -",
                              "evaluate newest_first.gpx --json - "
                              "--route ok.csv"}) {
    const Outcome outcome = Run(command);
    EXPECT_EQ(outcome.exit_status, 0) << command;
    EXPECT_THAT(outcome.err, HasSubstr("newest_first.gpx: time goes back 2 times, first at point "
                                       "31, as if a clock had been set"))
        << command;
    const nlohmann::json fixes = nlohmann::json::parse(outcome.out)["fixes"];
    EXPECT_EQ(fixes["read"], 90);
    // Some until the clock that was set is believed, and again until the other place is.
    EXPECT_EQ(fixes["rejected"]["late"], 8);
    EXPECT_GE(fixes["accepted"].get<int>() + fixes["adjusted"].get<int>(), 70) << fixes;
  }
}

TEST_F(MessagesCli, ATraceWithoutAGoodFixIsWarnedOf) {
  Write("south.csv",
        "utc_ms,lat_deg,lon_deg\n1590792269000,91,1\n1590792270000,91,1\n1590792271000,91,1\n");
  for (const char* command :
       {"run south.csv", "evaluate south.csv --truth ok.csv", "journal record south.csv --out j"}) {
    const Outcome outcome = Run(command);
    EXPECT_EQ(outcome.exit_status, 0) << command;
    EXPECT_EQ(outcome.err,
              "replay_tool: warning: south.csv: no fix was accepted: 3 rejected (out_of_range 3)\n")
        << command;
  }
  EXPECT_THAT(Run("run ok.csv").err, IsEmpty());
}

}  // namespace
}  // namespace waymark
