// The n-th read, write, sync, truncate or open fails, for every n: the store is in its old or its
// new state and says which, and nothing that was there before is harmed.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "support/fault_vfs.h"
#include "support/temp_dir.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

using testing::FaultVfs;

StoredRecord Row(std::uint64_t seq, std::size_t size = 200) {
  return {seq, 1, static_cast<std::uint8_t>(seq % 3), UtcTime(std::chrono::milliseconds(seq)),
          std::vector<std::byte>(size, std::byte{7})};
}

Result<OpenedOutbox> Open(const std::string& path, bool power_loss_safe) {
  FaultVfs::Get();
  SqliteOutboxOptions options;
  options.path = path;
  options.power_loss_safe = power_loss_safe;
  options.vfs = FaultVfs::kName;
  return OpenSqliteOutbox(options);
}

std::set<std::uint64_t> Seqs(Outbox& outbox) {
  std::set<std::uint64_t> seqs;
  const auto rows = outbox.Peek(0, 100'000, 1 << 30);
  EXPECT_TRUE(rows.ok()) << rows.status().message();
  if (rows.ok()) {
    for (const auto& r : rows.value()) seqs.insert(r.seq);
  }
  return seqs;
}

// What the caller of the store may believe: `now` is certain while the process lives, `maybe` are
// the states a write that failed may have left on the disk.
struct Belief {
  std::set<std::uint64_t> now;
  std::set<std::set<std::uint64_t>> maybe;
};

// Runs a fixed history; stops at nothing. Each step's success updates the belief.
void RunHistory(Outbox& outbox, Belief& belief, std::uint64_t first_seq) {
  std::uint64_t seq = first_seq;
  for (int step = 0; step < 12; ++step) {
    OutboxWrite write;
    std::set<std::uint64_t> after = belief.now;
    for (int i = 0; i < 1 + step % 4; ++i) {
      write.append.push_back(Row(seq));
      after.insert(seq++);
    }
    if (step % 3 == 2) {
      write.ack = SeqRange{*after.begin(), *after.begin() + 2};
      std::erase_if(after, [&](auto s) { return s >= write.ack->first && s <= write.ack->last; });
    }
    if (step % 2 == 1) write.state = {{"core", std::vector<std::byte>(900, std::byte{1})}};
    if (outbox.Commit(write).ok()) {
      belief.now = after;
      belief.maybe.clear();  // later writes build on this one
    } else {
      belief.maybe.insert(after);
    }
    if (step == 5) outbox.Sync().Ignore();
    if (step == 8) {
      OutboxLimits limits;
      limits.max_records = 6;
      const auto drops = outbox.Enforce(limits, std::nullopt);
      if (drops.ok() && drops.value().records > 0) {
        const std::size_t before = belief.now.size();
        FaultVfs::Get().Disarm();
        belief.now = Seqs(outbox);
        EXPECT_EQ(before - belief.now.size(), drops.value().records);
      }
    }
  }
}

class SqliteFault : public ::testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(SqliteFault, EveryNthOperationMayFail) {
  const auto [persistent, power_loss_safe] = GetParam();
  bool reached_the_end = false;
  std::int64_t n = 1;
  for (; !reached_the_end && n < 2000; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    const testing::TempDir dir;
    const std::string path = dir / "db";
    FaultVfs::Get().Disarm();
    Belief belief;
    {
      auto opened = Open(path, power_loss_safe);
      ASSERT_TRUE(opened.ok()) << opened.status().message();
      OutboxWrite write;
      for (std::uint64_t seq = 1; seq <= 10; ++seq) write.append.push_back(Row(seq));
      ASSERT_TRUE(opened.value().outbox->Commit(write).ok());
      belief.now = Seqs(*opened.value().outbox);
    }
    FaultVfs::Get().Arm({.fail_at = n,
                         .persistent = persistent,
                         .result = SQLITE_IOERR_WRITE,
                         .budget_bytes = INT64_MAX});
    {
      auto opened = Open(path, power_loss_safe);
      if (opened.ok()) {
        EXPECT_FALSE(opened.value().quarantined_as) << "an I/O error is not damage";
        RunHistory(*opened.value().outbox, belief, 11);
        reached_the_end = !FaultVfs::Get().fired() && FaultVfs::Get().operations() < n;
        FaultVfs::Get().Disarm();
        EXPECT_EQ(Seqs(*opened.value().outbox), belief.now) << "after an error nothing was applied";
      } else {
        EXPECT_NE(opened.status().code(), Code::kCorruption);
        EXPECT_NE(opened.status().message().find(path), std::string::npos);
      }
      FaultVfs::Get().Disarm();
    }
    auto again = Open(path, power_loss_safe);
    ASSERT_TRUE(again.ok()) << again.status().message();
    EXPECT_FALSE(again.value().quarantined_as);
    const auto found = Seqs(*again.value().outbox);
    EXPECT_TRUE(found == belief.now || belief.maybe.contains(found));
    EXPECT_TRUE(again.value().outbox->Commit({{Row(1000)}, {}, {}}).ok());
    if (HasFailure()) break;
  }
  EXPECT_GT(n, 50) << "the history should have many operations";
  RecordProperty("operations", static_cast<int>(n));
}

INSTANTIATE_TEST_SUITE_P(Kinds, SqliteFault,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool()),
                         [](const auto& p) {
                           return std::string(std::get<0>(p.param) ? "persistent" : "transient") +
                                  (std::get<1>(p.param) ? "_full" : "_normal");
                         });

TEST(SqliteFault, AFullDiskStopsNothingButTheWriteThatDoesNotFit) {
  for (std::int64_t budget = 0; budget < 60'000; budget += 1500) {
    SCOPED_TRACE(budget);
    const testing::TempDir dir;
    FaultVfs::Get().Disarm();
    auto opened = Open(dir / "db", false);
    ASSERT_TRUE(opened.ok());
    Outbox& outbox = *opened.value().outbox;
    ASSERT_TRUE(outbox.Commit({{Row(1), Row(2)}, {}, {}}).ok());
    FaultVfs::Plan plan;
    plan.budget_bytes = budget;
    FaultVfs::Get().Arm(plan);
    std::set<std::uint64_t> present = {1, 2};
    Status status;
    for (std::uint64_t seq = 3; seq < 200; ++seq) {
      status = outbox.Commit({{Row(seq)}, {}, {}}).status();
      if (!status.ok()) break;
      present.insert(seq);
    }
    EXPECT_EQ(status.code(), Code::kResourceExhausted) << status.message();
    EXPECT_EQ(Seqs(outbox), present);
    FaultVfs::Get().Disarm();  // somebody made room
    EXPECT_TRUE(outbox.Commit({{Row(500)}, SeqRange{1, 1}, {}}).ok());
    present.erase(1);
    present.insert(500);
    EXPECT_EQ(Seqs(outbox), present);
  }
}

}  // namespace
}  // namespace waymark
