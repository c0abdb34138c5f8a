#include "waymark/tracker.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
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
  executor->PostAt(clock.Now() + std::chrono::hours(1), [&] { fired.set_value(1); });
  executor->PostAt(clock.Now(), [&] { fired.set_value(2); });
  EXPECT_EQ(fired.get_future().get(), 2);
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
