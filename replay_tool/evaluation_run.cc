#include "replay_tool/evaluation_run.h"

#include <memory>
#include <optional>
#include <utility>

#include "replay_tool/virtual_clock.h"
#include "waymark/tracker.h"

namespace waymark::replay {
namespace {

class Recorder final : public Listener {
 public:
  Recorder(ReplayOutputs& outputs, ReplayWatcher* watcher) : outputs_(outputs), watcher_(watcher) {}

  Status Run(FixPipe& pipe, const EvaluationRunOptions& options) {
    std::optional<FixChunk> chunk = pipe.Pop();
    if (!chunk) return Status(Code::kInvalidArgument, "the trace has no fix");
    timeline_ = chunk->timeline;
    VirtualClock clock(chunk->fixes.front().arrival);
    clock_ = &clock;
    TrackerPorts ports;
    ports.clock = &clock;
    ports.executor = &clock;
    ports.listener = this;
    ports.seed = options.seed;
    Result<std::unique_ptr<Tracker>> created = Tracker::Create(options.config, ports);
    if (!created.ok()) return created.status();
    std::unique_ptr<Tracker> tracker = std::move(created).value();
    tracker_ = tracker.get();
    if (!options.fences.empty()) tracker->AddGeofences(options.fences);
    tracker->Start();
    clock.RunReady();
    for (; chunk; chunk = pipe.Pop()) {
      for (std::size_t i = 0; i < chunk->fixes.size(); ++i) {
        const DeliveredFix& delivered = chunk->fixes[i];
        run_.tally.OnRead(delivered.fix);
        while (!clock.StepToward(delivered.arrival)) clock.RunReady();
        line_ = chunk->lines[i];
        tracker->PushFix(delivered.fix);
        clock.RunReady();
      }
    }
    tracker->Stop();
    clock.RunReady();
    run_.tally.Finish(clock.Now());
    run_.tally.wakeups = clock.timers_run();
    run_.tally.stats = tracker->GetStats();
    MatchStops();
    // On its executor, where it ends without waiting for another thread.
    clock.Post([&tracker] { tracker.reset(); });
    clock.RunReady();
    tracker_ = nullptr;
    clock_ = nullptr;
    return {};
  }

  EvaluationRun Take() { return std::move(run_); }

  void OnFix(const FixReport& report) override {
    run_.tally.OnFix(report);
    outputs_.OnFix(report, line_, timeline_);
    if (watcher_ != nullptr) watcher_->OnFix(report);
    if (report.live) {
      run_.live.push_back(ToTrackPoint(*report.live, UtcMs(report.live->time)));
    }
    run_.odometer.push_back({UtcMs(clock_->Now()), tracker_->GetStats().odometer_m});
  }
  void OnMotion(const MotionChange& change) override {
    run_.tally.OnMotion(change);
    changes_.push_back({change.motion, change.time, clock_->Now()});
    if (change.motion == Motion::kUnknown) return;
    EventRow row;
    row.utc = change.utc.value_or(timeline_.ToUtc(change.time));
    row.type = change.motion == Motion::kMoving ? "motion_start" : "motion_stop";
    row.position = change.position;
    Tell(row);
  }
  void OnStay(const Stay& stay) override { run_.tally.OnStay(stay); }
  void OnTrip(const Trip&) override { ++run_.tally.trips; }
  void OnGap(const Gap& gap) override { run_.tally.OnGap(gap); }
  void OnFence(const FenceEvent& event) override {
    run_.tally.OnFence(event);
    run_.fence_events.push_back(event);
    Tell(MakeEventRow(event));
  }
  void OnFenceProblem(const FenceProblem&) override { ++run_.tally.fence_problems; }
  void OnRecord(const Record& record) override {
    run_.tally.OnRecord(record);
    outputs_.OnRecord(record);
    if (watcher_ != nullptr) watcher_->OnRecord(record);
    if (const auto* point = std::get_if<PointRecord>(&record.body)) {
      TrackPoint p;
      p.utc_ms = record.utc.time_since_epoch().count();
      p.position = point->position;
      p.r68_m = point->r68_m;
      p.speed_mps = point->speed_mps;
      p.course_deg = point->course_deg;
      run_.records.push_back(p);
    } else if (const auto* gap = std::get_if<GapRecord>(&record.body)) {
      run_.gaps.push_back(
          {gap->begin_utc.time_since_epoch().count(), gap->end_utc.time_since_epoch().count()});
    }
  }
  void OnSampling(const SamplingRequest& request, std::string_view) override {
    run_.tally.OnSampling(request, clock_->Now());
  }
  void OnProblem(const Status& problem) override {
    if (!run_.tally.environment_failure) run_.tally.environment_failure = problem.message();
  }

 private:
  struct Change {
    Motion motion;
    MonoTime at, decided;
  };

  void Tell(const EventRow& row) {
    outputs_.OnEvent(row);
    if (watcher_ != nullptr) watcher_->OnEvent(row);
  }

  std::int64_t UtcMs(MonoTime time) const {
    return timeline_.ToUtc(time).time_since_epoch().count();
  }

  // Each stay with the moments at which the tracker said "stopped" and "moving".
  void MatchStops() {
    for (const Stay& stay : run_.tally.stops) {
      DetectedStop stop;
      stop.span = {UtcMs(stay.begin), UtcMs(stay.end)};
      for (const Change& c : changes_) {
        if (c.at < stay.begin) continue;
        if (c.motion == Motion::kStationary && !stop.begin_decided_ms && c.at < stay.end) {
          stop.begin_decided_ms = UtcMs(c.decided);
        }
        if (c.motion == Motion::kMoving && c.at >= stay.end) {
          stop.end_decided_ms = UtcMs(c.decided);
          break;
        }
      }
      run_.stops.push_back(stop);
    }
  }

  ReplayOutputs& outputs_;
  ReplayWatcher* const watcher_;
  EvaluationRun run_;
  TraceTimeline timeline_;
  VirtualClock* clock_ = nullptr;
  Tracker* tracker_ = nullptr;
  std::uint64_t line_ = 0;
  std::vector<Change> changes_;
};

}  // namespace

Result<EvaluationRun> RunForEvaluation(FixPipe& pipe, const EvaluationRunOptions& options,
                                       ReplayOutputs& outputs, ReplayWatcher* watcher) {
  Recorder recorder(outputs, watcher);
  if (Status status = recorder.Run(pipe, options); !status.ok()) return status;
  return recorder.Take();
}

bool Thinning::Keeps(MonoTime time) {
  if (last_ && Seconds(time - *last_) < needed_s_) return false;
  last_ = time;
  return true;
}

}  // namespace waymark::replay
