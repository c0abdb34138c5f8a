// The filter allocates nothing per fix: counted through the global operator new of this binary.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/smoother.h"

namespace {
std::size_t allocations = 0;
}

// Under -fsanitize g++ sees malloc behind new and does not see that delete is replaced as well.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  std::abort();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace waymark {
namespace {

TEST(Allocation, NoneForAFixAfterCreate) {
  auto drive = test::Simulate({.seconds = 2000, .white_m = 2, .max_speed_mps = 30});
  for (std::size_t i = 50; i < 2000; i += 97) {
    drive.fixes[i].fix.position = test::Moved(drive.fixes[i].fix.position, 300, 0);  // an outlier
  }
  for (std::size_t i = 60; i + 1 < 2000; i += 61) std::swap(drive.fixes[i], drive.fixes[i + 1]);
  Estimator e = std::move(Estimator::Create({})).value();
  FixedLagSmoother smoother;
  std::vector<Estimate> settled;
  settled.reserve(4000);
  const std::size_t before = allocations;
  for (const auto& d : drive.fixes) {
    e.Update(d.fix, d.arrival);
    (void)e.Latest();
    (void)e.Predict(d.arrival.mono + std::chrono::seconds(1));
    smoother.Push(e, settled);
  }
  EXPECT_EQ(allocations - before, 0u);
  EXPECT_GT(settled.size(), 1800u);
}

}  // namespace
}  // namespace waymark
