// What the parts of the measurement model are for, each by a world in which it is true.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>
#include <vector>

#include "filters/axis_filter.h"
#include "filters/vec2.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using test::Deliver;
using test::Drive;
using test::Moved;
using test::Random;
using test::Simulate;
using test::TimeOf;

constexpr double kDegPerRad = 180 / std::numbers::pi;

Estimator Make() { return std::move(Estimator::Create({})).value(); }

Vec2 VelocityOf(const Estimate& e) { return {e.velocity_east_mps, e.velocity_north_mps}; }

// How far one fix pulls the track, per metre that it is moved to the side: the further, the less.
// (A Kalman filter would be pulled by the same share.)
TEST(MeasurementProperty, TheFurtherOffAFixTheLessItIsBelieved) {
  for (const bool velocity : {true, false}) {
    SCOPED_TRACE(velocity ? "velocity" : "position only");
    double near = 0, middle = 0, far = 0;
    int downweighted = 0, fixes = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
      const Drive d =
          Simulate({.seconds = 180, .white_m = 2, .gm_m = 0.5, .velocity = velocity, .seed = seed});
      Estimator e = Make();
      for (std::size_t i = 0; i < d.fixes.size(); ++i) {
        const Fix& fix = d.fixes[i].fix;
        const Stamp arrival = d.fixes[i].arrival;
        const Estimator before = e;
        e.Update(fix, arrival);
        if (i < 100 || i % 10 != 0) continue;
        const auto pull = [&](double off_m) {
          Estimator other = before;
          Fix moved = fix;
          moved.position = Moved(fix.position, off_m, 0);
          const Verdict v = other.Update(moved, arrival);
          if (off_m > 15) {
            ++fixes;
            downweighted += v.reason == Reason::kDownweighted && v.value < 0.5;
          }
          return DistanceM(other.Latest()->position, e.Latest()->position) / off_m;
        };
        near += pull(1);
        middle += pull(10);
        far += pull(19);
      }
    }
    EXPECT_LT(middle, 0.9 * near);
    EXPECT_LT(far, 0.7 * near);
    EXPECT_GT(downweighted, 0.8 * fixes);
  }
}

// Velocities that are 0.3 s late, as phones' are: without the latency taken out, 2 m/s^2 are 0.6
// m/s behind, and so is a curve, to the side.
TEST(MeasurementProperty, AVelocityIsBroughtForward) {
  constexpr double kLateS = 0.3;
  const auto off = [](const auto& position, std::size_t from, std::size_t to) {
    const auto velocity = [&](double t) { return 5e3 * (position(t + 1e-4) - position(t - 1e-4)); };
    const LocalFrame frame({50, 8});
    Vec2 sum;  // to the right and ahead
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      Random r(seed);
      Estimator e = Make();
      for (std::size_t t = 0; t < to; ++t) {
        const double now = static_cast<double>(t);
        const Vec2 p = position(now) + Vec2{0.3 * r.Normal(), 0.3 * r.Normal()};
        const Vec2 told = velocity(now - kLateS);
        Fix f;
        f.time = TimeOf(t);
        f.position = frame.FromLocal({p.e, p.n});
        f.horizontal_accuracy_m = 3;
        f.speed_mps = told.norm();
        f.course_deg = std::fmod(std::atan2(told.e, told.n) * kDegPerRad + 360, 360.0);
        const DeliveredFix d = Deliver(f);
        e.Update(d.fix, d.arrival);
        if (t < from) continue;
        const Vec2 truth = velocity(now), wrong = VelocityOf(*e.Latest()) - truth;
        const double n = 10 * static_cast<double>(to - from) * truth.norm();
        sum = sum + Vec2{(wrong.e * truth.n - wrong.n * truth.e) / n,
                         (wrong.e * truth.e + wrong.n * truth.n) / n};
      }
    }
    return sum;
  };
  const auto line = [](double t) {
    const double since = std::max(0.0, t - 60);
    return Vec2{5 * t + since * since, 0};
  };
  const auto circle = [](double t) {
    return Vec2{100 * std::sin(0.12 * t), 100 * std::cos(0.12 * t)};
  };
  EXPECT_GT(off(line, 63, 75).n, -0.5);
  EXPECT_LT(off(line, 63, 75).n, 0.2);
  EXPECT_LT(std::fabs(off(circle, 60, 90).e), 0.4);
}

// A receiver that tells how unsure its course is gets a better track than one that does not, and
// the velocity is as unsure as the estimate says.
TEST(MeasurementProperty, ACoursesAccuracyIsBelieved) {
  for (const double sigma_deg : {20.0, 40.0}) {
    double told2 = 0, untold2 = 0, normalised = 0, n = 0;
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const Drive d = Simulate({.seconds = 300, .white_m = 2, .gm_m = 1, .seed = seed});
      Random r(seed * 7);
      Estimator told = Make(), untold = Make();
      for (std::size_t i = 0; i + 1 < d.fixes.size(); ++i) {
        auto [fix, arrival] = d.fixes[i];
        fix.course_deg = std::fmod(*fix.course_deg + 720 + sigma_deg * r.Normal(), 360.0);
        untold.Update(fix, arrival);
        fix.course_accuracy_deg = sigma_deg;
        told.Update(fix, arrival);
        if (i < 60) continue;
        const EastNorth way = LocalFrame(d.truth[i - 1]).ToLocal(d.truth[i + 1]);
        const Vec2 off = VelocityOf(*told.Latest()) - Vec2{way.east_m / 2, way.north_m / 2};
        told2 += std::pow(DistanceM(told.Latest()->position, d.truth[i]), 2);
        untold2 += std::pow(DistanceM(untold.Latest()->position, d.truth[i]), 2);
        normalised += off.norm2() / 2 / Square(told.Latest()->speed_sigma_mps);
        n += 1;
      }
    }
    EXPECT_LT(std::sqrt(told2 / untold2), 0.6) << sigma_deg;
    EXPECT_LT(normalised / n, 1.3) << sigma_deg;
    EXPECT_GT(normalised / n, 0.5) << sigma_deg;
  }
}

// Stop and go, where for seconds no motion model is sure of itself. What they differ by is part of
// what the velocity is unsure of: its error is no more than the estimate says, a tenth to spare.
TEST(MeasurementProperty, WhatTheMotionModelsDifferByIsInTheSigma) {
  const LocalFrame frame({50, 8});
  for (const double white_m : {1.0, 2.0, 4.0}) {
    double normalised = 0, n = 0;
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
      Random r(seed);
      Estimator e = Make();
      double wanted = 0, speed = 0, heading = 0;
      Vec2 p;
      for (std::size_t t = 0; t < 300; ++t) {
        if (r.Uniform() < 0.08) wanted = std::vector{0.0, 3.0, 12.0}[r.Bits() % 3];
        const double before = speed;
        speed += std::clamp(wanted - speed, -3.0, 2.0);
        heading += 0.05 * r.Normal();
        const Vec2 ahead{std::sin(heading), std::cos(heading)};
        p = p + (before + speed) / 2 * ahead;
        const Vec2 told = speed * ahead + Vec2{0.5 * r.Normal(), 0.5 * r.Normal()};
        Fix f;
        f.time = TimeOf(t);
        f.position = frame.FromLocal({p.e + white_m * r.Normal(), p.n + white_m * r.Normal()});
        f.horizontal_accuracy_m = 1.5 * white_m;
        f.speed_mps = told.norm();
        f.course_deg = std::fmod(std::atan2(told.e, told.n) * kDegPerRad + 360, 360.0);
        f.speed_accuracy_mps = 0.5;
        const DeliveredFix d = Deliver(f);
        e.Update(d.fix, d.arrival);
        const Estimate now = *e.Latest();
        if (t < 40 || std::max({now.p_stopped, now.p_slow, now.p_fast}) > 0.8) continue;
        const Vec2 off = VelocityOf(now) - speed * ahead;
        normalised += off.norm2() / 2 / Square(now.speed_sigma_mps);
        n += 1;
      }
    }
    EXPECT_GT(n, 2000) << white_m;
    EXPECT_LT(normalised / n, 0.9) << white_m;
    EXPECT_GT(normalised / n, 0.5) << white_m;
  }
}

}  // namespace
}  // namespace waymark
