// 100,000 random edits of the set between updates, against a naive model that keeps a plain map and
// measures every fence; and restarts at every event.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "oracle.h"
#include "sdk/geofence/geofence_engine.h"
#include "waymark/geometry.h"
#include "worlds.h"

namespace waymark {
namespace {

/// Deterministic, and the same on every machine: the standard fixes this engine's numbers.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  double Uniform(double lo, double hi) {
    return lo + (hi - lo) * static_cast<double>(engine_() >> 11) * 0x1.0p-53;
  }
  std::size_t Below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }

 private:
  std::mt19937_64 engine_;
};

Geofence RandomFence(Dice& dice, std::string id, LatLon around) {
  Geofence f;
  f.id = std::move(id);
  const LatLon centre = Destination(around, dice.Uniform(0, 360), dice.Uniform(0, 6000));
  const double size = std::exp(dice.Uniform(std::log(5.0), std::log(4000.0)));
  switch (dice.Below(6)) {
    case 0: {
      Polygon polygon;
      const int n = 3 + static_cast<int>(dice.Below(20));
      for (int i = 0; i < n; ++i) {
        polygon.outer.push_back(Destination(centre, 360.0 * i / n, size * dice.Uniform(0.5, 1)));
      }
      f.shape = polygon;
      break;
    }
    case 1:
      f.shape =
          Corridor{{centre, Destination(centre, dice.Uniform(0, 360), size)}, dice.Uniform(2, 100)};
      break;
    default:
      f.shape = Circle{centre, size};
  }
  return f;
}

/// Every fence measured at every certain estimate; sides only, no way between them.
class NaiveModel {
 public:
  void Put(const Geofence& f) {
    Entry& e = entries_[f.id];
    e.geometry.emplace(FenceGeometry::Create(f.shape).value());
  }
  void Remove(const std::string& id) { entries_.erase(id); }
  std::size_t size() const { return entries_.size(); }
  std::set<std::string> Inside(LatLon p, std::set<std::string>& ties) const {
    std::set<std::string> inside;
    for (const auto& [id, e] : entries_) {
      const double d = e.geometry->SignedDistanceM(p);
      if (std::fabs(d) < 0.011) {
        ties.insert(id);
      } else if (d < 0) {
        inside.insert(id);
      }
    }
    return inside;
  }

 private:
  struct Entry {
    std::optional<FenceGeometry> geometry;
  };
  std::map<std::string, Entry> entries_;
};

TEST(SetEdits, AHundredThousandEditsLeaveTheEngineEqualToANaiveModel) {
  constexpr std::uint64_t kSeed = 20251009;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  Dice dice(kSeed);
  const LatLon home{59.91, 179.99};  // the antimeridian runs through the set
  GeofenceEngine engine;
  NaiveModel naive;
  std::vector<std::string> ids;
  std::vector<FenceProblem> problems;
  LatLon at = home;
  double t = 0;
  std::size_t compared = 0;
  for (int edit = 0; edit < 100'000; ++edit) {
    const bool grow = ids.size() < 50 || (ids.size() < 400 && dice.Below(2) == 0);
    if (grow || dice.Below(3) == 0) {
      std::string id =
          !grow && !ids.empty() ? ids[dice.Below(ids.size())] : "f" + std::to_string(edit);
      const Geofence f = RandomFence(dice, id, home);
      problems.clear();
      engine.Add(std::span(&f, 1), problems);
      ASSERT_TRUE(problems.empty()) << problems[0].reason;
      naive.Put(f);
      if (grow) ids.push_back(std::move(id));
    } else {
      const std::size_t k = dice.Below(ids.size());
      ASSERT_EQ(engine.Remove(std::span(&ids[k], 1)), 1u);
      naive.Remove(ids[k]);
      ids[k] = ids.back();
      ids.pop_back();
    }
    if (edit % 20 != 0) continue;
    ASSERT_EQ(engine.size(), naive.size());
    at = Destination(at, dice.Uniform(0, 360), dice.Uniform(0, 300));
    if (DistanceM(at, home) > 6000) at = home;
    t += 1;
    std::vector<FenceEvent> events;
    engine.Update(worlds::EstimateAt(t, at, 0), events);
    if (edit % 100 != 0) continue;
    std::set<std::string> ties;
    const std::set<std::string> expected = naive.Inside(at, ties);
    std::vector<std::string> containing;
    engine.Containing(at, containing);
    for (const std::string& id : ids) {
      if (ties.contains(id)) continue;
      const bool inside = expected.contains(id);
      ASSERT_EQ(engine.State(id)->inside, inside) << id << " after edit " << edit;
      ASSERT_EQ(std::binary_search(containing.begin(), containing.end(), id), inside) << id;
      ++compared;
    }
  }
  EXPECT_GT(compared, 100'000u);
}

// The same noisy drive twice; the second engine is saved, thrown away and restored before every
// estimate. Not one bit of an event differs.
TEST(Restart, AtEveryEstimateIsANoOp) {
  std::size_t total = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Dice dice(seed);
    const LatLon home{dice.Uniform(-70, 70), dice.Uniform(-180, 180)};
    std::vector<Geofence> set;
    for (int i = 0; i < 60; ++i) {
      Geofence f = RandomFence(dice, "f" + std::to_string(i), home);
      if (dice.Below(3) == 0) f.dwell = std::chrono::seconds(dice.Below(60) + 1);
      if (dice.Below(5) == 0) f.initial_trigger = false;
      if (dice.Below(5) == 0) f.confidence = 0.6;
      set.push_back(std::move(f));
    }
    std::vector<FenceProblem> problems;
    GeofenceEngine straight, restarted;
    straight.Add(set, problems);
    restarted.Add(set, problems);
    LatLon truth = home;
    double azimuth = 0;
    std::vector<FenceEvent> a, b;
    for (int k = 0; k < 400; ++k) {
      std::vector<std::byte> fences, state;
      restarted.SaveFences(fences);
      restarted.SaveState(state);
      GeofenceEngine next;
      ASSERT_TRUE(next.RestoreFences(fences).ok());
      ASSERT_TRUE(next.RestoreState(state).ok());
      restarted = std::move(next);
      azimuth += dice.Uniform(-40, 40);
      truth = Destination(truth, azimuth, dice.Uniform(0, 60));
      if (DistanceM(truth, home) > 5000) truth = home;
      const double sigma = dice.Uniform(1, 15);
      const LatLon seen = Destination(truth, dice.Uniform(0, 360), dice.Uniform(0, 1.5 * sigma));
      const Estimate e = worlds::EstimateAt(2.0 * k, seen, sigma);
      straight.Update(e, a);
      restarted.Update(e, b);
      ASSERT_EQ(straight.NextDeadline(), restarted.NextDeadline());
      ASSERT_EQ(a.size(), b.size()) << "at estimate " << k;
    }
    total += a.size();
    std::map<std::string, bool> inside;
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].id, b[i].id);
      EXPECT_EQ(a[i].transition, b[i].transition);
      EXPECT_EQ(a[i].crossing_time, b[i].crossing_time);
      EXPECT_EQ(a[i].probability, b[i].probability);
      EXPECT_EQ(a[i].distance_m, b[i].distance_m);
      // I6: Enter and Exit alternate, Dwell only inside; a quiet start counts as inside.
      const auto [it, is_new] = inside.try_emplace(a[i].id, false);
      if (is_new && (a[i].transition == FenceTransition::kExit ||
                     a[i].transition == FenceTransition::kDwell)) {
        it->second = true;
      }
      if (a[i].transition == FenceTransition::kEnter) {
        EXPECT_FALSE(it->second);
        it->second = true;
      } else if (a[i].transition == FenceTransition::kExit) {
        EXPECT_TRUE(it->second);
        it->second = false;
      } else if (a[i].transition == FenceTransition::kDwell) {
        EXPECT_TRUE(it->second);
      }
    }
  }
  EXPECT_GT(total, 300u);
}

TEST(Restart, NoImageIsUnsafe) {
  Dice dice(7);
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  std::vector<Geofence> set;
  for (int i = 0; i < 20; ++i) set.push_back(RandomFence(dice, std::to_string(i), {10, 20}));
  engine.Add(set, problems);
  std::vector<FenceEvent> events;
  engine.Update(worlds::EstimateAt(1, {10, 20}, 5), events);
  std::vector<std::byte> fences, state;
  engine.SaveFences(fences);
  engine.SaveState(state);
  for (int i = 0; i < 3000; ++i) {
    for (auto* image : {&fences, &state}) {
      std::vector<std::byte> damaged = *image;
      if (i % 3 == 0) damaged.resize(dice.Below(damaged.size()));
      for (std::size_t k = 0; k < 1 + dice.Below(4) && !damaged.empty(); ++k) {
        damaged[dice.Below(damaged.size())] ^= static_cast<std::byte>(1 + dice.Below(255));
      }
      if (damaged == *image) continue;
      GeofenceEngine copy = engine;
      const Status status =
          image == &fences ? copy.RestoreFences(damaged) : copy.RestoreState(damaged);
      EXPECT_EQ(status.code(), Code::kCorruption);
      EXPECT_EQ(copy.size(), engine.size());
    }
  }
}

}  // namespace
}  // namespace waymark
