// A filter's axis state as the dense references of the tests have it: both axes, six states.
#ifndef WAYMARK_TESTS_SUPPORT_DENSE_AXIS_H_
#define WAYMARK_TESTS_SUPPORT_DENSE_AXIS_H_

#include <Eigen/Dense>

#include "filters/axis_filter.h"

namespace waymark::test {

using Vec6 = Eigen::Matrix<double, 6, 1>;
using Mat6 = Eigen::Matrix<double, 6, 6>;

/// State order: p east, p north, v east, v north, b east, b north.
struct Dense {
  Vec6 x = Vec6::Zero();
  Mat6 p = Mat6::Zero();
};

inline Dense FromAxis(const AxisState& s) {
  Dense d;
  d.x << s.p.e, s.p.n, s.v.e, s.v.n, s.b.e, s.b.n;
  Eigen::Matrix3d c;
  c << s.cov.pp, s.cov.pv, s.cov.pb, s.cov.pv, s.cov.vv, s.cov.vb, s.cov.pb, s.cov.vb, s.cov.bb;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      d.p(2 * i, 2 * j) = d.p(2 * i + 1, 2 * j + 1) = c(i, j);
    }
  }
  return d;
}

}  // namespace waymark::test

#endif  // WAYMARK_TESTS_SUPPORT_DENSE_AXIS_H_
