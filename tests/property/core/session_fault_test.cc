// A session of the core on a real database whose n-th operation fails, for every n: nothing is
// lost, nothing is delivered twice but across a restart, and the counts are true at the end.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "support/core_world.h"
#include "support/fault_vfs.h"
#include "support/temp_dir.h"

namespace waymark::test {
namespace {

using std::chrono::seconds;
using waymark::testing::FaultVfs;
using waymark::testing::TempDir;

std::unique_ptr<Outbox> Open(const std::string& path) {
  FaultVfs::Get();
  SqliteOutboxOptions options;
  options.path = path;
  options.vfs = FaultVfs::kName;
  auto opened = OpenSqliteOutbox(options);
  EXPECT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_FALSE(opened.ok() && opened.value().quarantined_as);
  return opened.ok() ? std::move(opened.value().outbox) : nullptr;
}

class FaultySession {
 public:
  explicit FaultySession(const std::string& path)
      : path_(path), world(CoreWorld::UploadConfig(), Open(path)) {}

  // A minute of a device's life; `answer` says what the server thinks.
  void Minute(int answer) {
    Answer(answer);
    world.Feed(ev::Start{});
    world.Feed(world.FixAt({47, 8}));
    for (int i = 0; i < 4; ++i) world.Feed(ev::Enqueue{"t", std::vector<std::byte>(300)});
    world.Wait(seconds(61));
    Answer(answer);
    world.Feed(ev::Flush{});
    Answer(answer);
    world.Feed(ev::Stop{});
  }
  void Answer(int status) {
    if (!world.in_flight) return;
    const Result<Batch> batch = DecodeBatch(world.in_flight->body);
    ASSERT_TRUE(batch.ok());
    HttpReply reply;
    reply.id = world.in_flight->id;
    reply.http_status = status;
    world.in_flight.reset();
    if (status == 200) {
      for (const Record& r : batch.value().records) ++delivered[r.seq];
    }
    world.Feed(reply);
  }
  void Restart() {
    world.CloseStore();
    world.Restart(Open(path_));
  }
  void DeliverEverything() {
    for (int i = 0; i < 500; ++i) {
      world.Wait(seconds(20));
      world.Feed(ev::Flush{});
      if (!world.in_flight) break;
      Answer(200);
    }
  }

 private:
  const std::string path_;

 public:
  CoreWorld world;
  std::map<std::uint64_t, int> delivered;
};

struct Kind {
  const char* name;
  int result;
  bool persistent;  // until the minute is over
  bool restart;     // the process dies at the end of that minute
};

class SessionFault : public ::testing::TestWithParam<Kind> {};

TEST_P(SessionFault, NothingIsLostWhicheverOperationFails) {
  const Kind kind = GetParam();
  bool reached_the_end = false;
  std::int64_t n = 1;
  for (; !reached_the_end && n < 2000; ++n) {
    SCOPED_TRACE("operation " + std::to_string(n));
    const TempDir dir;
    FaultVfs::Get().Disarm();
    FaultySession session(dir / "db");
    session.Minute(200);
    FaultVfs::Get().Arm({.fail_at = n,
                         .persistent = kind.persistent,
                         .result = kind.result,
                         .budget_bytes = INT64_MAX});
    session.Minute(200);
    session.Minute(503);
    reached_the_end = !FaultVfs::Get().fired();
    FaultVfs::Get().Disarm();
    if (kind.restart) session.Restart();
    session.Minute(200);
    session.DeliverEverything();

    const Stats stats = session.world.core().GetStats();
    EXPECT_EQ(stats.pending, 0u);
    EXPECT_TRUE(session.world.Present().empty());
    EXPECT_EQ(stats.records_dropped, 0u);
    EXPECT_EQ(session.world.repeated_alarms, 0);
    // Every record of the four minutes arrived, in order and without a gap.
    std::uint64_t expected = 1;
    for (const auto& [seq, times] : session.delivered) {
      EXPECT_EQ(seq, expected++);
      EXPECT_LE(times, kind.restart ? 2 : 1) << "seq " << seq;
    }
    // What only a killed process held in memory, because the disk took nothing, went with it.
    EXPECT_GE(session.delivered.size(), kind.restart ? 8u : 16u);
    if (HasFailure()) break;
  }
  EXPECT_GT(n, 20) << "the session should have many operations";
  RecordProperty("operations", static_cast<int>(n));
}

INSTANTIATE_TEST_SUITE_P(Kinds, SessionFault,
                         ::testing::Values(Kind{"disk_full_once", SQLITE_FULL, false, false},
                                           Kind{"disk_full_for_a_while", SQLITE_FULL, true, false},
                                           Kind{"disk_full_and_killed", SQLITE_FULL, true, true},
                                           Kind{"io_error_once", SQLITE_IOERR_WRITE, false, false},
                                           Kind{"io_error_and_killed", SQLITE_IOERR_FSYNC, true,
                                                true}),
                         [](const auto& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace waymark::test
