#include "replay_tool/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <variant>

#include "replay_tool/json_output.h"
#include "replay_tool/report_page.h"
#include "replay_tool/summary.h"
#include "replay_tool/track_writer.h"
#include "waymark/geometry.h"
#include "waymark/version.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kMaxJudged = 3'000;
constexpr std::size_t kMaxEvents = 1'000;
// Curves are not drawn over a time without fixes.
constexpr double kGapS = 60;

template <class... Args>
void Add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

std::string VerdictText(const Verdict& verdict) {
  return fmt::format("{}: {} ({:.4g}, limit {:.4g})", DispositionName(verdict.disposition),
                     ReasonName(verdict.reason), verdict.value, verdict.limit);
}

}  // namespace

void HtmlReport::Begin(std::string_view path, const std::vector<Geofence>& fences) {
  trace_ = Trace();
  trace_.path = path;
  trace_.fences = fences;
}

void HtmlReport::OnFix(const FixReport& report) {
  const std::optional<LatLon> position =
      LatLon::FromDegrees(report.fix.position.lat_deg, report.fix.position.lon_deg);
  if (position) trace_.raw.Add(*position);
  const MonoTime time = report.live ? report.live->time : report.fix.time;
  if (!trace_.begin) {
    trace_.begin = time;
    trace_.begin_utc = report.live ? report.live->utc : report.fix.utc;
  }
  trace_.end = std::max(trace_.end.value_or(time), time);
  if (report.verdict.disposition != Disposition::kAccepted) {
    if (trace_.judged.size() < kMaxJudged) {
      trace_.judged.push_back({time, report.verdict, position});
    } else {
      ++trace_.judged_left_out;
    }
  }
  if (!report.live || !report.verdict.used()) return;
  const Estimate& live = *report.live;
  trace_.estimated.Add(live.position);
  trace_.samples.Add({live.time, live.position, live.r68_m, live.r95_m, live.speed_mps(),
                      position ? DistanceM(*position, live.position) : 0, report.fix.speed_mps});
}

void HtmlReport::OnRecord(const Record& record) {
  if (const auto* point = std::get_if<PointRecord>(&record.body)) {
    trace_.stored.Add(point->position);
  }
}

void HtmlReport::OnEvent(const EventRow& row) {
  if (row.type.starts_with("fence_")) {
    FenceCounts& counts = trace_.fence_counts[row.id];
    if (row.type == "fence_enter") {
      ++counts.enter;
      if (!counts.first_enter) counts.first_enter = row.utc;
    }
    counts.exit += row.type == "fence_exit";
    counts.dwell += row.type == "fence_dwell";
  }
  if (trace_.events.size() >= kMaxEvents) {
    ++trace_.events_left_out;
    return;
  }
  trace_.events.push_back({row.utc, std::string(row.type), row.id, row.detail, row.position});
}

TimeAxis HtmlReport::Axis() const {
  TimeAxis axis;
  if (!trace_.begin) return axis;
  axis.begin = trace_.begin_utc.value_or(UtcTime());
  axis.span_s = std::max(1., Seconds(*trace_.end - *trace_.begin));
  return axis;
}

void HtmlReport::AddMap(const ReplayTally& tally, const Projection& map) {
  MapContent content;
  content.raw = trace_.raw.values();
  content.estimated = trace_.estimated.values();
  content.fences = trace_.fences;
  for (const LatLon& p : trace_.stored.values()) content.marks.push_back({p, "stored", ""});
  for (const Judged& judged : trace_.judged) {
    if (judged.verdict.disposition != Disposition::kRejected || !judged.position) continue;
    content.marks.push_back({*judged.position, "rejected", VerdictText(judged.verdict)});
  }
  for (const Stay& stay : tally.stops) {
    content.marks.push_back(
        {stay.position, "stay", "stay of " + DurationText(Seconds(stay.end - stay.begin))});
  }
  for (const EventLine& e : trace_.events) {
    const bool enter = e.type == "fence_enter";
    if (!e.position || (!enter && e.type != "fence_exit")) continue;
    content.marks.push_back(
        {*e.position, enter ? "enter" : "exit",
         fmt::format("{} {} {}", e.utc ? UtcText(*e.utc) : "", enter ? "enters" : "leaves", e.id)});
  }
  if (const auto& track = content.estimated; !track.empty()) {
    content.marks.push_back({track.front(), "begin", "begin"});
    content.marks.push_back({track.back(), "end", "end"});
  }
  body_ += MapSvg(content, map);
  body_ += "<p class=\"legend\">";
  for (const auto& [layer, label] : {std::pair{"raw", "raw fixes"},
                                     {"estimated", "estimate"},
                                     {"stored", "stored points"},
                                     {"rejected", "rejected fixes"},
                                     {"stay", "stays"},
                                     {"fence", "geofences"},
                                     {"enter", "entries"},
                                     {"exit", "exits"}}) {
    Add(body_,
        "<label><input type=\"checkbox\" value=\"{0}\" checked><i class=\"k {0}\"></i>{1}</label>",
        layer, label);
  }
  body_ += "</p>\n<p class=\"note\">Wheel to zoom, drag to move, double click for all.</p>\n";
}

void HtmlReport::AddCharts(const ReplayTally& tally) {
  if (!trace_.begin) return;
  const TimeAxis axis = Axis();
  const auto since = [this](MonoTime time) { return Seconds(time - *trace_.begin); };
  ChartSeries r68{"r68", "r68", {}}, r95{"r95", "r95", {}};
  ChartSeries offset{"raw", "raw fix from the estimate", {}, false};
  ChartSeries estimated{"estimated", "estimate", {}}, reported{"raw", "reported", {}, false};
  for (const Sample& s : trace_.samples.values()) {
    const double t_s = since(s.time);
    r68.points.push_back({t_s, s.r68_m});
    r95.points.push_back({t_s, s.r95_m});
    offset.points.push_back({t_s, s.offset_m});
    estimated.points.push_back({t_s, s.speed_mps});
    if (s.reported_mps) reported.points.push_back({t_s, *s.reported_mps});
  }
  std::vector<ChartSpan> gaps;
  for (const Gap& gap : tally.gaps) {
    gaps.push_back({since(gap.begin), since(gap.end),
                    fmt::format("gap of {}: {}", DurationText(Seconds(gap.end - gap.begin)),
                                GapCauseName(gap.cause))});
  }
  const double gap_s =
      std::max(kGapS, 3 * axis.span_s / static_cast<double>(trace_.samples.values().size() + 1));
  body_ += ChartSvg("Uncertainty in metres:", axis, {offset, r68, r95}, gaps, gap_s);
  body_ += ChartSvg("Speed in m/s:", axis, {reported, estimated}, gaps, gap_s);
  if (trace_.judged.empty()) return;
  std::vector<StripMark> marks;
  for (const Judged& judged : trace_.judged) {
    marks.push_back({since(judged.time), DispositionName(judged.verdict.disposition),
                     VerdictText(judged.verdict)});
  }
  body_ += StripSvg("Fixes that were not simply accepted", axis,
                    {"adjusted", "provisional", "rejected"}, marks);
  if (trace_.judged_left_out > 0) {
    Add(body_, "<p class=\"note\">and {} later ones (see --verdicts-out)</p>\n",
        trace_.judged_left_out);
  }
}

// What the script shows when somebody points at a chart.
void HtmlReport::AddSamples(const Projection& map) {
  const TimeAxis axis = Axis();
  Add(body_,
      "<p class=\"note readout\">Point at a chart to find its place on the map.</p>\n"
      "<script type=\"application/json\" class=\"samples\">{{\"width\":{},\"left\":{},\"right\":{},"
      "\"span\":{:.3f},\"begin\":{},\"samples\":[",
      TimeAxis::kWidth, TimeAxis::kLeft, TimeAxis::kRight, axis.span_s,
      axis.begin.time_since_epoch().count());
  const char* comma = "";
  for (const Sample& s : trace_.samples.values()) {
    Add(body_, "{}[{:.1f},{:.1f},{:.1f},{:.1f},{:.1f},{:.1f}]", comma,
        Seconds(s.time - *trace_.begin), map.X(s.position), map.Y(s.position), s.r68_m, s.r95_m,
        s.speed_mps);
    comma = ",";
  }
  body_ += "]}</script>\n";
}

void HtmlReport::AddFences() {
  if (trace_.fence_counts.empty()) return;
  body_ +=
      "<h3>Geofences with events</h3>\n<div class=\"scroll\"><table><thead><tr><th>id</th>"
      "<th>enter</th><th>exit</th><th>dwell</th><th>first entered</th></tr></thead><tbody>\n";
  for (const auto& [id, counts] : trace_.fence_counts) {
    Add(body_, "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", XmlEscaped(id),
        counts.enter, counts.exit, counts.dwell,
        counts.first_enter ? UtcText(*counts.first_enter) : std::string());
  }
  body_ += "</tbody></table></div>\n";
}

void HtmlReport::AddEvents() {
  if (trace_.events.empty()) return;
  body_ +=
      "<h3>Events</h3>\n<div class=\"scroll\"><table><thead><tr><th>UTC</th><th>event</th>"
      "<th>id</th><th>detail</th><th>position</th></tr></thead><tbody>\n";
  for (const EventLine& e : trace_.events) {
    Add(body_, "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        e.utc ? UtcText(*e.utc) : std::string(), e.type, XmlEscaped(e.id), XmlEscaped(e.detail),
        e.position ? fmt::format("{:.6f}, {:.6f}", e.position->lat_deg, e.position->lon_deg)
                   : std::string());
  }
  body_ += "</tbody></table></div>\n";
  if (trace_.events_left_out > 0) {
    Add(body_, "<p class=\"note\">and {} more (see --events-out)</p>\n", trace_.events_left_out);
  }
}

void HtmlReport::End(const ReplayTally& tally) {
  const std::vector<LatLon>& estimated = trace_.estimated.values();
  const Projection map(estimated.empty() ? trace_.raw.values() : estimated);
  Add(body_, "<section>\n<h2>{}</h2>\n<pre>{}</pre>\n", XmlEscaped(trace_.path),
      XmlEscaped(Summary(tally)));
  for (const std::string& warning : tally.info.warnings) {
    Add(body_, "<p class=\"warning\">{}</p>\n", XmlEscaped(warning));
  }
  AddMap(tally, map);
  AddSamples(map);
  AddCharts(tally);
  AddFences();
  AddEvents();
  const std::string json =
      ToJson(tally).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  Add(body_, "<details><summary>JSON</summary><pre>{}</pre></details>\n</section>\n",
      XmlEscaped(json));
}

std::string HtmlReport::Page() const {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>Waymark replay</title>\n<style>";
  page += kReportStyle;
  page += "</style></head><body>\n<h1>Waymark replay</h1>\n" + body_ +
          "<p class=\"note\">waymark " WAYMARK_VERSION "</p>\n<script>";
  page += kReportScript;
  return page + "</script></body></html>\n";
}

}  // namespace waymark::replay
