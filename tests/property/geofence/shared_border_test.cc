// Two polygons that share a border: whoever crosses it leaves one and enters the other, at one
// place and in one step. Never both, never neither.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "oracle.h"
#include "sdk/geofence/geofence_engine.h"
#include "worlds.h"

namespace waymark {
namespace {

using worlds::EstimateAt;
using worlds::LogUniform;
using worlds::Uniform;

constexpr double kTieM = 0.01;

// A place `east_m` and `north_m` from the middle of the world.
LatLon At(LatLon middle, double east_m, double north_m) {
  const double azimuth = std::atan2(east_m, north_m) * 180 / std::numbers::pi;
  return oracle::Go(middle, azimuth, std::hypot(east_m, north_m));
}

// A square of 2 `half_m`, cut by a jagged line from south to north.
struct Halves {
  Geofence west, east;
};

Halves Cut(LatLon middle, double half_m) {
  std::vector<LatLon> border;
  const int corners = *rc::gen::inRange(0, 12);
  border.push_back(At(middle, 0, -half_m));
  for (int i = 1; i <= corners; ++i) {
    const double north = half_m * (2.0 * i / (corners + 1) - 1);
    border.push_back(At(middle, half_m * Uniform(-0.3, 0.3), north));
  }
  border.push_back(At(middle, 0, half_m));
  Polygon west{border, {}}, east{border, {}};
  west.outer.push_back(At(middle, -half_m, half_m));
  west.outer.push_back(At(middle, -half_m, -half_m));
  east.outer.push_back(At(middle, half_m, half_m));
  east.outer.push_back(At(middle, half_m, -half_m));
  // As two authors would draw them: each with its own beginning and orientation.
  std::rotate(east.outer.begin(), east.outer.begin() + *rc::gen::inRange(0, corners + 4),
              east.outer.end());
  std::reverse(east.outer.begin(), east.outer.end());
  Halves halves;
  halves.west.id = "west";
  halves.west.shape = west;
  halves.east.id = "east";
  halves.east.shape = east;
  return halves;
}

struct Count {
  int west_enter = 0, west_exit = 0, east_enter = 0, east_exit = 0;
};

Count CountOf(const std::vector<FenceEvent>& events) {
  Count n;
  for (const FenceEvent& e : events) {
    if (e.transition == FenceTransition::kEnter) ++(e.id == "west" ? n.west_enter : n.east_enter);
    if (e.transition == FenceTransition::kExit) ++(e.id == "west" ? n.west_exit : n.east_exit);
  }
  return n;
}

RC_GTEST_PROP(SharedBorder, ACertainPathIsAlwaysInOneHalf, ()) {
  const LatLon middle = worlds::Place();
  const double half_m = LogUniform(30, 20'000);
  const Halves halves = Cut(middle, half_m);
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  engine.Add(std::array{halves.west, halves.east}, problems);
  RC_ASSERT(problems.empty());
  const oracle::Shape west(halves.west.shape), east(halves.east.shape);
  const auto somewhere = [&] {
    return At(middle, half_m * Uniform(-0.6, 0.6), half_m * Uniform(-0.6, 0.6));
  };
  int crossings = 0;
  for (int k = 0; k < 25; ++k) {
    const LatLon at = somewhere();
    std::vector<FenceEvent> events;
    engine.Update(EstimateAt(10.0 * k, at, 0), events);
    const Count n = CountOf(events);
    if (k > 0) {
      RC_ASSERT(n.west_exit == n.east_enter);
      RC_ASSERT(n.east_exit == n.west_enter);
      crossings += n.west_exit + n.east_exit;
    }
    // The exit of one and the enter of the other stand at one place.
    for (std::size_t i = 0; k > 0 && i + 1 < events.size(); i += 2) {
      RC_ASSERT(events[i].id != events[i + 1].id);
      RC_ASSERT(oracle::Distance(events[i].crossing_position, events[i + 1].crossing_position) < 1);
    }
    const double d = west.SignedDistanceM(at);
    RC_ASSERT(std::fabs(std::fabs(d) - std::fabs(east.SignedDistanceM(at))) < kTieM ||
              std::fabs(d) > 0.3 * half_m);
    if (std::fabs(d) < kTieM) continue;
    RC_ASSERT(engine.State("west")->inside == (d < 0));
    RC_ASSERT(engine.State("east")->inside == (d > 0));
    std::vector<std::string> containing;
    engine.Containing(at, containing);
    RC_ASSERT(containing == std::vector<std::string>{d < 0 ? "west" : "east"});
  }
  RC_CLASSIFY(crossings >= 5, "five crossings or more");
}

// With uncertainty both decide late: each asks for its own probability, so the second may come
// later, mostly by a fix or two, at the most by the time it takes to walk out of the doubt.
RC_GTEST_PROP(SharedBorder, AnUncertainWalkerChangesHalves, ()) {
  const LatLon middle = worlds::Normal(Uniform(-80, 80), Uniform(-180, 180));
  Halves halves = Cut(middle, 300);
  halves.west.confidence = halves.east.confidence = Uniform(0.6, 0.99);
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  engine.Add(std::array{halves.west, halves.east}, problems);
  RC_ASSERT(problems.empty());
  const double sigma = Uniform(2, 12), north = Uniform(-100, 100);
  const bool eastwards = *rc::gen::arbitrary<bool>();
  double error_east = 0, error_north = 0;
  std::vector<FenceEvent> events;
  for (int second = 0; second <= 300; ++second) {
    error_east = 0.97 * error_east + 0.24 * sigma * Uniform(-1, 1);
    error_north = 0.97 * error_north + 0.24 * sigma * Uniform(-1, 1);
    const double east = (eastwards ? 1 : -1) * (1.4 * second - 210);
    engine.Update(EstimateAt(second, At(middle, east + error_east, north + error_north), sigma),
                  events);
  }
  const Count n = CountOf(events);
  RC_ASSERT(n.west_enter + n.east_enter == n.west_exit + n.east_exit + 1);
  RC_ASSERT(n.west_exit + n.east_exit >= 1);
  RC_ASSERT(engine.State(eastwards ? "east" : "west")->inside);
  RC_ASSERT(!engine.State(eastwards ? "west" : "east")->inside);
  std::vector<FenceEvent> crossings;
  for (const FenceEvent& e : events) {
    if (e.transition != FenceTransition::kRejected) crossings.push_back(e);
  }
  for (std::size_t i = 1; i + 1 < crossings.size(); i += 2) {
    RC_ASSERT(std::fabs(Seconds(crossings[i + 1].time - crossings[i].time)) <= 20);
    RC_ASSERT(crossings[i].id != crossings[i + 1].id);
  }
}

}  // namespace
}  // namespace waymark
