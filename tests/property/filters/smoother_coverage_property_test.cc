// What the smoothers say of their error, against drives whose errors are known.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"

namespace waymark {
namespace {

using std::chrono::seconds;
using test::Drive;
using test::DriveOptions;
using test::Simulate;
using test::TimeOf;

/// How an estimate's error compares with what it says of it.
class Errors {
 public:
  void Add(const Estimate& e, LatLon truth) {
    const double error_m = DistanceM(e.position, truth);
    n_ += 1;
    in68_ += error_m <= e.r68_m;
    in95_ += error_m <= e.r95_m;
    radius_m_ += e.r68_m;
    square_m2_ += error_m * error_m;
  }
  double in68() const { return in68_ / n_; }
  double in95() const { return in95_ / n_; }
  double radius_m() const { return radius_m_ / n_; }
  double rmse_m() const { return std::sqrt(square_m2_ / n_); }

 private:
  double n_ = 0, in68_ = 0, in95_ = 0, radius_m_ = 0, square_m2_ = 0;
};

/// Live, settled after 15 s, and smoothed over the whole, of the same fixes.
struct Three {
  Errors live, settled, smoothed;
};

Three Compare(const DriveOptions& options) {
  Three out;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    DriveOptions o = options;
    o.seed = seed;
    const Drive d = Simulate(o);
    const auto counts = [&](std::size_t i) { return i >= 60 && i + 15 < d.truth.size(); };
    Estimator e = std::move(Estimator::Create({})).value();
    FixedLagSmoother smoother(seconds(15));
    std::vector<Estimate> settled;
    for (std::size_t i = 0; i < d.fixes.size(); ++i) {
      const bool used = e.Update(d.fixes[i].fix, d.fixes[i].arrival).used();
      if (used) smoother.Push(e, settled);
      if (used && counts(i)) out.live.Add(*e.Latest(), d.truth[i]);
    }
    for (const Estimate& s : settled) {
      const auto i = static_cast<std::size_t>((s.time - TimeOf(0)) / seconds(1));
      if (counts(i)) out.settled.Add(s, d.truth[i]);
    }
    const auto track = SmoothedTrack::Create(d.fixes, {});
    for (const Estimate& k : track.value().knots()) {
      const auto i = static_cast<std::size_t>((k.time - TimeOf(0)) / seconds(1));
      if (counts(i)) out.smoothed.Add(k, d.truth[i]);
    }
  }
  return out;
}

// A receiver that jitters by more than it states, so that what is learned and smoothed makes up the
// radius, and not what no fix can show.
TEST(SmootherCoverage, WhatComesLaterMakesARadiusSmallerAndTrue) {
  for (const bool velocity : {true, false}) {
    SCOPED_TRACE(velocity ? "velocity" : "position only");
    const Three t = Compare({.seconds = 300,
                             .white_m = 3,
                             .gm_m = 1.5,
                             .gm_tau_s = 4,
                             .velocity_sigma_mps = 0.5,
                             .accuracy_m = 0.6,
                             .velocity = velocity});
    for (const Errors* e : {&t.settled, &t.smoothed}) {
      EXPECT_LT(e->rmse_m(), 0.85 * t.live.rmse_m());
      EXPECT_LT(e->radius_m(), 0.95 * t.live.radius_m());
      EXPECT_GT(e->radius_m(), 0.7 * t.live.radius_m());
      EXPECT_GT(e->in68(), 0.70);
      EXPECT_LT(e->in68(), 0.92);
      EXPECT_GT(e->in95(), 0.95);
    }
  }
}

// Half-way between sparse fixes the device may have done anything that devices do.
TEST(SmootherCoverage, ARadiusGrowsAwayFromTheKnotsAsTheErrorDoes) {
  for (const bool velocity : {true, false}) {
    for (const std::size_t every : {4u, 10u, 20u, 30u}) {
      SCOPED_TRACE(std::to_string(every) + " s" + (velocity ? ", velocity" : ""));
      Errors middle;
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Drive d =
            Simulate({.white_m = 1, .velocity = velocity, .turn_sigma_rad = 0.03, .seed = seed});
        std::vector<DeliveredFix> fixes;
        for (std::size_t i = 0; i < d.fixes.size(); i += every) fixes.push_back(d.fixes[i]);
        const auto created = SmoothedTrack::Create(fixes, {});
        const SmoothedTrack& track = created.value();
        for (std::size_t i = every * (60 / every); i + every < 540; i += every) {
          const auto a = track.At(TimeOf(i)), b = track.At(TimeOf(i + every));
          const auto here = track.At(TimeOf(i + every / 2));
          ASSERT_TRUE(a && b && here);
          // Strictly more than the mean of the two; the most in the middle.
          ASSERT_GT(here->cov_ee_m2, (a->cov_ee_m2 + b->cov_ee_m2) / 2 + 1e-3) << seed;
          middle.Add(*here, d.truth[i + every / 2]);
        }
      }
      EXPECT_GT(middle.in68(), 0.55);
      EXPECT_GT(middle.in95(), 0.85);
    }
  }
}

}  // namespace
}  // namespace waymark
