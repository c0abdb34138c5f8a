// The decision. For each fence near the way from the last estimate to this one:
//
//   P(inside) at an estimate, from its covariance and the signed distance (fence_shape.h);
//   Enter once P >= c, Exit once P <= 1 - c, with c the fence's confidence: a hysteresis in
//   probability. The way itself is evidence too: each stretch of it on one side of the boundary is
//   judged at its deepest point, with the covariance interpolated between the two estimates and
//   widened by what a device can stray from a straight way in the time between.
//
// Honest noise alone would still cross both limits in hours of standing at an edge, so that a
// reversal also asks for movement across the boundary: kReversalSigmas between the deepest point
// since the last crossing and the deciding one.
#include <algorithm>
#include <cmath>

#include "sdk/geofence/engine_state.h"
#include "sdk/geofence/opening_hours.h"

namespace waymark::geofence {
namespace {

// A way of longer duration tells nothing about what lay between.
constexpr Duration kMaxPathGap = std::chrono::minutes(10);
// How far a device strays from the chord in time T: a T^2 / 8 at the middle, with the 1-sigma
// acceleration of everyday driving (0.5 m/s^2: turns and stops within seconds average out).
constexpr double kStrayMps2 = 0.5;
constexpr double kReversalSigmas = 4;
// At rest the position wanders without the device: see tests/property/geofence/flapping_test.cc.
constexpr double kReversalSigmasAtRest = 8;

// At least the distance between two places; by at most 1 % more within 10 km off the polar caps.
double DistanceBoundM(LatLon a, LatLon b) {
  const double north = (a.lat_deg - b.lat_deg) * 111'700;
  double lon = std::fabs(a.lon_deg - b.lon_deg);
  if (lon > 180) lon = 360 - lon;
  const bool across = (a.lat_deg < 0) != (b.lat_deg < 0);
  const double equatorward = across ? 0 : std::min(std::fabs(a.lat_deg), std::fabs(b.lat_deg));
  const double east = lon * 111'700 * CosDeg(equatorward);
  return std::sqrt(north * north + east * east);
}

bool HasCovariance(const Estimate& e) {
  return std::isfinite(e.cov_ee_m2) && std::isfinite(e.cov_en_m2) && std::isfinite(e.cov_nn_m2) &&
         e.cov_ee_m2 >= 0 && e.cov_nn_m2 >= 0;
}

}  // namespace

Step::Step(GeofenceEngine::Impl& engine, const Estimate& estimate, LatLon at,
           std::vector<FenceEvent>& out)
    : engine_(engine),
      estimate_(estimate),
      out_(out),
      at_(at),
      covariance_{estimate.cov_ee_m2, estimate.cov_en_m2, estimate.cov_nn_m2},
      sigma_m_(std::sqrt(covariance_.Trace())),
      variance_m2_(covariance_.Trace() / 2),
      has_way_(engine.last && estimate.time - engine.last->time <= kMaxPathGap) {
  if (!has_way_) return;
  length_m_ = DistanceBoundM(engine.last->position, at_);
  if (length_m_ > 1000) Prepare();
}

// A fence on whose declared side the estimate lies, the boundary beyond the whole way, cannot
// change: it needs neither a probability nor, often, a look. What is in doubt is kept live and is
// always looked at.
bool Step::Run() {
  // New fences are decided by the estimate's uncertainty; for known ones only the way counts.
  const double doubt_m = engine_.sure_sigmas * sigma_m_ + kTieM;
  Gather(engine_.fresh.empty() ? kTieM : doubt_m);
  std::vector<FenceIndex>& candidates = engine_.candidates;
  if (!candidates.empty()) {
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    Prepare();
    cap_m_ = std::max(doubt_m, kSureSigmas * sigma_m_) + length_m_ + 1;
    for (const FenceIndex i : candidates) Decide(i);
  }
  return RetireLeft() || !candidates.empty();
}

void Step::Gather(double reach_m) {
  Surroundings& found = engine_.surroundings;
  engine_.index.Look(engine_.table, has_way_ ? &engine_.last->position : nullptr, at_, length_m_,
                     reach_m, found);
  std::vector<FenceIndex>& candidates = engine_.candidates;
  candidates.assign(found.near.begin(), found.near.end());
  for (LiveFence& live : engine_.live) live.settled = false;
  for (const Surroundings::Deep& deep : found.deep) {
    LiveFence* live = engine_.FindLive(deep.fence);
    if (live == nullptr || !live->inside || live->pending || live->undecided) {
      candidates.push_back(deep.fence);
    } else {
      live->settled = true;
      live->Deepen(deep.distance_m, variance_m2_);
    }
  }
  for (LiveFence& live : engine_.live) {
    if (!live.settled && !IsClear(live)) candidates.push_back(live.fence);
  }
}

// Whether a fence that was left lies well beyond the way: then only its extreme distance changes.
bool Step::IsClear(LiveFence& live) const {
  if (live.inside || live.pending || live.undecided || !engine_.table.IsCircle(live.fence)) {
    return false;
  }
  const double radius = engine_.table.RadiusM(live.fence);
  if (radius > CircleGrid::kMaxRadiusM || std::fabs(at_.lat_deg) > kGridMaxLatDeg) return false;
  // A bound that is at most 1 % too large within the 10 km that matter here.
  const double d = DistanceBoundM(engine_.table.Centre(live.fence), at_) * 0.98 - radius;
  if (d < length_m_ + 1 || d > 8000) return false;
  live.Deepen(d, variance_m2_);
  return true;
}

// Left fences are kept only while a reversal could be mistaken.
bool Step::RetireLeft() {
  std::vector<LiveFence>& live = engine_.live;
  const double settled_m = 2 * kReversalSigmasAtRest * sigma_m_;
  const auto settled = [&](const LiveFence& f) {
    return !f.inside && !f.pending && !f.undecided && f.extreme_m >= settled_m;
  };
  if (std::none_of(live.begin(), live.end(), settled)) return false;
  for (const LiveFence& f : live) {
    if (settled(f)) engine_.Retire(f);
  }
  std::erase_if(live, [&](const LiveFence& f) {
    return !(engine_.flags[f.fence] & GeofenceEngine::Impl::kLive);
  });
  return true;
}

void Step::Prepare() {
  if (to_) return;
  to_.emplace(at_);
  if (!has_way_) return;
  std::optional<SurfacePoint>& known = engine_.surface;
  if (known && known->position == engine_.last->position) {
    from_ = known;
  } else {
    from_.emplace(engine_.last->position);
  }
  known = to_;
  segment_.emplace(*from_, *to_);
  length_m_ = segment_->length_m();
}

Step::Moment Step::MomentAt(double s_m) const {
  if (!segment_ || s_m >= length_m_) return {estimate_.time, at_};
  const MonoTime t0 = engine_.last->time;
  if (s_m <= 0) return {t0, from_->position};
  const double share = s_m / length_m_;
  const auto elapsed = static_cast<double>((estimate_.time - t0).count()) * share;
  return {t0 + Duration(static_cast<std::int64_t>(elapsed)), segment_->PositionAt(s_m)};
}

PositionCovariance Step::CovarianceAt(double s_m) const {
  if (!segment_ || s_m >= length_m_) return covariance_;
  const PositionCovariance& a = engine_.last->covariance;
  const double t = s_m / length_m_;
  PositionCovariance c{a.ee + (covariance_.ee - a.ee) * t, a.en + (covariance_.en - a.en) * t,
                       a.nn + (covariance_.nn - a.nn) * t};
  // Estimates without any error are taken at their word, and so is the way between them.
  if (a.Trace() + covariance_.Trace() > 0) {
    const double gap_s = Seconds(estimate_.time - engine_.last->time);
    const double stray = kStrayMps2 * gap_s * gap_s / 8 * 4 * t * (1 - t);
    c.ee += stray * stray;
    c.nn += stray * stray;
  }
  return c;
}

void Step::Decide(FenceIndex i) {
  const FenceShapeView shape = engine_.table.Shape(i);
  at_end_ = shape.Distance(*to_, cap_m_);
  LiveFence* live = engine_.FindLive(i);
  if ((engine_.flags[i] & GeofenceEngine::Impl::kFresh) || (live != nullptr && live->undecided)) {
    if (live == nullptr || live->undecided) {
      DecideFirst(i, shape);
      return;
    }
  }
  if (!segment_) {
    Judge(i, shape,
          Stretch{.inside = at_end_.distance_m < 0,
                  .begin_m = 0,
                  .end_m = 0,
                  .extreme_at_m = 0,
                  .extreme = at_end_},
          true, true, live);
    return;
  }
  const bool is_inside = live != nullptr && live->inside;
  const BoundaryDistance at_begin = shape.Distance(*from_, cap_m_);
  const bool at_home =
      (at_end_.distance_m < 0) == is_inside && (at_begin.distance_m < 0) == is_inside &&
      std::fabs(at_begin.distance_m) + std::fabs(at_end_.distance_m) > length_m_ + 2 * kTieM;
  if (at_home && (live == nullptr || !live->pending)) {
    if (live != nullptr) live->Deepen(at_end_.distance_m, variance_m2_);
    return;
  }
  Stretches stretches;
  if (at_home) {
    const bool begin_is_deeper = std::fabs(at_begin.distance_m) > std::fabs(at_end_.distance_m);
    stretches.count = 1;
    stretches.at[0] = {.inside = is_inside,
                       .begin_m = 0,
                       .end_m = length_m_,
                       .extreme_at_m = begin_is_deeper ? 0 : length_m_,
                       .extreme = begin_is_deeper ? at_begin : at_end_};
  } else {
    FindStretches(shape, *segment_, at_begin, at_end_, cap_m_, stretches);
  }
  for (std::size_t k = 0; k < stretches.count; ++k) {
    Judge(i, shape, stretches.at[k], k == 0, k + 1 == stretches.count, live);
  }
}

void Step::DecideFirst(FenceIndex i, const FenceShapeView& shape) {
  const FenceAttributes& attributes = engine_.table.Attributes(i);
  const double inside = shape.ProbabilityInside(*to_, at_end_, covariance_);
  if (inside <= 1 - attributes.confidence) {
    if (LiveFence* live = engine_.FindLive(i)) {
      live->undecided = false;
      live->SetExtreme(at_end_.distance_m, variance_m2_);
    }
    return;
  }
  LiveFence& live = engine_.MakeLive(i);
  live.undecided = inside < attributes.confidence;
  if (live.undecided) return;
  if (!attributes.initial_trigger) {
    live.inside = true;
    live.announced = live.was_open = engine_.OpenAt(i, estimate_.time);
    live.has_since = true;
    live.since = live.dwell_from = estimate_.time;
    live.SetExtreme(at_end_.distance_m, variance_m2_);
    ++live.hits;
    return;
  }
  live.SetExtreme(at_end_.distance_m, variance_m2_);
  Cross(live, true, {estimate_.time, at_}, inside, at_end_.distance_m, estimate_.time);
}

void Step::Judge(FenceIndex i, const FenceShapeView& shape, const Stretch& stretch, bool first,
                 bool final, LiveFence*& live) {
  const bool is_inside = live != nullptr && live->inside;
  const double confidence = engine_.table.Attributes(i).confidence;
  const auto side = [&](double inside) { return stretch.inside ? inside : 1 - inside; };
  double probability = 0;
  double depth_m = stretch.extreme.distance_m;
  double sigma2 = 0;
  if (!final || stretch.extreme_at_m < length_m_) {
    const PositionCovariance cov = CovarianceAt(stretch.extreme_at_m);
    const bool elsewhere = segment_ && !shape.is_circle();
    probability = side(shape.ProbabilityInside(
        elsewhere ? segment_->At(stretch.extreme_at_m) : *to_, stretch.extreme, cov));
    sigma2 = cov.Along(stretch.extreme.east, stretch.extreme.north);
  }
  if (final) {
    const double here = side(shape.ProbabilityInside(*to_, at_end_, covariance_));
    // The last word has the estimate itself, unless the way went deeper before.
    if (here >= probability) {
      probability = here;
      depth_m = at_end_.distance_m;
      sigma2 = covariance_.Along(at_end_.east, at_end_.north);
    }
  }
  if (stretch.inside == is_inside) {
    if (live == nullptr) return;
    live->Deepen(stretch.extreme.distance_m, variance_m2_);
    if (live->pending && final && probability >= confidence) {
      Cancel(*live, probability, at_end_.distance_m);
    }
    return;
  }
  const bool continued = first && live != nullptr && live->pending;
  const Moment crossing = continued ? Moment{live->pending_crossing, live->pending_position}
                                    : MomentAt(stretch.begin_m);
  const MonoTime evidence_from = live != nullptr && live->pending
                                     ? live->pending_from
                                     : (segment_ ? engine_.last->time : estimate_.time);
  const bool at_rest = estimate_.motion == Motion::kStationary;
  // The place at rest grows surer with time; the one it is compared with was as sure as it was.
  if (at_rest && live != nullptr) {
    sigma2 = std::max(sigma2, (sigma2 + live->extreme_variance_m2) / 2);
  }
  const double needed = (at_rest ? kReversalSigmasAtRest : kReversalSigmas) * std::sqrt(sigma2);
  const bool moved = live == nullptr || std::fabs(depth_m - live->extreme_m) >= needed;
  if (probability >= confidence && moved) {
    LiveFence& made = live != nullptr ? *live : engine_.MakeLive(i);
    live = &made;
    made.SetExtreme(depth_m, variance_m2_);
    Cross(made, stretch.inside, crossing, probability, at_end_.distance_m, evidence_from);
    return;
  }
  if (!final || std::fabs(at_end_.distance_m) < kTieM) return;
  if (live == nullptr) {
    live = &engine_.MakeLive(i);
    live->SetExtreme(is_inside ? -cap_m_ : cap_m_, 0);
  }
  if (!live->pending) {
    live->pending = true;
    live->pending_best = 0;
    live->pending_from = evidence_from;
  }
  if (!continued) {
    live->pending_crossing = crossing.time;
    live->pending_position = crossing.position;
  }
  live->pending_best = std::max(live->pending_best, probability);
}

void Step::Cross(LiveFence& live, bool inside, const Moment& crossing, double probability,
                 double distance_m, MonoTime evidence_from) {
  live.inside = inside;
  live.has_since = true;
  live.since = crossing.time;
  live.pending = live.cancel_told = live.dwell_done = false;
  if (inside) ++live.hits;
  const FenceTransition trigger = inside ? FenceTransition::kEnter : FenceTransition::kExit;
  live.was_open = engine_.OpenAt(live.fence, estimate_.time);
  if (!live.was_open && !live.announced) {
    Emit(live, trigger, FenceRejection::kClosed, crossing, probability, distance_m, evidence_from);
    return;
  }
  if (live.announced == inside) return;
  live.announced = inside;
  live.dwell_from = crossing.time;
  const FenceAttributes& attributes = engine_.table.Attributes(live.fence);
  const bool wanted = inside ? attributes.notify_enter : attributes.notify_exit;
  Emit(live, trigger, wanted ? FenceRejection::kNone : FenceRejection::kNotNotified, crossing,
       probability, distance_m, evidence_from);
}

void Step::Cancel(LiveFence& live, double probability, double distance_m) {
  live.pending = false;
  // A tail of noise over the line is no trigger; and one report a visit is enough.
  const double confidence = engine_.table.Attributes(live.fence).confidence;
  if (live.cancel_told || live.pending_best < (0.5 + confidence) / 2) return;
  live.cancel_told = true;
  Emit(live, live.inside ? FenceTransition::kExit : FenceTransition::kEnter,
       FenceRejection::kPendingCancelled, {live.pending_crossing, live.pending_position},
       1 - probability, distance_m, live.pending_from);
}

void Step::Emit(const LiveFence& live, FenceTransition trigger, FenceRejection rejection,
                const Moment& crossing, double probability, double distance_m,
                MonoTime evidence_from) {
  FenceEvent event;
  event.id = engine_.table.Id(live.fence);
  event.trigger = trigger;
  event.rejection = rejection;
  event.transition = rejection == FenceRejection::kNone ? trigger : FenceTransition::kRejected;
  event.time = estimate_.time;
  event.utc = estimate_.utc;
  event.crossing_time = crossing.time;
  if (estimate_.utc) {
    event.crossing_utc = *estimate_.utc - std::chrono::duration_cast<std::chrono::milliseconds>(
                                              estimate_.time - crossing.time);
  }
  event.crossing_position = crossing.position;
  event.position = at_;
  event.probability = probability;
  event.distance_m = distance_m;
  event.evidence_from = evidence_from;
  event.evidence_to = estimate_.time;
  event.extras = engine_.table.Attributes(live.fence).extras;
  out_.push_back(std::move(event));
}

}  // namespace waymark::geofence

namespace waymark {

void GeofenceEngine::Impl::UpdateSkip(LatLon at) {
  skip = {};
  // What is in doubt is decided by the covariance of every estimate, not by its place alone.
  for (const geofence::LiveFence& f : live) {
    if (f.pending || f.undecided) return;
  }
  skip = geofence::FreeRegion(at, surroundings.free_m - 2 * geofence::kTieM, surroundings.view.box);
}

void GeofenceEngine::Impl::Remember(const Estimate& estimate, LatLon at) {
  if (!last) last.emplace();
  last->time = estimate.time;
  last->utc = estimate.utc;
  last->position = at;
  last->covariance = {estimate.cov_ee_m2, estimate.cov_en_m2, estimate.cov_nn_m2};
}

void GeofenceEngine::Impl::StepTo(const Estimate& estimate, LatLon at,
                                  std::vector<FenceEvent>& out) {
  if (skip.Holds(at)) {
    Remember(estimate, at);
    return;
  }
  const bool changed = geofence::Step(*this, estimate, at, out).Run();
  UpdateSkip(at);
  for (const geofence::FenceIndex i : fresh) {
    if (i < flags.size()) flags[i] &= static_cast<std::uint8_t>(~kFresh);
  }
  fresh.clear();
  if (fresh.capacity() > 1000) fresh.shrink_to_fit();
  Remember(estimate, at);
  if (changed) RefreshDeadline();
}

// The rest is over, and was for some seconds: what was seen since is the way, and crossings stand
// on it at their times. They are decided now.
void GeofenceEngine::Impl::RetraceWayOff(const Estimate& now, std::vector<FenceEvent>& out) {
  const std::size_t begin = out.size();
  bool is_start = true;
  for (const geofence::RestAnchor::Seen& seen : rest.WayOff()) {
    Estimate then = now;
    then.time = seen.time;
    if (now.utc) {
      then.utc =
          *now.utc - std::chrono::duration_cast<std::chrono::milliseconds>(now.time - seen.time);
    }
    then.position = seen.position;
    then.cov_ee_m2 = seen.cov_ee_m2;
    then.cov_en_m2 = seen.cov_en_m2;
    then.cov_nn_m2 = seen.cov_nn_m2;
    if (is_start) {
      Remember(then, then.position);
      skip = {};
    } else {
      StepTo(then, then.position, out);
    }
    is_start = false;
  }
  for (std::size_t k = begin; k < out.size(); ++k) {
    out[k].time = now.time;
    out[k].utc = now.utc;
  }
}

void GeofenceEngine::Update(const Estimate& given, std::vector<FenceEvent>& out) {
  Impl& e = *impl_;
  if (!geofence::HasCovariance(given)) return;
  const auto usable = LatLon::FromDegrees(given.position.lat_deg, given.position.lon_deg);
  if (!usable) return;
  if (e.last && e.resumed && given.time < e.last->time) e.Rebase(given);
  if (e.last && given.time <= e.last->time) return;
  const Estimate& estimate = e.rest.Apply(given, e.anchored);
  e.resumed = false;
  const std::size_t begin = out.size();
  if (!e.rest.WayOff().empty()) e.RetraceWayOff(given, out);
  e.StepTo(estimate, &estimate == &given ? *usable : estimate.position, out);
  if (out.size() > begin + 1) {
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(),
                     [](const FenceEvent& a, const FenceEvent& b) {
                       if (a.crossing_time != b.crossing_time) {
                         return a.crossing_time < b.crossing_time;
                       }
                       return a.id < b.id;
                     });
  }
  if (e.next_deadline_of_live && *e.next_deadline_of_live <= estimate.time) {
    e.DoAdvance(estimate.time, out);
  }
}

}  // namespace waymark
