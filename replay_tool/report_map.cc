#include "replay_tool/report_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numbers>
#include <variant>

#include "replay_tool/summary.h"
#include "replay_tool/track_writer.h"

namespace waymark::replay {
namespace {

constexpr double kMaxHeight = 640;
constexpr double kMinHeight = 240;
constexpr double kMargin = 30;
constexpr double kMetresPerDegree = 111'195;  // of latitude, on average
constexpr std::size_t kMaxFences = 2'000;

template <class... Args>
void Add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// A closed ring may be one of several in a path: holes stay empty by the even-odd rule.
void AddRing(std::string& d, const Projection& map, const std::vector<LatLon>& points, bool close) {
  for (std::size_t i = 0; i < points.size(); ++i) {
    Add(d, "{}{:.1f} {:.1f}", i == 0 ? 'M' : 'L', map.X(points[i]), map.Y(points[i]));
  }
  if (close) d += 'Z';
}

void AddLine(std::string& svg, const Projection& map, const std::vector<LatLon>& points,
             std::string_view css_class) {
  Add(svg, "<path class=\"{}\" d=\"", css_class);
  AddRing(svg, map, points, false);
  svg += "\"/>\n";
}

void AddPolygon(std::string& d, const Projection& map, const Polygon& polygon) {
  AddRing(d, map, polygon.outer, true);
  for (const auto& hole : polygon.holes) AddRing(d, map, hole, true);
}

void AddFence(std::string& svg, const Projection& map, const Geofence& fence) {
  std::optional<LatLon> label;
  Add(svg, "<g><title>{}</title>", XmlEscaped(fence.id));
  if (const Circle* circle = std::get_if<Circle>(&fence.shape)) {
    label = circle->centre;
    Add(svg, "<circle class=\"area\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>",
        map.X(circle->centre), map.Y(circle->centre), circle->radius_m * map.UnitsPerMetre());
  } else if (const Corridor* corridor = std::get_if<Corridor>(&fence.shape)) {
    if (!corridor->line.empty()) label = corridor->line.front();
    Add(svg, "<path class=\"corridor\" stroke-width=\"{:.1f}\" d=\"",
        std::max(1., corridor->width_m * map.UnitsPerMetre()));
    AddRing(svg, map, corridor->line, false);
    svg += "\"/>";
  } else {
    svg += "<path class=\"area\" d=\"";
    if (const Polygon* polygon = std::get_if<Polygon>(&fence.shape)) {
      if (!polygon->outer.empty()) label = polygon->outer.front();
      AddPolygon(svg, map, *polygon);
    } else if (const MultiPolygon* several = std::get_if<MultiPolygon>(&fence.shape)) {
      for (const Polygon& part : several->parts) {
        if (!label && !part.outer.empty()) label = part.outer.front();
        AddPolygon(svg, map, part);
      }
    }
    svg += "\"/>";
  }
  if (label) {
    Add(svg, "<text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", map.X(*label) + 12, map.Y(*label) - 8,
        XmlEscaped(std::string_view(fence.id).substr(0, 40)));
  }
  svg += "</g>\n";
}

// Shapes of equal size at every zoom: paths of no length, whose ends are drawn by the stroke, would
// all be round; so each is a short symbol that the page's script keeps at its size.
void AddMark(std::string& svg, const Projection& map, const MapMark& mark) {
  const bool dot = mark.css_class == "stored";
  const char* shape = "M0 0h0";
  if (mark.css_class == "rejected") shape = "M-3 -3L3 3M-3 3L3 -3";
  if (mark.css_class == "enter") shape = "M0 -7L6 4H-6Z";
  if (mark.css_class == "exit") shape = "M0 7L6 -4H-6Z";
  if (mark.css_class == "begin" || mark.css_class == "end") shape = "M-5 -5H5V5H-5Z";
  Add(svg, "<g class=\"mark {}\" transform=\"translate({:.1f} {:.1f})\"><path d=\"{}\"/>",
      mark.css_class, map.X(mark.position), map.Y(mark.position), shape);
  if (!dot) Add(svg, "<title>{}</title>", XmlEscaped(mark.title));
  svg += "</g>\n";
}

// A round length that fits the map, drawn at its lower left.
void AddScaleBar(std::string& svg, const Projection& map) {
  double metres = 1;
  for (const double step : {1., 2., 5.}) {
    for (double decade = 1; decade < 1e8; decade *= 10) {
      if (step * decade * map.UnitsPerMetre() < Projection::kWidth / 4) {
        metres = std::max(metres, step * decade);
      }
    }
  }
  const double y = map.height() - 10;
  Add(svg,
      "<path class=\"scale\" d=\"M{0:.0f} {1:.1f}h{2:.1f}\"/><text x=\"{0:.0f}\" y=\"{3:.1f}\">"
      "{4}</text>\n",
      kMargin, y, metres * map.UnitsPerMetre(), y - 6, DistanceText(metres));
}

}  // namespace

Projection::Projection(const std::vector<LatLon>& extent) : height_(kMinHeight) {
  if (extent.empty()) return;
  origin_lon_deg_ = extent.front().lon_deg;
  double south = 90, north = -90, west = 1e9, east = -1e9;
  for (const LatLon& p : extent) {
    south = std::min(south, p.lat_deg);
    north = std::max(north, p.lat_deg);
    west = std::min(west, Unwrapped(p.lon_deg));
    east = std::max(east, Unwrapped(p.lon_deg));
  }
  squeeze_ = std::max(0.01, std::cos((south + north) / 2 * std::numbers::pi / 180));
  const double width_deg = std::max((east - west) * squeeze_, 1e-5);
  const double height_deg = std::max(north - south, 1e-5);
  scale_ = std::min((kWidth - 2 * kMargin) / width_deg, (kMaxHeight - 2 * kMargin) / height_deg);
  height_ = std::clamp(height_deg * scale_ + 2 * kMargin, kMinHeight, kMaxHeight);
  // What is shown stands in the middle.
  west_ = west - ((kWidth - 2 * kMargin) / scale_ - width_deg) / 2 / squeeze_;
  north_ = north + ((height_ - 2 * kMargin) / scale_ - height_deg) / 2;
}

double Projection::Unwrapped(double lon_deg) const {
  return origin_lon_deg_ + std::remainder(lon_deg - origin_lon_deg_, 360.);
}
double Projection::X(LatLon p) const {
  return kMargin + (Unwrapped(p.lon_deg) - west_) * squeeze_ * scale_;
}
double Projection::Y(LatLon p) const { return kMargin + (north_ - p.lat_deg) * scale_; }
double Projection::UnitsPerMetre() const { return scale_ / kMetresPerDegree; }

std::string MapSvg(const MapContent& content, const Projection& map) {
  std::string svg;
  Add(svg,
      "<svg class=\"map\" viewBox=\"0 0 {0:.0f} {1:.0f}\" role=\"img\" aria-label=\"Map of the "
      "track\">\n<g class=\"fence\">\n",
      Projection::kWidth, map.height());
  for (std::size_t i = 0; i < std::min(content.fences.size(), kMaxFences); ++i) {
    AddFence(svg, map, content.fences[i]);
  }
  svg += "</g>\n";
  AddLine(svg, map, content.raw, "raw");
  AddLine(svg, map, content.estimated, "estimated");
  for (const MapMark& mark : content.marks) AddMark(svg, map, mark);
  svg += "<g class=\"mark cursor\" visibility=\"hidden\"><path d=\"M0 0h0\"/></g>\n";
  AddScaleBar(svg, map);
  return svg + "</svg>\n";
}

}  // namespace waymark::replay
