// P(inside) = P(0 <= s_b - X <= T) with X ~ N(0, n'Cn): X along n, the direction to the nearest
// boundary point, s_b the boundary's coordinate on that line and T the shape's extent behind it.
// A circle smaller than a few sigma is integrated over its chords instead (Gauss-Legendre).
#include "sdk/geofence/fence_shape.h"

#include <algorithm>
#include <array>

namespace waymark::geofence {
namespace {

struct Node {
  double x, w;
};
// Gauss-Legendre, 12 points on [-1, 1], positive half (Abramowitz and Stegun 25.4).
constexpr std::array<Node, 6> kGauss{{{0.125233408511469, 0.249147045813403},
                                      {0.367831498998180, 0.233492536538355},
                                      {0.587317954286617, 0.203167426723066},
                                      {0.769902674194305, 0.160078328543346},
                                      {0.904117256370475, 0.106939325995318},
                                      {0.981560634246719, 0.047175336386512}}};

// P(|X - m| < r) for a 2-d normal X with standard deviations along and across the direction to the
// centre, neglecting the correlation of the two.
double InsideSmallCircle(double to_centre_m, double radius_m, double sigma_along,
                         double sigma_across) {
  const double lo = std::max(-radius_m, to_centre_m - 8 * sigma_along) - to_centre_m;
  const double hi = std::min(radius_m, to_centre_m + 8 * sigma_along) - to_centre_m;
  if (hi <= lo) return 0;
  double sum = 0;
  const auto slice = [&](double x) {
    const double off = x + to_centre_m;
    const double half = std::sqrt(std::max(0.0, radius_m * radius_m - off * off));
    const double lateral = 2 * NormalCdf(half / sigma_across) - 1;
    const double z = x / sigma_along;
    return lateral * std::exp(-z * z / 2) / (sigma_along * std::sqrt(2 * std::numbers::pi));
  };
  const double mid = (lo + hi) / 2, half = (hi - lo) / 2;
  for (const Node& node : kGauss) {
    sum += node.w * (slice(mid - half * node.x) + slice(mid + half * node.x));
  }
  return std::clamp(sum * half, 0.0, 1.0);
}

}  // namespace

double NormalCdf(double x) { return 0.5 * std::erfc(-x * std::numbers::sqrt2 / 2); }

BoundaryDistance FenceShapeView::Distance(const SurfacePoint& p, double cap_m) const {
  if (traced_ != nullptr) return traced_->Distance(p, cap_m);
  const Vec3 v = centre_->ecef - p.ecef;
  const double chord = Norm(v);
  BoundaryDistance out;
  if (chord <= kSeriesChordM) {
    out.distance_m = ArcOfChordM(chord) - radius_m_;
  } else {
    // An arc exceeds its chord by less than a 1/24 (chord / b)^2 part of the next order and a
    // half: only near the boundary Karney's solution is worth its price.
    const double q = chord / kMeanRadiusM;
    const double rough = 2 * kMeanRadiusM * std::asin(std::min(1.0, q / 2)) - radius_m_;
    const double slack = 0.006 * chord;  // the radius of curvature varies by 0.35 % about the mean
    out.distance_m = std::fabs(rough) > cap_m + slack
                         ? (rough > 0 ? rough - slack : rough + slack)
                         : DistanceM(p.position, centre_->position) - radius_m_;
  }
  const double east = Dot(v, p.East()), north = Dot(v, p.North());
  const double size = std::sqrt(east * east + north * north);
  if (size > 1e-9) {
    const double scale = (out.distance_m > 0 ? 1 : -1) / size;
    out.east = scale * east;
    out.north = scale * north;
  }
  return out;
}

// How far the inside reaches along the line through p and its nearest boundary point, from there
// inwards: sphere tracing with the distance itself as the step.
double FenceShapeView::ThicknessM(const SurfacePoint& p, const BoundaryDistance& at,
                                  double enough_m) const {
  const double inward = at.distance_m > 0 ? 1 : -1;  // `at` points to the boundary
  const double azimuth_deg = std::atan2(inward * at.east, inward * at.north) / kRadPerDeg;
  const double from_boundary = at.distance_m > 0 ? at.distance_m : 0;
  double s = at.distance_m > 0 ? at.distance_m + 0.02 : 0;  // distance from p along the line
  for (int i = 0; i < 24 && s - from_boundary < enough_m; ++i) {
    const SurfacePoint q(Destination(p.position, azimuth_deg, s));
    const double d = traced_->Distance(q, enough_m + 1).distance_m;
    if (d > -0.01) break;
    s += std::max(-d, 0.02);
  }
  return s - from_boundary + (at.distance_m < 0 ? -at.distance_m : 0);
}

double FenceShapeView::ProbabilityInside(const SurfacePoint& p, const BoundaryDistance& at,
                                         const PositionCovariance& cov) const {
  const double d = at.distance_m;
  double east = at.east, north = at.north;
  if (east == 0 && north == 0) {  // on the boundary, or at the centre: the widest direction
    const double angle = 0.5 * std::atan2(2 * cov.en, cov.ee - cov.nn);
    east = std::cos(angle);
    north = std::sin(angle);
  }
  const double sigma = std::sqrt(cov.Along(east, north));
  if (sigma <= 0) return d < 0 ? 1 : 0;
  if (d > kSureSigmas * sigma) return 0;
  if (traced_ == nullptr) {
    const double across = std::sqrt(std::max(cov.Along(-north, east), 1e-12));
    if (radius_m_ < kSureSigmas * std::max(sigma, across)) {
      return InsideSmallCircle(d + radius_m_, radius_m_, sigma, across);
    }
    return NormalCdf(-d / sigma);
  }
  if (d < -kSureSigmas * sigma) return 1;
  const double near = NormalCdf(-d / sigma);
  const double thickness = ThicknessM(p, at, 2 * kSureSigmas * sigma);
  return std::max(0.0, near - NormalCdf((-d - thickness) / sigma));
}

}  // namespace waymark::geofence
