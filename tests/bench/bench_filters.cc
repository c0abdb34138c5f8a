// What the filter costs, beside a dense 4-state constant-velocity Eigen filter in the same run.
// `plain` is the filter's own arithmetic for one axis-shared model; `live` is Estimator::Update
// with everything (intake, multiple models, checkpoint, learning) and Latest.
#include <benchmark/benchmark.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>
#include <vector>

#include "filters/axis_filter.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"

namespace {

using namespace waymark;  // NOLINT

// A car in town at 1 Hz: turns, stops, and an error that wanders by metres.
std::vector<DeliveredFix> Drive(std::size_t n, bool velocity) {
  std::vector<DeliveredFix> fixes;
  fixes.reserve(n);
  double east = 0, north = 0, heading = 0.3;
  LocalFrame frame({52.5, 13.4});
  for (std::size_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i);
    const double speed = std::max(0.0, 10 + 9 * std::sin(t / 37));
    heading += 0.03 * std::sin(t / 11);
    east += speed * std::sin(heading);
    north += speed * std::cos(heading);
    if (std::hypot(east, north) > 20e3) {
      frame = LocalFrame(frame.FromLocal({east, north}));
      east = north = 0;
    }
    Fix f;
    f.time = MonoTime(std::chrono::seconds(1000 + i));
    f.utc = UtcTime(std::chrono::seconds(1'700'000'000 + i));
    f.position = frame.FromLocal({east + 1.3 * std::sin(t / 7) + 0.2 * std::sin(t * 1.7),
                                  north + 1.1 * std::cos(t / 9) + 0.2 * std::cos(t * 2.3)});
    f.horizontal_accuracy_m = 4 + std::sin(t / 5);
    f.source = FixSource::kGnss;
    if (velocity) {
      f.speed_mps = speed;
      const double course = std::fmod(heading * 180 / std::numbers::pi + 3600, 360.0);
      f.course_deg = course;
      f.altitude_m = 40 + std::sin(t / 50);
    }
    fixes.push_back({f, {f.time + std::chrono::milliseconds(100), *f.utc}});
  }
  return fixes;
}

// Positions in a plane at 1 Hz, for the two filters that know no geodesy.
std::vector<Vec2> Plane(std::size_t n) {
  std::vector<Vec2> out;
  for (std::size_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i);
    out.push_back({10 * t + std::sin(t * 1.7), 5 * t + std::cos(t * 2.3)});
  }
  return out;
}

void DenseConstantVelocity(benchmark::State& state) {
  const auto z = Plane(4096);
  using Vec4 = Eigen::Vector4d;
  using Mat4 = Eigen::Matrix4d;
  Vec4 x = Vec4::Zero();
  Mat4 p = Mat4::Identity() * 100;
  Eigen::Matrix<double, 2, 4> h = Eigen::Matrix<double, 2, 4>::Zero();
  h(0, 0) = h(1, 1) = 1;
  const Eigen::Matrix2d r = Eigen::Matrix2d::Identity() * 9;
  std::size_t i = 0;
  for (auto _ : state) {
    if (i == z.size()) {
      i = 0;
      x.setZero();
      p = Mat4::Identity() * 100;
    }
    double dt = 1.0, q = 1.0;  // as from the fixes: not known to the compiler
    benchmark::DoNotOptimize(dt);
    benchmark::DoNotOptimize(q);
    Mat4 f = Mat4::Identity();
    f(0, 2) = f(1, 3) = dt;
    Mat4 noise = Mat4::Zero();
    noise(0, 0) = noise(1, 1) = q * dt * dt * dt / 3;
    noise(0, 2) = noise(2, 0) = noise(1, 3) = noise(3, 1) = q * dt * dt / 2;
    noise(2, 2) = noise(3, 3) = q * dt;
    x = f * x;
    p = f * p * f.transpose() + noise;
    const Eigen::Vector2d y = Eigen::Vector2d(z[i].e, z[i].n) - h * x;
    const Eigen::Matrix2d s = h * p * h.transpose() + r;
    const Eigen::Matrix<double, 4, 2> k = p * h.transpose() * s.inverse();
    x += k * y;
    const Mat4 a = Mat4::Identity() - k * h;
    p = a * p * a.transpose() + k * r * k.transpose();
    benchmark::DoNotOptimize(x);
    benchmark::DoNotOptimize(p);
    ++i;
  }
}
BENCHMARK(DenseConstantVelocity);

void PlainStep(benchmark::State& state) {
  const auto z = Plane(4096);
  AxisState s;
  s.cov = {100, 0, 0, 100, 0, 4};
  const NoiseModel noise{5, 4, 60};
  std::size_t i = 0;
  for (auto _ : state) {
    if (i == z.size()) {
      i = 0;
      s = {};
      s.cov = {100, 0, 0, 100, 0, 4};
    }
    double dt = 1.0, q = 1.0;
    benchmark::DoNotOptimize(dt);
    benchmark::DoNotOptimize(q);
    const GmStep gm = StepGm(noise, dt);
    PredictMoving(s, dt, q, gm.phi, gm.q_m2);
    UpdatePosition(s, z[i], noise.white_var_m2);
    benchmark::DoNotOptimize(s);
    ++i;
  }
}
BENCHMARK(PlainStep);

void Live(benchmark::State& state, bool velocity) {
  const auto fixes = Drive(20000, velocity);
  auto created = Estimator::Create({});
  const Estimator fresh = std::move(created).value();
  Estimator e = fresh;
  std::size_t i = 0;
  for (auto _ : state) {
    if (i == fixes.size()) {
      state.PauseTiming();
      i = 0;
      e = fresh;
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(e.Update(fixes[i].fix, fixes[i].arrival));
    ++i;
  }
}
void LivePositionOnly(benchmark::State& state) { Live(state, false); }
BENCHMARK(LivePositionOnly);
void LiveEveryField(benchmark::State& state) { Live(state, true); }
BENCHMARK(LiveEveryField);

void LiveWithEstimate(benchmark::State& state) {
  const auto fixes = Drive(20000, true);
  auto created = Estimator::Create({});
  const Estimator fresh = std::move(created).value();
  Estimator e = fresh;
  std::size_t i = 0;
  for (auto _ : state) {
    if (i == fixes.size()) {
      state.PauseTiming();
      i = 0;
      e = fresh;
      state.ResumeTiming();
    }
    benchmark::DoNotOptimize(e.Update(fixes[i].fix, fixes[i].arrival));
    benchmark::DoNotOptimize(e.Latest());
    ++i;
  }
}
BENCHMARK(LiveWithEstimate);

void Predict(benchmark::State& state) {
  const auto fixes = Drive(100, true);
  auto created = Estimator::Create({});
  Estimator e = std::move(created).value();
  for (const auto& d : fixes) e.Update(d.fix, d.arrival);
  MonoTime t = fixes.back().fix.time;
  for (auto _ : state) {
    t += std::chrono::milliseconds(16);
    if (t > fixes.back().fix.time + std::chrono::seconds(20)) t = fixes.back().fix.time;
    benchmark::DoNotOptimize(e.Predict(t));
  }
}
BENCHMARK(Predict);

void FixedLag(benchmark::State& state) {
  const auto fixes = Drive(20000, true);
  auto created = Estimator::Create({});
  const Estimator fresh = std::move(created).value();
  Estimator e = fresh;
  FixedLagSmoother smoother;
  std::vector<Estimate> settled;
  settled.reserve(64);
  std::size_t i = 0;
  for (auto _ : state) {
    if (i == fixes.size()) {
      state.PauseTiming();
      i = 0;
      e = fresh;
      smoother = FixedLagSmoother();
      state.ResumeTiming();
    }
    e.Update(fixes[i].fix, fixes[i].arrival);
    settled.clear();
    smoother.Push(e, settled);
    benchmark::DoNotOptimize(settled.data());
    ++i;
  }
}
BENCHMARK(FixedLag);

// The whole trace: forward pass, smoothing passes, and one evaluation between each two knots.
void WholeTrace(benchmark::State& state) {
  const auto fixes = Drive(static_cast<std::size_t>(state.range(0)), true);
  for (auto _ : state) {
    const auto track = SmoothedTrack::Create(fixes, {});
    benchmark::DoNotOptimize(track.value().knots().size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(WholeTrace)->Arg(10000)->Arg(1000000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
