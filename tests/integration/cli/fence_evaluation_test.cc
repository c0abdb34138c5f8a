// `evaluate --geofences` as a person meets it: a simulated drive and its truth, circles on the way,
// and the metrics computed once more from the truth and the events that `run` reports.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/temp_dir.h"

namespace waymark {
namespace {

using Json = nlohmann::json;
using Row = std::vector<std::string>;

struct Point {
  double time_s = 0, lat_deg = 0, lon_deg = 0;
};

struct Crossing {
  std::string id;
  bool enter = false;
  double time_s = 0;
  bool taken = false;
};

// On a sphere: good to 0.3 % of the few hundred metres that matter.
double ApartM(const Point& a, const Point& b) {
  constexpr double kRad = 3.14159265358979323846 / 180;
  const double x = (b.lon_deg - a.lon_deg) * std::cos(a.lat_deg * kRad), y = b.lat_deg - a.lat_deg;
  return 6371008.8 * kRad * std::hypot(x, y);
}

class FenceEvaluation : public ::testing::Test {
 protected:
  static constexpr double kRadiusM = 80;

  void Simulate(const std::string& more = {}) {
    Run("simulate --scenario suburb --seed 7 --duration 1800 --quiet --out t.gpx --truth-out " +
        std::string("truth.csv ") + more);
    for (const Row& row : Rows("truth.csv")) {
      truth_.push_back({std::stod(row[0]) / 1000, std::stod(row[1]), std::stod(row[2])});
    }
    ASSERT_GT(truth_.size(), 1700u);
  }

  // Circles around places of the truth, one every two and a half minutes.
  void PlaceFences() {
    Json features = Json::array();
    for (std::size_t k = 100; k < truth_.size(); k += 150) {
      const std::string id = "f" + std::to_string(k);
      fences_.emplace_back(id, truth_[k]);
      features.push_back(
          {{"type", "Feature"},
           {"properties", {{"id", id}, {"radius_m", kRadiusM}}},
           {"geometry",
            {{"type", "Point"}, {"coordinates", {truth_[k].lon_deg, truth_[k].lat_deg}}}}});
    }
    std::ofstream(folder_ / "f.geojson")
        << Json{{"type", "FeatureCollection"}, {"features", features}};
  }

  std::vector<Crossing> TrueCrossings() const {
    std::vector<Crossing> out;
    for (const auto& [id, centre] : fences_) {
      double before = ApartM(truth_[0], centre) - kRadiusM;
      if (before < 0) out.push_back({id, true, truth_[0].time_s});
      for (std::size_t i = 1; i < truth_.size(); ++i) {
        const double d = ApartM(truth_[i], centre) - kRadiusM;
        if ((d < 0) != (before < 0)) {
          const double share = std::fabs(before) / (std::fabs(before) + std::fabs(d));
          out.push_back({id, d < 0,
                         truth_[i - 1].time_s + share * (truth_[i].time_s - truth_[i - 1].time_s)});
        }
        before = d;
      }
    }
    return out;
  }

  std::vector<Crossing> ReportedCrossings() const {
    Run("run t.gpx --geofences f.geojson --events-out events.csv --quiet");
    std::vector<Crossing> out;
    for (const Row& row : Rows("events.csv")) {
      const bool enter = row[1] == "fence_enter";
      if (enter || row[1] == "fence_exit") out.push_back({row[2], enter, std::stod(row[0]) / 1000});
    }
    return out;
  }

  Json Evaluate(const std::string& truth) const {
    Run("evaluate t.gpx --truth " + truth + " --geofences f.geojson --json - > out.json");
    std::ifstream file(folder_ / "out.json");
    return Json::parse(file)["geofences"];
  }

  void Run(const std::string& arguments) const {
    const std::string command =
        "cd '" + folder_.path() + "' && " WAYMARK_REPLAY_TOOL " " + arguments;
    ASSERT_EQ(std::system(command.c_str()), 0) << arguments;
  }

  std::vector<Row> Rows(const std::string& name) const {
    std::ifstream file(folder_ / name);
    std::vector<Row> rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      std::istringstream cells(line);
      Row row;
      for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  double Hours() const { return (truth_.back().time_s - truth_.front().time_s) / 3600; }

  testing::TempDir folder_;
  std::vector<Point> truth_;
  std::vector<std::pair<std::string, Point>> fences_;
};

TEST_F(FenceEvaluation, AgreesWithAnIndependentCount) {
  Simulate();
  PlaceFences();
  std::vector<Crossing> expected = TrueCrossings();
  const std::vector<Crossing> reported = ReportedCrossings();
  ASSERT_GE(expected.size(), 20u);
  std::vector<double> errors;
  for (const Crossing& event : reported) {
    Crossing* best = nullptr;
    for (Crossing& c : expected) {
      if (c.taken || c.id != event.id || c.enter != event.enter) continue;
      const double apart = std::fabs(c.time_s - event.time_s);
      if (apart < 60 && (best == nullptr || apart < std::fabs(best->time_s - event.time_s))) {
        best = &c;
      }
    }
    if (best == nullptr) continue;
    best->taken = true;
    errors.push_back(std::fabs(best->time_s - event.time_s));
  }
  ASSERT_FALSE(errors.empty());
  const auto matched = static_cast<double>(errors.size());
  const Json metrics = Evaluate("truth.csv");
  EXPECT_EQ(metrics["true_crossings"], expected.size());
  EXPECT_EQ(metrics["matched"], errors.size());
  EXPECT_NEAR(metrics["precision"], matched / static_cast<double>(reported.size()), 1e-3);
  EXPECT_NEAR(metrics["recall"], matched / static_cast<double>(expected.size()), 1e-3);
  EXPECT_NEAR(metrics["flips_per_hour"], (static_cast<double>(reported.size()) - matched) / Hours(),
              1e-3);
  std::nth_element(errors.begin(), errors.begin() + static_cast<long>(errors.size() / 2),
                   errors.end());
  EXPECT_NEAR(metrics["crossing_error_p50_s"], errors[errors.size() / 2], 0.1);
  // What is asked of the product on such a drive.
  EXPECT_EQ(metrics["recall"], 1.0);
  EXPECT_EQ(metrics["precision"], 1.0);
  EXPECT_LT(metrics["latency_p95_s"], 5.0);
}

TEST_F(FenceEvaluation, LatencyGrowsWithTheIntervalOfTheFixes) {
  Simulate();
  PlaceFences();
  const double each_second = Evaluate("truth.csv")["latency_p50_s"];
  truth_.clear();
  Simulate("--interval 20");
  const Json sparse = Evaluate("truth.csv");
  EXPECT_GT(each_second, 0);
  EXPECT_GT(sparse["latency_p50_s"], each_second + 5);
  EXPECT_LT(sparse["latency_p50_s"], each_second + 20);
}

// By a truth that never came near, every event is a flip.
TEST_F(FenceEvaluation, EventsWithoutATrueCrossingAreFlips) {
  Simulate();
  PlaceFences();
  std::ofstream elsewhere(folder_ / "elsewhere.csv");
  elsewhere << "utc_ms,lat_deg,lon_deg\n" << std::fixed;
  for (const Point& p : truth_) {
    elsewhere << static_cast<long long>(p.time_s * 1000) << ',' << p.lat_deg + 1 << ',' << p.lon_deg
              << '\n';
  }
  elsewhere.close();
  const auto reported = static_cast<double>(ReportedCrossings().size());
  const Json metrics = Evaluate("elsewhere.csv");
  EXPECT_EQ(metrics["true_crossings"], 0);
  EXPECT_EQ(metrics["precision"], 0.0);
  EXPECT_FALSE(metrics.contains("recall"));
  EXPECT_FALSE(metrics.contains("latency_p50_s"));
  EXPECT_NEAR(metrics["flips_per_hour"], reported / Hours(), 0.01);
}

}  // namespace
}  // namespace waymark
