#include "filters/noise_monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "filters/estimator_impl.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"

namespace waymark {
namespace {

using test::Random;
using test::Simulate;

constexpr std::uint64_t kSeeds = 20;

/// A white and a Gauss-Markov error, metres per axis.
struct World {
  double white_m = 1, gm_m = 1, gm_tau_s = 10;
  double stated_m = 3;  ///< the sigma that the fixes state
  double velocity_bias_mps = 0;
  bool velocity = true;
  int leaves_out = 0;  ///< of so many fixes each last one has no velocity
  double step_s = 1;
  std::uint64_t seed = 1;

  /// The structure function of the error, per axis.
  double Gamma(double lag_s) const {
    return Square(white_m) + Square(gm_m) * (1 - std::exp(-lag_s / gm_tau_s));
  }
};

// A device that goes round in a wide circle at 10 m/s.
class Stream {
 public:
  explicit Stream(const World& w)
      : w_(w), random_(w.seed), b_{w.gm_m * Normal(), w.gm_m * Normal()} {}

  void Feed(NoiseMonitor& monitor, int n) {
    for (int i = 0; i < n; ++i) {
      t_s_ += w_.step_s;
      const double phi = std::exp(-w_.step_s / w_.gm_tau_s);
      const double q = w_.gm_m * std::sqrt(1 - phi * phi);
      b_ = phi * b_ + Vec2{q * Normal(), q * Normal()};
      const double angle = t_s_ / 200;
      const Vec2 p{2000 * std::sin(angle), -2000 * std::cos(angle)};
      const Vec2 v{10 * std::cos(angle) + 0.05 * Normal() + w_.velocity_bias_mps,
                   10 * std::sin(angle) + 0.05 * Normal()};
      const Vec2 white{w_.white_m * Normal(), w_.white_m * Normal()};
      monitor.Add(MonoTime(FromSeconds(t_s_)), p + b_ + white,
                  w_.velocity && !(w_.leaves_out > 0 && i % w_.leaves_out == 0) ? std::optional(v)
                                                                                : std::nullopt,
                  Square(w_.stated_m));
    }
  }

 private:
  double Normal() { return random_.Normal(); }

  World w_;
  Random random_;
  double t_s_ = 100;
  Vec2 b_;
};

std::string Name(const World& w) {
  return "white " + std::to_string(w.white_m) + " gm " + std::to_string(w.gm_m) + " tau " +
         std::to_string(w.gm_tau_s) + " seed " + std::to_string(w.seed);
}

// The geometric mean of `f(seed)`: one run knows its error to a fifth only, for a running median
// forgets.
template <typename F>
double OverSeeds(const F& f) {
  double sum = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) sum += std::log(f(seed));
  return std::exp(sum / kSeeds);
}

// What a monitor has learned of ten minutes of such a stream, as `number` reads it.
template <typename F>
double Learned(World w, const F& number) {
  return OverSeeds([&](std::uint64_t seed) {
    w.seed = seed;
    NoiseMonitor monitor;
    Stream(w).Feed(monitor, 600);
    EXPECT_TRUE(monitor.level().measured);
    EXPECT_FALSE(monitor.level().upper_bound);
    EXPECT_EQ(monitor.level().velocity_var_m2ps2, 0);
    return number(monitor);
  });
}

void ExpectFactor(double found, double truth, double factor, const char* what) {
  EXPECT_LT(found, truth * factor) << what;
  EXPECT_GT(found, truth / factor) << what;
}

const World kWorlds[] = {{0.3, 1, 3}, {0.3, 3, 8}, {1, 1, 3},  {1, 3, 8},
                         {1, 3, 20},  {3, 1, 20},  {3, 3, 10}, {3, 0.3, 60}};

TEST(NoiseMonitor, FindsTheErrorsOfAStreamWithVelocities) {
  for (const World& w : kWorlds) {
    SCOPED_TRACE(Name(w));
    const double unit = Square(w.stated_m);
    for (const double lag_s : {1.0, 5.0, 20.0}) {
      const auto gamma = [&](const NoiseMonitor& m) {
        const NoiseMonitor::Level& l = m.level();
        return unit * (l.white + l.gm * (1 - std::exp(-lag_s / l.tau_s)));
      };
      ExpectFactor(Learned(w, gamma), w.Gamma(lag_s), 1.5, "gamma");
    }
    const auto white = [&](const NoiseMonitor& m) { return unit * m.level().white; };
    const auto gm = [&](const NoiseMonitor& m) { return unit * m.level().gm; };
    // Each part where it stands out, and what is slow where 20 s show it.
    // (What is over after 3 s is taken for white or not, by chance.)
    if (w.white_m >= w.gm_m) ExpectFactor(Learned(w, white), Square(w.white_m), 2, "white");
    if (w.white_m < w.gm_m && w.gm_tau_s <= 10)
      ExpectFactor(Learned(w, gm), Square(w.gm_m), 1.5, "gm");
    const auto jitter = [](const NoiseMonitor& m) { return *m.jitter_m(); };
    ExpectFactor(Learned(w, jitter), std::sqrt(w.Gamma(1)), 1.25, "jitter");
  }
}

// Of the second differences a third of their part in coloured noise is taken for the variance.
TEST(NoiseMonitor, FindsTheErrorsOfAStreamWithoutVelocities) {
  for (World w : kWorlds) {
    SCOPED_TRACE(Name(w));
    w.velocity = false;
    const double bends = 8 * w.Gamma(1) - 2 * w.Gamma(2);  // of p - 2 p' + p'', per axis
    const auto total = [&](const NoiseMonitor& m) {
      return Square(w.stated_m) * m.level().total();
    };
    ExpectFactor(Learned(w, total), bends / 1.5, 1.5, "total");
    const auto jitter = [](const NoiseMonitor& m) { return *m.jitter_m(); };
    ExpectFactor(Learned(w, jitter), std::sqrt(w.Gamma(1)), 1.25, "jitter");
  }
}

// What jitters wanders no faster than at random: velocities that are off by half a metre a second
// lead 10 m away in 20 s, which would be a slow error of 5 m; it is not the receiver's.
TEST(NoiseMonitor, TakesTheWayOfWrongVelocitiesForNoSlowError) {
  for (const double white_m : {2.0, 4.0}) {
    World w{.white_m = white_m, .gm_m = 0.1};
    w.velocity_bias_mps = 0.5;
    const auto total = [&](const NoiseMonitor& m) {
      return Square(w.stated_m) * m.level().total();
    };
    EXPECT_LT(Learned(w, total), Square(white_m) + 16) << white_m;
  }
}

// Steady where the stream is, and soon at home where it has changed.
TEST(NoiseMonitor, LearnsThoughVelocitiesAreLeftOut) {
  for (World w : kWorlds) {
    for (const int leaves_out : {3, 10}) {
      SCOPED_TRACE(Name(w) + ", each " + std::to_string(leaves_out) + "th");
      w.leaves_out = leaves_out;
      const auto total = [&](const NoiseMonitor& m) {
        EXPECT_TRUE(m.level().measured);
        return Square(w.stated_m) * m.level().total();
      };
      ExpectFactor(Learned(w, total), w.Gamma(20), 2, "variance");
    }
  }
}

TEST(RunningMedian, ForgetsWhatIsOverButNotBecauseOfChance) {
  double square = 0;
  int n = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed);
    RunningMedian m;
    const auto exponential = [&] { return -std::log(random.Uniform(1e-12, 1)); };
    for (int i = 0; i < 2000; ++i) {
      m.Add(exponential());
      if (i >= 200) square += Square(std::log(m.median() / std::log(2.0))), ++n;
    }
    int samples = 0;
    while (m.median() < 5 * std::log(2.0) && samples < 100) {
      m.Add(10 * exponential());
      ++samples;
    }
    EXPECT_LT(samples, 80) << "seed " << seed;
  }
  EXPECT_LT(std::sqrt(square / n), 0.17);
}

// Over some seconds manoeuvres are in it; nor is anything known before there is evidence.
TEST(NoiseMonitor, SaysWhatItDoesNotKnow) {
  NoiseMonitor monitor;
  Stream stream(World{});
  stream.Feed(monitor, 10);
  EXPECT_FALSE(monitor.level().measured);
  EXPECT_FALSE(monitor.jitter_m());
  stream.Feed(monitor, 60);
  EXPECT_TRUE(monitor.level().measured);
  NoiseMonitor slow;
  Stream({.velocity = false, .step_s = 4}).Feed(slow, 100);
  EXPECT_TRUE(slow.level().measured);
  EXPECT_TRUE(slow.level().upper_bound);
}

// Gaps, new frames, velocities that come and go.
TEST(NoiseMonitor, GoesOnFromASnapshotAtAnyPoint) {
  for (const double step_s : {0.3, 1.0, 3.0}) {
    World with{.step_s = step_s}, without = with;
    without.velocity = false;
    NoiseMonitor straight, interrupted;
    Stream a(with), a2(with), b(without), b2(without);
    const auto image = [](const NoiseMonitor& m) {
      std::vector<std::byte> out;
      StateWriter w(out);
      m.Save(w);
      return out;
    };
    for (int i = 0; i < 300; ++i) {
      const bool blind = i / 60 % 2 == 1;
      (blind ? b : a).Feed(straight, 1);
      (blind ? b2 : a2).Feed(interrupted, 1);
      if (i % 97 == 96) {
        straight.Break();
        interrupted.Break();
      }
      const std::vector<std::byte> saved = image(interrupted);
      ASSERT_EQ(image(straight), saved) << "fix " << i << " step " << step_s;
      interrupted = NoiseMonitor();
      StateReader reader(saved);
      interrupted.Load(reader);
      ASSERT_TRUE(reader.done());
      ASSERT_EQ(interrupted.jitter_m(), straight.jitter_m());
      ASSERT_EQ(interrupted.level().white, straight.level().white);
    }
  }
}

double Ratio(Estimator& e, const Fix& fix) {
  const NoiseModel& noise = EstimatorAccess::Of(e).filter.noise();
  return (noise.white_var_m2 + noise.gm_var_m2) / Square(*fix.horizontal_accuracy_m * kSigmaPerR68);
}

// A radius is believed within a factor: smooth is not true, and what is off by more than five times
// its word is a case for the second hypothesis.
TEST(NoiseOfASource, IsLearnedWithinBounds) {
  for (const bool velocity : {true, false}) {
    for (const double stated_m : {0.5, 1.0, 3.0, 10.0, 30.0, 90.0}) {
      for (const double white_m : {0.1, 3.0}) {
        SCOPED_TRACE("stated " + std::to_string(stated_m) + " white " + std::to_string(white_m) +
                     (velocity ? " velocity" : ""));
        const auto drive = Simulate({.seconds = 300,
                                     .white_m = white_m,
                                     .gm_m = 0.1,
                                     .accuracy_m = stated_m,
                                     .velocity = velocity});
        Estimator e = std::move(Estimator::Create({})).value();
        double least = 1, most = 1;
        for (const DeliveredFix& d : drive.fixes) {
          if (!e.Update(d.fix, d.arrival).used()) continue;
          const double ratio = Ratio(e, d.fix);
          least = std::min(least, ratio);
          most = std::max(most, ratio);
        }
        const double bound = 0.01 * std::min(1.0, Square(10 / stated_m));
        EXPECT_GE(least, bound - 1e-9);
        EXPECT_LE(most, 25 + 1e-9);
        const double truth = Square(white_m / (stated_m * kSigmaPerR68));
        if (truth < 0.2 * bound) {
          EXPECT_LT(least, 1.01 * bound);
        }
        if (truth > 50) {
          EXPECT_GT(most, 24.9);
        }
      }
    }
  }
}

// Every other fix comes from a network that states four times the radius: one of the receiver's own
// that states three times its usual one is of another kind all the same.
TEST(NoiseOfASource, IsNotToldApartByTheRadiiOfAnother) {
  auto drive = Simulate({.seconds = 199, .accuracy_m = 5});
  Estimator e = std::move(Estimator::Create({})).value();
  for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
    Fix& fix = drive.fixes[i].fix;
    const bool network = i % 2 == 1;
    fix.source = network ? FixSource::kNetwork : FixSource::kGnss;
    if (network || i == 198) fix.horizontal_accuracy_m = network ? 20 : 15;
    e.Update(fix, drive.fixes[i].arrival);
    if (i > 10) {
      ASSERT_EQ(EstimatorAccess::Of(e).filter.foreign(), network || i == 198) << i;
    }
  }
}

// A smooth receiver and a jittery one in turn, which state the same radius: what is learned of
// one says nothing of the other, and is still known when it is back.
TEST(NoiseOfASource, IsItsOwn) {
  for (const bool velocity : {true, false}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed) + (velocity ? " velocity" : ""));
      const test::DriveOptions smooth{
          .seconds = 640, .white_m = 0.1, .gm_m = 0.3, .velocity = velocity, .seed = seed};
      test::DriveOptions rough = smooth;
      rough.white_m = 4;
      auto drive = Simulate(smooth);
      const auto other = Simulate(rough);
      Estimator e = std::move(Estimator::Create({})).value();
      double noise_m2[640];
      for (std::size_t i = 0; i < 640; ++i) {
        DeliveredFix d = i / 200 % 2 == 1 ? other.fixes[i] : drive.fixes[i];
        d.fix.source = i / 200 % 2 == 1 ? FixSource::kFused : FixSource::kGnss;
        e.Update(d.fix, d.arrival);
        const NoiseModel& n = EstimatorAccess::Of(e).filter.noise();
        noise_m2[i] = n.white_var_m2 + n.gm_var_m2;
      }
      EXPECT_GT(noise_m2[210], 2 * noise_m2[199]);  // nothing is known of the second yet
      EXPECT_GT(noise_m2[399], 6 * noise_m2[199]);
      ExpectFactor(noise_m2[410], noise_m2[199], 2, "the smooth one again");
      ExpectFactor(noise_m2[610], noise_m2[399], 2, "the rough one again");
    }
  }
}

}  // namespace
}  // namespace waymark
