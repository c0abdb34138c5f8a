// Geofences from GeoJSON (RFC 7946), read as a stream.
//
//   Point + radius_m            a circle
//   Polygon, MultiPolygon       with holes
//   LineString + width_m        a corridor
//
// Properties of a feature, all optional but the two above:
//   id                  text or number; else the feature's own id; else "feature-N" by its place
//   dwell_s             seconds inside until a dwell event
//   expires_utc_ms      milliseconds since 1970
//   notify_on           "enter|exit|dwell" or ["enter", "exit", "dwell"]
//   initial_trigger     false: no enter for a fence that is added around the device
//   confidence          probability needed for a crossing, [0.55, 0.999]
//   utc_offset_minutes  of open
//   open                [[begin, end], ...] in minutes since Monday 00:00 local time; also
//                       [{"begin_minute": b, "end_minute": e}, ...]
//   extras              text, or any JSON value, which is kept as compact JSON text
// Other properties are ignored.
#ifndef WAYMARK_REPLAY_TOOL_GEOJSON_READER_H_
#define WAYMARK_REPLAY_TOOL_GEOJSON_READER_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/geofence.h"
#include "waymark/status.h"

namespace waymark::replay {

/// A feature that is no usable geofence; the others are kept.
struct FeatureProblem {
  std::size_t feature = 0;  ///< its place in the file, from 0
  std::string id;
  std::string reason;
};

struct GeofenceFile {
  std::size_t features = 0;
  std::vector<FeatureProblem> problems;
};

/// Takes one geofence; false ends the reading early, which is not an error.
using GeofenceSink = std::function<bool(Geofence&&)>;

/// Reads the FeatureCollection (or single Feature) at `path`, gzip or plain, holding one feature at
/// a time. kInvalidArgument or kCorruption: not readable, not JSON (with the byte) or not GeoJSON;
/// what came before went to the sink. The message begins with the path.
Result<GeofenceFile> ReadGeofences(const std::string& path, const GeofenceSink& sink);
/// The same from memory.
Result<GeofenceFile> ParseGeofences(std::string_view text, const GeofenceSink& sink);

struct LoadedGeofences {
  std::vector<Geofence> fences;
  std::vector<FeatureProblem> problems;
};
Result<LoadedGeofences> LoadGeofences(const std::string& path);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_GEOJSON_READER_H_
