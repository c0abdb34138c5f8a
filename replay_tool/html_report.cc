// The map is an equirectangular projection about the middle of the track: true to scale at that
// latitude, which is what one trace on one page needs. Longitudes are unwrapped from the first
// point, so that a track over the antimeridian stays in one piece.
#include "replay_tool/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <variant>

#include "replay_tool/json_output.h"
#include "replay_tool/summary.h"
#include "waymark/geometry.h"
#include "waymark/version.h"

namespace waymark::replay {
namespace {

constexpr double kMapWidth = 1000;
constexpr double kMapMaxHeight = 700;
constexpr double kMapMinHeight = 200;
constexpr double kMargin = 20;
constexpr std::size_t kMaxStored = 20'000;
constexpr std::size_t kMaxEvents = 1'000;
constexpr std::size_t kMaxFences = 2'000;

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return out;
}

template <class... Args>
void Add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

class Projection {
 public:
  explicit Projection(const std::vector<LatLon>& extent) {
    if (extent.empty()) return;
    origin_lon_deg_ = extent.front().lon_deg;
    double south = 90, north = -90, west = 1e9, east = -1e9;
    for (const LatLon& p : extent) {
      south = std::min(south, p.lat_deg);
      north = std::max(north, p.lat_deg);
      west = std::min(west, Unwrapped(p.lon_deg));
      east = std::max(east, Unwrapped(p.lon_deg));
    }
    const double middle_rad = (south + north) / 2 * std::numbers::pi / 180;
    squeeze_ = std::max(0.01, std::cos(middle_rad));
    west_ = west;
    north_ = north;
    const double width_deg = std::max((east - west) * squeeze_, 1e-5);
    const double height_deg = std::max(north - south, 1e-5);
    scale_ =
        std::min((kMapWidth - 2 * kMargin) / width_deg, (kMapMaxHeight - 2 * kMargin) / height_deg);
    height_ = std::clamp(height_deg * scale_ + 2 * kMargin, kMapMinHeight, kMapMaxHeight);
  }

  double X(LatLon p) const { return kMargin + (Unwrapped(p.lon_deg) - west_) * squeeze_ * scale_; }
  double Y(LatLon p) const { return kMargin + (north_ - p.lat_deg) * scale_; }
  double height() const { return height_; }
  /// SVG units per metre; one degree of latitude is 111.2 km on average.
  double UnitsPerMetre() const { return scale_ / 111'195; }

 private:
  double Unwrapped(double lon_deg) const {
    return origin_lon_deg_ + std::remainder(lon_deg - origin_lon_deg_, 360.);
  }

  double origin_lon_deg_ = 0, west_ = 0, north_ = 0, squeeze_ = 1, scale_ = 1;
  double height_ = kMapMinHeight;
};

void AddPath(std::string& svg, const Projection& map, const std::vector<LatLon>& points,
             const char* css_class, bool closed) {
  if (points.empty()) return;
  Add(svg, "<path class=\"{}\" d=\"", css_class);
  for (std::size_t i = 0; i < points.size(); ++i) {
    Add(svg, "{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', map.X(points[i]), map.Y(points[i]));
  }
  svg += closed ? "Z\"/>\n" : "\"/>\n";
}

void AddFence(std::string& svg, const Projection& map, const Geofence& fence) {
  Add(svg, "<g><title>{}</title>\n", Escaped(fence.id));
  if (const Circle* circle = std::get_if<Circle>(&fence.shape)) {
    Add(svg, "<circle class=\"fence\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>\n",
        map.X(circle->centre), map.Y(circle->centre), circle->radius_m * map.UnitsPerMetre());
  } else if (const Polygon* polygon = std::get_if<Polygon>(&fence.shape)) {
    AddPath(svg, map, polygon->outer, "fence", true);
    for (const auto& hole : polygon->holes) AddPath(svg, map, hole, "fence", true);
  } else if (const MultiPolygon* several = std::get_if<MultiPolygon>(&fence.shape)) {
    for (const Polygon& part : several->parts) AddPath(svg, map, part.outer, "fence", true);
  } else if (const Corridor* corridor = std::get_if<Corridor>(&fence.shape)) {
    AddPath(svg, map, corridor->line, "fence", false);
  }
  svg += "</g>\n";
}

// A round length that fits the map, drawn at its lower left.
void AddScaleBar(std::string& svg, const Projection& map) {
  double metres = 1;
  for (const double step : {2., 5., 10.}) {
    for (double decade = 1; decade < 1e8; decade *= 10) {
      if (step * decade * map.UnitsPerMetre() < kMapWidth / 4) {
        metres = std::max(metres, step * decade);
      }
    }
  }
  const double y = map.height() - 8;
  Add(svg,
      "<path class=\"scale\" d=\"M{0:.0f} {1:.1f}h{2:.1f}\"/><text x=\"{0:.0f}\" y=\"{3:.1f}\">"
      "{4}</text>\n",
      kMargin, y, metres * map.UnitsPerMetre(), y - 5, DistanceText(metres));
}

}  // namespace

void HtmlReport::Polyline::Add(LatLon point) {
  if (seen_++ % stride_ != 0) return;
  if (points_.size() >= kMaxPoints) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < points_.size(); i += 2) points_[kept++] = points_[i];
    points_.resize(kept);
    stride_ *= 2;
  }
  points_.push_back(point);
}

void HtmlReport::Begin(std::string_view path, const std::vector<Geofence>& fences) {
  path_ = path;
  fences_ = fences;
  raw_.Clear();
  estimated_.Clear();
  stored_.clear();
  events_.clear();
  events_left_out_ = 0;
}

void HtmlReport::OnFix(const FixReport& report) {
  if (const auto p =
          LatLon::FromDegrees(report.fix.position.lat_deg, report.fix.position.lon_deg)) {
    raw_.Add(*p);
  }
  if (report.live && report.verdict.used()) estimated_.Add(report.live->position);
}

void HtmlReport::OnRecord(const Record& record) {
  const PointRecord* point = std::get_if<PointRecord>(&record.body);
  if (point != nullptr && stored_.size() < kMaxStored) stored_.push_back(point->position);
}

void HtmlReport::OnEvent(const EventRow& row) {
  if (events_.size() >= kMaxEvents) {
    ++events_left_out_;
    return;
  }
  events_.push_back({row.utc, std::string(row.type), row.id, row.detail, row.position});
}

std::string HtmlReport::Map(const ReplayTally& tally) const {
  const Projection map(estimated_.points().empty() ? raw_.points() : estimated_.points());
  std::string svg;
  Add(svg, "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"Map of the track\">\n",
      kMapWidth, map.height());
  for (std::size_t i = 0; i < std::min(fences_.size(), kMaxFences); ++i) {
    AddFence(svg, map, fences_[i]);
  }
  AddPath(svg, map, raw_.points(), "raw", false);
  AddPath(svg, map, estimated_.points(), "estimated", false);
  for (const LatLon& p : stored_) {
    Add(svg, "<circle class=\"stored\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\"/>\n", map.X(p),
        map.Y(p));
  }
  for (const Stay& stay : tally.stops) {
    Add(svg,
        "<circle class=\"stay\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\"><title>stay of {}</title>"
        "</circle>\n",
        map.X(stay.position), map.Y(stay.position), DurationText(Seconds(stay.end - stay.begin)));
  }
  AddScaleBar(svg, map);
  svg +=
      "</svg>\n<p class=\"legend\"><i class=\"k raw\"></i> raw fixes <i class=\"k estimated\"></i> "
      "estimate <i class=\"k stored\"></i> stored points <i class=\"k stay\"></i> stays "
      "<i class=\"k fence\"></i> geofences</p>\n";
  return svg;
}

void HtmlReport::End(const ReplayTally& tally) {
  Add(body_, "<section>\n<h2>{}</h2>\n", Escaped(path_));
  body_ += Map(tally);
  Add(body_, "<pre>{}</pre>\n", Escaped(Summary(tally)));
  for (const std::string& warning : tally.info.warnings) {
    Add(body_, "<p class=\"warning\">{}</p>\n", Escaped(warning));
  }
  if (!events_.empty()) {
    body_ +=
        "<table><thead><tr><th>UTC</th><th>event</th><th>id</th><th>detail</th>"
        "<th>position</th></tr></thead><tbody>\n";
    for (const EventLine& e : events_) {
      Add(body_, "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
          e.utc ? UtcText(*e.utc) : std::string(), e.type, Escaped(e.id), Escaped(e.detail),
          e.position ? fmt::format("{:.6f}, {:.6f}", e.position->lat_deg, e.position->lon_deg)
                     : std::string());
    }
    body_ += "</tbody></table>\n";
    if (events_left_out_ > 0) {
      Add(body_, "<p>and {} more (see --events-out)</p>\n", events_left_out_);
    }
  }
  Add(body_, "<details><summary>JSON</summary><pre>{}</pre></details>\n</section>\n",
      Escaped(ToJson(tally).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)));
}

std::string HtmlReport::Page() const {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<title>Waymark replay</title>\n<style>\n"
         "body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;max-width:1040px;padding:0 1em;"
         "color:#222;background:#fff}\n"
         "svg{width:100%;height:auto;background:#f6f7f4;border:1px solid #ddd}\n"
         "svg text{font-size:12px;fill:#555}\n"
         "path{fill:none;stroke-linejoin:round}\n"
         ".raw{stroke:#c9302c;stroke-width:1;opacity:.6}.estimated{stroke:#1f5fbf;stroke-width:2}\n"
         ".stored{fill:#111}.stay{fill:#e8a317;stroke:#7a5200}\n"
         ".fence{fill:#2e8b5733;stroke:#2e8b57;stroke-width:1.5}.scale{stroke:#333;stroke-width:2}"
         "\n"
         ".k{display:inline-block;width:14px;height:8px;margin:0 .3em 0 "
         "1em}i.k.raw{background:#c9302c}"
         "i.k.estimated{background:#1f5fbf}i.k.stored{background:#111}i.k.stay{background:#e8a317}"
         "i.k.fence{background:#2e8b57}\n"
         "table{border-collapse:collapse;width:100%}td,th{border:1px solid #ddd;padding:.2em .5em;"
         "text-align:left;font-variant-numeric:tabular-nums}\n"
         "pre{background:#f4f4f4;padding:.8em;overflow:auto}.warning{color:#8a4b00}\n"
         "@media(prefers-color-scheme:dark){body{background:#181a1b;color:#ddd}svg{background:#"
         "22252a;"
         "border-color:#444}pre{background:#222}td,th{border-color:#444}.stored{fill:#eee}}\n"
         "</style></head><body>\n<h1>Waymark replay</h1>\n" +
         body_ + "<p>waymark " WAYMARK_VERSION "</p>\n</body></html>\n";
}

}  // namespace waymark::replay
