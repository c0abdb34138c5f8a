// Row layout, version 1. Integers are LEB128 varints, (s) zigzag, (4) four bytes little-endian.
//   byte     version << 4 | RecordKind
//   session, utc_ms(s), then the body:
//   point    flags, lat_e7(4), lon_e7(4), r68_cm, [speed_cmps], [course], [altitude_cm(s)]
//            flags: motion | 4 has speed | 8 has course | 16 has altitude
//   others   their fields in the order of waymark/record.h; texts with their length before them
#include "sdk/sync/record_codec.h"

#include <cmath>
#include <limits>

#include "sdk/sync/byte_io.h"
#include "sdk/sync/quantise.h"

namespace waymark::sync {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kHasSpeed = 4, kHasCourse = 8, kHasAltitude = 16;
constexpr std::uint8_t kMotionMask = 3;

// Absent when the number says nothing.
std::optional<double> Finite(const std::optional<double>& v) {
  return v && std::isfinite(*v) ? v : std::nullopt;
}

void WritePosition(ByteWriter& w, LatLon p) {
  const PositionE7 q = ToE7(p);
  w.Fixed32(static_cast<std::int32_t>(q.lat));
  w.Fixed32(static_cast<std::int32_t>(q.lon));
}

LatLon ReadPosition(ByteReader& r) {
  PositionE7 q;
  q.lat = r.Fixed32();
  q.lon = r.Fixed32();
  if (!ValidE7(q)) r.Fail();
  return FromE7(q);
}

double ReadUnits(ByteReader& r, std::int64_t limit, double units) {
  const std::uint64_t v = r.Varint();
  if (v > static_cast<std::uint64_t>(limit)) r.Fail();
  return static_cast<double>(v) / units;
}
double ReadMetres(ByteReader& r) { return ReadUnits(r, kMaxCentimetres, 100); }
double ReadSignedMetres(ByteReader& r) {
  const std::int64_t v = r.Signed();
  if (v > kMaxCentimetres || v < -kMaxCentimetres) r.Fail();
  return FromCm(v);
}
UtcTime ReadUtc(ByteReader& r) { return FromMs(r.Signed()); }

template <class Enum>
Enum ReadEnum(ByteReader& r, Enum low, Enum high) {
  const std::uint8_t v = r.Byte();
  if (v < static_cast<std::uint8_t>(low) || v > static_cast<std::uint8_t>(high)) r.Fail();
  return static_cast<Enum>(v);
}

std::uint64_t Units(std::int64_t v) { return static_cast<std::uint64_t>(v); }

struct BodyWriter {
  ByteWriter& w;

  void operator()(const PointRecord& p) const {
    const auto speed = Finite(p.speed_mps), course = Finite(p.course_deg),
               altitude = Finite(p.altitude_m);
    w.Byte(static_cast<std::uint8_t>((static_cast<std::uint8_t>(p.motion) & kMotionMask) |
                                     (speed ? kHasSpeed : 0) | (course ? kHasCourse : 0) |
                                     (altitude ? kHasAltitude : 0)));
    WritePosition(w, p.position);
    w.Varint(Units(ToCmUnsigned(p.r68_m)));
    if (speed) w.Varint(Units(ToCmUnsigned(*speed)));
    if (course) w.Varint(Units(ToCourse(*course)));
    if (altitude) w.Signed(ToCm(*altitude));
  }
  void operator()(const FenceRecord& f) const {
    w.Text(f.fence_id);
    w.Byte(static_cast<std::uint8_t>(f.transition));
    WritePosition(w, f.position);
    w.Signed(ToMs(f.crossing_utc));
    w.Varint(Units(ToProbability(f.probability)));
    w.Signed(ToCm(f.distance_m));
    w.Text(f.extras);
  }
  void operator()(const MotionRecord& m) const {
    w.Byte(static_cast<std::uint8_t>(m.motion));
    WritePosition(w, m.position);
  }
  void operator()(const StayRecord& s) const {
    w.Varint(s.id);
    w.Signed(ToMs(s.begin_utc));
    w.Signed(ToMs(s.end_utc));
    WritePosition(w, s.position);
    w.Varint(Units(ToCmUnsigned(s.r68_m)));
    w.Varint(s.fixes);
  }
  void operator()(const TripRecord& t) const {
    w.Varint(t.id);
    w.Signed(ToMs(t.begin_utc));
    w.Signed(ToMs(t.end_utc));
    WritePosition(w, t.from);
    WritePosition(w, t.to);
    w.Varint(Units(ToCmUnsigned(t.distance_m)));
    w.Varint(Units(ToCmUnsigned(t.distance_bound_m)));
  }
  void operator()(const GapRecord& g) const {
    w.Signed(ToMs(g.begin_utc));
    w.Signed(ToMs(g.end_utc));
    w.Byte(static_cast<std::uint8_t>(g.cause));
  }
  void operator()(const DropsRecord& d) const {
    w.Varint(d.records);
    w.Varint(d.bytes);
    w.Varint(d.first_seq);
    w.Varint(d.last_seq);
  }
  void operator()(const MessageRecord& m) const {
    w.Text(m.topic);
    w.Bytes(m.body);
  }
};

PointRecord ReadPoint(ByteReader& r) {
  PointRecord p;
  const std::uint8_t flags = r.Byte();
  if ((flags & kMotionMask) > static_cast<std::uint8_t>(Motion::kMoving) || flags >= 32) r.Fail();
  p.motion = static_cast<Motion>(flags & kMotionMask);
  p.position = ReadPosition(r);
  p.r68_m = ReadMetres(r);
  if (flags & kHasSpeed) p.speed_mps = ReadMetres(r);
  if (flags & kHasCourse) p.course_deg = ReadUnits(r, kCourseTurn - 1, 100);
  if (flags & kHasAltitude) p.altitude_m = ReadSignedMetres(r);
  return p;
}

FenceRecord ReadFence(ByteReader& r) {
  FenceRecord f;
  f.fence_id = r.Text();
  f.transition = ReadEnum(r, FenceTransition::kEnter, FenceTransition::kRejected);
  f.position = ReadPosition(r);
  f.crossing_utc = ReadUtc(r);
  f.probability = ReadUnits(r, kMaxProbability, static_cast<double>(kMaxProbability));
  f.distance_m = ReadSignedMetres(r);
  f.extras = r.Text();
  return f;
}

MotionRecord ReadMotion(ByteReader& r) {
  MotionRecord m;
  m.motion = ReadEnum(r, Motion::kUnknown, Motion::kMoving);
  m.position = ReadPosition(r);
  return m;
}

StayRecord ReadStay(ByteReader& r) {
  StayRecord s;
  s.id = r.Varint();
  s.begin_utc = ReadUtc(r);
  s.end_utc = ReadUtc(r);
  s.position = ReadPosition(r);
  s.r68_m = ReadMetres(r);
  const std::uint64_t fixes = r.Varint();
  if (fixes > std::numeric_limits<std::uint32_t>::max()) r.Fail();
  s.fixes = static_cast<std::uint32_t>(fixes);
  return s;
}

TripRecord ReadTrip(ByteReader& r) {
  TripRecord t;
  t.id = r.Varint();
  t.begin_utc = ReadUtc(r);
  t.end_utc = ReadUtc(r);
  t.from = ReadPosition(r);
  t.to = ReadPosition(r);
  t.distance_m = ReadMetres(r);
  t.distance_bound_m = ReadMetres(r);
  return t;
}

GapRecord ReadGap(ByteReader& r) {
  GapRecord g;
  g.begin_utc = ReadUtc(r);
  g.end_utc = ReadUtc(r);
  g.cause = ReadEnum(r, GapCause::kUnknown, GapCause::kRejected);
  return g;
}

DropsRecord ReadDrops(ByteReader& r) {
  DropsRecord d;
  d.records = r.Varint();
  d.bytes = r.Varint();
  d.first_seq = r.Varint();
  d.last_seq = r.Varint();
  return d;
}

MessageRecord ReadMessage(ByteReader& r) {
  MessageRecord m;
  m.topic = r.Text();
  const auto body = r.Bytes();
  m.body.assign(body.begin(), body.end());
  return m;
}

bool ReadBody(std::uint8_t kind, ByteReader& r, RecordBody& body) {
  switch (static_cast<RecordKind>(kind)) {
    case RecordKind::kPoint:
      body = ReadPoint(r);
      return true;
    case RecordKind::kFence:
      body = ReadFence(r);
      return true;
    case RecordKind::kMotion:
      body = ReadMotion(r);
      return true;
    case RecordKind::kStay:
      body = ReadStay(r);
      return true;
    case RecordKind::kTrip:
      body = ReadTrip(r);
      return true;
    case RecordKind::kGap:
      body = ReadGap(r);
      return true;
    case RecordKind::kDrops:
      body = ReadDrops(r);
      return true;
    case RecordKind::kMessage:
      body = ReadMessage(r);
      return true;
  }
  return false;
}

}  // namespace

std::vector<std::byte> EncodeRecord(const Record& record) {
  std::vector<std::byte> out;
  out.reserve(40);  // a point with every field and a small session takes 27
  ByteWriter w(out);
  w.Byte(static_cast<std::uint8_t>(kVersion << 4 | static_cast<std::uint8_t>(record.kind())));
  w.Varint(record.session);
  w.Signed(ToMs(record.utc));
  std::visit(BodyWriter{w}, record.body);
  return out;
}

Result<Record> DecodeRecord(std::uint64_t seq, std::span<const std::byte> payload) {
  ByteReader r(payload);
  const std::uint8_t head = r.Byte();
  if (r.ok() && head >> 4 > kVersion) {
    return Status(Code::kUnsupported, "record " + std::to_string(seq) +
                                          ": written by a newer version (" +
                                          std::to_string(head >> 4) + ")");
  }
  Record record;
  record.seq = seq;
  record.session = r.Varint();
  record.utc = ReadUtc(r);
  const bool known = head >> 4 == kVersion && ReadBody(head & 15, r, record.body);
  if (!known || !r.AtEnd()) {
    return Status(Code::kCorruption,
                  "record " + std::to_string(seq) +
                      (known ? ": its bytes do not make a record" : ": unknown kind"));
  }
  return record;
}

Record Quantised(const Record& record) {
  Result<Record> again = DecodeRecord(record.seq, EncodeRecord(record));
  return again.ok() ? std::move(again).value() : record;
}

}  // namespace waymark::sync
