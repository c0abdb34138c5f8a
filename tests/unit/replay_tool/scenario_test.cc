#include "replay_tool/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "replay_tool/reference_files.h"
#include "replay_tool/scenario_output.h"
#include "replay_tool/trace_reader.h"
#include "support/loaded_trace.h"
#include "support/temp_dir.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

struct Kept : ScenarioSink {
  std::vector<ScenarioTruth> truth;
  std::vector<ScenarioFix> fixes;
  std::map<std::int64_t, LatLon> where;  // truth by time

  void OnTruth(const ScenarioTruth& t) override {
    truth.push_back(t);
    where[t.utc.time_since_epoch().count()] = t.position;
  }
  void OnFix(const ScenarioFix& f) override { fixes.push_back(f); }

  double ErrorM(const ScenarioFix& f) const {
    return DistanceM(f.fix.position, where.at(f.fix.utc->time_since_epoch().count()));
  }
};

Kept Make(const std::string& name, std::uint64_t seed = 1,
          std::optional<double> duration_s = std::nullopt) {
  Kept kept;
  ScenarioOptions options;
  options.name = name;
  options.seed = seed;
  options.duration_s = duration_s;
  EXPECT_TRUE(RunScenario(options, kept).ok()) << name;
  return kept;
}

class ScenarioFiles : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return folder_ / name; }

  std::string Write(const std::string& name, std::uint64_t seed, const std::string& stem) {
    ScenarioOptions options;
    options.name = name;
    options.seed = seed;
    options.duration_s = 300;
    Result<ScenarioWriter> writer = ScenarioWriter::Create(
        {Path(stem + ".gpx"), Path(stem + ".f.csv"), Path(stem + ".t.csv"), Path(stem + ".l.csv")},
        "test");
    EXPECT_TRUE(writer.ok());
    EXPECT_TRUE(RunScenario(options, writer.value()).ok());
    EXPECT_TRUE(writer.value().Close().ok());
    std::string all;
    for (const char* end : {".gpx", ".f.csv", ".t.csv", ".l.csv"}) {
      std::ifstream file(Path(stem + end), std::ios::binary);
      std::stringstream text;
      text << file.rdbuf();
      all += text.str();
    }
    return all;
  }

 private:
  waymark::testing::TempDir folder_;
};

std::uint64_t Fnv(const std::string& bytes) {
  std::uint64_t h = 0xcbf29ce484222325U;
  for (const char c : bytes) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return h;
}

TEST_F(ScenarioFiles, TheSameSeedGivesTheSameBytes) {
  for (const ScenarioInfo& s : Scenarios()) {
    const std::string name(s.name);
    const std::string first = Write(name, 42, "a");
    EXPECT_EQ(first, Write(name, 42, "b")) << name;
    EXPECT_NE(first, Write(name, 43, "c")) << name;
  }
}

// Pinned: another compiler, library or processor must not change a byte. Who changes the model on
// purpose changes the number.
TEST_F(ScenarioFiles, TheBytesAreThoseOfEveryMachine) {
  std::string all;
  for (const ScenarioInfo& s : Scenarios()) all += Write(std::string(s.name), 7, "x");
  EXPECT_EQ(Fnv(all), 5904971160311679785U) << all.size() << " bytes";
}

TEST_F(ScenarioFiles, OurOwnReadersReadThemBack) {
  Write("canyon", 5, "x");
  const LoadedTrace gpx = LoadTrace(Path("x.gpx"), {}).value();
  const LoadedTrace csv = LoadTrace(Path("x.f.csv"), {}).value();
  ASSERT_EQ(gpx.read.size(), csv.read.size());
  ASSERT_GT(gpx.read.size(), 150U);
  EXPECT_TRUE(gpx.info.warnings.empty());
  EXPECT_TRUE(csv.info.warnings.empty());
  for (std::size_t i = 0; i < gpx.read.size(); ++i) {
    const Fix &a = gpx.read[i].fix, &b = csv.read[i].fix;
    EXPECT_EQ(a.utc, b.utc);
    EXPECT_EQ(a.position, b.position);
    EXPECT_EQ(a.horizontal_accuracy_m, b.horizontal_accuracy_m);
    EXPECT_EQ(a.altitude_m, b.altitude_m);
    EXPECT_EQ(a.speed_mps, b.speed_mps);
    EXPECT_EQ(a.course_deg, b.course_deg);
    EXPECT_TRUE(csv.read[i].received);
    EXPECT_EQ(b.source, FixSource::kGnss);
  }
  EXPECT_EQ(ReadTruth(Path("x.t.csv")).value().size(), 301U);
  EXPECT_GE(ReadLabels(Path("x.l.csv")).value().size(), 2U);
}

TEST(Scenario, NamesAreTakenInEverySpelling) {
  for (const char* name : {"cold_start", "cold start", "cold-start", "Cold Start", "coldstart"}) {
    ASSERT_NE(FindScenario(name), nullptr) << name;
    EXPECT_EQ(FindScenario(name)->name, "cold_start");
  }
  EXPECT_EQ(FindScenario(""), nullptr);
  EXPECT_EQ(FindScenario("cold"), nullptr);
  Kept one, other;
  ScenarioOptions options;
  options.duration_s = 60;
  options.name = "Clock-Step";
  ASSERT_TRUE(RunScenario(options, one).ok());
  options.name = "clock_step";
  ASSERT_TRUE(RunScenario(options, other).ok());
  ASSERT_EQ(one.fixes.size(), other.fixes.size());
  for (std::size_t i = 0; i < one.fixes.size(); ++i) {
    EXPECT_EQ(one.fixes[i].fix.utc, other.fixes[i].fix.utc);
    EXPECT_EQ(one.fixes[i].fix.position, other.fixes[i].fix.position);
  }
}

TEST(Scenario, SaysWhatIsWrong) {
  Kept sink;
  ScenarioOptions options;
  options.name = "volcano";
  EXPECT_NE(RunScenario(options, sink).message().find("antimeridian"), std::string::npos);
  options.name = "open";
  options.duration_s = 5;
  EXPECT_FALSE(CheckScenario(options).ok());
  options.duration_s = 100;
  options.interval_s = 0.25;
  EXPECT_FALSE(CheckScenario(options).ok());
  options.interval_s = 0.2;
  EXPECT_TRUE(CheckScenario(options).ok());
  options.name = "cold start";  // as the contract spells it
  EXPECT_TRUE(CheckScenario(options).ok());
  options.movement = Movement::kWalk;
  EXPECT_FALSE(CheckScenario(options).ok());
  EXPECT_TRUE(sink.truth.empty());
}

TEST(Scenario, PositionOnlyAndWithoutAccuracyLeaveThingsOut) {
  Kept kept;
  ScenarioOptions options;
  options.name = "suburb";
  options.duration_s = 100;
  options.position_only = options.without_accuracy = true;
  ASSERT_TRUE(RunScenario(options, kept).ok());
  for (const ScenarioFix& f : kept.fixes) {
    EXPECT_FALSE(f.fix.speed_mps || f.fix.course_deg || f.fix.horizontal_accuracy_m ||
                 f.fix.vertical_accuracy_m || f.fix.speed_accuracy_mps);
  }
  // The same journey with the same errors.
  Kept full;
  options.position_only = options.without_accuracy = false;
  ASSERT_TRUE(RunScenario(options, full).ok());
  ASSERT_EQ(full.fixes.size(), kept.fixes.size());
  EXPECT_EQ(full.fixes.back().fix.position, kept.fixes.back().fix.position);
  EXPECT_TRUE(full.fixes.back().fix.speed_mps);
}

TEST(Scenario, AntimeridianIsCrossedAndPolarPassesThePole) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Kept fiji = Make("antimeridian", seed);
    const auto west = [](const ScenarioTruth& t) { return t.position.lon_deg < -179; };
    EXPECT_TRUE(std::any_of(fiji.truth.begin(), fiji.truth.end(), west));
    EXPECT_GT(fiji.truth.front().position.lon_deg, 179);
    const Kept pole = Make("polar", seed);
    double highest = 0;
    for (const ScenarioTruth& t : pole.truth) highest = std::max(highest, t.position.lat_deg);
    EXPECT_GT(highest, 89.998) << seed;
    EXPECT_LT(pole.truth.back().position.lat_deg, highest - 0.01);
  }
}

TEST(Scenario, ParkedStandsForHalfAnHour) {
  const Kept kept = Make("parked");
  std::size_t standing = 0;
  for (const ScenarioTruth& t : kept.truth) {
    if (t.mode == "Still" && t.stationary) ++standing;
  }
  EXPECT_GE(standing, 1780U);
  EXPECT_EQ(kept.truth.back().mode, "Car");
}

TEST(Scenario, TunnelHasGapsAndBadFirstFixes) {
  const Kept kept = Make("tunnel", 3);
  int tunnels = 0;
  for (std::size_t i = 1; i < kept.fixes.size(); ++i) {
    const auto gap = *kept.fixes[i].fix.utc - *kept.fixes[i - 1].fix.utc;
    if (gap < std::chrono::seconds(30)) continue;
    ++tunnels;
    EXPECT_LE(gap, std::chrono::seconds(240));
    EXPECT_GT(kept.ErrorM(kept.fixes[i]), 8);
  }
  EXPECT_GE(tunnels, 3);
}

TEST(Scenario, ColdStartBeginsLateAndFar) {
  const Kept kept = Make("cold_start", 2);
  EXPECT_GE(*kept.fixes.front().fix.utc - kept.truth.front().utc, std::chrono::seconds(30));
  EXPECT_GT(kept.ErrorM(kept.fixes.front()), 100);
  EXPECT_GT(*kept.fixes.front().fix.horizontal_accuracy_m, 100);
  EXPECT_LT(kept.ErrorM(kept.fixes[120]), 10);
}

TEST(Scenario, CachedFixRepeatsTheOldPlaceWithNewTimes) {
  const Kept kept = Make("cached_fix", 4);
  std::size_t wake = 0;
  for (std::size_t i = 1; i < kept.fixes.size(); ++i) {
    if (*kept.fixes[i].fix.utc - *kept.fixes[i - 1].fix.utc > std::chrono::seconds(100)) wake = i;
  }
  ASSERT_GT(wake, 0U);
  for (std::size_t i = wake; i < wake + 3; ++i) {
    EXPECT_EQ(kept.fixes[i].fix.position, kept.fixes[wake - 1].fix.position);
  }
  EXPECT_LT(kept.ErrorM(kept.fixes[wake + 3]), 10);
}

TEST(Scenario, SpoofMarksTheMockAndHidesTheDrag) {
  const Kept kept = Make("spoof", 6);
  std::size_t mocked = 0;
  double farthest_unmarked_m = 0;
  for (const ScenarioFix& f : kept.fixes) {
    if (f.fix.simulated) {
      ++mocked;
      EXPECT_NEAR(kept.ErrorM(f), 3000, 20);
    } else {
      farthest_unmarked_m = std::max(farthest_unmarked_m, kept.ErrorM(f));
    }
  }
  EXPECT_EQ(mocked, 60U);
  EXPECT_NEAR(farthest_unmarked_m, 495, 20);
}

TEST(Scenario, ClockStepRunsAheadForTheMiddleThird) {
  const Kept kept = Make("clock_step", 2);
  std::size_t ahead = 0, repeated = 0;
  for (std::size_t i = 0; i < kept.fixes.size(); ++i) {
    if (*kept.fixes[i].fix.utc > kept.fixes[i].received) ++ahead;
    if (i > 0 && *kept.fixes[i].fix.utc <= *kept.fixes[i - 1].fix.utc) ++repeated;
  }
  EXPECT_EQ(ahead, 400U);
  EXPECT_EQ(repeated, 1U);
}

TEST(Scenario, IndoorFixesFailAndHop) {
  const Kept kept = Make("indoor", 1, 36'000);
  const double share = static_cast<double>(kept.fixes.size()) / 36'001;
  EXPECT_NEAR(share, 0.7, 0.02);
  std::size_t hops = 0;
  for (const ScenarioFix& f : kept.fixes) {
    EXPECT_FALSE(f.fix.speed_mps);
    if (f.fix.source != FixSource::kNetwork) continue;
    ++hops;
    EXPECT_GE(kept.ErrorM(f), 29.9);
    EXPECT_LE(kept.ErrorM(f), 200.1);
  }
  // 36000 / 600 x 0.7, Poisson.
  EXPECT_NEAR(static_cast<double>(hops), 42, 5 * std::sqrt(42));
}

TEST(Scenario, FlightIsFastAndHigh) {
  const Kept kept = Make("flight");
  EXPECT_NEAR(kept.truth.back().speed_mps, 230, 1);
  EXPECT_NEAR(kept.truth.back().altitude_m, 10'000, 60);
}

TEST(Scenario, ALongerJourneyBeginsLikeAShorterOne) {
  const Kept brief = Make("canyon", 9, 100), longer = Make("canyon", 9, 200);
  for (std::size_t i = 0; i < brief.fixes.size(); ++i) {
    EXPECT_EQ(brief.fixes[i].fix.position, longer.fixes[i].fix.position) << i;
  }
}

}  // namespace
}  // namespace waymark::replay
