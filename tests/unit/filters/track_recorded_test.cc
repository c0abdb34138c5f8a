// Motion and odometer behind the estimator on recorded traces: a phone that lay at home for five
// hours, and a drive with survey-grade truth.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "filters/motion_detector.h"
#include "filters/odometer.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using Row = std::map<std::string, double>;

std::vector<Row> ReadCsv(const std::string& path) {
  std::ifstream in(path);
  std::vector<Row> rows;
  std::string line, cell;
  std::vector<std::string> names;
  while (std::getline(in, line)) {
    std::istringstream cells(line);
    Row row;
    for (std::size_t i = 0; std::getline(cells, cell, ','); ++i) {
      if (rows.empty() && names.size() <= i) {
        names.push_back(cell);
      } else if (!cell.empty() && i < names.size()) {
        row[names[i]] = std::strtod(cell.c_str(), nullptr);
      }
    }
    if (!row.empty()) rows.push_back(row);
  }
  return rows;
}

std::optional<double> Get(const Row& row, const char* name) {
  const auto it = row.find(name);
  return it == row.end() ? std::nullopt : std::optional<double>(it->second);
}

Fix FixOf(const Row& row) {
  const auto ms = static_cast<std::int64_t>(row.at("utc_ms"));
  Fix f;
  f.time = MonoTime(std::chrono::milliseconds(ms));
  f.utc = UtcTime(std::chrono::milliseconds(ms));
  f.position = {row.at("lat_deg"), row.at("lon_deg")};
  f.horizontal_accuracy_m = Get(row, "horizontal_accuracy_m");
  f.speed_mps = Get(row, "speed_mps");
  f.course_deg = Get(row, "course_deg");
  return f;
}

struct Result {
  double raw_m = 0;
  std::vector<std::pair<std::int64_t, Distance>> readings;
};

Result Replay(const std::vector<Row>& rows) {
  Result result;
  Estimator estimator = Estimator::Create({}).value();
  MotionDetector detector;
  Odometer odometer;
  std::vector<MotionEvent> events;
  std::optional<LatLon> before;
  for (const Row& row : rows) {
    const auto ms = static_cast<std::int64_t>(row.at("utc_ms"));
    const Fix f = FixOf(row);
    if (before) result.raw_m += DistanceM(*before, f.position);
    before = f.position;
    const Verdict verdict = estimator.Update(f, {f.time, *f.utc});
    const std::optional<Estimate> live = estimator.Latest();
    if (!live) continue;
    detector.Update(*live, f, verdict, odometer.total(), events);
    odometer.Update(*live, detector.motion(), &f, detector.way());
    result.readings.push_back({ms, odometer.total()});
  }
  return result;
}

TEST(RecordedTrack, APhoneAtHomeGoesNowhere) {
  const std::vector<Row> rows =
      ReadCsv(WAYMARK_SHARED_DATA "/traces/ssi-opengeodata/Utrecht6-2024-07-05/fixes.csv");
  if (rows.empty()) GTEST_SKIP() << "no recorded traces at " WAYMARK_SHARED_DATA;
  const Result result = Replay(rows);
  ASSERT_GT(result.raw_m, 5000);
  EXPECT_LE(result.readings.back().second.distance_m, 50);
}

TEST(RecordedTrack, TheOdometerOfADriveIsRightWithinItsBound) {
  const std::string dir = WAYMARK_SHARED_DATA "/traces/gsdc-android/2020-06-05-US-MTV-2_Pixel4XL";
  const std::vector<Row> rows = ReadCsv(dir + "/fixes.csv");
  const std::vector<Row> truth = ReadCsv(dir + "/truth.csv");
  if (rows.empty() || truth.empty()) GTEST_SKIP() << "no recorded traces at " WAYMARK_SHARED_DATA;
  const Result result = Replay(rows);
  const std::int64_t begin = result.readings.front().first, end = result.readings.back().first;
  double way_m = 0;
  std::optional<LatLon> before;
  for (std::size_t i = 0; i < truth.size(); i += 10) {
    const auto ms = static_cast<std::int64_t>(truth[i].at("utc_ms"));
    if (ms < begin || ms > end) continue;
    const LatLon at{truth[i].at("lat_deg"), truth[i].at("lon_deg")};
    const double step_m = before ? DistanceM(*before, at) : 0;
    if (step_m > 0.05) way_m += step_m;  // the truth's own jitter at rest is no way
    before = at;
  }
  const Distance measured = result.readings.back().second;
  EXPECT_NEAR(measured.distance_m, way_m, 0.005 * way_m);
  EXPECT_NEAR(measured.distance_m, way_m, measured.bound_m);
  EXPECT_LT(measured.bound_m, 0.01 * way_m);
}

// Fixes in motion, and those of them whose velocity the positions deny. `turned`: with courses
// turned round.
std::pair<int, int> DeniedVelocities(const std::vector<Row>& rows, bool turned) {
  Estimator estimator = Estimator::Create({}).value();
  int moving = 0, denied = 0;
  for (const Row& row : rows) {
    Fix f = FixOf(row);
    if (turned && f.course_deg) f.course_deg = std::fmod(*f.course_deg + 180, 360);
    estimator.Update(f, {f.time, *f.utc});
    if (!(f.speed_mps.value_or(0) > 0)) continue;
    ++moving;
    denied += !estimator.Heard(f).speed_mps;
  }
  return {moving, denied};
}

// Whoever made the receiver: cars, motorcycles, bicycles, trains and people on foot.
TEST(RecordedTrack, NoReceiverIsDeniedItsVelocityButOneThatIsTurnedRound) {
  namespace fs = std::filesystem;
  std::error_code error;
  int moving = 0, turned = 0;
  for (const auto& entry : fs::recursive_directory_iterator(WAYMARK_SHARED_DATA "/traces", error)) {
    if (entry.path().extension() != ".csv" || entry.path().stem().string().rfind("fixes", 0) != 0)
      continue;
    const std::vector<Row> rows = ReadCsv(entry.path().string());
    const auto [n, denied] = DeniedVelocities(rows, false);
    EXPECT_EQ(denied, 0) << entry.path();
    moving += n;
    turned += DeniedVelocities(rows, true).second;
  }
  if (moving == 0) GTEST_SKIP() << "no recorded traces at " WAYMARK_SHARED_DATA;
  EXPECT_GT(turned, moving / 3);  // not who walks, or tells of himself seldom
  RecordProperty("fixes_in_motion", moving);
}

}  // namespace
}  // namespace waymark
