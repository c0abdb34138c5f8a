// Geofence workloads, the same on every machine: cities of 500 fences with dense centres, random
// queries in the cities, and paths at 1 Hz of a car that drives an hour in each city and on to the
// next, and of a walker who stays in one.
#ifndef TESTS_BENCH_GEOFENCE_WORLD_H_
#define TESTS_BENCH_GEOFENCE_WORLD_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "waymark/fix.h"

namespace waymark::bench {

inline constexpr double kEarthM = 6371008.8, kPi = 3.14159265358979323846, kRad = kPi / 180;
inline constexpr double kMPerDeg = kEarthM * kRad;

/// xoshiro256** seeded by splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& v : s_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      v = z ^ (z >> 31);
    }
  }
  std::uint64_t Next() {
    const std::uint64_t r = Rotate(s_[1] * 5, 7) * 9, t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = Rotate(s_[3], 45);
    return r;
  }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  double Uniform(double a, double b) { return a + (b - a) * Uniform(); }
  double Normal() {
    const double a = std::max(Uniform(), 1e-300), b = Uniform();
    return std::sqrt(-2 * std::log(a)) * std::cos(2 * kPi * b);
  }

 private:
  static std::uint64_t Rotate(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::uint64_t s_[4];
};

inline LatLon Offset(LatLon o, double east_m, double north_m) {
  return {o.lat_deg + north_m / kMPerDeg,
          o.lon_deg + east_m / (kMPerDeg * std::cos(o.lat_deg * kRad))};
}

struct CircleSpec {
  LatLon centre;
  double radius_m = 0;
};

struct World {
  std::vector<LatLon> cities;
  std::vector<CircleSpec> circles;
  std::vector<std::vector<LatLon>> polygons;  ///< open rings
};

inline World MakeWorld(std::size_t n, bool polygons) {
  Random r(42);
  World w;
  const std::size_t cities = std::max<std::size_t>(2, n / 500);
  for (std::size_t i = 0; i < cities; ++i) {
    const double lat = r.Uniform(40, 55);
    w.cities.push_back({lat, r.Uniform(-5, 20)});
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double spread = r.Uniform() < 0.6 ? 1500 : 5000;
    const double east = spread * r.Normal();
    const LatLon centre = Offset(w.cities[i % cities], east, spread * r.Normal());
    const double radius = 50 * std::pow(10.0, r.Uniform());
    if (!polygons) {
      w.circles.push_back({centre, radius});
      continue;
    }
    const int vertices = 10 + static_cast<int>(r.Uniform() * 191);
    const double phase = r.Uniform(0, 6.28), a1 = r.Uniform(0, 0.3), a2 = r.Uniform(0, 0.2);
    std::vector<LatLon> ring;
    for (int j = 0; j < vertices; ++j) {
      const double a = 2 * kPi * j / vertices;
      const double rr = radius * (1 + a1 * std::cos(2 * a + phase) + a2 * std::cos(5 * a) +
                                  0.08 * (r.Uniform() - 0.5));
      ring.push_back(Offset(centre, rr * std::cos(a), rr * std::sin(a)));
    }
    w.polygons.push_back(std::move(ring));
  }
  return w;
}

inline std::vector<LatLon> RandomQueries(const World& w, std::size_t count) {
  Random r(5);
  std::vector<LatLon> out;
  for (std::size_t i = 0; i < count; ++i) {
    const LatLon city = w.cities[r.Next() % w.cities.size()];
    const double east = 4000 * r.Normal();
    out.push_back(Offset(city, east, 4000 * r.Normal()));
  }
  return out;
}

inline std::vector<LatLon> PathQueries(const World& w, std::size_t count, bool walk) {
  Random r(9);
  std::vector<LatLon> out;
  std::size_t current = 0;
  std::vector<char> seen(w.cities.size());
  LatLon base = w.cities[0];
  double x = 0, y = 0, v = 0, target = 12, heading = 45, ex = 0, ey = 0;
  int stop = 0, in_city = 0;
  const auto emit = [&](LatLon from, double east, double north) {
    ex = 0.97 * ex + 0.25 * r.Normal();
    ey = 0.97 * ey + 0.25 * r.Normal();
    out.push_back(Offset(from, east + ex, north + ey));
  };
  while (out.size() < count) {
    if (stop > 0) {
      --stop;
      v = std::max(0.0, v - 2.5);
    } else {
      v = std::max(0.0, v + std::clamp(target - v, -2.5, walk ? 0.5 : 1.8));
      if (r.Uniform() < 0.012) stop = 5 + static_cast<int>(r.Uniform() * 40);
      if (r.Uniform() < 0.01) target = walk ? r.Uniform(1.0, 1.8) : r.Uniform(6, 17);
    }
    if (v > 0.3 && r.Uniform() < 0.02) heading += r.Uniform() < 0.5 ? 90 : -90;
    if (std::hypot(x, y) > 6000) heading = std::atan2(-x, -y) / kRad;
    x += v * std::sin(heading * kRad);
    y += v * std::cos(heading * kRad);
    emit(base, x, y);
    if (walk || ++in_city <= 3600) continue;
    in_city = 0;
    seen[current] = 1;
    const LatLon here = Offset(base, x, y);
    double best = 1e18;
    std::size_t next = current;
    for (std::size_t i = 0; i < w.cities.size(); ++i) {
      if (seen[i]) continue;
      const double dy = (w.cities[i].lat_deg - here.lat_deg) * kMPerDeg;
      const double dx =
          (w.cities[i].lon_deg - here.lon_deg) * kMPerDeg * std::cos(here.lat_deg * kRad);
      if (std::hypot(dx, dy) < best) {
        best = std::hypot(dx, dy);
        next = i;
      }
    }
    if (next == current) {
      std::fill(seen.begin(), seen.end(), 0);
      continue;
    }
    const int steps = static_cast<int>(best / 28);
    for (int s = 1; s <= steps && out.size() < count; ++s) {
      const double f = static_cast<double>(s) / steps;
      emit({here.lat_deg + f * (w.cities[next].lat_deg - here.lat_deg),
            here.lon_deg + f * (w.cities[next].lon_deg - here.lon_deg)},
           0, 0);
    }
    current = next;
    base = w.cities[next];
    x = y = 0;
  }
  out.resize(count);
  return out;
}

}  // namespace waymark::bench

#endif  // TESTS_BENCH_GEOFENCE_WORLD_H_
