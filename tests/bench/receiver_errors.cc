#include "bench/receiver_errors.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <utility>

namespace waymark::worlds {
namespace {

constexpr double kApartS = 60;        // the mean time between bursts, repeats, silences
constexpr double kStaticMps = 0.3;    // below, a receiver says 0
constexpr double kVelocityMps = 0.1;  // noise of a good one, per axis

Vec2 Normal(Random& r) {
  const double e = r.Normal(), n = r.Normal();
  return {e, n};
}

Vec2 Towards(double size, Random& r) {
  const double angle = r.Uniform(0, 2 * std::numbers::pi);
  return {size * std::cos(angle), size * std::sin(angle)};
}

double StepS(const Stream& s, std::size_t i) {
  return i == 0 ? 0 : 1e-3 * static_cast<double>(s.samples[i].utc_ms - s.samples[i - 1].utc_ms);
}

// Calls `spell(first, last)`, the last not in it, for stretches of that length; what lies between
// them is at least ten seconds long.
template <typename Spell>
void ForSpells(Stream& s, Random& r, double apart_s, double least_s, double most_s, Spell spell) {
  const auto at = [&](std::size_t i) { return 1e-3 * static_cast<double>(s.samples[i].utc_ms); };
  std::size_t i = 0;
  while (i < s.samples.size()) {
    const double begin_s = at(i) + 10 + r.Exponential(apart_s);
    const double end_s = begin_s + r.Uniform(least_s, most_s);
    std::size_t first = i;
    while (first < s.samples.size() && at(first) < begin_s) ++first;
    std::size_t last = first;
    while (last < s.samples.size() && at(last) < end_s) ++last;
    if (last < s.samples.size()) spell(first, last);
    i = last;
  }
}

// Gauss-Markov, tau in s; called with the step.
class Colour {
 public:
  Colour(double sigma, double tau_s, Random& r)
      : sigma_(sigma), tau_s_(tau_s), x_(sigma * Normal(r)) {}
  Vec2 Next(double dt_s, Random& r) {
    const double phi = std::exp(-dt_s / tau_s_);
    x_ = phi * x_ + sigma_ * std::sqrt(1 - phi * phi) * Normal(r);
    return x_;
  }

 private:
  double sigma_, tau_s_;
  Vec2 x_;
};

template <typename Change>
Effect Each(Change change) {
  return [change](Stream& s, Random& r) {
    for (Sample& x : s.samples) change(x, r);
  };
}

std::optional<Vec2> VelocityAt(const Road& road, std::int64_t utc_ms) {
  const auto a = road.At(utc_ms - 500), b = road.At(utc_ms + 500);
  return a && b ? std::optional(*b - *a) : std::nullopt;
}

DeliveredFix Deliver(const Sample& x, const Road& road) {
  // The boot was a thousand seconds before the way began.
  const MonoTime time(std::chrono::milliseconds(x.utc_ms - road.begin_ms() + 1'000'000));
  const UtcTime utc{std::chrono::milliseconds(x.utc_ms)};
  Fix f;
  f.time = time;
  f.utc = utc;
  f.position = road.frame().FromLocal({x.position.e, x.position.n});
  f.source = x.source;
  if (x.radius_m > 0) f.horizontal_accuracy_m = x.radius_m;
  if (x.velocity) {
    f.speed_mps = x.velocity->norm() < kStaticMps ? 0 : x.velocity->norm();
    const double gamma = road.frame().ConvergenceRad(f.position);
    const double deg = (std::atan2(x.velocity->e, x.velocity->n) - gamma) * 180 / std::numbers::pi;
    if (x.course) f.course_deg = std::fmod(deg + 720, 360.0);
  }
  return {f, {time, utc}};
}

}  // namespace

Road::Road(corpus::Session way, double minutes)
    : way_(std::move(way)), frame_(way_.truth.front().position) {
  const auto end_ms = begin_ms() + static_cast<std::int64_t>(minutes * 60e3);
  std::erase_if(way_.truth, [&](const corpus::TruthPoint& p) { return p.utc_ms > end_ms; });
  way_.fixes.clear();
}

std::optional<Vec2> Road::At(std::int64_t utc_ms) const {
  const auto p = corpus::TruthAt(way_, frame_, utc_ms);
  return p ? std::optional<Vec2>({p->east_m, p->north_m}) : std::nullopt;
}

Clock Regular(double step_s) {
  return [=](Random&) { return step_s; };
}

Clock Jittered(double step_s, double share) {
  return [=](Random& r) { return step_s * r.Uniform(1 - share, 1 + share); };
}

Clock Irregular(double least_s, double most_s) {
  return [=](Random& r) { return std::min(most_s, least_s + r.Exponential(most_s / 4)); };
}

Effect White(double sigma_m) {
  return Each([=](Sample& x, Random& r) { x.position = x.position + sigma_m * Normal(r); });
}

Effect Coloured(double sigma_m, double tau_s) {
  return [=](Stream& s, Random& r) {
    Colour colour(sigma_m, tau_s, r);
    for (std::size_t i = 0; i < s.samples.size(); ++i) {
      s.samples[i].position = s.samples[i].position + colour.Next(StepS(s, i), r);
    }
  };
}

Effect RandomWalk(double m_per_root_s) {
  return [=](Stream& s, Random& r) {
    Vec2 x;
    for (std::size_t i = 0; i < s.samples.size(); ++i) {
      x = x + m_per_root_s * std::sqrt(StepS(s, i)) * Normal(r);
      s.samples[i].position = s.samples[i].position + x;
    }
  };
}

Effect HeavyTailed(double scale_m) {
  return Each([=](Sample& x, Random& r) {
    const Vec2 n = Normal(r);
    x.position = x.position + scale_m / std::sqrt(r.Exponential(1)) * n;
  });
}

Effect Bursts(Burst kind, int most, double near_m, double far_m, bool honest) {
  return [=](Stream& s, Random& r) {
    ForSpells(s, r, kApartS, 0, 0, [&](std::size_t first, std::size_t) {
      const int fixes = 1 + static_cast<int>(r.Uniform() * most);
      Vec2 off = Towards(r.Uniform(near_m, far_m), r);
      for (int i = 0; i < fixes && first + static_cast<std::size_t>(i) < s.samples.size(); ++i) {
        Sample& x = s.samples[first + static_cast<std::size_t>(i)];
        if (kind == Burst::kScattered) off = Towards(r.Uniform(near_m, far_m), r);
        const double share = kind == Burst::kMovingOff ? double(i + 1) / fixes : 1;
        x.position = x.position + share * off;
        if (honest) x.radius_m = share * off.norm();
      }
    });
  };
}

Effect Repeats(double least_s, double most_s, bool whole) {
  return [=](Stream& s, Random& r) {
    ForSpells(s, r, kApartS, least_s, most_s, [&](std::size_t first, std::size_t last) {
      const Sample old = s.samples[first];
      for (std::size_t i = first; i < last; ++i) {
        Sample& x = s.samples[i];
        x.position = old.position;
        if (whole) x.velocity = old.velocity;
      }
    });
  };
}

Effect HeldAtRest() {
  return [](Stream& s, Random&) {
    for (std::size_t i = 1; i < s.samples.size(); ++i) {
      const bool rests = s.samples[i].true_velocity.norm() < kStaticMps;
      if (rests) s.samples[i].position = s.samples[i - 1].position;
    }
  };
}

Effect Gaps(double least_s, double most_s, double bad_m) {
  return [=](Stream& s, Random& r) {
    std::vector<bool> silent(s.samples.size());
    ForSpells(s, r, 2 * kApartS, least_s, most_s, [&](std::size_t first, std::size_t last) {
      std::fill(silent.begin() + static_cast<std::ptrdiff_t>(first),
                silent.begin() + static_cast<std::ptrdiff_t>(last), true);
      Sample& x = s.samples[last];
      x.position = x.position + Towards(r.Uniform(bad_m / 3, bad_m), r);
    });
    std::size_t i = 0;
    std::erase_if(s.samples, [&](const Sample&) { return silent[i++]; });
  };
}

Effect Quantised(double degrees) {
  return [=](Stream& s, Random&) {
    for (Sample& x : s.samples) {
      LatLon p = s.road.frame().FromLocal({x.position.e, x.position.n});
      p.lat_deg = degrees * std::round(p.lat_deg / degrees);
      p.lon_deg = degrees * std::round(p.lon_deg / degrees);
      const EastNorth q = s.road.frame().ToLocal(p);
      x.position = {q.east_m, q.north_m};
    }
  };
}

Effect Lag(double seconds) {
  return [=](Stream& s, Random&) {
    for (Sample& x : s.samples) {
      const auto then = s.road.At(x.utc_ms - static_cast<std::int64_t>(1000 * seconds));
      if (then) x.position = x.position + (*then - x.truth);
    }
  };
}

Effect Overshoot() {
  return [](Stream& s, Random&) {
    if (s.samples.empty()) return;
    // An alpha-beta tracker of low gain.
    constexpr double kAlpha = 0.3, kBeta = 0.15;
    Vec2 p = s.samples.front().truth, v = s.samples.front().true_velocity;
    for (std::size_t i = 0; i < s.samples.size(); ++i) {
      Sample& x = s.samples[i];
      const double dt_s = StepS(s, i);
      if (dt_s > 3) p = x.truth, v = x.true_velocity;
      p = p + dt_s * v;
      const Vec2 off = x.truth - p;
      p = p + std::min(1.0, kAlpha * dt_s) * off;
      v = v + kBeta * std::min(1.0, dt_s) * off;
      x.position = x.position + (p - x.truth);
    }
  };
}

Effect OtherRoad(double least_m, double most_m) {
  return [=](Stream& s, Random& r) {
    ForSpells(s, r, 2 * kApartS, 20, 120, [&](std::size_t first, std::size_t last) {
      const double aside_m = r.Uniform(least_m, most_m) * (r.Uniform() < 0.5 ? 1 : -1);
      Vec2 ahead{0, 1};
      for (std::size_t i = first; i < last; ++i) {
        Sample& x = s.samples[i];
        if (x.true_velocity.norm() > 1) ahead = (1 / x.true_velocity.norm()) * x.true_velocity;
        x.position = x.position + aside_m * Vec2{ahead.n, -ahead.e};
      }
    });
  };
}

Effect VelocityNoise(double sigma_mps) {
  return Each([=](Sample& x, Random& r) {
    const Vec2 noise = sigma_mps * Normal(r);
    if (x.velocity) x.velocity = *x.velocity + noise;
  });
}

Effect VelocityDrift(double sigma_mps, double tau_s) {
  return [=](Stream& s, Random& r) {
    Colour colour(sigma_mps, tau_s, r);
    for (std::size_t i = 0; i < s.samples.size(); ++i) {
      const Vec2 drift = colour.Next(StepS(s, i), r);
      if (s.samples[i].velocity) s.samples[i].velocity = *s.samples[i].velocity + drift;
    }
  };
}

Effect VelocityLate(double seconds) {
  return [=](Stream& s, Random&) {
    for (Sample& x : s.samples) {
      const std::int64_t then_ms = x.utc_ms - static_cast<std::int64_t>(1000 * seconds);
      if (x.velocity) {
        x.velocity =
            *x.velocity + (VelocityAt(s.road, then_ms).value_or(x.true_velocity) - x.true_velocity);
      }
    }
  };
}

Effect SpeedScaled(double factor) {
  return Each([=](Sample& x, Random&) {
    if (x.velocity) x.velocity = factor * *x.velocity;
  });
}

Effect SpeedStuckAtZero(double spell_s) {
  if (spell_s == 0) {
    return Each([](Sample& x, Random&) {
      if (x.velocity) x.velocity = Vec2{};
    });
  }
  return [=](Stream& s, Random& r) {
    ForSpells(s, r, 170, spell_s, spell_s, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        if (s.samples[i].velocity) s.samples[i].velocity = Vec2{};
      }
    });
  };
}

Effect NoCourse() {
  return Each([](Sample& x, Random&) { x.course = false; });
}

Effect CourseOff(double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const SinCos turn{std::sin(angle), std::cos(angle)};
  return Each([=](Sample& x, Random&) {
    if (x.velocity) x.velocity = Turn(*x.velocity, turn);
  });
}

Effect CourseStuck(double degrees) {
  return Each([ahead = Heading(degrees)](Sample& x, Random&) {
    if (x.velocity) x.velocity = x.velocity->norm() * ahead;
  });
}

Effect Radius(double radius_m) {
  return Each([=](Sample& x, Random&) { x.radius_m = radius_m; });
}

Effect RadiusInSteps() {
  return [](Stream& s, Random& r) {
    ForSpells(s, r, 30, 10, 60, [&](std::size_t first, std::size_t last) {
      const double radius_m = 4 * std::pow(2, std::floor(r.Uniform(0, 5)));
      for (std::size_t i = first; i < last; ++i) s.samples[i].radius_m = radius_m;
    });
  };
}

Effect NetworkBetween(double every_s, double sigma_m) {
  return [=](Stream& s, Random& r) {
    std::vector<Sample> all;
    double next_ms = 0;
    for (const Sample& x : s.samples) {
      all.push_back(x);
      if (static_cast<double>(x.utc_ms) < next_ms) continue;
      next_ms = static_cast<double>(x.utc_ms) + 1000 * r.Uniform(0.5, 1.5) * every_s;
      const std::int64_t at_ms = x.utc_ms + 37;  // no fix of the receiver is so near
      if (const auto truth = s.road.At(at_ms)) {
        Sample network{at_ms, *truth, x.true_velocity, *truth + sigma_m * Normal(r), std::nullopt};
        network.radius_m = 1.5 * sigma_m;
        network.source = FixSource::kNetwork;
        all.push_back(network);
      }
    }
    s.samples = std::move(all);
  };
}

Effect NetworkInstead(double least_s, double most_s, double sigma_m) {
  return [=](Stream& s, Random& r) {
    std::vector<bool> silent(s.samples.size());
    ForSpells(s, r, 2 * kApartS, least_s, most_s, [&](std::size_t first, std::size_t last) {
      std::int64_t next_ms = 0;
      for (std::size_t i = first; i < last; ++i) {
        Sample& x = s.samples[i];
        silent[i] = x.utc_ms < next_ms;
        if (silent[i]) continue;
        next_ms = x.utc_ms + 5000;
        x.position = x.truth + sigma_m * Normal(r);
        x.velocity.reset();
        x.radius_m = 1.5 * sigma_m;
        x.source = FixSource::kNetwork;
      }
    });
    std::size_t i = 0;
    std::erase_if(s.samples, [&](const Sample&) { return silent[i++]; });
  };
}

Effect CellsInstead(double least_s, double most_s, double apart_m) {
  return [=](Stream& s, Random& r) {
    std::vector<bool> silent(s.samples.size());
    const Vec2 grid = Towards(r.Uniform(0, apart_m), r);
    // The mast whose cell the device is in, or one of those around it.
    const auto mast = [&](Vec2 at) {
      const Vec2 x = (1 / apart_m) * (at - grid) + 0.5 * Normal(r);
      return grid + apart_m * Vec2{std::round(x.e), std::round(x.n)};
    };
    ForSpells(s, r, 2 * kApartS, least_s, most_s, [&](std::size_t first, std::size_t last) {
      const Vec2 cached = s.samples[first > 0 ? first - 1 : first].position;
      std::int64_t next_ms = 0, again_ms = 0, cached_until_ms = 0;
      Vec2 told;
      for (std::size_t i = first; i < last; ++i) {
        Sample& x = s.samples[i];
        const bool again = again_ms != 0 && x.utc_ms >= again_ms;
        silent[i] = x.utc_ms < next_ms && !again;
        if (silent[i]) continue;
        if (again) {
          again_ms = 0;
        } else {
          next_ms = x.utc_ms + 10'000;
          again_ms = x.utc_ms + 1000;
          if (x.utc_ms >= cached_until_ms && r.Uniform(0, 1) < 0.05) {
            cached_until_ms = x.utc_ms + std::llround(1000 * r.Uniform(10, 60));
          }
          told = x.utc_ms < cached_until_ms ? cached : mast(x.truth);
        }
        x.position = told;
        x.velocity.reset();
        x.radius_m = apart_m;
        x.source = FixSource::kNetwork;
      }
    });
    std::size_t i = 0;
    std::erase_if(s.samples, [&](const Sample&) { return silent[i++]; });
  };
}

Effect PositionOnly() {
  return Each([](Sample& x, Random&) {
    x.velocity.reset();
    x.radius_m = 0;
    x.source = FixSource::kUnknown;
  });
}

corpus::Session Drive(const Road& road, const Clock& clock, const std::vector<Effect>& effects,
                      std::uint64_t seed) {
  Random r(seed);
  Stream s{road, {}};
  for (double t_ms = 1000; road.begin_ms() + std::llround(t_ms) + 1000 < road.end_ms();
       t_ms += 1000 * clock(r)) {
    const std::int64_t at_ms = road.begin_ms() + std::llround(t_ms);
    const auto truth = road.At(at_ms), v = VelocityAt(road, at_ms);
    if (!truth || !v) continue;  // not within half a second of a gap of the truth
    s.samples.push_back({at_ms, *truth, *v, *truth, *v + kVelocityMps * Normal(r)});
  }
  for (const Effect& effect : effects) effect(s, r);
  corpus::Session out = road.way();
  for (const Sample& x : s.samples) out.fixes.push_back(Deliver(x, road));
  return out;
}

}  // namespace waymark::worlds
