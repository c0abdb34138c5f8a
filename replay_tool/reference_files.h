// Files that say what was true: truth, route, labels; and manifests that pair them with traces.
#ifndef WAYMARK_REPLAY_TOOL_REFERENCE_FILES_H_
#define WAYMARK_REPLAY_TOOL_REFERENCE_FILES_H_

#include <string>
#include <vector>

#include "replay_tool/stop_metrics.h"
#include "replay_tool/truth_track.h"
#include "waymark/fix.h"
#include "waymark/status.h"

namespace waymark::replay {

// Every error begins with the path and, where there is one, the line. kInvalidArgument or
// kCorruption: not usable; kIo: the disk failed.

/// utc_ms,lat_deg,lon_deg[,altitude_m], or any trace (a GPX, say).
Result<std::vector<TruthPoint>> ReadTruth(const std::string& path);
/// lat_deg,lon_deg, or the points of a GPX track or route. At least two points.
Result<std::vector<LatLon>> ReadRoute(const std::string& path);
/// utc_ms,stationary,mode.
Result<std::vector<Label>> ReadLabels(const std::string& path);

/// One pairing; what is empty is not given.
struct Session {
  std::string trace, truth, route, labels;
};
/// trace,truth,route,labels; relative paths start at the manifest's folder. Every row names
/// something to judge by.
Result<std::vector<Session>> ReadManifest(const std::string& path,
                                          std::vector<std::string>& warnings);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REFERENCE_FILES_H_
