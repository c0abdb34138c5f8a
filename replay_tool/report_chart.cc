#include "replay_tool/report_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "replay_tool/track_writer.h"

namespace waymark::replay {
namespace {

constexpr double kTop = 8, kBottom = 150, kAxisHeight = 22;
constexpr double kRowHeight = 20;
// Above this many times the 95th percentile a value is an outlier that would flatten the rest.
constexpr double kHeadroom = 3;

template <class... Args>
void Add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// The smallest of 1, 2, 5 times a power of ten that is not below `value`.
double RoundUp(double value) {
  const double decade = std::pow(10., std::floor(std::log10(value)));
  for (const double step : {1., 2., 5.}) {
    if (step * decade >= value * (1 - 1e-9)) return step * decade;
  }
  return 10 * decade;
}

// Ticks at round times, at most ten.
void AddTimeTicks(std::string& svg, const TimeAxis& axis, double bottom) {
  constexpr std::array<double, 20> kSteps = {1,     2,     5,     10,    15,     30,     60,
                                             120,   300,   600,   900,   1800,   3600,   7200,
                                             10800, 21600, 43200, 86400, 604800, 2592000};
  const auto* step =
      std::find_if(kSteps.begin(), kSteps.end(), [&](double s) { return axis.span_s / s <= 10; });
  const double step_s = step == kSteps.end() ? axis.span_s / 5 : *step;
  const double begin_s = static_cast<double>(axis.begin.time_since_epoch().count()) / 1000;
  for (double at_s = std::ceil(begin_s / step_s) * step_s; at_s <= begin_s + axis.span_s;
       at_s += step_s) {
    const auto utc = UtcTime(std::chrono::milliseconds(std::llround(at_s * 1000)));
    // "2026-01-05T08:00:00.000Z": what of it changes from tick to tick.
    const std::string iso = IsoTime(utc);
    const std::string label = step_s >= 86400 ? iso.substr(5, 5)
                              : step_s >= 60  ? iso.substr(11, 5)
                                              : iso.substr(11, 8);
    const double x = axis.X(at_s - begin_s);
    Add(svg,
        "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" "
        "text-anchor=\"middle\">{4}</text>\n",
        x, kTop, bottom, bottom + 15, label);
  }
}

double TopValue(const std::vector<ChartSeries>& series) {
  std::vector<double> values;
  for (const ChartSeries& s : series) {
    for (const ChartPoint& p : s.points) {
      if (std::isfinite(p.value)) values.push_back(p.value);
    }
  }
  if (values.empty()) return 0;
  const auto p95 = values.begin() + static_cast<std::ptrdiff_t>(values.size() * 95 / 100);
  std::nth_element(values.begin(), p95, values.end());
  const double limit = kHeadroom * *p95;
  const double top = *std::max_element(values.begin(), values.end());
  return limit > 0 ? std::min(top, limit) : top;
}

}  // namespace

std::string ChartSvg(std::string_view title, const TimeAxis& axis,
                     const std::vector<ChartSeries>& series, const std::vector<ChartSpan>& spans,
                     double gap_s) {
  const double highest = TopValue(series);
  if (!(highest > 0)) return "";
  const double step = RoundUp(highest / 4);
  const double top = std::ceil(highest / step - 1e-9) * step;
  const auto y = [top](double value) { return kBottom - value / top * (kBottom - kTop); };

  std::string svg;
  Add(svg, "<figure><figcaption>{}", XmlEscaped(title));
  for (const ChartSeries& s : series) {
    if (s.points.empty()) continue;
    Add(svg, " <i class=\"k {}\"></i>{}", s.css_class, XmlEscaped(s.label));
  }
  svg += "</figcaption>\n";
  Add(svg, "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
      TimeAxis::kWidth, kBottom + kAxisHeight, XmlEscaped(title));
  for (const ChartSpan& span : spans) {
    Add(svg,
        "<rect class=\"gap\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\">"
        "<title>{}</title></rect>\n",
        axis.X(span.begin_s), kTop, std::max(1., axis.X(span.end_s) - axis.X(span.begin_s)),
        kBottom - kTop, XmlEscaped(span.title));
  }
  AddTimeTicks(svg, axis, kBottom);
  for (double value = 0; value <= top * (1 + 1e-9); value += step) {
    Add(svg,
        "<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" "
        "text-anchor=\"end\">{5:g}</text>\n",
        TimeAxis::kLeft, y(value), TimeAxis::kRight, TimeAxis::kLeft - 5, y(value) + 4, value);
  }
  std::uint64_t above = 0;
  for (const ChartSeries& s : series) {
    if (s.points.empty()) continue;
    Add(svg, "<path class=\"{}{}\" d=\"", s.css_class, s.line ? "" : " dots");
    double before_s = -HUGE_VAL;
    for (const ChartPoint& p : s.points) {
      if (!std::isfinite(p.value)) continue;
      above += p.value > top;
      const bool joined = s.line && p.t_s - before_s <= gap_s;
      before_s = p.t_s;
      Add(svg, "{}{:.1f} {:.1f}{}", joined ? 'L' : 'M', axis.X(p.t_s), y(std::min(p.value, top)),
          s.line ? "" : "h0");
    }
    svg += "\"/>\n";
  }
  svg += "</svg>";
  if (above > 0) {
    Add(svg, "<p class=\"note\">{} values above {:g} are drawn at its upper edge.</p>", above, top);
  }
  return svg + "</figure>\n";
}

std::string StripSvg(std::string_view title, const TimeAxis& axis,
                     const std::vector<std::string_view>& rows,
                     const std::vector<StripMark>& marks) {
  const double bottom = kTop + kRowHeight * static_cast<double>(rows.size());
  std::string svg;
  Add(svg,
      "<figure><figcaption>{}</figcaption>\n<svg class=\"chart\" viewBox=\"0 0 {} {}\" "
      "role=\"img\" aria-label=\"{}\">\n",
      XmlEscaped(title), TimeAxis::kWidth, bottom + kAxisHeight, XmlEscaped(title));
  AddTimeTicks(svg, axis, bottom);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const double top = kTop + kRowHeight * static_cast<double>(row);
    Add(svg, "<path class=\"grid\" d=\"M{} {:.1f}H{}\"/>\n", TimeAxis::kLeft, top + kRowHeight,
        TimeAxis::kRight);
    for (const StripMark& mark : marks) {
      if (mark.css_class != rows[row]) continue;
      Add(svg, "<path class=\"tick {}\" d=\"M{:.1f} {:.1f}v{}\"><title>{}</title></path>\n",
          mark.css_class, axis.X(mark.t_s), top + 3, kRowHeight - 5, XmlEscaped(mark.title));
    }
    Add(svg, "<text x=\"{}\" y=\"{:.1f}\">{}</text>\n", 0, top + 14, rows[row]);
  }
  return svg + "</svg></figure>\n";
}

}  // namespace waymark::replay
