// The plane of the filter is moved every 5 km. That is nothing to be seen from outside, wherever on
// earth it happens.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <iterator>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "filters/estimator_impl.h"
#include "filters/vec2.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using test::Deliver;
using test::Random;
using test::TimeOf;

/// A way along a geodesic, and beside it: `along` and `across` (to the right) in metres.
struct Way {
  LatLon start;
  double azimuth_deg;

  struct Point {
    LatLon at;
    double course_deg;  ///< of the geodesic there
  };
  Point On(double along_m) const {
    const LatLon at = Destination(start, azimuth_deg, along_m);
    // Looking back from a point further on: exact near the start too.
    return {at, Inverse(at, Destination(start, azimuth_deg, along_m + 1e5)).azimuth_deg};
  }
};

/// An estimate as the way sees it.
struct Seen {
  Vec2 off;  ///< from the truth, to the right and along
  Vec2 v;
  double r68_m = 0;
};

Seen See(const Estimate& e, const Way::Point& here) {
  const GeodesicLine line = Inverse(here.at, e.position);
  // The velocity is told by the north of the estimate's place.
  const double gamma = LocalFrame(here.at).ConvergenceRad(e.position);
  const double turn_rad = here.course_deg * std::numbers::pi / 180 - gamma;
  return {line.distance_m * Heading(line.azimuth_deg - here.course_deg),
          Turn({e.velocity_east_mps, e.velocity_north_mps}, turn_rad), e.r68_m};
}

// 30 m/s for half an hour, eleven anchors, with errors that are the same everywhere. What is
// learned of the noise is left out: it hangs on which of two numbers is the larger one, be it by
// nothing.
std::vector<Seen> Drive(const Way& way, std::uint64_t seed, bool velocity, double noise_m) {
  Random r(seed);
  Estimator e = std::move(Estimator::Create({})).value();
  EstimatorAccess::Of(e).tuning.learn_noise = 0;
  std::vector<Seen> out;
  for (std::size_t t = 0; t < 1800; t += 2) {
    const Way::Point here = way.On(30 * static_cast<double>(t));
    const double angle_deg = here.course_deg + r.Uniform(0, 360);
    Fix f;
    f.time = TimeOf(t);
    f.position = Destination(here.at, angle_deg, noise_m * std::fabs(r.Normal()));
    f.horizontal_accuracy_m = 3;
    if (velocity) {
      f.speed_mps = 30;
      // By the north of where the receiver believes to be.
      const double gamma = LocalFrame(here.at).ConvergenceRad(f.position);
      f.course_deg = std::fmod(here.course_deg - gamma * 180 / std::numbers::pi + 720, 360.0);
    }
    const DeliveredFix d = Deliver(f);
    e.Update(d.fix, d.arrival);
    out.push_back(See(*e.Latest(), here));
  }
  return out;
}

const double kLatitudes[] = {0, 45, -69, 69, 79.9, -79.5, 89.9, -89.8, 89.99};

Way AnyWay(std::uint64_t seed) {
  Random r(seed * 77);
  return {{kLatitudes[seed % std::size(kLatitudes)], r.Uniform(-180, 180)}, r.Uniform(0, 360)};
}

// Exact fixes: what is seen is the truth.
TEST(Anchors, AWayIsFollowedExactly) {
  for (std::uint64_t seed = 0; seed < 2 * std::size(kLatitudes); ++seed) {
    const Way way = AnyWay(seed);
    for (const bool velocity : {true, false}) {
      SCOPED_TRACE("latitude " + std::to_string(way.start.lat_deg) + " azimuth " +
                   std::to_string(way.azimuth_deg) + " velocity " + std::to_string(velocity));
      const std::vector<Seen> seen = Drive(way, seed, velocity, 0);
      for (std::size_t i = 10; i < seen.size(); ++i) {
        ASSERT_LT(seen[i].off.norm(), 1e-3) << i;
        ASSERT_LT((seen[i].v - Vec2{0, 30}).norm(), 1e-3) << i;
      }
    }
  }
}

// Up the meridian from the equator nothing is turned. Elsewhere it is the same way.
TEST(Anchors, ANoisyWayIsSeenAsAtTheEquator) {
  for (std::uint64_t seed = 0; seed < 2 * std::size(kLatitudes); ++seed) {
    const Way way = AnyWay(seed);
    for (const bool velocity : {true, false}) {
      SCOPED_TRACE("latitude " + std::to_string(way.start.lat_deg) + " azimuth " +
                   std::to_string(way.azimuth_deg) + " velocity " + std::to_string(velocity));
      const std::vector<Seen> here = Drive(way, seed, velocity, 2);
      const std::vector<Seen> there = Drive({{0, 20}, 0}, seed, velocity, 2);
      for (std::size_t i = 0; i < here.size(); ++i) {
        ASSERT_LT((here[i].off - there[i].off).norm(), 2e-3) << i;
        ASSERT_LT((here[i].v - there[i].v).norm(), 2e-3) << i;
        ASSERT_NEAR(here[i].r68_m, there[i].r68_m, 2e-3) << i;
      }
    }
  }
}

}  // namespace
}  // namespace waymark
