// Parked on a border for eight hours of noise, recorded and simulated: at most one event.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numbers>
#include <sstream>
#include <string>

#include "property/geofence/dice.h"
#include "sdk/geofence/geofence_engine.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

constexpr double kHours = 8;

/// A recording of a phone that lay still, without the minutes in which it was carried there.
struct Standing {
  const char* session;
  std::int64_t begin_utc_s, end_utc_s;
};
constexpr Standing kStandings[] = {
    {"ssi-opengeodata/Utrecht6-2024-07-05", 1720137660, 1720155600},
    {"ssi-opengeodata/Utrecht6-2024-06-14", 1718361504, 1718362584},
    {"ssi-opengeodata/Utrecht6-2024-06-29", 1719654052, 1719654692},
    {"ssi-opengeodata/Utrecht6-2024-06-29", 1719661240, 1719661770},
    {"ssi-opengeodata/Utrecht6-2024-06-30", 1719725356, 1719726556},
    {"ssi-opengeodata/Utrecht6-2024-07-01", 1719827974, 1719829214},
    {"strapdown-phone/2023-08-09_12-47-42", 1691589128, 1691590228},
};

std::vector<Fix> Recorded(const Standing& standing) {
  std::ifstream in(std::string(WAYMARK_SHARED_DATA "/traces/") + standing.session + "/fixes.csv");
  std::vector<Fix> fixes;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream cells(line);
    std::string utc, lat, lon, accuracy;
    std::getline(cells, utc, ',');
    std::getline(cells, lat, ',');
    std::getline(cells, lon, ',');
    std::getline(cells, accuracy, ',');
    Fix fix;
    fix.utc = UtcTime(std::chrono::milliseconds(std::stoll(utc)));
    fix.position = {std::stod(lat), std::stod(lon)};
    if (!accuracy.empty()) fix.horizontal_accuracy_m = std::stod(accuracy);
    const auto second =
        std::chrono::duration_cast<std::chrono::seconds>(fix.utc->time_since_epoch()).count();
    if (second >= standing.begin_utc_s && second <= standing.end_utc_s) fixes.push_back(fix);
  }
  return fixes;
}

// The recording forwards and backwards again until the hours are full.
std::vector<Fix> EightHours(const std::vector<Fix>& rest) {
  std::vector<Fix> out;
  if (rest.size() < 2) return out;
  MonoTime t{std::chrono::hours(1)};
  UtcTime utc = *rest.front().utc;
  std::size_t i = 0;
  bool forwards = true;
  while (t < MonoTime(std::chrono::hours(1)) + FromSeconds(kHours * 3600)) {
    Fix f = rest[i];
    f.time = t;
    f.utc = utc;
    out.push_back(f);
    if (forwards ? i + 1 == rest.size() : i == 0) forwards = !forwards;
    const std::size_t next = forwards ? i + 1 : i - 1;
    auto step = *rest[next].utc - *rest[i].utc;
    if (step < step.zero()) step = -step;
    step = std::max(step, std::chrono::milliseconds(100));
    t += step;
    utc += step;
    i = next;
  }
  return out;
}

/// Noise of a phone at rest, the same on every machine: white, and first-order Markov with
/// `tau_s`, of the given standard deviations per axis; and one excursion of two minutes in 20,
/// that glides to `far_m` and back or jumps there.
struct Noise {
  double white_m, coloured_m, tau_s, far_m, reported_m;
  bool jumps;
};
constexpr Noise kNoises[] = {
    {0.5, 3, 30, 0, 3, false},   {0.3, 3, 300, 0, 3, false},  {1, 4, 60, 0, 4, false},
    {0.5, 2, 100, 25, 4, false}, {0.3, 1.5, 20, 40, 3, true}, {2, 8, 60, 0, 8, false},
};

std::vector<Fix> Simulated(const Noise& noise, std::uint64_t seed) {
  Dice dice(seed);
  const LatLon place{52.1, 5.1};
  const double keep = std::exp(-1 / noise.tau_s), drive = std::sqrt(1 - keep * keep);
  double east = 0, north = 0, azimuth = 0;
  std::vector<Fix> out;
  for (int second = 0; second < static_cast<int>(kHours * 3600); ++second) {
    east = keep * east + drive * noise.coloured_m * dice.Normal();
    north = keep * north + drive * noise.coloured_m * dice.Normal();
    const int phase = (second + 600) % 1200;
    if (phase == 0) azimuth = 360 * dice.Uniform();
    const double share = noise.jumps ? 1 : std::sin(std::numbers::pi * phase / 120);
    const double far_m = phase < 120 ? noise.far_m * share : 0;
    const double e = east + noise.white_m * dice.Normal(),
                 n = north + noise.white_m * dice.Normal();
    Fix fix;
    fix.time = MonoTime(std::chrono::seconds(3600 + second));
    fix.utc = UtcTime(std::chrono::milliseconds(1'760'000'000'000 + second * 1000LL));
    fix.position =
        Destination(Destination(place, std::atan2(e, n) * 180 / std::numbers::pi, std::hypot(e, n)),
                    azimuth, far_m);
    fix.horizontal_accuracy_m = 1.515 * noise.reported_m;  // the 68 % radius of a 2-d normal
    out.push_back(fix);
  }
  return out;
}

// Borders through the place where the device lies, in 12 directions and up to 12 m beside it.
std::vector<Geofence> Borders(const std::vector<Fix>& fixes) {
  double lat = 0, lon = 0;
  for (const Fix& f : fixes) {
    lat += f.position.lat_deg / static_cast<double>(fixes.size());
    lon += f.position.lon_deg / static_cast<double>(fixes.size());
  }
  std::vector<Geofence> set;
  for (int azimuth = 0; azimuth < 360; azimuth += 30) {
    for (int offset = -12; offset <= 12; offset += 3) {
      Geofence f;
      f.id = std::to_string(azimuth) + "/" + std::to_string(offset);
      f.shape = Circle{Destination({lat, lon}, azimuth, 100.0 + offset), 100};
      set.push_back(f);
    }
  }
  return set;
}

struct Flaps {
  std::size_t most = 0, most_at_rest = 0, fences_with_events = 0, rejected_most = 0;
};

Flaps Play(const std::vector<Estimate>& estimates, const std::vector<Geofence>& set) {
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  engine.Add(set, problems);
  std::vector<FenceEvent> events;
  for (const Estimate& e : estimates) engine.Update(e, events);
  Flaps flaps;
  for (const Geofence& f : set) {
    const auto count = [&](auto wanted) {
      return static_cast<std::size_t>(
          std::count_if(events.begin(), events.end(), [&](const FenceEvent& e) {
            return e.id == f.id && wanted(e.transition == FenceTransition::kRejected);
          }));
    };
    const std::size_t crossings = count([](bool rejected) { return !rejected; });
    const auto at_rest = static_cast<std::size_t>(
        std::count_if(events.begin(), events.end(), [&](const FenceEvent& e) {
          return e.id == f.id && e.transition != FenceTransition::kRejected &&
                 e.time > estimates.front().time + std::chrono::minutes(2);
        }));
    flaps.most_at_rest = std::max(flaps.most_at_rest, at_rest);
    flaps.most = std::max(flaps.most, crossings);
    flaps.fences_with_events += crossings > 0 ? 1 : 0;
    flaps.rejected_most =
        std::max(flaps.rejected_most, count([](bool rejected) { return rejected; }));
  }
  return flaps;
}

// The fixes as they stand, each as sure as it says.
std::vector<Estimate> Raw(const std::vector<Fix>& fixes) {
  std::vector<Estimate> out;
  for (const Fix& f : fixes) {
    Estimate e;
    e.time = f.time;
    e.utc = f.utc;
    e.position = f.position;
    const double r68_m = f.horizontal_accuracy_m.value_or(EstimatorOptions{}.default_accuracy_m);
    const double sigma = r68_m / 1.515;  // of a 2-d normal
    e.cov_ee_m2 = e.cov_nn_m2 = sigma * sigma;
    out.push_back(e);
  }
  return out;
}

std::vector<Estimate> Estimated(const std::vector<Fix>& fixes) {
  auto estimator = Estimator::Create({});
  std::vector<Estimate> out;
  for (const Fix& f : fixes) {
    estimator.value().Update(f, {f.time, *f.utc});
    if (const auto e = estimator.value().Latest()) out.push_back(*e);
  }
  return out;
}

void ExpectCalm(const std::string& name, const std::vector<Fix>& fixes, std::size_t most) {
  const auto set = Borders(fixes);
  for (const bool raw : {true, false}) {
    const Flaps flaps = Play(raw ? Raw(fixes) : Estimated(fixes), set);
    std::printf("%s, %s: %zu fences of %zu with events, at most %zu, rejected at most %zu\n",
                name.c_str(), raw ? "raw fixes" : "estimates", flaps.fences_with_events, set.size(),
                flaps.most, flaps.rejected_most);
    EXPECT_LE(flaps.most, most) << name;
    EXPECT_LE(flaps.most_at_rest, 1u) << name;
    EXPECT_LE(flaps.rejected_most, 2u) << name;
  }
}

TEST(Flapping, EightHoursOfRecordedRestGiveAtMostOneEvent) {
  std::size_t played = 0;
  for (const Standing& standing : kStandings) {
    const auto fixes = EightHours(Recorded(standing));
    if (fixes.empty()) continue;
    ++played;
    ExpectCalm(standing.session, fixes, 1);
  }
  if (played == 0) GTEST_SKIP() << "no recordings under " WAYMARK_SHARED_DATA;
  EXPECT_EQ(played, std::size(kStandings));
}

// A first decision at nine parts in ten may be wrong: then one more puts it right.
TEST(Flapping, EightHoursOfSimulatedRestGiveAtMostOneEvent) {
  for (std::size_t k = 0; k < std::size(kNoises); ++k) {
    ExpectCalm("noise " + std::to_string(k), Simulated(kNoises[k], 20251009 + k), 2);
  }
}

}  // namespace
}  // namespace waymark
