// How a stream is delivered says nothing about where the device is: an epoch told in several
// reports is the epoch that they add up to, and a fix that comes late stands where it belongs.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "filters/estimator_impl.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Random;
using test::Simulate;

// What is learned of the noise depends on the order in which it is seen, and is left out: then the
// streams must agree exactly.
Estimator Make(const EstimatorOptions& options = {}) {
  Estimator e = std::move(Estimator::Create(options)).value();
  EstimatorAccess::Of(e).tuning.learn_noise = 0;
  return e;
}

void Feed(Estimator& e, const Fix& fix, MonoTime arrival) {
  const UtcTime utc(std::chrono::duration_cast<milliseconds>(arrival.time_since_epoch()));
  RC_ASSERT(e.Update(fix, {arrival, utc}).disposition != Disposition::kRejected);
}

void ExpectSame(const Estimator& a, const Estimator& b) {
  const auto x = a.Latest(), y = b.Latest();
  RC_ASSERT(x.has_value());
  RC_ASSERT(y.has_value());
  RC_ASSERT(x->time == y->time);
  RC_ASSERT(DistanceM(x->position, y->position) < 1e-6);
  RC_ASSERT(std::fabs(x->velocity_east_mps - y->velocity_east_mps) < 1e-6);
  RC_ASSERT(std::fabs(x->velocity_north_mps - y->velocity_north_mps) < 1e-6);
  RC_ASSERT(std::fabs(x->speed_sigma_mps - y->speed_sigma_mps) < 1e-6);
  RC_ASSERT(std::fabs(x->r68_m - y->r68_m) < 1e-6);
  RC_ASSERT(std::fabs(x->r95_m - y->r95_m) < 1e-6);
  RC_ASSERT(std::fabs(x->p_stopped - y->p_stopped) < 1e-9);
  RC_ASSERT(x->altitude_m.has_value() == y->altitude_m.has_value());
  if (x->altitude_m) {
    RC_ASSERT(std::fabs(*x->altitude_m - *y->altitude_m) < 1e-6);
  }
}

void Restart(Estimator& e, const EstimatorOptions& options = {}) {
  std::vector<std::byte> image;
  e.Save(image);
  Estimator next = Make(options);
  RC_ASSERT(next.Restore(image).ok());
  e = std::move(next);
}

// A jittery receiver that tells everything, once a second.
std::vector<Fix> Jittery(std::uint64_t seed) {
  Random r(seed ^ 0x5eed);
  const auto drive =
      Simulate({.seconds = 60, .white_m = 4, .gm_m = 2, .gm_tau_s = 5, .seed = seed});
  std::vector<Fix> fixes;
  for (const DeliveredFix& d : drive.fixes) {
    Fix f = d.fix;
    f.utc.reset();
    f.altitude_m = 500 + 3 * r.Normal();
    f.vertical_accuracy_m = 4;
    fixes.push_back(f);
  }
  return fixes;
}

// The same epoch in two to four reports, each with some of its fields. Together they tell all.
std::vector<Fix> Split(const Fix& whole, Random& r) {
  std::vector<Fix> parts(2 + r.Bits() % 3);
  for (Fix& part : parts) {
    part.time = whole.time;
    part.position = whole.position;
    part.source = whole.source;
  }
  // The radius of an epoch is not taken back by a report that tells none.
  const auto any = [&]() -> Fix& { return parts[r.Bits() % parts.size()]; };
  any().horizontal_accuracy_m = whole.horizontal_accuracy_m;
  Fix& velocity = any();
  velocity.speed_mps = whole.speed_mps;
  velocity.course_deg = whole.course_deg;
  Fix& altitude = any();
  altitude.altitude_m = whole.altitude_m;
  altitude.vertical_accuracy_m = whole.vertical_accuracy_m;
  // One that tells nothing new is no news, and is not delivered here.
  std::erase_if(parts, [](const Fix& f) {
    return !f.horizontal_accuracy_m && !f.speed_mps && !f.altitude_m;
  });
  return parts;
}

RC_GTEST_PROP(EstimatorIntake, TheReportsOfAnEpochAreTheirUnion, (std::uint64_t seed)) {
  Random r(seed);
  Estimator whole = Make(), parts = Make();
  for (const Fix& fix : Jittery(seed)) {
    const MonoTime arrival = fix.time + milliseconds(100);
    Feed(whole, fix, arrival);
    int n = 0;
    for (Fix& part : Split(fix, r)) {
      part.time += milliseconds(n == 0 ? 0 : r.Bits() % 5);  // 5 ms are one epoch
      Feed(parts, part, arrival + milliseconds(20 * n++));
      if (r.Uniform() < 0.1) Restart(parts);
    }
    ExpectSame(whole, parts);
  }
}

RC_GTEST_PROP(EstimatorIntake, ALateFixStandsInItsPlace, (std::uint64_t seed)) {
  Random r(seed);
  const std::size_t reach = 1 + r.Bits() % 10;
  EstimatorOptions options;
  options.reorder_window = seconds(reach);
  const std::vector<Fix> fixes = Jittery(seed);
  Estimator in_order = Make(options), late = Make(options);
  for (std::size_t i = 0; i < fixes.size();) {
    const std::size_t n = std::min<std::size_t>(1 + r.Bits() % (reach + 1), fixes.size() - i);
    std::vector<std::size_t> order(n);
    for (std::size_t k = 0; k < n; ++k) order[k] = i + k;
    for (std::size_t k = n; k-- > 1;) std::swap(order[k], order[r.Bits() % (k + 1)]);
    const MonoTime arrival = fixes[i + n - 1].time;
    for (std::size_t k = 0; k < n; ++k) {
      Feed(in_order, fixes[i + k], fixes[i + k].time + milliseconds(20));
      Feed(late, fixes[order[k]], arrival + milliseconds(20 + k));
      if (r.Uniform() < 0.1) Restart(late, options);
    }
    ExpectSame(in_order, late);
    i += n;
  }
}

}  // namespace
}  // namespace waymark
