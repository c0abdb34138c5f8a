#include "replay_tool/portable_math.h"

#include <gtest/gtest.h>

#include <cmath>

#include "replay_tool/random.h"

namespace waymark::replay {
namespace {

// Oracle: the C library in extended precision. Bound: 4 ulp, absolute below 1.
void ExpectClose(double ours, long double oracle) {
  const long double scale = std::max(1.0L, std::abs(oracle));
  EXPECT_LE(std::abs(static_cast<long double>(ours) - oracle), 4 * 1.2e-16L * scale)
      << static_cast<double>(oracle);
}

TEST(PortableMath, AgreesWithTheLibrary) {
  Random random(11);
  for (int i = 0; i < 20'000; ++i) {
    const double positive = random.Uniform(1e-9, 50);
    ExpectClose(PortableLog(positive), std::log(static_cast<long double>(positive)));
    const double x = random.Uniform(-20, 20);
    const long double e = std::exp(static_cast<long double>(x));
    EXPECT_NEAR(PortableExp(x) / static_cast<double>(e), 1, 1e-15);
    const double angle = random.Uniform(-100, 100);
    EXPECT_NEAR(PortableSin(angle), std::sin(angle), 1e-14);
    EXPECT_NEAR(PortableCos(angle), std::cos(angle), 1e-14);
    const double y = random.Uniform(-5, 5);
    ExpectClose(PortableAtan2(y, x), std::atan2(static_cast<long double>(y), x));
  }
}

TEST(PortableMath, KnowsTheCorners) {
  EXPECT_EQ(PortableLog(1), 0);
  EXPECT_EQ(PortableExp(0), 1);
  EXPECT_EQ(PortableSin(0), 0);
  EXPECT_EQ(PortableCos(0), 1);
  EXPECT_EQ(PortableAtan2(0, 0), 0);
  EXPECT_EQ(PortableAtan2(0, 1), 0);
  EXPECT_DOUBLE_EQ(PortableAtan2(0, -1), M_PI);
  EXPECT_DOUBLE_EQ(PortableAtan2(1, 0), M_PI / 2);
  EXPECT_DOUBLE_EQ(PortableAtan2(-1, 0), -M_PI / 2);
}

}  // namespace
}  // namespace waymark::replay
