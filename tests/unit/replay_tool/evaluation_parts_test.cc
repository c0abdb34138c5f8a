// What lets an evaluation use two threads, and the thinning of its input.
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "replay_tool/evaluation_run.h"
#include "replay_tool/fix_pipe.h"
#include "replay_tool/stable_array.h"
#include "replay_tool/task_queue.h"

namespace waymark::replay {
namespace {

TEST(TaskQueue, SeveralThreadsDoEveryTaskOnce) {
  TaskQueue queue;
  std::vector<std::atomic<int>> done(100);
  std::thread other([&] { queue.Work(); });
  for (std::size_t i = 0; i < done.size(); ++i) queue.Add([&done, i] { ++done[i]; });
  queue.Add([&] { queue.Add([&done] { ++done[0]; }); });  // a task may bring another
  std::thread closer([&] { queue.Close(); });
  queue.Work();
  other.join();
  closer.join();
  queue.Work();  // returns at once
  EXPECT_GE(done[0], 1);
  for (std::size_t i = 1; i < done.size(); ++i) EXPECT_EQ(done[i], 1) << i;
}

TEST(TaskQueue, AFailureIsToldAfterTheRestIsDone) {
  TaskQueue queue;
  int done = 0;
  queue.Add([] { throw std::runtime_error("no"); });
  queue.Add([&done] { ++done; });
  queue.Close();
  EXPECT_THROW(queue.Work(), std::runtime_error);
  EXPECT_EQ(done, 1);
}

DeliveredFix FixAt(int i) {
  DeliveredFix fix;
  fix.fix.time = MonoTime(std::chrono::seconds(i));
  return fix;
}

TEST(FixPipe, DeliversEverythingInOrder) {
  constexpr int kFixes = 5000;
  FixPipe pipe;
  std::thread writer([&] {
    for (int i = 0; i < kFixes; ++i) {
      ASSERT_TRUE(pipe.Push(FixAt(i), static_cast<std::uint64_t>(i) + 7, TraceTimeline()));
    }
    pipe.Close();
  });
  int next = 0;
  while (const std::optional<FixChunk> chunk = pipe.Pop()) {
    ASSERT_EQ(chunk->fixes.size(), chunk->lines.size());
    for (std::size_t k = 0; k < chunk->fixes.size(); ++k, ++next) {
      ASSERT_EQ(chunk->fixes[k].fix.time, FixAt(next).fix.time);
      ASSERT_EQ(chunk->lines[k], static_cast<std::uint64_t>(next) + 7);
    }
  }
  writer.join();
  EXPECT_EQ(next, kFixes);
  EXPECT_FALSE(pipe.Pop());
  EXPECT_EQ(pipe.fixes().size(), static_cast<std::size_t>(kFixes));
}

TEST(FixPipe, AWriterLearnsThatTheReaderGaveUp) {
  FixPipe pipe;
  pipe.Abandon();
  bool wanted = true;
  for (int i = 0; i < 5000 && wanted; ++i) wanted = pipe.Push(FixAt(i), 1, TraceTimeline());
  EXPECT_FALSE(wanted);
}

TEST(StableArray, KeepsEveryElementWhereItIs) {
  StableArray<std::uint64_t> array;
  EXPECT_TRUE(array.empty());
  EXPECT_TRUE(array.elements().empty());
  array.push_back(0);
  const std::uint64_t* const first = array.elements().data();
  constexpr std::uint64_t kMany = 6'000'000;  // through several steps of growth
  for (std::uint64_t i = 1; i < kMany; ++i) array.push_back(i);
  EXPECT_EQ(array.elements().data(), first);
  ASSERT_EQ(array.size(), kMany);
  for (std::uint64_t i = 0; i < kMany; i += 997) ASSERT_EQ(array.elements()[i], i);
  EXPECT_EQ(array.elements(5, 8)[1], 6u);
}

TEST(Thinning, KeepsOneFixInSoManySeconds) {
  Thinning thinning(20);
  std::vector<double> kept;
  // Ticks of a receiver that is never quite on time.
  for (double s = 0; s < 100; s += 0.99) {
    if (thinning.Keeps(MonoTime(std::chrono::milliseconds(static_cast<int>(s * 1000))))) {
      kept.push_back(s);
    }
  }
  ASSERT_EQ(kept.size(), 6u);  // 0, 19.8, 39.6 ... 99
  for (std::size_t i = 1; i < kept.size(); ++i) {
    EXPECT_GE(kept[i] - kept[i - 1], 19.75);
    EXPECT_LT(kept[i] - kept[i - 1], 20.75);
  }
}

}  // namespace
}  // namespace waymark::replay
