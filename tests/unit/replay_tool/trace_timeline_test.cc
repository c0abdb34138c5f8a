#include "replay_tool/trace_timeline.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace waymark::replay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

struct Placed {
  std::vector<DeliveredFix> fixes;
  std::vector<std::uint64_t> lines;
  TraceTimeline timeline;
  TraceInfo info;

  // Seconds since the first instant of the timeline.
  std::vector<std::int64_t> Arrivals() const {
    std::vector<std::int64_t> s;
    for (const DeliveredFix& f : fixes)
      s.push_back(std::chrono::floor<seconds>(f.arrival.mono - TraceTimeline::kOrigin).count());
    return s;
  }
};

TraceFix At(double s, std::optional<double> received_s = std::nullopt) {
  TraceFix read;
  const auto utc = [](double t) {
    return UtcTime(milliseconds(static_cast<std::int64_t>(t * 1000)));
  };
  read.fix.utc = utc(s);
  if (received_s) read.received = utc(*received_s);
  return read;
}

Placed PlaceAll(std::vector<TraceFix> trace) {
  Placed placed;
  TracePlacer placer([&placed](const DeliveredFix& fix, std::uint64_t line) {
    placed.fixes.push_back(fix);
    placed.lines.push_back(line);
    return true;
  });
  std::uint64_t line = 0;
  for (TraceFix& read : trace) {
    read.line = ++line;
    EXPECT_TRUE(placer.Add(read));
  }
  EXPECT_TRUE(placer.Finish());
  placed.timeline = placer.timeline();
  placer.AddWarning(placed.info);
  EXPECT_EQ(placed.fixes.size(), trace.size());
  for (std::size_t i = 0; i < placed.fixes.size(); ++i) {
    EXPECT_EQ(placed.lines[i], i + 1) << "in order";
    EXPECT_EQ(placed.fixes[i].fix.utc, trace[i].fix.utc) << "as it stands";
    if (i > 0) {
      EXPECT_GE(placed.fixes[i].arrival.mono, placed.fixes[i - 1].arrival.mono);
    }
  }
  return placed;
}

TEST(TracePlacer, KeepsTheArrivalsThatATraceTellsAndNeverGoesBack) {
  const Placed p = PlaceAll({At(1), At(5, 6), At(3), At(7, 5.5)});
  EXPECT_THAT(p.Arrivals(), ElementsAre(0, 5, 5, 5));
  EXPECT_EQ(p.fixes[2].fix.time, TraceTimeline::kOrigin + seconds(2));
  EXPECT_EQ(p.timeline.ToUtc(p.fixes[2].fix.time), *At(3).fix.utc);
}

TEST(TracePlacer, AFixArrivesAtItsOwnTimeAlsoAfterAPause) {
  EXPECT_THAT(PlaceAll({At(0), At(1), At(2), At(4000), At(4001), At(9000)}).Arrivals(),
              ElementsAre(0, 1, 2, 4000, 4001, 9000));
  EXPECT_THAT(PlaceAll({At(0), At(60), At(120), At(180), At(240), At(300), At(360)}).Arrivals(),
              ElementsAre(0, 60, 120, 180, 240, 300, 360));
}

TEST(TracePlacer, ATimeThatRunsAheadAloneMovesNoClock) {
  constexpr double kDay = 86400;
  EXPECT_THAT(PlaceAll({At(0), At(1), At(kDay), At(3), At(4), At(5), At(6)}).Arrivals(),
              ElementsAre(0, 1, 3, 3, 4, 5, 6));
  EXPECT_THAT(PlaceAll({At(0), At(1), At(600), At(kDay), At(kDay + 1), At(5), At(6)}).Arrivals(),
              ElementsAre(0, 1, 5, 5, 5, 5, 6));
  // Also the first.
  const Placed first = PlaceAll({At(kDay), At(1), At(2), At(3), At(4), At(5)});
  EXPECT_THAT(first.Arrivals(), ElementsAre(0, 0, 1, 2, 3, 4));
  EXPECT_EQ(first.fixes[0].fix.time - first.fixes[0].arrival.mono, seconds(86399));
  EXPECT_TRUE(first.info.warnings.empty());
}

TEST(TracePlacer, AClockThatIsSetBackStopsNoTime) {
  const Placed p =
      PlaceAll({At(7200), At(7201), At(7202), At(3603), At(3604), At(3605), At(7206), At(7207)});
  EXPECT_THAT(p.Arrivals(), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7)) << "and comes right again";
  ASSERT_EQ(p.info.warnings.size(), 1U);
  EXPECT_THAT(p.info.warnings[0], testing::StartsWith("time goes back 1 time, first at point 4"));
}

TEST(TracePlacer, TheSinkEndsTheReading) {
  int taken = 0;
  TracePlacer placer([&taken](const DeliveredFix&, std::uint64_t) { return ++taken < 2; });
  bool wanted = true;
  for (int i = 0; i < 100 && wanted; ++i) wanted = placer.Add(At(i));
  EXPECT_FALSE(wanted);
  EXPECT_EQ(taken, 2);
}

}  // namespace
}  // namespace waymark::replay
