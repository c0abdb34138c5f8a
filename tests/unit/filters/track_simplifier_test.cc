#include "filters/track_simplifier.h"

#include <gtest/gtest.h>

#include <cmath>

#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::seconds;

Estimate At(double t_s, double east_m, double north_m, double ve_mps, double vn_mps) {
  Estimate e;
  e.time = MonoTime(FromSeconds(t_s));
  e.position = LocalFrame({52.5, 13.4}).FromLocal({east_m, north_m});
  e.velocity_east_mps = ve_mps;
  e.velocity_north_mps = vn_mps;
  e.speed_sigma_mps = 0.1;
  return e;
}

std::vector<double> Times(const std::vector<Estimate>& knots) {
  std::vector<double> out;
  for (const Estimate& e : knots) {
    out.push_back(static_cast<double>(e.time.time_since_epoch().count() / 1'000'000) / 1000);
  }
  return out;
}

TEST(TrackSimplifier, NeedsTwoKnotsForAStraightWayOfOneSpeed) {
  TrackSimplifier simplifier;
  std::vector<Estimate> knots;
  for (int i = 0; i <= 200; ++i) simplifier.Push(At(i, 15 * i, 0, 15, 0), knots);
  simplifier.Flush(knots);
  EXPECT_EQ(Times(knots), (std::vector<double>{0, 200}));
}

TEST(TrackSimplifier, FollowsAQuarterTurnWithAFewKnots) {
  SimplifierOptions options;
  options.max_error_m = 2;
  TrackSimplifier simplifier(options);
  std::vector<Estimate> knots;
  const double r = 60, v = 10;
  for (int i = 0; i <= 60; ++i) {
    const double way = v * i - 250;  // straight, a quarter of a circle, straight
    const double a = std::clamp(way / r, 0.0, 1.5707963267948966);
    const double before = std::min(way, 0.0), after = std::max(way - r * 1.5707963267948966, 0.0);
    simplifier.Push(At(i, r * std::sin(a) + before, r * (1 - std::cos(a)) + after, v * std::cos(a),
                       v * std::sin(a)),
                    knots);
  }
  simplifier.Flush(knots);
  EXPECT_LE(knots.size(), 5u);
}

TEST(TrackSimplifier, MakesAnchorsKnots) {
  TrackSimplifier simplifier;
  std::vector<Estimate> knots;
  for (int i = 0; i < 10; ++i) simplifier.Push(At(i, 10 * i, 0, 10, 0), knots);
  simplifier.Anchor(At(9, 90, 0, 10, 0), knots);  // the newest itself
  simplifier.Anchor(At(12.5, 125, 0, 10, 0), knots);
  for (int i = 13; i < 20; ++i) simplifier.Push(At(i, 10 * i, 0, 10, 0), knots);
  simplifier.Flush(knots);
  EXPECT_EQ(Times(knots), (std::vector<double>{0, 9, 12.5, 19}));
}

TEST(TrackSimplifier, BeginsANewTrackAfterFlush) {
  TrackSimplifier simplifier;
  std::vector<Estimate> knots;
  simplifier.Push(At(0, 0, 0, 1, 0), knots);
  simplifier.Flush(knots);
  simplifier.Flush(knots);
  EXPECT_EQ(knots.size(), 1u);
  simplifier.Push(At(5, 5, 0, 1, 0), knots);
  EXPECT_EQ(Times(knots), (std::vector<double>{0, 5}));
}

std::vector<double> Select(const SimplifierOptions& options) {
  TrackSimplifier simplifier(options);
  std::vector<Estimate> knots;
  for (int i = 0; i <= 20; ++i) simplifier.Push(At(i, 10 * i, 0, 10, 0), knots);
  for (int i = 21; i <= 40; ++i) simplifier.Push(At(i, 200, 10 * (i - 20), 0, 10), knots);
  return Times(knots);
}

TEST(TrackSimplifier, SelectsByDistanceTimeAndTurnWithoutACurveBound) {
  SimplifierOptions all;
  all.max_error_m.reset();
  EXPECT_EQ(Select(all).size(), 41u);
  SimplifierOptions distance = all;
  distance.max_distance_m = 95;
  EXPECT_EQ(Select(distance), (std::vector<double>{0, 10, 20, 30, 40}));
  SimplifierOptions time = all;
  time.max_interval = seconds(15);
  EXPECT_EQ(Select(time), (std::vector<double>{0, 15, 30}));
  SimplifierOptions turn = all;
  turn.max_turn_deg = 30;
  EXPECT_EQ(Select(turn), (std::vector<double>{0, 21}));
  SimplifierOptions apart = all;
  apart.min_distance_m = 25;
  EXPECT_EQ(Select(apart),
            (std::vector<double>{0, 3, 6, 9, 12, 15, 18, 22, 25, 28, 31, 34, 37, 40}));
}

TEST(TrackSimplifier, HoldsStillWhileTheEstimateWandersWithinTheMinimumDistance) {
  SimplifierOptions options;
  options.max_error_m = 3;
  options.min_distance_m = 25;
  TrackSimplifier simplifier(options);
  std::vector<Estimate> knots;
  for (int i = 0; i < 200; ++i) {
    simplifier.Push(At(i, 8 * std::sin(i), 8 * std::cos(1.7 * i), 0, 0), knots);
  }
  simplifier.Flush(knots);
  EXPECT_EQ(knots.size(), 2u);
}

TEST(TrackSimplifier, IgnoresWhatIsNotLaterOrNotANumber) {
  SimplifierOptions options;
  options.max_error_m.reset();
  TrackSimplifier simplifier(options);
  std::vector<Estimate> knots;
  simplifier.Push(At(5, 0, 0, 0, 0), knots);
  simplifier.Push(At(5, 1, 0, 0, 0), knots);
  simplifier.Push(At(4, 2, 0, 0, 0), knots);
  Estimate bad = At(6, 3, 0, 0, 0);
  bad.position.lat_deg = std::nan("");
  simplifier.Push(bad, knots);
  EXPECT_EQ(Times(knots), (std::vector<double>{5}));
}

}  // namespace
}  // namespace waymark
