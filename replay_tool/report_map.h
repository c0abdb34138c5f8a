// The map of a report as SVG.
#ifndef WAYMARK_REPLAY_TOOL_REPORT_MAP_H_
#define WAYMARK_REPLAY_TOOL_REPORT_MAP_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/geofence.h"
#include "waymark/geometry.h"

namespace waymark::replay {

/// To units of the picture: an equirectangular projection about the middle of what is shown, true
/// to scale at that latitude. Longitudes are unwrapped from the first point, so that a track over
/// the antimeridian stays in one piece.
class Projection {
 public:
  static constexpr double kWidth = 1000;

  explicit Projection(const std::vector<LatLon>& extent);
  double X(LatLon p) const;
  double Y(LatLon p) const;
  double height() const { return height_; }
  double UnitsPerMetre() const;

 private:
  double Unwrapped(double lon_deg) const;

  double origin_lon_deg_ = 0, west_ = 0, north_ = 0, squeeze_ = 1, scale_ = 1, height_ = 0;
};

/// Something at one place, with what it says when pointed at.
struct MapMark {
  LatLon position;
  std::string_view css_class;  ///< "stored", "rejected", "stay", "enter", "exit", "end"
  std::string title;
};

struct MapContent {
  std::vector<LatLon> raw, estimated;
  std::vector<Geofence> fences;
  std::vector<MapMark> marks;
};

std::string MapSvg(const MapContent& content, const Projection& map);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPORT_MAP_H_
