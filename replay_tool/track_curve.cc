// Cubic Hermite interpolation in earth-centred coordinates: for knots P0, P1 with velocities V0, V1
// and h seconds between them,
//   P(u) = (2u^3-3u^2+1) P0 + (u^3-2u^2+u) h V0 + (-2u^3+3u^2) P1 + (u^3-u^2) h V1,  u in [0, 1].
#include "replay_tool/track_curve.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace waymark::replay {
namespace {

// Below this a phone reports a course that means nothing (reference estimation.md, section E).
constexpr double kStandingMps = 0.3;

double Seconds(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms - from_ms) * 1e-3;
}

std::optional<Vec3> VelocityFromPoint(const TrackPoint& p, const SurfacePoint& here) {
  if (!p.speed_mps) return std::nullopt;
  if (*p.speed_mps < kStandingMps) return Vec3{};
  if (!p.course_deg) return std::nullopt;
  const double course = *p.course_deg * std::numbers::pi / 180;
  return here.FromHorizontal({*p.speed_mps * std::sin(course), *p.speed_mps * std::cos(course)});
}

}  // namespace

std::vector<SurfacePoint> SurfaceOf(std::span<const TrackPoint> points) {
  std::vector<SurfacePoint> surface;
  surface.reserve(points.size());
  for (const TrackPoint& p : points) surface.emplace_back(p.position);
  return surface;
}

TrackCurve::TrackCurve(std::vector<TrackPoint> points, Interpolation interpolation,
                       std::vector<Span> gaps)
    : points_(std::move(points)), gaps_(std::move(gaps)), interpolation_(interpolation) {
  PutInOrder();
  surface_ = SurfaceOf(points_);
  std::sort(gaps_.begin(), gaps_.end(),
            [](const Span& a, const Span& b) { return a.begin_ms < b.begin_ms; });
  if (interpolation_ != Interpolation::kHermite) return;
  velocity_.reserve(points_.size());
  for (std::size_t i = 0; i < points_.size(); ++i) {
    velocity_.push_back(VelocityFromPoint(points_[i], surface_[i]));
  }
}

TrackCurve::TrackCurve(std::vector<TrackPoint> points, std::vector<SurfacePoint> surface)
    : points_(std::move(points)),
      surface_(std::move(surface)),
      interpolation_(Interpolation::kLinear) {
  if (PutInOrder()) surface_ = SurfaceOf(points_);
}

bool TrackCurve::PutInOrder() {
  const auto earlier = [](const TrackPoint& a, const TrackPoint& b) { return a.utc_ms < b.utc_ms; };
  const bool sorted = std::is_sorted(points_.begin(), points_.end(), earlier);
  if (!sorted) std::stable_sort(points_.begin(), points_.end(), earlier);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (i + 1 < points_.size() && points_[i + 1].utc_ms == points_[i].utc_ms) continue;
    if (kept != i) points_[kept] = points_[i];
    ++kept;
  }
  const bool all_kept = kept == points_.size();
  points_.resize(kept);
  return !sorted || !all_kept;
}

bool TrackCurve::InGap(std::int64_t utc_ms) const {
  const auto after =
      std::upper_bound(gaps_.begin(), gaps_.end(), utc_ms,
                       [](std::int64_t t, const Span& gap) { return t <= gap.begin_ms; });
  return after != gaps_.begin() && utc_ms < std::prev(after)->end_ms;
}

std::size_t TrackCurve::Find(std::int64_t utc_ms) const {
  std::size_t i = std::min(last_, points_.size() - 2);
  for (int step = 0; step < 16; ++step) {
    if (points_[i].utc_ms > utc_ms) {
      if (i == 0) break;
      --i;
    } else if (points_[i + 1].utc_ms < utc_ms) {
      if (i + 2 >= points_.size()) break;
      ++i;
    } else {
      return last_ = i;
    }
  }
  const auto after =
      std::upper_bound(points_.begin(), points_.end(), utc_ms,
                       [](std::int64_t t, const TrackPoint& p) { return t < p.utc_ms; });
  const auto k = static_cast<std::size_t>(after - points_.begin());
  return last_ = std::clamp<std::size_t>(k, 1, points_.size() - 1) - 1;
}

Vec3 TrackCurve::VelocityOf(std::size_t i, Vec3 fallback) const {
  return velocity_[i] ? *velocity_[i] : fallback;
}

Vec3 TrackCurve::PositionAt(std::size_t i, double u) const {
  const Vec3 a = surface_[i].position, b = surface_[i + 1].position;
  if (interpolation_ == Interpolation::kHold) return u < 1 ? a : b;
  if (interpolation_ == Interpolation::kLinear) return a + u * (b - a);
  const double h = Seconds(points_[i].utc_ms, points_[i + 1].utc_ms);
  const Vec3 mean = (1 / h) * (b - a);
  const double u2 = u * u, u3 = u2 * u;
  return (2 * u3 - 3 * u2 + 1) * a + ((u3 - 2 * u2 + u) * h) * VelocityOf(i, mean) +
         (-2 * u3 + 3 * u2) * b + ((u3 - u2) * h) * VelocityOf(i + 1, mean);
}

std::optional<TrackPoint> TrackCurve::At(std::int64_t utc_ms) const {
  if (points_.empty() || utc_ms < points_.front().utc_ms || utc_ms > points_.back().utc_ms) {
    return std::nullopt;
  }
  if (InGap(utc_ms)) return std::nullopt;
  if (points_.size() == 1) return points_.front();
  const std::size_t i = Find(utc_ms);
  if (utc_ms == points_[i].utc_ms) return points_[i];
  if (utc_ms == points_[i + 1].utc_ms) return points_[i + 1];
  TrackPoint p;
  p.utc_ms = utc_ms;
  const double u =
      Seconds(points_[i].utc_ms, utc_ms) / Seconds(points_[i].utc_ms, points_[i + 1].utc_ms);
  if (interpolation_ == Interpolation::kHold) {
    p = points_[i];
    p.utc_ms = utc_ms;
    return p;
  }
  p.position = FromEcef(PositionAt(i, u));
  return p;
}

std::optional<Vec3> TrackCurve::EcefAt(std::int64_t utc_ms) const {
  if (points_.size() < 2 || utc_ms < points_.front().utc_ms || utc_ms > points_.back().utc_ms ||
      InGap(utc_ms)) {
    return std::nullopt;
  }
  const std::size_t i = Find(utc_ms);
  return PositionAt(
      i, Seconds(points_[i].utc_ms, utc_ms) / Seconds(points_[i].utc_ms, points_[i + 1].utc_ms));
}

double TrackCurve::PieceLengthM(std::size_t i, double u0, double u1) const {
  if (interpolation_ != Interpolation::kHermite) {
    return (u1 - u0) * Norm(surface_[i + 1].position - surface_[i].position);
  }
  constexpr int kChords = 16;  // 1 - sinc(90 deg / 16 / 2) = 4e-4 of a right-angled turn
  double length = 0;
  Vec3 previous = PositionAt(i, u0);
  for (int k = 1; k <= kChords; ++k) {
    const Vec3 next = PositionAt(i, u0 + (u1 - u0) * k / kChords);
    length += Norm(next - previous);
    previous = next;
  }
  return length;
}

double TrackCurve::LengthM() const {
  if (points_.size() < 2) return 0;
  return LengthBetweenM(points_.front().utc_ms, points_.back().utc_ms);
}

double TrackCurve::LengthBetweenM(std::int64_t from_ms, std::int64_t to_ms) const {
  if (points_.size() < 2) return 0;
  from_ms = std::max(from_ms, points_.front().utc_ms);
  to_ms = std::min(to_ms, points_.back().utc_ms);
  if (from_ms >= to_ms) return 0;
  double length = 0;
  for (std::size_t i = Find(from_ms); i + 1 < points_.size() && points_[i].utc_ms < to_ms; ++i) {
    const double h = Seconds(points_[i].utc_ms, points_[i + 1].utc_ms);
    const double u0 = std::max(0.0, Seconds(points_[i].utc_ms, from_ms) / h);
    const double u1 = std::min(1.0, Seconds(points_[i].utc_ms, to_ms) / h);
    if (u1 > u0) length += PieceLengthM(i, u0, u1);
  }
  return length;
}

}  // namespace waymark::replay
