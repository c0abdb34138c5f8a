// Restarts in the states that take time: at rest, on the way off a resting place, while a crossing
// is in doubt, and while a dwell counts down. Not one bit of an event differs, so that there is no
// second Enter and no lost Exit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "property/geofence/dice.h"
#include "sdk/geofence/geofence_engine.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

constexpr int kStandS = 300, kWalkS = 60;

// Who stands for five minutes, walks for one, stands again, six times; seen by a phone.
std::vector<Estimate> StandAndWalk(LatLon start, std::uint64_t seed) {
  Dice dice(seed);
  auto estimator = Estimator::Create({});
  std::vector<Estimate> out;
  LatLon at = start;
  double east_error = 0, north_error = 0, azimuth = 0;
  for (int second = 0; second < 6 * (kStandS + kWalkS); ++second) {
    const int phase = second % (kStandS + kWalkS);
    const bool walks = phase >= kStandS;
    if (phase == kStandS) azimuth = 360 * dice.Uniform();
    if (walks) at = Destination(at, azimuth, 1.4);
    east_error = 0.98 * east_error + 0.6 * dice.Normal();
    north_error = 0.98 * north_error + 0.6 * dice.Normal();
    Fix fix;
    fix.time = MonoTime(std::chrono::seconds(1000 + second));
    fix.utc = UtcTime(std::chrono::milliseconds(1'760'000'000'000 + second * 1000LL));
    fix.position = Destination(Destination(at, 90, east_error), 0, north_error);
    fix.horizontal_accuracy_m = 4.5;
    fix.speed_mps = std::fabs((walks ? 1.4 : 0) + 0.15 * dice.Normal());
    if (walks) fix.course_deg = azimuth;
    estimator.value().Update(fix, {fix.time, *fix.utc});
    if (const auto e = estimator.value().Latest()) out.push_back(*e);
  }
  return out;
}

// Circles with borders a few metres from where the device stands.
std::vector<Geofence> Fences(const std::vector<Estimate>& estimates, std::uint64_t seed) {
  Dice dice(seed);
  std::vector<Geofence> set;
  for (std::size_t k = 100; k < estimates.size(); k += kStandS + kWalkS) {
    for (int i = 0; i < 8; ++i) {
      Geofence f;
      f.id = std::to_string(k) + "/" + std::to_string(i);
      const double radius = 20 + 60 * dice.Uniform();
      f.shape = Circle{
          Destination(estimates[k].position, 45.0 * i, radius + 12 * dice.Uniform() - 8), radius};
      if (i % 2 == 0) f.dwell = std::chrono::seconds(20 + static_cast<int>(250 * dice.Uniform()));
      set.push_back(std::move(f));
    }
  }
  return set;
}

void ExpectEqual(const FenceEvent& a, const FenceEvent& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.transition, b.transition);
  EXPECT_EQ(a.trigger, b.trigger);
  EXPECT_EQ(a.rejection, b.rejection);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.utc, b.utc);
  EXPECT_EQ(a.crossing_time, b.crossing_time);
  EXPECT_EQ(a.crossing_utc, b.crossing_utc);
  EXPECT_EQ(a.crossing_position, b.crossing_position);
  EXPECT_EQ(a.position, b.position);
  EXPECT_EQ(a.probability, b.probability);
  EXPECT_EQ(a.distance_m, b.distance_m);
  EXPECT_EQ(a.evidence_from, b.evidence_from);
  EXPECT_EQ(a.evidence_to, b.evidence_to);
}

TEST(Restart, AtRestOnTheWayOffInDoubtAndBeforeADwellIsANoOp) {
  std::size_t while_pending = 0, while_dwelling = 0, way_off = 0, total = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto estimates = StandAndWalk({48.1, 11.5}, seed);
    const auto set = Fences(estimates, seed);
    GeofenceEngine straight, restarted;
    std::vector<FenceProblem> problems;
    straight.Add(set, problems);
    restarted.Add(set, problems);
    ASSERT_TRUE(problems.empty());
    std::vector<FenceEvent> a, b;
    for (std::size_t k = 0; k < estimates.size(); ++k) {
      while_dwelling += restarted.NextDeadline() ? 1 : 0;
      while_pending += std::any_of(set.begin(), set.end(), [&](const Geofence& f) {
        return restarted.State(f.id)->pending;
      });
      std::vector<std::byte> fences, state;
      restarted.SaveFences(fences);
      restarted.SaveState(state);
      GeofenceEngine next;
      ASSERT_TRUE(next.RestoreFences(fences).ok());
      ASSERT_TRUE(next.RestoreState(state).ok());
      restarted = std::move(next);
      straight.Update(estimates[k], a);
      restarted.Update(estimates[k], b);
      ASSERT_EQ(a.size(), b.size()) << "at estimate " << k;
      ASSERT_EQ(straight.NextDeadline(), restarted.NextDeadline()) << "at estimate " << k;
      for (const Geofence& f : set) ASSERT_EQ(straight.State(f.id), restarted.State(f.id)) << f.id;
    }
    std::map<std::string, bool> inside;
    for (std::size_t i = 0; i < a.size(); ++i) {
      ExpectEqual(a[i], b[i]);
      // Decided by who was taken to rest until then.
      way_off += a[i].transition == FenceTransition::kExit &&
                         a[i].time - a[i].crossing_time > std::chrono::seconds(3)
                     ? 1
                     : 0;
      bool& now = inside[a[i].id];
      if (a[i].transition == FenceTransition::kEnter) {
        EXPECT_FALSE(now);
        now = true;
      } else if (a[i].transition == FenceTransition::kExit) {
        EXPECT_TRUE(now);
        now = false;
      } else if (a[i].transition == FenceTransition::kDwell) {
        EXPECT_TRUE(now);
      }
    }
    total += a.size();
  }
  std::printf(
      "%zu events, %zu of them exits of who rested; %zu restarts in doubt, %zu before a "
      "dwell\n",
      total, way_off, while_pending, while_dwelling);
  EXPECT_GT(way_off, 20u);
  EXPECT_GT(while_pending, 200u);
  EXPECT_GT(while_dwelling, 1000u);
}

}  // namespace
}  // namespace waymark
