#include "replay_tool/track_writer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "replay_tool/csv_output.h"
#include "waymark/version.h"

namespace waymark::replay {
namespace {

// Something at one place and time that is not a point of the track.
struct Waypoint {
  LatLon position;
  std::string name, note;
};

std::optional<Waypoint> WaypointOf(const Record& record) {
  if (const auto* stay = std::get_if<StayRecord>(&record.body)) {
    const auto s = std::chrono::duration<double>(stay->end_utc - stay->begin_utc).count();
    return Waypoint{
        stay->position, fmt::format("stay {}", stay->id),
        fmt::format("{:.0f} s from {}, r68 {:.1f} m", s, IsoTime(stay->begin_utc), stay->r68_m)};
  }
  if (const auto* fence = std::get_if<FenceRecord>(&record.body)) {
    return Waypoint{fence->position,
                    fmt::format("{} {}", FenceTransitionName(fence->transition), fence->fence_id),
                    fmt::format("p {:.3f}", fence->probability)};
  }
  return std::nullopt;
}

// Tells where one segment of the track ends and the next begins.
class Segmenter {
 public:
  /// True if `record` is a point that begins a new segment.
  bool Begins(const Record& record) {
    if (record.kind() == RecordKind::kGap) {
      broken_ = true;
      return false;
    }
    if (record.kind() != RecordKind::kPoint) return false;
    const bool begins = broken_ || record.session != session_;
    broken_ = false;
    session_ = record.session;
    return begins;
  }

 private:
  bool broken_ = true;
  std::uint64_t session_ = 0;
};

class GpxWriter final : public TrackWriter {
 public:
  explicit GpxWriter(OutputFile& out) : out_(out) {
    out_.Append(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<gpx version=\"1.1\" creator=\"waymark " WAYMARK_VERSION
        "\" xmlns=\"http://www.topografix.com/GPX/1/1\" "
        "xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v2\" "
        "xmlns:opentracks=\"http://opentracksapp.com/xmlschemas/v1\">\n");
  }

  void Place(const Record& record) override {
    const std::optional<Waypoint> place = WaypointOf(record);
    if (!place) return;
    out_.Append(fmt::format(
        "<wpt lat=\"{:.7f}\" lon=\"{:.7f}\"><time>{}</time><name>{}</name><desc>{}</desc></wpt>\n",
        place->position.lat_deg, place->position.lon_deg, IsoTime(record.utc),
        XmlEscaped(place->name), XmlEscaped(place->note)));
  }

  void Add(const Record& record) override {
    const bool begins = segments_.Begins(record);
    const auto* point = std::get_if<PointRecord>(&record.body);
    if (point == nullptr) return;
    if (begins) {
      out_.Append(open_ ? "</trkseg>\n<trkseg>\n" : "<trk>\n<trkseg>\n");
      open_ = true;
    }
    std::string row = fmt::format("<trkpt lat=\"{:.7f}\" lon=\"{:.7f}\">", point->position.lat_deg,
                                  point->position.lon_deg);
    if (point->altitude_m) row += fmt::format("<ele>{:.2f}</ele>", *point->altitude_m);
    row += fmt::format(
        "<time>{}</time><extensions><opentracks:accuracy_horizontal>{:.2f}"
        "</opentracks:accuracy_horizontal>",
        IsoTime(record.utc), point->r68_m);
    if (point->speed_mps || point->course_deg) {
      row += "<gpxtpx:TrackPointExtension>";
      if (point->speed_mps)
        row += fmt::format("<gpxtpx:speed>{:.2f}</gpxtpx:speed>", *point->speed_mps);
      if (const auto course_deg = RoundedCourse(point->course_deg)) {
        row += fmt::format("<gpxtpx:course>{:.2f}</gpxtpx:course>", *course_deg);
      }
      row += "</gpxtpx:TrackPointExtension>";
    }
    out_.Append(row + "</extensions></trkpt>\n");
  }

  void Finish() override { out_.Append(open_ ? "</trkseg>\n</trk>\n</gpx>\n" : "</gpx>\n"); }

 private:
  OutputFile& out_;
  Segmenter segments_;
  bool open_ = false;
};

class KmlWriter final : public TrackWriter {
 public:
  explicit KmlWriter(OutputFile& out) : out_(out) {
    out_.Append(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<kml xmlns=\"http://www.opengis.net/kml/2.2\" "
        "xmlns:gx=\"http://www.google.com/kml/ext/2.2\">\n<Document>\n<name>Waymark</name>\n");
  }

  void Place(const Record& record) override {
    const std::optional<Waypoint> place = WaypointOf(record);
    if (!place) return;
    out_.Append(fmt::format(
        "<Placemark><name>{}</name><description>{}</description><TimeStamp><when>{}</when>"
        "</TimeStamp><Point><coordinates>{:.7f},{:.7f}</coordinates></Point></Placemark>\n",
        XmlEscaped(place->name), XmlEscaped(place->note), IsoTime(record.utc),
        place->position.lon_deg, place->position.lat_deg));
  }

  void Add(const Record& record) override {
    const bool begins = segments_.Begins(record);
    const auto* point = std::get_if<PointRecord>(&record.body);
    if (point == nullptr) return;
    if (begins) {
      Close();
      out_.Append("<Placemark><name>track</name><gx:Track>\n");
      open_ = true;
    }
    // Pairs of when and coord may alternate; readers take them in order.
    out_.Append(fmt::format("<when>{}</when><gx:coord>{:.7f} {:.7f} {:.2f}</gx:coord>\n",
                            IsoTime(record.utc), point->position.lon_deg, point->position.lat_deg,
                            point->altitude_m.value_or(0)));
  }

  void Finish() override {
    Close();
    out_.Append("</Document>\n</kml>\n");
  }

 private:
  void Close() {
    if (open_) out_.Append("</gx:Track></Placemark>\n");
    open_ = false;
  }

  OutputFile& out_;
  Segmenter segments_;
  bool open_ = false;
};

class GeoJsonWriter final : public TrackWriter {
 public:
  explicit GeoJsonWriter(OutputFile& out) : out_(out) {
    out_.Append("{\"type\":\"FeatureCollection\",\"features\":[");
  }

  void Place(const Record& record) override {
    const std::optional<Waypoint> place = WaypointOf(record);
    if (!place) return;
    Begin();
    out_.Append(fmt::format(
        "{{\"type\":\"Feature\",\"geometry\":{{\"type\":\"Point\",\"coordinates\":[{:.7f},{:.7f}]}}"
        ","
        "\"properties\":{{\"kind\":\"{}\",\"name\":{},\"note\":{},\"utc_ms\":{}}}}}",
        place->position.lon_deg, place->position.lat_deg, RecordKindName(record.kind()),
        Quoted(place->name), Quoted(place->note), record.utc.time_since_epoch().count()));
  }

  void Add(const Record& record) override {
    if (segments_.Begins(record)) EndSegment();
    const auto* point = std::get_if<PointRecord>(&record.body);
    if (point == nullptr) return;
    // A line may not cross the antimeridian (RFC 7946, 3.1.9): it ends before and begins behind it.
    if (!segment_.empty() &&
        std::abs(point->position.lon_deg -
                 std::get<PointRecord>(segment_.back().body).position.lon_deg) > 180) {
      EndSegment();
    }
    segment_.push_back(record);
  }

  void Finish() override {
    EndSegment();
    out_.Append("\n]}\n");
  }

 private:
  void Begin() {
    out_.Append(first_ ? "\n" : ",\n");
    first_ = false;
  }

  static std::string Quoted(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }

  // A line of one point is not valid GeoJSON: it becomes a point.
  void EndSegment() {
    if (segment_.empty()) return;
    const std::vector<Record> segment = std::exchange(segment_, {});
    const bool line = segment.size() > 1;
    std::string coordinates, times, radii;
    for (const Record& record : segment) {
      const auto& point = std::get<PointRecord>(record.body);
      const char* comma = coordinates.empty() ? "" : ",";
      coordinates +=
          fmt::format("{}[{:.7f},{:.7f}{}]", comma, point.position.lon_deg, point.position.lat_deg,
                      point.altitude_m ? fmt::format(",{:.2f}", *point.altitude_m) : "");
      times += fmt::format("{}{}", comma, record.utc.time_since_epoch().count());
      radii += fmt::format("{}{:.2f}", comma, point.r68_m);
    }
    Begin();
    out_.Append(fmt::format(
        "{{\"type\":\"Feature\",\"geometry\":{{\"type\":\"{}\",\"coordinates\":{}{}{}}},"
        "\"properties\":{{\"kind\":\"track\",\"utc_ms\":[{}],\"r68_m\":[{}]}}}}",
        line ? "LineString" : "Point", line ? "[" : "", coordinates, line ? "]" : "", times,
        radii));
  }

  OutputFile& out_;
  Segmenter segments_;
  std::vector<Record> segment_;
  bool first_ = true;
};

class CsvWriter final : public TrackWriter {
 public:
  explicit CsvWriter(OutputFile& out) : out_(out) { out_.Append(kRecordHeader); }
  void Place(const Record&) override {}
  void Add(const Record& record) override {
    row_.clear();
    AppendRecordRow(row_, record);
    out_.Append(row_);
  }
  void Finish() override {}

 private:
  OutputFile& out_;
  std::string row_;
};

}  // namespace

std::string IsoTime(UtcTime utc) {
  const auto day = std::chrono::floor<std::chrono::days>(utc);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(utc - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

std::string XmlEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // Other control characters may not stand in XML at all.
        out += static_cast<unsigned char>(c) < ' ' && c != '\n' ? ' ' : c;
    }
  }
  return out;
}

std::unique_ptr<TrackWriter> MakeTrackWriter(std::string_view format, OutputFile& out) {
  if (format == "gpx") return std::make_unique<GpxWriter>(out);
  if (format == "geojson") return std::make_unique<GeoJsonWriter>(out);
  if (format == "csv") return std::make_unique<CsvWriter>(out);
  if (format == "kml") return std::make_unique<KmlWriter>(out);
  return nullptr;
}

}  // namespace waymark::replay
