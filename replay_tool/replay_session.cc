#include "replay_tool/replay_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

#include "replay_tool/exit_status.h"
#include "replay_tool/in_flight_transport.h"
#include "replay_tool/plural.h"
#include "replay_tool/summary.h"
#include "replay_tool/virtual_clock.h"
#include "waymark/outbox.h"

namespace waymark::replay {
namespace {

using std::chrono::milliseconds;

// How long the clock is held for the network before a look at the time limit.
constexpr milliseconds kPatience{50};
// Real time between attempts to deliver what is left: twice as long after each failure.
constexpr milliseconds kFirstPause{200};
constexpr milliseconds kLongestPause{2000};

// Each trace is a device of its own, and the same one when it is replayed again: a collector takes
// the records of two traces for different ones, and those of one trace once. (FNV-1a.)
std::uint64_t SeedOf(std::uint64_t seed, const Fix& first) {
  std::uint64_t hash = 0xCBF29CE484222325u ^ seed;
  const auto mix = [&hash](std::uint64_t bits) {
    for (int i = 0; i < 8; ++i, bits >>= 8) hash = (hash ^ (bits & 0xFF)) * 0x100000001B3u;
  };
  mix(first.utc ? static_cast<std::uint64_t>(first.utc->time_since_epoch().count()) : 0);
  mix(std::bit_cast<std::uint64_t>(first.position.lat_deg));
  mix(std::bit_cast<std::uint64_t>(first.position.lon_deg));
  return hash;
}

}  // namespace

ReplaySession::ReplaySession(const ReplayOptions& options, ReplayOutputs& outputs,
                             ReplayWatcher* watcher)
    : options_(options), outputs_(outputs), watcher_(watcher) {
  if (options.transport != nullptr) transport_.emplace(*options.transport);
  wait_left_ = options.drain_timeout;
  tally_.uploading = transport_.has_value();
}

Status ReplaySession::Begin(const DeliveredFix& first, const TraceTimeline& timeline) {
  const Stamp start = first.arrival;
  timeline_ = &timeline;
  clock_.emplace(start, BootId(start.utc));
  TrackerPorts ports;
  ports.clock = &*clock_;
  ports.executor = &*clock_;
  ports.transport = transport_ ? &*transport_ : nullptr;
  ports.listener = this;
  ports.seed = SeedOf(options_.seed, first.fix);
  if (options_.journal != nullptr) {
    ports.journal = [this](std::span<const std::byte> bytes) {
      options_.journal->Append({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    };
  }
  Result<std::unique_ptr<Tracker>> tracker = Tracker::Create(options_.config, ports);
  if (!tracker.ok()) return tracker.status();
  tracker_ = std::move(tracker).value();
  real_start_ = RealClock::now();
  virtual_start_ = start.mono;
  if (!options_.fences.empty()) tracker_->AddGeofences(options_.fences);
  tracker_->Start();
  clock_->RunReady();
  return Status();
}

void ReplaySession::Push(const DeliveredFix& placed, std::uint64_t line) {
  tally_.OnRead(placed);
  AdvanceTo(placed.arrival);
  lines_.push_back(line);
  tracker_->PushFix(placed.fix);
  clock_->RunReady();
}

void ReplaySession::AdvanceTo(const Stamp& to) {
  // A timer that is due again and again at one instant would hold the replay for ever.
  constexpr int kMaxTimersAtOneInstant = 10'000;
  MonoTime before = clock_->Now();
  int at_one_instant = 0;
  do {
    at_one_instant = clock_->Now() == before ? at_one_instant + 1 : 0;
    before = clock_->Now();
    if (at_one_instant > kMaxTimersAtOneInstant) {
      clock_->DropTimers();
      OnProblem(Status(Code::kInternal,
                       "the tracker's timer does not get past " + UtcText(clock_->UtcNow())));
    }
    if (options_.realtime) {
      WaitUntilReal(std::min(to.mono, clock_->NextTimer().value_or(to.mono)));
    } else {
      HoldForNetwork(std::nullopt);
    }
  } while (!clock_->StepToward(to));
}

void ReplaySession::End(bool drain) {
  if (!begun()) return;
  tracker_->Stop();
  clock_->RunReady();
  tally_.Finish(clock_->Now());
  if (drain && transport_) {
    Drain();
  } else {
    RequestFlush();  // stores what is pending and makes it durable
  }
  tally_.wakeups = clock_->timers_run();
  tally_.stats = tracker_->GetStats();
  // On its executor, where it ends without waiting for another thread to run its tasks.
  clock_->Post([this] { tracker_.reset(); });
  clock_->RunReady();
}

void ReplaySession::OnFix(const FixReport& report) {
  std::uint64_t line = 0;
  if (!lines_.empty()) {
    line = lines_.front();
    lines_.pop_front();
  }
  tally_.OnFix(report);
  outputs_.OnFix(report, line, *timeline_);
  if (watcher_ != nullptr) watcher_->OnFix(report);
}

void ReplaySession::OnMotion(const MotionChange& change) {
  tally_.OnMotion(change);
  if (watcher_ != nullptr) watcher_->OnMotion(change);
  if (change.motion == Motion::kUnknown) return;
  EventRow row;
  row.utc = change.utc.value_or(timeline_->ToUtc(change.time));
  row.type = change.motion == Motion::kMoving ? "motion_start" : "motion_stop";
  row.position = change.position;
  Event(row);
}

void ReplaySession::OnStay(const Stay& stay) {
  tally_.OnStay(stay);
  EventRow row;
  row.utc = stay.begin_utc.value_or(timeline_->ToUtc(stay.begin));
  row.type = "stay";
  row.id = std::to_string(stay.id);
  row.detail = fmt::format("duration_s={:.0f} fixes={} r68_m={:.1f}",
                           Seconds(stay.end - stay.begin), stay.fixes, stay.r68_m);
  row.position = stay.position;
  Event(row);
}

void ReplaySession::OnTripStart(const Trip& trip) {
  EventRow row;
  row.utc = trip.begin_utc.value_or(timeline_->ToUtc(trip.begin));
  row.type = "trip_start";
  row.id = std::to_string(trip.id);
  row.position = trip.from;
  Event(row);
}

void ReplaySession::OnTrip(const Trip& trip) {
  ++tally_.trips;
  EventRow row;
  row.utc = trip.end_utc.value_or(timeline_->ToUtc(trip.end));
  row.type = "trip_end";
  row.id = std::to_string(trip.id);
  row.detail =
      fmt::format("distance_m={:.1f} bound_m={:.1f}", trip.distance_m, trip.distance_bound_m);
  row.position = trip.to;
  Event(row);
}

void ReplaySession::OnGap(const Gap& gap) {
  tally_.OnGap(gap);
  EventRow row;
  row.utc = gap.begin_utc.value_or(timeline_->ToUtc(gap.begin));
  row.type = "gap";
  row.detail = fmt::format("cause={} duration_s={:.0f}", GapCauseName(gap.cause),
                           Seconds(gap.end - gap.begin));
  Event(row);
}

void ReplaySession::OnFence(const FenceEvent& event) {
  tally_.OnFence(event);
  if (watcher_ != nullptr) watcher_->OnFence(event);
  Event(MakeEventRow(event));
}

void ReplaySession::OnFenceProblem(const FenceProblem& problem) {
  ++tally_.fence_problems;
  Warn(fmt::format("geofence {} ('{}') refused: {}", problem.index, problem.id, problem.reason));
}

void ReplaySession::OnRecord(const Record& record) {
  tally_.OnRecord(record);
  outputs_.OnRecord(record);
  if (watcher_ != nullptr) watcher_->OnRecord(record);
}

void ReplaySession::OnSampling(const SamplingRequest& request, std::string_view) {
  tally_.OnSampling(request, clock_->Now());
  outputs_.OnSampling(request);
}

void ReplaySession::OnUpload(const UploadReport& report) {
  tally_.OnUpload(report);
  last_upload_failed_ = !report.acknowledged;
}

void ReplaySession::OnProblem(const Status& problem) {
  const std::uint64_t dropped = tracker_ != nullptr ? tracker_->GetStats().records_dropped : 0;
  if (dropped > tally_.dropped_before_problem) {
    // That old records had to make room is the trace's doing, and that a record is refused the
    // server's: not the environment's.
    tally_.dropped_before_problem = dropped;
    tally_.drop_reason = problem.message();
  } else if (last_upload_failed_ && IsRefusal(problem.code())) {
    tally_.upload_refusal = problem.message();
  } else if (problem.code() != Code::kUnavailable && !tally_.environment_failure) {
    // What the network refuses is tried again; what is left in the end is told by Drain().
    tally_.environment_failure = problem.message();
  }
  EventRow row;
  row.utc = clock_->UtcNow();
  row.type = "problem";
  row.id = CodeName(problem.code());
  row.detail = problem.message();
  Event(row);
}

// The codes of what an uploader says about a server's answer.
bool ReplaySession::IsRefusal(Code code) {
  return code == Code::kPermissionDenied || code == Code::kUnsupported ||
         code == Code::kFailedPrecondition;
}

// Each replay is a boot of its own: named by the UTC at which it begins and, on a database, by
// how far that has come, so that the same trace again is another boot. The same run has the same
// name.
std::uint64_t ReplaySession::BootId(UtcTime begin) const {
  auto id = static_cast<std::uint64_t>(begin.time_since_epoch().count()) * 2 + 1;
  if (options_.config.database_path.empty()) return id;
  SqliteOutboxOptions open;
  open.path = options_.config.database_path;
  open.read_only = true;
  open.quarantine_corrupt = false;
  const Result<OpenedOutbox> opened = OpenSqliteOutbox(open);
  if (!opened.ok()) return id;
  const Result<OutboxContents> contents = opened.value().outbox->Contents();
  if (contents.ok()) id += contents.value().last_seq << 1;
  return id;
}

void ReplaySession::Event(const EventRow& row) {
  outputs_.OnEvent(row);
  if (watcher_ != nullptr) watcher_->OnEvent(row);
}

// A request that is under way takes no time of the trace, whatever the network does: results do
// not depend on the speed of this machine. Without `until`, a server that asks to wait is waited
// for as long as the drain may take, over the whole trace.
void ReplaySession::HoldForNetwork(std::optional<RealClock::time_point> until) {
  while (transport_ && transport_->in_flight() > 0) {
    const RealClock::time_point now = RealClock::now();
    if (until && now >= *until) return;
    transport_->SendDue();
    const bool waiting = transport_->waiting();
    clock_->WaitForTask(kPatience);
    clock_->RunReady();
    if (until || !waiting) continue;
    wait_left_ -= RealClock::now() - now;
    if (wait_left_.count() <= 0) transport_->FailWaiting();
  }
}

void ReplaySession::WaitUntilReal(MonoTime target) {
  const auto until =
      real_start_ + std::chrono::duration_cast<RealClock::duration>(target - virtual_start_);
  while (RealClock::now() < until) {
    if (transport_) transport_->SendDue();
    const auto left = std::chrono::ceil<milliseconds>(until - RealClock::now());
    if (clock_->WaitForTask(std::min(left, kPatience))) clock_->RunReady();
  }
}

std::shared_ptr<ReplaySession::FlushState> ReplaySession::RequestFlush() {
  auto state = std::make_shared<FlushState>();
  tracker_->Flush([state](Status status) {
    state->done = true;
    state->status = std::move(status);
  });
  clock_->RunReady();
  return state;
}

// Lets the tracker's own backoff pass, at once, until it sends again.
void ReplaySession::StepToNextAttempt() {
  const MonoTime now = clock_->Now();
  const Duration span = options_.config.upload.backoff_max;
  const Stamp horizon{now + span, clock_->UtcNow() + std::chrono::floor<milliseconds>(span)};
  while (transport_->in_flight() == 0 && !clock_->StepToward(horizon)) {
  }
}

// Delivers what is left. Retries follow the tracker's own timers, which pass at once here; each
// failed attempt costs some real time, so that a server that comes back finds us trying.
void ReplaySession::Drain() {
  const auto until = RealClock::now() + options_.drain_timeout;
  milliseconds pause = kFirstPause;
  std::shared_ptr<FlushState> flush = RequestFlush();
  while (RealClock::now() < until) {
    HoldForNetwork(until);
    clock_->RunReady();
    if (flush->done && (flush->status.ok() || tracker_->GetStats().pending == 0)) return;
    if (clock_->WaitForTask(pause)) continue;
    StepToNextAttempt();
    if (!flush->done) continue;
    pause = std::min(2 * pause, kLongestPause);
    flush = RequestFlush();
  }
  const std::string failure = transport_->last_failure();
  tally_.drain_failure = transport_->waiting()
                             ? "the server asked to wait longer than --drain-timeout"
                         : tally_.upload_refusal ? *tally_.upload_refusal
                         : failure.empty()       ? "no answer within --drain-timeout"
                                                 : failure;
}

}  // namespace waymark::replay
