#include "filters/altitude_filter.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "support/simulated_drive.h"

namespace waymark {
namespace {

using test::Random;

constexpr std::uint64_t kSeeds = 50;

MonoTime At(double s) { return MonoTime(FromSeconds(s)); }

// The model as the head of altitude_filter.h writes it, in matrices.
struct Dense {
  Eigen::Vector2d x;
  Eigen::Matrix2d p;

  Dense(double altitude_m, double sigma_m) : x(altitude_m, 0) { p << sigma_m * sigma_m, 0, 0, 4; }
  void Predict(double dt) {
    Eigen::Matrix2d f, q;
    f << 1, dt, 0, 1;
    q << dt * dt * dt / 3, dt * dt / 2, dt * dt / 2, dt;
    x = f * x;
    p = f * p * f.transpose() + 0.1 * q;
  }
  void Update(double altitude_m, double sigma_m) {
    const Eigen::RowVector2d h(1, 0);
    const double r = sigma_m * sigma_m, s = (h * p * h.transpose())(0) + r;
    const Eigen::Vector2d k = p * h.transpose() / s;
    x += k * (altitude_m - x(0));
    const Eigen::Matrix2d rest = Eigen::Matrix2d::Identity() - k * h;
    p = (rest * p * rest.transpose() + k * r * k.transpose()).eval();
  }
  double Spread(double sigma_m) const { return std::sqrt(p(0, 0) + sigma_m * sigma_m); }
};

TEST(AltitudeFilter, IsTheDenseKalmanFilter) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random r(seed);
    double t = 100, sigma_m = r.Uniform(1, 20), altitude_m = r.Uniform(-100, 3000);
    AltitudeFilter filter;
    filter.Update(At(t), altitude_m, sigma_m);
    Dense dense(altitude_m, sigma_m);
    for (int i = 0; i < 100; ++i) {
      const double dt = i % 10 == 9 ? r.Uniform(5, 100) : r.Uniform(0.1, 3);
      t += dt;
      dense.Predict(Seconds(At(t) - filter.time()));
      sigma_m = r.Uniform(1, 20);
      // As far off as is likely, within the gate of four sigmas.
      altitude_m = dense.x(0) + dense.Spread(sigma_m) * std::clamp(r.Normal(), -3.9, 3.9);
      filter.Update(At(t), altitude_m, sigma_m);
      dense.Update(altitude_m, sigma_m);
      for (const double ahead_s : {0.0, 1.0, 7.5}) {
        Dense then = dense;
        then.Predict(ahead_s);
        ASSERT_NEAR(filter.AltitudeM(ahead_s), then.x(0), 1e-6);
        ASSERT_NEAR(filter.SigmaM(ahead_s), then.Spread(2), 1e-6);
      }
    }
  }
}

// What lies beyond the gate leaves no trace, be it one or as many as a burst has.
TEST(AltitudeFilter, OutliersAreAsIfTheyHadNotBeen) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random r(seed);
    AltitudeFilter with, without;
    std::size_t burst = 0, kept = 0;
    for (int i = 0; i < 300; ++i) {
      const MonoTime t = At(100 + i);
      if (burst == 0 && kept > 5 && r.Uniform() < 0.1) burst = 1 + r.Bits() % 6;
      if (burst > 0) {
        const double off_m = r.Uniform(80, 2000);
        with.Update(t, 500 + (r.Bits() % 2 == 0 ? off_m : -off_m), 3);
        if (--burst == 0) kept = 0;
        continue;
      }
      ++kept;
      const double altitude_m = 500 + std::clamp(3 * r.Normal(), -6.0, 6.0);
      with.Update(t, altitude_m, 3);
      without.Update(t, altitude_m, 3);
      ASSERT_NEAR(with.AltitudeM(0), without.AltitudeM(0), 1e-6) << i;
      ASSERT_NEAR(with.SigmaM(3), without.SigmaM(3), 1e-6) << i;
    }
  }
}

// A lift, or a receiver that has found its error: one more than the longest burst is the truth.
TEST(AltitudeFilter, FollowsAStepThatLasts) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random r(seed);
    const double step_m = r.Uniform(100, 500) * (seed % 2 == 0 ? 1 : -1);
    AltitudeFilter filter;
    int followed_after = 0;
    for (int i = 0; i < 40; ++i) {
      filter.Update(At(100 + i), (i < 20 ? 0 : step_m) + 3 * r.Normal(), 3);
      const bool follows = std::fabs(filter.AltitudeM(0) - step_m) < 20;
      if (i >= 20 && followed_after == 0 && follows) followed_after = i - 19;
      ASSERT_EQ(follows, followed_after > 0) << i;
    }
    EXPECT_EQ(followed_after, 7);
  }
}

// 10 % at 15 m/s, up or down.
TEST(AltitudeFilter, FollowsARamp) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random r(seed);
    const double climb_mps = seed % 2 == 0 ? 1.5 : -1.5;
    AltitudeFilter filter;
    double late_m = 0, late_ahead_m = 0;
    for (int i = 0; i < 60; ++i) {
      const double truth_m = 500 + climb_mps * std::max(0, i - 10);
      filter.Update(At(100 + i), truth_m + r.Normal(), 1);
      ASSERT_NEAR(filter.AltitudeM(0), truth_m, 4) << i;
      if (i < 20) continue;
      late_m += (truth_m - filter.AltitudeM(0)) / 40;
      late_ahead_m += (truth_m + 5 * climb_mps - filter.AltitudeM(5)) / 40;
    }
    EXPECT_NEAR(late_m, 0, 0.6);
    EXPECT_NEAR(late_ahead_m, 0, 2);
  }
}

// No climb goes on unseen for longer than ten seconds.
TEST(AltitudeFilter, DoesNotClimbForever) {
  AltitudeFilter filter;
  for (int i = 0; i < 60; ++i) filter.Update(At(100 + i), 2 * i, 1);
  EXPECT_NEAR(filter.AltitudeM(10) - filter.AltitudeM(0), 20, 1);
  EXPECT_EQ(filter.AltitudeM(60), filter.AltitudeM(10));
  EXPECT_GT(filter.SigmaM(60), 2 * filter.SigmaM(10));
}

TEST(AltitudeFilter, BeginsAnewAfterAGapAndTakesNothingFromThePast) {
  AltitudeFilter filter;
  for (int i = 0; i < 60; ++i) filter.Update(At(100 + i), 2 * i, 1);
  const double before_m = filter.AltitudeM(0);
  filter.Update(At(150), 0, 1);
  EXPECT_EQ(filter.AltitudeM(0), before_m);
  filter.Update(At(159 + 121), 3000, 3);
  EXPECT_EQ(filter.AltitudeM(5), 3000);
}

// A hill, white noise of the stated size, and an error that lasts: the share of the truth within
// one and two sigmas is a normal distribution's.
TEST(AltitudeFilter, ItsSigmaIsTrue) {
  int n = 0, in1 = 0, in2 = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Random r(seed);
    const double sigma_m = r.Uniform(1, 8), lasting_m = 2 * r.Normal();
    double truth_m = 500, climb_mps = 0;
    AltitudeFilter filter;
    for (int i = 0; i < 60; ++i) {
      const double push = std::sqrt(0.1) * r.Normal();
      truth_m += climb_mps + push / 2;
      climb_mps += push;
      filter.Update(At(100 + i), truth_m + lasting_m + sigma_m * r.Normal(), sigma_m);
    }
    for (const double ahead_s : {0.0, 4.0}) {
      if (ahead_s > 0)
        truth_m += ahead_s * climb_mps + std::sqrt(0.1 * std::pow(ahead_s, 3) / 3) * r.Normal();
      const double off = std::fabs(filter.AltitudeM(ahead_s) - truth_m) / filter.SigmaM(ahead_s);
      ++n;
      in1 += off < 1;
      in2 += off < 2;
    }
  }
  EXPECT_NEAR(1.0 * in1 / n, 0.683, 0.04);
  EXPECT_NEAR(1.0 * in2 / n, 0.954, 0.02);
}

TEST(AltitudeFilter, GoesOnFromASnapshotAtAnyPoint) {
  Random r(7);
  AltitudeFilter straight, interrupted;
  double t = 0;
  for (int i = 0; i < 500; ++i) {
    t += r.Uniform() < 0.02 ? 130 : r.Uniform(0, 2);
    const double altitude_m = 100 + 3 * r.Normal() + (r.Uniform() < 0.2 ? 300 : 0);
    straight.Update(At(t), altitude_m, 3);
    interrupted.Update(At(t), altitude_m, 3);
    std::vector<std::byte> image, other;
    StateWriter w(image), w2(other);
    interrupted.Save(w);
    straight.Save(w2);
    ASSERT_EQ(image, other);
    interrupted = AltitudeFilter();
    StateReader reader(image);
    interrupted.Load(reader);
    ASSERT_TRUE(reader.done());
    ASSERT_EQ(interrupted.AltitudeM(1), straight.AltitudeM(1));
    ASSERT_EQ(interrupted.SigmaM(1), straight.SigmaM(1));
  }
}

}  // namespace
}  // namespace waymark
