#include "replay_tool/random.h"

#include <gtest/gtest.h>

#include <cmath>

namespace waymark::replay {
namespace {

TEST(Random, IsXoshiro256StarStar) {
  // From the reference program (Blackman and Vigna) with the state that splitmix64 makes of 0.
  Random random(0);
  EXPECT_EQ(random.Next(), 0x99ec5f36cb75f2b4U);
  EXPECT_EQ(random.Next(), 0xbf6e1f784956452aU);
  EXPECT_EQ(random.Next(), 0x1a5f849d4933e6e0U);
}

TEST(Random, StreamsOfOnePurposeAreEqualAndOfTwoAreNot) {
  Random a(7, "noise"), b(7, "noise"), c(7, "events"), d(8, "noise");
  const std::uint64_t first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
  EXPECT_NE(first, d.Next());
}

TEST(Random, HasTheMomentsOfItsDistributions) {
  constexpr int kN = 400'000;
  Random random(5);
  double uniform = 0, normal = 0, normal2 = 0, normal4 = 0, exponential = 0;
  int below = 0, beyond3 = 0;
  for (int i = 0; i < kN; ++i) {
    uniform += random.Uniform();
    const double z = random.Normal();
    normal += z;
    normal2 += z * z;
    normal4 += z * z * z * z;
    beyond3 += std::abs(z) > 3 ? 1 : 0;
    const double x = random.Exponential(2.5);
    EXPECT_GE(x, 0);
    exponential += x;
    below += x < 2.5 ? 1 : 0;
  }
  // Bounds: five standard errors.
  EXPECT_NEAR(uniform / kN, 0.5, 5 * 0.2887 / std::sqrt(kN));
  EXPECT_NEAR(normal / kN, 0, 5 / std::sqrt(kN));
  EXPECT_NEAR(normal2 / kN, 1, 5 * std::sqrt(2.0 / kN));
  EXPECT_NEAR(normal4 / kN, 3, 5 * std::sqrt(96.0 / kN));
  EXPECT_NEAR(static_cast<double>(beyond3) / kN, 0.0027, 5 * std::sqrt(0.0027 / kN));
  EXPECT_NEAR(exponential / kN, 2.5, 5 * 2.5 / std::sqrt(kN));
  EXPECT_NEAR(static_cast<double>(below) / kN, 1 - std::exp(-1), 5 * 0.5 / std::sqrt(kN));
}

TEST(Random, IndexReachesEveryPlaceEquallyOften) {
  Random random(3);
  std::array<int, 7> count{};
  for (int i = 0; i < 70'000; ++i) ++count[random.Index(7)];
  for (const int n : count) EXPECT_NEAR(n, 10'000, 5 * std::sqrt(10'000));
}

}  // namespace
}  // namespace waymark::replay
