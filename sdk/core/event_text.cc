// Events and actions as lines for people. Quantised: 1e-7 deg, 1 cm, 1 ms.
#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "sdk/core/event_codec.h"

namespace waymark {
namespace {

#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
std::string
Text(const char* format, ...) {
  char buffer[512];
  std::va_list args;
  va_start(args, format);
  const int n = std::vsnprintf(buffer, sizeof buffer, format, args);
  va_end(args);
  return std::string(buffer,
                     static_cast<std::size_t>(n < 0 ? 0 : std::min<int>(n, sizeof buffer - 1)));
}

double S(MonoTime t) { return Seconds(t.time_since_epoch()); }

std::string Opt(const char* name, const std::optional<double>& v) {
  return v ? Text(" %s=%.2f", name, *v) : std::string();
}

struct EventPrinter {
  std::string operator()(const ev::StoreOpened& e) const {
    return Text("store_opened records=%llu last_seq=%llu",
                static_cast<unsigned long long>(e.contents.records),
                static_cast<unsigned long long>(e.contents.last_seq));
  }
  std::string operator()(const ev::Start&) const { return "start"; }
  std::string operator()(const ev::Stop&) const { return "stop"; }
  std::string operator()(const ev::AlarmFired&) const { return "alarm"; }
  std::string operator()(const ev::Flush&) const { return "flush"; }
  std::string operator()(const Fix& f) const {
    return Text("fix t=%.3f lat=%.7f lon=%.7f", S(f.time), f.position.lat_deg, f.position.lon_deg) +
           Opt("accuracy_m", f.horizontal_accuracy_m) + Opt("speed_mps", f.speed_mps) +
           Opt("course_deg", f.course_deg);
  }
  std::string operator()(const MotionSample& e) const {
    return Text("motion activity=%d confidence=%.2f", static_cast<int>(e.activity), e.confidence);
  }
  std::string operator()(const Battery& e) const {
    return "battery" + Opt("level", e.level) + (e.charging ? " charging" : "");
  }
  std::string operator()(const Link& e) const {
    return std::string("link ") + (e.up ? "up" : "down") + (e.metered ? " metered" : "");
  }
  std::string operator()(const HostState& e) const {
    return std::string("host") + (e.foreground ? " foreground" : " background") +
           (e.location_permitted ? "" : " no_permission");
  }
  std::string operator()(const ev::AddFences& e) const {
    return Text("add_fences n=%zu", e.fences.size());
  }
  std::string operator()(const ev::RemoveFences& e) const {
    return Text("remove_fences n=%zu", e.ids.size());
  }
  std::string operator()(const ev::ClearFences&) const { return "clear_fences"; }
  std::string operator()(const ev::Enqueue& e) const {
    return Text("enqueue topic=%.40s bytes=%zu", e.topic.c_str(), e.body.size());
  }
  std::string operator()(const ev::Committed& e) const {
    return Text("committed %s", CodeName(e.status.code()));
  }
  std::string operator()(const ev::Peeked& e) const {
    return Text("peeked %s n=%zu", CodeName(e.status.code()), e.records.size());
  }
  std::string operator()(const ev::Enforced& e) const {
    return Text("enforced %s dropped=%llu", CodeName(e.status.code()),
                static_cast<unsigned long long>(e.drops.records));
  }
  std::string operator()(const HttpReply& e) const {
    return Text("reply id=%llu status=%d", static_cast<unsigned long long>(e.id),
                e.http_status.value_or(0));
  }
};

struct ActionPrinter {
  std::string operator()(const FixReport& r) const {
    std::string text =
        Text("%s %s", DispositionName(r.verdict.disposition), ReasonName(r.verdict.reason));
    if (r.verdict.reason != Reason::kNone) {
      text += Text(" value=%.3g limit=%.3g", r.verdict.value, r.verdict.limit);
    }
    if (r.live) {
      text += Text(" estimate t=%.3f lat=%.7f lon=%.7f r68_m=%.2f speed_mps=%.2f %s",
                   S(r.live->time), r.live->position.lat_deg, r.live->position.lon_deg,
                   r.live->r68_m, r.live->speed_mps(), MotionName(r.live->motion));
    }
    return text;
  }
  std::string operator()(const MotionChange& m) const {
    return Text("motion %s t=%.3f", MotionName(m.motion), S(m.time));
  }
  std::string operator()(const Stay& s) const {
    return Text("stay id=%llu from=%.3f to=%.3f lat=%.7f lon=%.7f r68_m=%.2f",
                static_cast<unsigned long long>(s.id), S(s.begin), S(s.end), s.position.lat_deg,
                s.position.lon_deg, s.r68_m);
  }
  std::string operator()(const Trip& t) const {
    return Text("trip id=%llu from=%.3f to=%.3f distance_m=%.1f bound_m=%.1f",
                static_cast<unsigned long long>(t.id), S(t.begin), S(t.end), t.distance_m,
                t.distance_bound_m);
  }
  std::string operator()(const act::TripStart& t) const {
    return Text("trip_start id=%llu t=%.3f", static_cast<unsigned long long>(t.trip.id),
                S(t.trip.begin));
  }
  std::string operator()(const Gap& g) const {
    return Text("gap from=%.3f to=%.3f cause=%s", S(g.begin), S(g.end), GapCauseName(g.cause));
  }
  std::string operator()(const FenceEvent& e) const {
    return Text("fence %s id=%.64s t=%.3f p=%.4f distance_m=%.2f",
                FenceTransitionName(e.transition), e.id.c_str(), S(e.crossing_time), e.probability,
                e.distance_m);
  }
  std::string operator()(const FenceProblem& p) const {
    return Text("fence_problem id=%.64s %.200s", p.id.c_str(), p.reason.c_str());
  }
  std::string operator()(const act::Sampling& s) const {
    return Text("sampling mode=%d interval_s=%.1f batch_s=%.1f reason=%.*s",
                static_cast<int>(s.request.mode), Seconds(s.request.interval),
                Seconds(s.request.max_batch_delay), static_cast<int>(s.reason.size()),
                s.reason.data());
  }
  std::string operator()(const act::Commit& c) const {
    std::string text =
        Text("commit records=%zu state=%zu", c.write.append.size(), c.write.state.size());
    if (!c.write.append.empty()) {
      text += Text(" seq=%llu..%llu", static_cast<unsigned long long>(c.write.append.front().seq),
                   static_cast<unsigned long long>(c.write.append.back().seq));
    }
    if (c.write.ack) {
      text += Text(" ack=%llu..%llu", static_cast<unsigned long long>(c.write.ack->first),
                   static_cast<unsigned long long>(c.write.ack->last));
    }
    return text;
  }
  std::string operator()(const act::Peek& p) const {
    return Text("peek after=%llu", static_cast<unsigned long long>(p.after_seq));
  }
  std::string operator()(const act::Enforce&) const { return "enforce_limits"; }
  std::string operator()(const act::Sync&) const { return "sync"; }
  std::string operator()(const HttpRequest& r) const {
    return Text("send id=%llu key=%.100s bytes=%zu", static_cast<unsigned long long>(r.id),
                r.idempotency_key.c_str(), r.body.size());
  }
  std::string operator()(const UploadReport& u) const {
    return Text("upload seq=%llu..%llu records=%llu status=%d %s",
                static_cast<unsigned long long>(u.first_seq),
                static_cast<unsigned long long>(u.last_seq),
                static_cast<unsigned long long>(u.records), u.http_status.value_or(0),
                u.acknowledged ? "acknowledged" : "not_acknowledged");
  }
  std::string operator()(const act::FlushDone& f) const {
    return Text("flush_done %s", CodeName(f.status.code()));
  }
  std::string operator()(const Status& s) const {
    return Text("problem %s: %.300s", CodeName(s.code()), s.message().c_str());
  }
};

}  // namespace

std::string EventText(const Event& event, const Stamp& stamp) {
  return Text("%.3f ", S(stamp.mono)) + std::visit(EventPrinter{}, event);
}

std::string ActionText(const Action& action) { return std::visit(ActionPrinter{}, action); }

}  // namespace waymark
