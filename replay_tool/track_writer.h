// Writes stored records as GPX, GeoJSON, CSV or KML.
#ifndef WAYMARK_REPLAY_TOOL_TRACK_WRITER_H_
#define WAYMARK_REPLAY_TOOL_TRACK_WRITER_H_

#include <memory>
#include <string>
#include <string_view>

#include "replay_tool/output_file.h"
#include "waymark/record.h"

namespace waymark::replay {

/// Takes records in order of seq. A new segment begins at each gap, restart and session.
class TrackWriter {
 public:
  virtual ~TrackWriter() = default;
  /// A first pass over all records, for formats whose places stand before the track.
  virtual void Place(const Record& record) = 0;
  virtual void Add(const Record& record) = 0;
  virtual void Finish() = 0;
};

/// `format` is "gpx", "geojson", "csv" or "kml", else null. `out` is borrowed.
std::unique_ptr<TrackWriter> MakeTrackWriter(std::string_view format, OutputFile& out);

/// "2026-11-22T15:57:03.250Z".
std::string IsoTime(UtcTime utc);
/// `text` for XML content and attributes.
std::string XmlEscaped(std::string_view text);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_TRACK_WRITER_H_
