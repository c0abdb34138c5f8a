#include "replay_tool/virtual_clock.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace waymark::replay {
namespace {

using std::chrono::seconds;

MonoTime At(int s) { return MonoTime(seconds(s)); }
UtcTime Utc(int s) { return UtcTime(seconds(1'000'000 + s)); }

TEST(VirtualClock, StopsAtEachTimerOnTheWay) {
  VirtualClock clock({At(0), Utc(0)});
  std::string log;
  clock.PostAt(&clock, At(3), [&] {
    log += "3@" + std::to_string(clock.Now().time_since_epoch() / seconds(1)) + " ";
    clock.PostAt(&clock, At(5), [&] { log += "5 "; });
  });
  EXPECT_FALSE(clock.StepToward({At(10), Utc(10)}));
  EXPECT_EQ(clock.Now(), At(3));
  EXPECT_EQ(clock.UtcNow(), Utc(3));
  EXPECT_FALSE(clock.StepToward({At(10), Utc(10)}));
  EXPECT_TRUE(clock.StepToward({At(10), Utc(12)}));
  EXPECT_EQ(log, "3@3 5 ");
  EXPECT_EQ(clock.Now(), At(10));
  EXPECT_EQ(clock.UtcNow(), Utc(12));
  EXPECT_EQ(clock.timers_run(), 2u);
}

TEST(VirtualClock, NeverGoesBackAndRunsOverdueTimersNow) {
  VirtualClock clock({At(10), Utc(10)});
  bool ran = false;
  clock.PostAt(&clock, At(1), [&] { ran = true; });
  EXPECT_FALSE(clock.StepToward({At(20), Utc(20)}));
  EXPECT_TRUE(ran);
  EXPECT_EQ(clock.Now(), At(10));
  EXPECT_TRUE(clock.StepToward({At(5), Utc(5)}));
  EXPECT_EQ(clock.Now(), At(10));
}

TEST(VirtualClock, LaterWishReplacesAndNulloptCancels) {
  VirtualClock clock({At(0), Utc(0)});
  int first = 0, second = 0;
  clock.PostAt(&clock, At(1), [&] { ++first; });
  clock.PostAt(&clock, At(2), [&] { ++second; });
  EXPECT_EQ(clock.NextTimer(), At(2));
  clock.PostAt(&clock, std::nullopt, nullptr);
  EXPECT_TRUE(clock.StepToward({At(9), Utc(9)}));
  EXPECT_EQ(first + second, 0);
}

TEST(VirtualClock, TasksRunInOrderAndNeverInsidePost) {
  VirtualClock clock({At(0), Utc(0)});
  std::string log;
  clock.Post([&] {
    clock.Post([&] { log += "c"; });
    EXPECT_TRUE(clock.IsCurrent());
    log += "a";
  });
  clock.Post([&] { log += "b"; });
  EXPECT_EQ(log, "");
  clock.RunReady();
  EXPECT_EQ(log, "abc");
  EXPECT_FALSE(clock.IsCurrent());
}

TEST(VirtualClock, ATaskOfAnotherThreadEndsTheWait) {
  VirtualClock clock({At(0), Utc(0)});
  std::thread other([&] { clock.Post([] {}); });
  EXPECT_TRUE(clock.WaitForTask(std::chrono::minutes(1)));
  other.join();
}

}  // namespace
}  // namespace waymark::replay
