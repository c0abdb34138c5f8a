#include "waymark/geometry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace waymark {
namespace {

TEST(DistanceM, KnowsPublishedLines) {
  // JFK to London Heathrow, the example of GeographicLib's manual.
  EXPECT_NEAR(DistanceM({40.6, -73.8}, {51.6, -0.5}), 5551759.4, 0.1);
  EXPECT_EQ(DistanceM({10, 20}, {10, 20}), 0);
  // Half the meridian.
  EXPECT_NEAR(DistanceM({90, 0}, {-90, 0}), 20003931.4586, 1e-3);
}

TEST(LocalFrame, MapsItsOriginToZeroExactly) {
  for (const LatLon p : {LatLon{0, 0}, LatLon{90, 0}, LatLon{-90, 17}, LatLon{48.1, -180}}) {
    const LocalFrame frame(p);
    const EastNorth at = frame.ToLocal(p);
    EXPECT_EQ(at.east_m, 0);
    EXPECT_EQ(at.north_m, 0);
    EXPECT_EQ(frame.FromLocal({0, 0}), p);
  }
}

TEST(LocalFrame, IsTheEquatorsWhenMadeByDefault) {
  const LocalFrame made_by_default, at_zero(LatLon{0, 0});
  const LatLon p{0.05, -0.03};
  EXPECT_DOUBLE_EQ(made_by_default.ToLocal(p).east_m, at_zero.ToLocal(p).east_m);
  EXPECT_DOUBLE_EQ(made_by_default.ToLocal(p).north_m, at_zero.ToLocal(p).north_m);
}

TEST(LocalFrame, CrossesTheAntimeridianAndThePole) {
  const LocalFrame fiji({-17, 179.999});
  EXPECT_NEAR(fiji.ToLocal({-17, -179.999}).east_m, DistanceM({-17, 179.999}, {-17, -179.999}),
              1e-6);
  EXPECT_NEAR(fiji.FromLocal({1000, 0}).lon_deg, -179.9916, 1e-3);
  const LocalFrame pole({89.999, 0});
  const EastNorth beyond = pole.ToLocal({89.999, -180});
  EXPECT_NEAR(beyond.north_m, DistanceM({89.999, 0}, {89.999, -180}), 1e-6);
  EXPECT_NEAR(beyond.east_m, 0, 1e-6);
}

TEST(LocalFrame, GivesNoNumberForNoNumber) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const LocalFrame frame({10, 10});
  EXPECT_TRUE(std::isnan(frame.ToLocal({nan, 10}).east_m));
  EXPECT_TRUE(std::isnan(frame.FromLocal({nan, 0}).lat_deg));
}

TEST(LocalFrame, TurnsNorthAgainstTheClockEastOfTheOriginInTheNorth) {
  const LocalFrame frame({60, 10});
  EXPECT_LT(frame.ConvergenceRad({60, 10.1}), 0);
  EXPECT_GT(frame.ConvergenceRad({60, 9.9}), 0);
  EXPECT_GT(LocalFrame({-60, 10}).ConvergenceRad({-60, 10.1}), 0);
  EXPECT_NEAR(frame.ConvergenceRad({60, 10.1}), -0.1 * 0.8660254 * 3.14159265 / 180, 1e-6);
}

}  // namespace
}  // namespace waymark
