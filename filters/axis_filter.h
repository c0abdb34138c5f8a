// One Kalman filter for both horizontal axes.
//
// Model. Per axis x = [p, v, b]: position, velocity and the slowly varying (Gauss-Markov) part of
// the position error. The process noise and every measurement noise are isotropic, so east and
// north share one 3x3 covariance exactly; only the means differ. (Brown & Hwang, Introduction to
// Random Signals and Applied Kalman Filtering, ch. 5 and 9; the shared covariance is the
// Kronecker form P (x) I2, invariant under isotropic predict and update.)
//   F: p += dt v           v' = v                 b' = phi b,  phi = exp(-dt / tau)
//   Q: q [dt^3/3, dt^2/2; dt^2/2, dt] on (p, v);  sigma_b^2 (1 - phi^2) on b
//   a stopped body: v' = e^(-dt/T) v, p += T (1 - e^(-dt/T)) v, position walk q dt
//   H: position z = p + b + w, R = sigma_w^2 / weight;  velocity z = v + w, R = sigma_v^2
// tests/unit/filters/axis_filter_test.cc holds it against a dense 6-state Eigen filter (1e-9).
#ifndef WAYMARK_FILTERS_AXIS_FILTER_H_
#define WAYMARK_FILTERS_AXIS_FILTER_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "filters/vec2.h"

namespace waymark {

constexpr double Square(double x) { return x * x; }

/// The covariance of [p, v, b], the same for both axes.
struct AxisCov {
  double pp = 0, pv = 0, pb = 0, vv = 0, vb = 0, bb = 0;
  friend AxisCov operator+(const AxisCov& a, const AxisCov& b) {
    return Of(a.first() + b.first(), a.second() + b.second(), a.third() + b.third());
  }
  friend AxisCov operator*(double s, const AxisCov& a) {
    return Of(Both(s) * a.first(), Both(s) * a.second(), Both(s) * a.third());
  }
  /// The product of [p, v, b] with itself.
  static AxisCov Outer(double p, double v, double b) {
    const Pair pv{p, v};
    return Of(Both(p) * pv, pv * Pair{b, v}, Pair{v, b} * Both(b));
  }

 private:
  Pair first() const { return Pair{pp, pv}; }
  Pair second() const { return Pair{pb, vv}; }
  Pair third() const { return Pair{vb, bb}; }
  static AxisCov Of(Pair x, Pair y, Pair z) { return {x[0], x[1], y[0], y[1], z[0], z[1]}; }
};

struct AxisState {
  Vec2 p, v, b;
  AxisCov cov;
};

/// How the error of a fix behaves: a white part and a Gauss-Markov part.
struct NoiseModel {
  double white_var_m2 = 1;
  double gm_var_m2 = 1;
  double gm_tau_s = 60;
};

/// exp(-x) for x >= 0, to the last bits: a rational function about the nearest power of two.
/// Faster than libm's, and the same on every platform.
inline double ExpNegative(double x) {
  if (!(x < 700)) return std::exp(-x);
  constexpr double kLog2E = 1.4426950408889634;
  constexpr double kLn2High = 0.693147180369123816490, kLn2Low = 1.90821492927058770002e-10;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): near a half either neighbour serves
  const int halvings = static_cast<int>(x * kLog2E + 0.5);
  const double r = (x - halvings * kLn2High) - halvings * kLn2Low;  // |r| < 0.35
  // Pade [5/5]: error r^11 / 1e10 at most.
  const double r2 = r * r;
  const double even = 30240 + r2 * (3360 + 30 * r2), odd = r * (15120 + r2 * (420 + r2));
  const auto scale = static_cast<std::uint64_t>(1023 - halvings) << 52;
  return std::bit_cast<double>(scale) * ((even - odd) / (even + odd));
}

/// One step of the Gauss-Markov error: b' = phi b + noise of the variance q.
struct GmStep {
  double phi = 1, q_m2 = 0;
};

inline GmStep StepGm(const NoiseModel& noise, double dt_s) {
  const double phi = ExpNegative(dt_s / noise.gm_tau_s);
  return {phi, noise.gm_var_m2 * (1 - phi * phi)};
}

/// Moving with white acceleration of the density q (m^2/s^3 per axis).
inline void PredictMoving(AxisState& s, double dt_s, double q, double phi, double gm_q_m2) {
  s.p = s.p + dt_s * s.v;
  s.b = phi * s.b;
  AxisCov& c = s.cov;
  const double dt2 = dt_s * dt_s;
  c.pp += dt_s * (2 * c.pv + dt_s * c.vv) + q * dt2 * dt_s / 3;
  c.pv += dt_s * c.vv + q * dt2 / 2;
  c.pb = phi * (c.pb + dt_s * c.vb);
  c.vv += q * dt_s;
  c.vb *= phi;
  c.bb = phi * phi * c.bb + gm_q_m2;
}

/// At rest: what velocity there is dies within `decay` = exp(-dt / T); the position walks.
inline void PredictStopped(AxisState& s, double dt_s, double time_constant_s, double decay,
                           double position_walk_m2ps, double velocity_var_m2ps2, double phi,
                           double gm_q_m2) {
  const double g = time_constant_s * (1 - decay);
  s.p = s.p + g * s.v;
  s.v = decay * s.v;
  s.b = phi * s.b;
  AxisCov& c = s.cov;
  c.pp += g * (2 * c.pv + g * c.vv) + position_walk_m2ps * dt_s;
  c.pv = decay * (c.pv + g * c.vv);
  c.pb = phi * (c.pb + g * c.vb);
  c.vv = decay * decay * c.vv + velocity_var_m2ps2 * (1 - decay * decay);
  c.vb *= phi * decay;
  c.bb = phi * phi * c.bb + gm_q_m2;
}

/// Variance per axis of a measured position before it is used.
inline double PositionInnovationVar(const AxisState& s, double r_m2) {
  return s.cov.pp + 2 * s.cov.pb + s.cov.bb + r_m2;
}

/// Where an update makes a variance 1e12 times smaller or more, rounding may push it below zero;
/// this keeps it a variance. Correlations are left alone: what the intake lets through leaves them
/// below 1 by far more than rounding (tests/property/filters/estimator_property_test.cc).
inline void KeepPositive(AxisCov& c) {
  constexpr double kFloor = 1e-12;
  c.pp = std::max(c.pp, kFloor);
  c.vv = std::max(c.vv, kFloor);
  c.bb = std::max(c.bb, 0.0);
}

/// What an update found: the innovation's variance per axis and its normalised square, both axes'.
struct Innovation {
  double var = 1, nis = 0;
};

inline Innovation UpdatePosition(AxisState& s, Vec2 z, double r_m2) {
  AxisCov& c = s.cov;
  const double hp = c.pp + c.pb, hv = c.pv + c.vb, hb = c.pb + c.bb;
  const double var = hp + hb + r_m2, inv = 1 / var;
  const Vec2 y = z - s.p - s.b;
  s.p = s.p + (hp * inv) * y;
  s.v = s.v + (hv * inv) * y;
  s.b = s.b + (hb * inv) * y;
  c.pp -= hp * hp * inv;
  c.pv -= hp * hv * inv;
  c.pb -= hp * hb * inv;
  c.vv -= hv * hv * inv;
  c.vb -= hv * hb * inv;
  c.bb -= hb * hb * inv;
  KeepPositive(c);
  return {var, inv * y.norm2()};
}

/// A position whose error has nothing to do with b: H = [1 0 0].
inline Innovation UpdateForeignPosition(AxisState& s, Vec2 z, double r_m2) {
  AxisCov& c = s.cov;
  const double hp = c.pp, hv = c.pv, hb = c.pb;
  const double var = hp + r_m2, inv = 1 / var;
  const Vec2 y = z - s.p;
  s.p = s.p + (hp * inv) * y;
  s.v = s.v + (hv * inv) * y;
  s.b = s.b + (hb * inv) * y;
  c.pp -= hp * hp * inv;
  c.pv -= hp * hv * inv;
  c.pb -= hp * hb * inv;
  c.vv -= hv * hv * inv;
  c.vb -= hv * hb * inv;
  c.bb -= hb * hb * inv;
  KeepPositive(c);
  return {var, inv * y.norm2()};
}

inline Innovation UpdateVelocity(AxisState& s, Vec2 z, double r_m2ps2) {
  AxisCov& c = s.cov;
  const double hp = c.pv, hv = c.vv, hb = c.vb;
  const double var = hv + r_m2ps2, inv = 1 / var;
  const Vec2 y = z - s.v;
  s.p = s.p + (hp * inv) * y;
  s.v = s.v + (hv * inv) * y;
  s.b = s.b + (hb * inv) * y;
  c.pp -= hp * hp * inv;
  c.pv -= hp * hv * inv;
  c.pb -= hp * hb * inv;
  c.vv -= hv * hv * inv;
  c.vb -= hv * hb * inv;
  c.bb -= hb * hb * inv;
  KeepPositive(c);
  return {var, inv * y.norm2()};
}

}  // namespace waymark

#endif  // WAYMARK_FILTERS_AXIS_FILTER_H_
