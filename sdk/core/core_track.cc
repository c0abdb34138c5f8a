// The way of a fix through the core: verdict, estimate, motion, fences, settled track, records.
#include <algorithm>
#include <utility>

#include "sdk/core/core.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

// How much work a killed process may lose of what is not yet a record.
constexpr Duration kSnapshotInterval = std::chrono::seconds(60);

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
    const Fix heard = estimator_.Heard(fix);
    const Distance before = odometer_.total();
    motion_.Update(*live, heard, verdict, before, motion_events_);
    if (verdict.used()) {
      odometer_.Update(*live, motion_.motion(), &heard, motion_.way());
      recorder_.Follow(odometer_);
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
  RecordTrack();
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
  const UtcTime end_utc = UtcOf(until, until_utc);
  // What was dated when its process or tracking ended is not held against this boot's clock.
  const bool dated = known == GapCause::kProcessNotRunning || known == GapCause::kStopped;
  const UtcTime begin_utc =
      dated && from_utc ? std::min(*from_utc, end_utc) : UtcOf(*from, from_utc);
  const Gap gap{*from, until, begin_utc, end_utc, cause};
  recorder_.Break(until, until_utc, {*gap.begin_utc, *gap.end_utc, cause});
  RecordTrack();
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
      if (e.change.motion == Motion::kStationary) {
        // What settles of the time since is the rest's, which its anchor tells.
        smoother_.Flush(settled_);
        std::erase_if(settled_, [&](const Estimate& s) { return s.time > e.change.time; });
        RecordSettled();
      }
      const std::optional<Estimate> now = estimator_.Latest();
      recorder_.Change(e.change, now ? now->r68_m : 0, odometer_);
      RecordTrack();
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
      recorder_.Release();
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
  recorder_.Close();
  RecordTrack();
}

void Core::SettleAll() {
  smoother_.Flush(settled_);
  RecordSettled();
}

void Core::RecordSettled() {
  for (const Estimate& e : settled_) recorder_.Push(e);
  settled_.clear();
}

void Core::RecordTrack() {
  std::vector<TrackRecorder::Entry>& ready = recorder_.ready();
  for (TrackRecorder::Entry& e : ready) Append(e.at, e.utc, std::move(e.body));
  ready.clear();
}

}  // namespace waymark
