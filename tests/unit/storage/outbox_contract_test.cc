// One contract, every implementation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "support/temp_dir.h"
#include "waymark/memory_outbox.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;

std::vector<std::byte> Bytes(std::size_t n, int value = 1) {
  return std::vector<std::byte>(n, static_cast<std::byte>(value));
}

StoredRecord Row(std::uint64_t seq, std::size_t size = 10, std::uint8_t priority = 0,
                 std::int64_t created_ms = 1000) {
  return {seq, static_cast<std::uint8_t>(seq % 7), priority, UtcTime(milliseconds(created_ms)),
          Bytes(size, static_cast<int>(seq & 0xff))};
}

class OutboxContract : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::string(GetParam()) == "memory") {
      outbox_ = MakeMemoryOutbox();
      return;
    }
    SqliteOutboxOptions options;
    options.path = dir_ / "outbox.db";
    options.power_loss_safe = std::string(GetParam()) == "sqlite_full";
    auto opened = OpenSqliteOutbox(options);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_FALSE(opened.value().quarantined_as);
    outbox_ = std::move(opened.value().outbox);
  }

  Status Append(std::vector<StoredRecord> rows) {
    OutboxWrite write;
    write.append = std::move(rows);
    return outbox_->Commit(write).status();
  }
  Status Ack(std::uint64_t first, std::uint64_t last) {
    OutboxWrite write;
    write.ack = SeqRange{first, last};
    return outbox_->Commit(write).status();
  }
  std::vector<std::uint64_t> Seqs(std::uint64_t after = 0, std::size_t records = 1000,
                                  std::size_t bytes = 1 << 20) {
    auto rows = outbox_->Peek(after, records, bytes);
    EXPECT_TRUE(rows.ok()) << rows.status().message();
    std::vector<std::uint64_t> seqs;
    if (rows.ok()) {
      for (const StoredRecord& r : rows.value()) seqs.push_back(r.seq);
    }
    return seqs;
  }
  OutboxContents Contents() {
    auto contents = outbox_->Contents();
    EXPECT_TRUE(contents.ok()) << contents.status().message();
    return contents.value_or({});
  }

  testing::TempDir dir_;
  std::unique_ptr<Outbox> outbox_;
};

TEST_P(OutboxContract, IsEmptyAtFirst) {
  EXPECT_TRUE(Seqs().empty());
  EXPECT_EQ(Contents().records, 0u);
  EXPECT_EQ(Contents().first_seq, 0u);
  EXPECT_EQ(Contents().last_seq, 0u);
  EXPECT_TRUE(outbox_->Commit({}).ok());
  EXPECT_TRUE(outbox_->Sync().ok());
}

TEST_P(OutboxContract, GivesBackWhatWasAppendedInOrder) {
  StoredRecord odd = Row(9, 0, 255, -5);  // empty payload, highest priority, before 1970
  odd.kind = 255;
  ASSERT_TRUE(Append({Row(3), Row(5, 300), odd}).ok());
  auto rows = outbox_->Peek(0, 10, 1 << 20);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows.value().size(), 3u);
  EXPECT_EQ(rows.value()[1].payload, Bytes(300, 5));
  const StoredRecord& last = rows.value()[2];
  EXPECT_EQ(last.seq, 9u);
  EXPECT_EQ(last.kind, 255);
  EXPECT_EQ(last.priority, 255);
  EXPECT_EQ(last.created.time_since_epoch().count(), -5);
  EXPECT_TRUE(last.payload.empty());
  EXPECT_EQ(Contents().records, 3u);
  EXPECT_EQ(Contents().bytes, 310u);
  EXPECT_EQ(Contents().first_seq, 3u);
  EXPECT_EQ(Contents().last_seq, 9u);
}

TEST_P(OutboxContract, RefusesASequenceThatDoesNotIncrease) {
  ASSERT_TRUE(Append({Row(4)}).ok());
  EXPECT_EQ(Append({Row(4)}).code(), Code::kFailedPrecondition);
  EXPECT_EQ(Append({Row(5), Row(5)}).code(), Code::kFailedPrecondition);
  EXPECT_EQ(Append({Row(0)}).code(), Code::kFailedPrecondition);
  OutboxWrite write;
  write.append = {Row(6), Row(2)};
  write.ack = SeqRange{4, 4};
  write.state = {{"key", Bytes(1)}};
  EXPECT_EQ(outbox_->Commit(write).status().code(), Code::kFailedPrecondition);
  EXPECT_THAT(Seqs(), ElementsAre(4));  // nothing of the refused writes
  EXPECT_FALSE(outbox_->GetState("key").value_or(Bytes(1)));
  EXPECT_TRUE(Append({Row(5)}).ok());
}

TEST_P(OutboxContract, NeverGivesOutASequenceAgain) {
  ASSERT_TRUE(Append({Row(1), Row(2)}).ok());
  ASSERT_TRUE(Ack(1, 2).ok());
  EXPECT_TRUE(Seqs().empty());
  EXPECT_EQ(Contents().last_seq, 2u);
  EXPECT_EQ(Append({Row(2)}).code(), Code::kFailedPrecondition);
  EXPECT_TRUE(Append({Row(3)}).ok());
}

TEST_P(OutboxContract, PeekKeepsItsLimitsButGivesAtLeastOne) {
  ASSERT_TRUE(Append({Row(1, 50), Row(2, 50), Row(3, 50), Row(4, 500)}).ok());
  EXPECT_THAT(Seqs(0, 2), ElementsAre(1, 2));
  EXPECT_THAT(Seqs(0, 10, 100), ElementsAre(1, 2));
  EXPECT_THAT(Seqs(0, 10, 99), ElementsAre(1));
  EXPECT_THAT(Seqs(0, 0, 0), ElementsAre(1));
  EXPECT_THAT(Seqs(3, 10, 1), ElementsAre(4));
  EXPECT_TRUE(Seqs(4).empty());
  EXPECT_TRUE(Seqs(UINT64_MAX).empty());
}

TEST_P(OutboxContract, AcknowledgesRangesAndIgnoresUnknownNumbers) {
  ASSERT_TRUE(Append({Row(1), Row(2), Row(3), Row(10)}).ok());
  EXPECT_TRUE(Ack(2, 7).ok());
  EXPECT_THAT(Seqs(), ElementsAre(1, 10));
  EXPECT_TRUE(Ack(2, 7).ok());
  EXPECT_TRUE(Ack(9, 3).ok());
  EXPECT_THAT(Seqs(), ElementsAre(1, 10));
  EXPECT_TRUE(Ack(0, UINT64_MAX).ok());
  EXPECT_EQ(Contents().records, 0u);
  EXPECT_EQ(Contents().bytes, 0u);
  EXPECT_EQ(Contents().last_seq, 10u);
}

TEST_P(OutboxContract, AppendsAndAcknowledgesInOneWrite) {
  ASSERT_TRUE(Append({Row(1), Row(2)}).ok());
  OutboxWrite write;
  write.append = {Row(3), Row(4)};
  write.ack = SeqRange{1, 3};
  ASSERT_TRUE(outbox_->Commit(write).ok());
  EXPECT_THAT(Seqs(), ElementsAre(4));
}

TEST_P(OutboxContract, KeepsReplacesAndDeletesState) {
  OutboxWrite write;
  write.state = {{"a", Bytes(3, 1)}, {"b", Bytes(70'000, 2)}, {"a", Bytes(2, 9)}};
  ASSERT_TRUE(outbox_->Commit(write).ok());
  EXPECT_EQ(*outbox_->GetState("a").value_or({}), Bytes(2, 9));
  EXPECT_EQ(*outbox_->GetState("b").value_or({}), Bytes(70'000, 2));
  write.state = {{"a", {}}, {"c", {}}};
  ASSERT_TRUE(outbox_->Commit(write).ok());
  const auto gone = outbox_->GetState("a");
  ASSERT_TRUE(gone.ok());
  EXPECT_FALSE(gone.value());
}

TEST_P(OutboxContract, DropsLowestPriorityOldestFirstUntilTheLimitsHold) {
  ASSERT_TRUE(
      Append({Row(1, 10, 5), Row(2, 10, 0), Row(3, 10, 1), Row(4, 10, 0), Row(5, 10, 1)}).ok());
  OutboxLimits limits;
  limits.max_records = 3;
  auto drops = outbox_->Enforce(limits, std::nullopt);
  ASSERT_TRUE(drops.ok());
  EXPECT_EQ(drops.value().records, 2u);
  EXPECT_EQ(drops.value().bytes, 20u);
  EXPECT_EQ(drops.value().first_seq, 2u);
  EXPECT_EQ(drops.value().last_seq, 4u);
  EXPECT_THAT(Seqs(), ElementsAre(1, 3, 5));
  limits.max_bytes = 15;
  drops = outbox_->Enforce(limits, std::nullopt);
  ASSERT_TRUE(drops.ok());
  EXPECT_EQ(drops.value().records, 2u);
  EXPECT_THAT(Seqs(), ElementsAre(1));  // priority 5 outlives the younger ones
  limits.max_records = 0;
  ASSERT_TRUE(outbox_->Enforce(limits, std::nullopt).ok());
  EXPECT_TRUE(Seqs().empty());
  EXPECT_EQ(Contents().last_seq, 5u);
  EXPECT_EQ(Append({Row(5)}).code(), Code::kFailedPrecondition);
}

TEST_P(OutboxContract, JudgesAgeOnlyWithAConfirmedTime) {
  ASSERT_TRUE(Append({Row(1, 10, 9, 1000), Row(2, 10, 0, 5000), Row(3, 10, 0, 1999)}).ok());
  OutboxLimits limits;
  limits.max_age = milliseconds(1000);
  auto drops = outbox_->Enforce(limits, std::nullopt);
  ASSERT_TRUE(drops.ok());
  EXPECT_EQ(drops.value().records, 0u);
  drops = outbox_->Enforce(limits, UtcTime(milliseconds(3000)));
  ASSERT_TRUE(drops.ok());
  EXPECT_EQ(drops.value().records, 2u);  // whatever the priority; 1999 is older than 2000
  EXPECT_THAT(Seqs(), ElementsAre(2));
  limits.max_age = std::chrono::hours(24 * 365 * 200);
  drops = outbox_->Enforce(limits, UtcTime::min());  // a cutoff before all time
  ASSERT_TRUE(drops.ok());
  EXPECT_EQ(drops.value().records, 0u);
}

TEST(ForgetfulOutbox, AcceptsInOrderKeepsStateAndShowsNoRecord) {
  const std::unique_ptr<Outbox> outbox = MakeForgetfulOutbox();
  OutboxWrite write;
  write.append = {Row(1), Row(3)};
  write.state = {{"key", Bytes(2)}};
  ASSERT_TRUE(outbox->Commit(write).ok());
  EXPECT_EQ(outbox->Commit(write).status().code(), Code::kFailedPrecondition);
  EXPECT_EQ(outbox->GetState("key").value(), Bytes(2));
  EXPECT_TRUE(outbox->Peek(0, 10, 1000).value().empty());
  EXPECT_EQ(outbox->Contents().value().records, 0u);
  EXPECT_EQ(outbox->Contents().value().last_seq, 3u);
  OutboxLimits none;
  none.max_records = 0;
  EXPECT_EQ(outbox->Enforce(none, std::nullopt).value().records, 0u);
  EXPECT_TRUE(outbox->Sync().ok());
}

INSTANTIATE_TEST_SUITE_P(Implementations, OutboxContract,
                         ::testing::Values("memory", "sqlite", "sqlite_full"),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace waymark
