// Batch <-> sdk/proto/waymark.proto. Together with column.cc the only code that sees protobuf.
//
// Second differences of a 1 Hz track in 1e-7 deg need 7.8 bits a coordinate where the absolute
// value needs 31 (measured; see the size test in tests/unit/sync/wire_test.cc).
#include "waymark/wire.h"

#include <cmath>
#include <limits>
#include <utility>

#include "sdk/proto/waymark.pb.h"
#include "sdk/sync/column.h"
#include "sdk/sync/quantise.h"

namespace waymark {
namespace {

namespace pb = wire::v1;
using sync::FromCm;
using sync::FromE7;
using sync::FromMs;
using sync::PositionE7;
using sync::ToCm;
using sync::ToCmUnsigned;
using sync::ToMs;

constexpr std::uint32_t kVersion = 1;
// Ten times what Config allows in one batch: bounds what a hostile run length can make of few
// bytes.
constexpr std::size_t kMaxRecords = 100'000;
constexpr std::size_t kMaxBytes = 32u << 20;  // twice Config's limit on one batch
constexpr std::size_t kMaxInstallation = 64;
constexpr std::int64_t kHasSpeed = 4, kHasCourse = 8, kHasAltitude = 16;
constexpr std::int64_t kMotionMask = 3;

using Values = std::vector<std::int64_t>;

std::uint64_t Unsigned(std::int64_t v) { return static_cast<std::uint64_t>(v); }

std::string Text(const std::vector<std::byte>& bytes) {
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

struct PointColumns {
  Values flags, lat, lon, r68, speed, course, altitude;

  void Reserve(std::size_t n) {
    for (Values* v : {&flags, &lat, &lon, &r68, &speed, &course, &altitude}) v->reserve(n);
  }
  void Add(const PointRecord& p) {
    std::int64_t f = static_cast<std::int64_t>(p.motion) & kMotionMask;
    if (p.speed_mps && std::isfinite(*p.speed_mps)) {
      f |= kHasSpeed;
      speed.push_back(ToCmUnsigned(*p.speed_mps));
    }
    if (p.course_deg && std::isfinite(*p.course_deg)) {
      f |= kHasCourse;
      course.push_back(sync::ToCourse(*p.course_deg));
    }
    if (p.altitude_m && std::isfinite(*p.altitude_m)) {
      f |= kHasAltitude;
      altitude.push_back(ToCm(*p.altitude_m));
    }
    flags.push_back(f);
    const PositionE7 q = sync::ToE7(p.position);
    lat.push_back(q.lat);
    lon.push_back(q.lon);
    r68.push_back(ToCmUnsigned(p.r68_m));
  }
  void Store(sync::ColumnEncoder& encoder, pb::Points& points) const {
    const auto add = [&](const Values& values, pb::Column* (pb::Points::*column)()) {
      if (!values.empty()) encoder.Encode(values, *(points.*column)());
    };
    add(flags, &pb::Points::mutable_flags);
    add(lat, &pb::Points::mutable_lat_e7);
    add(lon, &pb::Points::mutable_lon_e7);
    add(r68, &pb::Points::mutable_r68_cm);
    add(speed, &pb::Points::mutable_speed_cmps);
    add(course, &pb::Points::mutable_course_cdeg);
    add(altitude, &pb::Points::mutable_altitude_cm);
  }
};

template <class Message>
void SetPosition(Message& message, LatLon p) {
  const PositionE7 q = sync::ToE7(p);
  message.set_lat_e7(static_cast<std::int32_t>(q.lat));
  message.set_lon_e7(static_cast<std::int32_t>(q.lon));
}

struct BodyEncoder {
  pb::Batch& batch;
  PointColumns& points;

  void operator()(const PointRecord& p) const { points.Add(p); }
  void operator()(const FenceRecord& f) const {
    pb::Fence& m = *batch.add_fence();
    m.set_id(f.fence_id);
    m.set_transition(static_cast<std::uint32_t>(f.transition));
    SetPosition(m, f.position);
    m.set_crossing_utc_ms(ToMs(f.crossing_utc));
    m.set_probability_e6(static_cast<std::uint32_t>(sync::ToProbability(f.probability)));
    m.set_distance_cm(ToCm(f.distance_m));
    m.set_extras(f.extras);
  }
  void operator()(const MotionRecord& r) const {
    pb::Motion& m = *batch.add_motion();
    m.set_motion(static_cast<std::uint32_t>(r.motion));
    SetPosition(m, r.position);
  }
  void operator()(const StayRecord& s) const {
    pb::Stay& m = *batch.add_stay();
    m.set_id(s.id);
    m.set_begin_utc_ms(ToMs(s.begin_utc));
    m.set_end_utc_ms(ToMs(s.end_utc));
    SetPosition(m, s.position);
    m.set_r68_cm(Unsigned(ToCmUnsigned(s.r68_m)));
    m.set_fixes(s.fixes);
  }
  void operator()(const TripRecord& t) const {
    pb::Trip& m = *batch.add_trip();
    m.set_id(t.id);
    m.set_begin_utc_ms(ToMs(t.begin_utc));
    m.set_end_utc_ms(ToMs(t.end_utc));
    const PositionE7 from = sync::ToE7(t.from), to = sync::ToE7(t.to);
    m.set_from_lat_e7(static_cast<std::int32_t>(from.lat));
    m.set_from_lon_e7(static_cast<std::int32_t>(from.lon));
    m.set_to_lat_e7(static_cast<std::int32_t>(to.lat));
    m.set_to_lon_e7(static_cast<std::int32_t>(to.lon));
    m.set_distance_cm(Unsigned(ToCmUnsigned(t.distance_m)));
    m.set_distance_bound_cm(Unsigned(ToCmUnsigned(t.distance_bound_m)));
  }
  void operator()(const GapRecord& g) const {
    pb::Gap& m = *batch.add_gap();
    m.set_begin_utc_ms(ToMs(g.begin_utc));
    m.set_end_utc_ms(ToMs(g.end_utc));
    m.set_cause(static_cast<std::uint32_t>(g.cause));
  }
  void operator()(const DropsRecord& d) const {
    pb::Drops& m = *batch.add_drops();
    m.set_records(d.records);
    m.set_bytes(d.bytes);
    m.set_first_seq(d.first_seq);
    m.set_last_seq(d.last_seq);
  }
  void operator()(const MessageRecord& r) const {
    pb::Message& m = *batch.add_message();
    m.set_topic(r.topic);
    m.set_body(Text(r.body));
  }
};

// Reads the bodies of a batch in order, each kind from its own list or columns. Every number is
// checked against its range: what DecodeBatch gives out is valid vocabulary.
class BodyDecoder {
 public:
  explicit BodyDecoder(const pb::Batch& batch) : batch_(batch) {}

  // nullptr, or what is wrong.
  const char* LoadPoints(std::size_t count) {
    const pb::Points& p = batch_.points();
    if (!sync::DecodeColumn(p.flags(), count, flags_) || flags_.size() != count) {
      return "point flags";
    }
    std::size_t speeds = 0, courses = 0, altitudes = 0;
    for (const std::int64_t f : flags_) {
      if (f < 0 || f >= 32 || (f & kMotionMask) > static_cast<std::int64_t>(Motion::kMoving)) {
        return "point flags";
      }
      speeds += (f & kHasSpeed) != 0;
      courses += (f & kHasCourse) != 0;
      altitudes += (f & kHasAltitude) != 0;
    }
    if (!Load(p.lat_e7(), count, -sync::kMaxLatE7, sync::kMaxLatE7, lat_)) return "latitude";
    if (!Load(p.lon_e7(), count, -sync::kMaxLonE7, sync::kMaxLonE7 - 1, lon_)) return "longitude";
    if (!Load(p.r68_cm(), count, 0, sync::kMaxCentimetres, r68_)) return "radius";
    if (!Load(p.speed_cmps(), speeds, 0, sync::kMaxCentimetres, speed_)) return "speed";
    if (!Load(p.course_cdeg(), courses, 0, sync::kCourseTurn - 1, course_)) return "course";
    if (!Load(p.altitude_cm(), altitudes, -sync::kMaxCentimetres, sync::kMaxCentimetres,
              altitude_)) {
      return "altitude";
    }
    return nullptr;
  }

  // False: that kind is unknown, its list is exhausted or an entry is out of range.
  bool Next(std::int64_t kind, RecordBody& body) {
    switch (kind) {
      case static_cast<int>(RecordKind::kPoint):
        return NextPoint(body);
      case static_cast<int>(RecordKind::kFence):
        return fence_ < batch_.fence_size() && Read(batch_.fence(fence_++), body);
      case static_cast<int>(RecordKind::kMotion):
        return motion_ < batch_.motion_size() && Read(batch_.motion(motion_++), body);
      case static_cast<int>(RecordKind::kStay):
        return stay_ < batch_.stay_size() && Read(batch_.stay(stay_++), body);
      case static_cast<int>(RecordKind::kTrip):
        return trip_ < batch_.trip_size() && Read(batch_.trip(trip_++), body);
      case static_cast<int>(RecordKind::kGap):
        return gap_ < batch_.gap_size() && Read(batch_.gap(gap_++), body);
      case static_cast<int>(RecordKind::kDrops):
        return drops_ < batch_.drops_size() && Read(batch_.drops(drops_++), body);
      case static_cast<int>(RecordKind::kMessage):
        return message_ < batch_.message_size() && Read(batch_.message(message_++), body);
      default:
        return false;
    }
  }

  bool Exhausted() const {
    return point_ == flags_.size() && fence_ == batch_.fence_size() &&
           motion_ == batch_.motion_size() && stay_ == batch_.stay_size() &&
           trip_ == batch_.trip_size() && gap_ == batch_.gap_size() &&
           drops_ == batch_.drops_size() && message_ == batch_.message_size();
  }

 private:
  static bool Load(const pb::Column& column, std::size_t count, std::int64_t low, std::int64_t high,
                   Values& values) {
    if (!sync::DecodeColumn(column, count, values) || values.size() != count) return false;
    for (const std::int64_t v : values) {
      if (v < low || v > high) return false;
    }
    return true;
  }

  static bool Position(std::int64_t lat, std::int64_t lon, LatLon& p) {
    const PositionE7 q{lat, lon};
    p = FromE7(q);
    return sync::ValidE7(q);
  }
  static bool Metres(std::uint64_t cm, double& metres) {
    metres = static_cast<double>(cm) / 100;
    return cm <= static_cast<std::uint64_t>(sync::kMaxCentimetres);
  }

  bool NextPoint(RecordBody& body) {
    if (point_ >= flags_.size()) return false;
    const std::int64_t f = flags_[point_];
    PointRecord p;
    p.motion = static_cast<Motion>(f & kMotionMask);
    p.position = FromE7({lat_[point_], lon_[point_]});
    p.r68_m = FromCm(r68_[point_]);
    if (f & kHasSpeed) p.speed_mps = FromCm(speed_[next_speed_++]);
    if (f & kHasCourse) p.course_deg = sync::FromCourse(course_[next_course_++]);
    if (f & kHasAltitude) p.altitude_m = FromCm(altitude_[next_altitude_++]);
    ++point_;
    body = p;
    return true;
  }

  static bool Read(const pb::Fence& m, RecordBody& body) {
    FenceRecord f;
    f.fence_id = m.id();
    f.transition = static_cast<FenceTransition>(m.transition());
    f.crossing_utc = FromMs(m.crossing_utc_ms());
    f.probability = sync::FromProbability(m.probability_e6());
    f.distance_m = FromCm(m.distance_cm());
    f.extras = m.extras();
    const bool ok = Position(m.lat_e7(), m.lon_e7(), f.position) && m.transition() >= 1 &&
                    m.transition() <= 4 && m.probability_e6() <= sync::kMaxProbability &&
                    m.distance_cm() >= -sync::kMaxCentimetres &&
                    m.distance_cm() <= sync::kMaxCentimetres;
    body = std::move(f);
    return ok;
  }
  static bool Read(const pb::Motion& m, RecordBody& body) {
    MotionRecord r;
    r.motion = static_cast<Motion>(m.motion());
    const bool ok = Position(m.lat_e7(), m.lon_e7(), r.position) &&
                    m.motion() <= static_cast<std::uint32_t>(Motion::kMoving);
    body = r;
    return ok;
  }
  static bool Read(const pb::Stay& m, RecordBody& body) {
    StayRecord s;
    s.id = m.id();
    s.begin_utc = FromMs(m.begin_utc_ms());
    s.end_utc = FromMs(m.end_utc_ms());
    s.fixes = m.fixes();
    const bool ok = Position(m.lat_e7(), m.lon_e7(), s.position) && Metres(m.r68_cm(), s.r68_m);
    body = s;
    return ok;
  }
  static bool Read(const pb::Trip& m, RecordBody& body) {
    TripRecord t;
    t.id = m.id();
    t.begin_utc = FromMs(m.begin_utc_ms());
    t.end_utc = FromMs(m.end_utc_ms());
    const bool ok = Position(m.from_lat_e7(), m.from_lon_e7(), t.from) &&
                    Position(m.to_lat_e7(), m.to_lon_e7(), t.to) &&
                    Metres(m.distance_cm(), t.distance_m) &&
                    Metres(m.distance_bound_cm(), t.distance_bound_m);
    body = t;
    return ok;
  }
  static bool Read(const pb::Gap& m, RecordBody& body) {
    GapRecord g;
    g.begin_utc = FromMs(m.begin_utc_ms());
    g.end_utc = FromMs(m.end_utc_ms());
    g.cause = static_cast<GapCause>(m.cause());
    body = g;
    return m.cause() <= static_cast<std::uint32_t>(GapCause::kRejected);
  }
  static bool Read(const pb::Drops& m, RecordBody& body) {
    body = DropsRecord{m.records(), m.bytes(), m.first_seq(), m.last_seq()};
    return true;
  }
  static bool Read(const pb::Message& m, RecordBody& body) {
    MessageRecord r;
    r.topic = m.topic();
    const auto bytes = std::as_bytes(std::span(m.body().data(), m.body().size()));
    r.body.assign(bytes.begin(), bytes.end());
    body = std::move(r);
    return true;
  }

  const pb::Batch& batch_;
  Values flags_, lat_, lon_, r68_, speed_, course_, altitude_;
  std::size_t point_ = 0, next_speed_ = 0, next_course_ = 0, next_altitude_ = 0;
  int fence_ = 0, motion_ = 0, stay_ = 0, trip_ = 0, gap_ = 0, drops_ = 0, message_ = 0;
};

Status Malformed(std::string what) {
  return Status(Code::kCorruption, "malformed batch: " + std::move(what));
}

bool Printable(const std::string& text) {
  for (const char c : text) {
    if (c < 0x21 || c > 0x7e) return false;
  }
  return !text.empty() && text.size() <= kMaxInstallation;
}

}  // namespace

std::vector<std::byte> EncodeBatch(const Batch& batch) {
  pb::Batch message;
  message.set_version(kVersion);
  message.set_installation(batch.installation);
  const std::size_t n = batch.records.size();
  Values kind, seq, session, utc;
  for (Values* v : {&kind, &seq, &session, &utc}) v->reserve(n);
  PointColumns points;
  points.Reserve(n);
  const BodyEncoder encoder{message, points};
  for (const Record& record : batch.records) {
    kind.push_back(static_cast<std::int64_t>(record.kind()));
    seq.push_back(static_cast<std::int64_t>(record.seq));
    session.push_back(static_cast<std::int64_t>(record.session));
    utc.push_back(ToMs(record.utc));
    std::visit(encoder, record.body);
  }
  sync::ColumnEncoder columns;
  if (n > 0) {
    columns.Encode(kind, *message.mutable_kind());
    columns.Encode(seq, *message.mutable_seq());
    columns.Encode(session, *message.mutable_session());
    columns.Encode(utc, *message.mutable_utc_ms());
  }
  if (!points.flags.empty()) points.Store(columns, *message.mutable_points());
  std::vector<std::byte> out(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

Result<Batch> DecodeBatch(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxBytes) {
    return Malformed(std::to_string(bytes.size()) + " bytes; the limit is " +
                     std::to_string(kMaxBytes));
  }
  pb::Batch message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Malformed("not a protobuf message of this schema");
  }
  if (message.version() > kVersion) {
    return Status(Code::kUnsupported, "batch version " + std::to_string(message.version()) +
                                          " is newer than " + std::to_string(kVersion) +
                                          ", the newest this program knows");
  }
  if (message.version() != kVersion) return Malformed("no version");
  if (!Printable(message.installation())) {
    return Malformed("the installation is not 1 to 64 printable characters");
  }

  Values kind, seq, session, utc;
  if (!sync::DecodeColumn(message.kind(), kMaxRecords, kind)) return Malformed("column kind");
  const std::size_t n = kind.size();
  if (!sync::DecodeColumn(message.seq(), n, seq) || seq.size() != n) return Malformed("column seq");
  if (!sync::DecodeColumn(message.session(), n, session) || session.size() != n) {
    return Malformed("column session");
  }
  if (!sync::DecodeColumn(message.utc_ms(), n, utc) || utc.size() != n) {
    return Malformed("column utc_ms");
  }

  std::size_t points = 0;
  for (const std::int64_t k : kind) points += k == static_cast<std::int64_t>(RecordKind::kPoint);
  BodyDecoder bodies(message);
  if (const char* wrong = bodies.LoadPoints(points)) {
    return Malformed(std::string("column of points: ") + wrong);
  }
  Batch batch;
  batch.installation = message.installation();
  batch.records.resize(n);
  std::uint64_t last_seq = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Record& record = batch.records[i];
    record.seq = static_cast<std::uint64_t>(seq[i]);
    record.session = static_cast<std::uint64_t>(session[i]);
    record.utc = FromMs(utc[i]);
    if (record.seq <= last_seq) {
      return Malformed("record " + std::to_string(i) + ": seq does not increase");
    }
    last_seq = record.seq;
    if (!bodies.Next(kind[i], record.body)) {
      return Malformed("record " + std::to_string(i) + " of kind " + std::to_string(kind[i]));
    }
  }
  if (!bodies.Exhausted()) return Malformed("bodies without a record");
  return batch;
}

}  // namespace waymark
