#include "replay_tool/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "replay_tool/report_chart.h"
#include "replay_tool/report_map.h"
#include "replay_tool/thinned.h"

namespace waymark::replay {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

Geofence Fence(std::string id, FenceShape shape) {
  Geofence fence;
  fence.id = std::move(id);
  fence.shape = std::move(shape);
  return fence;
}

TEST(Thinned, StaysBoundedAndEven) {
  Thinned<int, 8> thinned;
  for (int i = 0; i < 1000; ++i) {
    thinned.Add(i);
    ASSERT_LE(thinned.values().size(), 8u);
  }
  const std::vector<int>& values = thinned.values();
  ASSERT_GE(values.size(), 4u);
  EXPECT_EQ(values.front(), 0);
  for (std::size_t i = 2; i < values.size(); ++i) {
    EXPECT_EQ(values[i] - values[i - 1], values[1] - values[0]);
  }
}

TEST(Projection, ShowsEverythingTrueToScaleAcrossTheAntimeridian) {
  const std::vector<LatLon> points = {{60, 179.9}, {60.1, -179.9}};
  const Projection map(points);
  for (const LatLon& p : points) {
    EXPECT_GE(map.X(p), 0);
    EXPECT_LE(map.X(p), Projection::kWidth);
    EXPECT_GE(map.Y(p), 0);
    EXPECT_LE(map.Y(p), map.height());
  }
  EXPECT_LT(map.X(points[0]), map.X(points[1]));
  EXPECT_GT(map.Y(points[0]), map.Y(points[1]));
  const double dx = map.X(points[1]) - map.X(points[0]);
  const double dy = map.Y(points[0]) - map.Y(points[1]);
  EXPECT_NEAR(std::hypot(dx, dy) / map.UnitsPerMetre(), DistanceM(points[0], points[1]), 150);
}

TEST(ReportMap, DrawsEachShapeAndEscapesNames) {
  MapContent content;
  content.raw = content.estimated = {{50, 8}, {50.1, 8.1}};
  const std::vector<LatLon> triangle = {{50, 8}, {50, 8.1}, {50.1, 8.1}};
  const std::vector<LatLon> hole = {{50.01, 8.02}, {50.01, 8.05}, {50.02, 8.05}};
  content.fences = {Fence("a<b", Circle{{50, 8}, 500}), Fence("ring", Polygon{triangle, {hole}}),
                    Fence("road", Corridor{triangle, 100})};
  content.marks = {{{50, 8}, "rejected", "\"why\""}};
  const std::string svg = MapSvg(content, Projection(content.raw));
  EXPECT_EQ(Count(svg, "class=\"area\""), 2u);
  EXPECT_EQ(Count(svg, "class=\"corridor\""), 1u);
  EXPECT_THAT(svg, HasSubstr("a&lt;b"));
  EXPECT_THAT(svg, HasSubstr("<title>&quot;why&quot;</title>"));
  // The hole is a second ring of the same path.
  const std::string ring = svg.substr(svg.find("ring"));
  EXPECT_EQ(Count(ring.substr(0, ring.find("/>")), "Z"), 2u);
}

TEST(ReportChart, CutsOutliersAndSaysSo) {
  TimeAxis axis;
  axis.span_s = 100;
  ChartSeries series{"raw", "x", {}};
  for (int i = 0; i < 100; ++i) series.points.push_back({static_cast<double>(i), 1});
  EXPECT_THAT(ChartSvg("t", axis, {series}, {}, 10), Not(HasSubstr("values above")));
  series.points[50].value = 1000;
  EXPECT_THAT(ChartSvg("t", axis, {series}, {}, 10), HasSubstr("1 values above 3"));
  EXPECT_THAT(ChartSvg("t", axis, {{"raw", "x", {}}}, {}, 10), IsEmpty());
}

TEST(ReportChart, LeavesGapsOpen) {
  TimeAxis axis;
  axis.span_s = 100;
  const ChartSeries series{"raw", "x", {{0, 1}, {1, 1}, {50, 1}, {51, 1}}};
  const std::string svg = ChartSvg("t", axis, {series}, {{1, 50, "gap"}}, 10);
  const std::string path = svg.substr(svg.find("class=\"raw\""));
  EXPECT_EQ(Count(path.substr(0, path.find("/>")), "M"), 2u);
  EXPECT_THAT(svg, HasSubstr("<title>gap</title>"));
}

TEST(HtmlReport, ShowsFencesWithTheirEventsAndVerdicts) {
  HtmlReport report;
  report.Begin("ride & return.gpx", {Fence("home", Circle{{50, 8}, 100})});
  for (int i = 0; i < 3; ++i) {
    FixReport fix;
    fix.fix.position = {50 + 0.001 * i, 8};
    fix.fix.time = MonoTime(std::chrono::seconds(i));
    fix.fix.utc = UtcTime(std::chrono::seconds(1'000'000 + i));
    fix.live = Estimate();
    fix.live->time = fix.fix.time;
    fix.live->position = fix.fix.position;
    fix.live->r68_m = 5;
    fix.live->r95_m = 9;
    if (i == 2) fix.verdict = {Disposition::kRejected, Reason::kStale, 4, 2};
    report.OnFix(fix);
  }
  report.OnEvent(
      {UtcTime(std::chrono::seconds(1'000'001)), "fence_enter", "home", "", LatLon{50, 8}, 0.9});
  report.End(ReplayTally());
  const std::string page = report.Page();
  EXPECT_THAT(page, HasSubstr("ride &amp; return.gpx"));
  EXPECT_THAT(page, HasSubstr("<td>home</td><td>1</td><td>0</td><td>0</td><td>1970-01-12"));
  EXPECT_THAT(page, HasSubstr("<title>rejected: stale (4, limit 2)</title>"));
  EXPECT_THAT(page, HasSubstr("1970-01-12 13:46:41Z enters home"));
  // Whole by itself: nothing is fetched.
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("href=")));
}

}  // namespace
}  // namespace waymark::replay
