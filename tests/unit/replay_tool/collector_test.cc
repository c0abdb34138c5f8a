#include "replay_tool/collector.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>

#include "replay_tool/collector_store.h"
#include "replay_tool/seq_set.h"
#include "replay_tool/serve_command.h"
#include "support/temp_dir.h"
#include "waymark/curl_transport.h"
#include "waymark/wire.h"

namespace waymark::replay {
namespace {

Batch MakeBatch(std::uint64_t first, std::uint64_t last, const std::string& installation = "a") {
  Batch batch;
  batch.installation = installation;
  for (std::uint64_t seq = first; seq <= last; ++seq) {
    Record r;
    r.seq = seq;
    r.session = 7;
    PointRecord p;
    p.position = {52.1234567, -0.5};
    p.r68_m = 4.25;
    r.body = p;
    batch.records.push_back(r);
  }
  return batch;
}

std::vector<nlohmann::json> Lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

class CollectorTest : public ::testing::Test {
 protected:
  void Start(const char* script = "[]", std::size_t max_body_bytes = 1 << 20) {
    CollectorOptions options;
    options.listen = "127.0.0.1:0";
    options.directory = dir_.path();
    options.max_body_bytes = max_body_bytes;
    auto parsed = CollectorScript::Parse(script);
    ASSERT_TRUE(parsed.ok()) << parsed.status().message();
    options.script = parsed.value();
    auto started = Collector::Start(options);
    ASSERT_TRUE(started.ok()) << started.status().message();
    collector_ = std::move(started).value();
    transport_ = std::move(MakeCurlTransport()).value();
  }
  HttpReply Post(std::vector<std::byte> body, const char* type = kBatchContentType) {
    HttpRequest request;
    request.id = 5;
    request.url = collector_->url() + "/v1/batches";
    request.idempotency_key = "a:1-2";
    request.content_type = type;
    request.body = std::move(body);
    std::promise<HttpReply> reply;
    transport_->Send(std::move(request), [&](HttpReply r) { reply.set_value(std::move(r)); });
    return reply.get_future().get();
  }
  std::vector<nlohmann::json> Records() { return Lines(dir_ / "records.jsonl"); }
  std::vector<nlohmann::json> Requests() { return Lines(dir_ / "requests.jsonl"); }

  testing::TempDir dir_;
  std::unique_ptr<Collector> collector_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(CollectorTest, WritesEachRecordOnceAndTellsDuplicates) {
  Start();
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(1, 2))).http_status, 200);
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(1, 2))).http_status, 200);
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(2, 4))).http_status, 200);
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(1, 1, "b"))).http_status, 200);
  const auto records = Records();
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0]["installation"], "a");
  EXPECT_EQ(records[0]["session"], 7);
  EXPECT_EQ(records[0]["kind"], "point");
  EXPECT_EQ(records[0]["lat_deg"], 52.1234567);
  EXPECT_EQ(records[0]["r68_m"], 4.25);
  EXPECT_EQ(records[3]["seq"], 4);
  EXPECT_EQ(records[4]["installation"], "b");
  const auto requests = Requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_EQ(requests[1]["duplicate"], true);
  EXPECT_EQ(requests[2]["duplicate"], false);
  EXPECT_EQ(requests[2]["first_seq"], 2);
  EXPECT_EQ(requests[2]["idempotency_key"], "a:1-2");
}

TEST_F(CollectorTest, RefusesWhatIsNotABatch) {
  Start("[]", 1000);
  EXPECT_EQ(Post({std::byte{0xff}}).http_status, 400);
  EXPECT_EQ(Post({}).http_status, 400);
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(1, 1)), "text/plain").http_status, 415);
  EXPECT_EQ(Post(std::vector<std::byte>(5000)).http_status, 413);
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(1, 1))).http_status, 200);
  EXPECT_EQ(Records().size(), 1u);
}

TEST_F(CollectorTest, FollowsItsScript) {
  Start(R"([{"request": 1, "status": 503, "retry_after_s": 7}, {"request": 2, "close": true},
            {"contains_seq": 9, "status": 422}])");
  const HttpReply first = Post(EncodeBatch(MakeBatch(1, 1)));
  EXPECT_EQ(first.http_status, 503);
  EXPECT_EQ(first.retry_after, std::chrono::seconds(7));
  EXPECT_TRUE(first.server_date);
  EXPECT_TRUE(Records().empty());
  // Stored, only the answer is lost. libcurl sends once more by itself when a connection it kept
  // alive closes without a byte of answer; the record is there once all the same.
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(1, 1))).http_status, 200);
  EXPECT_EQ(Records().size(), 1u);
  EXPECT_EQ(Requests()[2]["duplicate"], true);
  EXPECT_EQ(Post(EncodeBatch(MakeBatch(8, 10))).http_status, 422);
  EXPECT_TRUE(Requests()[1]["status"].is_null());
}

TEST_F(CollectorTest, ContinuesAfterATornLine) {
  Start();
  ASSERT_EQ(Post(EncodeBatch(MakeBatch(1, 3))).http_status, 200);
  collector_.reset();
  for (const char* name : {"records.jsonl", "requests.jsonl"}) {
    std::filesystem::resize_file(dir_ / name, std::filesystem::file_size(dir_ / name) - 5);
  }
  Start();
  EXPECT_EQ(collector_->records(), 2u);
  ASSERT_EQ(Post(EncodeBatch(MakeBatch(1, 4))).http_status, 200);
  const auto records = Records();
  ASSERT_EQ(records.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(records[i]["seq"], i + 1);
}

TEST_F(CollectorTest, SaysWhyItDoesNotStart) {
  Start();
  CollectorOptions options;
  options.listen = collector_->url().substr(7);
  options.directory = dir_ / "other";
  EXPECT_EQ(Collector::Start(options).status().message(),
            "cannot listen on " + options.listen + ": Address already in use");
  options.listen = "127.0.0.1:0";
  options.directory = dir_.path();
  EXPECT_EQ(Collector::Start(options).status().code(), Code::kUnavailable);
  for (const char* listen : {"", "8080", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x"}) {
    options.listen = listen;
    EXPECT_EQ(Collector::Start(options).status().code(), Code::kInvalidArgument) << listen;
  }
  std::filesystem::create_directory(dir_ / "bad");
  std::ofstream(dir_ / "bad/records.jsonl") << "{}\nnot json\n";
  EXPECT_EQ(CollectorStore::Open(dir_ / "bad").status().code(), Code::kCorruption);
}

TEST_F(CollectorTest, APortInUseEndsTheCommandWithFour) {
  Start();
  ServeArguments arguments;
  arguments.listen = collector_->url().substr(7);
  arguments.out = dir_ / "other";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(RunServe(arguments), 4);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  EXPECT_TRUE(said.starts_with("replay_tool: cannot listen on ")) << said;
}

TEST(CollectorScript, SaysWhatIsWrong) {
  EXPECT_FALSE(CollectorScript::Parse("{").ok());
  EXPECT_EQ(CollectorScript::Parse(R"([{"request": 1}, {"statuss": 3}])").status().message(),
            "script entry 2: unknown key statuss");
  EXPECT_FALSE(CollectorScript::Parse(R"([{"request": 0}])").ok());
  EXPECT_FALSE(CollectorScript::Parse(R"([{"from": 5, "to": 1}])").ok());
  EXPECT_TRUE(CollectorScript::Parse(R"([{"from": 5, "to": 5}])").ok());
  EXPECT_FALSE(CollectorScript::Parse(R"([{"status": 99}])").ok());
  EXPECT_FALSE(CollectorScript::Parse(R"([{"request": -1}])").ok());
}

TEST(CurlTransport, RefusesPlainHttpBeyondLoopbackAndOtherSchemes) {
  auto transport = std::move(MakeCurlTransport()).value();
  for (const char* url :
       {"http://example.org/", "http://127.0.0.1.example.org/", "ftp://localhost/",
        "file:///etc/passwd", "http://127.1/x y", "", "http://[::2]/"}) {
    std::promise<HttpReply> reply;
    HttpRequest request;
    request.url = url;
    transport->Send(request, [&](HttpReply r) { reply.set_value(std::move(r)); });
    const HttpReply r = reply.get_future().get();
    EXPECT_FALSE(r.http_status) << url;
    EXPECT_TRUE(r.detail.starts_with("the URL") || r.detail.starts_with("plain http"))
        << url << ": " << r.detail;
  }
}

TEST_F(CollectorTest, CancelAllAnswersEverythingBeforeItReturns) {
  Start(R"([{"from": 1, "to": 99, "delay_ms": 3000}])");
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    HttpRequest request;
    request.url = collector_->url();
    request.content_type = kBatchContentType;
    request.body = EncodeBatch(MakeBatch(1, 1));
    transport_->Send(request, [&](HttpReply r) {
      EXPECT_FALSE(r.http_status);
      EXPECT_EQ(r.detail, "cancelled");
      ++answered;
    });
  }
  transport_->CancelAll();
  EXPECT_EQ(answered, 5);
}

TEST(SeqSet, JoinsRuns) {
  SeqSet set;
  for (const int s : {5, 3, 9, 4, 1, 2}) EXPECT_TRUE(set.Insert(static_cast<std::uint64_t>(s)));
  EXPECT_FALSE(set.Insert(4));
  EXPECT_EQ(set.runs(), 2u);
  EXPECT_TRUE(set.Contains(1) && set.Contains(9));
  EXPECT_FALSE(set.Contains(6) || set.Contains(0));
}

}  // namespace
}  // namespace waymark::replay
