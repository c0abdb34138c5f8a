#include "replay_tool/evaluation_run.h"

#include <optional>
#include <utility>

#include "replay_tool/replay_session.h"

namespace waymark::replay {
namespace {

class Recorder final : public ReplayWatcher {
 public:
  Recorder(const ReplayOptions& options, ReplayOutputs& outputs, ReplayWatcher* watcher)
      : session_(options, outputs, this), watcher_(watcher) {}

  Status Run(FixPipe& pipe) {
    std::optional<FixChunk> chunk = pipe.Pop();
    if (!chunk) return Status(Code::kInvalidArgument, "the trace has no fix");
    timeline_ = chunk->timeline;
    Status begun = session_.Begin(chunk->fixes.front(), timeline_);
    if (!begun.ok()) return begun;
    for (; chunk; chunk = pipe.Pop()) {
      timeline_ = std::move(chunk->timeline);
      for (std::size_t i = 0; i < chunk->fixes.size(); ++i) {
        session_.Push(chunk->fixes[i], chunk->lines[i]);
      }
    }
    session_.End(/*drain=*/pipe.whole());
    run_.tally = std::move(session_.tally());
    MatchStops();
    return {};
  }

  EvaluationRun Take() { return std::move(run_); }

  void OnFix(const FixReport& report) override {
    if (watcher_ != nullptr) watcher_->OnFix(report);
    run_.heard.push_back(
        {report.verdict.disposition, report.live ? report.live->motion : Motion::kUnknown});
    if (report.live) {
      run_.live.push_back(ToTrackPoint(*report.live, UtcMs(report.live->time)));
    }
    run_.odometer.push_back({UtcMs(session_.now()), session_.odometer_m()});
  }
  void OnMotion(const MotionChange& change) override {
    changes_.push_back({change.motion, change.time, session_.now()});
  }
  void OnFence(const FenceEvent& event) override { run_.fence_events.push_back(event); }
  void OnRecord(const Record& record) override {
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
  void OnEvent(const EventRow& row) override {
    if (watcher_ != nullptr) watcher_->OnEvent(row);
  }

 private:
  struct Change {
    Motion motion;
    MonoTime at, decided;
  };

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

  ReplaySession session_;
  ReplayWatcher* const watcher_;
  EvaluationRun run_;
  TraceTimeline timeline_;
  std::vector<Change> changes_;
};

}  // namespace

Result<EvaluationRun> RunForEvaluation(FixPipe& pipe, const ReplayOptions& options,
                                       ReplayOutputs& outputs, ReplayWatcher* watcher) {
  Recorder recorder(options, outputs, watcher);
  if (Status status = recorder.Run(pipe); !status.ok()) return status;
  return recorder.Take();
}

bool Thinning::Keeps(MonoTime time) {
  if (last_ && Seconds(time - *last_) < needed_s_) return false;
  last_ = time;
  return true;
}

}  // namespace waymark::replay
