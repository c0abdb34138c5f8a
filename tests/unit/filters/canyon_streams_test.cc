// Between tall buildings: much noise, jumps of tens of metres that last, silences.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdint>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using test::Deliver;
using test::Drive;
using test::TimeOf;

constexpr double kSpeedMps = 20;

// A car northwards, the error white (3 m per axis) and Gauss-Markov (7 m, 5 s). From `jump_at` on
// fixes lie `jump_m` further back for `jump_s` seconds.
struct Street {
  std::uint64_t seed = 1;
  std::size_t seconds = 400;
  double jump_m = 0;
  std::size_t jump_at = 300, jump_s = 10;
  bool velocity = false;
};

Drive Make(const Street& s) {
  test::Random random(s.seed);
  Drive d;
  const LocalFrame frame({48.1, 11.5});
  const double phi = std::exp(-1.0 / 5), kick = 7 * std::sqrt(1 - phi * phi);
  double be = 7 * random.Normal(), bn = 7 * random.Normal();
  for (std::size_t t = 0; t < s.seconds; ++t) {
    be = phi * be + kick * random.Normal();
    bn = phi * bn + kick * random.Normal();
    const double north = kSpeedMps * static_cast<double>(t);
    const bool off = s.jump_m > 0 && t >= s.jump_at && t < s.jump_at + s.jump_s;
    d.truth.push_back(frame.FromLocal({0, north}));
    Fix f;
    f.time = TimeOf(t);
    f.position = frame.FromLocal(
        {be + 3 * random.Normal(), north + bn + 3 * random.Normal() - (off ? s.jump_m : 0)});
    if (s.velocity) {
      f.speed_mps = kSpeedMps + 0.3 * random.Normal();
      f.course_deg = 0;
    }
    d.fixes.push_back(Deliver(f));
  }
  return d;
}

double Apart(LatLon a, LatLon b) {
  const EastNorth d = LocalFrame(a).ToLocal(b);
  return std::hypot(d.east_m, d.north_m);
}

// With velocities the track stands against a jump within the noise's tail without being outvoted:
// six seconds of agreeing fixes are no proof where errors last that long.
TEST(CanyonStreams, AJumpInTheTailOfTheNoiseDoesNotCaptureATrackWithVelocities) {
  double raw2 = 0, live2 = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Drive d = Make({.seed = seed, .jump_m = 60, .velocity = true});
    Estimator e = std::move(Estimator::Create({})).value();
    for (std::size_t t = 0; t < d.fixes.size(); ++t) {
      const Verdict v = e.Update(d.fixes[t].fix, d.fixes[t].arrival);
      EXPECT_NE(v.reason, Reason::kReacquired) << "seed " << seed << ", second " << t;
      if (t < 300 || t >= 320) continue;
      raw2 += std::pow(Apart(d.fixes[t].fix.position, d.truth[t]), 2);
      live2 += std::pow(Apart(e.Latest()->position, d.truth[t]), 2);
    }
  }
  EXPECT_LT(std::sqrt(live2), 0.8 * std::sqrt(raw2));
}

// A car that turns into a side street in a silence of 25 s is nowhere near where it would be. A
// track that knows its place to 100 m only has nothing to hold against the first fix.
TEST(CanyonStreams, ATrackThatIsLostAfterASilenceTakesTheFirstFix) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Drive d = Make({.seed = seed, .seconds = 301});
    Estimator e = std::move(Estimator::Create({})).value();
    for (std::size_t t = 0; t < 300; ++t) e.Update(d.fixes[t].fix, d.fixes[t].arrival);
    Fix f = d.fixes.back().fix;
    f.time = TimeOf(325);
    f.position = test::Moved(f.position, 400, 20);
    const DeliveredFix after = Deliver(f);
    EXPECT_TRUE(e.Update(after.fix, after.arrival).used()) << "seed " << seed;
    EXPECT_LT(Apart(e.Latest()->position, f.position), 60) << "seed " << seed;
  }
}

}  // namespace
}  // namespace waymark
