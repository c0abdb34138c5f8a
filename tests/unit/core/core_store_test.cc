// Records on their way to the store and the server when one of the two fails.
#include <gmock/gmock.h>

#include "support/core_world.h"

namespace waymark::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

const Status kDiskFull(Code::kResourceExhausted, "write track.db: disk full");

class CoreStore : public testing::Test {
 protected:
  explicit CoreStore(const Config& config = CoreWorld::UploadConfig()) : world_(config) {
    world_.Feed(ev::Start{});
  }

  // Confirms the time, so that nothing is held back.
  void Locate() { world_.Feed(world_.FixAt({47, 8})); }
  void Enqueue(int n) {
    for (int i = 0; i < n; ++i) world_.Feed(ev::Enqueue{"t", {std::byte{1}}});
  }
  std::vector<Action> Answer(int status) {
    HttpReply reply;
    reply.id = world_.in_flight.value().id;
    reply.http_status = status;
    world_.in_flight.reset();
    return world_.Feed(reply);
  }
  Stats GetStats() { return world_.core().GetStats(); }

  CoreWorld world_;
};

TEST_F(CoreStore, WhatWasAcknowledgedIsNotSentAgainWhileTheDiskIsFull) {
  Locate();
  Enqueue(25);
  ASSERT_TRUE(world_.in_flight);
  const std::string first_key = world_.in_flight->idempotency_key;
  world_.store_error = kDiskFull;
  const auto actions = Answer(200);
  EXPECT_THAT(Only<HttpRequest>(actions), SizeIs(0));
  for (int i = 0; i < 40; ++i) {
    EXPECT_THAT(Only<HttpRequest>(world_.Wait(seconds(30))), SizeIs(0));
    Enqueue(1);
  }
  EXPECT_EQ(world_.repeated_alarms, 0);
  world_.store_error = Status();
  std::set<std::string> keys = {first_key};
  for (int i = 0; i < 300 && GetStats().pending > 0; ++i) {
    world_.Wait(seconds(20));
    if (!world_.in_flight) continue;
    EXPECT_TRUE(keys.insert(world_.in_flight->idempotency_key).second) << "sent twice";
    Answer(200);
  }
  EXPECT_EQ(GetStats().pending, world_.Present().size());
  EXPECT_EQ(GetStats().pending, 0u);
  EXPECT_EQ(GetStats().records_acknowledged, world_.appended.size());
}

TEST_F(CoreStore, PendingIsWhatTheStoreHoldsWheneverTheProcessDies) {
  Locate();
  // Dies after each number of actions of a session in which acknowledgements and given-up records
  // leave the store one by one.
  Enqueue(60);
  for (int round = 0; round < 30; ++round) {
    world_.Wait(seconds(3600));
    if (world_.in_flight) Answer(round % 3 == 0 ? 400 : 200);
    if (round % 4 == 1) world_.store_error = kDiskFull;
    if (round % 4 == 3) world_.store_error = Status();
    if (round % 2 == 0) world_.Restart();
    world_.Feed(ev::Start{});
    Enqueue(3);
    if (!world_.store_error.ok()) continue;
    world_.Wait(seconds(120));
    EXPECT_EQ(GetStats().pending, world_.Present().size()) << round;
  }
}

TEST_F(CoreStore, APoisonRecordIsGivenUpCountedAndTold) {
  Locate();
  Enqueue(30);
  const std::uint64_t poison = 7;
  std::set<std::uint64_t> delivered;
  for (int i = 0; i < 200 && GetStats().pending > 0; ++i) {
    world_.Feed(ev::Flush{});
    world_.Wait(seconds(20));
    if (!world_.in_flight) continue;
    bool bad = false;
    std::set<std::uint64_t> seqs;
    for (const Record& r : DecodeBatch(world_.in_flight->body).value().records) {
      seqs.insert(r.seq);
      bad |= r.seq == poison;
    }
    if (!bad) delivered.insert(seqs.begin(), seqs.end());
    Answer(bad ? 422 : 200);
  }
  EXPECT_EQ(GetStats().records_dropped, 1u);
  int told = 0;
  for (const StoredRecord& r : world_.appended) {
    const Record record = sync::DecodeRecord(r.seq, r.payload).value();
    EXPECT_EQ(delivered.contains(r.seq), r.seq != poison) << r.seq;
    if (const auto* drops = std::get_if<DropsRecord>(&record.body)) {
      ++told;
      EXPECT_EQ(drops->records, 1u);
      EXPECT_EQ(drops->first_seq, poison);
      EXPECT_EQ(drops->last_seq, poison);
    }
  }
  EXPECT_EQ(told, 1);
}

TEST_F(CoreStore, ABatchThatIsTooLargeIsSplitAndArrives) {
  Locate();
  for (int i = 0; i < 30; ++i) world_.Feed(ev::Enqueue{"t", std::vector<std::byte>(1000)});
  for (int i = 0; i < 200 && GetStats().pending > 0; ++i) {
    world_.Feed(ev::Flush{});
    world_.Wait(seconds(20));
    if (world_.in_flight) Answer(world_.in_flight->body.size() > 3000 ? 413 : 200);
  }
  EXPECT_EQ(GetStats().pending, 0u);
  EXPECT_EQ(GetStats().records_dropped, 0u);
  EXPECT_EQ(GetStats().records_acknowledged, world_.appended.size());
}

TEST_F(CoreStore, PermissionsLostInMidSessionStopTheHardwareAndAreTheGapsCause) {
  Locate();
  auto asked = Only<act::Sampling>(world_.Feed(HostState{true, false}));
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].request.mode, SamplingMode::kOff);
  EXPECT_EQ(asked[0].reason, "no_permission");
  world_.Wait(seconds(300));
  asked = Only<act::Sampling>(world_.Feed(HostState{true, true}));
  ASSERT_THAT(asked, SizeIs(1));
  EXPECT_EQ(asked[0].request.mode, SamplingMode::kHighAccuracy);
  const auto gaps = Only<Gap>(world_.Feed(world_.FixAt({47, 8})));
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].cause, GapCause::kPermission);
}

TEST_F(CoreStore, AFlushOfRecordsThatTheDiskRefusesSaysSo) {
  Locate();
  Enqueue(2);
  world_.store_error = kDiskFull;
  Enqueue(2);
  const auto done = Only<act::FlushDone>(world_.Feed(ev::Flush{}));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(done[0].status.code(), Code::kResourceExhausted);
  EXPECT_THAT(done[0].status.message(), HasSubstr("memory"));
}

TEST_F(CoreStore, AFlushDoesNotWaitForTheNextTryOfTheDisk) {
  Locate();
  world_.store_error = kDiskFull;
  Enqueue(2);
  world_.Wait(hours(1));  // the tries are a minute apart now
  world_.store_error = Status();
  world_.Feed(ev::Flush{});
  EXPECT_THAT(world_.appended, SizeIs(testing::Ge(2u)));
  EXPECT_TRUE(world_.in_flight);
}

TEST_F(CoreStore, AFlushUploadsWhatItsOwnCommitBrought) {
  Locate();
  Enqueue(1);
  world_.Feed(ev::Flush{});
  ASSERT_TRUE(world_.in_flight);
  Answer(200);
  ASSERT_EQ(GetStats().pending, 0u);
  world_.store_error = kDiskFull;
  Enqueue(3);
  world_.store_error = Status();
  world_.Feed(ev::Flush{});
  ASSERT_TRUE(world_.in_flight);
  EXPECT_THAT(Only<act::FlushDone>(Answer(200)), SizeIs(1));
}

class SmallCoreStore : public CoreStore {
 protected:
  SmallCoreStore() : CoreStore(Small()) {}
  static Config Small() {
    Config config = CoreWorld::UploadConfig();
    config.store.max_records = 100;
    config.upload.max_batch_records = 100;
    return config;
  }
};

TEST_F(SmallCoreStore, WhatIsBeingDeliveredIsNotDroppedAsWell) {
  Locate();
  Enqueue(100);
  ASSERT_TRUE(world_.in_flight);
  Enqueue(50);
  EXPECT_THAT(world_.dropped, SizeIs(0));
  Answer(200);
  EXPECT_EQ(GetStats().records_dropped, 0u);
  EXPECT_EQ(GetStats().pending, world_.Present().size());
}

TEST_F(CoreStore, MessagesBeforeTheFirstFixAreDurableThoughTheyWaitForTheTime) {
  world_.Feed(ev::Enqueue{"boot", {std::byte{1}}});
  EXPECT_THAT(world_.appended, SizeIs(0));
  world_.Restart();
  world_.Feed(ev::Start{});
  EXPECT_EQ(GetStats().pending, 1u);
  world_.Wait(seconds(601));
  EXPECT_THAT(world_.appended, SizeIs(1));
  world_.Feed(ev::Enqueue{"later", {std::byte{1}}});
  EXPECT_THAT(world_.appended, SizeIs(2)) << "the guess was accepted for this boot";
}

// The store has them already when the process dies; the snapshot, which is older, has them still.
TEST_F(CoreStore, WhatWaitedForTheTimeIsStoredOnceThoughTheProcessDiesThen) {
  world_.Feed(ev::Start{});
  world_.Feed(ev::Enqueue{"boot", {std::byte{1}}});
  world_.Feed(ev::Enqueue{"boot", {std::byte{2}}});
  ASSERT_THAT(world_.appended, SizeIs(0));
  world_.Feed(world_.FixAt({47, 11}));  // tells the time
  const std::size_t stored = world_.appended.size();
  ASSERT_GE(stored, 2u);
  world_.Restart();
  world_.Feed(ev::Enqueue{"again", {std::byte{1}}});
  world_.Feed(ev::Flush{});
  ASSERT_GT(world_.appended.size(), stored);
  for (std::size_t i = 0; i < world_.appended.size(); ++i) {
    EXPECT_EQ(world_.appended[i].seq, i + 1);
  }
}

TEST_F(CoreStore, AFlushWaitsForNoTime) {
  world_.Feed(ev::Enqueue{"boot", {std::byte{1}}});
  world_.Feed(ev::Flush{});
  EXPECT_THAT(world_.appended, SizeIs(1));
  EXPECT_TRUE(world_.in_flight);
}

// A tracker without a database makes no snapshots; all that can be seen of it stays the same.
TEST(CoreWithoutState, DoesTheSameButCommitsNoState) {
  CoreWorld with(CoreWorld::UploadConfig()), without(CoreWorld::UploadConfig());
  without.core().ForgetState();
  const auto same = [](std::vector<Action> expected, const std::vector<Action>& actual) {
    std::vector<std::byte> bytes, actual_bytes;
    for (Action& a : expected) {
      if (auto* commit = std::get_if<act::Commit>(&a)) commit->write.state.clear();
      EncodeAction(a, bytes);
    }
    for (const Action& a : actual) EncodeAction(a, actual_bytes);
    return bytes == actual_bytes;
  };
  EXPECT_TRUE(same(with.Feed(ev::Start{}), without.Feed(ev::Start{})));
  Geofence fence;
  fence.id = "home";
  fence.shape = Circle{{47.01, 8}, 100};
  EXPECT_TRUE(same(with.Feed(ev::AddFences{{fence}}), without.Feed(ev::AddFences{{fence}})));
  std::size_t commits = 0;
  for (int i = 0; i < 300; ++i) {
    const LatLon at{47 + 1e-4 * std::min(i, 200), 8};
    const std::vector<Action> expected = with.Feed(with.FixAt(at));
    commits += Only<act::Commit>(expected).size();
    EXPECT_TRUE(same(expected, without.Feed(without.FixAt(at)))) << i;
    EXPECT_TRUE(same(with.Wait(seconds(1)), without.Wait(seconds(1)))) << i;
  }
  EXPECT_GT(commits, 3u);
}

}  // namespace
}  // namespace waymark::test
