// The shared-covariance filter against a dense six-state Eigen filter, and its statistics.
#include "filters/axis_filter.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>

#include "filters/axis_smoother.h"
#include "support/dense_axis.h"
#include "support/simulated_drive.h"

namespace waymark {
namespace {

using test::Dense;
using test::FromAxis;
using test::Mat6;
using test::Vec6;

Mat6 Transition(double dt, double phi) {
  Mat6 f = Mat6::Identity();
  f(0, 2) = f(1, 3) = dt;
  f(4, 4) = f(5, 5) = phi;
  return f;
}

Mat6 ProcessNoise(double dt, double q, double gm_q) {
  Mat6 n = Mat6::Zero();
  for (int a = 0; a < 2; ++a) {
    n(a, a) = q * dt * dt * dt / 3;
    n(a, 2 + a) = n(2 + a, a) = q * dt * dt / 2;
    n(2 + a, 2 + a) = q * dt;
    n(4 + a, 4 + a) = gm_q;
  }
  return n;
}

void Update(Dense& d, const Eigen::MatrixXd& h, const Eigen::Vector2d& z, double r) {
  const Eigen::Matrix2d s = h * d.p * h.transpose() + r * Eigen::Matrix2d::Identity();
  const Eigen::MatrixXd k = d.p * h.transpose() * s.inverse();
  d.x += k * (z - h * d.x);
  const Mat6 a = Mat6::Identity() - k * h;
  d.p = a * d.p * a.transpose() + r * k * k.transpose();
}

void ExpectSame(const AxisState& s, const Dense& d, double tolerance) {
  const Dense e = FromAxis(s);
  EXPECT_LT((e.x - d.x).cwiseAbs().maxCoeff(), tolerance * (1 + d.x.cwiseAbs().maxCoeff()));
  EXPECT_LT((e.p - d.p).cwiseAbs().maxCoeff(), tolerance * (1 + d.p.cwiseAbs().maxCoeff()));
}

AxisState Begin() {
  AxisState s;
  s.p = {3, -2};
  s.v = {1, 0.5};
  s.cov = {25, 0, -9, 4, 0, 9};
  return s;
}

// Pairs of numbers are worked on at once: to the last bit as one by one.
TEST(AxisArithmetic, IsThatOfEachNumberByItself) {
  const AxisCov a{1.1, 0.3, 1e-17, 7.0 / 3, -0.2, 1e9}, b{3.3, -1e-3, 5, 1e-9, 0.7, 1.0 / 7};
  const double k = 0.1;
  const AxisCov sum = a + b, product = k * a;
  for (double AxisCov::*m :
       {&AxisCov::pp, &AxisCov::pv, &AxisCov::pb, &AxisCov::vv, &AxisCov::vb, &AxisCov::bb}) {
    EXPECT_EQ(sum.*m, a.*m + b.*m);
    EXPECT_EQ(product.*m, k * a.*m);
  }
  const Vec2 u{1.1, -1e17}, w{0.7, 1.0 / 3};
  for (double Vec2::*m : {&Vec2::e, &Vec2::n}) {
    EXPECT_EQ((u + w).*m, u.*m + w.*m);
    EXPECT_EQ((u - w).*m, u.*m - w.*m);
    EXPECT_EQ((k * u).*m, k * u.*m);
  }
}

TEST(AxisFilter, AgreesWithADenseFilter) {
  test::Random r(7);
  AxisState s = Begin();
  Dense d = FromAxis(s);
  Eigen::MatrixXd hp = Eigen::MatrixXd::Zero(2, 6), hv = hp, hf = hp;
  hp(0, 0) = hp(1, 1) = hp(0, 4) = hp(1, 5) = 1;
  hf(0, 0) = hf(1, 1) = 1;
  hv(0, 2) = hv(1, 3) = 1;
  for (int i = 0; i < 2000; ++i) {
    const double dt = r.Uniform(0.01, 5), q = r.Uniform(0, 4);
    const GmStep gm = StepGm({1, 9, r.Uniform(2, 80)}, dt);
    PredictMoving(s, dt, q, gm.phi, gm.q_m2);
    const Mat6 f = Transition(dt, gm.phi);
    d.x = f * d.x;
    d.p = f * d.p * f.transpose() + ProcessNoise(dt, q, gm.q_m2);
    const Vec2 z{s.p.e + 5 * r.Normal(), s.p.n + 5 * r.Normal()};
    const double rp = r.Uniform(0.1, 100), rv = r.Uniform(0.01, 1);
    if (i % 3 == 0) {
      UpdateForeignPosition(s, z, rp);
      Update(d, hf, {z.e, z.n}, rp);
    } else {
      UpdatePosition(s, z, rp);
      Update(d, hp, {z.e, z.n}, rp);
    }
    if (i % 2 == 0) {
      const Vec2 v{r.Normal(), r.Normal()};
      UpdateVelocity(s, v, rv);
      Update(d, hv, {v.e, v.n}, rv);
    }
    ExpectSame(s, d, 1e-9);
    if (HasFailure()) FAIL() << "step " << i;
  }
}

TEST(AxisFilter, TheTransitionIsTheDerivativeOfThePrediction) {
  const double dt = 1.7, phi = 0.9, h = 1e-5;
  const Mat6 f = Transition(dt, phi);
  for (int k = 0; k < 6; ++k) {
    const auto predict = [&](double step) {
      AxisState s = Begin();
      double* x[] = {&s.p.e, &s.p.n, &s.v.e, &s.v.n, &s.b.e, &s.b.n};
      *x[k] += step;
      PredictMoving(s, dt, 1, phi, 1);
      return FromAxis(s).x;
    };
    const Vec6 column = (predict(h) - predict(-h)) / (2 * h);
    EXPECT_LT((column - f.col(k)).cwiseAbs().maxCoeff(), 1e-8) << "column " << k;
  }
}

TEST(AxisFilter, TheBackwardStepAgreesWithADenseSmoother) {
  test::Random r(11);
  for (int i = 0; i < 500; ++i) {
    AxisState a = Begin();
    a.p = {r.Normal(), r.Normal()};
    UpdatePosition(a, {10 * r.Normal(), 3}, r.Uniform(1, 20));
    const double dt = r.Uniform(0.5, 30), q = r.Uniform(0.1, 4);
    const GmStep gm = StepGm({1, 9, 60}, dt);
    AxisState b = a;
    PredictMoving(b, dt, q, gm.phi, gm.q_m2);
    UpdatePosition(b, {b.p.e + 4, b.p.n - 2}, 6);
    UpdateVelocity(b, {1, 2}, 0.2);
    const AxisState s = SmoothBack(a, b, dt, q, gm.phi, gm.q_m2);

    const Dense da = FromAxis(a), db = FromAxis(b);
    const Mat6 f = Transition(dt, gm.phi);
    Mat6 pred = f * da.p * f.transpose() + ProcessNoise(dt, q, gm.q_m2);
    pred += 1e-9 * Mat6::Identity();
    const Mat6 g = da.p * f.transpose() * pred.inverse();
    Dense expected;
    expected.x = da.x + g * (db.x - f * da.x);
    expected.p = da.p + g * (db.p - pred) * g.transpose();
    ExpectSame(s, expected, 1e-9);
  }
}

// 1,000 runs whose noise is as modelled: the normalised errors have the chi-square mean.
TEST(AxisFilter, IsConsistentWhereItsModelHolds) {
  constexpr int kRuns = 1000, kSteps = 60;
  double nees = 0, nis = 0;
  test::Random r(20250101);
  for (int run = 0; run < kRuns; ++run) {
    const double q = 0.5, dt = 1, rp = 4, rv = 0.09;
    const NoiseModel noise{rp, 9, 20};
    const GmStep gm = StepGm(noise, dt);
    double p = 0, v = 3 * r.Normal(), b = 3 * r.Normal();
    AxisState s;
    s.cov = {1e-6, 0, 0, 9, 0, 9};
    for (int i = 0; i < kSteps; ++i) {
      // One axis is enough: the other is the same filter. White acceleration over dt, exactly.
      const double a = r.Normal(), c = r.Normal();
      p += v * dt + std::sqrt(q * dt * dt * dt) * (a / 2 + c / std::sqrt(12.0));
      v += std::sqrt(q * dt) * a;
      b = gm.phi * b + std::sqrt(gm.q_m2) * r.Normal();
      PredictMoving(s, dt, q, gm.phi, gm.q_m2);
      const double z = p + b + std::sqrt(rp) * r.Normal();
      const double y = z - s.p.e - s.b.e;
      nis += y * y / PositionInnovationVar(s, rp);
      UpdatePosition(s, {z, 0}, rp);
      UpdateVelocity(s, {v + std::sqrt(rv) * r.Normal(), 0}, rv);
    }
    Eigen::Matrix3d c;
    c << s.cov.pp, s.cov.pv, s.cov.pb, s.cov.pv, s.cov.vv, s.cov.vb, s.cov.pb, s.cov.vb, s.cov.bb;
    const Eigen::Vector3d e(p - s.p.e, v - s.v.e, b - s.b.e);
    nees += e.dot(c.ldlt().solve(e));
  }
  // Chi-square with 3 * 1000 degrees of freedom: 3 +- 2.58 * sqrt(6 / 1000) at 99 %.
  EXPECT_NEAR(nees / kRuns, 3, 2.58 * std::sqrt(6.0 / kRuns));
  // Innovations are independent: 60,000 degrees of freedom.
  EXPECT_NEAR(nis / (kRuns * kSteps), 1, 2.58 * std::sqrt(2.0 / (kRuns * kSteps)));
}

// Far beyond what the intake lets through: what is lost to rounding is never a sign.
TEST(AxisFilter, VariancesStayPositiveWhateverAnUpdateTakesAway) {
  test::Random r(3);
  for (int i = 0; i < 1000; ++i) {
    AxisState s;
    const double p_m = std::pow(10, r.Uniform(5, 9)), v_mps = std::pow(10, r.Uniform(3, 7));
    s.cov = AxisCov::Outer(p_m, v_mps, i % 2 == 0 ? p_m : 0) + AxisCov{1, 0, 0, 1, 0, 1};
    const double r_m2 = std::pow(10, r.Uniform(-9, -3));
    switch (i % 3) {
      case 0:
        UpdatePosition(s, {1, 1}, r_m2);
        break;
      case 1:
        UpdateForeignPosition(s, {1, 1}, r_m2);
        break;
      default:
        UpdateVelocity(s, {1, 1}, r_m2);
    }
    ASSERT_GT(s.cov.pp, 0) << i;
    ASSERT_GT(s.cov.vv, 0) << i;
    ASSERT_GE(s.cov.bb, 0) << i;
  }
}

TEST(AxisFilter, ExpNegativeIsTheExponential) {
  for (double x = 0; x < 30; x = x * 1.01 + 1e-5) {
    EXPECT_NEAR(ExpNegative(x), std::exp(-x), 1e-14) << x;
  }
}

TEST(AxisFilter, HeadingIsTheUnitVectorOfACourse) {
  for (double deg = -720; deg < 1080; deg += 0.37) {
    const Vec2 h = Heading(deg);
    EXPECT_NEAR(h.e, std::sin(deg * std::numbers::pi / 180), 1e-13) << deg;
    EXPECT_NEAR(h.n, std::cos(deg * std::numbers::pi / 180), 1e-13) << deg;
  }
}

}  // namespace
}  // namespace waymark
