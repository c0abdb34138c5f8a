// Cross-validation of the constants of motion and odometer: chosen on one half of the sessions,
// judged on the other. Each constant is tried at 0.7 and 1.4 of its value, the others as they are;
// what was best on a half is taken together and judged on the other one. Halves are apart in
// recordings and in seeds.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/track_run.h"

namespace waymark::track {
namespace {

enum Group { kStanding, kSlow, kCars, kDrives, kThinned, kRests, kGroups };
constexpr const char* kNames[kGroups] = {
    "standing 30 min, metres",          "walks and queues, |error| %",
    "cars in town and ring, |error| %", "surveyed drives, |error| %",
    "the same every 5-20 s, |error| %", "rests in town, 100 (1 - F1)"};
// What counts as much as one per cent of a drive.
constexpr double kUnit[kGroups] = {10, 5, 1, 1, 5, 10};

struct Case {
  Group group;
  int half;
  Session session;
};

std::vector<Case> MakeCases() {
  std::vector<Case> cases;
  const auto add = [&](Group group, int half, const Session& s) {
    cases.push_back({group, half, s});
    cases.push_back({group, half, corpus::PositionOnly(s)});
  };
  const std::vector<Session> drives = SurveyedDrives();
  for (std::size_t i = 0; i < drives.size(); ++i) {
    const int half = static_cast<int>(i % 2);
    add(kDrives, half, drives[i]);
    for (const double every_s : {5.0, 10.0, 20.0}) {
      add(kThinned, half, corpus::Every(drives[i], every_s));
    }
  }
  for (std::uint64_t seed = 101; seed <= 108; ++seed) {
    const int half = static_cast<int>(seed % 2);
    for (const Scene& scene : Scenes()) {
      Session s = corpus::Stand(scene.model, 30, seed);
      add(kStanding, half, RestlessSpeed(s, scene.model.velocity_sigma, seed));
      cases.push_back({kStanding, half, corpus::Without(std::move(s), false, true)});
      if (std::string(scene.name) == "indoor") continue;
      for (const char* kind : {"walk", "amble", "creep"}) {
        add(kSlow, half, Receive(Move(kind, 20, seed), scene.model, 1, seed));
      }
      const Session town = Receive(Move("town", 20, seed), scene.model, 1, seed);
      add(kCars, half, town);
      add(kRests, half, town);
      add(kCars, half, Receive(Move("ring", 20, seed), scene.model, 1, seed));
    }
  }
  return cases;
}

double Cost(const Case& c, const Tuning& tuning) {
  const Run run = Track(c.session, tuning);
  if (c.group == kStanding) return run.distance_m();
  const TruthLength truth(c.session);
  if (c.group == kRests) {
    MatchScore score;
    score.Add(RestsOf(run), truth.Rests());
    return 100 * (1 - score.f1());
  }
  const Step* first = nullptr;
  const Step* last = nullptr;
  for (const Step& step : run.steps) {
    if (!truth.At(step.utc_ms)) continue;
    if (first == nullptr) first = &step;
    last = &step;
  }
  if (first == nullptr || last == first) return 0;
  const double real_m = *truth.At(last->utc_ms) - *truth.At(first->utc_ms);
  return 100 * std::abs(last->total.distance_m - first->total.distance_m - real_m) / real_m;
}

/// Mean cost of each group in each half.
struct Costs {
  double mean[2][kGroups] = {};
  double Total(int half) const {
    double sum = 0;
    for (int g = 0; g < kGroups; ++g) sum += mean[half][g] / kUnit[g];
    return sum;
  }
};

Costs Judge(const std::vector<Case>& cases, const Tuning& tuning) {
  Costs costs;
  double n[2][kGroups] = {};
  for (const Case& c : cases) {
    costs.mean[c.half][c.group] += Cost(c, tuning);
    ++n[c.half][c.group];
  }
  for (int half = 0; half < 2; ++half) {
    for (int g = 0; g < kGroups; ++g) costs.mean[half][g] /= std::max(1.0, n[half][g]);
  }
  return costs;
}

}  // namespace

void PrintFolds() {
  const std::vector<Case> cases = MakeCases();
  const Tuning shipped;
  const Costs as_built = Judge(cases, shipped);
  Tuning chosen[2];
  std::printf("\nEach constant at 0.7 and 1.4 of its value: sum of the costs in either half\n");
  std::printf("%-24s %10s %15s %15s %15s\n", "constant", "value", "x 0.7", "as built", "x 1.4");
  for (const auto& [name, of] : Constants()) {
    Tuning t = shipped;
    const double value = *of(t);
    double total[3][2];
    for (int k = 0; k < 3; ++k) {
      *of(t) = value * (k == 0 ? 0.7 : k == 1 ? 1 : 1.4);
      const Costs costs = k == 1 ? as_built : Judge(cases, t);
      for (int half = 0; half < 2; ++half) total[k][half] = costs.Total(half);
    }
    std::printf("%-24s %10g", name, value);
    for (int k = 0; k < 3; ++k) std::printf("   %5.2f  %5.2f", total[k][0], total[k][1]);
    std::printf("\n");
    for (int half = 0; half < 2; ++half) {
      int best = 1;  // a change has to be worth it
      for (const int k : {0, 2}) {
        if (total[k][half] < total[best][half]) best = k;
      }
      *of(chosen[half]) = value * (best == 0 ? 0.7 : best == 1 ? 1 : 1.4);
    }
  }
  const Costs by[2] = {Judge(cases, chosen[0]), Judge(cases, chosen[1])};
  std::printf("\n%-34s %10s %14s %16s\n", "mean over both held-out halves", "as built",
              "chosen on it", "chosen on other");
  const auto both = [](double a, double b) { return (a + b) / 2; };
  for (int g = 0; g < kGroups; ++g) {
    std::printf("%-34s %10.2f %14.2f %16.2f\n", kNames[g],
                both(as_built.mean[0][g], as_built.mean[1][g]),
                both(by[0].mean[0][g], by[1].mean[1][g]), both(by[1].mean[0][g], by[0].mean[1][g]));
  }
  std::printf("%-34s %10.2f %14.2f %16.2f\n", "sum of the costs",
              both(as_built.Total(0), as_built.Total(1)), both(by[0].Total(0), by[1].Total(1)),
              both(by[1].Total(0), by[0].Total(1)));
}

}  // namespace waymark::track
