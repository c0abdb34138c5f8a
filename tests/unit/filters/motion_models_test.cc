// The motion models of TrackFilter and their mixture against a dense reference: the interacting
// multiple model of the textbook (Bar-Shalom, Li & Kirubarajan, Estimation with Applications to
// Tracking and Navigation, 2001, 11.6.6) with full 6x6 covariances, transitions from the matrix
// exponential and one joint update by position and velocity.
//
// In one thing the filter is not the textbook: of a spread of the means it keeps the mean over the
// axes, so that east and north go on sharing one covariance. The reference does the same, after the
// sum (ShareAxes): the trace, and with it the mean square of the distance, is the textbook's.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <unsupported/Eigen/MatrixFunctions>

#include "filters/track_filter.h"
#include "support/dense_axis.h"
#include "support/simulated_drive.h"
#include "support/track_filter_access.h"

namespace waymark {
namespace {

using Access = TrackFilterAccess;
using test::Dense;
using test::FromAxis;
using test::Mat6;
using test::Vec6;
using Mat4 = Eigen::Matrix4d;

constexpr std::size_t kModels = TrackFilter::kModels;
constexpr double kTolerance = 1e-9;
// A model that falls below this share of the mixture is put in the place of the best one.
constexpr double kLeastMode = 1e-4;

Mat6 ShareAxes(const Mat6& p) {
  Mat6 shared = Mat6::Zero();
  for (int i = 0; i < 6; i += 2) {
    for (int j = 0; j < 6; j += 2) {
      shared(i, j) = shared(i + 1, j + 1) = (p(i, j) + p(i + 1, j + 1)) / 2;
    }
  }
  return shared;
}

/// A linear model: x' = F x + noise of the covariance Q.
struct Step {
  Mat6 f, q;
};

// Position and velocity of d/dt (p, v) = (v, -rate v) over dt.
Mat4 Flow(double rate_ps) {
  Mat4 a = Mat4::Zero();
  a(0, 2) = a(1, 3) = 1;
  a(2, 2) = a(3, 3) = -rate_ps;
  return a;
}

Step WithError(const Mat4& f, const Mat4& q, const GmStep& gm) {
  Step s{Mat6::Zero(), Mat6::Zero()};
  s.f.topLeftCorner<4, 4>() = f;
  s.q.topLeftCorner<4, 4>() = q;
  s.f(4, 4) = s.f(5, 5) = gm.phi;
  s.q(4, 4) = s.q(5, 5) = gm.q_m2;
  return s;
}

// White acceleration of the density q, integrated by Van Loan's exponential (IEEE TAC 23(3), 1978).
Step Moving(double dt_s, double q, const GmStep& gm) {
  const Mat4 a = Flow(0);
  Eigen::Matrix<double, 8, 8> block = Eigen::Matrix<double, 8, 8>::Zero();
  block.topLeftCorner<4, 4>() = -a;
  block(2, 6) = block(3, 7) = q;
  block.bottomRightCorner<4, 4>() = a.transpose();
  const Eigen::Matrix<double, 8, 8> e = (block * dt_s).exp();
  const Mat4 f = e.bottomRightCorner<4, 4>().transpose();
  return WithError(f, f * e.topRightCorner<4, 4>(), gm);
}

// The velocity dies with the time constant and keeps its own small variance; the position walks.
Step Stopped(double dt_s, const FilterTuning& t, const GmStep& gm) {
  const Mat4 f = (Flow(1 / t.stop_time_constant_s) * dt_s).exp();
  Mat4 q = Mat4::Zero();
  q(0, 0) = q(1, 1) = t.stop_walk_m2ps * dt_s;
  q(2, 2) = q(3, 3) = t.stop_velocity_var_m2ps2 * (1 - f(2, 2) * f(2, 2));
  return WithError(f, q, gm);
}

struct Mixture {
  std::array<Dense, kModels> model;
  std::array<double, kModels> mode{};

  static Mixture Of(TrackFilter& f) {
    Mixture m;
    std::transform(Access::ModelsOf(f).begin(), Access::ModelsOf(f).end(), m.model.begin(),
                   FromAxis);
    m.mode = Access::ModesOf(f);
    return m;
  }

  /// The first two moments of the models with these weights.
  Dense Moments(const std::array<double, kModels>& weight) const {
    Dense d;
    for (std::size_t i = 0; i < kModels; ++i) d.x += weight[i] * model[i].x;
    for (std::size_t i = 0; i < kModels; ++i) {
      const Vec6 off = model[i].x - d.x;
      d.p += weight[i] * (model[i].p + off * off.transpose());
    }
    d.p = ShareAxes(d.p);
    return d;
  }
  Dense Combined() const { return Moments(mode); }

  // Who stands, goes slowly or fast stays so for exp(-rate dt). A way from one end to the other
  // takes two hops. To rest comes, within some seconds, only what is slow enough to brake in one.
  Eigen::Matrix3d Chances(double dt_s, const FilterTuning& t) const {
    const double stay = std::exp(-t.model_change_per_s * std::min(dt_s, 60.0)), hop = 1 - stay;
    const double speed2 = Combined().x.segment<2>(2).squaredNorm();
    const double slow2 = t.rest_from_mps * t.rest_from_mps;
    const double rest = dt_s > 5 ? 1 : std::pow(slow2 / (slow2 + speed2), 2);
    Eigen::Matrix3d c;                           // from the row's model to the column's
    c << 0, hop - hop * hop / 4, hop * hop / 4,  //
        rest * hop / 2, 0, hop / 2,              //
        rest * hop * hop / 4, hop - hop * hop / 4, 0;
    for (int i = 0; i < 3; ++i) c(i, i) = 1 - c.row(i).sum();
    return c;
  }

  void Predict(double dt_s, const GmStep& gm, const FilterTuning& t) {
    const Eigen::Matrix3d chance = Chances(dt_s, t);
    Mixture mixed;
    for (std::size_t j = 0; j < kModels; ++j) {
      std::array<double, kModels> from{};
      for (std::size_t i = 0; i < kModels; ++i) {
        from[i] = chance(static_cast<int>(i), static_cast<int>(j)) * mode[i];
        mixed.mode[j] += from[i];
      }
      for (double& w : from) w /= mixed.mode[j];
      mixed.model[j] = Moments(from);
    }
    const Step step[] = {Stopped(dt_s, t, gm), Moving(dt_s, t.q_slow, gm),
                         Moving(dt_s, t.q_fast, gm)};
    for (std::size_t j = 0; j < kModels; ++j) {
      Dense& d = mixed.model[j];
      d.x = step[j].f * d.x;
      d.p = step[j].f * d.p * step[j].f.transpose() + step[j].q;
    }
    *this = mixed;
  }

  static Eigen::MatrixXd PositionOf(bool foreign) {
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(2, 6);
    h(0, 0) = h(1, 1) = 1;
    if (!foreign) h(0, 4) = h(1, 5) = 1;
    return h;
  }

  /// The mean of the expected position and its variance, the mean of both axes.
  std::pair<Eigen::Vector2d, double> Expect(bool foreign) const {
    const Eigen::MatrixXd h = PositionOf(foreign);
    const Dense d = Combined();
    return {h * d.x, (h * d.p * h.transpose()).trace() / 2};
  }

  /// One update by all that was measured at a time.
  void Update(const std::optional<Access::Measured>& p, bool foreign,
              const std::optional<Access::Measured>& v) {
    const int n = (p ? 2 : 0) + (v ? 2 : 0);
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(n, 6), r = Eigen::MatrixXd::Zero(n, n);
    Eigen::VectorXd z(n);
    int at = 0;
    if (p) {
      h.topRows(2) = PositionOf(foreign);
      z.head(2) << p->at.e, p->at.n;
      r(0, 0) = r(1, 1) = p->var;
      at = 2;
    }
    if (v) {
      h(at, 2) = h(at + 1, 3) = 1;
      z.segment(at, 2) << v->at.e, v->at.n;
      r(at, at) = r(at + 1, at + 1) = v->var;
    }
    std::array<double, kModels> log_weight{};
    for (std::size_t j = 0; j < kModels; ++j) {
      Dense& d = model[j];
      const Eigen::MatrixXd s = h * d.p * h.transpose() + r;
      const Eigen::VectorXd y = z - h * d.x;
      const Eigen::LLT<Eigen::MatrixXd> llt(s);
      const Eigen::MatrixXd k = llt.solve(h * d.p).transpose();
      const Mat6 a = Mat6::Identity() - k * h;
      d.x += k * y;
      d.p = a * d.p * a.transpose() + k * r * k.transpose();
      const Eigen::MatrixXd l = llt.matrixL();
      log_weight[j] =
          std::log(mode[j]) - 0.5 * y.dot(llt.solve(y)) - l.diagonal().array().log().sum();
    }
    const auto best = std::max_element(log_weight.begin(), log_weight.end()) - log_weight.begin();
    const double most = log_weight[static_cast<std::size_t>(best)];
    double sum = 0, kept = 0;
    for (const double w : log_weight) sum += std::exp(w - most);
    const Dense winner = model[static_cast<std::size_t>(best)];
    for (std::size_t j = 0; j < kModels; ++j) {
      mode[j] = std::exp(log_weight[j] - most) / sum;
      if (mode[j] < kLeastMode) {
        mode[j] = kLeastMode;
        model[j] = winner;
      }
      kept += mode[j];
    }
    for (double& m : mode) m /= kept;
  }
};

// To 1e-9 of a state's own sigmas (or of 1), and of the size of the numbers.
void ExpectSame(const Dense& a, const Dense& b, const char* what) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(a.x(i), b.x(i), kTolerance * (1 + std::fabs(b.x(i)) + std::sqrt(b.p(i, i))))
        << what << ": mean " << i;
    for (int j = 0; j < 6; ++j) {
      EXPECT_NEAR(a.p(i, j), b.p(i, j), kTolerance * (1 + std::sqrt(b.p(i, i) * b.p(j, j))))
          << what << ": covariance " << i << ' ' << j;
    }
  }
}

void ExpectSame(TrackFilter& f, const Mixture& m, const char* what) {
  for (std::size_t j = 0; j < kModels; ++j) {
    EXPECT_NEAR(Access::ModesOf(f)[j], m.mode[j], kTolerance) << what << ": mode " << j;
    ExpectSame(FromAxis(Access::ModelsOf(f)[j]), m.model[j], what);
  }
}

double LogUniform(test::Random& r, double a, double b) { return a * std::pow(b / a, r.Uniform()); }

AxisState AnyState(test::Random& r) {
  const double p_m = LogUniform(r, 0.1, 100), v_mps = LogUniform(r, 0.01, 10);
  const double b_m = LogUniform(r, 0.1, 30);
  AxisState s;
  s.p = {50 * r.Normal(), 50 * r.Normal()};
  s.v = {5 * r.Normal(), 5 * r.Normal()};
  s.b = {b_m * r.Normal(), b_m * r.Normal()};
  // A sum of three squares is positive definite, whatever the correlations.
  for (int i = 0; i < 3; ++i) {
    s.cov = s.cov + AxisCov::Outer(p_m * r.Normal(), v_mps * r.Normal(), b_m * r.Normal());
  }
  return s;
}

// The constants of the models at random; what is policy about them (how the acceleration is taken
// over long steps) switched off.
FilterTuning AnyTuning(test::Random& r) {
  FilterTuning t;
  t.q_fast = t.q_long_step = LogUniform(r, 0.1, 10);
  t.manoeuvre_s = 1;
  t.q_slow = LogUniform(r, 0.01, 1);
  t.stop_time_constant_s = LogUniform(r, 0.2, 20);
  t.stop_walk_m2ps = LogUniform(r, 1e-3, 1);
  t.stop_velocity_var_m2ps2 = LogUniform(r, 1e-3, 1);
  t.model_change_per_s = LogUniform(r, 1e-3, 1);
  t.rest_from_mps = LogUniform(r, 0.5, 20);
  return t;
}

GmStep AnyGmStep(test::Random& r, double dt_s) {
  const NoiseModel noise{1, LogUniform(r, 0.1, 100), LogUniform(r, 1, 100)};
  if (r.Bits() % 8 == 0) return {0, noise.gm_var_m2};  // the error begins anew
  return StepGm(noise, dt_s);
}

std::optional<Access::Measured> AnyMeasured(test::Random& r, Vec2 about, double spread,
                                            double sigma) {
  const Vec2 off{spread * r.Normal(), spread * r.Normal()};
  return Access::Measured{about + off, sigma * sigma};
}

TrackFilter AnyFilter(test::Random& r) {
  TrackFilter f;
  double sum = 0;
  for (std::size_t j = 0; j < kModels; ++j) {
    Access::ModelsOf(f)[j] = AnyState(r);
    sum += Access::ModesOf(f)[j] = LogUniform(r, 1e-4, 1);
  }
  for (double& m : Access::ModesOf(f)) m /= sum;
  Access::Combine(f);
  return f;
}

TEST(MotionModels, CombineToTheMomentsOfTheMixture) {
  test::Random r(1);
  for (int i = 0; i < 1000 && !testing::Test::HasFailure(); ++i) {
    TrackFilter f = AnyFilter(r);
    ExpectSame(FromAxis(f.combined()), Mixture::Of(f).Combined(), "combined");
  }
}

// What sharing the axes keeps of the textbook's mixture.
TEST(MotionModels, SharingTheAxesKeepsTheMeanSquareOfDistances) {
  test::Random r(2);
  for (int i = 0; i < 200; ++i) {
    TrackFilter f = AnyFilter(r);
    const Mixture m = Mixture::Of(f);
    Mat6 second = Mat6::Zero();  // E x x^T
    for (std::size_t j = 0; j < kModels; ++j) {
      second += m.mode[j] * (m.model[j].p + m.model[j].x * m.model[j].x.transpose());
    }
    const Dense c = FromAxis(f.combined());
    for (int at = 0; at < 6; at += 2) {
      const double expected = second.diagonal().segment<2>(at).sum();
      EXPECT_NEAR(c.p.diagonal().segment<2>(at).sum() + c.x.segment<2>(at).squaredNorm(), expected,
                  1e-12 * (1 + expected));
    }
  }
}

TEST(MotionModels, AreMixedAndPredictedAsByADenseFilter) {
  test::Random r(3);
  for (int i = 0; i < 1000 && !testing::Test::HasFailure(); ++i) {
    TrackFilter f = AnyFilter(r);
    Mixture m = Mixture::Of(f);
    const FilterTuning t = AnyTuning(r);
    const double dt_s = LogUniform(r, 0.01, 120);
    const GmStep gm = AnyGmStep(r, dt_s);
    Access::Predict(f, dt_s, gm, t);
    m.Predict(dt_s, gm, t);
    ExpectSame(f, m, "predicted");
  }
}

TEST(MotionModels, ExpectThePositionThatTheirMixtureDoes) {
  test::Random r(4);
  for (int i = 0; i < 1000 && !testing::Test::HasFailure(); ++i) {
    TrackFilter f = AnyFilter(r);
    const Mixture m = Mixture::Of(f);
    for (const bool foreign : {false, true}) {
      const auto x = Access::Expect(f, foreign);
      const auto [p, var] = m.Expect(foreign);
      EXPECT_NEAR(x.p.e, p(0), kTolerance * (1 + std::fabs(p(0))));
      EXPECT_NEAR(x.p.n, p(1), kTolerance * (1 + std::fabs(p(1))));
      EXPECT_NEAR(x.var, var, kTolerance * (1 + var));
    }
  }
}

TEST(MotionModels, AreUpdatedAndWeighedAsByADenseFilter) {
  test::Random r(5);
  int out_of_race = 0;
  for (int i = 0; i < 2000 && !testing::Test::HasFailure(); ++i) {
    TrackFilter f = AnyFilter(r);
    Mixture m = Mixture::Of(f);
    const bool foreign = r.Bits() % 3 == 0, with_position = r.Bits() % 4 != 0;
    std::optional<Access::Measured> p, v;
    const AxisState& c = f.combined();
    if (with_position) p = AnyMeasured(r, c.p, LogUniform(r, 1, 50), LogUniform(r, 0.3, 100));
    if (!with_position || r.Bits() % 2 == 0) {
      v = AnyMeasured(r, c.v, LogUniform(r, 0.1, 5), LogUniform(r, 0.1, 10));
    }
    Access::Update(f, p, foreign, v);
    m.Update(p, foreign, v);
    ExpectSame(f, m, "updated");
    for (const double mode : m.mode) out_of_race += mode < 1.1 * kLeastMode;
  }
  EXPECT_GT(out_of_race, 100);  // the floor was tried too
}

// Column by column, by central differences: of both kinds of motion, at rest and far from it.
TEST(MotionModels, TheTransitionsAreTheDerivativesOfThePredictions) {
  test::Random r(6);
  const double h = 1e-4;
  for (int i = 0; i < 100; ++i) {
    const FilterTuning t = AnyTuning(r);
    const double dt_s = LogUniform(r, 0.01, 30);
    const GmStep gm = AnyGmStep(r, dt_s);
    const AxisState at = AnyState(r);
    const auto stopped = [&](AxisState s) {
      PredictStopped(s, dt_s, t.stop_time_constant_s, std::exp(-dt_s / t.stop_time_constant_s),
                     t.stop_walk_m2ps, t.stop_velocity_var_m2ps2, gm.phi, gm.q_m2);
      return FromAxis(s).x;
    };
    const auto moving = [&](AxisState s) {
      PredictMoving(s, dt_s, t.q_slow, gm.phi, gm.q_m2);
      return FromAxis(s).x;
    };
    const auto expect_derivative = [&](const auto& predict, const Mat6& f, const char* what) {
      for (int k = 0; k < 6; ++k) {
        AxisState ahead = at, behind = at;
        double* up[] = {&ahead.p.e, &ahead.p.n, &ahead.v.e, &ahead.v.n, &ahead.b.e, &ahead.b.n};
        double* down[] = {&behind.p.e, &behind.p.n, &behind.v.e,
                          &behind.v.n, &behind.b.e, &behind.b.n};
        *up[k] += h;
        *down[k] -= h;
        const Vec6 column = (predict(ahead) - predict(behind)) / (2 * h);
        EXPECT_LT((column - f.col(k)).cwiseAbs().maxCoeff(), 1e-8) << what << ", column " << k;
      }
    };
    expect_derivative(stopped, Stopped(dt_s, t, gm).f, "stopped");
    expect_derivative(moving, Moving(dt_s, t.q_slow, gm).f, "moving");
  }
}

// Whole steps, of a track of any step lengths, with fixes with velocities and without, of its own
// source and of others. What is policy is taken from the filter: the noise of each fix, its weight,
// what it says of the velocity, whether it is of the track's own kind.
TEST(MotionModels, AWholeTrackAgreesWithADenseFilter) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    test::Random r(seed);
    FilterTuning t = AnyTuning(r);
    t.first_fix_sigma_m = 0;  // what a silence left open is not opened further
    const NoiseMonitor::Level level{.white = 0.3, .gm = 0.9, .tau_s = 20};
    const LocalFrame frame({48.1, 11.5});
    Vec2 at, speed{3, 1};
    MonoTime time(std::chrono::seconds(1000));
    TrackFilter f;
    std::optional<Mixture> m;
    int followed = 0, foreign = 0, fresh = 0, blind = 0, steps = 0;
    for (int i = 0; i < 600 && !testing::Test::HasFailure(); ++i) {
      const double dt_s = LogUniform(r, 0.1, 10);
      time += FromSeconds(dt_s);
      const double seen_s = Seconds(time - f.time());
      speed = std::exp(-dt_s / 60) * speed + Vec2{0.7 * r.Normal(), 0.7 * r.Normal()};
      if (at.norm2() > 1e6) speed = -0.005 * at;  // home again, before the plane is left
      if (i % 100 > 80) speed = {};
      at = at + dt_s * speed;
      const EastNorth seen{at.e + 4 * r.Normal(), at.n + 4 * r.Normal()};
      Observation o;
      o.time = time;
      o.position = frame.FromLocal(seen);
      o.accuracy_reported = true;
      o.accuracy_m = 6;
      o.source = FixSource::kGnss;
      if (r.Bits() % 3 != 0) {
        o.speed_mps = speed.norm();
        o.course_deg = std::fmod(std::atan2(speed.e, speed.n) * 180 / std::numbers::pi + 360, 360);
      } else {
        ++blind;
      }
      if (i % 50 > 40 && (i % 50 > 46 || i % 2 == 0)) {  // at last more than two in a row
        o.source = FixSource::kNetwork;
        o.accuracy_m = 20;
      }
      if (!f.started()) {
        f.Start(o, level, t);
        m = Mixture::Of(f);
        continue;
      }
      const Verdict verdict = f.Step(o, level, std::nullopt, t);
      ++steps;
      const bool other = !verdict.used() || verdict.reason == Reason::kReacquired;
      if (other || f.reanchored() || (o.speed_mps && !f.measured_velocity())) {
        m = Mixture::Of(f);  // a jump, a new plane, a velocity that was not believed
        continue;
      }
      const double phi = f.fresh_error() ? 0 : StepGm(f.noise(), seen_s).phi;
      m->Predict(seen_s, {phi, f.noise().gm_var_m2 * (1 - phi * phi)}, t);
      std::optional<Access::Measured> v;
      if (f.measured_velocity()) v = {*f.measured_velocity(), f.measured_velocity_var()};
      m->Update(Access::Measured{f.measured_position(), f.measured_var() / f.weight()}, f.foreign(),
                v);
      ExpectSame(f, *m, "stepped");
      ExpectSame(FromAxis(f.combined()), m->Combined(), "combined");
      ++followed;
      foreign += f.foreign();
      fresh += f.fresh_error();
      if (HasFailure()) ADD_FAILURE() << "seed " << seed << ", step " << i;
    }
    EXPECT_GT(followed, 0.8 * steps) << seed;
    EXPECT_GT(foreign, 10) << seed;
    EXPECT_GT(fresh, 5) << seed;
    EXPECT_GT(blind, 100) << seed;
  }
}

}  // namespace
}  // namespace waymark
