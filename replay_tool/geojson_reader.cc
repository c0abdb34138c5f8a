#include "replay_tool/geojson_reader.h"

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "replay_tool/input_file.h"

namespace waymark::replay {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxPositions = 200'000;     // a shape may have 100,000 vertices
constexpr std::size_t kMaxPropertyNodes = 20'000;  // of one feature
constexpr std::size_t kMaxProblems = 10'000;

/// The numbers under "coordinates", whatever their nesting.
struct Coordinates {
  struct End {
    std::size_t depth = 0;      ///< of the array that ends; 1 is the outermost
    std::size_t positions = 0;  ///< how many stood before
  };
  std::vector<LatLon> positions;
  std::vector<End> ends;
  std::size_t position_depth = 0;  ///< of the arrays that hold numbers; 0: none yet
  std::string problem;
};

struct Feature {  // NOLINT(bugprone-exception-escape): Json asserts in its moves
  std::string type;
  std::string geometry_type;
  bool has_geometry = false;
  Coordinates coordinates;
  Json id, properties;
};

std::optional<double> NumberOf(const Json& properties, const char* name, std::string& problem) {
  const auto it = properties.find(name);
  if (it == properties.end() || it->is_null()) return std::nullopt;
  if (!it->is_number()) {
    problem = std::string(name) + " is not a number";
    return std::nullopt;
  }
  return it->get<double>();
}

std::string IdText(const Json& id) {
  if (id.is_string()) return id.get<std::string>();
  if (id.is_number_integer()) return id.dump();
  if (id.is_number()) return id.dump();
  return {};
}

void SetNotify(const Json& notify, Geofence& fence, std::string& problem) {
  fence.notify_enter = fence.notify_exit = fence.notify_dwell = false;
  const auto set = [&](const std::string& word) {
    if (word == "enter") {
      fence.notify_enter = true;
    } else if (word == "exit") {
      fence.notify_exit = true;
    } else if (word == "dwell") {
      fence.notify_dwell = true;
    } else {
      problem = "notify_on has \"" + word + "\"; it may have enter, exit and dwell";
    }
  };
  if (notify.is_string()) {
    std::string word;
    for (const char c : notify.get<std::string>() + "|") {
      if (c != '|' && c != ',' && c != ' ') {
        word += c;
        continue;
      }
      if (!word.empty()) set(word);
      word.clear();
    }
    return;
  }
  if (!notify.is_array()) {
    problem = "notify_on is neither text nor a list";
    return;
  }
  for (const Json& word : notify) {
    if (word.is_string()) {
      set(word.get<std::string>());
    } else {
      problem = "notify_on has an entry that is not text";
    }
  }
}

void SetOpen(const Json& open, Geofence& fence, std::string& problem) {
  if (!open.is_array()) {
    problem = "open is not a list of windows";
    return;
  }
  for (const Json& window : open) {
    const Json* begin = nullptr;
    const Json* end = nullptr;
    if (window.is_array() && window.size() == 2) {
      begin = &window[0];
      end = &window[1];
    } else if (window.is_object() && window.contains("begin_minute") &&
               window.contains("end_minute")) {
      begin = &window["begin_minute"];
      end = &window["end_minute"];
    }
    const auto minute = [](const Json* v) {
      return v->is_number_unsigned() && v->get<std::uint64_t>() <= 20'160;
    };
    if (begin == nullptr || end == nullptr || !minute(begin) || !minute(end)) {
      problem = "a window of open is not [begin_minute, end_minute] since Monday 00:00";
      return;
    }
    fence.open.push_back({begin->get<std::uint32_t>(), end->get<std::uint32_t>()});
  }
}

void SetAttributes(const Json& p, Geofence& fence, std::string& problem) {
  if (!p.is_object()) return;
  if (const auto dwell_s = NumberOf(p, "dwell_s", problem)) {
    if (*dwell_s >= 0 && *dwell_s <= 1e9) {
      fence.dwell = FromSeconds(*dwell_s);
    } else {
      problem = "dwell_s is not in [0, 1e9]";
    }
  }
  if (const auto expires = NumberOf(p, "expires_utc_ms", problem)) {
    if (std::fabs(*expires) <= 1e15) {
      fence.expires = UtcTime(std::chrono::milliseconds(static_cast<std::int64_t>(*expires)));
    } else {
      problem = "expires_utc_ms is not a time";
    }
  }
  if (const auto offset = NumberOf(p, "utc_offset_minutes", problem)) {
    if (std::fabs(*offset) <= 840) {
      fence.utc_offset_minutes = static_cast<std::int16_t>(*offset);
    } else {
      problem = "utc_offset_minutes is not in [-840, 840]";
    }
  }
  if (const auto confidence = NumberOf(p, "confidence", problem)) fence.confidence = *confidence;
  const auto find = [&](const char* name) {
    const auto it = p.find(name);
    return it == p.end() || it->is_null() ? nullptr : &*it;
  };
  if (const Json* notify = find("notify_on")) SetNotify(*notify, fence, problem);
  if (const Json* open = find("open")) SetOpen(*open, fence, problem);
  if (const Json* initial = find("initial_trigger")) {
    if (initial->is_boolean()) {
      fence.initial_trigger = initial->get<bool>();
    } else {
      problem = "initial_trigger is neither true nor false";
    }
  }
  if (const Json* extras = find("extras")) {
    fence.extras = extras->is_string()
                       ? extras->get<std::string>()
                       : extras->dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

// The rings that end at `depth`, between two counts of positions.
std::vector<LatLon> Slice(const Coordinates& c, std::size_t begin, std::size_t end) {
  return {c.positions.begin() + static_cast<std::ptrdiff_t>(begin),
          c.positions.begin() + static_cast<std::ptrdiff_t>(end)};
}

// The polygons whose rings end at `ring_depth` and themselves one less.
std::vector<Polygon> Polygons(const Coordinates& c, std::size_t ring_depth) {
  std::vector<Polygon> parts;
  Polygon part;
  bool has_outer = false;
  std::size_t begin = 0;
  for (const Coordinates::End& end : c.ends) {
    if (end.depth == ring_depth) {
      std::vector<LatLon> ring = Slice(c, begin, end.positions);
      begin = end.positions;
      if (!has_outer) {
        part.outer = std::move(ring);
        has_outer = true;
      } else {
        part.holes.push_back(std::move(ring));
      }
    } else if (end.depth == ring_depth - 1) {
      parts.push_back(std::move(part));
      part = {};
      has_outer = false;
    }
  }
  return parts;
}

void SetShape(const Feature& f, Geofence& fence, std::string& problem) {
  const Coordinates& c = f.coordinates;
  if (!f.has_geometry) {
    problem = "it has no geometry";
    return;
  }
  if (!c.problem.empty()) {
    problem = c.problem;
    return;
  }
  const auto depth_is = [&](std::size_t depth) {
    if (c.position_depth == depth && !c.positions.empty()) return true;
    problem = "the coordinates are not those of a " + f.geometry_type;
    return false;
  };
  const bool has_properties = f.properties.is_object();
  if (f.geometry_type == "Point") {
    if (!depth_is(1)) return;
    const auto radius = has_properties ? NumberOf(f.properties, "radius_m", problem) : std::nullopt;
    if (!radius) {
      if (problem.empty()) problem = "a Point needs the property radius_m";
      return;
    }
    fence.shape = Circle{c.positions[0], *radius};
  } else if (f.geometry_type == "LineString") {
    if (!depth_is(2)) return;
    const auto width = has_properties ? NumberOf(f.properties, "width_m", problem) : std::nullopt;
    if (!width) {
      if (problem.empty()) problem = "a LineString needs the property width_m";
      return;
    }
    fence.shape = Corridor{c.positions, *width};
  } else if (f.geometry_type == "Polygon") {
    if (!depth_is(3)) return;
    auto parts = Polygons(c, 2);
    fence.shape = std::move(parts[0]);
  } else if (f.geometry_type == "MultiPolygon") {
    if (!depth_is(4)) return;
    fence.shape = MultiPolygon{Polygons(c, 3)};
  } else {
    problem = f.geometry_type.empty()
                  ? "its geometry has no type"
                  : "geometry " + f.geometry_type +
                        " is not supported; Point, Polygon, MultiPolygon and LineString are";
  }
}

/// Builds the JSON value of "properties" or "id" from SAX events.
class ValueBuilder {
 public:
  void Begin(Json& root) {
    stack_.clear();
    root_ = &root;
    nodes_ = 0;
  }
  bool active() const { return root_ != nullptr; }
  void Key(std::string key) { key_ = std::move(key); }
  void Value(Json value) {
    Json* at = Put(std::move(value));
    if (at != nullptr && stack_.empty()) root_ = nullptr;
  }
  void Open(Json container) { stack_.push_back(Put(std::move(container))); }
  void Close() {
    stack_.pop_back();
    if (stack_.empty()) root_ = nullptr;
  }

 private:
  Json* Put(Json value) {
    if (stack_.empty()) {
      *root_ = std::move(value);
      return root_;
    }
    Json* parent = stack_.back();
    if (parent == nullptr || ++nodes_ > kMaxPropertyNodes) return nullptr;
    if (parent->is_array()) {
      parent->push_back(std::move(value));
      return &parent->back();
    }
    return &((*parent)[key_] = std::move(value));
  }

  Json* root_ = nullptr;
  std::vector<Json*> stack_;
  std::string key_;
  std::size_t nodes_ = 0;
};

/// Follows the events of nlohmann's SAX parser. Never throws; false ends the parse.
class Handler : public nlohmann::json_sax<Json> {
 public:
  Handler(const GeofenceSink& sink, GeofenceFile& file) : sink_(sink), file_(file) {}

  bool null() override { return Scalar(Json(nullptr)); }
  bool boolean(bool value) override { return Scalar(Json(value)); }
  bool number_integer(number_integer_t value) override {
    return Number(static_cast<double>(value), Json(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(static_cast<double>(value), Json(value));
  }
  bool number_float(number_float_t value, const string_t&) override {
    return Number(value, Json(value));
  }
  bool string(string_t& value) override {
    if (!builder_.active() && !key_.empty()) {
      if (place_ == Place::kRoot && key_ == "type") root_type_ = value;
      if (place_ == Place::kFeature && key_ == "type") feature_.type = value;
      if (place_ == Place::kGeometry && key_ == "type") feature_.geometry_type = value;
    }
    return Scalar(Json(std::move(value)));
  }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override {
    if (!Deeper()) return false;
    if (builder_.active()) {
      builder_.Open(Json::object());
      return true;
    }
    if (skip_depth_ > 0) return true;
    if (depth_ == 1) {
      place_ = Place::kRoot;
    } else if (place_ == Place::kFeatures) {
      BeginFeature();
      place_ = Place::kFeature;
    } else if ((place_ == Place::kFeature || place_ == Place::kRoot) && key_ == "geometry") {
      // Of a lone Feature when it stands at the root.
      geometry_back_ = place_;
      feature_.has_geometry = true;
      place_ = Place::kGeometry;
    } else if ((place_ == Place::kFeature || place_ == Place::kRoot) && key_ == "properties") {
      builder_.Begin(feature_.properties);
      builder_.Open(Json::object());
    } else {
      skip_depth_ = depth_;
    }
    return true;
  }
  bool key(string_t& value) override {
    if (builder_.active()) {
      builder_.Key(std::move(value));
    } else if (skip_depth_ == 0) {
      key_ = std::move(value);
    }
    return true;
  }
  bool end_object() override {
    --depth_;
    if (builder_.active()) {
      builder_.Close();
      return true;
    }
    if (skip_depth_ > 0) {
      if (depth_ < skip_depth_) skip_depth_ = 0;
      return true;
    }
    key_.clear();
    if (place_ == Place::kGeometry) {
      place_ = geometry_back_;
    } else if (place_ == Place::kFeature) {
      place_ = Place::kFeatures;
      return EndFeature();
    } else if (place_ == Place::kRoot) {
      place_ = Place::kEnd;
      if (root_type_ == "Feature") {
        feature_.type = root_type_;
        return EndFeature();
      }
    }
    return true;
  }
  bool start_array(std::size_t) override {
    if (!Deeper()) return false;
    if (builder_.active()) {
      builder_.Open(Json::array());
      return true;
    }
    if (skip_depth_ > 0) return true;
    if (coordinate_depth_ > 0) {
      ++coordinate_depth_;
      position_numbers_ = 0;
    } else if (place_ == Place::kGeometry && key_ == "coordinates") {
      feature_.coordinates = {};
      coordinate_depth_ = 1;
      position_numbers_ = 0;
    } else if (place_ == Place::kRoot && key_ == "features") {
      place_ = Place::kFeatures;
      has_features_ = true;
    } else {
      skip_depth_ = depth_;
    }
    return true;
  }
  bool end_array() override {
    --depth_;
    if (builder_.active()) {
      builder_.Close();
      return true;
    }
    if (skip_depth_ > 0) {
      if (depth_ < skip_depth_) skip_depth_ = 0;
      return true;
    }
    if (coordinate_depth_ > 0) {
      EndCoordinates();
    } else if (place_ == Place::kFeatures) {
      place_ = Place::kRoot;
      key_.clear();
    }
    return true;
  }
  bool parse_error(std::size_t byte, const std::string&, const Json::exception& e) override {
    error_ = "not JSON at byte " + std::to_string(byte);
    const std::string what = e.what();
    if (const auto at = what.rfind("; "); at != std::string::npos) error_ += what.substr(at);
    return false;
  }

  bool stopped() const { return stopped_; }
  /// Empty if the document was GeoJSON.
  std::string Verdict() const {
    if (!error_.empty()) return error_;
    if (stopped_ || root_type_ == "Feature") return {};
    if (root_type_ != "FeatureCollection") {
      return root_type_.empty()
                 ? "JSON, but not GeoJSON: it has no type"
                 : "GeoJSON of type " + root_type_ + "; a FeatureCollection is needed";
    }
    return has_features_ ? std::string() : "a FeatureCollection without features";
  }

 private:
  enum class Place : std::uint8_t { kStart, kRoot, kFeatures, kFeature, kGeometry, kEnd };

  bool Deeper() {
    if (++depth_ <= kMaxDepth) return true;
    error_ = "nested deeper than 64";
    return false;
  }

  void BeginFeature() { feature_ = {}; }

  bool Scalar(Json value) {
    if (builder_.active()) {
      builder_.Value(std::move(value));
    } else if (skip_depth_ == 0) {
      if (coordinate_depth_ > 0) {
        feature_.coordinates.problem = "the coordinates hold something that is no number";
      } else if ((place_ == Place::kFeature || place_ == Place::kRoot) && key_ == "id") {
        feature_.id = std::move(value);
      } else if (place_ == Place::kFeatures) {
        BeginFeature();
        return EndFeature();
      }
    }
    return true;
  }

  bool Number(double value, Json json) {
    if (builder_.active() || skip_depth_ > 0 || coordinate_depth_ == 0) {
      return Scalar(std::move(json));
    }
    if (position_numbers_ < 2) position_[position_numbers_] = value;
    ++position_numbers_;
    return true;
  }

  void EndCoordinates() {
    Coordinates& c = feature_.coordinates;
    if (position_numbers_ > 0) {
      const auto p = LatLon::FromDegrees(position_[1], position_[0]);
      if (position_numbers_ < 2 || !p) {
        if (c.problem.empty()) {
          c.problem = "position " + std::to_string(c.positions.size()) +
                      " is not [longitude, latitude] in degrees";
        }
      } else if (c.position_depth != 0 && c.position_depth != coordinate_depth_) {
        c.problem = "the coordinates are nested unevenly";
      } else if (c.positions.size() >= kMaxPositions) {
        c.problem = "it has more than 100,000 vertices";
      } else {
        c.position_depth = coordinate_depth_;
        c.positions.push_back(*p);
      }
      position_numbers_ = 0;
    } else if (c.ends.size() < kMaxPositions) {
      c.ends.push_back({coordinate_depth_, c.positions.size()});
    }
    --coordinate_depth_;
  }

  bool EndFeature() {
    const std::size_t place = file_.features++;
    Geofence fence;
    std::string problem;
    const bool has_properties = feature_.properties.is_object();
    if (has_properties && feature_.properties.contains("id")) {
      fence.id = IdText(feature_.properties["id"]);
    }
    if (fence.id.empty()) fence.id = IdText(feature_.id);
    if (fence.id.empty()) fence.id = "feature-" + std::to_string(place);
    if (feature_.type != "Feature") {
      problem = "it is not a Feature";
    } else {
      SetShape(feature_, fence, problem);
      if (problem.empty()) SetAttributes(feature_.properties, fence, problem);
    }
    if (!problem.empty()) {
      if (file_.problems.size() < kMaxProblems) {
        file_.problems.push_back({place, std::move(fence.id), std::move(problem)});
      }
      return true;
    }
    stopped_ = !sink_(std::move(fence));
    return !stopped_;
  }

  const GeofenceSink& sink_;
  GeofenceFile& file_;
  Place place_ = Place::kStart, geometry_back_ = Place::kRoot;
  std::size_t depth_ = 0, skip_depth_ = 0, coordinate_depth_ = 0, position_numbers_ = 0;
  double position_[2] = {0, 0};
  std::string key_, root_type_, error_;
  bool has_features_ = false, stopped_ = false;
  ValueBuilder builder_;
  Feature feature_;
};

/// The bytes of a file as an input iterator, piece by piece.
class FileBytes {
 public:
  explicit FileBytes(InputFile file) : file_(std::move(file)) { Fill(); }
  bool AtEnd() const { return at_ == piece_.size(); }
  char Current() const { return piece_[at_]; }
  void Advance() {
    if (++at_ == piece_.size()) Fill();
  }
  const Status& status() const { return status_; }
  bool cut() const { return file_.cut(); }

 private:
  void Fill() {
    at_ = 0;
    piece_ = {};
    const auto read = file_.Read();
    if (read.ok()) {
      piece_ = read.value();
    } else {
      status_ = read.status();
    }
  }
  InputFile file_;
  std::string_view piece_;
  std::size_t at_ = 0;
  Status status_;
};

class ByteIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  ByteIterator() = default;
  explicit ByteIterator(FileBytes* bytes) : bytes_(bytes) {}
  char operator*() const { return bytes_->Current(); }
  ByteIterator& operator++() {
    bytes_->Advance();
    return *this;
  }
  ByteIterator operator++(int) {  // NOLINT(cert-dcl21-cpp): as every iterator
    const ByteIterator old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const ByteIterator& a, const ByteIterator& b) {
    return a.Ended() == b.Ended();
  }
  friend bool operator!=(const ByteIterator& a, const ByteIterator& b) { return !(a == b); }

 private:
  bool Ended() const { return bytes_ == nullptr || bytes_->AtEnd(); }
  FileBytes* bytes_ = nullptr;
};

template <class Iterator>
Result<GeofenceFile> Parse(Iterator begin, Iterator end, const GeofenceSink& sink) {
  GeofenceFile file;
  Handler handler(sink, file);
  const bool done = Json::sax_parse(begin, end, &handler);
  const std::string verdict = handler.Verdict();
  if (!verdict.empty()) return Status(Code::kCorruption, verdict);
  if (!done && !handler.stopped()) return Status(Code::kCorruption, "not JSON");
  return file;
}

}  // namespace

Result<GeofenceFile> ParseGeofences(std::string_view text, const GeofenceSink& sink) {
  return Parse(text.begin(), text.end(), sink);
}

Result<GeofenceFile> ReadGeofences(const std::string& path, const GeofenceSink& sink) {
  auto file = InputFile::Open(path);
  if (!file.ok()) return Status(file.status().code(), path + ": " + file.status().message());
  FileBytes bytes(std::move(file.value()));
  auto parsed = Parse(ByteIterator(&bytes), ByteIterator(), sink);
  const Status& read = bytes.status();
  if (!read.ok()) return Status(read.code(), path + ": " + read.message());
  if (!parsed.ok()) return Status(parsed.status().code(), path + ": " + parsed.status().message());
  return parsed;
}

Result<LoadedGeofences> LoadGeofences(const std::string& path) {
  LoadedGeofences loaded;
  auto file = ReadGeofences(path, [&](Geofence&& fence) {
    loaded.fences.push_back(std::move(fence));
    return true;
  });
  if (!file.ok()) return file.status();
  loaded.problems = std::move(file.value().problems);
  return loaded;
}

}  // namespace waymark::replay
