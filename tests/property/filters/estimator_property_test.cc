// What holds for the estimator whatever comes in.
#include "waymark/estimator.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "filters/estimator_impl.h"
#include "support/simulated_drive.h"
#include "support/track_filter_access.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using test::Deliver;
using test::Drive;
using test::DriveOptions;
using test::Simulate;
using test::TimeOf;

Estimator Make() { return std::move(Estimator::Create({})).value(); }

// (RC_ASSERT evaluates both sides of an || that is not in parentheses of its own.)
bool Sound(const Estimate& e) {
  const double det = e.cov_ee_m2 * e.cov_nn_m2 - e.cov_en_m2 * e.cov_en_m2;
  const bool finite = std::isfinite(e.position.lat_deg) && std::isfinite(e.position.lon_deg) &&
                      std::isfinite(e.r95_m) && std::isfinite(e.velocity_east_mps) &&
                      std::isfinite(e.velocity_north_mps) && std::isfinite(e.speed_sigma_mps) &&
                      std::isfinite(det);
  const double sum = e.p_stopped + e.p_slow + e.p_fast;
  const bool altitude =
      e.altitude_m.has_value() == e.altitude_sigma_m.has_value() &&
      (!e.altitude_m || (std::fabs(*e.altitude_m) < 1e6 && *e.altitude_sigma_m > 0 &&
                         std::isfinite(*e.altitude_sigma_m)));
  return finite && altitude && e.cov_ee_m2 > 0 && e.cov_nn_m2 > 0 && det > 0 && e.r68_m > 0 &&
         e.r95_m > e.r68_m && std::fabs(sum - 1) < 1e-9 && std::fabs(e.position.lat_deg) <= 90 &&
         e.position.lon_deg >= -180 && e.position.lon_deg < 180;
}

// All leading minors of the correlations are positive, and by more than rounding.
bool PositiveDefinite(const AxisCov& c) {
  if (!(c.pp > 0 && c.vv > 0 && c.bb > 0)) return false;
  const double pv = c.pv / std::sqrt(c.pp * c.vv), pb = c.pb / std::sqrt(c.pp * c.bb);
  const double vb = c.vb / std::sqrt(c.vv * c.bb);
  const double second = 1 - pv * pv, third = second - pb * pb - vb * vb + 2 * pv * pb * vb;
  constexpr double kRounding = 1e-10;  // a NaN is no more than this either
  return second > kRounding && third > kRounding && std::isfinite(c.pp + c.vv + c.bb);
}

// What an estimate is made from: what is published of it could not but be positive.
bool SoundInside(Estimator& estimator) {
  TrackFilter& f = EstimatorAccess::Of(estimator).filter;
  if (!f.started()) return true;
  const auto sound = [](const AxisState& s) {
    return PositiveDefinite(s.cov) && std::isfinite(s.p.norm2()) && std::isfinite(s.v.norm2()) &&
           std::isfinite(s.b.norm2());
  };
  const auto& models = TrackFilterAccess::ModelsOf(f);
  const AxisState* held = TrackFilterAccess::Held(f);
  return std::all_of(models.begin(), models.end(), sound) && sound(f.combined()) &&
         (!held || sound(*held));
}

bool Same(const std::optional<Estimate>& a, const std::optional<Estimate>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->time == b->time && a->position == b->position && a->r68_m == b->r68_m &&
         a->velocity_east_mps == b->velocity_east_mps && a->p_stopped == b->p_stopped &&
         a->altitude_m == b->altitude_m;
}

double Nasty(test::Random& r) {
  switch (r.Bits() % 9) {
    case 0:
      return std::numeric_limits<double>::quiet_NaN();
    case 1:
      return std::numeric_limits<double>::infinity();
    case 2:
      return -std::numeric_limits<double>::infinity();
    case 3:
      return 1e-9;
    case 4:
      return -1;
    case 5:
      return 1e300;
    case 6:
      return 0;
    case 7:
      return r.Uniform(-400, 400);
    default:
      return std::numeric_limits<double>::denorm_min();
  }
}

// A stream that is mostly a drive, with every kind of abuse in between.
std::vector<DeliveredFix> Abuse(std::uint64_t seed, LatLon start) {
  test::Random r(seed);
  DriveOptions o;
  o.start = start;
  o.seconds = 150;
  o.seed = seed;
  o.velocity = r.Bits() % 2 == 0;
  std::vector<DeliveredFix> fixes = Simulate(o).fixes;
  for (DeliveredFix& d : fixes) {
    if (seed % 4 < 2) d.fix.altitude_m = 300 + 2 * r.Normal();
    if (r.Uniform() > 0.3) continue;
    switch (r.Bits() % 10) {
      case 0:
        d.fix.position.lat_deg = Nasty(r);
        break;
      case 1:
        d.fix.position.lon_deg = Nasty(r);
        break;
      case 2:
        d.fix.horizontal_accuracy_m = Nasty(r);
        break;
      case 3:
        d.fix.speed_mps = Nasty(r);
        break;
      case 4:
        d.fix.course_deg = Nasty(r);
        break;
      case 5:
        d.fix.altitude_m = Nasty(r);
        break;
      case 6:
        d.fix.position = test::Moved(d.fix.position, r.Uniform(-1e6, 1e6), r.Uniform(-1e6, 1e6));
        break;
      case 7:
        d.fix.time += Duration(static_cast<std::int64_t>(r.Uniform(-1e13, 1e13)));
        break;
      case 8:
        d.fix.time = r.Bits() % 2 ? MonoTime::min() : MonoTime::max();
        break;
      default:
        d.fix.speed_accuracy_mps = Nasty(r);
        d.fix.course_accuracy_deg = Nasty(r);
        d.fix.vertical_accuracy_m = Nasty(r);
        d.fix.source = static_cast<FixSource>(r.Bits() % 4);
    }
  }
  return fixes;
}

const LatLon kPlaces[] = {{48, 11},     {0, 0},         {89.9995, 30},
                          {-89.99, 10}, {12, 179.9995}, {-65, -180}};

RC_GTEST_PROP(EstimatorProperty, StaysSoundUnderAbuse, (std::uint64_t seed)) {
  const LatLon start = kPlaces[seed % std::size(kPlaces)];
  Estimator e = Make();
  for (const DeliveredFix& d : Abuse(seed, start)) {
    e.Update(d.fix, d.arrival);
    if (seed % 3 == 0) e.Observe({d.arrival.mono, Activity::kStill, 0.8});
    const auto latest = e.Latest();
    RC_ASSERT((!latest || Sound(*latest)));
    const auto ahead = e.Predict(d.arrival.mono + std::chrono::seconds(7));
    RC_ASSERT((!ahead || Sound(*ahead)));
    RC_ASSERT(SoundInside(e));
  }
}

RC_GTEST_PROP(EstimatorProperty, ARestoredOneContinuesToTheBit, (std::uint64_t seed)) {
  const auto fixes = Abuse(seed, kPlaces[seed % std::size(kPlaces)]);
  const std::size_t cut = seed % fixes.size();
  Estimator a = Make();
  for (std::size_t i = 0; i < cut; ++i) a.Update(fixes[i].fix, fixes[i].arrival);
  std::vector<std::byte> image, again;
  a.Save(image);
  Estimator b = Make();
  RC_ASSERT(b.Restore(image).ok());
  b.Save(again);
  RC_ASSERT(image == again);
  for (std::size_t i = cut; i < fixes.size(); ++i) {
    const Verdict va = a.Update(fixes[i].fix, fixes[i].arrival);
    const Verdict vb = b.Update(fixes[i].fix, fixes[i].arrival);
    RC_ASSERT(va.disposition == vb.disposition);
    RC_ASSERT(va.reason == vb.reason);
    RC_ASSERT(Same(a.Latest(), b.Latest()));
  }
}

RC_GTEST_PROP(EstimatorProperty, AnyBytesAreSafeToRestore, (std::uint64_t seed)) {
  test::Random r(seed);
  Estimator a = Make();
  for (const auto& d : Simulate({.seconds = 40, .seed = seed}).fixes) a.Update(d.fix, d.arrival);
  std::vector<std::byte> image;
  a.Save(image);
  for (int i = 0; i < 4; ++i) image[r.Bits() % image.size()] = static_cast<std::byte>(r.Bits());
  Estimator b = Make();
  b.Restore(image).Ignore();
  for (const auto& d : Simulate({.seconds = 80, .seed = seed}).fixes) {
    b.Update(d.fix, d.arrival);
    const auto e = b.Latest();
    RC_ASSERT((!e || (std::isfinite(e->position.lat_deg) && std::isfinite(e->r95_m))));
  }
}

// Feeds both drives and compares the estimates by `map`, which takes the first's into the second's.
template <class Map>
void ExpectMapped(const std::vector<DeliveredFix>& first, const std::vector<DeliveredFix>& second,
                  Map map, double tolerance_m) {
  Estimator a = Make(), b = Make();
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Verdict va = a.Update(first[i].fix, first[i].arrival);
    const Verdict vb = b.Update(second[i].fix, second[i].arrival);
    RC_ASSERT(va.reason == vb.reason);
    const auto ea = a.Latest(), eb = b.Latest();
    RC_ASSERT(ea.has_value() == eb.has_value());
    if (!ea) continue;
    RC_ASSERT(DistanceM(map(ea->position), eb->position) < tolerance_m);
    RC_ASSERT(std::fabs(ea->r68_m - eb->r68_m) < 1e-6 * ea->r68_m + tolerance_m);
  }
}

LatLon Turned(LatLon p, double by_deg) {
  return *LatLon::FromDegrees(p.lat_deg, p.lon_deg + by_deg);
}

RC_GTEST_PROP(EstimatorProperty, HalfTheGlobeAwayIsTheSame, (std::uint64_t seed)) {
  const double lats[] = {0, 48, -71, 89.99};
  const auto first = Simulate({.start = {lats[seed % 4], 3}, .seconds = 200, .seed = seed}).fixes;
  auto second = first;
  for (auto& d : second) d.fix.position = Turned(d.fix.position, -180 + 0.0);
  ExpectMapped(
      first, second, [](LatLon p) { return Turned(p, -180); }, 1e-4);
}

RC_GTEST_PROP(EstimatorProperty, TheMirrorImageIsTheSame, (std::uint64_t seed)) {
  const auto first = Simulate({.start = {48, 3}, .seconds = 200, .seed = seed}).fixes;
  auto second = first;
  for (auto& d : second) {
    d.fix.position.lat_deg = -d.fix.position.lat_deg;
    d.fix.course_deg = std::fmod(540 - *d.fix.course_deg, 360.0);
  }
  ExpectMapped(
      first, second,
      [](LatLon p) {
        return LatLon{-p.lat_deg, p.lon_deg};
      },
      1e-4);
}

// At the pole a turn of all longitudes is a rotation of the plane.
RC_GTEST_PROP(EstimatorProperty, ATurnAtThePoleIsTheSame, (std::uint64_t seed)) {
  const double by_deg = static_cast<double>(seed % 360);
  const auto first = Simulate({.start = {89.995, 10}, .seconds = 200, .seed = seed}).fixes;
  auto second = first;
  for (auto& d : second) d.fix.position = Turned(d.fix.position, by_deg - 180);
  ExpectMapped(
      first, second, [&](LatLon p) { return Turned(p, by_deg - 180); }, 1e-3);
}

// Coloured noise, as phones have it: the radii hold the truth about as often as they say.
TEST(EstimatorCoverage, HoldsUnderColouredNoise) {
  double in68 = 0, in95 = 0, n = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    test::Random r(seed);
    DriveOptions o;
    o.seconds = 900;
    o.seed = seed;
    o.white_m = r.Uniform(0.5, 3);
    o.gm_m = r.Uniform(2, 6);
    o.gm_tau_s = r.Uniform(3, 20);
    o.accuracy_m = 1.5 * std::hypot(o.white_m, o.gm_m);
    const Drive drive = Simulate(o);
    Estimator e = Make();
    for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
      e.Update(drive.fixes[i].fix, drive.fixes[i].arrival);
      if (i < 60) continue;
      const double error_m = DistanceM(e.Latest()->position, drive.truth[i]);
      in68 += error_m <= e.Latest()->r68_m;
      in95 += error_m <= e.Latest()->r95_m;
      n += 1;
    }
  }
  EXPECT_GT(in68 / n, 0.60);
  EXPECT_LT(in68 / n, 0.92);
  EXPECT_GT(in95 / n, 0.92);
}

// A receiver that has filtered already is followed; one that jitters is not.
TEST(EstimatorWorlds, DoesNoHarmToGoodFixesAndMuchToBadOnes) {
  const auto ratio = [](const DriveOptions& o) {
    const Drive drive = Simulate(o);
    Estimator e = Make();
    double raw = 0, live = 0;
    for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
      e.Update(drive.fixes[i].fix, drive.fixes[i].arrival);
      raw += std::pow(DistanceM(drive.fixes[i].fix.position, drive.truth[i]), 2);
      live += std::pow(DistanceM(e.Latest()->position, drive.truth[i]), 2);
    }
    return std::sqrt(live / raw);
  };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    DriveOptions clean{.seconds = 1200, .white_m = 0.1, .gm_m = 1.5, .gm_tau_s = 100, .seed = seed};
    EXPECT_LT(ratio(clean), 1.03) << seed;
    clean.velocity = false;
    clean.accuracy_m = 0;
    EXPECT_LT(ratio(clean), 1.03) << seed;
    DriveOptions bad{.seconds = 1200, .white_m = 3, .gm_m = 5, .gm_tau_s = 5, .seed = seed};
    EXPECT_LT(ratio(bad), 0.6) << seed;
    bad.velocity = false;
    EXPECT_LT(ratio(bad), 1.0) << seed;
  }
}

}  // namespace
}  // namespace waymark
