// Runs the estimator and the smoother through worlds of errors (receiver_errors.h) along the
// surveyed drives, those with a pseudo-truth and simulated walks: `error_worlds` for one line for
// each family of worlds, `--rows` for each world, `--sessions` for each drive too, `--only TEXT`
// for the families of that name, `--trace SESSION` for every fix of its drives, `--seed N` for
// other errors of the same kinds.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/judgement.h"
#include "bench/receiver_errors.h"
#include "bench/trace_corpus.h"
#include "filters/track_filter.h"

namespace waymark::worlds {
namespace {

constexpr double kMinutes = 25;  // of each way

// A world of velocities and radii has no twin by position alone.
enum Fields { kBoth, kAllOnly };

struct World {
  std::string name;
  std::vector<Effect> effects;
  Clock clock = Regular(1);
};

struct Family {
  std::string name;
  Fields fields;
  std::vector<World> worlds;
};

// What a phone under an open sky errs by: the ground on which the other errors stand.
std::vector<Effect> Open() { return {White(0.2), Coloured(0.8, 30)}; }
std::vector<Effect> Suburb() { return {White(1), Coloured(3, 8), Coloured(2, 40)}; }

World On(std::vector<Effect> ground, std::string name, const std::vector<Effect>& effects,
         Clock clock = Regular(1)) {
  ground.insert(ground.end(), effects.begin(), effects.end());
  return {std::move(name), std::move(ground), std::move(clock)};
}

std::string Text(const char* format, double a, double b = 0, double c = 0) {
  char text[80];
  std::snprintf(text, sizeof text, format, a, b, c);
  return text;
}

std::vector<Family> PositionFamilies() {
  Family little{"white, 0.2-1 m", kBoth, {}}, large{"white, 2-8 m", kBoth, {}};
  for (const double m : {0.2, 0.5, 1.0}) little.worlds.push_back({Text("%g m", m), {White(m)}});
  for (const double m : {2.0, 4.0, 8.0}) large.worlds.push_back({Text("%g m", m), {White(m)}});
  Family fast{"coloured, 3-10 s", kBoth, {}}, slow{"coloured, 30-300 s", kBoth, {}};
  for (const double m : {2.0, 6.0}) {
    for (const double s : {3.0, 10.0, 30.0, 100.0, 300.0}) {
      (s < 30 ? fast : slow)
          .worlds.push_back({Text("%g m, %g s", m, s), {White(0.2), Coloured(m, s)}});
    }
  }
  Family walk{"random walk", kBoth, {}}, heavy{"t, 2 degrees of freedom", kBoth, {}};
  for (const double m : {0.1, 0.3, 1.0}) {
    walk.worlds.push_back({Text("%g m a root of s", m), {White(0.2), RandomWalk(m)}});
    heavy.worlds.push_back({Text("%g m", 3 * m), {HeavyTailed(3 * m)}});
  }
  Family lag{"receiver lags 0.5-2 s", kBoth, {}};
  for (const double s : {0.5, 1.0, 2.0})
    lag.worlds.push_back(On(Open(), Text("%g s", s), {Lag(s)}));
  const Family over{"receiver overshoots", kBoth, {On(Open(), "loop", {Overshoot()})}};
  const Family other{
      "snaps to another road",
      kBoth,
      {On(Open(), "8-15 m", {OtherRoad(8, 15)}), On(Open(), "15-40 m", {OtherRoad(15, 40)})}};
  return {little, large, fast, slow, walk, heavy, lag, over, other};
}

std::vector<Family> OutlierFamilies() {
  std::vector<Family> all;
  const std::pair<double, double> sizes[] = {{20, 80}, {50, 500}, {500, 3000}};
  const auto add = [&](const char* name, Burst kind, int most, bool honest) {
    Family f{name, kBoth, {}};
    for (const auto& [near_m, far_m] : sizes) {
      f.worlds.push_back(On(Open(), Text("1-%g fixes, %g-%g m", most, near_m, far_m),
                            {Bursts(kind, most, near_m, far_m, honest)}));
    }
    all.push_back(f);
  };
  add("bursts of 1-6 fixes, fixed", Burst::kFixed, 6, false);
  add("bursts of 1-20, fixed", Burst::kFixed, 20, false);
  add("bursts of 1-20, scattered", Burst::kScattered, 20, false);
  add("bursts of 1-20, moving off", Burst::kMovingOff, 20, false);
  add("bursts of 1-6, with radius", Burst::kFixed, 6, true);
  Family noisy{"bursts of 1-6 in a suburb", kBoth, {}};
  for (const auto& [near_m, far_m] : sizes) {
    noisy.worlds.push_back(
        On(Suburb(), Text("%g-%g m", near_m, far_m), {Bursts(Burst::kFixed, 6, near_m, far_m)}));
  }
  all.push_back(noisy);
  Family little{"repeats of 0.5-5 s", kBoth, {}}, large{"repeats of 5-60 s", kBoth, {}};
  for (const bool whole : {true, false}) {
    const char* what = whole ? "%g-%g s, whole fix" : "%g-%g s, position";
    little.worlds.push_back(On(Open(), Text(what, 0.5, 2), {Repeats(0.5, 2, whole)}));
    little.worlds.push_back(On(Open(), Text(what, 2, 5), {Repeats(2, 5, whole)}));
    large.worlds.push_back(On(Open(), Text(what, 5, 20), {Repeats(5, 20, whole)}));
    large.worlds.push_back(On(Open(), Text(what, 20, 60), {Repeats(20, 60, whole)}));
  }
  large.worlds.push_back(On(Suburb(), "5-60 s, suburb", {Repeats(5, 60, true)}));
  all.push_back(little);
  all.push_back(large);
  all.push_back({"position held at rest",
                 kBoth,
                 {On(Open(), "open", {HeldAtRest()}), On(Suburb(), "suburb", {HeldAtRest()}),
                  On(Suburb(), "suburb, bursts", {HeldAtRest(), Bursts(Burst::kFixed, 6, 20, 80)}),
                  On(Suburb(), "suburb, single outliers",
                     {HeldAtRest(), Bursts(Burst::kFixed, 1, 20, 200)})}});
  Family good{"gaps of 5-300 s", kBoth, {}}, bad{"gaps and a bad first fix", kBoth, {}};
  const std::pair<double, double> lengths[] = {{5, 20}, {20, 90}, {90, 300}};
  for (const auto& [least_s, most_s] : lengths) {
    const std::string name = Text("%g-%g s", least_s, most_s);
    good.worlds.push_back(On(Open(), name, {Gaps(least_s, most_s, 0)}));
    bad.worlds.push_back(On(Open(), name + ", 30-90 m", {Gaps(least_s, most_s, 90)}));
  }
  all.push_back(good);
  all.push_back(bad);
  return all;
}

std::vector<Family> StreamFamilies() {
  Family grid{"quantised positions", kBoth, {}};
  for (const double deg : {1e-5, 1.0 / 60e3, 1e-4}) {
    grid.worlds.push_back(On(Open(), Text("%.2g degrees", deg), {Quantised(deg)}));
  }
  Family fast{"regular, 0.1-0.5 s", kBoth, {}}, slow{"regular, 2-3 s", kBoth, {}};
  for (const double s : {0.1, 0.2, 0.5}) {
    fast.worlds.push_back(On(Open(), Text("%g s", s), {}, Regular(s)));
  }
  for (const double s : {2.0, 3.0}) {
    slow.worlds.push_back(On(Open(), Text("%g s", s), {}, Regular(s)));
  }
  const Family ragged{"jittered and irregular, 0.1-3 s",
                      kBoth,
                      {On(Open(), "1 s, jitter 0.05", {}, Jittered(1, 0.05)),
                       On(Open(), "1 s, jitter 0.5", {}, Jittered(1, 0.5)),
                       On(Open(), "0.2 s, jitter 0.5", {}, Jittered(0.2, 0.5)),
                       On(Open(), "0.1-3 s", {}, Irregular(0.1, 3)),
                       On(Suburb(), "0.1-3 s, suburb", {}, Irregular(0.1, 3))}};
  const Family mixed{"network fixes between or instead",
                     kBoth,
                     {On(Open(), "each 5 s, 15 m", {NetworkBetween(5, 15)}),
                      On(Open(), "each 15 s, 40 m", {NetworkBetween(15, 40)}),
                      On(Open(), "instead for 20-60 s, 20 m", {NetworkInstead(20, 60, 20)}),
                      On(Open(), "instead for 60-200 s, 40 m", {NetworkInstead(60, 200, 40)})}};
  return {grid, fast, slow, ragged, mixed};
}

std::vector<Family> FieldFamilies() {
  const auto one = [](const char* name, const std::vector<World>& worlds) {
    return Family{name, kAllOnly, worlds};
  };
  return {
      one("velocity late",
          {On(Open(), "0.5 s", {VelocityLate(0.5)}), On(Open(), "1 s", {VelocityLate(1)}),
           On(Open(), "2 s", {VelocityLate(2)})}),
      one("velocity noisy",
          {On(Open(), "0.3 m/s", {VelocityNoise(0.3)}), On(Open(), "0.7 m/s", {VelocityNoise(0.7)}),
           On(Open(), "1.5 m/s", {VelocityNoise(1.5)})}),
      one("velocity drifts", {On(Open(), "0.5 m/s, 30 s", {VelocityDrift(0.5, 30)}),
                              On(Open(), "1 m/s, 30 s", {VelocityDrift(1, 30)}),
                              On(Open(), "1 m/s, 5 s", {VelocityDrift(1, 5)})}),
      one("speed scaled",
          {On(Open(), "0.9", {SpeedScaled(0.9)}), On(Open(), "1.05", {SpeedScaled(1.05)}),
           On(Open(), "1.1", {SpeedScaled(1.1)})}),
      one("speed stuck at 0",
          {On(Open(), "10 s", {SpeedStuckAtZero(10)}), On(Open(), "30 s", {SpeedStuckAtZero(30)}),
           On(Suburb(), "30 s, suburb", {SpeedStuckAtZero(30)}),
           On(Open(), "always", {SpeedStuckAtZero(0)}),
           On(Suburb(), "always, suburb", {SpeedStuckAtZero(0)})}),
      one("speed without course",
          {On(Open(), "open", {NoCourse()}), On(Suburb(), "suburb", {NoCourse()}),
           On(Suburb(), "suburb, bursts", {NoCourse(), Bursts(Burst::kFixed, 6, 50, 500)})}),
      one("radius constant or wrong",
          {On(Open(), "12 m", {Radius(12)}), On(Open(), "1 m", {Radius(1)}),
           On(Suburb(), "1 m, suburb", {Radius(1)}), On(Suburb(), "40 m, suburb", {Radius(40)})}),
      one("radius in steps",
          {On(Open(), "open", {RadiusInSteps()}), On(Suburb(), "suburb", {RadiusInSteps()})}),
  };
}

// Several at once, drawn by chance: one in three of each kind.
Family Mixtures(int count, std::uint64_t seed) {
  Family f{"several at once", kBoth, {}};
  for (int i = 0; i < count; ++i) {
    Random r(seed + static_cast<std::uint64_t>(i));
    const auto some = [&] { return r.Uniform() < 1.0 / 3; };
    World w{Text("mixture %g", i), some() ? Suburb() : Open()};
    if (some()) w.clock = Jittered(r.Uniform(0.2, 2), r.Uniform(0, 0.5));
    std::vector<Effect>& e = w.effects;
    if (some()) e.push_back(HeavyTailed(r.Uniform(0.3, 2)));
    if (some()) e.push_back(Lag(r.Uniform(0.2, 1)));
    if (some()) e.push_back(OtherRoad(8, 25));
    if (some()) e.push_back(Bursts(Burst::kFixed, 6, 50, 500, some()));
    if (some()) e.push_back(Bursts(Burst::kScattered, 10, 30, 200));
    if (some()) e.push_back(NetworkBetween(10, 30));
    if (some()) e.push_back(VelocityLate(r.Uniform(0.3, 1.5)));
    if (some()) e.push_back(VelocityNoise(r.Uniform(0.3, 1)));
    if (some()) e.push_back(SpeedStuckAtZero(20));
    if (some()) e.push_back(NoCourse());
    if (some()) e.push_back(RadiusInSteps());
    if (some()) e.push_back(Repeats(1, 10, true));
    if (some()) e.push_back(Gaps(5, 60, 60));
    if (some()) e.push_back(Quantised(1e-5));
    f.worlds.push_back(w);
  }
  return f;
}

std::vector<Family> Families(std::uint64_t seed) {
  std::vector<Family> all;
  for (const auto& some :
       {PositionFamilies(), OutlierFamilies(), StreamFamilies(), FieldFamilies()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  all.push_back(Mixtures(16, 1000 * seed));
  all.push_back({"cells instead",
                 kBoth,
                 {On(Open(), "20-60 s, 500 m", {CellsInstead(20, 60, 500)}),
                  On(Open(), "60-200 s, 500 m", {CellsInstead(60, 200, 500)}),
                  On(Open(), "20-60 s, 1500 m", {CellsInstead(20, 60, 1500)}),
                  On(Open(), "60-200 s, 1500 m", {CellsInstead(60, 200, 1500)})}});
  all.push_back(
      {"velocity of another kind",
       kAllOnly,
       {On(Open(), "km/h", {SpeedScaled(3.6)}), On(Open(), "knots", {SpeedScaled(1.94)}),
        On(Open(), "course reversed", {CourseOff(180)}),
        On(Open(), "course off by 45", {CourseOff(45)}),
        On(Open(), "course always 0", {CourseStuck(0)}), On(Open(), "5 s late", {VelocityLate(5)}),
        On(Suburb(), "km/h, suburb", {SpeedScaled(3.6)}),
        On(Suburb(), "course always 0, suburb", {CourseStuck(0)}),
        On(Open(), "km/h, each 10 s", {SpeedScaled(3.6)}, Regular(10)),
        On(Open(), "course always 0, each 10 s", {CourseStuck(0)}, Regular(10))}});
  return all;
}

// Whatever has a dense truth to drive along, and four walks.
std::vector<Road> Roads(const std::string& data) {
  std::vector<corpus::Session> ways = corpus::LoadRecorded(data + "/gsdc-android", "fixes.csv");
  for (auto& s : corpus::LoadRecorded(data + "/strapdown-phone", "fixes.csv")) {
    if (s.truth.size() > 500) ways.push_back(std::move(s));
  }
  if (auto s = corpus::LoadSession(data + "/google-nmeautils/MTV.Local1.F9K", "fixes.csv", "F9K")) {
    ways.push_back(std::move(*s));
  }
  if (ways.empty()) return {};
  for (std::uint64_t seed = 1; seed <= 4; ++seed) ways.push_back(corpus::Walk({}, kMinutes, seed));
  std::vector<Road> roads;
  for (corpus::Session& way : ways) roads.emplace_back(std::move(way), kMinutes);
  return roads;
}

void Print(const std::string& name, const corpus::Line& sum) {
  const corpus::Line l = sum.Mean();
  std::printf("%-42s %4d | %5.2f %5.2f %5.2f %5.2f %5.2f %5.2f | %5.2f %5.2f %5.2f %5.2f\n",
              name.c_str(), l.n, l.score, l.worst, l.rmse, l.max, l.c68, l.c95, l.sscore, l.sworst,
              l.srmse, l.smax);
}

struct Options {
  std::string data = WAYMARK_SHARED_DATA "/traces", only, trace;
  std::uint64_t seed = 1;
  bool rows = false, sessions = false;
};

void Run(const Options& o, const std::vector<Road>& roads) {
  const std::vector<Family> families = Families(o.seed);
  std::printf(
      "Ratios to raw. Seed of world w (in this order, from 0), way r of %zu, fields f (0 every, 1\n"
      "position only): %llu + 1000 w + 10 r + f\n",
      roads.size(), static_cast<unsigned long long>(o.seed * 1'000'000));
  std::printf("%-42s %4s | %5s %5s %5s %5s %5s %5s | %5s %5s %5s %5s\n", "worlds", "n", "live",
              "worst", "rmse", "max", "in68", "in95", "smoo", "worst", "rmse", "max");
  std::uint64_t first = 0;  // of the worlds of this family
  for (const Family& family : families) {
    for (std::uint64_t fields = 0; fields < (family.fields == kAllOnly ? 1 : 2); ++fields) {
      if (family.name.find(o.only) == std::string::npos) continue;
      corpus::Line sum;
      for (std::size_t w = 0; w < family.worlds.size(); ++w) {
        std::vector<Effect> effects = family.worlds[w].effects;
        if (fields == 1) effects.push_back(PositionOnly());
        corpus::Line row;
        for (std::size_t r = 0; r < roads.size(); ++r) {
          const std::uint64_t seed = o.seed * 1'000'000 + 1000 * (first + w) + 10 * r + fields;
          const corpus::Session drive = Drive(roads[r], family.worlds[w].clock, effects, seed);
          const bool traced = !o.trace.empty() && drive.name.find(o.trace) != std::string::npos;
          const corpus::Judgement j =
              corpus::Judge(drive, {}, traced ? corpus::PrintsFixes(drive) : nullptr);
          sum.Add(j);
          row.Add(j);
          if (!o.sessions) continue;
          corpus::Line session;
          session.Add(j);
          Print("    " + j.name, session);
        }
        if (o.rows || o.sessions) Print("  " + family.worlds[w].name, row);
      }
      Print(family.name + (fields == 1 ? ", pos." : ""), sum);
      std::fflush(stdout);
    }
    first += family.worlds.size();
  }
}

}  // namespace
}  // namespace waymark::worlds

int main(int argc, char** argv) {
  waymark::worlds::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "--rows") {
      options.rows = true;
    } else if (a == "--sessions") {
      options.sessions = true;
    } else if (a == "--data" && i + 1 < argc) {
      options.data = argv[++i];
    } else if (a == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else if (a == "--trace" && i + 1 < argc) {
      options.trace = argv[++i];
    } else if (a == "--seed" && i + 1 < argc) {
      options.seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::fprintf(stderr,
                   "error_worlds: %s: usage: [--rows] [--sessions] [--only TEXT] [--trace SESSION] "
                   "[--seed N] [--data DIR]\n",
                   a.c_str());
      return 2;
    }
  }
  const auto roads = waymark::worlds::Roads(options.data);
  if (roads.empty()) {
    std::fprintf(stderr, "error_worlds: %s: no recordings there\n", options.data.c_str());
    return 1;
  }
  Run(options, roads);
  return 0;
}
