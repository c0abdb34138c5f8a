// What replay_tool takes, refuses and says: numbers, thresholds, standard output, messages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST_F(MessagesCli, AClosedStandardOutputIsNoFile) {
  const std::string simulate = std::string(kTool) + " simulate --scenario open --truth-out ";
  ASSERT_EQ(Shell(simulate + "t.csv").exit_status, 0);
  EXPECT_EQ(Shell(simulate + "closed.csv >&-").exit_status, 4);
  EXPECT_EQ(Read("closed.csv"), Read("t.csv"));
}

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

}  // namespace
}  // namespace waymark
