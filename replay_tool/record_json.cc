#include "replay_tool/record_json.h"

#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>
#include <vector>

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t Ms(UtcTime t) { return t.time_since_epoch().count(); }

void AddPosition(Json& json, LatLon p) {
  json["lat_deg"] = p.lat_deg;
  json["lon_deg"] = p.lon_deg;
}

std::string Hex(const std::vector<std::byte>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    const auto v = std::to_integer<unsigned>(b);
    text += kDigits[v >> 4];
    text += kDigits[v & 15];
  }
  return text;
}

struct BodyJson {
  Json& line;

  void operator()(const PointRecord& p) const {
    AddPosition(line, p.position);
    line["r68_m"] = p.r68_m;
    if (p.speed_mps) line["speed_mps"] = *p.speed_mps;
    if (p.course_deg) line["course_deg"] = *p.course_deg;
    if (p.altitude_m) line["altitude_m"] = *p.altitude_m;
    line["motion"] = MotionName(p.motion);
  }
  void operator()(const FenceRecord& f) const {
    Json& json = line["fence"];
    json["id"] = f.fence_id;
    json["transition"] = FenceTransitionName(f.transition);
    AddPosition(json, f.position);
    json["crossing_utc_ms"] = Ms(f.crossing_utc);
    json["probability"] = f.probability;
    json["distance_m"] = f.distance_m;
    if (!f.extras.empty()) json["extras"] = f.extras;
  }
  void operator()(const MotionRecord& m) const {
    Json& json = line["motion"];
    json["motion"] = MotionName(m.motion);
    AddPosition(json, m.position);
  }
  void operator()(const StayRecord& s) const {
    Json& json = line["stay"];
    json["id"] = s.id;
    json["begin_utc_ms"] = Ms(s.begin_utc);
    json["end_utc_ms"] = Ms(s.end_utc);
    AddPosition(json, s.position);
    json["r68_m"] = s.r68_m;
    json["fixes"] = s.fixes;
  }
  void operator()(const TripRecord& t) const {
    Json& json = line["trip"];
    json["id"] = t.id;
    json["begin_utc_ms"] = Ms(t.begin_utc);
    json["end_utc_ms"] = Ms(t.end_utc);
    AddPosition(json["from"], t.from);
    AddPosition(json["to"], t.to);
    json["distance_m"] = t.distance_m;
    json["distance_bound_m"] = t.distance_bound_m;
  }
  void operator()(const GapRecord& g) const {
    Json& json = line["gap"];
    json["begin_utc_ms"] = Ms(g.begin_utc);
    json["end_utc_ms"] = Ms(g.end_utc);
    json["cause"] = GapCauseName(g.cause);
  }
  void operator()(const DropsRecord& d) const {
    Json& json = line["drops"];
    json["records"] = d.records;
    json["bytes"] = d.bytes;
    json["first_seq"] = d.first_seq;
    json["last_seq"] = d.last_seq;
  }
  void operator()(const MessageRecord& m) const {
    Json& json = line["message"];
    json["topic"] = m.topic;
    json["body_hex"] = Hex(m.body);
  }
};

}  // namespace

std::string RecordJsonLine(const std::string& installation, const Record& record,
                           UtcTime received) {
  Json line;
  line["installation"] = installation;
  line["session"] = record.session;
  line["seq"] = record.seq;
  line["kind"] = RecordKindName(record.kind());
  line["utc_ms"] = Ms(record.utc);
  line["received_utc_ms"] = Ms(received);
  std::visit(BodyJson{line}, record.body);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace waymark::replay
