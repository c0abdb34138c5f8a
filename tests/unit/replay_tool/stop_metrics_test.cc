#include "replay_tool/stop_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "replay_tool/random.h"

namespace waymark::replay {
namespace {

DetectedStop Stop(std::int64_t begin_s, std::int64_t end_s) {
  DetectedStop stop;
  stop.span = {begin_s * 1000, end_s * 1000};
  return stop;
}

LabelSpans Diary(std::vector<Span> stationary, Span known) {
  for (Span& s : stationary) s = {s.begin_ms * 1000, s.end_ms * 1000};
  return {stationary, {{known.begin_ms * 1000, known.end_ms * 1000}}};
}

TEST(SpansOf, ALabelHoldsUntilTheNext) {
  const LabelSpans spans = SpansOf({{0, false, ""},
                                    {10, true, ""},
                                    {20, true, ""},
                                    {30, false, ""},
                                    {40, std::nullopt, ""},
                                    {50, true, ""},
                                    {60, true, ""}});
  EXPECT_EQ(spans.stationary, (std::vector<Span>{{10, 30}, {50, 60}}));
  EXPECT_EQ(spans.known, (std::vector<Span>{{0, 40}, {50, 60}}));
}

TEST(SpansOf, TheLastOfEqualTimesHolds) {
  const LabelSpans spans = SpansOf({{0, true, ""}, {0, false, ""}, {10, true, ""}, {20, true, ""}});
  EXPECT_EQ(spans.stationary, (std::vector<Span>{{10, 20}}));
}

TEST(CompareStops, PerfectDetection) {
  const LabelSpans diary = Diary({{100, 400}, {900, 1200}}, {0, 2000});
  std::vector<DetectedStop> stops{Stop(100, 400), Stop(900, 1200)};
  stops[0].begin_decided_ms = 130'000;
  stops[1].begin_decided_ms = 950'000;
  stops[0].end_decided_ms = 406'000;
  const StopSummary s = *CompareStops(stops, diary, 60);
  EXPECT_EQ(s.precision, 1);
  EXPECT_EQ(s.recall, 1);
  EXPECT_EQ(s.f1, 1);
  EXPECT_DOUBLE_EQ(*s.start_latency_p50_s, 40);  // of 30 and 50
  EXPECT_DOUBLE_EQ(*s.end_latency_p50_s, 6);
  EXPECT_DOUBLE_EQ(*s.start_error_p50_s, 0);
}

TEST(CompareStops, HalfOfTheUnionDecides) {
  const LabelSpans diary = Diary({{100, 200}}, {0, 2000});
  EXPECT_EQ(CompareStops(std::vector{Stop(100, 150)}, diary, 60)->matched, 1U);  // exactly a half
  EXPECT_EQ(CompareStops(std::vector{Stop(100, 149)}, diary, 60)->matched, 0U);
  EXPECT_EQ(CompareStops(std::vector{Stop(50, 251)}, diary, 60)->matched, 0U);
}

TEST(CompareStops, OneStopTornInTwoIsFoundOnceAtMost) {
  const LabelSpans diary = Diary({{100, 300}}, {0, 2000});
  const StopSummary s = *CompareStops(std::vector{Stop(100, 220), Stop(230, 300)}, diary, 60);
  EXPECT_EQ(s.matched, 1U);
  EXPECT_DOUBLE_EQ(*s.precision, 0.5);
  EXPECT_DOUBLE_EQ(*s.recall, 1);
}

TEST(CompareStops, ShortStopsNeedNotBeFoundButMayBe) {
  const LabelSpans diary = Diary({{100, 120}, {900, 1200}}, {0, 2000});
  const StopSummary missed = *CompareStops(std::vector{Stop(900, 1200)}, diary, 60);
  EXPECT_EQ(missed.reference, 1U);
  EXPECT_EQ(missed.recall, 1);
  const StopSummary found = *CompareStops(std::vector{Stop(100, 120), Stop(900, 1200)}, diary, 60);
  EXPECT_EQ(found.precision, 1);
  EXPECT_EQ(found.detected, 1U);
  EXPECT_EQ(found.matched, 1U);
  EXPECT_EQ(found.short_stops, 1U);
}

// Whatever was rested and detected: what is counted as matched is of both sides.
TEST(CompareStops, PrecisionAndRecallCountTheSamePairs) {
  Random random(7);
  const auto spans = [&](double longest_s) {
    std::vector<Span> out;
    for (double at = 0; at < 5000;) {
      const double begin = at + random.Uniform(1, 200), end = begin + random.Uniform(5, longest_s);
      out.push_back({std::llround(begin * 1000), std::llround(end * 1000)});
      at = end;
    }
    return out;
  };
  for (int round = 0; round < 200; ++round) {
    const LabelSpans diary{spans(150), {{0, 6'000'000}}};
    std::vector<DetectedStop> stops;
    for (const Span& s : spans(150)) stops.push_back({s, {}, {}});
    for (const Span& s : diary.stationary) {
      if (random.Chance(0.5)) stops.push_back({s, {}, {}});
    }
    const StopSummary s = *CompareStops(stops, diary, 60);
    EXPECT_LE(s.matched, s.reference);
    EXPECT_LE(s.matched, s.detected);
    EXPECT_EQ(s.detected + s.short_stops, stops.size());
    EXPECT_DOUBLE_EQ(*s.precision * static_cast<double>(s.detected),
                     *s.recall * static_cast<double>(s.reference));
  }
}

TEST(CompareStops, WhereTheDiaryIsSilentNothingIsWrong) {
  const LabelSpans diary = Diary({{100, 400}}, {0, 500});
  const StopSummary s = *CompareStops(std::vector{Stop(100, 400), Stop(800, 900)}, diary, 60);
  EXPECT_EQ(s.detected, 1U);
  EXPECT_EQ(s.precision, 1);
}

TEST(CompareStops, NoneAtAllIsNoResult) {
  EXPECT_FALSE(CompareStops({}, Diary({}, {0, 100}), 60));
  const StopSummary s = *CompareStops({}, Diary({{0, 90}}, {0, 100}), 60);
  EXPECT_EQ(s.recall, 0);
  EXPECT_FALSE(s.precision);
  EXPECT_EQ(s.f1, 0);
}

}  // namespace
}  // namespace waymark::replay
