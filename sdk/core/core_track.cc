// The way of a fix through the core: verdict, estimate, motion, fences, settled track, records.
#include <algorithm>
#include <utility>

#include "sdk/core/core.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

// How much work a killed process may lose of what is not yet a record.
constexpr Duration kSnapshotInterval = std::chrono::seconds(60);

PointRecord PointOf(const Estimate& e) {
  PointRecord p;
  p.position = e.position;
  p.r68_m = e.r68_m;
  p.altitude_m = e.altitude_m;
  p.motion = e.motion;
  // At rest the speed is zero by decision; the filter's rest of a velocity, drawn over a long
  // interval, would bend the curve away from the stay.
  p.speed_mps = e.motion == Motion::kStationary ? 0 : e.speed_mps();
  if (e.motion != Motion::kStationary) p.course_deg = e.course_deg();
  return p;
}

template <class T>
void ShiftBack(T& time, Duration offset) {
  time -= offset;
}

}  // namespace

std::optional<Estimate> Core::Predict(MonoTime at) const {
  if (!tracking_) return std::nullopt;
  std::optional<Estimate> e = estimator_.Predict(Internal(at));
  if (!e) return e;
  e->motion = motion_.motion();
  ShiftBack(e->time, offset_);
  return e;
}

std::optional<FenceState> Core::GetFenceState(std::string_view id) const {
  std::optional<FenceState> state = fences_.State(id);
  if (state && state->since) state->since = Host(*state->since);
  return state;
}

void Core::On(const Fix& host_fix, std::vector<Action>& out) {
  if (!tracking_) return;
  Fix fix = host_fix;
  fix.time = Internal(fix.time);
  const Verdict verdict = estimator_.Update(fix, now_);
  FixReport report{host_fix, verdict, estimator_.Latest()};
  ++stats_.fixes;
  switch (verdict.disposition) {
    case Disposition::kAccepted:
      ++stats_.accepted;
      break;
    case Disposition::kAdjusted:
      ++stats_.adjusted;
      break;
    case Disposition::kProvisional:
      ++stats_.provisional;
      break;
    case Disposition::kRejected:
      ++stats_.rejected;
      break;
  }
  // The same report again changes nothing but its own counter (I5), and numbers that mean nothing
  // say nothing about the motion.
  const bool duplicate =
      verdict.disposition == Disposition::kRejected && verdict.reason == Reason::kDuplicate;
  const bool insane =
      verdict.disposition == Disposition::kRejected &&
      (verdict.reason == Reason::kNotFinite || verdict.reason == Reason::kOutOfRange);
  if (!verdict.used() && !duplicate) ++rejected_since_used_;

  const std::optional<Estimate> live = report.live;
  if (live && (duplicate || insane)) {
    report.live->motion = motion_.motion();
    ShiftBack(report.live->time, offset_);
  } else if (live) {
    if (verdict.used()) {
      if (fix.utc && live->utc) LearnUtc(*live, fix.source);
      CheckGap(live->time, live->utc, out);
      smoother_.Push(estimator_, settled_);
      if (!next_snapshot_) next_snapshot_ = now_.mono + kSnapshotInterval;
    }
    const Distance before = odometer_.total();
    motion_.Update(*live, fix, verdict, before, motion_events_);
    if (verdict.used()) {
      odometer_.Update(*live, motion_.motion(), &fix, motion_.way());
      if (last_raw_ && motion_.motion() == Motion::kStationary) {
        raw_stationary_m_ += DistanceM(*last_raw_, fix.position);
      }
      last_raw_ = fix.position;
    }
    report.live->motion = motion_.motion();
    ShiftBack(report.live->time, offset_);
  }
  out.push_back(std::move(report));

  TellMotion(out);
  if (live && verdict.used()) {
    Estimate at = *live;
    at.motion = motion_.motion();
    fences_.Update(at, fence_events_);
    TellFences(out);
  }
  RecordSettled();
  UpdateSampling(out);
}

// A silence that ends with this fix gets its cause.
void Core::CheckGap(MonoTime until, std::optional<UtcTime> until_utc, std::vector<Action>& out) {
  const std::optional<MonoTime> from = std::exchange(last_used_fix_, until);
  const std::optional<UtcTime> from_utc = std::exchange(last_used_utc_, until_utc);
  const GapCause known = std::exchange(silence_cause_, GapCause::kUnknown);
  const std::uint64_t rejected = std::exchange(rejected_since_used_, 0);
  if (!from || until <= *from) {
    if (from && until < *from) last_used_fix_ = from;
    return;
  }
  const Duration silence = until - *from;
  if (silence < config_.records.gap_after) return;
  GapCause cause = known;
  if (cause == GapCause::kUnknown) {
    const bool paused = sampling_ && (sampling_->mode == SamplingMode::kOff ||
                                      sampling_->mode == SamplingMode::kPassive ||
                                      sampling_->interval >= silence / 2);
    cause = rejected > 0 ? GapCause::kRejected
            : paused     ? GapCause::kSamplingPaused
                         : GapCause::kNoSignal;
  }
  SettleAll();
  simplifier_.Flush(knots_);
  RecordKnots();
  const Gap gap{*from, until, UtcOf(*from, from_utc), UtcOf(until, until_utc), cause};
  Append(until, until_utc, GapRecord{*gap.begin_utc, *gap.end_utc, cause});
  snapshot_due_ = true;
  Gap told = gap;
  ShiftBack(told.begin, offset_);
  ShiftBack(told.end, offset_);
  out.push_back(told);
}

void Core::TellMotion(std::vector<Action>& out) {
  for (MotionEvent& e : motion_events_) {
    using Kind = MotionEvent::Kind;
    snapshot_due_ = true;
    if (e.kind == Kind::kMotionChange) {
      // The anchor closes the curve on one side of the change and begins it on the other.
      if (e.change.motion == Motion::kStationary) {
        SettleAll();
        simplifier_.Flush(knots_);
        RecordKnots();
      }
      PointRecord anchor;
      anchor.position = e.change.position;
      anchor.motion = e.change.motion;
      anchor.speed_mps = 0;
      if (const auto now = estimator_.Latest()) anchor.r68_m = now->r68_m;
      Append(e.change.time, e.change.utc, anchor);
      Append(e.change.time, e.change.utc, MotionRecord{e.change.motion, e.change.position});
      ShiftBack(e.change.time, offset_);
      out.push_back(e.change);
    } else if (e.kind == Kind::kStayEnded) {
      AppendUntimed(StayRecord{e.stay.id, UtcOf(e.stay.begin, e.stay.begin_utc),
                               UtcOf(e.stay.end, e.stay.end_utc), e.stay.position, e.stay.r68_m,
                               e.stay.fixes});
      ShiftBack(e.stay.begin, offset_);
      ShiftBack(e.stay.end, offset_);
      out.push_back(e.stay);
    } else if (e.kind == Kind::kTripBegan || e.kind == Kind::kTripEnded) {
      if (e.kind == Kind::kTripEnded) {
        AppendUntimed(TripRecord{e.trip.id, UtcOf(e.trip.begin, e.trip.begin_utc),
                                 UtcOf(e.trip.end, e.trip.end_utc), e.trip.from, e.trip.to,
                                 e.trip.distance_m, e.trip.distance_bound_m});
      }
      ShiftBack(e.trip.begin, offset_);
      ShiftBack(e.trip.end, offset_);
      if (e.kind == Kind::kTripEnded) {
        out.push_back(e.trip);
      } else {
        out.push_back(act::TripStart{e.trip});
      }
    }
  }
  motion_events_.clear();
}

void Core::TellFences(std::vector<Action>& out) {
  for (FenceEvent& e : fence_events_) {
    snapshot_due_ = true;
    if (e.transition != FenceTransition::kRejected) {
      // The track up to here is stored first, so that the event does not push its times on.
      CloseTrack();
      Append(e.time, e.utc,
             FenceRecord{e.id, e.transition, e.position, UtcOf(e.crossing_time, e.crossing_utc),
                         e.probability, e.distance_m, e.extras});
    }
    for (MonoTime* t : {&e.time, &e.crossing_time, &e.evidence_from, &e.evidence_to}) {
      ShiftBack(*t, offset_);
    }
    out.push_back(std::move(e));
  }
  fence_events_.clear();
}

// All that is known of the track becomes records, up to a knot at its newest estimate.
void Core::CloseTrack() {
  SettleAll();
  simplifier_.Close(knots_);
  RecordKnots();
}

void Core::SettleAll() {
  smoother_.Flush(settled_);
  RecordSettled();
}

void Core::RecordSettled() {
  for (Estimate& e : settled_) {
    e.motion = motion_.motion();
    // At rest the stop anchor says it all; what settles while still before the change does not.
    if (e.motion == Motion::kStationary && motion_.since() && e.time > *motion_.since()) continue;
    simplifier_.Push(e, knots_);
  }
  settled_.clear();
  RecordKnots();
}

void Core::RecordKnots() {
  for (const Estimate& k : knots_) Append(k.time, k.utc, PointOf(k));
  knots_.clear();
}

}  // namespace waymark
