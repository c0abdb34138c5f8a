#include "bench/ablation_sets.h"

#include <functional>
#include <utility>

namespace waymark::corpus {
namespace {

std::vector<Session> Map(const std::vector<Session>& in,
                         const std::function<Session(const Session&, std::uint64_t)>& f) {
  std::vector<Session> out;
  for (std::size_t i = 0; i < in.size(); ++i) out.push_back(f(in[i], i + 1));
  return out;
}

std::vector<Session> PositionOnly(const std::vector<Session>& in) {
  return Map(in, [](const Session& s, std::uint64_t) { return PositionOnly(s); });
}

std::vector<Session> Every(const std::vector<Session>& in, double seconds) {
  return Map(in, [seconds](const Session& s, std::uint64_t) { return Every(s, seconds); });
}

// What platforms and samplers make of a stream: a speed without course, a radius that is stated and
// wrong, one fix in several seconds. None may do worse than its input.
void AddOtherStreams(std::vector<Set>& sets, const std::vector<Session>& surveyed,
                     const std::vector<Session>& degraded) {
  const auto stated = [](double radius_m) {
    return [radius_m](Session s, std::uint64_t) {
      for (DeliveredFix& d : s.fixes) d.fix.horizontal_accuracy_m = radius_m;
      return s;
    };
  };
  sets.push_back({"speed, no course", Map(surveyed, [](Session s, std::uint64_t) {
                    for (DeliveredFix& d : s.fixes) d.fix.course_deg.reset();
                    return s;
                  })});
  sets.push_back({"radius 3.8 m, all fields", Map(surveyed, stated(3.8))});
  sets.push_back({"radius 3.8 m, no velocity", Map(PositionOnly(surveyed), stated(3.8))});
  sets.push_back({"radius 12 m, no velocity", Map(PositionOnly(surveyed), stated(12))});
  for (const double s : {2.0, 5.0, 10.0}) {
    const std::string every = "one fix per " + std::to_string(static_cast<int>(s)) + " s, ";
    sets.push_back({every + "clean", Every(surveyed, s)});
    sets.push_back({every + "clean, no vel.", Every(PositionOnly(surveyed), s)});
    sets.push_back({every + "degraded", Every(degraded, s)});
    sets.push_back({every + "degraded, no vel.", Every(PositionOnly(degraded), s)});
  }
}

// What receivers do when they lose the sky or a field: a silence of 10-40 s each two minutes and a
// first fix that is 30-90 m off; a speed of 0 for want of one, for half a minute or for good.
void AddFailures(std::vector<Set>& sets, const std::vector<Session>& clean) {
  const auto tunnels = Map(clean, [](const Session& s, std::uint64_t seed) {
    Random r(seed * 211);
    Session out{s.name, {}, s.truth};
    MonoTime from = s.fixes.front().fix.time + std::chrono::seconds(120);
    MonoTime until = from + FromSeconds(r.Uniform(10, 40));
    for (DeliveredFix d : s.fixes) {
      if (d.fix.time >= from && d.fix.time < until) continue;
      if (d.fix.time >= until) {
        const double off_m = r.Uniform(30, 90), angle = r.Uniform(0, 2 * std::numbers::pi);
        d.fix.position = LocalFrame(d.fix.position)
                             .FromLocal({off_m * std::cos(angle), off_m * std::sin(angle)});
        from = d.fix.time + std::chrono::seconds(120);
        until = from + FromSeconds(r.Uniform(10, 40));
      }
      out.fixes.push_back(d);
    }
    return out;
  });
  sets.push_back({"bad first fixes, all fields", tunnels});
  sets.push_back({"bad first fixes, position only", PositionOnly(tunnels)});
  const auto zero = [](std::size_t of, std::size_t every) {
    return [of, every](Session s, std::uint64_t) {
      for (std::size_t i = 0; i < s.fixes.size(); ++i) {
        if (i % every >= every - of) s.fixes[i].fix.speed_mps = 0;
      }
      return s;
    };
  };
  sets.push_back({"speed stuck at 0 for 30 s", Map(clean, zero(30, 200))});
  sets.push_back({"speed always 0", Map(clean, zero(1, 1))});
}

// Velocities that are wrong without end, and no radius of theirs that says so: noisy, drifting,
// late (a receiver that averages), a tenth too slow (of a wheel).
void AddWrongVelocities(std::vector<Set>& sets, const std::vector<Session>& clean) {
  // White noise, and what drifts over half a minute, m/s per axis.
  const auto noisy = [](double white_mps, double drift_mps) {
    return [=](Session s, std::uint64_t seed) {
      Random r(seed * 613);
      double drift_e = drift_mps * r.Normal(), drift_n = drift_mps * r.Normal();
      const double phi = std::exp(-1.0 / 30), q = drift_mps * std::sqrt(1 - phi * phi);
      for (DeliveredFix& d : s.fixes) {
        drift_e = phi * drift_e + q * r.Normal();
        drift_n = phi * drift_n + q * r.Normal();
        const double e_noise = drift_e + white_mps * r.Normal();
        const double n_noise = drift_n + white_mps * r.Normal();
        if (!d.fix.speed_mps || !d.fix.course_deg) continue;
        const double course = *d.fix.course_deg * std::numbers::pi / 180;
        const double e = *d.fix.speed_mps * std::sin(course) + e_noise;
        const double n = *d.fix.speed_mps * std::cos(course) + n_noise;
        d.fix.speed_mps = std::hypot(e, n);
        d.fix.course_deg = std::fmod(std::atan2(e, n) * 180 / std::numbers::pi + 360, 360.0);
      }
      return s;
    };
  };
  sets.push_back({"velocity noise 1.5 m/s", Map(clean, noisy(1.5, 0))});
  sets.push_back({"velocity drifts by 1 m/s", Map(clean, noisy(0, 1))});
  sets.push_back({"velocity 2 s late", Map(clean, [](Session s, std::uint64_t) {
                    for (std::size_t i = s.fixes.size() - 1; i >= 2; --i) {
                      s.fixes[i].fix.speed_mps = s.fixes[i - 2].fix.speed_mps;
                      s.fixes[i].fix.course_deg = s.fixes[i - 2].fix.course_deg;
                    }
                    return s;
                  })});
  sets.push_back({"speed a tenth too low", Map(clean, [](Session s, std::uint64_t) {
                    for (DeliveredFix& d : s.fixes) {
                      if (d.fix.speed_mps) *d.fix.speed_mps *= 0.9;
                    }
                    return s;
                  })});
}

}  // namespace

std::vector<Set> MakeSets(const std::string& data) {
  std::vector<Session> surveyed = LoadRecorded(data + "/gsdc-android", "fixes.csv");
  std::vector<Session> others;
  if (auto s = LoadSession(data + "/google-nmeautils/MTV.Local1.F9K", "fixes.csv", "F9K")) {
    others.push_back(*s);
  }
  for (auto& s : LoadRecorded(data + "/comma2k19-example", "fixes.csv")) others.push_back(s);
  const auto canyon = LoadRecorded(data + "/smartloc-berlin", "fixes.csv");
  const auto drives = LoadRecorded(data + "/strapdown-phone", "fixes.csv");
  auto degraded = LoadRecorded(data + "/gsdc-android", "fixes_deg.csv");
  for (auto& s : LoadRecorded(data + "/strapdown-phone", "fixes_deg.csv")) degraded.push_back(s);
  std::vector<Session> roads = surveyed;  // whatever has a dense truth to drive along
  for (const Session& s : drives) {
    if (s.truth.size() > 500) roads.push_back(s);
  }
  // Phones under an open sky: estimation.md E, with the little white noise that chipsets leave.
  const auto clean = Map(roads, [](const Session& s, std::uint64_t seed) {
    Random r(seed * 977);
    ErrorModel m;
    m.white = r.Uniform(0.05, 0.25);
    m.gm1 = r.Uniform(0.2, 0.8), m.tau1 = r.Uniform(8, 20);
    m.gm2 = r.Uniform(0.6, 2.0), m.tau2 = r.Uniform(60, 200);
    m.velocity_sigma = r.Uniform(0.05, 0.2);
    m.velocity_latency_s = r.Uniform(0.2, 0.5);
    m.radius_m = seed % 2 ? r.Uniform(2.5, 5) : 0;
    return Resimulate(s, m, seed);
  });
  // A degraded twin after another model than fixes_deg.csv: other colours, scattered bursts,
  // stale repeats.
  const auto own = [](const Session& s, std::uint64_t seed) {
    Random r(seed * 31337);
    ErrorModel m;
    m.white = r.Uniform(0.3, 3);
    m.gm1 = r.Uniform(2, 7), m.tau1 = r.Uniform(2, 8);
    m.gm2 = r.Uniform(1, 4), m.tau2 = r.Uniform(15, 40);
    m.burst_rate = 1.0 / r.Uniform(60, 200);
    m.burst_min = 40, m.burst_max = 600;
    m.burst_scatter = seed % 3 == 0;
    m.burst_honest = 0.3;
    m.gap_rate = 1.0 / 300, m.gap_mean_s = 15;
    m.stale_rate = 1.0 / 60;
    m.radius_m = seed % 2 ? r.Uniform(4, 12) : 0;
    return Degrade(s, m, seed);
  };
  const auto degraded2 = Map(roads, own);
  // Between tall buildings: estimation.md E, its jumps and dropouts included.
  const auto streets = Map(roads, [](const Session& s, std::uint64_t seed) {
    Random r(seed * 4099);
    ErrorModel m;
    m.white = r.Uniform(2, 4);
    m.gm1 = r.Uniform(4, 8), m.tau1 = r.Uniform(3, 8);
    m.gm2 = r.Uniform(5, 10), m.tau2 = r.Uniform(25, 60);
    m.burst_rate = 1.0 / 60, m.burst_min = 10, m.burst_max = 110, m.burst_fixes = 20;
    m.gap_rate = 1.0 / 150, m.gap_mean_s = 20;
    m.velocity_sigma = 0.5;
    m.velocity_latency_s = r.Uniform(0.2, 0.5);
    return Resimulate(s, m, seed);
  });
  std::vector<Session> walks, yards;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Random r(seed * 17);
    ErrorModel m;  // indoor and courtyard: estimation.md E
    m.white = r.Uniform(0.5, 2);
    m.gm1 = r.Uniform(3, 8), m.tau1 = r.Uniform(10, 60);
    m.burst_rate = 1.0 / r.Uniform(60, 300);
    m.burst_min = 30, m.burst_max = 400;
    m.burst_fixes = 3;
    m.burst_honest = 0.5;
    m.network_bursts = seed % 2;
    m.gap_rate = 1.0 / 200, m.gap_mean_s = 8;
    m.velocity_sigma = 0.3;
    m.radius_m = r.Uniform(5, 15);
    walks.push_back(Walk(m, 20, seed));
    yards.push_back(Without(Walk(m, 20, seed + 100), false, true));
  }
  std::vector<Set> sets;
  sets.push_back({"clean surveyed, all fields", surveyed});
  sets.push_back({"clean surveyed, position only", PositionOnly(surveyed)});
  sets.push_back({"clean simulated, all fields", clean});
  sets.push_back({"clean simulated, position only", PositionOnly(clean)});
  sets.push_back({"other receivers, all fields", others});
  sets.push_back({"other receivers, position only", PositionOnly(others)});
  sets.push_back({"degraded, velocity", degraded});
  sets.push_back({"degraded, position only", PositionOnly(degraded)});
  sets.push_back({"degraded our way, velocity", degraded2});
  sets.push_back({"degraded our way, position only", PositionOnly(degraded2)});
  sets.push_back({"urban canyon, speed", canyon});
  sets.push_back({"urban canyon, position only", PositionOnly(canyon)});
  sets.push_back({"urban canyon, 1 Hz, speed", Every(canyon, 1)});
  sets.push_back({"urban canyon, 1 Hz, position only", PositionOnly(Every(canyon, 1))});
  sets.push_back({"canyon simulated, all fields", streets});
  sets.push_back({"canyon simulated, position only", PositionOnly(streets)});
  sets.push_back({"walks, velocity", walks});
  sets.push_back({"walks, no velocity", yards});
  sets.push_back({"one fix per 20 s, surveyed", Every(surveyed, 20), true});
  sets.push_back({"one fix per 20 s, simulated", Every(clean, 20), true});
  AddOtherStreams(sets, surveyed, degraded);
  AddFailures(sets, clean);
  AddWrongVelocities(sets, clean);
  return sets;
}

}  // namespace waymark::corpus
