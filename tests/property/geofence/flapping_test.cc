// Parked on a border for eight hours of real noise: at most one event. The noise is a phone that
// lay in one place for five hours (ssi-opengeodata), played forwards and then backwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include "sdk/geofence/geofence_engine.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

constexpr double kHours = 8;

std::vector<Fix> EightHoursAtRest() {
  std::ifstream in(WAYMARK_SHARED_DATA "/traces/ssi-opengeodata/Utrecht6-2024-07-05/fixes.csv");
  std::vector<Fix> one_way;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream cells(line);
    std::string utc, lat, lon;
    std::getline(cells, utc, ',');
    std::getline(cells, lat, ',');
    std::getline(cells, lon, ',');
    Fix fix;
    fix.utc = UtcTime(std::chrono::milliseconds(std::stoll(utc)));
    fix.position = {std::stod(lat), std::stod(lon)};
    one_way.push_back(fix);
  }
  if (one_way.empty()) return {};
  // The device was carried around at the ends: the hours in one place are what is wanted.
  std::vector<double> lats, lons;
  for (const Fix& f : one_way) {
    lats.push_back(f.position.lat_deg);
    lons.push_back(f.position.lon_deg);
  }
  std::nth_element(lats.begin(), lats.begin() + static_cast<long>(lats.size() / 2), lats.end());
  std::nth_element(lons.begin(), lons.begin() + static_cast<long>(lons.size() / 2), lons.end());
  const LatLon middle{lats[lats.size() / 2], lons[lons.size() / 2]};
  std::size_t begin = 0, end = one_way.size();
  for (std::size_t i = 0; i < one_way.size(); ++i) {
    if (DistanceM(one_way[i].position, middle) < 150) continue;
    (i < one_way.size() / 2 ? begin : end) = i < one_way.size() / 2 ? i + 1 : std::min(end, i);
  }
  std::vector<Fix> rest(one_way.begin() + static_cast<long>(begin),
                        one_way.begin() + static_cast<long>(end));
  std::vector<Fix> out;
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
  std::size_t most = 0, fences_with_events = 0, rejected_most = 0;
  double phantom_m = 0;
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
    flaps.most = std::max(flaps.most, crossings);
    flaps.fences_with_events += crossings > 0 ? 1 : 0;
    flaps.rejected_most =
        std::max(flaps.rejected_most, count([](bool rejected) { return rejected; }));
  }
  return flaps;
}

TEST(Flapping, EightHoursOnABorderGiveAtMostOneEvent) {
  const auto fixes = EightHoursAtRest();
  if (fixes.empty()) GTEST_SKIP() << "no recordings under " WAYMARK_SHARED_DATA;
  const auto set = Borders(fixes);
  // The fixes as they stand, as if each were sure to its default radius.
  std::vector<Estimate> raw;
  for (const Fix& f : fixes) {
    Estimate e;
    e.time = f.time;
    e.utc = f.utc;
    e.position = f.position;
    const double sigma = EstimatorOptions{}.default_accuracy_m / 1.515;  // r68 of a 2-d normal
    e.cov_ee_m2 = e.cov_nn_m2 = sigma * sigma;
    raw.push_back(e);
  }
  const Flaps flaps = Play(raw, set);
  std::printf("raw fixes: %zu fences of %zu with events, at most %zu, rejected at most %zu\n",
              flaps.fences_with_events, set.size(), flaps.most, flaps.rejected_most);
  EXPECT_LE(flaps.most, 1u);
  EXPECT_LE(flaps.rejected_most, 2u);
}

TEST(Flapping, EightHoursThroughTheEstimatorGiveAtMostOneEvent) {
  const auto fixes = EightHoursAtRest();
  if (fixes.empty()) GTEST_SKIP() << "no recordings under " WAYMARK_SHARED_DATA;
  const auto set = Borders(fixes);
  auto estimator = Estimator::Create({});
  ASSERT_TRUE(estimator.ok());
  std::vector<Estimate> estimates;
  for (const Fix& f : fixes) {
    estimator.value().Update(f, {f.time, *f.utc});
    if (const auto e = estimator.value().Latest()) estimates.push_back(*e);
  }
  const Flaps flaps = Play(estimates, set);
  std::printf("estimates: %zu fences of %zu with events, at most %zu, rejected at most %zu\n",
              flaps.fences_with_events, set.size(), flaps.most, flaps.rejected_most);
  EXPECT_LE(flaps.most, 1u);
  EXPECT_LE(flaps.rejected_most, 2u);
}

}  // namespace
}  // namespace waymark
