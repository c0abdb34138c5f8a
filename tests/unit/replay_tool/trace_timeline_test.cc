#include "replay_tool/trace_timeline.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "waymark/geometry.h"

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

  const DeliveredFix& Fix(int i) const { return fixes.at(static_cast<std::size_t>(i)); }
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

// A fix on a way to the east, `utc_s` by its own clock.
TraceFix Moving(double utc_s, double east_m, double north_m = 0) {
  TraceFix read = At(utc_s);
  read.fix.position = LocalFrame({52.5, 13.4}).FromLocal({east_m, north_m});
  read.fix.horizontal_accuracy_m = 5;
  return read;
}

// 120 s at `speed_mps`, a fix per second; `ahead` tells by how much the clock is ahead.
template <typename Ahead>
Placed PlaceDrive(double speed_mps, Ahead ahead) {
  std::vector<TraceFix> trace;
  for (int i = 0; i < 120; ++i) trace.push_back(Moving(i + ahead(i), speed_mps * i));
  return PlaceAll(trace);
}

// The clock of a receiver that loses the leap count steps; its motion does not.
TEST(TracePlacer, MonotonicTimeGoesOnThroughALeapThatTheMotionDenies) {
  for (const int leap_s : {3, 5, 11, 18, 20}) {
    for (const double speed_mps : {15.0, 30.0}) {
      const Placed p = PlaceDrive(speed_mps, [&](int i) { return i >= 40 && i < 80 ? leap_s : 0; });
      for (int i = 0; i < 120; ++i) {
        const MonoTime right = TraceTimeline::kOrigin + seconds(i);
        EXPECT_EQ(p.Fix(i).fix.time, right) << leap_s << " " << speed_mps << " " << i;
        EXPECT_EQ(p.Fix(i).arrival.mono, right) << leap_s << " " << i;
        EXPECT_EQ(p.timeline.ToUtc(right), *At(i).fix.utc);
        EXPECT_EQ(p.timeline.ToMono(*At(i).fix.utc), right);
      }
    }
  }
}

// Also of a receiver that has no count when it begins; what it learns then is right.
TEST(TracePlacer, UtcIsRightFromTheStepOnThatTakesALeapOut) {
  for (const double speed_mps : {1.4, 15.0}) {
    const Placed p = PlaceDrive(speed_mps, [](int i) { return i < 40 ? 18 : 0; });
    for (int i = 0; i < 120; ++i) {
      const MonoTime right = TraceTimeline::kOrigin + seconds(i);
      EXPECT_EQ(p.Fix(i).fix.time, right) << i;
      EXPECT_EQ(p.timeline.ToUtc(right), *p.Fix(i).fix.utc) << i;
    }
    EXPECT_EQ(p.timeline.ToMono(*At(100).fix.utc), TraceTimeline::kOrigin + seconds(100));
  }
}

// Where the device stands no motion tells, and a clock that is set by more is none of this: time
// goes back for the tracker to judge, and UTC is what the trace says.
TEST(TracePlacer, UtcFollowsAClockThatIsSetBack) {
  for (const int back_s : {18, 3600}) {
    const Placed p = PlaceDrive(0, [&](int i) { return i < 40 ? back_s : 0; });
    for (int i = 0; i < 120; ++i) {
      const MonoTime arrival = TraceTimeline::kOrigin + seconds(i);
      EXPECT_EQ(p.Fix(i).arrival.mono, arrival) << i;
      EXPECT_EQ(p.timeline.ToUtc(arrival), *p.Fix(i).fix.utc) << i;
    }
  }
}

// Pauses of whole seconds are what receivers do: before a traffic light, in a tunnel, by a
// distance filter, to save power; and a cache repeats the place before the pause.
TEST(TracePlacer, APauseIsNoLeap) {
  const auto expect_own_times = [](const std::vector<TraceFix>& trace, const char* what) {
    const Placed p = PlaceAll(trace);
    for (std::size_t i = 0; i < trace.size(); ++i) {
      EXPECT_EQ(p.fixes[i].fix.time,
                TraceTimeline::kOrigin + (*trace[i].fix.utc - *trace[0].fix.utc))
          << what << " " << i;
      EXPECT_EQ(p.fixes[i].arrival.mono, p.fixes[i].fix.time) << what << " " << i;
    }
  };
  std::vector<TraceFix> light, tunnel, filter, duty, cache, frozen, pairs;
  for (int i = 0; i < 30; ++i) {
    light.push_back(Moving(i < 10 ? i : i + 18, i < 10 ? 8 * i : 8 * i + 2));
    tunnel.push_back(Moving(i < 10 ? i : i + 18, 15 * (i < 10 ? i : i + 18)));
    filter.push_back(Moving(i + 18 * (i / 5), 6 * i));
    duty.push_back(Moving(20 * (i / 3) + i % 3, 13 * (20 * (i / 3) + i % 3)));
    const int awake = i < 10 ? i : i + 18;
    cache.push_back(Moving(awake, 15 * (i == 10 ? 9 : awake)));
    frozen.push_back(Moving(awake, 15 * (i == 10 ? 10 : awake)));
    pairs.push_back(Moving(10 * (i / 2) + i % 2, 20 * i));
  }
  expect_own_times(light, "traffic light");
  expect_own_times(tunnel, "tunnel");
  expect_own_times(filter, "distance filter");
  expect_own_times(duty, "duty cycle");
  expect_own_times(cache, "cached fix");
  expect_own_times(frozen, "a place that is a second old");
  expect_own_times(pairs, "fixes handed over in pairs, late");
}

// A fix that comes late lies where the device was at its time.
TEST(TracePlacer, AFixThatComesLateIsNoLeap) {
  for (const int late_s : {3, 8, 18}) {
    std::vector<TraceFix> trace;
    for (int i = 0; i < 60; ++i) {
      if (i != 20) trace.push_back(Moving(i, 10 * i));
      if (i == 20 + late_s) trace.push_back(Moving(20, 200));
    }
    const Placed p = PlaceAll(trace);
    for (std::size_t i = 0; i < trace.size(); ++i) {
      EXPECT_EQ(p.fixes[i].fix.time,
                TraceTimeline::kOrigin + (*trace[i].fix.utc - *trace[0].fix.utc))
          << late_s << " " << i;
    }
  }
}

// Two reports of each second, whose clock has no fractions, on a way that has them.
TEST(TracePlacer, TimeThatStandsIsNoLeap) {
  std::vector<TraceFix> trace;
  for (int i = 0; i < 60; ++i) trace.push_back(Moving(i / 2, 10 * i));
  const Placed p = PlaceAll(trace);
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(p.Fix(i).fix.time, TraceTimeline::kOrigin + seconds(i / 2)) << i;
  }
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
