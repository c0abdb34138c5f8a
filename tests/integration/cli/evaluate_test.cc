// `evaluate` as a person or a script meets it, and the memory of long replays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "integration/cli/tool_test.h"

namespace waymark {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using testing::Outcome;

class EvaluateCli : public testing::ToolTest {
 protected:
  Json Result(const std::string& arguments) const {
    const Outcome outcome = Run(arguments + " --json - --quiet");
    EXPECT_EQ(outcome.exit_status, 0) << arguments << "\n" << outcome.err;
    return Json::parse(outcome.out, nullptr, false);
  }
  // 25 min with stops, truth and diary.
  void Simulate(const std::string& more = "") const {
    const Outcome made =
        Run("simulate --scenario suburb --duration 1500 --seed 4 --fixes-out t.csv --truth-out "
            "truth.csv --labels-out labels.csv " +
            more);
    ASSERT_EQ(made.exit_status, 0) << made.err;
  }
};

void ExpectKeys(const Json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) EXPECT_TRUE(object.contains(key)) << key << " in " << object.dump();
}

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

// The columns utc_ms,lat_deg,lon_deg of a CSV whose first three they are.
struct Place {
  long long utc_ms;
  double lat_deg, lon_deg, r68_m;
};
std::vector<Place> Places(const std::string& text) {
  std::vector<Place> places;
  std::istringstream in(text);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::vector<std::string> c = Split(line);
    places.push_back({std::stoll(c[0]), std::stod(c[1]), std::stod(c[2]),
                      c.size() > 3 && !c[3].empty() ? std::stod(c[3]) : 0});
  }
  return places;
}

TEST_F(EvaluateCli, HasEveryKeyOfTheContract) {
  Simulate();
  const Json r = Result("evaluate t.csv --truth truth.csv --labels labels.csv");
  EXPECT_EQ(r["schema"], "waymark.replay/1");
  ExpectKeys(r["trace"], {"path", "format", "points", "duration_s", "first_utc_ms", "last_utc_ms",
                          "distance_m"});
  ExpectKeys(r["fixes"], {"read", "accepted", "adjusted", "provisional", "rejected"});
  ExpectKeys(r, {"estimates", "records"});
  ExpectKeys(r["odometer"], {"distance_m", "error_bound_m", "stationary_m"});
  ExpectKeys(r["motion"], {"moving_s", "stationary_s", "stops", "gaps"});
  for (const char* track : {"raw", "live", "smoothed", "records"}) {
    const Json& a = r["accuracy"][track];
    ExpectKeys(a, {"n", "p50_m", "p68_m", "p95_m", "p99_m", "rmse_m", "max_m", "score_m",
                   "cross_track_p50_m", "cross_track_p95_m", "p95_ci_m"});
    EXPECT_NEAR(a["score_m"].get<double>(),
                (a["p50_m"].get<double>() + a["p95_m"].get<double>()) / 2, 1e-4);
    EXPECT_LE(a["p95_ci_m"][0], a["p95_m"]);
    EXPECT_GE(a["p95_ci_m"][1], a["p95_m"]);
  }
  for (const char* track : {"live", "smoothed"}) {
    ExpectKeys(r["calibration"][track], {"coverage68", "coverage95", "nees_mean"});
  }
  ExpectKeys(r["path"], {"length_error_fraction", "frechet_m", "hausdorff_m", "speed_rmse_mps",
                         "course_p95_deg", "phantom_stationary_m", "raw_phantom_stationary_m"});
  ExpectKeys(r["stops"], {"f1"});
  ExpectKeys(r["timing"], {"wall_s", "ns_per_fix", "peak_rss_bytes", "read_s", "evaluate_s",
                           "replay_s", "smoothing_s"});
}

// Between red lights and errands: a stop need not last as long as a stay to be one. (Two of the
// diary's eight, 15 s and some metres apart, are one stay.)
TEST_F(EvaluateCli, StopsOfAMinuteAreFound) {
  ASSERT_EQ(Run("simulate --scenario open --movement drive --duration 7200 --seed 4 --fixes-out "
                "t.csv --truth-out truth.csv --labels-out labels.csv")
                .exit_status,
            0);
  const Json r = Result("evaluate t.csv --truth truth.csv --labels labels.csv");
  EXPECT_GE(r["stops"]["reference"], 3) << r["stops"];
  EXPECT_GE(r["stops"]["recall"], 0.85) << r["stops"];
  EXPECT_GE(r["stops"]["precision"], 0.9) << r["stops"];
}

TEST_F(EvaluateCli, WhatNoTruthToldIsAbsent) {
  Simulate();
  const Json labels = Result("evaluate t.csv --labels labels.csv");
  for (const char* key : {"accuracy", "calibration", "ratios"}) {
    EXPECT_FALSE(labels.contains(key)) << key;
  }
  EXPECT_TRUE(labels.contains("phantom"));
  EXPECT_FALSE(labels["path"].contains("frechet_m"));

  Write("route.csv", "lat_deg,lon_deg\n50.1,8.6\n50.2,8.7\n");
  const Json route = Result("evaluate t.csv --route route.csv");
  EXPECT_TRUE(route["accuracy"]["raw"].contains("cross_track_p95_m"));
  EXPECT_FALSE(route["accuracy"]["raw"].contains("p50_m"));
  for (const char* key : {"calibration", "path", "stops", "phantom"}) {
    EXPECT_FALSE(route.contains(key)) << key;
  }
  EXPECT_EQ(Run("evaluate t.csv").exit_status, 2);
}

// By another formula, from what the tool wrote and the truth: at a 1 Hz truth every whole second is
// an instant of it.
TEST_F(EvaluateCli, TheFiguresFollowFromTheOutputs) {
  Simulate();
  for (const char* mode : {"", " --at-truth"}) {
    const Json r = Result(std::string("evaluate t.csv --truth truth.csv --live-out live.csv "
                                      "--smoothed-out smoothed.csv") +
                          mode);
    const std::vector<Place> truth = Places(Read("truth.csv"));
    for (const char* track : {"live", "smoothed"}) {
      std::vector<double> errors;
      double squares = 0, inside = 0;
      std::size_t k = 0;
      for (const Place& p : Places(Read(std::string(track) + ".csv"))) {
        while (k + 1 < truth.size() && truth[k + 1].utc_ms <= p.utc_ms) ++k;
        double lat = truth[k].lat_deg, lon = truth[k].lon_deg;
        if (truth[k].utc_ms != p.utc_ms) {
          ASSERT_LT(k + 1, truth.size());
          const double u = static_cast<double>(p.utc_ms - truth[k].utc_ms) /
                           static_cast<double>(truth[k + 1].utc_ms - truth[k].utc_ms);
          lat += u * (truth[k + 1].lat_deg - lat);
          lon += u * (truth[k + 1].lon_deg - lon);
        }
        // Local radii of the ellipsoid.
        const double phi = lat * 3.14159265358979 / 180, s = std::sin(phi);
        const double w = std::sqrt(1 - 0.00669437999014 * s * s);
        const double north = (p.lat_deg - lat) * 3.14159265358979 / 180 * 6378137 *
                             (1 - 0.00669437999014) / (w * w * w);
        const double east =
            (p.lon_deg - lon) * 3.14159265358979 / 180 * 6378137 / w * std::cos(phi);
        errors.push_back(std::hypot(east, north));
        squares += errors.back() * errors.back();
        inside += errors.back() <= p.r68_m ? 1 : 0;
      }
      std::sort(errors.begin(), errors.end());
      const auto n = static_cast<double>(errors.size());
      const auto quantile = [&](double p) {
        const auto i = static_cast<std::size_t>(p * (n - 1));
        const double f = p * (n - 1) - static_cast<double>(i);
        return i + 1 < errors.size() ? errors[i] + f * (errors[i + 1] - errors[i]) : errors[i];
      };
      const Json& a = r["accuracy"][track];
      ASSERT_EQ(a["n"].get<std::size_t>(), errors.size()) << track << mode;
      const double tolerance = 1e-3;
      EXPECT_NEAR(a["p50_m"].get<double>(), quantile(0.50), tolerance) << track << mode;
      EXPECT_NEAR(a["p68_m"].get<double>(), quantile(0.68), tolerance) << track << mode;
      EXPECT_NEAR(a["p95_m"].get<double>(), quantile(0.95), tolerance) << track << mode;
      EXPECT_NEAR(a["p99_m"].get<double>(), quantile(0.99), tolerance) << track << mode;
      EXPECT_NEAR(a["rmse_m"].get<double>(), std::sqrt(squares / n), tolerance) << track << mode;
      EXPECT_NEAR(a["max_m"].get<double>(), errors.back(), tolerance) << track << mode;
      EXPECT_NEAR(r["calibration"][track]["coverage68"].get<double>(), inside / n, 2 / n)
          << track << mode;
    }
  }
}

// The cells of each row of a CSV from column `from` on, by its utc_ms.
std::map<long long, std::vector<std::string>> CellsFrom(std::size_t from, const std::string& text) {
  std::map<long long, std::vector<std::string>> rows;
  std::istringstream in(text);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    const std::vector<std::string> c = Split(line);
    rows[std::stoll(c[0])] = {c.begin() + static_cast<std::ptrdiff_t>(from), c.end()};
  }
  return rows;
}

// Each distance of `ours` from the truth with that of the raw fix of the same instant.
std::vector<std::pair<double, double>> Paired(const std::vector<Place>& ours,
                                              const std::vector<Place>& raw,
                                              const std::vector<Place>& truth) {
  const auto distance = [](const Place& p, const Place& q) {
    const double north = (p.lat_deg - q.lat_deg) * 111'200;
    const double east = (p.lon_deg - q.lon_deg) * 111'400 * std::cos(q.lat_deg * 0.0174532925);
    return std::hypot(north, east);
  };
  std::map<long long, Place> raw_at, ours_at;
  for (const Place& p : raw) raw_at[p.utc_ms] = p;
  for (const Place& p : ours) ours_at[p.utc_ms] = p;
  std::vector<std::pair<double, double>> pairs;
  for (const Place& t : truth) {
    if (!raw_at.contains(t.utc_ms) || !ours_at.contains(t.utc_ms)) continue;
    pairs.emplace_back(distance(ours_at[t.utc_ms], t), distance(raw_at[t.utc_ms], t));
  }
  return pairs;
}

// Some fixes are thrown 3 km off, all arrive at once, and there is truth at their own times.
class EvaluateOutliers : public EvaluateCli {
 protected:
  void SetUp() override {
    Simulate();
    std::istringstream in(Read("t.csv"));
    std::string line, thrown, truth = "utc_ms,lat_deg,lon_deg\n";
    std::getline(in, line);
    thrown = line + "\n";
    const std::vector<std::string> header = Split(line);
    const auto received = static_cast<std::size_t>(
        std::find(header.begin(), header.end(), "received_utc_ms") - header.begin());
    for (int i = 0; std::getline(in, line); ++i) {
      std::vector<std::string> c = Split(line);
      truth += c[0] + "," + c[1] + "," + c[2] + "\n";
      if (received < c.size()) c[received].clear();
      if (i % 40 == 39) c[1] = std::to_string(std::stod(c[1]) + 0.03);
      for (std::size_t k = 0; k < c.size(); ++k) thrown += (k == 0 ? "" : ",") + c[k];
      thrown += "\n";
    }
    Write("t.csv", thrown);
    Write("at_fixes.csv", truth);
  }
};

// An outlier that the smoothed track left out is raw's alone: in `accuracy`, but not in `ratios`.
TEST_F(EvaluateOutliers, RatiosAreOverTheSameInstants) {
  Json r = Result("evaluate t.csv --truth at_fixes.csv --live-out live.csv --smoothed-out s.csv");
  ASSERT_LT(r["accuracy"]["smoothed"]["n"], r["accuracy"]["raw"]["n"]);
  const std::vector<Place> raw = Places(Read("t.csv")), truth = Places(Read("at_fixes.csv"));
  const auto live = Paired(Places(Read("live.csv")), raw, truth);
  double ours = 0, theirs = 0;
  for (const auto& [a, b] : live) {
    ours += a * a;
    theirs += b * b;
  }
  EXPECT_EQ(r["ratios"]["live"]["n"], live.size());
  EXPECT_NEAR(r["ratios"]["live"].value("rmse", 0.0), std::sqrt(ours / theirs), 1e-3);
  // The smoothed track has a place where a fix was refused, and is asked there too.
  EXPECT_EQ(r["ratios"]["smoothed"]["n"], r["accuracy"]["raw"]["n"]);
  Json all = Result("evaluate t.csv --truth at_fixes.csv --at-truth")["accuracy"];
  EXPECT_NEAR(r["ratios"]["smoothed"].value("rmse", 0.0),
              all["smoothed"]["rmse_m"].get<double>() / all["raw"]["rmse_m"].get<double>(), 1e-3);
  EXPECT_EQ(r["ratios"]["records"]["n"], r["accuracy"]["records"]["n"]);
}

TEST_F(EvaluateOutliers, BetweenFixesLiveIsHeldAgainstWhatHadArrived) {
  const Outcome outcome =
      Run("evaluate t.csv --truth truth.csv --every 20 --at-truth --json r.json");
  Json r = Json::parse(Read("r.json"));
  const Json live = r["accuracy"]["live"], hold = r["accuracy"]["raw_hold"];
  EXPECT_NEAR(r["ratios"]["live"].value("p50", 0.0),
              live["p50_m"].get<double>() / hold["p50_m"].get<double>(), 0.02);
  EXPECT_EQ(r["ratios"]["live"]["n"], std::min(live["n"], hold["n"]));
  EXPECT_THAT(outcome.out, HasSubstr("live / raw_hold"));
  EXPECT_THAT(outcome.out, HasSubstr("smoothed / raw "));
}

TEST_F(EvaluateOutliers, RowsAtTruthTellTheNewestVerdict) {
  const std::string arguments = "evaluate t.csv --truth at_fixes.csv ";
  Result(arguments + "--live-out fixes.csv --smoothed-out knots.csv");
  Result(arguments + "--at-truth --live-out live.csv --smoothed-out smoothed.csv");
  constexpr std::size_t kMotion = 8, kVerdict = 9;
  const auto live = CellsFrom(kMotion, Read("live.csv"));
  const auto fixes = CellsFrom(kMotion, Read("fixes.csv"));
  EXPECT_GT(live.size(), 1000U);
  for (const auto& [utc_ms, cells] : live) EXPECT_EQ(cells, fixes.at(utc_ms)) << utc_ms;
  const auto smoothed = CellsFrom(kVerdict, Read("smoothed.csv"));
  for (const auto& [utc_ms, cells] : CellsFrom(kVerdict, Read("knots.csv"))) {
    EXPECT_EQ(cells, smoothed.at(utc_ms)) << utc_ms;
  }
  for (const char* file : {"live.csv", "smoothed.csv"}) {
    EXPECT_THAT(Read(file), HasSubstr(",rejected\n"));
  }
}

// What the reference tells of other times changes nothing.
TEST_F(EvaluateCli, NothingIsJudgedOutsideOfTheTrace) {
  Simulate();
  std::istringstream in(Read("t.csv"));
  std::string line, part;
  std::vector<std::string> utc;
  for (int i = 0; i < 600 && std::getline(in, line); ++i) {
    part += line + "\n";
    utc.push_back(Split(line)[0]);
  }
  Write("part.csv", part);
  const long long end_ms = std::stoll(utc.back());
  std::istringstream labels(Read("labels.csv"));
  std::string cut;
  std::getline(labels, line);
  cut = line + "\n";
  while (std::getline(labels, line) && std::stoll(Split(line)[0]) < end_ms) cut += line + "\n";
  Write("cut.csv", cut + std::to_string(end_ms) + ",,\n");
  const Json whole = Result("evaluate part.csv --truth truth.csv --labels labels.csv");
  const Json within = Result("evaluate part.csv --truth truth.csv --labels cut.csv");
  EXPECT_LT(whole["phantom"]["stationary_s"], 600);
  EXPECT_EQ(whole["phantom"], within["phantom"]);
  EXPECT_EQ(whole["stops"], within["stops"]);
  const Json truth = Result("evaluate part.csv --truth truth.csv");
  EXPECT_LT(truth["phantom"]["stationary_s"], 600);
}

TEST_F(EvaluateCli, AReferenceOfAnotherTimeDoesNotPassInSilence) {
  Simulate();
  std::istringstream in(Read("truth.csv"));
  std::string line, seconds, sparse;
  for (int i = 0; std::getline(in, line); ++i) {
    const std::vector<std::string> c = Split(line);
    seconds += (i == 0 ? c[0] : c[0].substr(0, c[0].size() - 3)) + "," + c[1] + "," + c[2] + "\n";
    if (i == 0 || i % 5 == 1) sparse += line + "\n";
  }
  Write("seconds.csv", seconds);
  Write("all.csv", "trace,truth\nt.csv,seconds.csv\n");
  for (const char* what : {"t.csv --truth seconds.csv", "--manifest all.csv"}) {
    const Outcome refused = Run(std::string("evaluate --quiet ") + what);
    EXPECT_EQ(refused.exit_status, 3);
    EXPECT_THAT(refused.err, HasSubstr("seconds.csv: the truth lies outside the trace: 19"));
    EXPECT_THAT(refused.err, HasSubstr(", the trace 20"));
    EXPECT_EQ(std::count(refused.err.begin(), refused.err.end(), '\n'), 1) << refused.err;
  }
  Write("old.csv", "utc_ms,stationary,mode\n1000,1,\n2000,0,\n3000,,\n");
  const Outcome diary = Run("evaluate t.csv --truth truth.csv --labels old.csv --quiet");
  EXPECT_EQ(diary.exit_status, 0);
  EXPECT_THAT(diary.err, HasSubstr("old.csv: the diary lies outside the trace"));

  Write("sparse.csv", sparse);
  const Outcome gaps = Run("evaluate t.csv --truth sparse.csv --quiet --json r.json");
  EXPECT_EQ(gaps.exit_status, 0);
  EXPECT_THAT(gaps.err, HasSubstr("--truth-max-gap"));
  EXPECT_FALSE(Json::parse(Read("r.json"))["path"].contains("speed_rmse_mps"));
  EXPECT_EQ(Run("evaluate t.csv --truth sparse.csv --quiet --truth-max-gap 5").err, "");
}

TEST_F(EvaluateCli, WhatCannotBeJudgedIsAnError) {
  Simulate();
  Write("bare.csv", "trace,truth\nt.csv,truth.csv\nt.csv,\n");
  const Outcome bare = Run("evaluate --manifest bare.csv --quiet");
  EXPECT_EQ(bare.exit_status, 3);
  EXPECT_THAT(bare.err, HasSubstr("bare.csv: line 3: nothing to judge by"));
  Write("typo.csv", "trace,truth,lables\nt.csv,truth.csv,labels.csv\n");
  const Outcome typo = Run("evaluate --manifest typo.csv --quiet");
  EXPECT_EQ(typo.exit_status, 0);
  EXPECT_THAT(typo.err, HasSubstr("unknown columns ignored: lables"));
  EXPECT_EQ(Run("evaluate t.csv --labels labels.csv --at-truth").exit_status, 2);
}

TEST_F(EvaluateCli, ColumnsOfTheTableStandApart) {
  Simulate();
  // On the other side of the earth.
  Write("far.csv", "lat_deg,lon_deg\n-50.1,-171.4\n-50.2,-171.3\n");
  const Outcome far = Run("evaluate t.csv --route far.csv");
  std::istringstream in(far.out);
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with("  raw ")) continue;
    std::istringstream cells(line);
    EXPECT_EQ(std::distance(std::istream_iterator<std::string>(cells), {}), 10) << line;
    return;
  }
  FAIL() << far.out;
}

// Two threads share the work; nothing may depend on which was faster.
TEST_F(EvaluateCli, TheSameEvaluationGivesTheSameResult) {
  Simulate();
  for (const char* mode : {"", " --at-truth", " --every 20"}) {
    const std::string arguments = std::string(
                                      "evaluate t.csv --truth truth.csv --labels labels.csv "
                                      "--baseline raw,cv,cv_gate,gate,organic,gpsbabel") +
                                  mode;
    Json first = Result(arguments);
    first.erase("timing");
    for (int i = 0; i < 3; ++i) {
      Json again = Result(arguments);
      again.erase("timing");
      EXPECT_EQ(first, again) << mode;
    }
  }
}

TEST_F(EvaluateCli, AManifestStartsAtItsOwnFolder) {
  Simulate();
  std::filesystem::create_directory(folder_ / "sets");
  Write("sets/all.csv", "trace,truth,route,labels\n../t.csv,../truth.csv,,../labels.csv\n");
  const Outcome outcome = Run("evaluate --manifest sets/all.csv --json -");
  ASSERT_EQ(outcome.exit_status, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::string session, aggregate;
  std::getline(lines, session);
  std::getline(lines, aggregate);
  EXPECT_EQ(Json::parse(aggregate)["aggregate"]["mean"]["accuracy"]["live"]["p50_m"],
            Json::parse(session)["accuracy"]["live"]["p50_m"]);
}

TEST_F(EvaluateCli, FailuresKeepTheirStatusWhateverRunsBeside) {
  Simulate();
  Write("bad.csv", "utc_ms,lat_deg,lon_deg\n1,2\n");
  EXPECT_EQ(Run("evaluate t.csv --truth bad.csv").exit_status, 3);
  EXPECT_EQ(Run("evaluate bad.csv --truth truth.csv").exit_status, 3);
  EXPECT_EQ(Run("evaluate t.csv --truth absent.csv").exit_status, 3);
  const Outcome full = Run("evaluate t.csv --truth truth.csv --live-out /nowhere/live.csv");
  EXPECT_EQ(full.exit_status, 4);
  EXPECT_THAT(full.err, HasSubstr("/nowhere/live.csv"));
  EXPECT_EQ(Run("evaluate t.csv --truth truth.csv --fail-if 'accuracy.live.p50_m>0'").exit_status,
            1);
}

// What REPLAY_TOOL.md calls common flags holds for every command that replays.
TEST_F(EvaluateCli, ReplaysAsRunDoes) {
  Simulate();
  const std::string common =
      " t.csv --seed 3 --events-out {}.events --records-out {}.records --golden-out {}.golden "
      "--verdicts-out {}.verdicts --live-out {}.live --smoothed-out {}.smoothed --db {}.db";
  Json stored[2];
  int k = 0;
  for (const char* command : {"run", "evaluate"}) {
    std::string arguments = command + common;
    for (std::size_t at; (at = arguments.find("{}")) != std::string::npos;) {
      arguments.replace(at, 2, command);
    }
    if (k == 1) arguments += " --truth truth.csv";
    stored[k++] = Result(arguments);
  }
  for (const char* file : {"events", "records", "golden", "verdicts", "live", "smoothed"}) {
    EXPECT_FALSE(Read(std::string("run.") + file).empty()) << file;
    EXPECT_EQ(Read(std::string("run.") + file), Read(std::string("evaluate.") + file)) << file;
  }
  for (const char* key : {"trace", "fixes", "motion", "records", "sampling", "upload"}) {
    EXPECT_EQ(stored[0][key], stored[1][key]) << key;
  }
  EXPECT_EQ(Run("export run.db --format csv").out, Run("export evaluate.db --format csv").out);
}

TEST_F(EvaluateCli, SaysWhatItCouldNotDeliver) {
  Simulate();
  const Outcome outcome =
      Run("evaluate t.csv --truth truth.csv --quiet --json result.json --db t.db --upload "
          "http://127.0.0.1:9/ --drain-timeout 0.3");
  EXPECT_EQ(outcome.exit_status, 4);
  EXPECT_THAT(outcome.err, HasSubstr("not delivered"));
  EXPECT_THAT(outcome.err, HasSubstr("(kept in t.db)"));
  const Json result = Json::parse(Read("result.json"), nullptr, false);
  EXPECT_GT(result["upload"]["pending"], 0) << result.dump();
  EXPECT_TRUE(result["accuracy"].contains("live"));
}

TEST_F(EvaluateCli, ShowsItsProgressWhereItIsWanted) {
  Simulate();
  const std::string arguments = "evaluate t.csv --truth truth.csv --progress ";
  EXPECT_THAT(Run(arguments + "always").err, HasSubstr("%"));
  EXPECT_EQ(Run(arguments + "never").err, "");
  EXPECT_EQ(Run(arguments + "auto").err, "");  // no terminal
  EXPECT_EQ(Run(arguments + "always --quiet").err, "");
  EXPECT_EQ(Run(arguments + "perhaps").exit_status, 2);
}

// Every fix becomes a record here, so that a replay that kept them would grow by 20 MB.
TEST_F(EvaluateCli, TheMemoryOfARunDoesNotGrowWithTheTrace) {
#ifdef WAYMARK_SANITIZED
  GTEST_SKIP() << "skipped: sanitizers keep what is freed";
#endif
  const auto peak = [&](const char* seconds) {
    const Outcome made = Run(std::string("simulate --scenario open --seed 2 --fixes-out t.csv ") +
                             "--duration " + seconds);
    EXPECT_EQ(made.exit_status, 0) << made.err;
    const Json r = Result("run t.csv --set records.max_error_m=0.1 --set records.max_interval_s=1");
    EXPECT_GT(r["records"].get<double>(), std::stod(seconds) / 2) << r.dump();
    return r["timing"]["peak_rss_bytes"].get<double>();
  };
  const double shorter = peak("15000"), longer = peak("150000");
  EXPECT_LT(longer - shorter, 1.5e6);
}

}  // namespace
}  // namespace waymark
