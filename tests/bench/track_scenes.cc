// The generated scenes: error models, ways, and receivers along them.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "bench/track_run.h"
#include "waymark/geometry.h"

namespace waymark::track {

using corpus::Random;

ErrorModel Open() {
  ErrorModel m;
  m.white = 0.4, m.gm1 = 0.6, m.tau1 = 8, m.gm2 = 0.9, m.tau2 = 100, m.velocity_sigma = 0.1;
  m.radius_m = 3.8;
  return m;
}
ErrorModel Suburb() {
  ErrorModel m;
  m.white = 0.8, m.gm1 = 1.8, m.tau1 = 10, m.gm2 = 2, m.tau2 = 120, m.velocity_sigma = 0.2;
  m.burst_rate = 1.0 / 300, m.burst_min = 10, m.burst_max = 60, m.burst_fixes = 8;
  m.gap_rate = 1.0 / 900, m.gap_mean_s = 10, m.radius_m = 5;
  return m;
}
ErrorModel Canyon() {
  ErrorModel m;
  m.white = 3, m.gm1 = 6, m.tau1 = 5, m.gm2 = 8, m.tau2 = 40, m.velocity_sigma = 0.5;
  m.burst_rate = 1.0 / 60, m.burst_min = 10, m.burst_max = 110, m.burst_fixes = 10;
  m.gap_rate = 1.0 / 150, m.gap_mean_s = 20, m.radius_m = 15, m.burst_honest = 0.5;
  return m;
}
ErrorModel Indoor() {
  ErrorModel m;
  m.white = 1, m.gm1 = 8, m.tau1 = 60, m.velocity_sigma = 0.5;
  m.burst_rate = 1.0 / 600, m.burst_min = 30, m.burst_max = 200, m.burst_fixes = 20;
  m.gap_rate = 1.0 / 100, m.gap_mean_s = 30, m.radius_m = 12, m.burst_honest = 0.5;
  m.network_bursts = true;
  return m;
}

std::vector<Scene> Scenes() {
  return {{"open", Open()}, {"suburb", Suburb()}, {"canyon", Canyon()}, {"indoor", Indoor()}};
}

Session Move(const std::string& kind, double minutes, std::uint64_t seed) {
  constexpr double kTick = 0.2;
  Random r(seed * 7919 + 17);
  Session s{kind, {}, {}};
  const LocalFrame frame({50 + r.Uniform(), 8 + r.Uniform()});
  double e = 0, n = 0, heading = r.Uniform(0, 6), v = 0, rate = 0;
  double wanted = 0, left = 0, halt = 0, turn_left = 0;
  const bool walk = kind == "walk" || kind == "amble";
  const double acceleration = walk ? 1 : 1.5;
  for (int i = 0; i * kTick < minutes * 60; ++i) {
    s.truth.push_back({1'700'000'000'000 + static_cast<std::int64_t>(std::llround(i * kTick * 1e3)),
                       frame.FromLocal({e, n})});
    if (kind == "ring") {
      wanted = 8;
      rate = 8.0 / 25;
    } else if (halt > 0) {
      halt -= kTick;
      wanted = 0;
    } else if (left <= 0) {  // the next leg
      if (walk) {
        wanted = kind == "walk" ? 1 : 0.7;
        left = r.Uniform(15, 60);
      } else if (kind == "creep") {
        wanted = r.Uniform(1, 3);
        left = r.Uniform(4, 12);
        halt = v > 0 || i == 0 ? r.Uniform(5, 40) : 0;
      } else {
        wanted = r.Uniform(7, 15);
        left = r.Uniform(15, 60);
        if (r.Uniform() < 0.4 || i == 0) halt = r.Uniform(15, 90);
      }
      if (kind != "creep" && r.Uniform() < 0.7) {  // a corner
        turn_left = (r.Uniform() < 0.5 ? 1 : -1) * std::numbers::pi / 2;
      }
      if (halt > 0) wanted = 0;
    } else {
      left -= kTick;
      // Left to itself after a halt the body takes up speed again.
      if (wanted == 0) {
        wanted = walk ? 1 : kind == "creep" ? r.Uniform(1, 3) : r.Uniform(7, 15);
      }
    }
    double target = wanted;
    if (turn_left != 0 && halt <= 0) {
      if (!walk) target = std::min(target, 5.0);  // cars take corners of 10 m at 5 m/s
      if (walk || v <= 5.2) {
        rate = std::copysign(std::min(walk ? 1.5 : 0.5, std::abs(turn_left) / kTick), turn_left);
        if (v < 0.3) rate = 0;
      }
    }
    v += std::clamp(target - v, -acceleration * kTick, acceleration * kTick);
    heading += rate * kTick;
    if (kind != "ring") {
      turn_left -= rate * kTick;
      if (std::abs(turn_left) < 1e-6) turn_left = 0;
      rate = 0;
    }
    e += v * kTick * std::sin(heading);
    n += v * kTick * std::cos(heading);
  }
  return s;
}

Session Receive(const Session& s, const ErrorModel& model, double period_s, std::uint64_t seed) {
  Session clean{s.name, {}, s.truth};
  Random r(seed ^ 0x5eed);
  const std::int64_t begin = s.truth.front().utc_ms, end = s.truth.back().utc_ms;
  const std::int64_t lag = std::llround(model.velocity_latency_s * 1000);
  const std::int64_t period = std::llround(period_s * 1000);
  const double phi = std::exp(-period_s / 5), q = model.velocity_sigma * std::sqrt(1 - phi * phi);
  double de = model.velocity_sigma * r.Normal(), dn = model.velocity_sigma * r.Normal();
  for (std::int64_t t = begin + 2000; t + 2000 < end; t += period) {
    const auto near =
        std::upper_bound(s.truth.begin(), s.truth.end(), t,
                         [](std::int64_t x, const corpus::TruthPoint& p) { return x < p.utc_ms; });
    const LocalFrame frame((near - 1)->position);
    const auto p = corpus::TruthAt(s, frame, t), a = corpus::TruthAt(s, frame, t - lag - 200),
               b = corpus::TruthAt(s, frame, t - lag + 200);
    de = phi * de + q * r.Normal();
    dn = phi * dn + q * r.Normal();
    if (!p || !a || !b) continue;
    const double ve = (b->east_m - a->east_m) / 0.4, vn = (b->north_m - a->north_m) / 0.4;
    DeliveredFix d;
    d.fix.position = frame.FromLocal(*p);
    d.fix.speed_mps = std::hypot(ve, vn) < 0.3 ? 0 : std::hypot(ve + de, vn + dn);
    const double course = std::atan2(ve + de, vn + dn) * 180 / std::numbers::pi;
    d.fix.course_deg = course < 0 ? course + 360 : course;
    d.fix.time = MonoTime(std::chrono::milliseconds(t - begin + 1'000'000));
    d.fix.utc = UtcTime(std::chrono::milliseconds(t));
    d.arrival = {d.fix.time, *d.fix.utc};
    clean.fixes.push_back(d);
  }
  return corpus::Degrade(clean, model, seed);
}

namespace {

// Fixes of a phone about its home, and its truth.
class Home {
 public:
  Home(const char* name, std::uint64_t seed) : r(seed * 104729 + 7) { session.name = name; }
  void Tell(double t_s, EastNorth at, double radius_m, EastNorth truth) {
    DeliveredFix d;
    const std::int64_t ms = std::llround(t_s * 1000);
    d.fix.position = frame.FromLocal(at);
    d.fix.horizontal_accuracy_m = radius_m;
    d.fix.time = MonoTime(std::chrono::milliseconds(ms + 1'000'000));
    d.fix.utc = UtcTime(std::chrono::milliseconds(ms + 1'700'000'000'000));
    d.arrival = {d.fix.time, *d.fix.utc};
    session.fixes.push_back(d);
    session.truth.push_back({ms + 1'700'000'000'000, frame.FromLocal(truth)});
  }
  double Lie(double t_s, double until_s) {
    for (; t_s < until_s; t_s += r.Uniform() < 0.3 ? 10 : 5) {
      Tell(t_s, {0.6 * r.Normal(), 0.6 * r.Normal()}, 15, {});
    }
    return t_s;
  }
  Session session;
  Random r;
  LocalFrame frame{LatLon{52.37, 9.74}};
};

}  // namespace

Session LieAtHome(double minutes, std::uint64_t seed) {
  Home home("at home", seed);
  Random& r = home.r;
  double t = home.Lie(0, 900);  // it has settled before the first start
  while (t < minutes * 60) {
    t = home.Lie(t, t + r.Exponential(300));
    const double far_m = 30 * std::pow(400.0 / 30, r.Uniform()), course = r.Uniform(0, 6.28);
    EastNorth at{far_m * std::sin(course), far_m * std::cos(course)}, v{};
    t += r.Uniform(1, 6);
    const double radius_m = std::max(10.0, far_m * r.Uniform(0.2, 1));
    for (double left = r.Exponential(60); left > 0; left -= 1, t += 1) {
      home.Tell(t, at, radius_m, {});
      v = {0.9 * v.east_m + 0.6 * r.Normal(), 0.9 * v.north_m + 0.6 * r.Normal()};
      at = {at.east_m + v.east_m, at.north_m + v.north_m};
    }
    t += r.Uniform(4, 12);
  }
  home.Lie(t, t + 60);
  return home.session;
}

Session WalkFromHome(double far_m, bool round, std::uint64_t seed) {
  Home home("walk from home", seed);
  Random& r = home.r;
  double t = home.Lie(0, 3600);
  const double speed_mps = r.Uniform(1.1, 1.5), course = r.Uniform(0, 6.28);
  const double way_m = round ? 4 * far_m : 2 * far_m, phi = std::exp(-1.0 / 20);
  EastNorth error{};
  for (double gone_m = 0; gone_m <= way_m; gone_m += speed_mps, t += 1) {
    double x = gone_m < far_m ? gone_m : way_m - gone_m, y = 0;
    if (round) {
      const double side = gone_m / far_m;
      x = far_m * (side < 1 ? side : side < 2 ? 1 : side < 3 ? 3 - side : 0);
      y = far_m * (side < 1 ? 0 : side < 2 ? side - 1 : side < 3 ? 1 : 4 - side);
    }
    error = {phi * error.east_m + 0.8 * r.Normal(), phi * error.north_m + 0.8 * r.Normal()};
    const EastNorth truth{x * std::cos(course) - y * std::sin(course),
                          x * std::sin(course) + y * std::cos(course)};
    home.Tell(t, {truth.east_m + error.east_m, truth.north_m + error.north_m}, 5, truth);
  }
  home.Lie(t + 5, t + 600);
  return home.session;
}

Session RestlessSpeed(Session s, double sigma_mps, std::uint64_t seed) {
  Random r(seed ^ 0xbad);
  double e = 0, n = 0;
  for (DeliveredFix& d : s.fixes) {
    e = 0.8 * e + 0.6 * sigma_mps * r.Normal();
    n = 0.8 * n + 0.6 * sigma_mps * r.Normal();
    if (!d.fix.speed_mps || *d.fix.speed_mps != 0) continue;
    d.fix.speed_mps = std::hypot(e, n);
    const double course = std::atan2(e, n) * 180 / std::numbers::pi;
    d.fix.course_deg = course < 0 ? course + 360 : course;
  }
  return s;
}

}  // namespace waymark::track
