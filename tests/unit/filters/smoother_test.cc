#include "waymark/smoother.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "support/simulated_drive.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::seconds;
using test::Deliver;
using test::Moved;
using test::Simulate;
using test::TimeOf;

Estimator Make() { return std::move(Estimator::Create({})).value(); }

double Rmse(const std::vector<double>& errors_m) {
  double sum = 0;
  for (double e : errors_m) sum += e * e;
  return std::sqrt(sum / static_cast<double>(errors_m.size()));
}

TEST(FixedLagSmoother, SettlesEachUsedFixOnceAndInOrder) {
  const auto drive = Simulate({.seconds = 300, .white_m = 3});
  Estimator e = Make();
  FixedLagSmoother smoother(seconds(10));
  std::vector<Estimate> settled;
  std::size_t used = 0;
  for (const auto& d : drive.fixes) {
    if (!e.Update(d.fix, d.arrival).used()) continue;
    ++used;
    smoother.Push(e, settled);
    for (const Estimate& s : settled) EXPECT_LE(s.time, d.fix.time - seconds(10));
    ASSERT_TRUE(smoother.NextDeadline());
  }
  EXPECT_EQ(settled.size(), used - 10);
  smoother.Flush(settled);
  EXPECT_EQ(settled.size(), used);
  EXPECT_FALSE(smoother.NextDeadline());
  for (std::size_t i = 1; i < settled.size(); ++i) EXPECT_LT(settled[i - 1].time, settled[i].time);
}

TEST(FixedLagSmoother, IsBetterThanLiveWhereFixesJitter) {
  const auto drive = Simulate({.seconds = 900, .white_m = 5, .gm_m = 2, .gm_tau_s = 5});
  Estimator e = Make();
  FixedLagSmoother smoother(seconds(20));
  std::vector<Estimate> settled;
  std::vector<double> live_m, settled_m;
  for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
    if (!e.Update(drive.fixes[i].fix, drive.fixes[i].arrival).used()) continue;
    live_m.push_back(DistanceM(e.Latest()->position, drive.truth[i]));
    smoother.Push(e, settled);
  }
  smoother.Flush(settled);
  for (const Estimate& s : settled) {
    const auto i = static_cast<std::size_t>((s.time - TimeOf(0)) / seconds(1));
    settled_m.push_back(DistanceM(s.position, drive.truth[i]));
  }
  EXPECT_LT(Rmse(settled_m), 0.9 * Rmse(live_m));
}

TEST(FixedLagSmoother, AdvanceSettlesWithoutANewFix) {
  Estimator e = Make();
  FixedLagSmoother smoother(seconds(5));
  std::vector<Estimate> settled;
  for (const auto& d : Simulate({.seconds = 10}).fixes) {
    e.Update(d.fix, d.arrival);
    smoother.Push(e, settled);
  }
  const std::size_t before = settled.size();
  EXPECT_EQ(*smoother.NextDeadline(), settled.back().time + seconds(6));
  smoother.Advance(TimeOf(14), settled);
  EXPECT_EQ(settled.size(), 10u);
  EXPECT_LT(before, 10u);
}

TEST(FixedLagSmoother, ARestoredOneContinuesToTheBit) {
  const auto drive = Simulate({.seconds = 120, .white_m = 3});
  Estimator e = Make();
  FixedLagSmoother a(seconds(10)), b;
  std::vector<Estimate> from_a, from_b;
  for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
    e.Update(drive.fixes[i].fix, drive.fixes[i].arrival);
    a.Push(e, from_a);
    if (i > 60) b.Push(e, from_b);
    if (i == 60) {
      std::vector<std::byte> image;
      a.Save(image);
      ASSERT_TRUE(b.Restore(image).ok());
      from_a.clear();
      for (std::size_t cut = 0; cut < image.size(); cut += 11) {
        FixedLagSmoother c;
        EXPECT_EQ(c.Restore(std::span(image).first(cut)).code(), Code::kCorruption);
      }
    }
  }
  a.Flush(from_a);
  b.Flush(from_b);
  ASSERT_EQ(from_a.size(), from_b.size());
  for (std::size_t i = 0; i < from_a.size(); ++i) {
    EXPECT_EQ(from_a[i].position, from_b[i].position);
    EXPECT_EQ(from_a[i].r68_m, from_b[i].r68_m);
  }
}

TEST(SmoothedTrack, RefusesBadOptionsAndTakesNoFixes) {
  EstimatorOptions bad;
  bad.max_speed_mps = 0;
  EXPECT_EQ(SmoothedTrack::Create({}, bad).status().code(), Code::kInvalidArgument);
  const auto none = SmoothedTrack::Create({}, {});
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none.value().knots().empty());
  EXPECT_FALSE(none.value().At(TimeOf(0)));
}

TEST(SmoothedTrack, PassesThroughItsKnotsAndEndsWhereItCannotKnow) {
  const auto drive = Simulate({.seconds = 100});
  const auto track = SmoothedTrack::Create(drive.fixes, {});
  ASSERT_TRUE(track.ok());
  const SmoothedTrack& t = track.value();
  EXPECT_EQ(t.verdicts().size(), drive.fixes.size());
  ASSERT_EQ(t.knots().size(), drive.fixes.size());
  for (const Estimate& k : t.knots()) EXPECT_EQ(t.At(k.time)->position, k.position);
  EXPECT_TRUE(t.At(TimeOf(0) - seconds(29)));
  EXPECT_FALSE(t.At(TimeOf(0) - seconds(31)));
  EXPECT_TRUE(t.At(TimeOf(99) + seconds(29)));
  EXPECT_FALSE(t.At(TimeOf(99) + seconds(31)));
}

TEST(SmoothedTrack, IsReinitialisedInALongGap) {
  auto drive = Simulate({.seconds = 700});
  drive.fixes.erase(drive.fixes.begin() + 100, drive.fixes.begin() + 600);
  const auto track = SmoothedTrack::Create(drive.fixes, {});
  EXPECT_TRUE(track.value().At(TimeOf(120)));
  EXPECT_FALSE(track.value().At(TimeOf(300)));
  EXPECT_TRUE(track.value().At(TimeOf(590)));
  EXPECT_GT(track.value().At(TimeOf(125))->r68_m, track.value().At(TimeOf(101))->r68_m);
}

// A quarter of a circle every 20 s, exact fixes: the curve is followed, a chord is 15 m off.
TEST(SmoothedTrack, FollowsACurveBetweenSparseFixes) {
  const double radius_m = 130, omega = std::numbers::pi / 2 / 20;
  const LocalFrame frame({40, -75});
  const auto truth = [&](double t) {
    // Not quite a circle: a position that comes back to the digit is taken for a cached one.
    return frame.FromLocal(
        {radius_m * std::cos(omega * t) + 0.1 * t, radius_m * std::sin(omega * t)});
  };
  std::vector<DeliveredFix> fixes;
  for (std::size_t s = 0; s <= 200; s += 20) {
    Fix f;
    f.time = TimeOf(s);
    f.position = truth(static_cast<double>(s));
    f.horizontal_accuracy_m = 2;
    f.speed_mps = radius_m * omega;
    // The course of a moment ago, as chipsets report it.
    const double course = -(static_cast<double>(s) - 0.3) * omega * 180 / std::numbers::pi;
    f.course_deg = std::fmod(course + 3600, 360.0);
    fixes.push_back(Deliver(f));
  }
  const auto track = SmoothedTrack::Create(fixes, {});
  ASSERT_EQ(track.value().knots().size(), fixes.size());
  for (int t = 0; t <= 200; ++t) {
    const auto e = track.value().At(TimeOf(static_cast<std::size_t>(t)));
    ASSERT_TRUE(e);
    EXPECT_LT(DistanceM(e->position, truth(t)), 6) << t;
  }
}

// Between knots, whatever their distance: the velocity is the slope of the path, knots are met.
TEST(SmoothedTrack, ItsVelocityIsTheSlopeOfItsPath) {
  for (const std::size_t every : {1u, 8u, 20u, 30u}) {
    const auto drive = Simulate({.seconds = 400, .turn_sigma_rad = 0.05, .seed = every});
    std::vector<DeliveredFix> fixes;
    for (std::size_t i = 0; i < drive.fixes.size(); i += every) fixes.push_back(drive.fixes[i]);
    const auto created = SmoothedTrack::Create(fixes, {});
    const SmoothedTrack& track = created.value();
    for (int ms = 60'000; ms < 350'000; ms += 333) {
      const MonoTime t = TimeOf(0) + std::chrono::milliseconds(ms);
      const auto before = track.At(t - std::chrono::milliseconds(1)), here = track.At(t),
                 after = track.At(t + std::chrono::milliseconds(1));
      const LocalFrame frame(here->position);
      const EastNorth a = frame.ToLocal(before->position), b = frame.ToLocal(after->position);
      // The slope has a bend at a knot; 5 mm/s is that over 2 ms.
      EXPECT_NEAR((b.east_m - a.east_m) / 0.002, here->velocity_east_mps, 5e-3) << every;
      EXPECT_NEAR((b.north_m - a.north_m) / 0.002, here->velocity_north_mps, 5e-3) << every;
    }
    for (const Estimate& k : track.knots()) {
      const auto near = track.At(k.time + std::chrono::microseconds(10));
      if (near) {
        EXPECT_LT(DistanceM(near->position, k.position), 1e-3);
      }
    }
  }
}

// Read backwards a trace is the same trace. What is learned on the way comes from the other side
// then, so the answers agree to a fraction of the error only.
TEST(SmoothedTrack, IsNearlyTheSameWithTimeReversed) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const std::size_t n = 600;
    const auto drive =
        Simulate({.seconds = n, .white_m = 1, .gm_m = 2, .velocity = false, .seed = seed});
    std::vector<DeliveredFix> reversed;
    for (std::size_t i = n; i-- > 0;) {
      Fix f = drive.fixes[i].fix;
      f.time = TimeOf(n - 1 - i);
      reversed.push_back(Deliver(f));
    }
    const auto there = SmoothedTrack::Create(drive.fixes, {});
    const auto back = SmoothedTrack::Create(reversed, {});
    double sum_m2 = 0;
    std::size_t count = 0;
    for (std::size_t i = 60; i + 60 < n; ++i, ++count) {
      const auto a = there.value().At(TimeOf(i)), b = back.value().At(TimeOf(n - 1 - i));
      const double apart_m = DistanceM(a->position, b->position);
      EXPECT_LT(apart_m, 2) << "seed " << seed << ", second " << i;
      sum_m2 += apart_m * apart_m;
    }
    EXPECT_LT(std::sqrt(sum_m2 / static_cast<double>(count)), 0.4) << "seed " << seed;
  }
}

TEST(SmoothedTrack, TakesABurstOutOfTheTrack) {
  auto drive = Simulate({.seconds = 300});
  for (std::size_t i = 150; i < 156; ++i) {
    drive.fixes[i].fix.position = Moved(drive.fixes[i].fix.position, 300, 200);
  }
  const auto track = SmoothedTrack::Create(drive.fixes, {});
  for (std::size_t i = 0; i < 300; ++i) {
    EXPECT_LT(DistanceM(track.value().At(TimeOf(i))->position, drive.truth[i]), 8) << i;
  }
}

TEST(SmoothedTrack, CrossesFramesWithoutAStep) {
  const auto drive =
      Simulate({.start = {69, 20}, .seconds = 3000, .max_speed_mps = 40, .turn_sigma_rad = 0.001});
  ASSERT_GT(DistanceM(drive.truth.front(), drive.truth.back()), 25e3);
  const auto track = SmoothedTrack::Create(drive.fixes, {});
  for (std::size_t i = 0; i < drive.truth.size(); ++i) {
    EXPECT_LT(DistanceM(track.value().At(TimeOf(i))->position, drive.truth[i]), 8) << i;
  }
}

}  // namespace
}  // namespace waymark
