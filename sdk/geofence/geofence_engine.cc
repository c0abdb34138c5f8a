#include "sdk/geofence/geofence_engine.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "sdk/geofence/engine_state.h"
#include "sdk/geofence/opening_hours.h"

namespace waymark {

using geofence::FenceAttributes;
using geofence::FenceIndex;
using geofence::LiveFence;
using geofence::PastFence;

namespace {

constexpr std::chrono::hours kLatestExpiry{200 * 365 * 24};  // the year 2169

// Sigmas at which the normal distribution reaches `confidence`: bisection, once per bulk.
double Quantile(double confidence) {
  double lo = 0, hi = geofence::kSureSigmas;
  for (int i = 0; i < 60; ++i) {
    const double mid = (lo + hi) / 2;
    (geofence::NormalCdf(mid) < confidence ? lo : hi) = mid;
  }
  return hi;
}

template <class T>
auto LowerBound(T& sorted, FenceIndex i) {
  return std::lower_bound(sorted.begin(), sorted.end(), i,
                          [](const auto& entry, FenceIndex k) { return entry.fence < k; });
}

}  // namespace

GeofenceEngine::GeofenceEngine() : impl_(std::make_unique<Impl>()) {}
GeofenceEngine::GeofenceEngine(const GeofenceEngine& other)
    : impl_(std::make_unique<Impl>(*other.impl_)) {}
GeofenceEngine& GeofenceEngine::operator=(const GeofenceEngine& other) {
  if (this != &other) *impl_ = Impl(*other.impl_);
  return *this;
}
GeofenceEngine::GeofenceEngine(GeofenceEngine&&) noexcept = default;
GeofenceEngine& GeofenceEngine::operator=(GeofenceEngine&&) noexcept = default;
GeofenceEngine::~GeofenceEngine() = default;

void GeofenceEngine::Add(std::span<const Geofence> fences, std::vector<FenceProblem>& problems) {
  Impl& e = *impl_;
  if (fences.size() > 1000) e.table.Reserve(e.table.size() + fences.size());
  // The second of one id within the span is a mistake, not a replacement.
  const FenceIndex known = e.table.end();
  std::vector<std::uint8_t> seen;
  for (std::size_t k = 0; k < fences.size(); ++k) {
    const auto old = e.table.IndexOf(fences[k].id);
    if (old) {
      const bool twice = *old >= known || (*old < seen.size() && seen[*old] != 0);
      if (twice) {
        problems.push_back({fences[k].id, k, "the id stands twice in the set"});
        continue;
      }
    }
    const std::size_t before = problems.size();
    e.Put(fences[k], false, k, problems);
    if (problems.size() > before) continue;
    const auto index = e.table.IndexOf(fences[k].id);
    if (index && *index < known) {
      if (seen.empty()) seen.resize(known, 0);
      seen[*index] = 1;
    }
  }
  e.AfterBulk();
}

void GeofenceEngine::Impl::Put(const Geofence& fence, bool trusted, std::size_t position,
                               std::vector<FenceProblem>& problems) {
  std::string reason;
  const auto added =
      table.Put(fence, trusted, reason, [&](FenceIndex i) { index.Erase(table, i); });
  if (!added) {
    problems.push_back({fence.id, position, std::move(reason)});
    return;
  }
  if (added->unchanged) return;
  const FenceIndex i = added->index;
  if (flags.size() <= i) flags.resize(i + 1, 0);
  to_index.push_back(i);
  if (added->is_new) flags[i] = 0;
  // The way before its definition is no evidence for a fence.
  if ((added->is_new || added->shape_changed) && !(flags[i] & kFresh)) {
    flags[i] |= kFresh;
    fresh.push_back(i);
  }
  if (fence.expires) {
    expiries.emplace_back(*fence.expires, i);
    std::push_heap(expiries.begin(), expiries.end(), std::greater<>());
  }
}

void GeofenceEngine::Impl::AfterBulk() {
  index.InsertMany(table, to_index);
  to_index.clear();
  if (to_index.capacity() > 1000) to_index.shrink_to_fit();
  sure_sigmas = std::max(sure_sigmas, Quantile(table.max_confidence()));
  skip = {};
  rest.ForgetWay();
  RefreshDeadline();
}

void GeofenceEngine::Impl::RemoveIndex(FenceIndex i) {
  index.Erase(table, i);
  table.Remove(i);
  if (flags[i] & kLive) live.erase(LowerBound(live, i));
  if (flags[i] & kPast) past.erase(LowerBound(past, i));
  if (flags[i] & kFresh) std::erase(fresh, i);
  flags[i] = 0;
  skip = {};
}

std::size_t GeofenceEngine::Remove(std::span<const std::string> ids) {
  std::size_t removed = 0;
  for (const std::string& id : ids) {
    if (const auto i = impl_->table.IndexOf(id)) {
      impl_->RemoveIndex(*i);
      ++removed;
    }
  }
  impl_->RefreshDeadline();
  return removed;
}

void GeofenceEngine::Clear() {
  Impl fresh;
  fresh.last = impl_->last;
  fresh.rest = impl_->rest;
  fresh.resumed = impl_->resumed;
  fresh.utc_minus_mono = impl_->utc_minus_mono;
  *impl_ = std::move(fresh);
}

std::optional<Geofence> GeofenceEngine::Find(std::string_view id) const {
  const auto i = impl_->table.IndexOf(id);
  if (!i) return std::nullopt;
  return impl_->table.Definition(*i);
}

std::optional<FenceState> GeofenceEngine::State(std::string_view id) const {
  const auto i = impl_->table.IndexOf(id);
  if (!i) return std::nullopt;
  FenceState state;
  if (const LiveFence* live = impl_->FindLive(*i)) {
    state.inside = live->inside;
    state.announced = live->announced;
    if (live->has_since) state.since = live->since;
    state.hits = live->hits;
    state.pending = live->pending;
  } else if (impl_->flags[*i] & Impl::kPast) {
    const auto past = LowerBound(impl_->past, *i);
    state.hits = past->hits;
    state.since = past->since;
  }
  return state;
}

std::size_t GeofenceEngine::size() const { return impl_->table.size(); }

std::vector<std::string> GeofenceEngine::Ids() const {
  std::vector<std::string> ids;
  ids.reserve(size());
  for (FenceIndex i = 0; i < impl_->table.end(); ++i) {
    if (impl_->table.Has(i)) ids.emplace_back(impl_->table.Id(i));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

void GeofenceEngine::Containing(LatLon p, std::vector<std::string>& ids) const {
  const auto position = LatLon::FromDegrees(p.lat_deg, p.lon_deg);
  if (!position) return;
  const auto begin = static_cast<std::ptrdiff_t>(ids.size());
  impl_->follower.ForContaining(impl_->index, impl_->table, *position,
                                [&](FenceIndex i) { ids.emplace_back(impl_->table.Id(i)); });
  std::sort(ids.begin() + begin, ids.end());
}

LiveFence* GeofenceEngine::Impl::FindLive(FenceIndex i) {
  return flags[i] & kLive ? &*LowerBound(live, i) : nullptr;
}
const LiveFence* GeofenceEngine::Impl::FindLive(FenceIndex i) const {
  return flags[i] & kLive ? &*LowerBound(live, i) : nullptr;
}

LiveFence& GeofenceEngine::Impl::MakeLive(FenceIndex i) {
  const auto at = LowerBound(live, i);
  if (flags[i] & kLive) return *at;
  LiveFence made;
  made.fence = i;
  if (flags[i] & kPast) {
    const auto it = LowerBound(past, i);
    made.hits = it->hits;
    made.since = it->since;
    made.has_since = true;
    past.erase(it);
    flags[i] &= static_cast<std::uint8_t>(~kPast);
  }
  flags[i] |= kLive;
  return *live.insert(at, made);
}

// The caller removes it from `live`.
void GeofenceEngine::Impl::Retire(const LiveFence& fence) {
  flags[fence.fence] &= static_cast<std::uint8_t>(~kLive);
  if (fence.hits == 0) return;
  flags[fence.fence] |= kPast;
  past.insert(LowerBound(past, fence.fence), PastFence{fence.fence, fence.hits, fence.since});
}

std::optional<UtcTime> GeofenceEngine::Impl::UtcAt(MonoTime t) const {
  if (!utc_minus_mono) return std::nullopt;
  return UtcTime(std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch() +
                                                                       *utc_minus_mono));
}

bool GeofenceEngine::Impl::OpenAt(FenceIndex i, MonoTime t) const {
  const FenceAttributes& a = table.Attributes(i);
  if (a.open.empty()) return true;
  const auto utc = UtcAt(t);
  return !utc || geofence::IsOpen(a.open, a.utc_offset_minutes, *utc);
}

void GeofenceEngine::Impl::RefreshDeadline() {
  next_deadline_of_live.reset();
  const auto earlier = [&](MonoTime t) {
    if (!next_deadline_of_live || t < *next_deadline_of_live) next_deadline_of_live = t;
  };
  for (const LiveFence& f : live) {
    const FenceAttributes& a = table.Attributes(f.fence);
    if (f.announced && !f.dwell_done && !f.pending && a.dwell > Duration::zero()) {
      earlier(f.dwell_from + a.dwell);
    }
    if (a.open.empty() || !f.inside || !last || !utc_minus_mono) continue;
    // From the last instant at which the state of the window was looked at.
    const auto utc = UtcAt(std::max(last->time, last_advance));
    if (!utc) continue;
    if (geofence::IsOpen(a.open, a.utc_offset_minutes, *utc) != f.was_open) {
      earlier(std::max(last->time, last_advance));
    } else if (const auto next = geofence::NextOpeningChange(a.open, a.utc_offset_minutes, *utc)) {
      earlier(MonoTime(next->time_since_epoch() - *utc_minus_mono));
    }
  }
}

void GeofenceEngine::Impl::DoAdvance(MonoTime now, std::vector<FenceEvent>& out) {
  last_advance = std::max(last_advance, now);
  if (!last) return;
  const geofence::SurfacePoint at(last->position);
  for (LiveFence& f : live) {
    const FenceAttributes& a = table.Attributes(f.fence);
    const auto emit = [&](FenceTransition trigger, bool wanted, MonoTime when) {
      const geofence::FenceShapeView shape = table.Shape(f.fence);
      const auto distance =
          shape.Distance(at, 1 + geofence::kSureSigmas * std::sqrt(last->covariance.Trace()));
      FenceEvent event;
      event.id = table.Id(f.fence);
      event.trigger = trigger;
      event.transition = wanted ? trigger : FenceTransition::kRejected;
      event.rejection = wanted ? FenceRejection::kNone : FenceRejection::kNotNotified;
      event.time = now;
      event.crossing_time = when;
      if (last->utc) {
        const auto utc_at = [&](MonoTime t) {
          return *last->utc + std::chrono::duration_cast<std::chrono::milliseconds>(t - last->time);
        };
        event.utc = utc_at(now);
        event.crossing_utc = utc_at(when);
      }
      event.crossing_position = event.position = last->position;
      event.distance_m = distance.distance_m;
      event.probability = shape.ProbabilityInside(at, distance, last->covariance);
      event.evidence_from = event.evidence_to = last->time;
      event.extras = a.extras;
      out.push_back(std::move(event));
    };
    const auto dwell = [&] {
      if (!f.announced || f.dwell_done || f.pending || a.dwell <= Duration::zero()) return;
      if (now < f.dwell_from + a.dwell) return;
      f.dwell_done = true;
      emit(FenceTransition::kDwell, a.notify_dwell, f.dwell_from + a.dwell);
    };
    const bool open = OpenAt(f.fence, now);
    if (open == f.was_open) {
      dwell();
      continue;
    }
    dwell();  // due before the window closed
    f.was_open = open;
    if (!f.inside || f.announced == open) continue;
    f.announced = open;
    f.dwell_done = false;
    f.dwell_from = now;
    emit(open ? FenceTransition::kEnter : FenceTransition::kExit,
         open ? a.notify_enter : a.notify_exit, now);
  }
  RefreshDeadline();
}

void GeofenceEngine::Advance(const Stamp& now, bool utc_confirmed, std::vector<FenceEvent>& out) {
  Impl& e = *impl_;
  if (utc_confirmed) {
    const Duration offset = now.utc.time_since_epoch() - now.mono.time_since_epoch();
    if (e.utc_minus_mono != offset) {
      e.utc_minus_mono = offset;
      e.RefreshDeadline();
    }
    while (!e.expiries.empty() && e.expiries.front().first <= now.utc) {
      const auto [expires, i] = e.expiries.front();
      std::pop_heap(e.expiries.begin(), e.expiries.end(), std::greater<>());
      e.expiries.pop_back();
      // A replaced or removed fence leaves its old entry behind.
      if (e.table.Has(i) && e.table.Attributes(i).expires == expires) e.RemoveIndex(i);
    }
    e.RefreshDeadline();
  }
  if (e.next_deadline_of_live && *e.next_deadline_of_live <= now.mono) e.DoAdvance(now.mono, out);
}

std::optional<MonoTime> GeofenceEngine::NextDeadline() const {
  std::optional<MonoTime> next = impl_->next_deadline_of_live;
  if (impl_->utc_minus_mono && !impl_->expiries.empty()) {
    // An expiry that nanoseconds cannot hold is as good as one at the end of their range.
    const UtcTime expiry =
        std::clamp(impl_->expiries.front().first, UtcTime(), UtcTime(kLatestExpiry));
    const MonoTime t(expiry.time_since_epoch() - *impl_->utc_minus_mono);
    if (!next || t < *next) next = t;
  }
  return next;
}

double GeofenceEngine::NextCheckDistanceM() const {
  const Impl& e = *impl_;
  if (e.table.size() == 0) return kFarM;
  if (!e.last || !e.fresh.empty()) return 0;
  for (const LiveFence& f : e.live) {
    if (f.pending || f.undecided) return 0;
  }
  const double sigma = std::sqrt(e.last->covariance.Trace());
  const double nearest =
      e.index.NearestBoundaryM(e.table, geofence::SurfacePoint(e.last->position), kFarM);
  return std::max(0.0, nearest - e.sure_sigmas * sigma);
}

std::optional<Duration> GeofenceEngine::TimeToNearestPossibleEvent(double max_speed_mps) const {
  if (impl_->table.size() == 0 || !(max_speed_mps > 0)) return std::nullopt;
  const double distance = NextCheckDistanceM();
  if (distance >= kFarM) return std::nullopt;
  return FromSeconds(std::min(distance / max_speed_mps, 1e9));
}

// The monotonic clock began anew: what the saved state says moves along. UTC tells by how much; and
// without it no time is taken to have passed.
void GeofenceEngine::Impl::Rebase(const Estimate& estimate) {
  Duration shift = estimate.time - last->time;
  if (estimate.utc && last->utc) {
    const Duration passed = *estimate.utc - *last->utc;
    if (passed >= Duration::zero()) shift -= passed;
  } else {
    shift -= Duration(1);
  }
  last->time += shift;
  last_advance = last->time;
  rest.Shift(shift);
  for (LiveFence& f : live) {
    f.since += shift;
    f.dwell_from += shift;
    f.pending_crossing += shift;
    f.pending_from += shift;
  }
  for (PastFence& f : past) f.since += shift;
  utc_minus_mono.reset();
  RefreshDeadline();
}

}  // namespace waymark
