#include "sdk/core/event_codec.h"

#include <bit>
#include <type_traits>
#include <utility>

#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr std::uint32_t kMaxFences = 4'000'000;
constexpr std::uint32_t kMaxVertices = 200'000;
constexpr std::uint32_t kMaxBytes = 64u << 20;

// A codec is written once: the same Visit lists the fields for writing and for reading, so the two
// cannot drift apart.
class Out {
 public:
  explicit Out(std::vector<std::byte>& bytes) : w_(bytes) {}
  void operator()(std::uint8_t v) { w_.U8(v); }
  void operator()(std::uint32_t v) { w_.U32(v); }
  void operator()(std::uint64_t v) { w_.U64(v); }
  void operator()(std::int64_t v) { w_.I64(v); }
  void operator()(std::int16_t v) { w_.U16(static_cast<std::uint16_t>(v)); }
  void operator()(int v) { w_.I64(v); }
  void operator()(bool v) { w_.Bool(v); }
  void operator()(double v) { w_.U64(std::bit_cast<std::uint64_t>(v)); }
  void operator()(Duration v) { w_.I64(v.count()); }
  void operator()(std::chrono::milliseconds v) { w_.I64(v.count()); }
  void operator()(std::chrono::seconds v) { w_.I64(v.count()); }
  void operator()(MonoTime v) { w_.Time(v); }
  void operator()(UtcTime v) { w_.Utc(v); }
  void operator()(const LatLon& v) {
    (*this)(v.lat_deg);
    (*this)(v.lon_deg);
  }
  void operator()(std::string_view v) {
    w_.U32(static_cast<std::uint32_t>(v.size()));
    for (const char c : v) w_.U8(static_cast<std::uint8_t>(c));
  }
  void operator()(const std::vector<std::byte>& v) {
    w_.U32(static_cast<std::uint32_t>(v.size()));
    w_.Bytes(v);
  }
  void operator()(const Status& v) {
    (*this)(static_cast<std::uint8_t>(v.code()));
    (*this)(std::string_view(v.message()));
  }
  template <class T>
  void operator()(const std::optional<T>& v) {
    w_.Bool(v.has_value());
    if (v) (*this)(*v);
  }
  template <class E>
  requires std::is_enum_v<E>
  void Enum(E v, std::uint8_t /*count*/) { w_.U8(static_cast<std::uint8_t>(v)); }
  template <class T, class F>
  void List(const std::vector<T>& list, std::uint32_t /*limit*/, F&& each) {
    w_.U32(static_cast<std::uint32_t>(list.size()));
    for (const T& item : list) each(item);
  }

 private:
  StateWriter w_;
};

class In {
 public:
  explicit In(std::span<const std::byte> bytes) : size_(bytes.size()), r_(bytes) {}
  bool done() const { return r_.done(); }
  void Fail() { r_.Fail(); }
  bool ok() const { return r_.ok(); }
  std::uint8_t Tag() { return r_.U8(); }

  void operator()(std::uint8_t& v) { v = r_.U8(); }
  void operator()(std::uint32_t& v) { v = r_.U32(); }
  void operator()(std::uint64_t& v) { v = r_.U64(); }
  void operator()(std::int64_t& v) { v = r_.I64(); }
  void operator()(std::int16_t& v) { v = static_cast<std::int16_t>(r_.U16()); }
  void operator()(int& v) { v = static_cast<int>(r_.I64()); }
  void operator()(bool& v) { v = r_.Bool(); }
  void operator()(double& v) { v = std::bit_cast<double>(r_.U64()); }
  void operator()(Duration& v) { v = Duration(r_.I64()); }
  void operator()(std::chrono::milliseconds& v) { v = std::chrono::milliseconds(r_.I64()); }
  void operator()(std::chrono::seconds& v) { v = std::chrono::seconds(r_.I64()); }
  void operator()(MonoTime& v) { v = r_.Time(); }
  void operator()(UtcTime& v) { v = r_.Utc(); }
  void operator()(LatLon& v) {
    (*this)(v.lat_deg);
    (*this)(v.lon_deg);
  }
  void operator()(std::string& v) {
    const std::uint32_t n = Size(kMaxBytes, 1);
    v.clear();
    v.reserve(n);
    for (std::uint32_t i = 0; i < n; ++i) v.push_back(static_cast<char>(r_.U8()));
  }
  void operator()(std::vector<std::byte>& v) {
    const std::uint32_t n = Size(kMaxBytes, 1);
    v.clear();
    v.reserve(n);
    for (std::uint32_t i = 0; i < n; ++i) v.push_back(std::byte{r_.U8()});
  }
  void operator()(Status& v) {
    const Code code = r_.Enum<Code>(12);
    std::string message;
    (*this)(message);
    v = code == Code::kOk ? Status() : Status(code, std::move(message));
  }
  template <class T>
  void operator()(std::optional<T>& v) {
    v.reset();
    if (r_.Bool()) (*this)(v.emplace());
  }
  template <class E>
  requires std::is_enum_v<E>
  void Enum(E& v, std::uint8_t count) { v = r_.Enum<E>(count); }
  template <class T, class F>
  void List(std::vector<T>& list, std::uint32_t limit, F&& each) {
    const std::uint32_t n = Size(limit, 1);
    list.clear();
    for (std::uint32_t i = 0; i < n && r_.ok(); ++i) each(list.emplace_back());
  }

 private:
  // No count can exceed the bytes it was read from: a short file cannot ask for much memory.
  std::uint32_t Size(std::uint32_t limit, std::uint32_t min_bytes_each) {
    const std::uint32_t n = r_.Count(limit);
    if (n > size_ / min_bytes_each) r_.Fail();
    return r_.ok() ? n : 0;
  }
  std::size_t size_;
  StateReader r_;
};

template <class Io, class T>
void Visit(Io& io, T& fix) requires std::is_same_v<std::remove_const_t<T>, Fix> {
  io(fix.time);
  io(fix.utc);
  io(fix.position);
  io(fix.horizontal_accuracy_m);
  io(fix.altitude_m);
  io(fix.vertical_accuracy_m);
  io(fix.speed_mps);
  io(fix.speed_accuracy_mps);
  io(fix.course_deg);
  io(fix.course_accuracy_deg);
  io.Enum(fix.source, 4);
  io(fix.simulated);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, ev::StoreOpened> {
  io(v.contents.records);
  io(v.contents.bytes);
  io(v.contents.first_seq);
  io(v.contents.last_seq);
  io(v.last_utc);
  io(v.boot_id);
}

template <class Io, class T>
void Visit(Io&, T&) requires(std::is_same_v<std::remove_const_t<T>, ev::Start> ||
                             std::is_same_v<std::remove_const_t<T>, ev::Stop> ||
                             std::is_same_v<std::remove_const_t<T>, ev::AlarmFired> ||
                             std::is_same_v<std::remove_const_t<T>, ev::Flush> ||
                             std::is_same_v<std::remove_const_t<T>, ev::ClearFences>) {}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, MotionSample> {
  io(v.time);
  io.Enum(v.activity, 6);
  io(v.confidence);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, Battery> {
  io(v.level);
  io(v.charging);
  io(v.power_save);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, Link> {
  io(v.up);
  io(v.metered);
  io(v.roaming);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, HostState> {
  io(v.foreground);
  io(v.location_permitted);
}

template <class Io, class Ring>
void VisitRing(Io& io, Ring& ring) {
  io.List(ring, kMaxVertices, [&](auto& p) { io(p); });
}

template <class Io, class P>
void VisitPolygon(Io& io, P& polygon) {
  VisitRing(io, polygon.outer);
  io.List(polygon.holes, kMaxVertices, [&](auto& hole) { VisitRing(io, hole); });
}

template <class Io, class Shape>
void VisitShape(Io& io, Shape& shape) {
  if (auto* circle = std::get_if<Circle>(&shape)) {
    io(circle->centre);
    io(circle->radius_m);
  } else if (auto* polygon = std::get_if<Polygon>(&shape)) {
    VisitPolygon(io, *polygon);
  } else if (auto* multi = std::get_if<MultiPolygon>(&shape)) {
    io.List(multi->parts, kMaxVertices, [&](auto& part) { VisitPolygon(io, part); });
  } else if (auto* corridor = std::get_if<Corridor>(&shape)) {
    VisitRing(io, corridor->line);
    io(corridor->width_m);
  }
}

void VisitShapeTagged(Out& io, const FenceShape& shape) {
  io(static_cast<std::uint8_t>(shape.index()));
  VisitShape(io, shape);
}

void VisitShapeTagged(In& io, FenceShape& shape) {
  switch (io.Tag()) {
    case 0:
      shape = Circle{};
      break;
    case 1:
      shape = Polygon{};
      break;
    case 2:
      shape = MultiPolygon{};
      break;
    case 3:
      shape = Corridor{};
      break;
    default:
      io.Fail();
      return;
  }
  VisitShape(io, shape);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, ev::AddFences> {
  io.List(v.fences, kMaxFences, [&](auto& f) {
    io(f.id);
    VisitShapeTagged(io, f.shape);
    io(f.dwell);
    io(f.expires);
    io(f.utc_offset_minutes);
    io.List(f.open, 1000, [&](auto& window) {
      io(window.begin_minute);
      io(window.end_minute);
    });
    io(f.notify_enter);
    io(f.notify_exit);
    io(f.notify_dwell);
    io(f.initial_trigger);
    io(f.confidence);
    io(f.extras);
  });
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, ev::RemoveFences> {
  io.List(v.ids, kMaxFences, [&](auto& id) { io(id); });
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, ev::Enqueue> {
  io(v.topic);
  io(v.body);
}

template <class Io, class T>
void VisitRemoved(Io& io, T& removed) {
  io(removed.records);
  io(removed.bytes);
  io(removed.first_seq);
  io(removed.last_seq);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, ev::Committed> {
  io(v.status);
  VisitRemoved(io, v.removed);
}

template <class Io, class T>
void VisitStored(Io& io, T& records) {
  io.List(records, 10'000'000, [&](auto& r) {
    io(r.seq);
    io(r.kind);
    io(r.priority);
    io(r.created);
    io(r.payload);
  });
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, ev::Peeked> {
  io(v.status);
  VisitStored(io, v.records);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, ev::Enforced> {
  io(v.status);
  VisitRemoved(io, v.drops);
}

template <class Io, class T>
void Visit(Io& io, T& v) requires std::is_same_v<std::remove_const_t<T>, HttpReply> {
  io(v.id);
  io(v.http_status);
  io(v.retry_after);
  io(v.server_date);
  io(v.detail);
}

template <std::size_t I = 0>
bool EmplaceEvent(Event& event, std::size_t index) {
  if constexpr (I < std::variant_size_v<Event>) {
    if (index == I) {
      event.emplace<I>();
      return true;
    }
    return EmplaceEvent<I + 1>(event, index);
  }
  return false;
}

void WriteEstimate(Out& io, const Estimate& e) {
  io(e.time);
  io(e.utc);
  io(e.position);
  for (const double v :
       {e.cov_ee_m2, e.cov_en_m2, e.cov_nn_m2, e.r68_m, e.r95_m, e.velocity_east_mps,
        e.velocity_north_mps, e.speed_sigma_mps, e.p_stopped, e.p_slow, e.p_fast}) {
    io(v);
  }
  io(e.altitude_m);
  io(e.altitude_sigma_m);
  io.Enum(e.motion, 3);
  io(e.coasting);
}

struct ActionWriter {
  Out& io;

  void operator()(const FixReport& v) {
    Visit(io, v.fix);
    io.Enum(v.verdict.disposition, 4);
    io.Enum(v.verdict.reason, 255);
    io(v.verdict.value);
    io(v.verdict.limit);
    io(v.live.has_value());
    if (v.live) WriteEstimate(io, *v.live);
  }
  void operator()(const MotionChange& v) {
    io(v.time);
    io(v.utc);
    io.Enum(v.motion, 3);
    io(v.position);
  }
  void operator()(const Stay& v) {
    io(v.id);
    io(v.begin);
    io(v.end);
    io(v.begin_utc);
    io(v.end_utc);
    io(v.position);
    io(v.r68_m);
    io(v.fixes);
  }
  void operator()(const Trip& v) {
    io(v.id);
    io(v.begin);
    io(v.end);
    io(v.begin_utc);
    io(v.end_utc);
    io(v.from);
    io(v.to);
    io(v.distance_m);
    io(v.distance_bound_m);
  }
  void operator()(const act::TripStart& v) { (*this)(v.trip); }
  void operator()(const Gap& v) {
    io(v.begin);
    io(v.end);
    io(v.begin_utc);
    io(v.end_utc);
    io.Enum(v.cause, 255);
  }
  void operator()(const FenceEvent& v) {
    io(v.id);
    io.Enum(v.transition, 5);
    io.Enum(v.rejection, 255);
    io(v.time);
    io(v.utc);
    io(v.crossing_time);
    io(v.crossing_utc);
    io(v.crossing_position);
    io(v.position);
    io(v.probability);
    io(v.distance_m);
    io(v.evidence_from);
    io(v.evidence_to);
    io(v.extras);
  }
  void operator()(const FenceProblem& v) {
    io(v.id);
    io(static_cast<std::uint64_t>(v.index));
    io(v.reason);
  }
  void operator()(const act::Sampling& v) {
    io.Enum(v.request.mode, 4);
    io(v.request.interval);
    io(v.request.max_batch_delay);
    io(v.reason);
  }
  void operator()(const act::Commit& v) {
    VisitStored(io, v.write.append);
    io(v.write.ack.has_value());
    if (v.write.ack) {
      io(v.write.ack->first);
      io(v.write.ack->last);
    }
    io.List(v.write.state, 100, [&](const KeyValue& kv) {
      io(kv.key);
      io(kv.value);
    });
  }
  void operator()(const act::Peek& v) {
    io(v.after_seq);
    io(static_cast<std::uint64_t>(v.max_records));
    io(static_cast<std::uint64_t>(v.max_bytes));
  }
  void operator()(const act::Enforce& v) {
    io(v.limits.max_records);
    io(v.limits.max_bytes);
    io(v.limits.max_age);
    io(v.utc);
  }
  void operator()(const act::Sync&) {}
  void operator()(const HttpRequest& v) {
    io(v.id);
    io(v.url);
    io(v.idempotency_key);
    io(v.content_type);
    io(v.body);
    io(v.timeout);
  }
  void operator()(const UploadReport& v) {
    io(v.first_seq);
    io(v.last_seq);
    io(v.records);
    io(v.bytes);
    io(v.http_status);
    io(v.acknowledged);
    io(v.oldest_delay);
  }
  void operator()(const act::FlushDone& v) { io(v.status); }
  void operator()(const Status& v) { io(v); }
};

}  // namespace

void EncodeEvent(const Event& event, const Stamp& stamp, std::vector<std::byte>& out) {
  Out io(out);
  io(stamp.mono);
  io(stamp.utc);
  io(static_cast<std::uint8_t>(event.index()));
  std::visit([&](const auto& v) { Visit(io, v); }, event);
}

Result<StampedEvent> DecodeEvent(std::span<const std::byte> bytes) {
  In io(bytes);
  StampedEvent out;
  io(out.stamp.mono);
  io(out.stamp.utc);
  if (!EmplaceEvent(out.event, io.Tag())) io.Fail();
  if (io.ok()) std::visit([&](auto& v) { Visit(io, v); }, out.event);
  if (!io.done()) return Status(Code::kCorruption, "not an event of this journal format");
  return out;
}

void EncodeAction(const Action& action, std::vector<std::byte>& out) {
  Out io(out);
  io(static_cast<std::uint8_t>(action.index()));
  std::visit(ActionWriter{io}, action);
}

std::uint64_t Digest(std::span<const std::byte> bytes, std::uint64_t hash) {
  for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 1099511628211u;
  return hash;
}

}  // namespace waymark
