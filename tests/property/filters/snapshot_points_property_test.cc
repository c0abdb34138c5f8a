// A snapshot may be taken at any point: between a hint and the fix that uses it, between the
// reports of an epoch, before a late fix, and with every state of the lag.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/smoother.h"

namespace waymark {
namespace {

using std::chrono::seconds;
using test::Random;
using test::Simulate;

template <typename T>
std::vector<std::byte> Image(const T& of) {
  std::vector<std::byte> out;
  of.Save(out);
  return out;
}

Estimator Make() { return std::move(Estimator::Create({})).value(); }

void ExpectEqual(const Estimate& a, const Estimate& b) {
  ASSERT_EQ(a.time, b.time);
  ASSERT_EQ(a.utc, b.utc);
  ASSERT_EQ(a.position, b.position);
  ASSERT_EQ(a.r68_m, b.r68_m);
  ASSERT_EQ(a.r95_m, b.r95_m);
  ASSERT_EQ(a.velocity_east_mps, b.velocity_east_mps);
  ASSERT_EQ(a.velocity_north_mps, b.velocity_north_mps);
  ASSERT_EQ(a.speed_sigma_mps, b.speed_sigma_mps);
  ASSERT_EQ(a.altitude_m, b.altitude_m);
  ASSERT_EQ(a.p_stopped, b.p_stopped);
}

/// A fix, or a hint before it.
struct Event {
  DeliveredFix fix;
  std::optional<MotionSample> hint;
};

// Positions of a body that stands, walks and drives, with hints that are true or not, outliers,
// late fixes, epochs in two reports, gaps and another source in between.
std::vector<Event> Stream(std::uint64_t seed) {
  Random r(seed);
  std::vector<Event> out;
  auto fixes = Simulate({.seconds = 150,
                         .white_m = 2,
                         .velocity = seed % 2 == 0,
                         .max_speed_mps = std::vector{0.0, 1.5, 15.0}[seed % 3],
                         .seed = seed})
                   .fixes;
  for (std::size_t i = 0; i + 1 < fixes.size(); ++i) {
    DeliveredFix& d = fixes[i];
    if (r.Uniform() < 0.05) std::swap(d, fixes[i + 1]);
    if (r.Uniform() < 0.05) d.fix.position = test::Moved(d.fix.position, r.Uniform(-200, 200), 50);
    if (r.Uniform() < 0.05) d.fix.source = FixSource::kNetwork;
    if (r.Uniform() < 0.3) d.fix.altitude_m = 100 + r.Normal();
  }
  for (std::size_t i = 0; i < fixes.size(); ++i) {
    if (r.Uniform() < 0.02) i += r.Bits() % 20;
    if (i >= fixes.size()) break;
    Event e{fixes[i], std::nullopt};
    if (r.Uniform() < 0.1) {
      const auto activity = static_cast<Activity>(r.Bits() % 6);
      e.hint = MotionSample{e.fix.fix.time, activity, r.Uniform(0.2, 1)};
    }
    out.push_back(e);
    if (r.Uniform() < 0.05) {  // the epoch again, sharper
      e.hint.reset();
      e.fix.fix.horizontal_accuracy_m = 1.5;
      out.push_back(e);
    }
  }
  return out;
}

constexpr std::uint64_t kSeeds = 12;

void GoOnFromAny(const std::vector<Event>& events) {
  Estimator straight = Make(), interrupted = Make();
  const auto restart = [&] {
    const std::vector<std::byte> image = Image(interrupted);
    interrupted = Make();
    ASSERT_TRUE(interrupted.Restore(image).ok());
    ASSERT_EQ(Image(interrupted), image);
  };
  for (const Event& e : events) {
    if (e.hint) {
      straight.Observe(*e.hint);
      interrupted.Observe(*e.hint);
      restart();
    }
    straight.Update(e.fix.fix, e.fix.arrival);
    interrupted.Update(e.fix.fix, e.fix.arrival);
    const auto a = straight.Latest(), b = interrupted.Latest();
    ASSERT_EQ(a.has_value(), b.has_value());
    if (a) ExpectEqual(*a, *b);
    ASSERT_EQ(straight.Heard(e.fix.fix).speed_mps, interrupted.Heard(e.fix.fix).speed_mps);
    if (testing::Test::HasFatalFailure()) return;
    restart();
  }
}

TEST(SnapshotPoints, TheEstimatorGoesOnFromAny) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    GoOnFromAny(Stream(seed));
    if (HasFatalFailure()) return;
  }
}

// Velocities that are being denied, are denied, and are believed again.
TEST(SnapshotPoints, TheEstimatorGoesOnFromAnyDoubtOfVelocities) {
  std::vector<Event> events;
  for (DeliveredFix& d : Simulate({.seconds = 200, .seed = 3}).fixes) {
    if (events.size() < 60) d.fix.course_deg = std::fmod(*d.fix.course_deg + 180, 360);
    events.push_back({d, std::nullopt});
  }
  GoOnFromAny(events);
}

TEST(SnapshotPoints, TheFixedLagSmootherGoesOnFromAny) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Estimator e = Make();
    FixedLagSmoother straight(seconds(seed % 20)), interrupted = straight;
    std::vector<Estimate> a, b;
    Random r(seed);
    for (const Event& event : Stream(seed)) {
      if (event.hint) e.Observe(*event.hint);
      if (!e.Update(event.fix.fix, event.fix.arrival).used()) continue;
      straight.Push(e, a);
      interrupted.Push(e, b);
      if (r.Uniform() < 0.05) {
        const MonoTime now = event.fix.arrival.mono + seconds(r.Bits() % 10);
        straight.Advance(now, a);
        interrupted.Advance(now, b);
      }
      const std::vector<std::byte> image = Image(interrupted);
      interrupted = FixedLagSmoother();
      ASSERT_TRUE(interrupted.Restore(image).ok());
      ASSERT_EQ(Image(interrupted), image);
      ASSERT_EQ(interrupted.NextDeadline(), straight.NextDeadline());
    }
    straight.Flush(a);
    interrupted.Flush(b);
    ASSERT_EQ(a.size(), b.size());
    ASSERT_GT(a.size(), 50u);
    for (std::size_t i = 0; i < a.size(); ++i) ExpectEqual(a[i], b[i]);
  }
}

}  // namespace
}  // namespace waymark
