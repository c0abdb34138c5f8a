#include "replay_tool/accuracy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "replay_tool/bootstrap.h"
#include "replay_tool/random.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

TruthTrack Straight(LatLon from, double course_deg, double speed_mps, int seconds) {
  std::vector<TruthPoint> points;
  for (int s = 0; s <= seconds; ++s) {
    points.push_back({s * 1000, Destination(from, course_deg, speed_mps * s)});
  }
  return TruthTrack::Create(std::move(points)).value();
}

TrackPoint At(std::int64_t utc_ms, LatLon position) {
  TrackPoint p;
  p.utc_ms = utc_ms;
  p.position = position;
  return p;
}

TEST(Quantile, InterpolatesBetweenOrderStatistics) {
  std::vector<double> x{40, 10, 30, 20};
  EXPECT_DOUBLE_EQ(Quantile(x, 0), 10);
  EXPECT_DOUBLE_EQ(Quantile(x, 0.5), 25);
  EXPECT_DOUBLE_EQ(Quantile(x, 0.95), 38.5);
  EXPECT_DOUBLE_EQ(Quantile(x, 1), 40);
  std::vector<double> one{7};
  EXPECT_DOUBLE_EQ(Quantile(one, 0.95), 7);
}

TEST(MeasureErrors, IsTheGeodesicDistanceEverywhere) {
  for (const LatLon place : {LatLon{50, 8}, LatLon{0, 0}, LatLon{-16.8, 179.9999},
                             LatLon{89.9999, 30}, LatLon{-90, 0}}) {
    const TruthTrack truth = Straight(place, 80, 10, 30);
    for (const double error_m : {0.001, 1.0, 250.0, 19'000.0, 400'000.0}) {
      const LatLon true_position = Destination(place, 80, 100);
      const LatLon wrong = Destination(true_position, 200, error_m);
      const TrackErrors errors = MeasureErrors(std::vector{At(10'000, wrong)}, truth);
      ASSERT_EQ(errors.error_m.size(), 1U);
      EXPECT_NEAR(errors.error_m[0], DistanceM(wrong, true_position), 1e-6 + error_m * 5e-7)
          << place.lat_deg << " " << error_m;
    }
  }
}

TEST(MeasureErrors, SplitsAlongAndAcross) {
  const TruthTrack truth = Straight({50, 8}, 90, 20, 60);
  const LatLon there = Destination({50, 8}, 90, 20 * 30);
  const LatLon wrong = Destination(Destination(there, 90, 3), 0, 4);
  const TrackErrors errors = MeasureErrors(std::vector{At(30'000, wrong)}, truth);
  ASSERT_EQ(errors.cross_m.size(), 1U);
  EXPECT_NEAR(errors.error_m[0], 5, 1e-3);
  EXPECT_NEAR(errors.cross_m[0], 4, 1e-2);
  EXPECT_NEAR(errors.along_m[0], 3, 1e-2);
}

TEST(MeasureErrors, CountsOnlyWhatTheTruthCovers) {
  const TruthTrack truth = Straight({50, 8}, 90, 20, 60);
  const std::vector<TrackPoint> track{At(-1, {50, 8}), At(0, {50, 8}), At(500, {50, 8}),
                                      At(60'000, {50, 8}), At(60'001, {50, 8})};
  EXPECT_EQ(MeasureErrors(track, truth).error_m.size(), 3U);
}

TEST(MeasureErrors, NormalisesByTheCovariance) {
  const TruthTrack truth = Straight({50, 8}, 90, 20, 60);
  const LatLon there = Destination({50, 8}, 90, 20 * 30);
  TrackPoint p = At(30'000, Destination(there, 90, 6));
  p.r68_m = 5.9;
  p.r95_m = 6.1;
  p.covariance = TrackPoint::Covariance{9, 0, 1};
  const TrackErrors errors = MeasureErrors(std::vector{p}, truth);
  ASSERT_EQ(errors.claims.size(), 1U);
  EXPECT_NEAR(*errors.claims[0].nees, 4, 1e-3);  // two sigmas east
  const CalibrationSummary s = *SummariseCalibration(errors.claims, 1);
  EXPECT_EQ(s.coverage68, 0);
  EXPECT_EQ(*s.coverage95, 1);
  EXPECT_EQ(*s.ellipse_coverage68, 0);
  EXPECT_EQ(*s.ellipse_coverage95, 1);
}

TEST(Summarise, MatchesASortedCopy) {
  Random random(2);
  std::vector<double> errors, times;
  double sum2 = 0;
  for (int i = 0; i < 5001; ++i) {
    errors.push_back(random.Exponential(3));
    times.push_back(i);
    sum2 += errors.back() * errors.back();
  }
  const AccuracySummary s = Summarise(errors, times, 1);
  std::sort(errors.begin(), errors.end());
  EXPECT_EQ(s.n, 5001U);
  EXPECT_DOUBLE_EQ(s.p50_m, errors[2500]);
  EXPECT_DOUBLE_EQ(s.p68_m, errors[3400]);
  EXPECT_DOUBLE_EQ(s.p95_m, errors[4750]);
  EXPECT_DOUBLE_EQ(s.p99_m, errors[4950]);
  EXPECT_DOUBLE_EQ(s.max_m, errors.back());
  EXPECT_NEAR(s.rmse_m, std::sqrt(sum2 / 5001), 1e-12);
  EXPECT_DOUBLE_EQ(s.score_m, (s.p50_m + s.p95_m) / 2);
  ASSERT_TRUE(s.p95_ci_m);
  EXPECT_LT(s.p95_ci_m->low, s.p95_m);
  EXPECT_GT(s.p95_ci_m->high, s.p95_m);
}

TEST(BlockBootstrap, SaysNothingAboutTwoBlocks) {
  const std::vector<double> times{0, 30, 59, 61, 100}, values{1, 2, 3, 4, 5};
  const BlockBootstrap bootstrap(times, 1);
  EXPECT_EQ(bootstrap.blocks(), 2U);
  EXPECT_FALSE(bootstrap.usable());
  EXPECT_FALSE(bootstrap.Mean(values));
  EXPECT_TRUE(bootstrap.QuantileReplicates(values, std::vector<double>{0.5}).empty());
}

TEST(BlockBootstrap, IsRepeatableAndSeeded) {
  Random random(4);
  std::vector<double> times, values;
  for (int i = 0; i < 3000; ++i) {
    times.push_back(i);
    values.push_back(random.Normal());
  }
  const Interval a = *BlockBootstrap(times, 1).Mean(values);
  const Interval b = *BlockBootstrap(times, 1).Mean(values);
  const Interval c = *BlockBootstrap(times, 2).Mean(values);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_NE(a.low, c.low);
}

// What an interval is for: over many repetitions it holds the true value about as often as it says,
// also for samples that are correlated within a block.
TEST(BlockBootstrap, CoversTheTruthOfCorrelatedSamples) {
  constexpr int kTrials = 200, kN = 3600;
  int mean_covered = 0, median_covered = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random(static_cast<std::uint64_t>(trial) + 100);
    const double keep = std::exp(-1 / 15.0);
    std::vector<double> times, values;
    double x = random.Normal();
    for (int i = 0; i < kN; ++i) {
      times.push_back(i);
      values.push_back(x);
      x = keep * x + std::sqrt(1 - keep * keep) * random.Normal();
    }
    const BlockBootstrap bootstrap(times, static_cast<std::uint64_t>(trial));
    const Interval mean = *bootstrap.Mean(values);
    mean_covered += mean.low <= 0 && 0 <= mean.high ? 1 : 0;
    const Interval median = BlockBootstrap::Central95(
        bootstrap.QuantileReplicates(values, std::vector<double>{0.5})[0]);
    median_covered += median.low <= 0 && 0 <= median.high ? 1 : 0;
  }
  EXPECT_GE(mean_covered, kTrials * 85 / 100);
  EXPECT_GE(median_covered, kTrials * 85 / 100);
  EXPECT_LE(mean_covered, kTrials * 99 / 100);
}

// One seldom block with large errors must widen the interval; drawing single samples would not.
TEST(BlockBootstrap, SeesThatErrorsComeInBursts) {
  std::vector<double> times, values;
  for (int i = 0; i < 1200; ++i) {
    times.push_back(i);
    values.push_back(i < 60 ? 100 : 1);
  }
  const Interval mean = *BlockBootstrap(times, 1).Mean(values);
  EXPECT_EQ(mean.low, 1);      // often the burst is not drawn
  EXPECT_GT(mean.high, 10.0);  // or twice and more
}

}  // namespace
}  // namespace waymark::replay
