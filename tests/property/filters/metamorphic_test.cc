// The same journey elsewhere, turned or mirrored is the same journey, for everything that is made
// of fixes: the live estimates, the settled ones, the smoothed track, motion, stays and trips, the
// odometer. With every field that a phone can report, and with positions only.
//
// The ellipsoid has two kinds of symmetry, about its axis and between its halves; those hold to
// rounding. A turn by any angle at a middle latitude is one of the plane only: distances and
// directions from its centre are kept exactly, others to the fourth order (waymark/geometry.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "filters/motion_detector.h"
#include "filters/odometer.h"
#include "filters/vec2.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"

namespace waymark {
namespace {

using test::Deliver;
using test::TimeOf;

constexpr double kRadPerDeg = std::numbers::pi / 180;

struct Journey {
  std::vector<DeliveredFix> fixes;
  std::vector<MotionSample> samples;
};

// Drives and rests, with coloured noise, outliers, network fixes, a silence and a receiver that
// says 0 for want of a speed.
Journey Travel(std::uint64_t seed, LatLon start, bool every_field) {
  test::Random r(seed);
  const LocalFrame frame(start);
  Journey j;
  Vec2 at, b;
  double heading = r.Uniform(0, 6.28), speed = 0;
  const double way_mps = r.Uniform(2, 30);
  for (std::size_t t = 0; t < 700; ++t) {
    const bool rests = (t > 150 && t < 380) || t > 580;
    const double wanted = rests ? 0 : way_mps;
    speed += std::clamp(wanted - speed, -2.0, 1.5);
    heading += 0.05 * r.Normal();
    const Vec2 v = speed * Vec2{std::sin(heading), std::cos(heading)};
    at = at + v;
    b = 0.95 * b + 0.8 * Vec2{r.Normal(), r.Normal()};
    Vec2 seen = at + b + 0.7 * Vec2{r.Normal(), r.Normal()};
    if (t % 250 > 95 && t % 250 < 99) seen = seen + Vec2{150, 90};
    if (t > 450 && t < 470) continue;
    Fix f;
    f.time = TimeOf(t);
    f.horizontal_accuracy_m = 5;
    f.source = FixSource::kGnss;
    if (t % 61 == 60) {
      f.source = FixSource::kNetwork;
      f.horizontal_accuracy_m = 40;
      seen = seen + 20.0 * Vec2{r.Normal(), r.Normal()};
    }
    f.position = frame.FromLocal({seen.e, seen.n});
    if (every_field) {
      const Vec2 told = v + (speed > 0 ? 0.2 : 0.0) * Vec2{r.Normal(), r.Normal()};
      const bool mute = t > 500 && t < 520;
      f.speed_mps = mute ? 0 : told.norm();
      if (speed > 0 && !mute) {
        const double course_rad = std::atan2(told.e, told.n) - frame.ConvergenceRad(f.position);
        f.course_deg = std::fmod(course_rad / kRadPerDeg + 720, 360);
        f.course_accuracy_deg = 3;
      }
      f.speed_accuracy_mps = 0.3;
      f.altitude_m = 500 + 2 * r.Normal();
      f.vertical_accuracy_m = 4;
      if (t % 40 == 0) {
        j.samples.push_back({f.time, rests ? Activity::kStill : Activity::kAutomotive, 0.8});
      }
    }
    j.fixes.push_back(Deliver(f));
  }
  return j;
}

/// An isometry: where it takes a point, and a vector in the east-north axes there.
struct Isometry {
  std::string name;
  std::function<LatLon(LatLon)> point;
  std::function<Vec2(LatLon, Vec2)> vector;
};

Journey Mapped(const Isometry& map, Journey j) {
  for (DeliveredFix& d : j.fixes) {
    if (d.fix.course_deg) {
      const double rad = *d.fix.course_deg * kRadPerDeg;
      const Vec2 to = map.vector(d.fix.position, {std::sin(rad), std::cos(rad)});
      d.fix.course_deg = std::fmod(std::atan2(to.e, to.n) / kRadPerDeg + 360, 360);
    }
    d.fix.position = map.point(d.fix.position);
  }
  return j;
}

/// What everything makes of a journey, fed as the core does.
struct Account {
  std::vector<Verdict> verdicts;
  std::vector<Estimate> live, settled, smoothed;
  std::vector<MotionEvent> events;
  std::vector<Distance> ways;
};

Account Tell(const Journey& j) {
  Account a;
  Estimator estimator = std::move(Estimator::Create({})).value();
  FixedLagSmoother smoother;
  MotionDetector motion;
  Odometer odometer;
  auto sample = j.samples.begin();
  for (const DeliveredFix& d : j.fixes) {
    for (; sample != j.samples.end() && sample->time <= d.fix.time; ++sample) {
      estimator.Observe(*sample);
      motion.Observe(*sample);
    }
    const Verdict verdict = estimator.Update(d.fix, d.arrival);
    a.verdicts.push_back(verdict);
    const auto live = estimator.Latest();
    if (!live) continue;
    a.live.push_back(*live);
    if (const auto ahead = estimator.Predict(live->time + std::chrono::milliseconds(700))) {
      a.live.push_back(*ahead);
    }
    if (verdict.used()) smoother.Push(estimator, a.settled);
    const Fix heard = estimator.Heard(d.fix);
    motion.Update(*live, heard, verdict, odometer.total(), a.events);
    if (verdict.used()) odometer.Update(*live, motion.motion(), &heard, motion.way());
    a.ways.push_back(odometer.total());
  }
  smoother.Flush(a.settled);
  motion.Finish(odometer.total(), a.events);
  odometer.Finish();
  a.ways.push_back(odometer.total());
  const auto track = SmoothedTrack::Create(j.fixes, {});
  for (const Estimate& e : track.value().knots()) {
    a.smoothed.push_back(e);
    if (const auto between = track.value().At(e.time + std::chrono::milliseconds(400))) {
      a.smoothed.push_back(*between);
    }
  }
  return a;
}

/// What two accounts may differ by: `m` in any position, of ways and radii a share besides.
struct Slack {
  double m = 0, way_share = 0, radius_share = 0;
};

class Comparison {
 public:
  Comparison(const Isometry& map, const Slack& slack) : map_(map), slack_(slack), m_(slack.m) {}

  void Same(const Account& a, const Account& b) const {
    ASSERT_EQ(a.verdicts.size(), b.verdicts.size());
    for (std::size_t i = 0; i < a.verdicts.size(); ++i) {
      ASSERT_EQ(a.verdicts[i].disposition, b.verdicts[i].disposition) << i;
      ASSERT_EQ(a.verdicts[i].reason, b.verdicts[i].reason) << i;
    }
    Same(a.live, b.live, "live");
    Same(a.settled, b.settled, "settled");
    Same(a.smoothed, b.smoothed, "smoothed");
    ASSERT_EQ(a.events.size(), b.events.size());
    for (std::size_t i = 0; i < a.events.size(); ++i) Same(a.events[i], b.events[i], i);
    ASSERT_EQ(a.ways.size(), b.ways.size());
    for (std::size_t i = 0; i < a.ways.size(); ++i) {
      Same(a.ways[i], b.ways[i], "way", i);
    }
  }

 private:
  void Same(const Distance& a, const Distance& b, const char* what, std::size_t i) const {
    const double slack_m = m_ + slack_.way_share * (a.distance_m + a.bound_m);
    ASSERT_NEAR(a.distance_m, b.distance_m, slack_m) << what << ' ' << i;
    // The bound is made of radii.
    ASSERT_NEAR(a.bound_m, b.bound_m, slack_m + slack_.radius_share * a.bound_m)
        << what << ' ' << i;
  }
  void Same(LatLon a, LatLon b, const char* what, std::size_t i) const {
    ASSERT_LT(DistanceM(map_.point(a), b), m_) << what << ' ' << i;
  }
  void Same(const std::vector<Estimate>& a, const std::vector<Estimate>& b,
            const char* what) const {
    ASSERT_EQ(a.size(), b.size()) << what;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const Estimate &x = a[i], &y = b[i];
      ASSERT_EQ(x.time, y.time) << what << ' ' << i;
      Same(x.position, y.position, what, i);
      const Vec2 v = map_.vector(x.position, {x.velocity_east_mps, x.velocity_north_mps});
      ASSERT_LT((v - Vec2{y.velocity_east_mps, y.velocity_north_mps}).norm(), m_)
          << what << ' ' << i;
      const double radius_m = m_ + slack_.radius_share * x.r95_m;
      ASSERT_NEAR(x.r68_m, y.r68_m, radius_m) << what << ' ' << i;
      ASSERT_NEAR(x.r95_m, y.r95_m, radius_m) << what << ' ' << i;
      ASSERT_NEAR(x.speed_sigma_mps, y.speed_sigma_mps, m_) << what << ' ' << i;
      ASSERT_NEAR(x.p_stopped, y.p_stopped, m_) << what << ' ' << i;
      ASSERT_NEAR(x.p_fast, y.p_fast, m_) << what << ' ' << i;
      ASSERT_EQ(x.altitude_m, y.altitude_m) << what << ' ' << i;
    }
  }
  void Same(const MotionEvent& x, const MotionEvent& y, std::size_t i) const {
    ASSERT_EQ(x.kind, y.kind) << "event " << i;
    switch (x.kind) {
      case MotionEvent::Kind::kMotionChange:
        ASSERT_EQ(x.change.motion, y.change.motion) << "event " << i;
        ASSERT_NEAR(Seconds(x.change.time - y.change.time), 0, m_) << "event " << i;
        Same(x.change.position, y.change.position, "event", i);
        break;
      case MotionEvent::Kind::kStayBegan:
      case MotionEvent::Kind::kStayEnded:
        ASSERT_NEAR(Seconds(x.stay.begin - y.stay.begin), 0, m_) << "event " << i;
        ASSERT_NEAR(Seconds(x.stay.end - y.stay.end), 0, m_) << "event " << i;
        ASSERT_EQ(x.stay.fixes, y.stay.fixes) << "event " << i;
        ASSERT_NEAR(x.stay.r68_m, y.stay.r68_m, m_) << "event " << i;
        Same(x.stay.position, y.stay.position, "event", i);
        break;
      case MotionEvent::Kind::kTripBegan:
      case MotionEvent::Kind::kTripEnded:
        Same(Distance{x.trip.distance_m, x.trip.distance_bound_m},
             Distance{y.trip.distance_m, y.trip.distance_bound_m}, "event", i);
        Same(x.trip.from, y.trip.from, "event", i);
        Same(x.trip.to, y.trip.to, "event", i);
        break;
    }
  }

  const Isometry& map_;
  Slack slack_;
  double m_;
};

double Normalised(double lon_deg) {
  return lon_deg >= 180 ? lon_deg - 360 : lon_deg < -180 ? lon_deg + 360 : lon_deg;
}

Isometry AboutTheAxis(double by_deg) {
  return {"by longitude",
          [=](LatLon p) {
            return LatLon{p.lat_deg, Normalised(p.lon_deg + by_deg)};
          },
          [](LatLon, Vec2 v) { return v; }};
}

Isometry EastWest(double lon_deg) {
  return {"east to west",
          [=](LatLon p) {
            return LatLon{p.lat_deg, Normalised(lon_deg - Normalised(p.lon_deg - lon_deg))};
          },
          [](LatLon, Vec2 v) {
            return Vec2{-v.e, v.n};
          }};
}

Isometry NorthSouth() {
  return {"north to south",
          [](LatLon p) {
            return LatLon{-p.lat_deg, p.lon_deg};
          },
          [](LatLon, Vec2 v) {
            return Vec2{v.e, -v.n};
          }};
}

Isometry About(LatLon centre, double by_rad) {
  const LocalFrame frame(centre);
  const auto point = [=](LatLon p) {
    const EastNorth q = frame.ToLocal(p);
    const Vec2 to = Turn({q.east_m, q.north_m}, by_rad);
    return frame.FromLocal({to.e, to.n});
  };
  return {"turned", point, [=](LatLon p, Vec2 v) {
            return Turn(v, by_rad - frame.ConvergenceRad(p) + frame.ConvergenceRad(point(p)));
          }};
}

void ExpectSame(std::uint64_t seed, LatLon start, bool every_field, const Isometry& map,
                const Slack& slack) {
  const Journey j = Travel(seed, start, every_field);
  SCOPED_TRACE(map.name + (every_field ? ", every field" : ", positions only") + ", seed " +
               std::to_string(seed));
  const Account a = Tell(j), b = Tell(Mapped(map, j));
  Comparison(map, slack).Same(a, b);
}

// The journey itself must have in it what is compared.
TEST(Metamorphic, TheJourneyHasRestsAndTripsInIt) {
  for (const bool every_field : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      const Account a = Tell(Travel(seed, {48, 11}, every_field));
      int stays = 0, trips = 0, held = 0;
      for (const MotionEvent& e : a.events) {
        stays += e.kind == MotionEvent::Kind::kStayEnded;
        trips += e.kind == MotionEvent::Kind::kTripEnded;
      }
      for (const Verdict& v : a.verdicts) held += v.disposition == Disposition::kProvisional;
      EXPECT_GE(stays, 1) << seed << every_field;
      EXPECT_GE(trips, 2) << seed << every_field;
      EXPECT_GE(held, 2) << seed << every_field;
      EXPECT_GT(a.ways.back().distance_m, 400) << seed << every_field;
    }
  }
}

class MetamorphicJourney : public testing::TestWithParam<bool> {};

TEST_P(MetamorphicJourney, IsTheSameAtAnyLongitude) {
  const double lats[] = {0, 48, -71, 89.99};
  for (std::uint64_t seed = 1; seed <= 8 && !HasFailure(); ++seed) {
    const LatLon start{lats[seed % 4], 3};
    ExpectSame(seed, start, GetParam(), AboutTheAxis(180), {.m = 1e-5});
    ExpectSame(seed, start, GetParam(), AboutTheAxis(-91.7), {.m = 1e-5});
    ExpectSame(seed, start, GetParam(), AboutTheAxis(176.9999),
               {.m = 1e-5});  // the antimeridian in it
  }
}

TEST_P(MetamorphicJourney, IsTheSameInTheMirror) {
  const double lats[] = {0, 48, -71, 89.99};
  for (std::uint64_t seed = 1; seed <= 8 && !HasFailure(); ++seed) {
    const LatLon start{lats[seed % 4], 3};
    ExpectSame(seed, start, GetParam(), EastWest(2.5), {.m = 1e-5});
    ExpectSame(seed, start, GetParam(), NorthSouth(), {.m = 1e-5});
  }
}

// To millimetres, but where one of them turns a step of a learned median round (3 %, so 6 %).
constexpr double kTurnedStep = 0.06;

TEST_P(MetamorphicJourney, IsTheSameTurnedByAnyAngle) {
  const double lats[] = {0, 48, -60, 35};
  for (std::uint64_t seed = 1; seed <= 16 && !HasFailure(); ++seed) {
    const LatLon start{lats[seed % 4], 3};
    ExpectSame(seed, start, GetParam(), About(start, static_cast<double>(seed) * 0.617),
               {.m = 0.2, .way_share = 1e-5, .radius_share = kTurnedStep});
  }
}

// Half a kilometre from the pole, which the turned journey passes on another side. Not the ways:
// the odometer takes east and north at two fixes for the same, and here they are not.
TEST_P(MetamorphicJourney, IsTheSameTurnedBesideThePole) {
  constexpr double kAnyWay = 1e9;
  for (std::uint64_t seed = 1; seed <= 8 && !HasFailure(); ++seed) {
    const LatLon start{seed % 2 == 0 ? 89.995 : -89.995, 3};
    ExpectSame(seed, start, GetParam(), About(start, static_cast<double>(seed) * 0.617),
               {.m = 0.01, .way_share = kAnyWay});
  }
}

INSTANTIATE_TEST_SUITE_P(Fields, MetamorphicJourney, testing::Values(true, false));

}  // namespace
}  // namespace waymark
