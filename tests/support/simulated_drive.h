// A seeded drive with known truth and errors of a chosen kind, for the tests of the filter.
#ifndef WAYMARK_TESTS_SUPPORT_SIMULATED_DRIVE_H_
#define WAYMARK_TESTS_SUPPORT_SIMULATED_DRIVE_H_

#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "waymark/fix.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"

namespace waymark::test {

/// SplitMix64 (Steele et al., OOPSLA 2014): the same numbers on every platform.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  double Uniform(double a = 0, double b = 1) {
    return a + (b - a) * static_cast<double>(Bits() >> 11) * 0x1.0p-53;
  }
  double Normal() {
    const double u = std::sqrt(-2 * std::log(1 - Uniform()));
    return u * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  std::uint64_t state_;
};

struct DriveOptions {
  LatLon start{48.1, 11.5};
  std::size_t seconds = 600;
  double white_m = 0.2, gm_m = 1.0, gm_tau_s = 60;
  double velocity_sigma_mps = 0.1;
  double accuracy_m = 4;  ///< reported; 0: none
  bool velocity = true;
  double max_speed_mps = 15;
  double turn_sigma_rad = 0.02;  ///< how much the turning rate changes each second
  std::uint64_t seed = 1;
};

struct Drive {
  std::vector<DeliveredFix> fixes;
  std::vector<LatLon> truth;  ///< at the fixes
};

inline MonoTime TimeOf(std::size_t second) { return MonoTime(std::chrono::seconds(1000 + second)); }

inline DeliveredFix Deliver(Fix f) {
  const auto since =
      std::chrono::duration_cast<std::chrono::milliseconds>(f.time.time_since_epoch());
  f.utc = UtcTime(std::chrono::seconds(1'700'000'000) + since);
  return {f, {f.time + std::chrono::milliseconds(50), *f.utc + std::chrono::milliseconds(50)}};
}

inline Drive Simulate(const DriveOptions& o) {
  Random r(o.seed);
  Drive d;
  LocalFrame frame(o.start);
  double east = 0, north = 0, heading = r.Uniform(0, 6.28), turn = 0, speed = 0.5 * o.max_speed_mps;
  double be = o.gm_m * r.Normal(), bn = o.gm_m * r.Normal();
  const double phi = std::exp(-1 / o.gm_tau_s), q = o.gm_m * std::sqrt(1 - phi * phi);
  for (std::size_t t = 0; t < o.seconds; ++t) {
    if (t > 0) {
      turn = 0.9 * turn + o.turn_sigma_rad * r.Normal();
      speed = std::min(o.max_speed_mps, std::max(0.0, speed + 0.5 * r.Normal()));
      // Position by the mean of both headings, so that the velocity is that of the path.
      const double middle = heading + turn / 2;
      heading += turn;
      east += speed * std::sin(middle);
      north += speed * std::cos(middle);
      be = phi * be + q * r.Normal();
      bn = phi * bn + q * r.Normal();
    }
    if (std::hypot(east, north) > 10e3) {
      const LatLon here = frame.FromLocal({east, north});
      heading -= frame.ConvergenceRad(here);
      frame = LocalFrame(here);
      east = north = 0;
    }
    const LatLon truth = frame.FromLocal({east, north});
    d.truth.push_back(truth);
    Fix f;
    f.time = TimeOf(t);
    f.position =
        frame.FromLocal({east + be + o.white_m * r.Normal(), north + bn + o.white_m * r.Normal()});
    if (o.accuracy_m > 0) f.horizontal_accuracy_m = o.accuracy_m;
    if (o.velocity) {
      const double gamma = frame.ConvergenceRad(truth);
      const double ve = speed * std::sin(heading) + o.velocity_sigma_mps * r.Normal();
      const double vn = speed * std::cos(heading) + o.velocity_sigma_mps * r.Normal();
      f.speed_mps = std::hypot(ve, vn);
      const double course = (std::atan2(ve, vn) - gamma) * 180 / std::numbers::pi;
      f.course_deg = std::fmod(course + 720, 360.0);
    }
    f.source = FixSource::kGnss;
    d.fixes.push_back(Deliver(f));
  }
  return d;
}

/// A position moved by metres.
inline LatLon Moved(LatLon p, double east_m, double north_m) {
  return LocalFrame(p).FromLocal({east_m, north_m});
}

}  // namespace waymark::test

#endif  // WAYMARK_TESTS_SUPPORT_SIMULATED_DRIVE_H_
