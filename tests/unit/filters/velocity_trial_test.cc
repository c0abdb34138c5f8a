#include "filters/velocity_trial.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "support/simulated_drive.h"

namespace waymark {
namespace {

using test::Random;

// A car that goes 15 m/s round gentle bends, by a receiver that errs by half a metre a step.
class Car {
 public:
  explicit Car(std::uint64_t seed) : random_(seed) {}
  /// One second on. `told` makes of the velocity what the receiver tells of it.
  template <typename Tell>
  VelocityTrial::Step Next(const Tell& told) {
    course_ += 0.05 * std::sin(0.05 * t_++);
    const Vec2 v{15 * std::sin(course_), 15 * std::cos(course_)};
    return {v + Vec2{0.5 * random_.Normal(), 0.5 * random_.Normal()}, 1, 0.25, told(v), 0.1};
  }

 private:
  Random random_;
  double course_ = 0, t_ = 0;
};

const auto kTrue = [](Vec2 v) { return v; };
const auto kKmh = [](Vec2 v) { return 3.6 * v; };
const auto kReversed = [](Vec2 v) { return -1.0 * v; };
const auto kNorth = [](Vec2 v) { return Vec2{0, v.norm()}; };
const auto kKnots = [](Vec2 v) { return 1.94 * v; };

TEST(VelocityTrial, VelocitiesThatFitAreNeverDenied) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Car car(seed);
    VelocityTrial trial;
    for (int i = 0; i < 3600; ++i) {
      EXPECT_FALSE(trial.Add(car.Next(kTrue)));
      ASSERT_FALSE(trial.denied()) << "seed " << seed << " at " << i;
    }
  }
}

template <typename Tell>
int DeniedAfter(const Tell& told, int fitting_s) {
  Car car(7);
  VelocityTrial trial;
  for (int i = 0; i < fitting_s; ++i) trial.Add(car.Next(kTrue));
  for (int i = 1; i < 600; ++i) {
    if (trial.Add(car.Next(told))) return i;
  }
  return 600;
}

TEST(VelocityTrial, VelocitiesOfAnotherKindAreDeniedWithinSeconds) {
  EXPECT_EQ(DeniedAfter(kKmh, 0), 8);
  EXPECT_EQ(DeniedAfter(kKnots, 0), 8);
  EXPECT_EQ(DeniedAfter(kReversed, 0), 8);
  EXPECT_LT(DeniedAfter(kNorth, 0), 60);  // it leaves to the north
  EXPECT_EQ(DeniedAfter(kKmh, 600), 14) << "who has fitted is believed for longer";
}

TEST(VelocityTrial, AWayThatMovesOffSuddenlyDeniesNothing) {
  for (const double off_mps : {8.0, 30.0, 150.0}) {
    Car car(3);
    VelocityTrial trial;
    for (int i = 0; i < 600; ++i) {
      VelocityTrial::Step step = car.Next(kTrue);
      if (i % 60 >= 40) step.way = step.way + Vec2{off_mps, 0};               // for 20 s,
      if (i % 60 == 0 && i > 0) step.way = step.way - Vec2{20 * off_mps, 0};  // and back
      trial.Add(step);
      ASSERT_FALSE(trial.denied()) << off_mps << " m/s, at " << i;
    }
  }
}

TEST(VelocityTrial, APositionToldAgainIsNoWitness) {
  Car car(4);
  VelocityTrial trial;
  for (int i = 0; i < 600; ++i) {
    VelocityTrial::Step step = car.Next(kTrue);
    if (i % 60 < 40) {
      trial.Add(step);
    } else {
      trial.Repeat();
    }
    ASSERT_FALSE(trial.denied()) << i;
  }
}

TEST(VelocityTrial, ADeniedReceiverIsBelievedAgainOnceItFits) {
  Car car(5);
  VelocityTrial trial;
  for (int i = 0; i < 60; ++i) trial.Add(car.Next(kKmh));
  ASSERT_TRUE(trial.denied());
  int again = 0;
  while (trial.denied() && again < 600) {
    trial.Add(car.Next(kTrue));
    ++again;
  }
  EXPECT_GE(again, 28);
  EXPECT_LE(again, 120);
}

TEST(VelocityTrial, OnlyWhatIsSeenCounts) {
  VelocityTrial trial;  // a walker by a receiver that errs by 10 m: km/h or not cannot be seen
  Random random(6);
  for (int i = 0; i < 600; ++i) {
    trial.Add({{10 * random.Normal(), 1.4 + 10 * random.Normal()}, 1, 100, {0, 5}, 0.1});
    ASSERT_FALSE(trial.denied()) << i;
  }
}

TEST(VelocityTrial, GoesOnWhenTheAxesTurnAndFromASnapshot) {
  Car car(8);
  VelocityTrial trial, turned;
  const double angle = 2;
  const SinCos turn{std::sin(angle), std::cos(angle)};
  for (int i = 0; i < 200; ++i) {
    VelocityTrial::Step step = car.Next(kKmh);
    if (i % 30 > 20) step.velocity = step.way;
    trial.Add(step);
    if (i >= 5) {
      step.way = Turn(step.way, turn);
      step.velocity = Turn(step.velocity, turn);
    }
    turned.Add(step);
    if (i == 4) turned.TurnAxes(turn);
    std::vector<std::byte> image;
    StateWriter w(image);
    turned.Save(w);
    VelocityTrial restored;
    StateReader r(image);
    restored.Load(r);
    ASSERT_TRUE(r.done());
    turned = restored;
    ASSERT_EQ(trial.denied(), turned.denied()) << i;
  }
}

}  // namespace
}  // namespace waymark
