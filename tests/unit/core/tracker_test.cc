#include "waymark/tracker.h"

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <future>
#include <mutex>
#include <thread>

#include "waymark/posix_clock.h"
#include "waymark/serial_executor.h"

namespace waymark {
namespace {

using std::chrono::seconds;

Fix MakeFix(MonoTime time, double lat_deg) {
  Fix f;
  f.time = time;
  f.position = {lat_deg, 8};
  f.horizontal_accuracy_m = 5;
  return f;
}

void FlushAndWait(Tracker& tracker) {
  std::promise<void> done;
  tracker.Flush([&](const Status&) { done.set_value(); });
  done.get_future().wait();
}

struct Counter : Listener {
  void OnFix(const FixReport&) override { ++fixes; }
  void OnRecord(const Record& r) override { last_seq = r.seq; }
  std::atomic<int> fixes{0};
  std::atomic<std::uint64_t> last_seq{0};
};

class TrackerTest : public testing::Test {
 protected:
  TrackerPorts Ports(Executor& executor, Listener* listener) {
    TrackerPorts ports;
    ports.clock = &clock_;
    ports.executor = &executor;
    ports.listener = listener;
    ports.seed = 3;
    return ports;
  }
  PosixClock clock_;
};

TEST_F(TrackerTest, TakesFixesFromManyThreads) {
  auto executor = MakeSerialExecutor(clock_);
  Counter counter;
  auto tracker = Tracker::Create(Config{}, Ports(*executor, &counter));
  ASSERT_TRUE(tracker.ok());
  tracker.value()->Start();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        tracker.value()->PushFix(MakeFix(clock_.Now(), 47));
        tracker.value()->GetStats();
      }
    });
  }
  for (std::thread& t : threads) t.join();
  FlushAndWait(*tracker.value());
  EXPECT_EQ(counter.fixes, 1000);
  EXPECT_EQ(tracker.value()->GetStats().fixes, 1000u);
}

TEST_F(TrackerTest, TwoTrackersLiveInOneProcess) {
  auto first_executor = MakeSerialExecutor(clock_), second_executor = MakeSerialExecutor(clock_);
  Counter first_counter, second_counter;
  auto first = Tracker::Create(Config{}, Ports(*first_executor, &first_counter));
  auto second = Tracker::Create(Config{}, Ports(*second_executor, &second_counter));
  ASSERT_TRUE(first.ok() && second.ok());
  first.value()->Start();
  second.value()->Start();
  const MonoTime now = clock_.Now();
  for (int i = 0; i < 10; ++i) first.value()->PushFix(MakeFix(now + seconds(i - 20), 47));
  second.value()->PushFix(MakeFix(now, 10));
  FlushAndWait(*first.value());
  FlushAndWait(*second.value());
  EXPECT_EQ(first_counter.fixes, 10);
  EXPECT_EQ(second_counter.fixes, 1);
}

TEST_F(TrackerTest, OneExecutorServesSeveralTrackers) {
  auto executor = MakeSerialExecutor(clock_);
  std::array<Counter, 3> counters;
  std::vector<std::unique_ptr<Tracker>> trackers;
  for (Counter& counter : counters) {
    auto tracker = Tracker::Create(Config{}, Ports(*executor, &counter));
    ASSERT_TRUE(tracker.ok());
    tracker.value()->Start();
    trackers.push_back(std::move(tracker).value());
  }
  // The alarm of each: a track that falls silent is settled by time alone. Its last fix is older
  // than the settling lag, so that the alarm is due at once.
  const MonoTime now = clock_.Now();
  for (int i = 0; i < 20; ++i) {
    for (auto& tracker : trackers) {
      tracker->PushFix(MakeFix(now + seconds(i - 60), 47 + i * 2e-4));
    }
  }
  trackers[1].reset();  // takes its timer and tasks with it
  FlushAndWait(*trackers[0]);
  FlushAndWait(*trackers[2]);
  for (const int i : {0, 2}) {
    EXPECT_EQ(counters[static_cast<std::size_t>(i)].fixes, 20);
    EXPECT_GE(counters[static_cast<std::size_t>(i)].last_seq, 2u);
  }
}

TEST_F(TrackerTest, MayBeDestroyedFromItsOwnCallback) {
  auto executor = MakeSerialExecutor(clock_);
  struct Destroyer : Listener {
    void OnFix(const FixReport&) override {
      ++calls;
      tracker.reset();
      destroyed.set_value();
    }
    std::unique_ptr<Tracker> tracker;
    std::promise<void> destroyed;
    int calls = 0;
  } destroyer;
  auto tracker = Tracker::Create(Config{}, Ports(*executor, &destroyer));
  ASSERT_TRUE(tracker.ok());
  destroyer.tracker = std::move(tracker).value();
  destroyer.tracker->Start();
  Tracker& t = *destroyer.tracker;
  t.PushFix(MakeFix(clock_.Now(), 47));
  destroyer.destroyed.get_future().wait();
  executor.reset();
  EXPECT_EQ(destroyer.calls, 1);
}

TEST_F(TrackerTest, CallsNothingAfterItsDestructorReturned) {
  auto executor = MakeSerialExecutor(clock_);
  for (int round = 0; round < 50; ++round) {
    auto counter = std::make_unique<Counter>();
    auto tracker = Tracker::Create(Config{}, Ports(*executor, counter.get()));
    ASSERT_TRUE(tracker.ok());
    tracker.value()->Start();
    for (int i = 0; i < 20; ++i) tracker.value()->PushFix(MakeFix(clock_.Now(), 47));
    tracker.value().reset();
    counter.reset();  // a later callback would be a use after free: asan and tsan watch
  }
}

TEST_F(TrackerTest, AnExceptionOfTheHostStopsTheTrackerAndLeavesTheHostRunning) {
  auto executor = MakeSerialExecutor(clock_);
  struct Thrower : Listener {
    void OnFix(const FixReport&) override { throw std::runtime_error("host bug"); }
    void OnProblem(const Status& s) override { problem.set_value(s); }
    std::promise<Status> problem;
  } thrower;
  auto tracker = Tracker::Create(Config{}, Ports(*executor, &thrower));
  ASSERT_TRUE(tracker.ok());
  tracker.value()->Start();
  tracker.value()->PushFix(MakeFix(clock_.Now(), 47));
  const Status s = thrower.problem.get_future().get();
  EXPECT_EQ(s.code(), Code::kInternal);
  EXPECT_THAT(s.message(), testing::HasSubstr("host bug"));
  tracker.value()->PushFix(MakeFix(clock_.Now(), 47));
  // Who waits for a flush is told, and does not wait for ever.
  std::promise<Status> flushed;
  tracker.value()->Flush([&](const Status& done) { flushed.set_value(done); });
  EXPECT_EQ(flushed.get_future().get().code(), Code::kInternal);
}

TEST_F(TrackerTest, AListenerThatThrowsOnTheProblemTooLeavesTheHostRunning) {
  auto executor = MakeSerialExecutor(clock_);
  struct Thrower : Listener {
    void OnFix(const FixReport&) override { throw 7; }
    void OnProblem(const Status&) override { throw std::runtime_error("again"); }
  } thrower;
  auto tracker = Tracker::Create(Config{}, Ports(*executor, &thrower));
  ASSERT_TRUE(tracker.ok());
  tracker.value()->Start();
  tracker.value()->PushFix(MakeFix(clock_.Now(), 47));
  std::promise<Status> flushed;
  tracker.value()->Flush([&](const Status& done) { flushed.set_value(done); });
  EXPECT_EQ(flushed.get_future().get().code(), Code::kInternal);
}

// Answers each request from a thread of its own, for ever late.
class SlowTransport : public Transport {
 public:
  ~SlowTransport() override { CancelAll(); }
  void Send(HttpRequest request, std::function<void(HttpReply)> done) override {
    ++sent;
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([id = request.id, done = std::move(done)] {
      HttpReply reply;
      reply.id = id;
      reply.http_status = 200;
      done(reply);
    });
  }
  void CancelAll() override {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    for (std::thread& t : threads) t.join();
  }
  std::atomic<int> sent{0};

 private:
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

// For tsan and asan: every method from many threads, replies from others, and the end in the midst
// of what was posted.
TEST_F(TrackerTest, EveryMethodFromManyThreadsUntilTheEnd) {
  auto executor = MakeSerialExecutor(clock_);
  for (int round = 0; round < 8; ++round) {
    auto counter = std::make_unique<Counter>();
    SlowTransport transport;
    TrackerPorts ports = Ports(*executor, counter.get());
    ports.transport = &transport;
    std::vector<std::byte> journal;
    ports.journal = [&](std::span<const std::byte> b) {
      journal.insert(journal.end(), b.begin(), b.end());
    };
    Config config;
    config.upload.url = "https://collector.example/";
    config.upload.max_batch_records = 2;
    auto created = Tracker::Create(config, ports);
    ASSERT_TRUE(created.ok());
    Tracker& tracker = *created.value();
    Geofence fence;
    fence.id = "f";
    fence.shape = Circle{{47, 8}, 100};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 40; ++i) {
          switch ((i + t) % 10) {
            case 0:
              tracker.Start();
              break;
            case 1:
              tracker.Stop();
              break;
            case 2:
              tracker.AddGeofences({fence});
              break;
            case 3:
              tracker.SetLink(Link{i % 3 != 0, false, false});
              break;
            case 4:
              tracker.Enqueue("t", {std::byte{1}});
              break;
            case 5:
              tracker.Flush([](const Status&) {});
              break;
            case 6:
              tracker.RemoveGeofences({"f"});
              break;
            case 7:
              tracker.SetHostState(HostState{i % 2 == 0, true});
              break;
            default:
              tracker.PushFix(MakeFix(clock_.Now(), 47 + i * 1e-4));
          }
          tracker.GetStats();
          tracker.Predict(clock_.Now());
          tracker.FindGeofence("f");
          tracker.GetFenceState("f");
          tracker.GeofenceIds();
          tracker.GeofencesContaining({47, 8});
        }
      });
    }
    for (std::thread& t : threads) t.join();
    if (round % 2 == 0) FlushAndWait(tracker);
    created.value().reset();
    counter.reset();
  }
}

TEST_F(TrackerTest, AnswersAboutItsGeofences) {
  auto executor = MakeSerialExecutor(clock_);
  auto created = Tracker::Create(Config{}, Ports(*executor, nullptr));
  ASSERT_TRUE(created.ok());
  Tracker& tracker = *created.value();
  EXPECT_TRUE(tracker.GeofenceIds().empty());
  Geofence near, far;
  near.id = "near";
  near.shape = Circle{{47, 8}, 500};
  near.extras = "home";
  far.id = "far";
  far.shape = Circle{{48, 8}, 500};
  tracker.AddGeofences({near, far});
  tracker.Start();
  const MonoTime begin = clock_.Now() - seconds(2);
  for (int i = 0; i < 3; ++i) tracker.PushFix(MakeFix(begin + seconds(i), 47));
  FlushAndWait(tracker);
  EXPECT_THAT(tracker.GeofenceIds(), testing::ElementsAre("far", "near"));
  EXPECT_THAT(tracker.GeofencesContaining({48, 8}), testing::ElementsAre("far"));
  EXPECT_TRUE(tracker.GeofencesContaining({0, 0}).empty());
  ASSERT_TRUE(tracker.FindGeofence("near"));
  EXPECT_EQ(tracker.FindGeofence("near")->extras, "home");
  EXPECT_FALSE(tracker.FindGeofence("nowhere"));
  ASSERT_TRUE(tracker.GetFenceState("near"));
  EXPECT_TRUE(tracker.GetFenceState("near")->inside);
  EXPECT_FALSE(tracker.GetFenceState("far")->inside);
  EXPECT_FALSE(tracker.GetFenceState("nowhere"));
  tracker.RemoveGeofences({"near"});
  FlushAndWait(tracker);
  EXPECT_FALSE(tracker.GetFenceState("near"));
}

TEST_F(TrackerTest, PredictsAtAnyTimeUpToMaxCoast) {
  auto executor = MakeSerialExecutor(clock_);
  Config config;
  auto created = Tracker::Create(config, Ports(*executor, nullptr));
  ASSERT_TRUE(created.ok());
  Tracker& tracker = *created.value();
  const MonoTime begin = clock_.Now() - seconds(20);  // as a batching receiver delivers
  EXPECT_FALSE(tracker.Predict(begin));
  tracker.Start();
  // North at 11.1 m/s.
  for (int i = 0; i <= 20; ++i) tracker.PushFix(MakeFix(begin + seconds(i), 47 + 1e-4 * i));
  FlushAndWait(tracker);
  const MonoTime last = begin + seconds(20);
  const auto now = tracker.Predict(last), soon = tracker.Predict(last + seconds(5));
  ASSERT_TRUE(now && soon);
  EXPECT_EQ(soon->time, last + seconds(5));
  EXPECT_NEAR(soon->position.lat_deg, 47.0025, 5e-5);
  EXPECT_GT(soon->r68_m, now->r68_m);
  EXPECT_TRUE(tracker.Predict(last + config.estimator.max_coast));
  EXPECT_FALSE(tracker.Predict(last + config.estimator.max_coast + seconds(1)));
  tracker.Stop();
  FlushAndWait(tracker);
  EXPECT_FALSE(tracker.Predict(last));
}

TEST_F(TrackerTest, RefusesABadConfigWithEveryReason) {
  auto executor = MakeSerialExecutor(clock_);
  Config c;
  c.records.max_error_m = -1;
  c.estimator.max_speed_mps = 0;
  const auto tracker = Tracker::Create(c, Ports(*executor, nullptr));
  ASSERT_FALSE(tracker.ok());
  EXPECT_EQ(tracker.status().code(), Code::kInvalidArgument);
  EXPECT_THAT(tracker.status().message(), testing::HasSubstr("records.max_error_m"));
  EXPECT_THAT(tracker.status().message(), testing::HasSubstr("estimator.max_speed_mps"));
  EXPECT_FALSE(Tracker::Create(Config{}, {}).ok());
}

TEST(SerialExecutor, RunsInOrderAndNeverInsidePost) {
  PosixClock clock;
  std::vector<int> order;
  auto executor = MakeSerialExecutor(clock);
  std::promise<void> done;
  executor->Post([&] {
    EXPECT_TRUE(executor->IsCurrent());
    executor->Post([&] { order.push_back(2); });
    order.push_back(1);  // first: the task above does not run inside Post
    executor->Post([&] { done.set_value(); });
  });
  done.get_future().wait();
  EXPECT_FALSE(executor->IsCurrent());
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(SerialExecutor, FiresTheTimerAndReplacesIt) {
  PosixClock clock;
  auto executor = MakeSerialExecutor(clock);
  std::promise<int> fired;
  executor->PostAt(&clock, clock.Now() + std::chrono::hours(1), [&] { fired.set_value(1); });
  executor->PostAt(&clock, clock.Now(), [&] { fired.set_value(2); });
  EXPECT_EQ(fired.get_future().get(), 2);
}

TEST(SerialExecutor, KeepsATimerForEachOwner) {
  PosixClock clock;
  auto executor = MakeSerialExecutor(clock);
  std::promise<void> first, second;
  const int a = 0, b = 0, c = 0;
  const MonoTime now = clock.Now();
  executor->PostAt(&b, now + std::chrono::milliseconds(2), [&] { second.set_value(); });
  executor->PostAt(&a, now + std::chrono::milliseconds(1), [&] { first.set_value(); });
  executor->Post([&] {  // no timer can run meanwhile
    executor->PostAt(&c, now, [] { FAIL() << "cancelled"; });
    executor->PostAt(&c, std::nullopt, nullptr);
  });
  first.get_future().wait();
  second.get_future().wait();
}

TEST(PosixClock, RunsForwardAndKnowsItsBoot) {
  PosixClock clock;
  const MonoTime a = clock.Now();
  EXPECT_LE(a, clock.Now());
  EXPECT_GT(clock.UtcNow(), UtcTime(std::chrono::milliseconds(1'600'000'000'000)));
  EXPECT_EQ(PosixClock().BootId(), clock.BootId());
}

}  // namespace
}  // namespace waymark
