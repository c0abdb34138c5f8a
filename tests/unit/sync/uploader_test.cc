#include "sdk/sync/uploader.h"

#include <gtest/gtest.h>

#include "sdk/sync/record_codec.h"
#include "waymark/wire.h"

namespace waymark::sync {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class UploaderTest : public ::testing::Test {
 protected:
  static UploadOptions Options() {
    UploadOptions o;
    o.url = "https://collector.example/v1";
    o.installation = "phone-1";
    o.authorization = "Bearer secret";
    o.max_batch_records = 4;
    return o;
  }
  static std::vector<StoredRecord> Rows(std::uint64_t first, std::uint64_t last) {
    std::vector<StoredRecord> rows;
    for (std::uint64_t seq = first; seq <= last; ++seq) {
      Record r;
      r.seq = seq;
      r.body = MotionRecord{};
      rows.push_back({seq, 3, 0, {}, EncodeRecord(r)});
    }
    return rows;
  }
  void At(double s) { now_.mono = MonoTime(FromSeconds(s)); }
  HttpRequest Send(std::uint64_t first, std::uint64_t last) {
    EXPECT_TRUE(uploader_.Poll(now_));
    SendOutcome outcome = uploader_.OnPeeked(Rows(first, last), now_);
    EXPECT_TRUE(outcome.request);
    return outcome.request.value_or(HttpRequest{});
  }
  ReplyOutcome Reply(std::uint64_t id, std::optional<int> status,
                     std::optional<seconds> retry_after = std::nullopt) {
    HttpReply reply;
    reply.id = id;
    reply.http_status = status;
    reply.retry_after = retry_after;
    return uploader_.OnReply(reply, now_);
  }
  double Wait() {
    const auto at = uploader_.NextDeadline();
    return at ? Seconds(*at - now_.mono) : -1;
  }

  Uploader uploader_{Options(), 1};
  Stamp now_{MonoTime(seconds(100)), {}};
};

TEST_F(UploaderTest, SendsAFullBatchAtOnceAndAPartialOneWhenItIsOld) {
  uploader_.OnPending(3, 30, now_);
  EXPECT_FALSE(uploader_.Poll(now_));
  EXPECT_DOUBLE_EQ(Wait(), 900);
  uploader_.OnPending(4, 40, now_);
  EXPECT_TRUE(uploader_.Poll(now_));
  uploader_.OnPeekFailed(now_);
  Uploader other(Options(), 1);
  other.OnPending(1, 10, now_);
  At(999.9);
  EXPECT_FALSE(other.Poll(now_));
  At(1000);
  EXPECT_TRUE(other.Poll(now_));
}

TEST_F(UploaderTest, TheRequestSaysWhoAndWhat) {
  uploader_.OnPending(4, 40, now_);
  const HttpRequest request = Send(5, 8);
  EXPECT_EQ(request.idempotency_key, "phone-1:5-8");
  EXPECT_EQ(request.content_type, kBatchContentType);
  EXPECT_EQ(request.authorization, "Bearer secret");
  EXPECT_EQ(uploader_.in_flight_range()->last, 8u);
  const auto batch = DecodeBatch(request.body);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch.value().installation, "phone-1");
  EXPECT_EQ(batch.value().records.size(), 4u);
  EXPECT_FALSE(uploader_.Poll(now_)) << "one in flight";
  const ReplyOutcome outcome = Reply(request.id, 200);
  EXPECT_EQ(outcome.ack->first, 5u);
  EXPECT_EQ(outcome.ack->last, 8u);
  EXPECT_EQ(outcome.delivered_records, 4u);
  EXPECT_TRUE(outcome.problem.ok());
}

TEST_F(UploaderTest, DrainsWhatWaitedButDoesNotChaseWhatComes) {
  uploader_.OnPending(6, 60, now_);
  const HttpRequest first = Send(1, 4);
  uploader_.OnPending(7, 70, now_);  // one more meanwhile
  Reply(first.id, 200);
  uploader_.OnPending(3, 30, now_);
  EXPECT_TRUE(uploader_.draining());
  const HttpRequest second = Send(5, 6);
  Reply(second.id, 200);
  uploader_.OnPending(1, 10, now_);
  EXPECT_FALSE(uploader_.draining());
  EXPECT_FALSE(uploader_.Poll(now_));
  EXPECT_DOUBLE_EQ(Wait(), 900);
}

TEST_F(UploaderTest, BacksOffExponentiallyWithJitterInTheUpperHalf) {
  uploader_.OnPending(4, 40, now_);
  double expected = 15;
  for (int i = 0; i < 12; ++i) {
    const ReplyOutcome outcome = Reply(Send(1, 4).id, 503);
    EXPECT_EQ(outcome.problem.ok(), i > 0) << "said once";
    EXPECT_FALSE(outcome.ack);
    EXPECT_GE(Wait(), expected / 2);
    EXPECT_LE(Wait(), expected);
    EXPECT_EQ(uploader_.hold(now_), UploadHold::kBackoff);
    now_.mono = *uploader_.NextDeadline();
    expected = std::min(expected * 2, 3600.0);
  }
  Reply(Send(1, 4).id, 200);
  uploader_.OnPending(4, 40, now_);
  Reply(Send(5, 8).id, 503);
  EXPECT_LE(Wait(), 15) << "reset on success";
}

TEST_F(UploaderTest, HonoursRetryAfterUpToADayEvenForAFlush) {
  uploader_.OnPending(4, 40, now_);
  Reply(Send(1, 4).id, 429, seconds(7200));
  uploader_.Flush(now_);
  EXPECT_FALSE(uploader_.Poll(now_));
  EXPECT_DOUBLE_EQ(Wait(), 7200);
  now_.mono = *uploader_.NextDeadline();
  Reply(Send(1, 4).id, 503, seconds(10'000'000));
  EXPECT_DOUBLE_EQ(Wait(), 86'400);
}

TEST_F(UploaderTest, A401StormCostsOneRequestAnHourAndNoData) {
  uploader_.OnPending(4, 40, now_);
  int requests = 0, said = 0;
  const MonoTime end = now_.mono + hours(24);
  while (now_.mono < end) {
    if (uploader_.Poll(now_)) {
      const SendOutcome sent = uploader_.OnPeeked(Rows(1, 4), now_);
      ++requests;
      const ReplyOutcome outcome = Reply(sent.request->id, 401);
      EXPECT_FALSE(outcome.ack || outcome.dropped);
      said += !outcome.problem.ok();
    }
    uploader_.Flush(now_);
    now_.mono += seconds(60);
  }
  EXPECT_LE(requests, 49);  // each wait is at least half an hour
  EXPECT_EQ(said, 1);
  EXPECT_EQ(uploader_.hold(now_), UploadHold::kBlocked);
  uploader_.SetOptions(Options(), now_);
  EXPECT_TRUE(uploader_.Poll(now_)) << "a new configuration lifts the block";
}

TEST_F(UploaderTest, AServerThatRefusesEverythingCostsNoDataForHours) {
  uploader_.OnPending(4, 40, now_);
  const MonoTime start = now_.mono;
  bool dropped = false;
  while (!dropped) {
    if (const auto peek = uploader_.Poll(now_)) {
      const std::uint64_t first = peek->after_seq + 1;
      const auto rows = Rows(first, std::min<std::uint64_t>(4, first + peek->max_records - 1));
      const SendOutcome sent = uploader_.OnPeeked(rows, now_);
      dropped = Reply(sent.request->id, 400).dropped.has_value();
    } else {
      now_.mono = *uploader_.NextDeadline();
    }
  }
  EXPECT_GE(now_.mono - start, hours(2));
}

TEST_F(UploaderTest, TooLargeHalvesTheBytes) {
  uploader_.OnPending(4, 40, now_);
  std::uint64_t bytes = 0;
  for (const auto& r : Rows(1, 4)) bytes += r.payload.size();
  Reply(Send(1, 4).id, 413);
  const auto peek = uploader_.Poll(now_);
  ASSERT_TRUE(peek) << "at once, the server is well";
  EXPECT_EQ(peek->max_bytes, bytes / 2);
}

TEST_F(UploaderTest, AnUnreadableRowIsDroppedAndCounted) {
  uploader_.OnPending(3, 30, now_);
  uploader_.Flush(now_);
  ASSERT_TRUE(uploader_.Poll(now_));
  auto rows = Rows(1, 3);
  rows[1].payload = {std::byte{0x77}};
  SendOutcome outcome = uploader_.OnPeeked(rows, now_);
  ASSERT_TRUE(outcome.request);
  EXPECT_EQ(outcome.request->idempotency_key, "phone-1:1-1");
  Reply(outcome.request->id, 200);
  ASSERT_TRUE(uploader_.Poll(now_));
  outcome = uploader_.OnPeeked({rows[1], rows[2]}, now_);
  EXPECT_FALSE(outcome.request);
  EXPECT_EQ(outcome.dropped->range.first, 2u);
  EXPECT_EQ(outcome.dropped->range.last, 2u);
  EXPECT_EQ(outcome.dropped->records, 1u);
  EXPECT_EQ(outcome.dropped->bytes, 1u);
  EXPECT_EQ(outcome.dropped->reason, UploadDropReason::kUnreadable);
}

TEST_F(UploaderTest, WaitsForALinkItMayUse) {
  UploadOptions options = Options();
  options.allow_metered = false;
  uploader_.SetOptions(options, now_);
  uploader_.OnPending(4, 40, now_);
  uploader_.OnLink({true, true, false}, now_);
  EXPECT_FALSE(uploader_.Poll(now_));
  EXPECT_EQ(uploader_.hold(now_), UploadHold::kLink);
  EXPECT_FALSE(uploader_.NextDeadline());
  uploader_.OnLink({true, false, false}, now_);
  EXPECT_TRUE(uploader_.Poll(now_));
}

TEST_F(UploaderTest, AReturningLinkEndsTheBackoffOfSilenceButNotAStorm) {
  uploader_.OnPending(4, 40, now_);
  for (int i = 0; i < 8; ++i) {
    Reply(Send(1, 4).id, std::nullopt);
    now_.mono = *uploader_.NextDeadline();
  }
  Reply(Send(1, 4).id, std::nullopt);
  EXPECT_GT(Wait(), 1000);
  uploader_.OnLink({false, false, false}, now_);
  uploader_.OnLink({true, false, false}, now_);
  EXPECT_DOUBLE_EQ(Wait(), 15);
}

TEST_F(UploaderTest, GivesUpOnATransportThatNeverAnswers) {
  uploader_.OnPending(4, 40, now_);
  const HttpRequest lost = Send(1, 4);
  EXPECT_DOUBLE_EQ(Wait(), 60);
  now_.mono = *uploader_.NextDeadline();
  EXPECT_FALSE(uploader_.Poll(now_));
  EXPECT_EQ(uploader_.state(), UploadState::kIdle);
  EXPECT_FALSE(Reply(lost.id, 200).ack) << "too late";
  now_.mono = *uploader_.NextDeadline();
  EXPECT_EQ(Send(1, 4).idempotency_key, lost.idempotency_key);
}

}  // namespace
}  // namespace waymark::sync
