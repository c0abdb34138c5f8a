// GPX reader. Schema: https://www.topografix.com/GPX/1/1/ (and /1/0/, where a point has <speed> in
// m/s and <course>). What the schema leaves to <extensions> is taken by local name wherever it
// stands inside a point:
//   speed             m/s: GPX 1.0, Garmin TrackPointExtension v2, OpenTracks, GPSLogger, OsmAnd
//   gps@speed         km/h: GpsTrackEditor's <gte:gps speed="" azimuth=""/>
//   course, bearing   degrees: GPX 1.0, Garmin, GPSLogger
//   accuracy, hAcc, accuracy_horizontal     metres: GPSLogger, Apple exports, OpenTracks
//   vAcc, accuracy_vertical                 metres: Apple exports, OpenTracks
//   speed_accuracy, sAcc; course_accuracy, cAcc
//   src               gps, gnss, network, fused: GPSLogger
#include "replay_tool/gpx_reader.h"

#include <expat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "replay_tool/number_text.h"
#include "replay_tool/plural.h"
#include "replay_tool/utf8_repair.h"

namespace waymark::replay {
namespace {

constexpr int kMaxDepth = 64;
constexpr XML_Index kMaxTokenBytes = 1 << 20;
// Longer than any number or time; the text of no other element is kept.
constexpr std::size_t kMaxTextBytes = 128;
// Of one metre of accuracy per unit of dilution: REPLAY_TOOL.md, "HDOP x 5 m".
constexpr double kMetresPerHdop = 5;
constexpr double kKmhPerMps = 3.6;

enum class Field : std::uint8_t {
  kNone,
  kTime,
  kElevation,
  kGeoidHeight,
  kHdop,
  kSpeed,
  kCourse,
  kAccuracy,
  kVerticalAccuracy,
  kSpeedAccuracy,
  kCourseAccuracy,
  kSource,
};

struct FieldName {
  std::string_view name;  // lower case
  Field field;
};

constexpr std::array kFieldNames = {
    FieldName{"time", Field::kTime},
    FieldName{"ele", Field::kElevation},
    FieldName{"geoidheight", Field::kGeoidHeight},
    FieldName{"hdop", Field::kHdop},
    FieldName{"speed", Field::kSpeed},
    FieldName{"course", Field::kCourse},
    FieldName{"bearing", Field::kCourse},
    FieldName{"accuracy", Field::kAccuracy},
    FieldName{"hacc", Field::kAccuracy},
    FieldName{"accuracy_horizontal", Field::kAccuracy},
    FieldName{"vacc", Field::kVerticalAccuracy},
    FieldName{"accuracy_vertical", Field::kVerticalAccuracy},
    FieldName{"sacc", Field::kSpeedAccuracy},
    FieldName{"speed_accuracy", Field::kSpeedAccuracy},
    FieldName{"cacc", Field::kCourseAccuracy},
    FieldName{"course_accuracy", Field::kCourseAccuracy},
    FieldName{"src", Field::kSource},
};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::equal(text.begin(), text.end(), lower.begin(),
                                                   [](char a, char b) { return Lower(a) == b; });
}

Field FieldOf(std::string_view local_name) {
  for (const FieldName& entry : kFieldNames) {
    if (EqualsIgnoringCase(local_name, entry.name)) return entry.field;
  }
  return Field::kNone;
}

std::string_view LocalName(const char* name) {
  const char* colon = std::strrchr(name, ':');
  return colon == nullptr ? name : colon + 1;
}

// Its bytes are no text until they are paired: every other one of "<gpx" is zero.
bool LooksLikeUtf16(std::string_view begin) {
  return begin.starts_with("\xFF\xFE") || begin.starts_with("\xFE\xFF") ||
         begin.substr(0, 4).find('\0') != std::string_view::npos;
}

class GpxParser final : public TraceParser {
 public:
  GpxParser(const ReadOptions& options, FixSink sink)
      : options_(options), sink_(std::move(sink)), parser_(XML_ParserCreate(nullptr)) {
    info_.format = TraceFormat::kGpx;
    if (parser_ == nullptr) return;
    XML_SetUserData(parser_, this);
    XML_SetElementHandler(parser_, &OnStart, &OnEnd);
    XML_SetCharacterDataHandler(parser_, &OnText);
    XML_SetEntityDeclHandler(parser_, &OnEntityDeclaration);
    XML_SetUnknownEncodingHandler(parser_, &OnUnknownEncoding, nullptr);
  }
  ~GpxParser() override { XML_ParserFree(parser_); }
  GpxParser(const GpxParser&) = delete;
  GpxParser& operator=(const GpxParser&) = delete;

  Status Feed(std::string_view bytes) override {
    if (parser_ == nullptr) return Status(Code::kResourceExhausted, "out of memory");
    if (fed_bytes_ == 0 && !bytes.empty()) repair_utf8_ = !LooksLikeUtf16(bytes);
    return Parse(repair_utf8_ ? repair_.Feed(bytes) : bytes);
  }

  Status Finish(bool cut) override {
    if (parser_ == nullptr) return Status(Code::kResourceExhausted, "out of memory");
    if (stopped_) return Status();
    info_.cut = cut || nul_padding_;
    if (Status status = Parse(repair_.Finish()); !status.ok()) return status;
    if (!junk_ && XML_Parse(parser_, "", 0, 1) != XML_STATUS_OK) info_.cut = true;
    if (!saw_root_) return Status(Code::kInvalidArgument, NoRootReason());
    if (untimed_ > 0) return UntimedError();
    if (info_.points == 0) return NoPointsError();
    AddWarnings();
    return Status();
  }

  bool stopped() const override { return stopped_; }
  const TraceInfo& info() const override { return info_; }

 private:
  struct Point {
    TraceFix read;
    bool has_position = false;
    std::optional<double> elevation_m, geoid_height_m, hdop;
  };

  Status Parse(std::string_view bytes) {
    while (!bytes.empty() && !stopped_ && !junk_) {
      const std::size_t size = std::min<std::size_t>(bytes.size(), 1 << 16);
      if (XML_Parse(parser_, bytes.data(), static_cast<int>(size), 0) != XML_STATUS_OK) {
        return OnParseError(bytes.substr(0, size));
      }
      fed_bytes_ += static_cast<XML_Index>(size);
      if (fed_bytes_ - XML_GetCurrentByteIndex(parser_) > kMaxTokenBytes) {
        return Unusable("a single tag or text is longer than 1 MiB");
      }
      bytes.remove_prefix(size);
    }
    return Status();
  }

  static GpxParser& Self(void* user) { return *static_cast<GpxParser*>(user); }

  static void XMLCALL OnStart(void* user, const XML_Char* name, const XML_Char** attributes) {
    Self(user).Start(LocalName(name), attributes);
  }
  static void XMLCALL OnEnd(void* user, const XML_Char*) { Self(user).End(); }
  static void XMLCALL OnText(void* user, const XML_Char* text, int size) {
    GpxParser& self = Self(user);
    if (self.field_ == Field::kNone || size <= 0) return;
    if (self.text_.size() + static_cast<std::size_t>(size) > kMaxTextBytes) return;
    self.text_.append(text, static_cast<std::size_t>(size));
  }
  // Without declared entities there is no expansion, hence no bomb.
  static void XMLCALL OnEntityDeclaration(void* user, const XML_Char*, int, const XML_Char*, int,
                                          const XML_Char*, const XML_Char*, const XML_Char*,
                                          const XML_Char*) {
    Self(user).Abort("declares an XML entity, which no GPX needs and a bomb is made of");
  }
  // Numbers, times and tags are ASCII in every single-byte encoding; names are not kept.
  static int XMLCALL OnUnknownEncoding(void*, const XML_Char*, XML_Encoding* encoding) {
    for (int byte = 0; byte < 256; ++byte) encoding->map[byte] = byte < 128 ? byte : 0xFFFD;
    encoding->data = nullptr;
    encoding->convert = nullptr;
    encoding->release = nullptr;
    return XML_STATUS_OK;
  }

  void Abort(std::string reason) {
    if (abort_reason_.empty()) abort_reason_ = std::move(reason);
    XML_StopParser(parser_, XML_FALSE);
  }

  std::string Where() const {
    return "line " + std::to_string(XML_GetCurrentLineNumber(parser_)) + ": ";
  }
  Status Unusable(const std::string& reason) const {
    return Status(Code::kInvalidArgument, Where() + reason);
  }

  void Start(std::string_view name, const XML_Char** attributes) {
    if (++depth_ > kMaxDepth) return Abort("elements nested deeper than 64");
    if (depth_ == 1) {
      if (!EqualsIgnoringCase(name, "gpx")) {
        return Abort("not GPX: the root element is <" + std::string(name.substr(0, 64)) + ">");
      }
      saw_root_ = true;
    }
    field_ = Field::kNone;
    if (in_point_) {
      if (name == "gps") return ReadGpsTrackEditor(attributes);
      field_ = FieldOf(name);
      // A <link> or a person's note may hold elements of the same name; sensors do not.
      if (depth_ - point_depth_ > 1 && (field_ == Field::kTime || field_ == Field::kElevation)) {
        field_ = Field::kNone;
      }
      text_.clear();
      return;
    }
    if (name == "time" && depth_ <= 3) {
      field_ = Field::kTime;
      text_.clear();
    } else if (name == "trkpt" || (name == "rtept" && options_.routes)) {
      BeginPoint(attributes);
    } else if (name == "rtept") {
      ++route_points_;
    } else if (name == "wpt") {
      ++waypoints_;
    }
  }

  void BeginPoint(const XML_Char** attributes) {
    in_point_ = true;
    point_depth_ = depth_;
    point_ = Point();
    point_.read.line = ++ordinal_;
    std::optional<double> lat_deg, lon_deg;
    for (; attributes[0] != nullptr; attributes += 2) {
      const std::string_view name = LocalName(attributes[0]);
      if (name == "lat") lat_deg = ParseDouble(attributes[1]);
      if (name == "lon") lon_deg = ParseDouble(attributes[1]);
    }
    point_.has_position = lat_deg && lon_deg;
    if (point_.has_position) point_.read.fix.position = {*lat_deg, *lon_deg};
  }

  void ReadGpsTrackEditor(const XML_Char** attributes) {
    for (; attributes[0] != nullptr; attributes += 2) {
      const std::string_view name = attributes[0];
      const std::optional<double> value = ParseDouble(attributes[1]);
      if (!value) continue;
      if (name == "speed") point_.read.fix.speed_mps = *value / kKmhPerMps;
      if (name == "azimuth") point_.read.fix.course_deg = *value;
    }
  }

  void End() {
    if (field_ != Field::kNone) {
      if (in_point_) {
        ReadField();
      } else if (!file_time_) {
        file_time_ = ParseIsoTime(text_);
      }
      field_ = Field::kNone;
    }
    if (in_point_ && depth_ == point_depth_) {
      in_point_ = false;
      EndPoint();
    }
    --depth_;
  }

  void ReadField() {
    Fix& fix = point_.read.fix;
    if (field_ == Field::kTime) {
      if (const auto utc = ParseIsoTime(text_)) fix.utc = utc;
      return;
    }
    if (field_ == Field::kSource) {
      const std::string_view source = Trim(text_);
      if (source == "gps" || source == "gnss") fix.source = FixSource::kGnss;
      if (source == "network") fix.source = FixSource::kNetwork;
      if (source == "fused") fix.source = FixSource::kFused;
      return;
    }
    const std::optional<double> value = ParseDouble(text_);
    if (!value) return;
    switch (field_) {
      case Field::kElevation:
        point_.elevation_m = value;
        break;
      case Field::kGeoidHeight:
        point_.geoid_height_m = value;
        break;
      case Field::kHdop:
        if (*value > 0) point_.hdop = value;
        break;
      case Field::kSpeed:
        fix.speed_mps = value;
        break;
      case Field::kCourse:
        fix.course_deg = value;
        break;
      // Programs write 0 or -1 where the phone told no accuracy.
      case Field::kAccuracy:
        if (*value > 0) fix.horizontal_accuracy_m = value;
        break;
      case Field::kVerticalAccuracy:
        if (*value > 0) fix.vertical_accuracy_m = value;
        break;
      case Field::kSpeedAccuracy:
        if (*value > 0) fix.speed_accuracy_mps = value;
        break;
      case Field::kCourseAccuracy:
        if (*value > 0) fix.course_accuracy_deg = value;
        break;
      case Field::kNone:
      case Field::kTime:
      case Field::kSource:
        break;
    }
  }

  void EndPoint() {
    if (!point_.has_position) {
      ++unplaced_;
      return;
    }
    Fix& fix = point_.read.fix;
    if (!fix.utc) {
      if (!options_.assume_interval_s) {
        ++untimed_;
        return;
      }
      fix.utc = AssumedTime();
      ++assumed_;
    }
    newest_utc_ = fix.utc;
    // From here on the file is refused: what it holds is only counted.
    if (untimed_ > 0) return;
    if (point_.elevation_m) {
      fix.altitude_m = *point_.elevation_m + point_.geoid_height_m.value_or(0);
    }
    if (!fix.horizontal_accuracy_m) {
      if (options_.accuracy_m) {
        fix.horizontal_accuracy_m = options_.accuracy_m;
      } else if (point_.hdop) {
        fix.horizontal_accuracy_m = *point_.hdop * kMetresPerHdop;
      }
    }
    ++info_.points;
    if (!sink_(point_.read)) {
      stopped_ = true;
      XML_StopParser(parser_, XML_FALSE);
    }
  }

  UtcTime AssumedTime() {
    const auto interval = std::chrono::milliseconds(
        static_cast<std::int64_t>(std::llround(*options_.assume_interval_s * 1000)));
    if (newest_utc_) return *newest_utc_ + interval;
    if (file_time_) return *file_time_;
    return UtcTime(std::chrono::sys_days(std::chrono::year(2000) / std::chrono::January / 1));
  }

  Status OnParseError(std::string_view chunk) {
    const XML_Error error = XML_GetErrorCode(parser_);
    if (error == XML_ERROR_ABORTED) {
      if (stopped_) return Status();
      return Unusable(abort_reason_);
    }
    if (error == XML_ERROR_NO_MEMORY) return Status(Code::kResourceExhausted, "out of memory");
    if (saw_root_ && (error == XML_ERROR_JUNK_AFTER_DOC_ELEMENT || depth_ == 0)) {
      junk_ = true;
      return Status();
    }
    // A file system that lost power leaves zero bytes where the end should be.
    const XML_Index at = XML_GetCurrentByteIndex(parser_) - fed_bytes_;
    if (info_.points > 0 && at >= 0 && at < static_cast<XML_Index>(chunk.size()) &&
        chunk.find('\0', static_cast<std::size_t>(at)) != std::string_view::npos) {
      nul_padding_ = junk_ = true;
      return Status();
    }
    return Unusable(std::string("not well-formed XML: ") + XML_ErrorString(error));
  }

  const char* NoRootReason() const {
    return info_.cut ? "cut off before its <gpx> element" : "not GPX: no <gpx> element";
  }

  Status UntimedError() const {
    return Status(Code::kInvalidArgument,
                  std::to_string(untimed_) + " of " + Plural(ordinal_ - unplaced_, "point") +
                      (untimed_ == 1 ? " has" : " have") +
                      " no readable time (--assume-interval SECONDS supplies one)");
  }

  Status NoPointsError() const {
    std::string why = "no track points";
    if (unplaced_ > 0) {
      why = Plural(unplaced_, "point") + ", and none has a latitude and longitude";
    } else if (route_points_ > 0) {
      why += ", but " + Plural(route_points_, "route point") + " (--routes reads them)";
    } else if (waypoints_ > 0) {
      why += ", only " + Plural(waypoints_, "waypoint") +
             ": places, which nobody moved along (export the track, or a route for --routes)";
    } else if (info_.cut) {
      why += " before the file is cut off";
    }
    return Status(Code::kInvalidArgument, why);
  }

  void AddWarnings() {
    if (info_.cut) {
      info_.warnings.push_back("the file is cut off after " + Plural(info_.points, "point") +
                               "; what stands before was read");
    } else if (junk_) {
      info_.warnings.push_back("what follows the end of the <gpx> element was ignored");
    }
    if (unplaced_ > 0) {
      info_.warnings.push_back(Plural(unplaced_, "point") +
                               " without a readable latitude and longitude skipped");
    }
    if (assumed_ > 0) {
      info_.warnings.push_back("the time of " + Plural(assumed_, "point") + " was assumed");
    }
    if (route_points_ > 0) {
      info_.warnings.push_back(Plural(route_points_, "route point") +
                               " ignored (--routes reads them)");
    }
  }

  const ReadOptions options_;
  const FixSink sink_;
  const XML_Parser parser_;
  TraceInfo info_;

  int depth_ = 0;
  bool saw_root_ = false;
  bool in_point_ = false;
  int point_depth_ = 0;
  Point point_;
  Field field_ = Field::kNone;
  std::string text_;

  std::optional<UtcTime> file_time_;
  std::optional<UtcTime> newest_utc_;  // of the last point
  std::uint64_t ordinal_ = 0;
  std::uint64_t unplaced_ = 0;  // without readable coordinates
  std::uint64_t untimed_ = 0;
  std::uint64_t assumed_ = 0;
  std::uint64_t route_points_ = 0;  // not asked for
  std::uint64_t waypoints_ = 0;

  Utf8Repair repair_;
  bool repair_utf8_ = true;
  XML_Index fed_bytes_ = 0;
  std::string abort_reason_;
  bool stopped_ = false;
  bool junk_ = false;  // nothing behind this place is read
  bool nul_padding_ = false;
};

}  // namespace

std::unique_ptr<TraceParser> MakeGpxParser(const ReadOptions& options, FixSink sink) {
  return std::make_unique<GpxParser>(options, std::move(sink));
}

}  // namespace waymark::replay
