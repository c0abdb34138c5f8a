#include "sdk/core/core.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "filters/state_bytes.h"

namespace waymark {
namespace {

using std::chrono::seconds;

// A device is laid up for a winter, or some; a clock that says more is the one that is wrong.
constexpr Duration kLongestBootGap = std::chrono::hours(24 * 365 * 5);
// What passes while nobody knows how long the device was off: so long that nothing from before says
// where it is now (FilterTuning::gap_restart_s, the speeds that FixValidator believes).
constexpr Duration kUnknownBootGap = std::chrono::minutes(10);

constexpr std::size_t kMaxMessageBytes = 64 * 1024;

// Within what a snapshot can hold.
MonoTime SaneMono(MonoTime t) {
  constexpr MonoTime kLatest{Duration(kMaxTimeNs)};
  return std::clamp(t, MonoTime(-kLatest.time_since_epoch()), kLatest);
}

SimplifierOptions SimplifierFor(const Config& c) {
  SimplifierOptions o;
  o.max_error_m = c.records.max_error_m;
  o.max_interval = c.records.max_interval;
  if (c.records.max_distance_m > 0) o.max_distance_m = c.records.max_distance_m;
  if (c.records.max_turn_deg > 0) o.max_turn_deg = c.records.max_turn_deg;
  o.min_distance_m = c.records.min_distance_m;
  o.max_gap = c.records.gap_after;
  return o;
}

sync::UploadOptions UploadFor(const Config& c) {
  sync::UploadOptions o;
  o.url = c.upload.url;
  o.installation = c.installation;
  o.authorization = c.upload.authorization;
  o.max_batch_records = c.upload.max_batch_records;
  o.max_batch_bytes = c.upload.max_batch_bytes;
  o.max_latency = c.upload.max_latency;
  o.backoff_initial = c.upload.backoff_initial;
  o.backoff_max = c.upload.backoff_max;
  o.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(c.upload.timeout);
  o.allow_metered = c.upload.allow_metered;
  o.allow_roaming = c.upload.allow_roaming;
  return o;
}

}  // namespace

std::vector<std::byte> EncodeTail(UtcTime last_utc) {
  const auto ms = static_cast<std::uint64_t>(last_utc.time_since_epoch().count());
  std::vector<std::byte> out(8);
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(ms >> (8 * i));
  return out;
}

std::optional<UtcTime> DecodeTail(std::span<const std::byte> bytes) {
  if (bytes.size() != 8) return std::nullopt;
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < 8; ++i) ms |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  return UtcTime(std::chrono::milliseconds(static_cast<std::int64_t>(ms)));
}

MonoTime Core::Internal(MonoTime host) const {
  std::int64_t ns = 0;
  const std::int64_t host_ns = host.time_since_epoch().count();
  if (__builtin_add_overflow(host_ns, offset_.count(), &ns)) {
    return host_ns < 0 ? MonoTime::min() : MonoTime::max();
  }
  return MonoTime(Duration(ns));
}

Core::Core(const Config& config, std::uint64_t seed, Estimator estimator)
    : config_(config),
      estimator_(std::move(estimator)),
      smoother_(config.records.settle),
      recorder_(SimplifierFor(config)),
      uploader_(UploadFor(config), seed) {}

Result<Core> Core::Create(const Config& config, std::uint64_t seed, const SavedState& saved) {
  if (const auto violations = config.Validate(); !violations.empty()) {
    std::string text = "config:";
    for (const auto& v : violations) text += " " + v.field + ": " + v.reason + ";";
    text.pop_back();
    return Status(Code::kInvalidArgument, text);
  }
  Result<Estimator> estimator = Estimator::Create(config.estimator);
  if (!estimator.ok()) return estimator.status();
  Core core(config, seed, estimator.value());
  Status status;
  if (!saved.fences.empty()) status = core.fences_.RestoreFences(saved.fences);
  if (!saved.core.empty()) {
    if (Status s = core.Restore(saved.core); !s.ok()) {
      core = Core(config, seed, estimator.value());
      if (!saved.fences.empty()) core.fences_.RestoreFences(saved.fences).Ignore();
      status = s;
    }
  }
  core.restore_status_ = status;
  return core;
}

void Core::Handle(const Event& event, const Stamp& now, std::vector<Action>& out) {
  host_mono_ = SaneMono(now.mono);
  now_ = {SaneMono(Internal(host_mono_)), SaneUtc(now.utc)};
  // A clock port that runs backwards must not run time backwards inside.
  now_.mono = std::max(now_.mono, last_mono_);
  last_mono_ = now_.mono;
  std::visit([&](const auto& e) { On(e, out); }, event);
  AdvanceTime(out);
  CommitIfDue(out);
  EnforceIfDue(out);
  PumpUpload(out);
  FinishFlush(out);
}

void Core::On(const ev::StoreOpened& e, std::vector<Action>& out) {
  opened_ = true;
  BeginBoot(e.boot_id);
  commit_in_flight_ = false;
  enforce_in_flight_ = false;
  if (!restore_status_.ok()) {
    Say(restore_status_.code(), restore_status_.message(), out);
    restore_status_ = Status();
  }
  // The snapshot may be older than the newest commit: what the store holds is right.
  std::erase_if(unsaved_, [&](const Record& r) { return r.seq <= e.contents.last_seq; });
  if (held_.size() > unsaved_.size()) {  // the first of them got their time and were stored
    held_.erase(held_.begin(), held_.end() - static_cast<std::ptrdiff_t>(unsaved_.size()));
  }
  if (held_.empty()) hold_until_.reset();
  committing_ = 0;
  next_seq_ = std::max(next_seq_, e.contents.last_seq + 1);
  for (std::size_t i = 0; i < unsaved_.size(); ++i)
    unsaved_[i].seq = next_seq_ - unsaved_.size() + i;
  if (e.last_utc && *e.last_utc == SaneUtc(*e.last_utc)) {
    last_record_utc_ = e.last_utc;
  }
  stored_records_ = e.contents.records;
  stored_bytes_ = e.contents.bytes;
  uploader_.OnRestart(now_);
  uploader_.OnPending(stored_records_, stored_bytes_, now_);
  flushing_ = false;
  sampling_.reset();
  if (tracking_) {
    // The process died while tracking: what it had not yet turned into records is stored now, but
    // for what a later commit of the dead process had stored already.
    silence_cause_ = GapCause::kProcessNotRunning;
    SettleAll();
    recorder_.Flush();
    odometer_.Break();
    recorder_.Follow(odometer_);
    const std::optional<UtcTime> newest = NewestRecordUtc();
    recorder_.Forget([&](const TrackRecorder::Entry& entry) {
      return newest && UtcOf(entry.at, entry.utc) <= *newest;
    });
    RecordTrack();
  }
  snapshot_due_ = true;
}

// The first event of a process: is this the boot that the state was saved in?
void Core::BeginBoot(std::uint64_t boot_id) {
  DateLastFix();  // by the clock of its own boot
  const bool fresh = last_mono_ == MonoTime{};
  // Where the host cannot tell boots apart, time that runs backwards does.
  const bool same = boot_id == boot_id_ && Internal(host_mono_) >= last_mono_;
  boot_id_ = boot_id;
  if (fresh || same) {
    last_mono_ = now_.mono;
    return;
  }
  // Monotonic time began anew: internal time goes on from where it was. How long the device was off
  // is known only if UTC was and is believable.
  Duration off = std::max(kUnknownBootGap, config_.records.gap_after);
  const std::optional<UtcTime> last_utc =
      utc_offset_ ? std::optional(UtcOf(last_mono_)) : last_record_utc_;
  if (last_utc) {
    const auto by_utc = now_.utc - *last_utc;
    if (by_utc >= Duration::zero() && by_utc < kLongestBootGap) {
      off = std::max<Duration>(by_utc, seconds(1));
    }
  }
  const MonoTime resumed = SaneMono(last_mono_ + off);
  offset_ = resumed - host_mono_;
  now_.mono = resumed;
  last_mono_ = resumed;
  // What was held keeps the time that was guessed in its boot.
  if (!held_.empty()) last_record_utc_ = unsaved_.back().utc;
  held_.clear();
  hold_until_.reset();
  guess_accepted_ = false;
  utc_offset_.reset();
  utc_confirmed_ = false;
  utc_rival_.reset();
}

void Core::On(const ev::Start&, std::vector<Action>& out) {
  if (!tracking_) {
    ++session_;
    tracking_ = true;
    if (last_used_fix_ && silence_cause_ == GapCause::kUnknown) silence_cause_ = GapCause::kStopped;
  }
  UpdateSampling(out);
}

void Core::On(const ev::Stop&, std::vector<Action>& out) {
  if (!tracking_) return;
  SettleAll();
  recorder_.Flush();
  motion_.Finish(odometer_.total(), motion_events_);
  odometer_.Finish();
  recorder_.Follow(odometer_);
  recorder_.Stop();
  RecordTrack();
  TellMotion(out);
  tracking_ = false;
  silence_cause_ = GapCause::kStopped;
  DateLastFix();
  snapshot_due_ = true;
  UpdateSampling(out);
}

void Core::On(const ev::AlarmFired&, std::vector<Action>&) {}

void Core::On(const ev::Flush&, std::vector<Action>& out) {
  CloseTrack();
  AcceptGuess();
  snapshot_due_ = true;
  flushing_ = true;
  retry_commit_.reset();
  CommitIfDue(out);
  out.push_back(act::Sync{});
  uploader_.Flush(now_);
}

void Core::On(const MotionSample& e, std::vector<Action>& out) {
  MotionSample sample = e;
  sample.time = std::min(SaneMono(Internal(e.time)), now_.mono);
  if (!(sample.confidence >= 0 && sample.confidence <= 1)) return;
  estimator_.Observe(sample);
  motion_.Observe(sample);
  TellMotion(out);
  UpdateSampling(out);
}

void Core::On(const Battery& e, std::vector<Action>& out) {
  battery_ = e;
  if (battery_.level && !(*battery_.level >= 0 && *battery_.level <= 1)) battery_.level.reset();
  UpdateSampling(out);
}

void Core::On(const Link& e, std::vector<Action>&) { uploader_.OnLink(e, now_); }

void Core::On(const HostState& e, std::vector<Action>& out) {
  if (host_.location_permitted && !e.location_permitted) silence_cause_ = GapCause::kPermission;
  host_ = e;
  UpdateSampling(out);
}

void Core::On(const ev::AddFences& e, std::vector<Action>& out) {
  std::vector<FenceProblem> problems;
  fences_.Add(e.fences, problems);
  for (FenceProblem& p : problems) out.push_back(std::move(p));
  fences_changed_ = true;
  snapshot_due_ = true;
  UpdateSampling(out);
}

void Core::On(const ev::RemoveFences& e, std::vector<Action>& out) {
  fences_.Remove(e.ids);
  fences_changed_ = true;
  snapshot_due_ = true;
  UpdateSampling(out);
}

void Core::On(const ev::ClearFences&, std::vector<Action>& out) {
  fences_.Clear();
  fences_changed_ = true;
  snapshot_due_ = true;
  UpdateSampling(out);
}

void Core::On(const ev::Enqueue& e, std::vector<Action>& out) {
  if (e.body.size() > kMaxMessageBytes || e.topic.size() > 256) {
    Say(Code::kInvalidArgument,
        "message of " + std::to_string(e.body.size()) + " bytes under a topic of " +
            std::to_string(e.topic.size()) + " bytes was not queued: the limits are 65536 and 256",
        out);
    return;
  }
  // The track up to here is stored first, so that the message does not push its times on. Fixes
  // that the hardware may still deliver in a batch come before the message, too.
  recorder_.Release();
  CloseTrack();
  const Duration batched = sampling_ ? sampling_->max_batch_delay : Duration{};
  Append(now_.mono - batched, std::nullopt, MessageRecord{e.topic, e.body});
}

// Work that falls due by time alone.
void Core::AdvanceTime(std::vector<Action>& out) {
  if (hold_until_ && *hold_until_ <= now_.mono) AcceptGuess();
  if (tracking_) {
    smoother_.Advance(now_.mono, settled_);
    RecordSettled();
    RecordTrack();
    motion_.Advance(now_.mono, odometer_.total(), motion_events_);
    TellMotion(out);
    if (next_snapshot_ && *next_snapshot_ <= now_.mono) {
      snapshot_due_ = true;
      next_snapshot_.reset();  // armed again by the next used fix: at rest nobody is woken for it
    }
  }
  fences_.Advance({now_.mono, UtcOf(now_.mono)}, utc_confirmed_, fence_events_);
  TellFences(out);
}

void Core::UpdateSampling(std::vector<Action>& out) {
  SamplingInputs in;
  in.tracking = tracking_;
  in.motion = motion_.motion();
  in.battery = battery_;
  in.host = host_;
  SamplingDecision d = ChooseSampling(config_.sampling, in);
  // The way to the nearest fence can only bring a fix forward; it is not measured where nothing is
  // left to bring forward.
  if (fences_.size() > 0 && d.request.mode == SamplingMode::kHighAccuracy &&
      d.request.interval > seconds(1)) {
    in.fence_time_s = fences_.NextCheckDistanceM() / config_.sampling.max_speed_mps;
    d = ChooseSampling(config_.sampling, in);
  }
  if (sampling_ && *sampling_ == d.request) return;
  sampling_ = d.request;
  ++stats_.sampling_requests;
  out.push_back(act::Sampling{d.request, d.reason});
}

std::optional<MonoTime> Core::NextDeadline() const {
  std::optional<MonoTime> at;
  const auto consider = [&](const std::optional<MonoTime>& t) {
    if (t && (!at || *t < *at)) at = t;
  };
  if (tracking_) {
    // What the next fix settles needs no alarm; only the last estimates of a track that fell
    // silent.
    if (smoother_.NextDeadline() && last_used_fix_)
      consider(*last_used_fix_ + config_.records.settle);
    consider(motion_.NextDeadline());
    consider(next_snapshot_);
  }
  consider(fences_.NextDeadline());
  consider(hold_until_);
  consider(retry_commit_);
  if (MayUpload()) consider(uploader_.NextDeadline());
  // What is overdue is due now, never in the past: a host may arm its alarm as it stands.
  if (at) at = Host(std::max(*at, last_mono_));
  return at;
}

Stats Core::GetStats() const {
  Stats s = stats_;
  s.pending = stored_records_ + unsaved_.size();
  const Distance d = odometer_.total();
  s.odometer_m = d.distance_m;
  s.odometer_bound_m = d.bound_m;
  s.stationary_m = raw_stationary_m_;
  s.motion = motion_.motion();
  s.geofences = fences_.size();
  return s;
}

}  // namespace waymark
