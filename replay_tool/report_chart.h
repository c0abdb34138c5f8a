// Charts over the time of a trace, as SVG.
#ifndef WAYMARK_REPLAY_TOOL_REPORT_CHART_H_
#define WAYMARK_REPLAY_TOOL_REPORT_CHART_H_

#include <string>
#include <string_view>
#include <vector>

#include "waymark/time.h"

namespace waymark::replay {

/// The axis that the charts of one trace share. Times are in seconds since `begin`.
struct TimeAxis {
  static constexpr double kWidth = 1000, kLeft = 75, kRight = 970;

  UtcTime begin{};
  double span_s = 1;

  double X(double t_s) const { return kLeft + t_s / span_s * (kRight - kLeft); }
};

struct ChartPoint {
  double t_s = 0, value = 0;
};

struct ChartSeries {
  std::string_view css_class;
  std::string label;
  std::vector<ChartPoint> points;  ///< in order of time
  bool line = true;                ///< false: dots
};

/// A span that is shaded behind the curves.
struct ChartSpan {
  double begin_s = 0, end_s = 0;
  std::string title;
};

/// Curves from zero up. What lies far above the rest is cut, and the chart says how much of it.
/// Empty when there is nothing to draw. Nothing is joined over `gap_s`.
std::string ChartSvg(std::string_view title, const TimeAxis& axis,
                     const std::vector<ChartSeries>& series, const std::vector<ChartSpan>& spans,
                     double gap_s);

/// One tick of a strip.
struct StripMark {
  double t_s = 0;
  std::string_view css_class;  ///< also the name of its row
  std::string title;
};

/// Ticks in one row for each of `rows`.
std::string StripSvg(std::string_view title, const TimeAxis& axis,
                     const std::vector<std::string_view>& rows,
                     const std::vector<StripMark>& marks);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPORT_CHART_H_
