// Elementary functions from +, -, *, / and sqrt alone. IEEE 754 rounds those alike everywhere,
// while the last bit of a C library's sin or log depends on the library: a seeded scenario must
// have the same bytes on every machine. Errors stay below 4 ulp, which is nobody's concern here.
#ifndef WAYMARK_REPLAY_TOOL_PORTABLE_MATH_H_
#define WAYMARK_REPLAY_TOOL_PORTABLE_MATH_H_

namespace waymark::replay {

/// Natural logarithm; x must be positive, finite and normal.
double PortableLog(double x);
/// |x| must be below 700.
double PortableExp(double x);
/// |x| must be below 1e6 radians.
double PortableSin(double x);
double PortableCos(double x);
/// In (-pi, pi]; (0, 0) gives 0.
double PortableAtan2(double y, double x);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_PORTABLE_MATH_H_
