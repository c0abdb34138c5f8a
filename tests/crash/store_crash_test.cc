// A process that appends is killed at a random instant, again and again: what it said was stored is
// stored, once, and the database is sound. Short by default; WAYMARK_CRASH_ROUNDS=N for longer, and
// WAYMARK_CRASH_SEED=N to repeat a run (the instants depend on the machine too).
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "support/child_process.h"
#include "support/temp_dir.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

using testing::ChildProcess;

std::uint64_t FromEnvironment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

std::vector<std::byte> Payload(std::uint64_t seq) {
  return std::vector<std::byte>(20 + seq % 50, static_cast<std::byte>(seq));
}

std::unique_ptr<Outbox> Open(const std::string& path, bool power_loss_safe) {
  SqliteOutboxOptions options;
  options.path = path;
  options.power_loss_safe = power_loss_safe;
  options.quarantine_corrupt = false;
  auto opened = OpenSqliteOutbox(options);
  if (!opened.ok()) std::fprintf(stderr, "%s\n", opened.status().message().c_str());
  return opened.ok() ? std::move(opened.value().outbox) : nullptr;
}

// Appends for ever, acknowledges some, and says after each commit what is now certain:
// "A LAST" appended up to, "D FIRST LAST" deleted.
int AppendForEver(const std::string& path, bool power_loss_safe) {
  const auto outbox = Open(path, power_loss_safe);
  if (!outbox) return 1;
  std::uint64_t seq = outbox->Contents().value_or({}).last_seq;
  std::printf("O %" PRIu64 "\n", seq);
  std::fflush(stdout);
  for (;;) {
    OutboxWrite write;
    for (std::uint64_t n = seq % 7 + 1; n > 0; --n) {
      ++seq;
      write.append.push_back({seq, 1, 0, UtcTime{}, Payload(seq)});
    }
    const std::uint64_t value = seq;
    write.state = {{"last", std::vector<std::byte>(1 + value % 3, std::byte{1})}};
    if (seq % 5 == 0 && seq > 40) write.ack = SeqRange{seq - 40, seq - 30};
    if (!outbox->Commit(write).ok()) return 2;
    if (write.ack) std::printf("D %" PRIu64 " %" PRIu64 "\n", write.ack->first, write.ack->last);
    std::printf("A %" PRIu64 "\n", seq);
    std::fflush(stdout);
  }
}

class StoreCrash : public ::testing::TestWithParam<bool> {};

TEST_P(StoreCrash, WhatWasSaidToBeStoredIsStored) {
  const bool power_loss_safe = GetParam();
  const testing::TempDir dir;
  const std::string path = dir / "db";
  const std::uint64_t rounds = FromEnvironment("WAYMARK_CRASH_ROUNDS", 25);
  const std::uint64_t seed = FromEnvironment("WAYMARK_CRASH_SEED", 1);
  std::printf("rounds %" PRIu64 ", seed %" PRIu64 "\n", rounds, seed);
  std::fflush(stdout);
  std::mt19937_64 random(seed);
  std::uint64_t said = 0;         // appended, as far as the child said
  std::set<std::uint64_t> acked;  // deleted, as far as it said
  for (std::uint64_t round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    {
      ChildProcess child([&] { return AppendForEver(path, power_loss_safe); });
      const auto note = [&](const std::string& line) {
        std::uint64_t first = 0, last = 0;
        if (std::sscanf(line.c_str(), "D %" SCNu64 " %" SCNu64, &first, &last) == 2) {
          for (auto s = first; s <= last; ++s) acked.insert(s);
        } else if (std::sscanf(line.c_str(), "A %" SCNu64, &last) == 1) {
          said = last;
        }
      };
      // Killed after a random number of its lines, while it goes on writing.
      const std::uint64_t lines = 1 + random() % 400;
      for (std::uint64_t i = 0; i < lines; ++i) {
        const auto line = child.ReadLine();
        ASSERT_TRUE(line);
        note(*line);
      }
      child.Kill(SIGKILL);
      while (const auto line = child.ReadLine()) note(*line);
      EXPECT_EQ(child.Wait(), 128 + SIGKILL);
    }
    const auto outbox = Open(path, power_loss_safe);
    ASSERT_TRUE(outbox);
    const auto rows = outbox->Peek(0, 1'000'000, 1 << 30);
    ASSERT_TRUE(rows.ok());
    std::uint64_t previous = 0;
    std::set<std::uint64_t> present;
    for (const auto& r : rows.value()) {
      EXPECT_GT(r.seq, previous);
      EXPECT_EQ(r.payload, Payload(r.seq));
      previous = r.seq;
      present.insert(r.seq);
    }
    const std::uint64_t last = outbox->Contents().value_or({}).last_seq;
    EXPECT_GE(last, said);
    EXPECT_LE(last, said + 7) << "at most the one commit that was not announced";
    // The unannounced commit may have acknowledged too; nothing else may be missing.
    std::uint64_t missing = 0;
    for (std::uint64_t s = 1; s <= said; ++s) {
      if (acked.contains(s)) {
        EXPECT_FALSE(present.contains(s)) << s << " came back";
      } else if (!present.contains(s)) {
        ++missing;
        acked.insert(s);
      }
    }
    EXPECT_LE(missing, 11u);
    if (last > said) said = last;
    if (HasFailure()) break;
  }
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  std::string verdict;
  sqlite3_exec(
      db, "PRAGMA integrity_check",
      [](void* out, int, char** text, char**) {
        *static_cast<std::string*>(out) = text[0];
        return 0;
      },
      &verdict, nullptr);
  sqlite3_close(db);
  EXPECT_EQ(verdict, "ok");
  EXPECT_GT(said, rounds);
}

INSTANTIATE_TEST_SUITE_P(Durability, StoreCrash, ::testing::Bool(), [](const auto& p) {
  return std::string(p.param ? "power_loss_safe" : "kill_safe");
});

}  // namespace
}  // namespace waymark
