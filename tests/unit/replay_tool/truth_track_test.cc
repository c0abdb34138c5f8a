#include "replay_tool/truth_track.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

constexpr LatLon kHome{50.1, 8.7};

TEST(TruthTrack, InterpolatesAndGivesTheVelocity) {
  const TruthTrack truth = TruthTrack::Create({{0, kHome},
                                               {1000, Destination(kHome, 90, 10)},
                                               {2000, Destination(kHome, 90, 20)},
                                               {3000, Destination(kHome, 90, 30)}})
                               .value();
  const TruthTrack::State s = *truth.At(1250);
  EXPECT_NEAR(DistanceM(FromEcef(s.position), Destination(kHome, 90, 12.5)), 0, 1e-4);
  EXPECT_NEAR(Norm(*s.velocity), 10, 1e-4);
  EXPECT_FALSE(truth.At(-1));
  EXPECT_FALSE(truth.At(3001));
  EXPECT_TRUE(truth.At(3000));
}

TEST(TruthTrack, SortsAndKeepsTheFirstOfEqualTimes) {
  const TruthTrack truth =
      TruthTrack::Create(
          {{1000, Destination(kHome, 0, 5)}, {0, kHome}, {1000, Destination(kHome, 0, 500)}})
          .value();
  EXPECT_EQ(truth.times_ms().size(), 2U);
  EXPECT_NEAR(Norm(truth.At(1000)->position - ToEcef(kHome)), 5, 1e-6);
}

TEST(TruthTrack, DoesNotGuessOverAGap) {
  const TruthTrack truth = TruthTrack::Create({{0, kHome},
                                               {1000, Destination(kHome, 90, 10)},
                                               {11'000, Destination(kHome, 90, 200)},
                                               {12'000, Destination(kHome, 90, 210)}})
                               .value();
  EXPECT_TRUE(truth.At(1000));
  EXPECT_FALSE(truth.At(1001));
  EXPECT_FALSE(truth.At(10'999));
  EXPECT_TRUE(truth.At(11'000));
  // The velocity on either side does not reach over the gap.
  EXPECT_NEAR(Norm(*truth.At(1000)->velocity), 10, 1e-4);
  EXPECT_NEAR(Norm(*truth.At(11'000)->velocity), 10, 1e-4);
  EXPECT_TRUE(
      TruthTrack::Create({{0, kHome}, {9000, Destination(kHome, 0, 90)}}, 10).value().At(4000));
}

TEST(TruthTrack, AnInstantAloneTellsNoVelocity) {
  const TruthTrack truth = TruthTrack::Create({{0, kHome},
                                               {5000, Destination(kHome, 90, 50)},
                                               {6000, Destination(kHome, 90, 60)},
                                               {11'000, Destination(kHome, 90, 110)}})
                               .value();
  for (const std::int64_t alone : {0, 11'000}) {
    ASSERT_TRUE(truth.At(alone));
    EXPECT_FALSE(truth.At(alone)->velocity) << alone;
  }
  EXPECT_NEAR(Norm(*truth.At(5000)->velocity), 10, 1e-4);
  EXPECT_EQ(truth.KnownSpans(), (std::vector<Span>{{5000, 6000}}));
}

TEST(TruthTrack, AKnownPointWrittenTwiceHoldsBetween) {
  const TruthTrack truth = TruthTrack::Create({{0, kHome}, {300'000, kHome}}).value();
  EXPECT_NEAR(Norm(truth.At(123'456)->position - ToEcef(kHome)), 0, 1e-6);
  EXPECT_EQ(truth.StationarySpans(10), (std::vector<Span>{{0, 300'000}}));
  EXPECT_EQ(truth.length_m(), 0);
}

TEST(TruthTrack, NeedsTwoInstants) {
  EXPECT_FALSE(TruthTrack::Create({}).ok());
  EXPECT_FALSE(TruthTrack::Create({{5, kHome}, {5, kHome}}).ok());
}

// A circle of 60 m radius at 10 m/s in whole seconds: chords would be 0.12 % short.
TEST(TruthTrack, MeasuresTheLengthOfTheCurve) {
  std::vector<TruthPoint> points;
  for (int s = 0; s <= 600; ++s) {
    points.push_back({s * 1000, Destination(kHome, s * 10.0 / 60 * 180 / M_PI, 60)});
  }
  const TruthTrack truth = TruthTrack::Create(points).value();
  EXPECT_NEAR(truth.length_m() / 6000, 1, 5e-4);
  EXPECT_NEAR(truth.LengthBetweenM(100'000, 200'000), 1000, 1);
  EXPECT_EQ(truth.LengthBetweenM(200'000, 100'000), 0);
}

TEST(TruthTrack, FindsRestsAndDoesNotCountTheirTremble) {
  std::vector<TruthPoint> points;
  double north_m = 0;
  for (int t = 0; t <= 1200; ++t) {  // 10 Hz: 40 s driving, 40 s trembling by 2 cm, 40 s driving
    if (t <= 400 || t > 800) north_m += 1;
    const double tremble_m = t > 400 && t <= 800 ? 0.02 * (t % 2) : 0;
    points.push_back({t * 100, Destination(kHome, 0, north_m + tremble_m)});
  }
  const TruthTrack truth = TruthTrack::Create(points).value();
  const std::vector<Span> rests = truth.StationarySpans(10);
  ASSERT_EQ(rests.size(), 1U);
  EXPECT_LE(std::abs(rests[0].begin_ms - 40'000), 700);
  EXPECT_LE(std::abs(rests[0].end_ms - 80'000), 700);
  // It stops and starts within 0.1 s, which no velocity over a second can follow: 1 m each.
  EXPECT_NEAR(truth.length_m(), 800, 2);
}

}  // namespace
}  // namespace waymark::replay
