// run --upload and serve as processes: what arrives, and what is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "support/child_process.h"
#include "support/temp_dir.h"

namespace waymark {
namespace {

using ::testing::AllOf;
using testing::ChildProcess;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class RunUpload : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string simulate =
        WAYMARK_REPLAY_TOOL
        " simulate --scenario suburb --seed 5 --duration 900 --quiet --fixes-out " +
        trace_;
    ASSERT_EQ(std::system(simulate.c_str()), 0);
  }

  // Starts a collector; the second time on the address of the first.
  void Serve(const std::string& script = "") {
    std::vector<std::string> command = {WAYMARK_REPLAY_TOOL, "serve", "--listen", address_, "--out",
                                        folder_ / "got"};
    if (!script.empty()) {
      std::ofstream(folder_ / "script.json") << script;
      command.insert(command.end(), {"--script", folder_ / "script.json"});
    }
    collector_.reset();
    collector_ = std::make_unique<ChildProcess>(command);
    const auto line = collector_->ReadLine();
    ASSERT_TRUE(line);
    const std::size_t begin = line->find("http://") + 7;
    address_ = line->substr(begin, line->find(',') - begin);
  }

  std::vector<std::string> Command(std::vector<std::string> extra = {}) const {
    std::vector<std::string> command = {
        WAYMARK_REPLAY_TOOL,       "run", trace_, "--quiet", "--db", folder_ / "t.db", "--upload",
        "http://" + address_ + "/"};
    command.insert(command.end(), extra.begin(), extra.end());
    return command;
  }

  // Runs to the end; what it says goes to `said_`.
  int Run(const std::vector<std::string>& extra = {}) {
    std::string line;
    for (const std::string& word : Command(extra)) line += "'" + word + "' ";
    const int status = std::system((line + "2>" + (folder_ / "err")).c_str());
    std::ifstream in(folder_ / "err");
    said_.assign(std::istreambuf_iterator<char>(in), {});
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  }

  std::vector<nlohmann::json> Lines(const char* file) const {
    std::ifstream in(folder_ / "got/" + file);
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }

  // Each record once and in order; their number.
  std::uint64_t ExpectEachRecordOnce() const {
    std::uint64_t expected = 0;
    for (const nlohmann::json& record : Lines("records.jsonl")) {
      EXPECT_EQ(record["seq"].get<std::uint64_t>(), ++expected);
    }
    return expected;
  }

  testing::TempDir folder_;
  const std::string trace_ = folder_ / "trace.csv";
  std::string address_ = "127.0.0.1:0";
  std::unique_ptr<ChildProcess> collector_;
  std::string said_;
};

TEST_F(RunUpload, EachTraceIsAnInstallationAndArrivesOnceHoweverOftenItIsReplayed) {
  Serve();
  const std::string other = folder_ / "other.csv";
  const std::string simulate =
      WAYMARK_REPLAY_TOOL
      " simulate --scenario suburb --seed 6 --duration 900 --quiet --fixes-out " +
      other;
  ASSERT_EQ(std::system(simulate.c_str()), 0);
  const std::string run = WAYMARK_REPLAY_TOOL " run " + trace_ + " " + other +
                          " --quiet --upload http://" + address_ + "/";
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(std::system(run.c_str()), 0);
    std::map<std::string, std::uint64_t> last;  // record number of each installation
    for (const nlohmann::json& record : Lines("records.jsonl")) {
      EXPECT_EQ(record["seq"].get<std::uint64_t>(), ++last[record["installation"]]);
    }
    EXPECT_EQ(last.size(), 2u);
    for (const auto& [installation, seq] : last) EXPECT_GT(seq, 20u) << installation;
  }
}

TEST_F(RunUpload, ARetryAfterIsKeptInRealTime) {
  for (const char* date : {"false", "true"}) {
    std::filesystem::remove_all(folder_ / "got");
    std::filesystem::remove(folder_ / "t.db");
    Serve(R"([{"request": 1, "status": 503, "retry_after_s": 2, "retry_after_as_date": )" +
          std::string(date) + "}]");
    EXPECT_EQ(Run(), 0) << said_;
    EXPECT_THAT(said_, IsEmpty());
    const auto requests = Lines("requests.jsonl");
    ASSERT_GE(requests.size(), 2u);
    EXPECT_EQ(requests[0]["status"], 503);
    // A date has whole seconds.
    EXPECT_GE(requests[1]["utc_ms"].get<std::int64_t>() - requests[0]["utc_ms"].get<std::int64_t>(),
              date[0] == 't' ? 1000 : 2000);
    EXPECT_GT(ExpectEachRecordOnce(), 20u);
  }
}

TEST_F(RunUpload, AWaitBeyondTheDrainIsOneLine) {
  Serve(R"([{"status": 429, "retry_after_s": 3600}])");
  EXPECT_EQ(Run({"--drain-timeout", "1"}), 4);
  EXPECT_THAT(said_, AllOf(StartsWith("replay_tool: upload: "), HasSubstr("records not delivered"),
                           HasSubstr("asked to wait"), HasSubstr("t.db")));
  EXPECT_EQ(std::count(said_.begin(), said_.end(), '\n'), 1);
  EXPECT_EQ(Lines("requests.jsonl").size(), 1u);
  // What was left is delivered by the next run.
  Serve();
  EXPECT_EQ(Run(), 0) << said_;
  EXPECT_GT(ExpectEachRecordOnce(), 20u);
}

TEST_F(RunUpload, ARefusalIsOneLineThatSaysWhy) {
  Serve(R"([{"status": 401}])");
  EXPECT_EQ(Run({"--drain-timeout", "1"}), 4);
  EXPECT_THAT(said_, AllOf(HasSubstr("records not delivered"), HasSubstr("HTTP 401"),
                           HasSubstr("upload.authorization")));
  EXPECT_EQ(std::count(said_.begin(), said_.end(), '\n'), 1);
}

TEST_F(RunUpload, APoisonRecordIsDroppedAndTold) {
  Serve(R"([{"contains_seq": 7, "status": 422}])");
  EXPECT_EQ(Run({"--events-out", folder_ / "events.csv"}), 0) << said_;
  EXPECT_THAT(said_, AllOf(StartsWith("replay_tool: warning: "),
                           HasSubstr("1 undelivered record dropped: the server refuses record 7")));
  const auto records = Lines("records.jsonl");
  for (const nlohmann::json& record : records) EXPECT_NE(record["seq"], 7);
  EXPECT_EQ(records.back()["seq"].get<std::size_t>(), records.size() + 1);
}

TEST_F(RunUpload, KillsOfBothSidesLoseAndDoubleNothing) {
  Serve();
  std::mt19937_64 random(7);  // when to kill; the schedule of the processes does the rest
  for (int kill = 0; kill < 12; ++kill) {
    ChildProcess run(Command({"--set", "upload.max_batch_records=10"}));
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % 300);
    while (std::chrono::steady_clock::now() < until) run.ReadLine(std::chrono::seconds(0));
    if (kill % 3 != 0) run.Kill(SIGKILL);
    if (kill % 3 != 1) Serve();  // kills its predecessor
    run.Wait();
  }
  EXPECT_EQ(Run({"--json", folder_ / "json"}), 0) << said_;
  std::ifstream in(folder_ / "json");
  const auto json = nlohmann::json::parse(in);
  EXPECT_EQ(json["upload"]["pending"], 0);
  EXPECT_GT(ExpectEachRecordOnce(), json["records"].get<std::uint64_t>());
}

}  // namespace
}  // namespace waymark
