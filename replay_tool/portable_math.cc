// Argument reduction to a small interval, then the Taylor or Gregory series to below 2^-53.
// Reference: Muller, Elementary Functions (2016), chapters 5 and 11. The two-part constants
// (high, low) keep the reduction exact, as in Cody and Waite (1980).
#include "replay_tool/portable_math.h"

#include <cmath>
#include <cstdint>

namespace waymark::replay {
namespace {

constexpr double kPi = 3.14159265358979323846;
// pi/2 = kHalfPiHigh + kHalfPiLow; the low 21 bits of the first are zero, so that a product with
// an integer below 2^20 is exact.
constexpr double kHalfPiHigh = 1.57079632673412561417e+00;
constexpr double kHalfPiLow = 6.07710050650619224932e-11;
// ln 2 split the same way.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kSqrtHalf = 0.70710678118654752440;

// |r| <= pi/4.
double SinSeries(double r) {
  const double r2 = r * r;
  double term = r, sum = r;
  for (int n = 2; n <= 18; n += 2) {
    term *= -r2 / (n * (n + 1));
    sum += term;
  }
  return sum;
}

double CosSeries(double r) {
  const double r2 = r * r;
  double term = 1, sum = 1;
  for (int n = 1; n <= 19; n += 2) {
    term *= -r2 / (n * (n + 1));
    sum += term;
  }
  return sum;
}

// floor(x + 0.5) without the rounding mode.
double NearestInteger(double x) { return std::floor(x + 0.5); }

}  // namespace

double PortableLog(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // exact
  if (m < kSqrtHalf) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);  // |s| <= 0.172
  const double s2 = s * s;
  double power = s, sum = 0;
  for (int n = 1; n <= 21; n += 2) {
    sum += power / n;
    power *= s2;
  }
  return exponent * kLn2High + (exponent * kLn2Low + 2 * sum);
}

double PortableExp(double x) {
  const double k = NearestInteger(x / (kLn2High + kLn2Low));
  const double r = (x - k * kLn2High) - k * kLn2Low;  // |r| <= 0.35
  double term = 1, sum = 1;
  for (int n = 1; n <= 15; ++n) {
    term *= r / n;
    sum += term;
  }
  return std::ldexp(sum, static_cast<int>(k));  // exact
}

double PortableSin(double x) {
  const double k = NearestInteger(x / (kHalfPiHigh + kHalfPiLow));
  const double r = (x - k * kHalfPiHigh) - k * kHalfPiLow;
  switch (static_cast<std::int64_t>(k) & 3) {
    case 0:
      return SinSeries(r);
    case 1:
      return CosSeries(r);
    case 2:
      return -SinSeries(r);
    default:
      return -CosSeries(r);
  }
}

double PortableCos(double x) {
  const double k = NearestInteger(x / (kHalfPiHigh + kHalfPiLow));
  const double r = (x - k * kHalfPiHigh) - k * kHalfPiLow;
  switch (static_cast<std::int64_t>(k) & 3) {
    case 0:
      return CosSeries(r);
    case 1:
      return -SinSeries(r);
    case 2:
      return -CosSeries(r);
    default:
      return SinSeries(r);
  }
}

double PortableAtan2(double y, double x) {
  const double ax = std::fabs(x), ay = std::fabs(y);
  if (ax == 0 && ay == 0) return 0;
  // atan of t in [0, 1], after two halvings of the angle: t -> t / (1 + sqrt(1 + t^2)).
  const bool steep = ay > ax;
  double t = steep ? ax / ay : ay / ax;
  t /= 1 + std::sqrt(1 + t * t);
  t /= 1 + std::sqrt(1 + t * t);  // |t| <= 0.199
  const double t2 = t * t;
  double power = t, sum = 0;
  for (int n = 1; n <= 25; n += 2) {
    sum += (n & 2) ? -power / n : power / n;
    power *= t2;
  }
  double angle = 4 * sum;
  if (steep) angle = kPi / 2 - angle;
  if (x < 0) angle = kPi - angle;
  return y < 0 ? -angle : angle;
}

}  // namespace waymark::replay
