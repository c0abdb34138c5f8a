#include "replay_tool/path_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

constexpr LatLon kHome{-16.8, 179.995};  // the tracks below cross the antimeridian

TrackPoint Point(std::int64_t utc_ms, LatLon position) {
  TrackPoint p;
  p.utc_ms = utc_ms;
  p.position = position;
  return p;
}

TruthTrack East(double speed_mps, int seconds) {
  std::vector<TruthPoint> points;
  for (int s = 0; s <= seconds; ++s) {
    points.push_back({s * 1000, Destination(kHome, 90, speed_mps * s)});
  }
  return TruthTrack::Create(points).value();
}

TEST(TrackCurve, HoldsDrawsAndBends) {
  TrackPoint a = Point(0, kHome), b = Point(10'000, Destination(kHome, 90, 100));
  a.speed_mps = b.speed_mps = 10;
  a.course_deg = b.course_deg = 90;
  const std::vector<TrackPoint> points{b, a};  // any order
  const LatLon middle = Destination(kHome, 90, 50);
  const auto error = [&](Interpolation i, LatLon expected) {
    return DistanceM(TrackCurve(points, i).At(5000)->position, expected);
  };
  EXPECT_LT(error(Interpolation::kHold, kHome), 1e-6);
  EXPECT_LT(error(Interpolation::kLinear, middle), 1e-3);
  EXPECT_LT(error(Interpolation::kHermite, middle), 1e-3);
  EXPECT_FALSE(TrackCurve(points, Interpolation::kLinear).At(10'001));
  EXPECT_FALSE(TrackCurve(points, Interpolation::kLinear).At(-1));
}

// A quarter turn of 100 m radius at 10 m/s in one piece of 15.7 s. The cubic's middle lies at
// R (sqrt(1/2) + sqrt(2) pi / 16) = 98.48 m, the straight line's at 70.7 m.
TEST(TrackCurve, FollowsATurn) {
  constexpr double kRadiusM = 100;
  const auto at = [&](double angle_deg) {
    TrackPoint p =
        Point(std::llround(angle_deg / 90 * 15'708), Destination(kHome, angle_deg, kRadiusM));
    p.speed_mps = 10;
    p.course_deg = angle_deg + 90;
    return p;
  };
  const TrackCurve curve({at(0), at(90)}, Interpolation::kHermite);
  const LatLon middle = curve.At(7854)->position;
  EXPECT_NEAR(DistanceM(middle, kHome), kRadiusM * (std::sqrt(0.5) + std::sqrt(2.0) * M_PI / 16),
              0.01);
  EXPECT_NEAR(curve.LengthM() / 157.08, 1, 0.01);
  const TrackCurve line({at(0), at(90)}, Interpolation::kLinear);
  EXPECT_NEAR(DistanceM(line.At(7854)->position, kHome), kRadiusM * std::sqrt(0.5), 0.1);
}

TEST(TrackCurve, APointWithoutVelocityBendsNothingAndAStandingOneStops) {
  TrackPoint a = Point(0, kHome), b = Point(10'000, Destination(kHome, 90, 100));
  const TrackCurve straight({a, b}, Interpolation::kHermite);
  EXPECT_NEAR(DistanceM(straight.At(2500)->position, kHome), 25, 1e-3);
  a.speed_mps = 0;
  b.speed_mps = 0;
  const TrackCurve eased({a, b}, Interpolation::kHermite);
  EXPECT_NEAR(DistanceM(eased.At(2500)->position, kHome), 15.625, 1e-3);  // 3u^2 - 2u^3
}

TEST(TrackCurve, SaysNothingInsideAGap) {
  const std::vector<TrackPoint> points{Point(0, kHome), Point(100'000, kHome)};
  const TrackCurve curve(points, Interpolation::kLinear, {{40'000, 60'000}});
  EXPECT_TRUE(curve.At(40'000));
  EXPECT_FALSE(curve.At(40'001));
  EXPECT_FALSE(curve.At(59'999));
  EXPECT_TRUE(curve.At(60'000));
}

TEST(ComparePath, AnOffsetTrackIsOffByItsOffset) {
  const TruthTrack truth = East(10, 300);
  std::vector<TrackPoint> points;
  for (int s = 0; s <= 300; ++s) {
    TrackPoint p = Point(s * 1000, Destination(Destination(kHome, 90, 10.0 * s), 0, 7));
    p.speed_mps = 11;
    p.course_deg = 88;
    points.push_back(p);
  }
  const PathSummary s = *ComparePath(TrackCurve(points, Interpolation::kLinear), truth);
  EXPECT_NEAR(s.frechet_m, 7, 0.01);
  EXPECT_NEAR(s.hausdorff_m, 7, 0.01);
  EXPECT_NEAR(*s.length_error_fraction, 0, 1e-5);
  EXPECT_NEAR(*s.speed_rmse_mps, 1, 1e-3);
  EXPECT_NEAR(*s.course_p95_deg, 2, 0.1);
}

// A track that is 4 s late is 40 m off at every instant, yet draws the right way: the Frechet
// distance forgives the delay, except for the ends.
TEST(ComparePath, FrechetForgivesADelayThatSynchronousErrorsDoNot) {
  const TruthTrack truth = East(10, 300);
  std::vector<TrackPoint> points;
  for (int s = 0; s <= 300; ++s) {
    points.push_back(Point(s * 1000, Destination(kHome, 90, 10.0 * std::max(0, s - 4))));
  }
  const PathSummary s = *ComparePath(TrackCurve(points, Interpolation::kLinear), truth);
  EXPECT_NEAR(s.frechet_m, 40, 0.1);  // the end is not reached
  EXPECT_NEAR(s.hausdorff_track_to_truth_m, 0, 1e-3);
  EXPECT_NEAR(s.hausdorff_truth_to_track_m, 40, 0.1);
}

TEST(ComparePath, ASpikeShowsInEveryPathMeasure) {
  const TruthTrack truth = East(10, 300);
  std::vector<TrackPoint> points;
  for (int s = 0; s <= 300; ++s) {
    points.push_back(
        Point(s * 1000, Destination(Destination(kHome, 90, 10.0 * s), 180, s == 150 ? 300 : 0)));
  }
  const PathSummary s = *ComparePath(TrackCurve(points, Interpolation::kLinear), truth);
  EXPECT_NEAR(s.frechet_m, 300, 0.5);
  EXPECT_NEAR(s.hausdorff_m, 300, 0.5);
  EXPECT_NEAR(s.length_m - s.truth_length_m, 2 * (std::hypot(300, 10) - 10), 0.5);
}

// An unknown velocity is not 0.
TEST(ComparePath, WhereTheTruthTellsNoSpeedNoneIsJudged) {
  std::vector<TruthPoint> points;
  std::vector<TrackPoint> track;
  for (int s = 0; s <= 100; s += 5) {
    points.push_back({s * 1000, Destination(kHome, 90, 20.0 * s)});
    track.push_back(Point(s * 1000, points.back().position));
    track.back().speed_mps = 20;
    track.back().course_deg = 90;
  }
  for (int s = 105; s <= 130; s += 5) {  // a rest, whose velocity is known over any gap
    points.push_back({s * 1000, points.back().position});
    track.push_back(Point(s * 1000, points.back().position));
    track.back().speed_mps = 0;
  }
  const PathSummary sparse = *ComparePath(TrackCurve(track, Interpolation::kLinear),
                                          TruthTrack::Create(points, 2).value());
  EXPECT_FALSE(sparse.speed_rmse_mps);
  EXPECT_FALSE(sparse.course_p95_deg);
  const PathSummary bridged = *ComparePath(TrackCurve(track, Interpolation::kLinear),
                                           TruthTrack::Create(points, 5).value());
  EXPECT_LT(*bridged.speed_rmse_mps, 3);  // in whole steps of 5 s it does not stop at once
}

TEST(ComparePath, NeedsTwoSharedInstants) {
  const TruthTrack truth = East(10, 10);
  EXPECT_FALSE(ComparePath(TrackCurve({Point(99'000, kHome)}, Interpolation::kLinear), truth));
  EXPECT_FALSE(ComparePath(TrackCurve({}, Interpolation::kLinear), truth));
}

TEST(Phantom, CountsOnlyWithinTheRests) {
  std::vector<TrackPoint> points;
  for (int s = 0; s <= 100; ++s) {
    points.push_back(Point(s * 1000, Destination(kHome, 0, s % 2)));  // a metre to and fro
  }
  const TrackCurve track(points, Interpolation::kLinear);
  const std::vector<Span> rests{{10'000, 20'000}, {50'000, 55'500}};
  EXPECT_NEAR(PhantomM(track, rests), 15.5, 1e-6);
}

}  // namespace
}  // namespace waymark::replay
