// Whether the filter and the smoother err as they say, where the world is as they model it: white
// acceleration, a white and a Gauss-Markov error of known size, normal velocity errors. 1,000 runs;
// the normalised estimation error squared (NEES) is averaged over the runs at one time, so that its
// terms are independent, the normalised innovation squared (NIS) over all fixes too, since
// innovations are white (Bar-Shalom, Li & Kirubarajan 2001, 5.4.2). The sum of N terms of d degrees
// of freedom is chi-square with N d, of mean N d and variance 2 N d: the mean lies within
// d +- 2.576 sqrt(2 d / N) in 99 of 100 cases, which the fixed seeds are not an exception of.
//
// The inner filter: the tuning switches off what is there for worlds that are not as modelled
// (Student's t, jumps, latency, inflation), its two models of motion are one, and rest is no
// option.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "filters/smoothing_passes.h"
#include "filters/track_filter.h"
#include "support/simulated_drive.h"
#include "support/track_filter_access.h"

namespace waymark {
namespace {

constexpr int kRuns = 1000;
constexpr double kQ = 0.5, kVelocitySigmaMps = 0.3;
// From 3 s on no acceleration is taken from two velocities, which would cost variance; below 5 s no
// step is a silence.
constexpr double kStepS = 4;
constexpr NoiseModel kNoise{.white_var_m2 = 4, .gm_var_m2 = 9, .gm_tau_s = 20};

void ExpectChiSquare(double mean, double dof, double terms, const char* what) {
  EXPECT_NEAR(mean, dof, 2.576 * std::sqrt(2 * dof / terms)) << what;
}

FilterTuning AsModelled() {
  FilterTuning t;
  t.q_fast = t.q_slow = t.q_long_step = t.smooth_q_long_step = kQ;
  t.manoeuvre_s = 1;
  t.model_change_per_s = 0;
  t.student_dof = 1e9;
  t.jump_nis = 1e9;
  t.jump_min_m = 1e6;
  t.velocity_latency_s = 0;
  t.variance_scale = t.blind_variance_scale = 1;
  return t;
}

struct Body {
  Vec2 p, v, b;
  void Step(test::Random& r, double dt_s) {
    const double phi = std::exp(-dt_s / kNoise.gm_tau_s);
    const double across = std::sqrt(kQ * dt_s * dt_s * dt_s), along = std::sqrt(kQ * dt_s);
    const double gm = std::sqrt(kNoise.gm_var_m2 * (1 - phi * phi));
    for (double Vec2::*m : {&Vec2::e, &Vec2::n}) {
      const double x = r.Normal(), y = r.Normal();
      p.*m += dt_s * v.*m + across * (x / 2 + y / std::sqrt(12.0));
      v.*m += along * x;
      b.*m = phi * b.*m + gm * r.Normal();
    }
  }
  static Body Any(test::Random& r) {
    const double gm = std::sqrt(kNoise.gm_var_m2);
    return {{}, {10 * r.Normal(), 10 * r.Normal()}, {gm * r.Normal(), gm * r.Normal()}};
  }
  Vec2 MeasuredPosition(test::Random& r) const {
    const double white = std::sqrt(kNoise.white_var_m2);
    return p + b + Vec2{white * r.Normal(), white * r.Normal()};
  }
  Vec2 MeasuredVelocity(test::Random& r) const {
    return v + Vec2{kVelocitySigmaMps * r.Normal(), kVelocitySigmaMps * r.Normal()};
  }
};

Observation Observe(const Body& body, test::Random& r, const LocalFrame& frame, MonoTime time,
                    bool velocity) {
  Observation o;
  o.time = time;
  const Vec2 p = body.MeasuredPosition(r), v = body.MeasuredVelocity(r);
  o.position = frame.FromLocal({p.e, p.n});
  o.accuracy_m = kR68PerSigma;  // the level is in square metres then
  o.accuracy_reported = true;
  o.source = FixSource::kGnss;
  if (velocity) {
    const double course_rad = std::atan2(v.e, v.n) - frame.ConvergenceRad(o.position);
    o.speed_mps = v.norm();
    o.course_deg = std::fmod(course_rad * 180 / std::numbers::pi + 720, 360);
    o.speed_accuracy_mps = kVelocitySigmaMps;
  }
  return o;
}

class Consistency : public testing::TestWithParam<bool> {};

TEST_P(Consistency, TheTrackFilterErrsAsItSays) {
  const bool velocity = GetParam();
  const FilterTuning t = AsModelled();
  const NoiseMonitor::Level level{
      .white = kNoise.white_var_m2, .gm = kNoise.gm_var_m2, .tau_s = kNoise.gm_tau_s};
  const LocalFrame frame({0.1, 11.5});
  constexpr int kSteps = 40;
  constexpr int kLooks = 4, looks[kLooks] = {1, 10, 20, 40};
  double nees[kLooks] = {}, full[kLooks] = {}, nis = 0;
  test::Random r(20250607);
  for (int run = 0; run < kRuns; ++run) {
    Body body = Body::Any(r);
    MonoTime time(std::chrono::seconds(1000));
    TrackFilter f;
    f.Start(Observe(body, r, frame, time, velocity), level, t);
    TrackFilterAccess::ModesOf(f) = {1e-9, 0.5, 0.5};
    for (int i = 1, look = 0; i <= kSteps; ++i) {
      body.Step(r, kStepS);
      time += FromSeconds(kStepS);
      const Observation o = Observe(body, r, frame, time, velocity);
      TrackFilter ahead = f;
      const GmStep gm = StepGm(kNoise, kStepS);
      TrackFilterAccess::Predict(ahead, kStepS, gm, t);
      const auto expected = TrackFilterAccess::Expect(ahead, false);
      const EastNorth z = ahead.frame().ToLocal(o.position);
      nis +=
          (Vec2{z.east_m, z.north_m} - expected.p).norm2() / (expected.var + kNoise.white_var_m2);
      ASSERT_TRUE(f.Step(o, level, std::nullopt, t).used());
      if (i != looks[look]) continue;
      const EastNorth p = f.frame().ToLocal(frame.FromLocal({body.p.e, body.p.n}));
      const AxisState& s = f.combined();
      const AxisCov& c = s.cov;
      Eigen::Matrix3d cov;
      cov << c.pp, c.pv, c.pb, c.pv, c.vv, c.vb, c.pb, c.vb, c.bb;
      const Vec2 dp = Vec2{p.east_m, p.north_m} - s.p, dv = body.v - s.v, db = body.b - s.b;
      for (double Vec2::*m : {&Vec2::e, &Vec2::n}) {
        const Eigen::Vector3d e(dp.*m, dv.*m, db.*m);
        full[look] += e.dot(cov.ldlt().solve(e));
        nees[look] += e.head<2>().dot(cov.topLeftCorner<2, 2>().ldlt().solve(e.head<2>()));
      }
      ++look;
    }
  }
  for (int k = 0; k < kLooks; ++k) {
    ExpectChiSquare(nees[k] / kRuns, 4, kRuns, "position and velocity");
    ExpectChiSquare(full[k] / kRuns, 6, kRuns, "with the slow error");
  }
  const double fixes = kRuns * kSteps;
  ExpectChiSquare(nis / fixes, 2, fixes, "innovations");
}

TEST_P(Consistency, TheSmootherErrsAsItSays) {
  const FilterTuning t = AsModelled();
  const LocalFrame frame({0.1, 11.5});
  constexpr std::size_t kFixes = 41;
  const std::size_t looks[] = {0, 13, 20, 40};
  double position[4] = {}, speed[4] = {};
  test::Random r(20250608);
  for (int run = 0; run < kRuns; ++run) {
    Body body = Body::Any(r);
    MonoTime time(std::chrono::seconds(1000));
    std::vector<Body> truth;
    std::vector<SmoothedFix> items;
    for (std::size_t i = 0; i < kFixes; ++i) {
      if (i > 0) body.Step(r, kStepS);
      truth.push_back(body);
      SmoothedFix a;
      a.time = time;
      time += FromSeconds(kStepS);
      const Vec2 p = body.MeasuredPosition(r);
      const LatLon at = frame.FromLocal({p.e, p.n});
      a.p = {at.lon_deg, at.lat_deg};
      a.has_velocity = GetParam();
      // In the axes of the fix; so near to the equator those are everywhere the frame's.
      a.v = body.MeasuredVelocity(r);
      a.velocity_var = static_cast<float>(kVelocitySigmaMps * kVelocitySigmaMps);
      a.q = static_cast<float>(kQ);
      a.measured_var_m2 = static_cast<float>(kNoise.white_var_m2);
      a.gm_var_m2 = static_cast<float>(kNoise.gm_var_m2);
      a.gm_tau_s = static_cast<float>(kNoise.gm_tau_s);
      a.follow = 0;
      a.slow_var_m2 = 0;
      items.push_back(a);
    }
    std::vector<LocalFrame> frames;
    SmoothingPasses(items, frames, t).Run();
    for (std::size_t k = 0; k < std::size(looks); ++k) {
      const SmoothedFix& a = items[looks[k]];
      const Body& b = truth[looks[k]];
      const EastNorth p = frames[a.frame].ToLocal(frame.FromLocal({b.p.e, b.p.n}));
      position[k] += (Vec2{p.east_m, p.north_m} - a.p).norm2() / a.var_m2;
      speed[k] += (b.v - a.v).norm2() / (a.speed_sigma_mps * a.speed_sigma_mps);
    }
  }
  for (std::size_t k = 0; k < std::size(looks); ++k) {
    ExpectChiSquare(position[k] / kRuns, 2, kRuns, "position");
    ExpectChiSquare(speed[k] / kRuns, 2, kRuns, "velocity");
  }
}

INSTANTIATE_TEST_SUITE_P(Velocities, Consistency, testing::Values(true, false));

// The variance that a speed and a course give the velocity is the mean over the axes of J C J^T,
// with J by central differences of what the filter makes of them.
TEST(VelocityVariance, IsThatOfSpeedAndCourseByTheirJacobian) {
  const FilterTuning t;
  test::Random r(9);
  for (int i = 0; i < 200; ++i) {
    Observation o;
    o.time = MonoTime(std::chrono::seconds(1000));
    o.position = {48.1, 11.5};
    o.accuracy_m = 5;
    o.speed_mps = r.Uniform(3, 40);
    o.course_deg = r.Uniform(1, 359);
    o.speed_accuracy_mps = r.Uniform(0.2, 1);
    // Across no better than along: less is not believed.
    const double least_deg = *o.speed_accuracy_mps / *o.speed_mps * 180 / std::numbers::pi;
    o.course_accuracy_deg = r.Uniform(1, 2) * least_deg;
    const auto measured = [&](double speed, double course) {
      Observation x = o;
      *x.speed_mps += speed;
      *x.course_deg += course;
      TrackFilter f;
      f.Start(x, {}, t);
      return f;
    };
    const auto slope = [&](double speed, double course) {
      return 1 / (2 * std::max(speed, course)) *
             (*measured(speed, course).measured_velocity() -
              *measured(-speed, -course).measured_velocity());
    };
    const double expected = 0.5 * (slope(1e-4, 0).norm2() * std::pow(*o.speed_accuracy_mps, 2) +
                                   slope(0, 1e-4).norm2() * std::pow(*o.course_accuracy_deg, 2));
    EXPECT_NEAR(measured(0, 0).measured_velocity_var(), expected, 1e-7 * expected);
  }
}

// A speed without a course goes along the step of the positions: their noise turns it. The speed's
// own variance is taken for both axes, on the safe side.
TEST(VelocityVariance, IsThatOfSpeedAndStepByTheirJacobian) {
  const FilterTuning t = AsModelled();  // a long first step is no jump
  const NoiseMonitor::Level level{.white = 4, .gm = 9, .tau_s = 20};
  const LocalFrame frame({48.1, 11.5});
  test::Random r(10);
  for (int i = 0; i < 200; ++i) {
    const double heading = r.Uniform(0, 6.28);
    Observation first;
    first.time = MonoTime(std::chrono::seconds(1000));
    first.position = frame.origin();
    first.accuracy_m = kR68PerSigma;
    first.speed_mps = r.Uniform(10, 40);
    first.speed_accuracy_mps = r.Uniform(0.2, 1);
    Observation second = first;
    second.time += FromSeconds(kStepS);
    const double way_m = *first.speed_mps * kStepS;
    const auto measured = [&](double speed, double east, double north) {
      Observation x = second;
      *x.speed_mps += speed;
      x.position =
          frame.FromLocal({way_m * std::sin(heading) + east, way_m * std::cos(heading) + north});
      TrackFilter f;
      f.Start(first, level, t);
      f.Step(x, level, std::nullopt, t);
      return f;
    };
    ASSERT_TRUE(measured(0, 0, 0).measured_velocity());
    const double h = 1e-3;
    const auto slope = [&](double speed, double east, double north) {
      return 1 / (2 * h) *
             (*measured(h * speed, h * east, h * north).measured_velocity() -
              *measured(-h * speed, -h * east, -h * north).measured_velocity());
    };
    const double slow = kNoise.gm_var_m2 * (1 - std::exp(-kStepS / kNoise.gm_tau_s));
    const double step_var = 2 * (kNoise.white_var_m2 + slow);
    const double expected =
        0.5 * (2 * slope(1, 0, 0).norm2() * std::pow(*first.speed_accuracy_mps, 2) +
               (slope(0, 1, 0).norm2() + slope(0, 0, 1).norm2()) * step_var);
    EXPECT_NEAR(measured(0, 0, 0).measured_velocity_var(), expected, 1e-5 * expected);
  }
}

}  // namespace
}  // namespace waymark
