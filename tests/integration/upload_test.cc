// The whole way with real parts: SQLite store, uploader, libcurl, the reference collector as a
// process of its own, and a TLS proxy. Time is virtual where it is ours: a backoff takes no time.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>

#include "replay_tool/listen_socket.h"
#include "sdk/sync/record_codec.h"
#include "sdk/sync/uploader.h"
#include "support/child_process.h"
#include "support/temp_dir.h"
#include "waymark/curl_transport.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

using testing::ChildProcess;
using testing::TempDir;

class CollectorProcess {
 public:
  CollectorProcess(const std::string& out, const std::string& listen, const std::string& script) {
    std::vector<std::string> command = {
        WAYMARK_REPLAY_TOOL, "serve", "--listen", listen, "--out", out};
    if (!script.empty()) command.insert(command.end(), {"--script", script});
    process_ = std::make_unique<ChildProcess>(command);
    const auto line = process_->ReadLine();
    EXPECT_TRUE(line) << "the collector did not start";
    constexpr std::string_view kBefore = "listening on ";
    if (line && line->starts_with(kBefore)) {
      url_ = line->substr(kBefore.size(), line->find(',') - kBefore.size());
    }
  }
  const std::string& url() const { return url_; }
  std::string address() const { return url_.substr(std::string("http://").size()); }
  void KillNow() {
    process_->Kill(SIGKILL);
    process_->Wait();
  }

 private:
  std::unique_ptr<ChildProcess> process_;
  std::string url_;
};

// The device: what the tracker's runtime does between store, uploader and transport.
class Device {
 public:
  Device(const std::string& database, const std::string& url, const CurlTransportOptions& curl) {
    SqliteOutboxOptions store;
    store.path = database;
    auto opened = OpenSqliteOutbox(store);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    outbox_ = std::move(opened.value().outbox);
    auto transport = MakeCurlTransport(curl);
    EXPECT_TRUE(transport.ok()) << transport.status().message();
    transport_ = std::move(transport).value();
    sync::UploadOptions options;
    options.url = url;
    options.installation = "device-1";
    options.max_batch_records = 50;
    options.timeout = std::chrono::seconds(20);
    uploader_ = std::make_unique<sync::Uploader>(options, 1);
    Pending();
  }

  void Append(std::uint64_t first, std::uint64_t last) {
    OutboxWrite write;
    for (std::uint64_t seq = first; seq <= last; ++seq) {
      Record r;
      r.seq = seq;
      r.session = 1;
      r.utc = UtcTime(std::chrono::milliseconds(1'700'000'000'000 + 1000 * seq));
      PointRecord p;
      p.position = {52.0 + static_cast<double>(seq) * 1e-5, 13.0};
      p.r68_m = 4;
      r.body = p;
      write.append.push_back({seq, 1, 0, r.utc, sync::EncodeRecord(r)});
    }
    ASSERT_TRUE(outbox_->Commit(write).ok());
    Pending();
    uploader_->Flush(now_);
  }
  std::uint64_t pending() { return outbox_->Contents().value_or({}).records; }

  /// Sends what is due; nullopt: nothing is. The reply comes through the future.
  std::optional<std::future<HttpReply>> Start() {
    auto peek = uploader_->Poll(now_);
    if (!peek) {  // let the backoff pass
      if (const auto at = uploader_->NextDeadline(); at && *at > now_.mono) now_.mono = *at;
      peek = uploader_->Poll(now_);
    }
    if (!peek) return std::nullopt;
    const auto rows = outbox_->Peek(peek->after_seq, peek->max_records, peek->max_bytes);
    EXPECT_TRUE(rows.ok());
    auto outcome = uploader_->OnPeeked(rows.value_or({}), now_);
    if (!outcome.request) return std::nullopt;
    auto promise = std::make_shared<std::promise<HttpReply>>();
    auto reply = promise->get_future();
    transport_->Send(std::move(*outcome.request),
                     [promise](HttpReply r) { promise->set_value(std::move(r)); });
    return reply;
  }
  HttpReply Finish(std::future<HttpReply> reply) {
    HttpReply r = reply.get();
    const auto outcome = uploader_->OnReply(r, now_);
    OutboxWrite write;
    write.ack = outcome.ack;
    if (outcome.dropped) {
      EXPECT_TRUE(outbox_->Commit({{}, outcome.dropped->range, {}}).ok());
      dropped_.insert(outcome.dropped->range.first);
    }
    EXPECT_TRUE(outbox_->Commit(write).ok());
    Pending();
    return r;
  }
  const std::set<std::uint64_t>& dropped() const { return dropped_; }

 private:
  void Pending() {
    const auto contents = outbox_->Contents().value_or({});
    uploader_->OnPending(contents.records, contents.bytes, now_);
  }

  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<sync::Uploader> uploader_;
  Stamp now_{MonoTime(std::chrono::hours(1)), {}};
  std::set<std::uint64_t> dropped_;
};

std::vector<std::uint64_t> ReceivedSeqs(const std::string& out) {
  std::ifstream in(out + "/records.jsonl");
  std::vector<std::uint64_t> seqs;
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << line;
    if (!json.is_discarded()) seqs.push_back(json["seq"].get<std::uint64_t>());
  }
  return seqs;
}

std::vector<std::uint64_t> OneTo(std::uint64_t last, const std::set<std::uint64_t>& without = {}) {
  std::vector<std::uint64_t> seqs;
  for (std::uint64_t s = 1; s <= last; ++s) {
    if (!without.contains(s)) seqs.push_back(s);
  }
  return seqs;
}

TEST(Upload, EachRecordArrivesOnceThoughTheCollectorIsKilledAgainAndAgain) {
  const TempDir dir;
  const std::string out = dir / "received";
  auto collector = std::make_unique<CollectorProcess>(out, "127.0.0.1:0", "");
  const std::string address = collector->address(), url = collector->url();
  ASSERT_FALSE(url.empty());
  Device device(dir / "db", url + "/v1", {});
  constexpr std::uint64_t kRecords = 2000;
  device.Append(1, kRecords);

  std::mt19937_64 random(20240501);  // when to kill; the schedule of the processes does the rest
  int kills = 0;
  for (int request = 0; device.pending() > 0; ++request) {
    ASSERT_LT(request, 1000);
    auto reply = device.Start();
    ASSERT_TRUE(reply);
    if (kills < 8 && request % 4 == 3) {
      // Somewhere between the request's first byte and its answer.
      const auto pause = std::chrono::microseconds(random() % 3000);
      (void)reply->wait_for(pause);
      collector->KillNow();
      ++kills;
      device.Finish(std::move(*reply));
      if (kills % 2 == 0) {  // one try against nobody
        if (auto refused = device.Start()) {
          EXPECT_FALSE(device.Finish(std::move(*refused)).http_status);
        }
      }
      collector = std::make_unique<CollectorProcess>(out, address, "");
      continue;
    }
    EXPECT_EQ(device.Finish(std::move(*reply)).http_status, 200);
  }
  EXPECT_EQ(kills, 8);
  EXPECT_EQ(ReceivedSeqs(out), OneTo(kRecords));
}

TEST(Upload, LostRepliesOutagesAndAPoisonRecord) {
  const TempDir dir;
  std::ofstream(dir / "script.json") << R"([
      {"request": 2, "close": true},
      {"request": 3, "status": 503, "retry_after_s": 3},
      {"request": 4, "status": 503, "retry_after_s": 3, "retry_after_as_date": true},
      {"request": 5, "status": 429, "close": true},
      {"contains_seq": 333, "status": 422}])";
  const std::string out = dir / "received";
  CollectorProcess collector(out, "127.0.0.1:0", dir / "script.json");
  Device device(dir / "db", collector.url(), {});
  device.Append(1, 500);
  for (int request = 0; device.pending() > 0; ++request) {
    ASSERT_LT(request, 100);
    auto reply = device.Start();
    ASSERT_TRUE(reply);
    const HttpReply r = device.Finish(std::move(*reply));
    EXPECT_EQ(r.retry_after.has_value(), r.http_status == 503);
    if (r.retry_after) {
      // A date has whole seconds, of which one may pass before the reply's own Date is written.
      EXPECT_LE(r.retry_after->count(), 3);
      EXPECT_GE(r.retry_after->count(), 2);
    }
    EXPECT_EQ(r.server_date.has_value(), r.http_status.has_value());
  }
  EXPECT_EQ(device.dropped(), std::set<std::uint64_t>{333});
  EXPECT_EQ(ReceivedSeqs(out), OneTo(500, {333}));
  std::ifstream in(out + "/requests.jsonl");
  int duplicates = 0;
  for (std::string line; std::getline(in, line);) {
    duplicates += nlohmann::json::parse(line)["duplicate"].get<bool>();
  }
  EXPECT_EQ(duplicates, 1);  // the batch whose reply was lost
}

// nginx before the collector, with a certificate of our own making.
class TlsUpload : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v nginx >/dev/null && command -v openssl >/dev/null") != 0) {
      GTEST_SKIP() << "nginx and openssl are not installed";
    }
    collector_ = std::make_unique<CollectorProcess>(dir_ / "received", "127.0.0.1:0", "");
    // nginx does not take port 0: find a free one. Should it be taken in between, nginx says so.
    auto free = replay::Listen("127.0.0.1:0");
    ASSERT_TRUE(free.ok());
    close(free.value().fd);
    port_ = std::to_string(free.value().port);
    const std::string make =
        "cd " + dir_.path() +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out cert.pem "
        "2>/dev/null";
    ASSERT_EQ(std::system(make.c_str()), 0);
    std::ofstream(dir_ / "nginx.conf")
        << "daemon off; master_process off; pid nginx.pid; error_log error.log;\n"
        << "events {}\nhttp { access_log off; client_body_temp_path body; proxy_temp_path proxy;\n"
        << "fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;\n"
        << "server { listen 127.0.0.1:" << port_ << " ssl; ssl_certificate " << dir_ / "cert.pem"
        << "; ssl_certificate_key " << dir_ / "key.pem"
        << ";\n"
        << "location /moved { return 307 " << collector_->url() << "/; }\n"
        << "location / { proxy_pass " << collector_->url() << "; } } }\n";
    nginx_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        "nginx", "-p", dir_.path(), "-c", dir_ / "nginx.conf", "-e", dir_ / "error.log"});
    WaitUntilItListens();
  }
  void WaitUntilItListens() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < deadline) {
      const std::string probe = "bash -c ': </dev/tcp/127.0.0.1/" + port_ + "' 2>/dev/null";
      if (std::system(probe.c_str()) == 0) return;
    }
    FAIL() << "nginx does not listen";
  }
  std::string Url(const std::string& path = "/v1") const {
    return "https://localhost:" + port_ + path;
  }

  TempDir dir_;
  std::string port_;
  std::unique_ptr<CollectorProcess> collector_;
  std::unique_ptr<ChildProcess> nginx_;
};

TEST_F(TlsUpload, AnUnknownAuthorityIsRefusedAndAGivenOneAccepted) {
  {
    Device device(dir_ / "db", Url(), {});
    device.Append(1, 120);
    auto reply = device.Start();
    ASSERT_TRUE(reply);
    const HttpReply r = device.Finish(std::move(*reply));
    EXPECT_FALSE(r.http_status);
    EXPECT_NE(r.detail.find("certificate"), std::string::npos) << r.detail;
    EXPECT_EQ(device.pending(), 120u);
  }
  CurlTransportOptions curl;
  curl.ca_file = dir_ / "cert.pem";
  Device device(dir_ / "db", Url(), curl);
  for (int request = 0; device.pending() > 0 && request < 20; ++request) {
    auto reply = device.Start();
    if (!reply) {
      device.Append(121 + static_cast<std::uint64_t>(request) * 10,
                    130 + static_cast<std::uint64_t>(request) * 10);
      continue;
    }
    const HttpReply r = device.Finish(std::move(*reply));
    EXPECT_EQ(r.http_status, 200) << r.detail;
  }
  EXPECT_EQ(device.pending(), 0u);
  const auto seqs = ReceivedSeqs(dir_ / "received");
  EXPECT_EQ(seqs, OneTo(seqs.size()));
  EXPECT_GE(seqs.size(), 120u);
}

TEST_F(TlsUpload, AnotherNameThanTheCertificatesIsRefused) {
  CurlTransportOptions curl;
  curl.ca_file = dir_ / "cert.pem";
  Device device(dir_ / "db", "https://127.0.0.1:" + port_ + "/v1", curl);
  device.Append(1, 60);
  const HttpReply r = device.Finish(std::move(*device.Start()));
  EXPECT_FALSE(r.http_status);
  EXPECT_NE(r.detail.find("127.0.0.1"), std::string::npos) << r.detail;
}

TEST_F(TlsUpload, ARedirectToPlainHttpIsNotFollowed) {
  CurlTransportOptions curl;
  curl.ca_file = dir_ / "cert.pem";
  Device device(dir_ / "db", Url("/moved"), curl);
  device.Append(1, 60);
  EXPECT_EQ(device.Finish(std::move(*device.Start())).http_status, 307);
  EXPECT_EQ(device.pending(), 60u);
  EXPECT_TRUE(ReceivedSeqs(dir_ / "received").empty());
}

}  // namespace
}  // namespace waymark
