#include "filters/odometer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <optional>

#include "waymark/geometry.h"

namespace waymark {
namespace {

constexpr LatLon kHere{52.5, 13.4};

Estimate At(double t_s, double east_m, double north_m, double ve_mps, double vn_mps,
            double r68_m = 3) {
  Estimate e;
  e.time = MonoTime(FromSeconds(t_s));
  e.position = LocalFrame(kHere).FromLocal({east_m, north_m});
  e.velocity_east_mps = ve_mps;
  e.velocity_north_mps = vn_mps;
  e.speed_sigma_mps = 0.1;
  e.r68_m = r68_m;
  return e;
}

// An even pseudo-random number in [-1, 1).
double Noise(std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<double>(static_cast<std::int64_t>(state)) * 0x1p-63;
}

TEST(Odometer, MeasuresAStraightWay) {
  Odometer odometer;
  for (int i = 0; i <= 100; ++i) odometer.Update(At(i, 10 * i, 0, 10, 0), Motion::kMoving);
  const Distance d = odometer.total();
  EXPECT_NEAR(d.distance_m, 1000, 0.01);
  EXPECT_GT(d.bound_m, 2);
  EXPECT_LT(d.bound_m, 15);
}

// One fix per `every_s` of a circle: chords would lose (turn^2)/24 of it.
void Circle(double every_s, double tolerance) {
  Odometer odometer;
  const double radius_m = 50, speed_mps = 10, omega = speed_mps / radius_m;
  const int n = static_cast<int>(2 * std::numbers::pi / omega / every_s) * 4;
  for (int i = 0; i <= n; ++i) {
    const double t = i * every_s, a = omega * t;
    odometer.Update(At(t, radius_m * std::sin(a), -radius_m * std::cos(a), speed_mps * std::cos(a),
                       speed_mps * std::sin(a)),
                    Motion::kMoving);
  }
  const double way_m = n * every_s * speed_mps;
  EXPECT_NEAR(odometer.total().distance_m, way_m, tolerance * way_m) << every_s;
}

TEST(Odometer, LosesNothingInTurns) {
  Circle(1, 1e-4);
  Circle(3, 1e-3);
  Circle(5, 5e-3);
  Circle(8, 0.03);
}

TEST(Odometer, IgnoresSidewaysJitterOfADrive) {
  Odometer odometer;
  std::uint64_t seed = 1;
  for (int i = 0; i <= 600; ++i) {
    odometer.Update(At(i, 15 * i + 3 * Noise(seed), 3 * Noise(seed), 15, 0.2 * Noise(seed)),
                    Motion::kMoving);
  }
  EXPECT_NEAR(odometer.total().distance_m, 9000, 13);
  EXPECT_NEAR(odometer.total().distance_m, 9000, odometer.total().bound_m);
}

TEST(Odometer, CountsNothingAtRestHoweverTheEstimateWanders) {
  Odometer odometer;
  std::uint64_t seed = 2;
  for (int i = 0; i <= 1800; ++i) {
    odometer.Update(At(i, 20 * Noise(seed), 20 * Noise(seed), Noise(seed), Noise(seed)),
                    Motion::kStationary);
  }
  EXPECT_EQ(odometer.total().distance_m, 0);
}

TEST(Odometer, AddsTheWayUntilTheStartWasNoticed) {
  Odometer odometer;
  for (int i = 0; i < 60; ++i) odometer.Update(At(i, 0, 0, 0, 0), Motion::kStationary);
  // The detector needs ten seconds.
  for (int i = 60; i <= 160; ++i) {
    odometer.Update(At(i, 10 * (i - 60), 0, 10, 0), i < 70 ? Motion::kStationary : Motion::kMoving);
  }
  EXPECT_NEAR(odometer.total().distance_m, 1000, 1);
}

// Rests and short ways between them, by position alone.
class Queue {
 public:
  void Rest(double east_m, int seconds = 30) {
    for (int i = 0; i < seconds; ++i)
      odometer.Update(At(t_++, east_m, 0, 0, 0), Motion::kStationary);
  }
  void Go(double from_m, double to_m) {
    const double v_mps = (to_m - from_m) / 10;
    for (int i = 1; i <= 10; ++i) {
      odometer.Update(At(t_++, from_m + v_mps * i, 0, v_mps, 0), Motion::kMoving);
    }
  }
  double distance_m() const { return odometer.total().distance_m; }
  Odometer odometer;

 private:
  int t_ = 0;
};

TEST(Odometer, AJumpThatComesBackIsNoWay) {
  Queue q;
  q.Rest(0);
  q.Go(0, 20);
  q.Go(20, 1);
  q.Rest(1);
  EXPECT_EQ(q.distance_m(), 0);
  // A far one, in one step, with a rest at its end.
  q.odometer.Update(At(80, 80, 0, 0, 0), Motion::kMoving);
  EXPECT_EQ(q.distance_m(), 0);
  EXPECT_GT(q.odometer.total().bound_m, 70);  // it may be one
  for (int t = 81; t < 100; ++t) q.odometer.Update(At(t, 80, 0, 0, 0), Motion::kStationary);
  for (int t = 100; t < 200; ++t) q.odometer.Update(At(t, 1, 0, 0, 0), Motion::kStationary);
  EXPECT_EQ(q.distance_m(), 0);
  EXPECT_LT(q.odometer.total().bound_m, 10);
}

TEST(Odometer, CountsAQueueThatMovesUpWithinAMinute) {
  Queue q;
  q.Rest(0);
  q.Go(0, 25);
  q.Rest(25, 60);
  EXPECT_NEAR(q.distance_m(), 25, 2);
  q.Go(25, 125);
  q.Go(125, 25);
  q.Rest(25);  // there and back for real: many steps
  EXPECT_NEAR(q.distance_m(), 225, 5);
}

TEST(Odometer, LosesNoneOfManyShortHops) {
  Queue q;
  double at_m = 0;
  q.Rest(0);
  for (int i = 0; i < 20; ++i) {
    q.Go(at_m, at_m + 12);
    at_m += 12;
    q.Rest(at_m, 20);
  }
  q.Rest(at_m, 60);
  EXPECT_NEAR(q.distance_m(), at_m, 0.1 * at_m);
  EXPECT_NEAR(q.distance_m(), at_m, q.odometer.total().bound_m);
}

// A receiver whose positions jitter as much as they move.
void Jittery(bool speed, bool course, double tolerance) {
  Odometer odometer;
  std::uint64_t seed = 3;
  for (int i = 0; i <= 1200; ++i) {
    Estimate e = At(i, 2 * i + 4 * Noise(seed), 4 * Noise(seed), 2 + Noise(seed), Noise(seed), 5);
    e.speed_sigma_mps = 0.6;
    Fix f;
    f.time = e.time;
    f.position = e.position;
    if (speed) f.speed_mps = 2;
    if (course) f.course_deg = 90;
    odometer.Update(e, Motion::kMoving, &f);
  }
  const Distance d = odometer.total();
  EXPECT_NEAR(d.distance_m, 2400, tolerance * 2400) << speed << course;
  EXPECT_NEAR(d.distance_m, 2400, d.bound_m) << speed << course;
}

TEST(Odometer, HoldsTheTruthWherePositionsJitter) {
  Jittery(true, false, 0.02);
  Jittery(true, true, 0.08);
  Jittery(false, false, 0.08);
}

// A source that says zero while it moves loses no way.
TEST(Odometer, BelievesPositionsAgainstSpeedsOfZero) {
  Odometer odometer;
  for (int i = 0; i <= 300; ++i) {
    const Estimate e = At(i, 10 * i, 0, 0, 0);
    Fix f;
    f.time = e.time;
    f.position = e.position;
    f.speed_mps = 0;
    odometer.Update(e, Motion::kMoving, &f);
  }
  EXPECT_NEAR(odometer.total().distance_m, 3000, 100);
}

// What a stop brings of noise while the detector still doubts it is taken back.
TEST(Odometer, TakesBackWhatNoiseWalkedBeforeARestWasSeen) {
  Odometer odometer;
  std::uint64_t seed = 4;
  for (int i = 0; i <= 60; ++i) odometer.Update(At(i, 10 * i, 0, 10, 0, 6), Motion::kMoving);
  for (int i = 61; i < 120; ++i) {
    odometer.Update(At(i, 600 + 4 * Noise(seed), 4 * Noise(seed), Noise(seed), Noise(seed), 6),
                    Motion::kMoving);
  }
  for (int i = 120; i < 200; ++i) odometer.Update(At(i, 600, 0, 0, 0, 6), Motion::kStationary);
  for (int i = 200; i <= 260; ++i) {
    odometer.Update(At(i, 600 + 10 * (i - 200), 0, 10, 0, 6), Motion::kMoving);
  }
  EXPECT_NEAR(odometer.total().distance_m, 1200, 15);
}

TEST(Odometer, HoldsBackWhatIsNotKnownToBeAWay) {
  Odometer odometer;
  for (int i = 0; i < 20; ++i) odometer.Update(At(i, 10 * i, 0, 10, 0), Motion::kUnknown);
  EXPECT_EQ(odometer.total().distance_m, 0);
  Odometer parked = odometer;
  odometer.Update(At(20, 200, 0, 10, 0), Motion::kMoving);
  EXPECT_NEAR(odometer.total().distance_m, 200, 0.1);
  parked.Update(At(20, 200, 0, 0, 0), Motion::kStationary);
  EXPECT_EQ(parked.total().distance_m, 0);
}

// The fix of a receiver that tells no speed.
Fix Blind(const Estimate& e) {
  Fix f;
  f.time = e.time;
  f.position = e.position;
  return f;
}

// The first fix of a session is off; the receiver then finds its place. It stands all the time.
TEST(Odometer, APlaceThatIsFoundLateIsNoWay) {
  Odometer odometer;
  for (int i = 0; i < 120; ++i) {
    const double off_m = i < 8 ? 60 : i < 12 ? 15.0 * (12 - i) : 0;
    const Estimate e = At(i, off_m, 0, i < 8 || i > 12 ? 0 : -15, 0);
    const Fix f = Blind(e);
    odometer.Update(e,
                    i < 5    ? Motion::kUnknown
                    : i < 30 ? Motion::kMoving
                             : Motion::kStationary,
                    &f);
  }
  EXPECT_LT(odometer.total().distance_m, 1);
}

// Someone in a building, by positions alone: what ends in a rest within the stay's surroundings is
// no trip and no way; who leaves them has gone all of it.
TEST(Odometer, MovesWithinAStayAreNoWayUntilItIsLeft) {
  Odometer odometer;
  int t = 0;
  const auto rest = [&](double east_m, int seconds) {
    for (int i = 0; i < seconds; ++i, ++t) {
      const Estimate e = At(t, east_m, 0, 0, 0);
      const Fix f = Blind(e);
      odometer.Update(e, Motion::kStationary, &f, i < 180 ? Way::kHeld : Way::kNone);
    }
  };
  const auto go = [&](double from_m, double to_m, bool speed) {
    const double v_mps = to_m > from_m ? 1.25 : -1.25;
    for (double at_m = from_m + v_mps; (to_m - at_m) * v_mps >= 0; at_m += v_mps, ++t) {
      const Estimate e = At(t, at_m, 0, v_mps, 0);
      Fix f = Blind(e);
      if (speed) f.speed_mps = 1.25;
      const bool left = speed || at_m > 75;
      odometer.Update(e, Motion::kMoving, &f,
                      speed  ? Way::kUsual
                      : left ? Way::kWalked
                             : Way::kHeld);
    }
  };
  rest(0, 240);
  go(0, 50, false);
  rest(50, 240);
  go(50, 5, false);
  rest(5, 240);
  EXPECT_EQ(odometer.total().distance_m, 0);
  EXPECT_GE(odometer.total().bound_m, 49.99);  // it may have been one
  go(5, 50, true);                             // a receiver that tells speeds is believed
  for (int i = 0; i < 60; ++i, ++t) {
    const Estimate e = At(t, 50, 0, 0, 0);
    const Fix f = Blind(e);
    odometer.Update(e, Motion::kStationary, &f);
  }
  EXPECT_NEAR(odometer.total().distance_m, 50, 6);
  rest(50, 240);
  go(50, 200, false);
  EXPECT_NEAR(odometer.total().distance_m, 200, 6);
}

// A stroll out and back that the detector took for a rest: not counted, but doubted.
TEST(Odometer, DoubtsAStrollThatWasTakenForARest) {
  Odometer odometer;
  for (int t = 0; t < 200; ++t) {
    const double out_m = t < 60 ? 0 : t < 100 ? 0.8 * (t - 60) : t < 140 ? 0.8 * (140 - t) : 0;
    const Estimate e = At(t, out_m, 0, 0.6, 0);
    const Fix f = Blind(e);
    odometer.Update(e, Motion::kStationary, &f);
  }
  EXPECT_EQ(odometer.total().distance_m, 0);
  EXPECT_GT(odometer.total().bound_m, 40);
}

// A car on a grid of streets, one position per `every_s`, no speeds: what is missing of the way,
// and what is missing of the chords.
void Grid(double every_s, double most) {
  Odometer odometer;
  const double speed_mps = 10, block_m = 130;
  double way_m = 0, chords_m = 0;
  Estimate before = At(0, 0, 0, 0, 0);
  for (int i = 0; i * every_s < 1800; ++i) {
    way_m = i * every_s * speed_mps;
    // Stairs: a corner after each block.
    const int blocks = static_cast<int>(way_m / block_m);
    const double rest_m = way_m - blocks * block_m;
    const double east_m = (blocks + 1) / 2 * block_m + (blocks % 2 == 0 ? rest_m : 0);
    const double north_m = blocks / 2 * block_m + (blocks % 2 == 0 ? 0 : rest_m);
    Estimate e = At(i * every_s, east_m, north_m, 0, 0);
    const EastNorth step = LocalFrame(before.position).ToLocal(e.position);
    chords_m += std::hypot(step.east_m, step.north_m);
    e.velocity_east_mps = step.east_m / every_s;  // as old as the last step
    e.velocity_north_mps = step.north_m / every_s;
    before = e;
    const Fix f = Blind(e);
    odometer.Update(e, Motion::kMoving, &f);
  }
  const Distance d = odometer.total();
  EXPECT_LT(std::abs(d.distance_m - way_m), most * (way_m - chords_m)) << every_s;
  EXPECT_NEAR(d.distance_m, way_m, d.bound_m) << every_s;
}

TEST(Odometer, GoesRoundCornersBetweenFixesFarApart) {
  Grid(5, 0.8);
  Grid(10, 1);
}

Fix Told(double speed_mps, std::optional<double> course_deg) {
  Fix fix;
  fix.speed_mps = speed_mps;
  fix.course_deg = course_deg;
  return fix;
}

// Some receivers tell slow speeds too low for minutes. Positions that jitter as much as they move
// hide it from one step to the next, not from one minute to the next.
TEST(Odometer, FindsSpeedsThatAreTooLowForMinutes) {
  for (const double low_mps : {0.0, 0.3}) {
    Odometer odometer;
    std::uint64_t seed = 5;
    const Fix fix = Told(2 - low_mps, 90);
    for (int i = 0; i <= 600; ++i) {
      const Estimate e =
          At(i, 2 * i + 2 * Noise(seed), 2 * Noise(seed), 2 - low_mps, 0.2 * Noise(seed));
      odometer.Update(e, Motion::kMoving, &fix);
    }
    EXPECT_NEAR(odometer.total().distance_m, 1200, 24) << low_mps;
  }
}

// A receiver that loses the sky where the road is slow and finds it at the next such place has gone
// faster in between.
TEST(Odometer, AGapIsNoShorterThanItsChord) {
  Odometer odometer;
  std::uint64_t seed = 6;
  const Fix fix = Told(4, 90);
  double at_m = 0, t_s = 0;
  for (int gap = 0; gap < 10; ++gap) {
    for (int i = 0; i < 10; ++i, ++t_s, at_m += 4) {
      odometer.Update(At(t_s, at_m + Noise(seed), Noise(seed), 4, 0), Motion::kMoving, &fix);
    }
    at_m += 156;
    t_s += 19;
  }
  const double way_m = 10 * 36 + 9 * 160;
  EXPECT_NEAR(odometer.total().distance_m, way_m, 0.05 * way_m);
}

// A slip road that turns by 270 degrees while the receiver is silent: the speeds and courses at
// both ends tell of it, the chord does not.
TEST(Odometer, FollowsALoopThatTheReceiverToldAtBothEnds) {
  Odometer odometer;
  const double radius_m = 60, speed_mps = 15, turn_rad = 1.5 * std::numbers::pi;
  const double gap_s = radius_m * turn_rad / speed_mps;
  for (int i = -20; i <= 0; ++i) {
    const Fix fix = Told(speed_mps, 90);
    odometer.Update(At(i + 20, speed_mps * i, 0, speed_mps, 0), Motion::kMoving, &fix);
  }
  // To the left, and over the road it came from: it goes on to the south.
  for (int i = 0; i <= 20; ++i) {
    const Fix fix = Told(speed_mps, 180);
    odometer.Update(At(20 + gap_s + i, -radius_m, radius_m - speed_mps * i, 0, -speed_mps),
                    Motion::kMoving, &fix);
  }
  const double way_m = speed_mps * (40 + gap_s);
  EXPECT_NEAR(odometer.total().distance_m, way_m, 0.07 * way_m);
  EXPECT_NEAR(odometer.total().distance_m, way_m, odometer.total().bound_m);
}

TEST(Odometer, TakesACourseOfMinusOneForNone) {
  Odometer odometer;
  std::uint64_t seed = 7;
  const Fix fix = Told(10, -1);
  for (int i = 0; i <= 600; ++i) {
    odometer.Update(At(i, 10 * i + 3 * Noise(seed), 3 * Noise(seed), 10, 0), Motion::kMoving, &fix);
  }
  EXPECT_NEAR(odometer.total().distance_m, 6000, 60);
}

// A track that began on another continent (a wrong first fix) and finds itself has not been there.
TEST(Odometer, ALeapThatNothingCanMakeIsNoWay) {
  Odometer odometer;
  Estimate away = At(-5, 0, 0, 0, 0);
  for (int i = 0; i < 3; ++i) {
    away.time = MonoTime(FromSeconds(-5 + i));
    away.position = {0.001, 0.001};
    odometer.Update(away, Motion::kMoving);
  }
  for (int i = 0; i <= 100; ++i) odometer.Update(At(i, 10 * i, 0, 10, 0), Motion::kMoving);
  EXPECT_NEAR(odometer.total().distance_m, 1000, 20);
}

TEST(Odometer, DoesNotCountTheWayOfABreak) {
  Odometer odometer;
  for (int i = 0; i <= 10; ++i) odometer.Update(At(i, 10 * i, 0, 10, 0), Motion::kMoving);
  odometer.Break();
  for (int i = 0; i <= 10; ++i) {
    odometer.Update(At(1000 + i, 9000 + 10 * i, 0, 10, 0), Motion::kMoving);
  }
  EXPECT_NEAR(odometer.total().distance_m, 200, 0.1);
}

TEST(Odometer, IgnoresWhatIsNotLaterOrNotANumber) {
  Odometer odometer;
  odometer.Update(At(0, 0, 0, 10, 0), Motion::kMoving);
  odometer.Update(At(1, 10, 0, 10, 0), Motion::kMoving);
  odometer.Update(At(1, 500, 0, 10, 0), Motion::kMoving);
  odometer.Update(At(0.5, 500, 0, 10, 0), Motion::kMoving);
  Estimate bad = At(2, 20, 0, 10, 0);
  bad.velocity_east_mps = std::nan("");
  odometer.Update(bad, Motion::kMoving);
  EXPECT_NEAR(odometer.total().distance_m, 10, 0.01);
}

TEST(Odometer, BoundsTheDifferenceOfTwoReadings) {
  Odometer odometer;
  for (int i = 0; i <= 100; ++i) odometer.Update(At(i, 10 * i, 0, 10, 0), Motion::kMoving);
  const Distance half = odometer.total();
  for (int i = 101; i <= 200; ++i) odometer.Update(At(i, 10 * i, 0, 10, 0), Motion::kMoving);
  const Distance way = Odometer::Between(half, odometer.total());
  EXPECT_NEAR(way.distance_m, 1000, 0.1);
  EXPECT_GT(way.bound_m, 0);
  EXPECT_LE(way.bound_m, odometer.total().bound_m);
}

void GoOnFromSnapshots(bool told) {
  Odometer straight;
  Odometer interrupted;
  std::uint64_t seed = 5;
  double last_m = 0;
  for (int i = 0; i < 300; ++i) {
    const Motion motion = i % 70 < 20   ? Motion::kStationary
                          : i % 70 < 22 ? Motion::kUnknown
                                        : Motion::kMoving;
    const double t_s = i < 150 ? i : 150 + 5 * (i - 150);  // then far apart
    const Estimate e = At(t_s, 5 * t_s + Noise(seed), Noise(seed), 5, 0);
    const Fix f = told ? Told(4.5, 80) : Blind(e);
    straight.Update(e, motion, &f);
    interrupted.Update(e, motion, &f);
    std::vector<std::byte> image;
    interrupted.Save(image);
    Odometer restored;
    ASSERT_TRUE(restored.Restore(image).ok());
    interrupted = restored;
    ASSERT_EQ(interrupted.total().distance_m, straight.total().distance_m) << i;
    ASSERT_EQ(interrupted.total().bound_m, straight.total().bound_m) << i;
    ASSERT_GE(straight.total().distance_m, last_m);
    last_m = straight.total().distance_m;
    for (const std::size_t n : {std::size_t{0}, image.size() / 2, image.size() - 1}) {
      ASSERT_EQ(restored.Restore(std::span(image).first(n)).code(), Code::kCorruption);
    }
  }
}

TEST(Odometer, GoesOnFromASnapshotAtAnyPoint) {
  for (const bool told : {false, true}) GoOnFromSnapshots(told);
}

}  // namespace
}  // namespace waymark
