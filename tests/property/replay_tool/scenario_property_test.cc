// The scenarios against the models they claim to follow.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "replay_tool/scenario.h"
#include "replay_tool/scenario_errors.h"
#include "replay_tool/scenario_motion.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

struct Moments {
  double sigma_m = 0;               ///< per axis
  std::vector<double> correlation;  ///< at the lags asked for
};

Moments MomentsOf(const ErrorParameters& parameters, const std::vector<int>& lags, int n,
                  std::uint64_t seed) {
  ErrorModel model(parameters, seed);
  std::vector<EastNorth> e;
  for (int i = 0; i < n; ++i) e.push_back(model.Next(1).error);
  const auto covariance = [&](int lag) {
    double sum = 0;
    for (int i = 0; i + lag < n; ++i) {
      const auto a = static_cast<std::size_t>(i), b = static_cast<std::size_t>(i + lag);
      sum += e[a].east_m * e[b].east_m + e[a].north_m * e[b].north_m;
    }
    return sum / (2 * (n - lag));
  };
  Moments m;
  m.sigma_m = std::sqrt(covariance(0));
  for (const int lag : lags) m.correlation.push_back(covariance(lag) / covariance(0));
  return m;
}

// Sigma and autocorrelation of white + Gauss-Markov + Gauss-Markov, in closed form.
TEST(ScenarioErrors, AreColouredAsTheTableSays) {
  const std::vector<int> lags{1, 5, 10, 30, 60, 120};
  for (ErrorParameters p : {OpenSky(), Suburb(), Canyon(), Indoor()}) {
    p.jump_every_s = p.hop_every_s = 0;
    double variance = p.white_m * p.white_m;
    for (const GaussMarkov& g : p.coloured) variance += g.sigma_m * g.sigma_m;
    const Moments m = MomentsOf(p, lags, 400'000, 17);
    EXPECT_NEAR(m.sigma_m / std::sqrt(variance), 1, 0.03);
    for (std::size_t k = 0; k < lags.size(); ++k) {
      double expected = 0;
      for (const GaussMarkov& g : p.coloured) {
        expected += g.sigma_m * g.sigma_m * std::exp(-lags[k] / g.tau_s) / variance;
      }
      EXPECT_NEAR(m.correlation[k], expected, 0.03) << "lag " << lags[k];
    }
  }
}

// The colour does not depend on how often the phone measures.
TEST(ScenarioErrors, AreTheSameProcessAtAnotherInterval) {
  ErrorParameters p = OpenSky();
  ErrorModel model(p, 3);
  double sum0 = 0, sum1 = 0;
  EastNorth last = model.Next(20).error;
  constexpr int kN = 100'000;
  for (int i = 0; i < kN; ++i) {
    const EastNorth e = model.Next(20).error;
    sum0 += e.east_m * e.east_m;
    sum1 += e.east_m * last.east_m;
    last = e;
  }
  const double variance = 0.4 * 0.4 + 0.6 * 0.6 + 0.9 * 0.9;
  EXPECT_NEAR(sum0 / kN, variance, 0.05);
  EXPECT_NEAR(sum1 / sum0, (0.36 * std::exp(-20 / 8.0) + 0.81 * std::exp(-20 / 100.0)) / variance,
              0.02);
}

TEST(ScenarioErrors, JumpsAndDropoutsComeAsOftenAndLastAsLong) {
  const ErrorParameters p = Canyon();
  ErrorModel model(p, 5);
  constexpr int kN = 500'000;
  int missing = 0, outlying = 0, radius_noticed = 0;
  for (int i = 0; i < kN; ++i) {
    const ErrorState s = model.Next(1);
    missing += s.missing ? 1 : 0;
    EXPECT_GE(s.radius_m, 3.8);
    const double sigma = std::sqrt(9.0 + 36 + 64);
    outlying += s.sigma_m > sigma + 1e-9 ? 1 : 0;
    radius_noticed += s.radius_m > 40 ? 1 : 0;
  }
  // A renewal process: on for 1 + 10 s (less the discretisation), off for 60 s on average; half of
  // the jumps are noticed.
  EXPECT_NEAR(static_cast<double>(outlying) / kN, 0.5 * 11.0 / 71, 0.012);
  EXPECT_NEAR(static_cast<double>(missing) / kN, 21.0 / 171, 0.015);
  EXPECT_GT(radius_noticed, 0);
}

// The share of errors inside the reported radius, against the integral over the radius' scatter:
// r = max(3.8, 1.5096 sigma e^(0.3 z)), P(inside) = 1 - exp(-r^2 / 2 sigma^2).
TEST(ScenarioErrors, TheRadiusIsAsWrongAsTheModelSays) {
  ErrorParameters p = Suburb();
  p.jump_every_s = 0;
  const double sigma = std::sqrt(0.8 * 0.8 + 1.8 * 1.8 + 2.0 * 2.0);
  double expected = 0, weight = 0;
  for (double z = -6; z <= 6; z += 0.01) {
    const double r = std::max(3.8, 1.5096 * sigma * std::exp(0.3 * z));
    const double w = std::exp(-z * z / 2);
    expected += w * (1 - std::exp(-r * r / (2 * sigma * sigma)));
    weight += w;
  }
  expected /= weight;
  ErrorModel model(p, 8);
  int inside = 0;
  constexpr int kN = 800'000;
  for (int i = 0; i < kN; ++i) {
    const ErrorState s = model.Next(1);
    inside += std::hypot(s.error.east_m, s.error.north_m) <= s.radius_m ? 1 : 0;
  }
  // The errors are correlated over 120 s: some 7,000 independent ones.
  EXPECT_NEAR(static_cast<double>(inside) / kN, expected, 0.02);
}

struct Journey : ScenarioSink {
  std::vector<ScenarioTruth> truth;
  void OnTruth(const ScenarioTruth& t) override { truth.push_back(t); }
  void OnFix(const ScenarioFix&) override {}
};

// Whatever the seed, nothing jumps: speed matches the displacement, acceleration and turn rate stay
// within what the vehicle can do, and a standing thing stands.
TEST(ScenarioTruth, IsKinematicallyPlausible) {
  for (const ScenarioInfo& info : Scenarios()) {
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      Journey journey;
      ScenarioOptions options;
      options.name = info.name;
      options.seed = seed;
      options.truth_interval_s = 0.1;
      ASSERT_TRUE(RunScenario(options, journey).ok());
      const auto& t = journey.truth;
      const bool fast = info.name == "flight";
      for (std::size_t i = 1; i < t.size(); ++i) {
        const double step_m = DistanceM(t[i - 1].position, t[i].position);
        ASSERT_NEAR(step_m, 0.1 * t[i].speed_mps, 1e-4 + 1e-6 * step_m)
            << info.name << " seed " << seed << " at " << i;
        ASSERT_GE(t[i].speed_mps, 0);
        ASSERT_LE(t[i].speed_mps, fast ? 231 : 33);
        const double accel = (t[i].speed_mps - t[i - 1].speed_mps) / 0.1;
        ASSERT_LE(std::abs(accel), 2.6) << info.name << " seed " << seed << " at " << i;
        if (t[i].stationary) {
          ASSERT_EQ(step_m, 0);
        }
        if (i < 2 || step_m < 0.05) continue;
        const double before = Inverse(t[i - 2].position, t[i - 1].position).azimuth_deg;
        const double after = Inverse(t[i - 1].position, t[i].position).azimuth_deg;
        // At the pole the azimuth itself turns round.
        if (std::abs(t[i].position.lat_deg) > 89.9) continue;
        const double turn_rad = std::remainder(after - before, 360.0) * M_PI / 180;
        const double lateral = std::abs(turn_rad) / 0.1 * t[i].speed_mps;
        ASSERT_LE(lateral, 4.5) << info.name << " seed " << seed << " at " << i;
      }
      EXPECT_GT(t.back().utc - t.front().utc, std::chrono::seconds(800));
    }
  }
}

TEST(PortableGeodesy, AgreesWithTheGeodesics) {
  Random random(23);
  for (int i = 0; i < 2000; ++i) {
    const LatLon p{random.Uniform(-90, 90), random.Uniform(-180, 180)};
    const LatLon back = PortableFromEcef(PortableToEcef(p));
    EXPECT_LT(DistanceM(p, back), 1e-7);
    EXPECT_LT(Norm(PortableToEcef(p) - ToEcef(p)), 1e-6);
    EXPECT_LT(DistanceM(p, FromEcef(ToEcef(p))), 1e-7);
  }
}

}  // namespace
}  // namespace waymark::replay
