// One backward step of the Rauch-Tung-Striebel smoother for the shared-covariance filter of
// axis_filter.h (Rauch, Tung, Striebel, AIAA Journal 3(8), 1965):
//   G = P F' Pp^-1,   xs = x + G (xs+ - F x),   Ps = P + G (Ps+ - Pp) G'.
#ifndef WAYMARK_FILTERS_AXIS_SMOOTHER_H_
#define WAYMARK_FILTERS_AXIS_SMOOTHER_H_

#include "filters/axis_filter.h"

namespace waymark {

/// The inverse of a symmetric positive definite 3x3 matrix, by its adjugate.
inline AxisCov Invert(const AxisCov& c) {
  const double ipp = c.vv * c.bb - c.vb * c.vb;
  const double ipv = c.pb * c.vb - c.pv * c.bb;
  const double ipb = c.pv * c.vb - c.pb * c.vv;
  const double det = c.pp * ipp + c.pv * ipv + c.pb * ipb;
  const double inv = 1 / det;
  return {ipp * inv,
          ipv * inv,
          ipb * inv,
          (c.pp * c.bb - c.pb * c.pb) * inv,
          (c.pb * c.pv - c.pp * c.vb) * inv,
          (c.pp * c.vv - c.pv * c.pv) * inv};
}

/// What one step back needs and no later fix changes: the prediction and the gain.
struct StepBack {
  AxisState pred;
  double g[3][3];
};

/// `filtered` is the state at a knot; the next one follows `dt_s` later; q, phi and gm_q_m2 are
/// those of PredictMoving between them.
inline StepBack PrepareBack(const AxisState& filtered, double dt_s, double q, double phi,
                            double gm_q_m2) {
  StepBack step;
  AxisState& pred = step.pred = filtered;
  PredictMoving(pred, dt_s, q, phi, gm_q_m2);
  // Floors far below any real variance keep the inverse finite (dt = 0 has no process noise).
  pred.cov.pp += 1e-9;
  pred.cov.vv += 1e-9;
  pred.cov.bb += 1e-9;
  const AxisCov& c = filtered.cov;
  const AxisCov i = Invert(pred.cov);
  // A = P F': rows p, v, b; columns p, v, b of the prediction.
  const double a[3][3] = {{c.pp + dt_s * c.pv, c.pv, phi * c.pb},
                          {c.pv + dt_s * c.vv, c.vv, phi * c.vb},
                          {c.pb + dt_s * c.vb, c.vb, phi * c.bb}};
  const double m[3][3] = {{i.pp, i.pv, i.pb}, {i.pv, i.vv, i.vb}, {i.pb, i.vb, i.bb}};
  for (int r = 0; r < 3; ++r) {
    for (int k = 0; k < 3; ++k) {
      step.g[r][k] = a[r][0] * m[0][k] + a[r][1] * m[1][k] + a[r][2] * m[2][k];
    }
  }
  return step;
}

/// `next` is the smoothed state at the following knot (same frame).
inline AxisState SmoothBack(const AxisState& filtered, const StepBack& step,
                            const AxisState& next) {
  const AxisState& pred = step.pred;
  const auto& g = step.g;
  const Vec2 dp = next.p - pred.p, dv = next.v - pred.v, db = next.b - pred.b;
  AxisState s = filtered;
  s.p = s.p + g[0][0] * dp + g[0][1] * dv + g[0][2] * db;
  s.v = s.v + g[1][0] * dp + g[1][1] * dv + g[1][2] * db;
  s.b = s.b + g[2][0] * dp + g[2][1] * dv + g[2][2] * db;
  const AxisCov d{next.cov.pp - pred.cov.pp, next.cov.pv - pred.cov.pv, next.cov.pb - pred.cov.pb,
                  next.cov.vv - pred.cov.vv, next.cov.vb - pred.cov.vb, next.cov.bb - pred.cov.bb};
  const double dm[3][3] = {{d.pp, d.pv, d.pb}, {d.pv, d.vv, d.vb}, {d.pb, d.vb, d.bb}};
  double h[3][3];  // G D
  for (int r = 0; r < 3; ++r) {
    for (int k = 0; k < 3; ++k) {
      h[r][k] = g[r][0] * dm[0][k] + g[r][1] * dm[1][k] + g[r][2] * dm[2][k];
    }
  }
  const auto at = [&](int r, int k) {
    return h[r][0] * g[k][0] + h[r][1] * g[k][1] + h[r][2] * g[k][2];
  };
  s.cov.pp += at(0, 0);
  s.cov.pv += at(0, 1);
  s.cov.pb += at(0, 2);
  s.cov.vv += at(1, 1);
  s.cov.vb += at(1, 2);
  s.cov.bb += at(2, 2);
  KeepPositive(s.cov);
  return s;
}

inline AxisState SmoothBack(const AxisState& filtered, const AxisState& next, double dt_s, double q,
                            double phi, double gm_q_m2) {
  return SmoothBack(filtered, PrepareBack(filtered, dt_s, q, phi, gm_q_m2), next);
}

}  // namespace waymark

#endif  // WAYMARK_FILTERS_AXIS_SMOOTHER_H_
