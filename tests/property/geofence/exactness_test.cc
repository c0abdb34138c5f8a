// Distances, sides and events against the oracle.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>

#include "oracle.h"
#include "sdk/geofence/geofence_engine.h"
#include "worlds.h"

namespace waymark {
namespace {

using namespace worlds;

constexpr double kTieM = 0.01;

// A point at a chosen distance from the shape's border, roughly.
LatLon NearBorder(const FenceShape& shape) {
  LatLon at;
  if (const auto* c = std::get_if<Circle>(&shape)) {
    at = oracle::Go(c->centre, Uniform(0, 360), c->radius_m);
  } else {
    const std::vector<LatLon>* line = nullptr;
    if (const auto* corridor = std::get_if<Corridor>(&shape)) line = &corridor->line;
    if (const auto* polygon = std::get_if<Polygon>(&shape)) line = &polygon->outer;
    if (const auto* multi = std::get_if<MultiPolygon>(&shape)) line = &multi->parts[0].outer;
    const auto i = *rc::gen::inRange<std::size_t>(0, line->size() - 1);
    double azimuth = 0;
    const double length = oracle::Inverse((*line)[i], (*line)[i + 1], azimuth);
    at = oracle::Go((*line)[i], azimuth, Uniform(0, length));
    if (const auto* corridor = std::get_if<Corridor>(&shape)) {
      at = oracle::Go(at, azimuth + 90, corridor->width_m / 2);
    }
  }
  return oracle::Go(at, Uniform(0, 360), LogUniform(0.001, 2000));
}

RC_GTEST_PROP(FenceExactness, DistanceAgreesWithGeodesics, ()) {
  const LatLon centre = Place();
  const FenceShape shape = RandomShape(centre, Size());
  const auto geometry = FenceGeometry::Create(shape);
  RC_PRE(geometry.ok());
  const oracle::Shape truth(shape);
  for (int i = 0; i < 12; ++i) {
    const LatLon p = NearBorder(shape);
    const double expected = truth.SignedDistanceM(p);
    const double actual = geometry.value().SignedDistanceM(p);
    if (std::fabs(expected) < kTieM) {
      RC_ASSERT(std::fabs(actual) < 2 * kTieM);
    } else {
      RC_LOG() << p.lat_deg << "," << p.lon_deg << " expected " << expected << " got " << actual
               << "\n";
      RC_ASSERT(std::fabs(actual - expected) < kTieM);
    }
  }
}

RC_GTEST_PROP(FenceExactness, ContainingAgreesWithGeodesics, ()) {
  const LatLon centre = Place();
  std::vector<Geofence> set;
  std::vector<oracle::Shape> truth;
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  const int count = *rc::gen::inRange(1, 10);
  for (int i = 0; i < count; ++i) {
    Geofence f;
    f.id = std::to_string(i);
    f.shape = RandomShape(oracle::Go(centre, Uniform(0, 360), LogUniform(1, 20'000)), Size());
    engine.Add(std::span(&f, 1), problems);
    if (!engine.Find(f.id)) continue;
    truth.emplace_back(f.shape);
    set.push_back(f);
  }
  for (int k = 0; k < 20 && !set.empty(); ++k) {
    const auto pick = *rc::gen::inRange<std::size_t>(0, set.size());
    const LatLon p = NearBorder(set[pick].shape);
    std::vector<std::string> ids;
    engine.Containing(p, ids);
    for (std::size_t i = 0; i < set.size(); ++i) {
      const double expected = truth[i].SignedDistanceM(p);
      if (std::fabs(expected) < kTieM) continue;
      RC_LOG() << set[i].id << " kind " << set[i].shape.index() << " at " << p.lat_deg << ","
               << p.lon_deg << " distance " << expected << "\n";
      RC_ASSERT((std::find(ids.begin(), ids.end(), set[i].id) != ids.end()) == (expected < 0));
    }
  }
}

// The sides of a fence along a geodesic leg, from the oracle's distances.
class OracleWalk {
 public:
  explicit OracleWalk(const oracle::Shape& shape) : shape_(shape) {}

  struct Crossing {
    bool enter = false;
    double time_s = 0;
    double speed_mps = 0;
  };

  // Appends the crossings of the leg; false where a stretch is so shallow that it is a tie.
  bool Leg(LatLon a, LatLon b, double t0_s, double t1_s, std::vector<Crossing>& out) {
    double azimuth = 0;
    const double length = oracle::Inverse(a, b, azimuth);
    const auto at = [&](double s) { return shape_.SignedDistanceM(oracle::Go(a, azimuth, s)); };
    samples_.clear();
    const double da = at(0), db = at(length);
    samples_.push_back({0, da});
    Split(at, 0, da, length, db, 0);
    // Runs of one sign, with their depth.
    struct Run {
      bool inside;
      double begin, depth;
    };
    std::vector<Run> runs;
    for (const auto& [s, d] : samples_) {
      if (runs.empty() || runs.back().inside != (d < 0)) runs.push_back({d < 0, s, 0});
      runs.back().depth = std::max(runs.back().depth, std::fabs(d));
    }
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].depth < 3 * kTieM) return false;
      if (i > 0) {
        out.push_back({runs[i].inside, t0_s + (t1_s - t0_s) * runs[i].begin / length,
                       length / (t1_s - t0_s)});
      }
    }
    // A run that nearly touches the other side is a tie too.
    for (std::size_t i = 1; i + 1 < samples_.size(); ++i) {
      const double d = std::fabs(samples_[i].second);
      const bool local =
          d <= std::fabs(samples_[i - 1].second) && d <= std::fabs(samples_[i + 1].second);
      const bool same = (samples_[i - 1].second < 0) == (samples_[i + 1].second < 0) &&
                        (samples_[i].second < 0) == (samples_[i + 1].second < 0);
      if (local && same && d < 3 * kTieM) return false;
    }
    return std::fabs(da) > kTieM && std::fabs(db) > kTieM;
  }

 private:
  template <class F>
  void Split(const F& at, double s0, double d0, double s1, double d1, int depth) {
    const double length = s1 - s0;
    const bool same = (d0 < 0) == (d1 < 0);
    const double reach = std::fabs(d0) + std::fabs(d1);
    if ((same && reach > length * (1 + 1e-9)) || length < 0.002 || depth > 40) {
      samples_.push_back({s1, d1});
      return;
    }
    const double mid = (s0 + s1) / 2, dm = at(mid);
    Split(at, s0, d0, mid, dm, depth + 1);
    Split(at, mid, dm, s1, d1, depth + 1);
  }

  const oracle::Shape& shape_;
  std::vector<std::pair<double, double>> samples_;
};

RC_GTEST_PROP(FenceExactness, EventsOfACertainPathAreThoseOfTheOracle, ()) {
  const LatLon centre = Place();
  const double size = Size();
  std::vector<Geofence> set;
  std::vector<oracle::Shape> truth;
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  const int count = *rc::gen::inRange(1, 5);
  for (int i = 0; i < count; ++i) {
    Geofence f;
    f.id = std::to_string(i);
    f.shape = RandomShape(oracle::Go(centre, Uniform(0, 360), Uniform(0, size)), size);
    engine.Add(std::span(&f, 1), problems);
    if (!engine.Find(f.id)) continue;
    truth.emplace_back(f.shape);
    set.push_back(f);
  }
  RC_PRE(!set.empty());
  std::vector<LatLon> path;
  std::vector<double> times;
  double t = 0;
  LatLon at = oracle::Go(centre, Uniform(0, 360), 2 * size);
  const int legs = *rc::gen::inRange(2, 12);
  for (int i = 0; i < legs; ++i) {
    path.push_back(at);
    times.push_back(t);
    // Towards somewhere near the middle of things, so that something happens.
    const LatLon goal = oracle::Go(centre, Uniform(0, 360), Uniform(0, 1.5 * size));
    double azimuth = 0;
    const double far = oracle::Inverse(at, goal, azimuth);
    at = oracle::Go(at, azimuth, far * Uniform(0.1, 1));
    t += Uniform(0.5, 300);
  }
  std::vector<FenceEvent> events;
  for (std::size_t i = 0; i < path.size(); ++i) {
    engine.Update(EstimateAt(times[i], path[i], 0), events);
  }
  for (std::size_t k = 0; k < set.size(); ++k) {
    std::vector<OracleWalk::Crossing> expected;
    const double first = truth[k].SignedDistanceM(path[0]);
    bool tie = std::fabs(first) < kTieM;
    if (first < 0) expected.push_back({true, times[0]});
    OracleWalk walk(truth[k]);
    for (std::size_t i = 1; i < path.size() && !tie; ++i) {
      tie = !walk.Leg(path[i - 1], path[i], times[i - 1], times[i], expected);
    }
    if (tie) continue;
    std::vector<OracleWalk::Crossing> actual;
    for (const FenceEvent& e : events) {
      if (e.id != set[k].id) continue;
      actual.push_back(
          {e.transition == FenceTransition::kEnter, Seconds(e.crossing_time.time_since_epoch())});
      if (e.crossing_time != MonoTime(FromSeconds(times[0]))) {
        RC_ASSERT(std::fabs(truth[k].SignedDistanceM(e.crossing_position)) < 2 * kTieM);
      }
    }
    RC_LOG() << "fence " << k << " kind " << set[k].shape.index() << " size " << size
             << " expected " << expected.size() << " got " << actual.size() << " centre "
             << centre.lat_deg << "," << centre.lon_deg << "\n";
    RC_ASSERT(actual.size() == expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      RC_ASSERT(actual[i].enter == expected[i].enter);
      // On a graze the crossing moves along by more than across: 1 cm deep in 1 m.
      RC_ASSERT(std::fabs(actual[i].time_s - expected[i].time_s) * expected[i].speed_mps < 1.0);
    }
  }
}

}  // namespace
}  // namespace waymark
