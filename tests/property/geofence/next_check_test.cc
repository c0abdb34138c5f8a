// What lets a look be skipped is a lower bound: the answer remembered for a moving device is the
// one a fresh look would give, and nothing can happen within NextCheckDistanceM.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "oracle.h"
#include "sdk/geofence/geofence_engine.h"
#include "worlds.h"

namespace waymark {
namespace {

using worlds::LogUniform;
using worlds::Size;
using worlds::Uniform;

constexpr double kTieM = 0.01;

struct Truth {
  std::string id;
  oracle::Shape shape;
};

Geofence RandomFence(int i, LatLon centre) {
  Geofence f;
  f.id = std::to_string(i);
  f.shape =
      worlds::RandomShape(oracle::Go(centre, Uniform(0, 360), LogUniform(1, 5'000)), Size() * 0.3);
  return f;
}

RC_GTEST_PROP(NextCheck, AMovingDeviceIsAnsweredAsByGeodesics, ()) {
  const LatLon centre = worlds::Place();
  GeofenceEngine engine;
  std::vector<Truth> truth;
  std::vector<FenceProblem> problems;
  const auto add = [&] {
    const Geofence f = RandomFence(static_cast<int>(truth.size()), centre);
    engine.Add(std::span(&f, 1), problems);
    if (engine.Find(f.id)) truth.push_back({f.id, oracle::Shape(f.shape)});
  };
  for (int i = *rc::gen::inRange(0, 6); i >= 0; --i) add();
  LatLon at = oracle::Go(centre, Uniform(0, 360), LogUniform(1, 3'000));
  double azimuth = Uniform(0, 360);
  const double stride = LogUniform(0.05, 60);
  for (int k = 0; k < 60; ++k) {
    if (*rc::gen::inRange(0, 30) == 0) add();
    if (*rc::gen::inRange(0, 30) == 0 && !truth.empty()) {
      engine.Remove(std::span(&truth.back().id, 1));
      truth.pop_back();
    }
    azimuth += Uniform(-30, 30);
    at = oracle::Go(at, azimuth, stride * Uniform(0, 2));
    std::vector<std::string> ids;
    engine.Containing(at, ids);
    RC_ASSERT(std::is_sorted(ids.begin(), ids.end()));
    std::size_t expected_count = 0;
    bool tie = false;
    for (const Truth& t : truth) {
      const double d = t.shape.SignedDistanceM(at);
      const bool found = std::find(ids.begin(), ids.end(), t.id) != ids.end();
      if (std::fabs(d) < kTieM) {
        tie = true;
        continue;
      }
      expected_count += d < 0 ? 1 : 0;
      RC_LOG() << t.id << " at " << at.lat_deg << "," << at.lon_deg << " distance " << d << "\n";
      RC_ASSERT(found == (d < 0));
    }
    RC_ASSERT(tie || ids.size() == expected_count);
  }
}

RC_GTEST_PROP(NextCheck, NoBoundaryIsNearerThanTheNextCheckDistance, ()) {
  const LatLon centre = worlds::Place();
  GeofenceEngine engine;
  std::vector<Truth> truth;
  std::vector<FenceProblem> problems;
  for (int i = *rc::gen::inRange(1, 8); i >= 0; --i) {
    const Geofence f = RandomFence(i, oracle::Go(centre, Uniform(0, 360), LogUniform(1, 60'000)));
    engine.Add(std::span(&f, 1), problems);
    if (engine.Find(f.id)) truth.push_back({f.id, oracle::Shape(f.shape)});
  }
  RC_PRE(!truth.empty());
  for (int k = 1; k < 10; ++k) {
    const LatLon at = oracle::Go(centre, Uniform(0, 360), LogUniform(1, 40'000));
    std::vector<FenceEvent> events;
    engine.Update(worlds::EstimateAt(k * 1000, at, 0), events);
    double nearest = GeofenceEngine::kFarM;
    for (const Truth& t : truth)
      nearest = std::min(nearest, std::fabs(t.shape.SignedDistanceM(at)));
    RC_LOG() << at.lat_deg << "," << at.lon_deg << " nearest " << nearest << "\n";
    RC_ASSERT(engine.NextCheckDistanceM() <= nearest + kTieM);
    const auto wait = engine.TimeToNearestPossibleEvent(50);
    if (wait) RC_ASSERT(Seconds(*wait) * 50 <= nearest + kTieM);
  }
}

}  // namespace
}  // namespace waymark
