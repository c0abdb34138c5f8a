// Two threads share the work of a long trace: while this one reads, the other already replays; then
// the smoother and the tracks that need no replay are judged here, and what the replay gives there.
// Every part writes what is its own, so that the result does not depend on who was faster.
#include "replay_tool/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <iterator>
#include <latch>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "replay_tool/evaluation_json.h"
#include "replay_tool/evaluation_run.h"
#include "replay_tool/fix_pipe.h"
#include "replay_tool/ground_truth.h"
#include "replay_tool/judged_track.h"
#include "replay_tool/metrics_json.h"
#include "replay_tool/path_metrics.h"
#include "replay_tool/task_queue.h"
#include "replay_tool/track_sampling.h"
#include "waymark/smoother.h"

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;
using RealClock = std::chrono::steady_clock;

// Of the whole work, by the bar that shows how far it has come.
constexpr double kShareOfReading = 0.4;

double SecondsSince(RealClock::time_point begin) {
  return std::chrono::duration<double>(RealClock::now() - begin).count();
}

// One row an estimate; `verdicts` has one for each.
Status WriteEstimates(const std::string& path, const TraceTimeline& timeline,
                      std::span<const Estimate> estimates, std::span<const Disposition> verdicts) {
  Result<OutputFile> file = OutputFile::Create(path);
  if (!file.ok()) return file.status();
  file.value().Append(kEstimateHeader);
  std::string row;
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    row.clear();
    AppendEstimateRow(row, timeline.ToUtc(estimates[i].time), estimates[i], verdicts[i]);
    file.value().Append(row);
  }
  return file.value().Close();
}

// First and last time of validity.
Span SpanOf(std::span<const DeliveredFix> fixes) {
  const auto [first, last] = std::minmax_element(
      fixes.begin(), fixes.end(),
      [](const DeliveredFix& a, const DeliveredFix& b) { return MeantUtc(a) < MeantUtc(b); });
  return {MeantUtc(*first).time_since_epoch().count(), MeantUtc(*last).time_since_epoch().count()};
}

class Evaluation {
 public:
  Evaluation(const Session& session, const EvaluationOptions& options)
      : session_(session), options_(options) {}

  Result<Evaluated> Run(bool* failed_in_environment) {
    *failed_in_environment = false;
    const Status read = Read();
    const double read_s = SecondsSince(begin_);
    if (!replay_.valid()) return read;
    tasks_.Work();
    const Status replayed = replay_.get();
    *failed_in_environment = read.ok() || !replayed.ok();
    if (!replayed.ok()) return replayed;
    if (!read.ok()) return read;
    if (knots_) outputs_->WriteSmoothed(*knots_, fixes_, timeline_);
    if (predicted_) live_status_ = WritePrediction();
    for (const Status& status : {smoothed_status_, live_status_, outputs_->Close()}) {
      if (!status.ok()) return status;
    }
    run_.tally.path = session_.trace;
    run_.tally.info = std::move(info_);
    run_.tally.wall_s = SecondsSince(begin_);
    AddWarnings(run_.tally);
    if (options_.report != nullptr) options_.report->End(run_.tally);
    Json json = EvaluationJson(found_, run_, known_, options_);
    Json& timing = json["timing"];
    timing["read_s"] = Rounded(read_s);
    timing["evaluate_s"] = Rounded(SecondsSince(begin_) - read_s);
    timing["replay_s"] = Rounded(replay_s_);
    timing["smoothing_s"] = Rounded(smoothing_s_);
    return Evaluated{std::move(json),
                     EnvironmentFailure(run_.tally, options_.config.database_path)};
  }

 private:
  bool judges_at_truth() const { return options_.at_truth && known_.truth; }

  // Whatever happens, the replay is not left waiting.
  Status Read() {
    struct Release {
      Evaluation& evaluation;
      ~Release() {
        evaluation.pipe_.Close(/*whole=*/false);
        evaluation.read_.count_down();
      }
    } release{*this};
    const Status status = ReadAll();
    have_read_all_ = status.ok();
    if (have_read_all_) AddTasks();
    return status;
  }

  // Reads the trace, whose replay begins with its first fix, and then what it is judged by.
  Status ReadAll() {
    std::optional<Thinning> thinning;
    if (options_.every_s) thinning.emplace(*options_.every_s);
    Status prepared;
    TracePlacer placer([&](const DeliveredFix& placed, std::uint64_t line) {
      if (thinning && !thinning->Keeps(placed.arrival.mono)) return true;
      if (pipe_.fixes().empty()) {
        if (options_.on_first_fix) prepared = options_.on_first_fix();
        if (!prepared.ok()) return false;
        StartReplay();
      }
      return pipe_.Push(placed, line, placer.timeline());
    });
    Result<TraceInfo> info = ReadTrace(
        session_.trace, options_.read, [&placer](const TraceFix& read) { return placer.Add(read); },
        [this](double share) { Progress(kShareOfReading * share); });
    if (info.ok()) placer.Finish();
    timeline_ = placer.timeline();
    if (!prepared.ok()) return prepared;
    pipe_.Close(info.ok());  // the replay may come to its end while the truth is read
    fixes_ = pipe_.fixes();
    if (!info.ok()) return info.status();
    if (fixes_.empty()) {
      return Status(Code::kInvalidArgument, session_.trace + ": the trace has no fix");
    }
    info_ = std::move(info).value();
    placer.AddWarning(info_);
    info_.points = fixes_.size();
    Result<GroundTruth> known = ReadGroundTruth(
        session_, {options_.truth_max_gap_s, !options_.fences.empty(), SpanOf(fixes_)});
    if (!known.ok()) return known.status();
    known_ = std::move(known).value();
    instants_ =
        judges_at_truth() ? TruthInstants(*known_.truth, timeline_, fixes_) : FixInstants(fixes_);
    info_.warnings.insert(info_.warnings.end(), known_.warnings.begin(), known_.warnings.end());
    WarnOfGaps();
    return {};
  }

  // Keys of what a sparse truth cannot tell are absent; this says why.
  void WarnOfGaps() {
    if (!known_.truth) return;
    std::ptrdiff_t told = 0;
    for (const Span& s : known_.truth->KnownSpans()) {
      told += std::upper_bound(instants_.begin(), instants_.end(), s.end_ms) -
              std::lower_bound(instants_.begin(), instants_.end(), s.begin_ms);
    }
    const auto all = static_cast<std::ptrdiff_t>(instants_.size());
    if (2 * told >= all) return;
    info_.warnings.push_back(
        fmt::format("{}: tells place and speed at {} of {} instants: it is interpolated over at "
                    "most {:g} s (--truth-max-gap)",
                    session_.truth, told, all, options_.truth_max_gap_s));
  }

  void StartReplay() {
    if (options_.report != nullptr) options_.report->Begin(session_.trace, options_.fences);
    replay_ = std::async(std::launch::async, [this] {
      struct CloseTasks {
        TaskQueue& tasks;
        ~CloseTasks() { tasks.Close(); }
      };
      Status status;
      {
        const CloseTasks close{tasks_};
        status = Replay();
        read_.wait();
        if (!status.ok() || !have_read_all_) return status;
        AddReplayedTasks();
      }
      tasks_.Work();
      return status;
    });
  }

  Status Replay() {
    const auto begin = RealClock::now();
    OutputFlags files = options_.outputs;
    if (options_.at_truth && !session_.truth.empty()) {
      files.live.clear();  // written at the truth times instead
      files.smoothed.clear();
    }
    Result<ReplayOutputs> outputs = ReplayOutputs::Create(files);
    if (!outputs.ok()) {
      pipe_.Abandon();
      return outputs.status();
    }
    outputs_.emplace(std::move(outputs).value());
    Result<EvaluationRun> run = RunForEvaluation(pipe_, options_, *outputs_, options_.report);
    if (!run.ok()) {
      pipe_.Abandon();
      return run.status();
    }
    run_ = std::move(run).value();
    replay_s_ = SecondsSince(begin);
    return {};
  }

  JudgedTrack Judge(std::vector<TrackPoint> points) const {
    return JudgeTrack(std::move(points), instants_, known_, options_.seed);
  }

  void AddTask(std::function<void()> task) {
    ++tasks_added_;
    tasks_.Add([this, task = std::move(task)] {
      task();
      const double done = ++tasks_done_;
      // The last ones are added when the replay has ended.
      Progress(kShareOfReading + (1 - kShareOfReading) * done / (tasks_added_ + 1));
    });
  }

  void Progress(double share) {
    if (!options_.progress) return;
    const std::lock_guard lock(progress_mutex_);
    options_.progress(share);
  }

  // What needs no replay; the longest first.
  void AddTasks() {
    AddTask([this] { Smooth(); });
    if (judges_at_truth()) AddTask([this] { JudgePrediction(); });
    AddTask([this] { JudgeRaw(); });
    if (!known_.judges_positions()) return;
    found_.peers.resize(options_.peers.size());
    for (std::size_t i = 0; i < options_.peers.size(); ++i) {
      AddTask([this, i] { found_.peers[i] = JudgePeer(options_.peers[i]); });
    }
  }

  void AddReplayedTasks() {
    if (!judges_at_truth()) AddTask([this] { found_.live = Judge(std::move(run_.live)); });
    AddTask([this] { JudgeRecords(); });
  }

  void Smooth() {
    std::vector<TrackPoint> points, between;
    {
      const auto begin = RealClock::now();
      Result<SmoothedTrack> track = SmoothedTrack::Create(fixes_, options_.config.estimator);
      smoothed_status_ = track.status();
      if (!track.ok()) return;
      smoothing_s_ = SecondsSince(begin);
      if (judges_at_truth()) {
        const std::vector<Estimate> at_truth = Sample(track.value(), timeline_, instants_);
        if (!options_.outputs.smoothed.empty()) {
          smoothed_status_ =
              WriteEstimates(options_.outputs.smoothed, timeline_, at_truth,
                             NewestVerdicts(at_truth, fixes_, track.value().verdicts()));
        }
        points = ToTrackPoints(at_truth, timeline_);
      } else {
        points = ToTrackPoints(track.value().knots(), timeline_);
        // Where a fix was refused the track has a place all the same: there, too, it is compared.
        between =
            ToTrackPoints(Sample(track.value(), timeline_, Missing(points, instants_)), timeline_);
        if (!options_.outputs.smoothed.empty()) knots_.emplace(std::move(track).value());
      }
    }
    found_.smoothed = Judge(std::move(points));
    if (known_.judges_positions()) {
      found_.smoothed.errors.Add(MeasureTrack(between, known_), instants_);
    }
  }

  void JudgeRaw() {
    std::vector<TrackPoint> raw = RawPoints(fixes_);
    if (!judges_at_truth()) {
      found_.raw = Judge(std::move(raw));
      return;
    }
    found_.raw = Judge(Sample(TrackCurve(std::move(raw), Interpolation::kLinear), instants_));
    const TrackErrors hold = MeasureTrack(
        SampleLive(RunPeer(Peer::kRaw, fixes_, options_.config.estimator.default_accuracy_m),
                   timeline_, instants_),
        known_);
    found_.raw_hold.accuracy = SummariseTrack(hold, options_.seed);
    found_.raw_hold.calibration = SummariseCalibration(hold.claims, options_.seed);
    found_.raw_hold.errors.Add(hold, instants_);
  }

  void JudgePrediction() {
    Result<std::vector<Estimate>> live =
        PredictLive(fixes_, options_.config.estimator, timeline_, instants_);
    live_status_ = live.status();
    if (!live.ok()) return;
    found_.live = Judge(ToTrackPoints(live.value(), timeline_));
    if (!options_.outputs.live.empty()) predicted_ = std::move(live).value();
  }

  // Motion and verdict are the replay's, of the newest fix that had arrived.
  Status WritePrediction() {
    std::vector<Disposition> verdicts;
    verdicts.reserve(predicted_->size());
    std::size_t known = 0;
    for (Estimate& e : *predicted_) {
      while (known < fixes_.size() && fixes_[known].arrival.mono <= e.time) ++known;
      const HeardFix& newest = run_.heard[known - 1];
      e.motion = newest.motion;
      verdicts.push_back(newest.verdict);
    }
    return WriteEstimates(options_.outputs.live, timeline_, *predicted_, verdicts);
  }

  void JudgeRecords() {
    const TrackCurve stored(std::move(run_.records), Interpolation::kHermite, run_.gaps);
    found_.records = Judge(Sample(stored, instants_));
    const std::vector<Span>& rests = known_.rests.stationary;
    if (!rests.empty()) found_.records.phantom_m = PhantomM(stored, rests);
  }

  JudgedPeer JudgePeer(Peer peer) const {
    const auto on_earth = [](const DeliveredFix& d) { return IsOnEarth(d.fix); };
    std::span<const DeliveredFix> fixes = fixes_;
    std::vector<DeliveredFix> some;
    if (!std::all_of(fixes_.begin(), fixes_.end(), on_earth)) {
      std::copy_if(fixes_.begin(), fixes_.end(), std::back_inserter(some), on_earth);
      fixes = some;
    }
    PeerTrack track = RunPeer(peer, fixes, options_.config.estimator.default_accuracy_m);
    if (judges_at_truth()) track.live = SampleLive(track, timeline_, instants_);
    return replay::JudgePeer(peer, track.live, std::move(track.track), instants_, known_,
                             options_.seed);
  }

  const Session& session_;
  const EvaluationOptions& options_;
  const RealClock::time_point begin_ = RealClock::now();

  FixPipe pipe_;

  // Of this thread until `read_` opens, then nobody's to change.
  TraceInfo info_;
  TraceTimeline timeline_;
  std::span<const DeliveredFix> fixes_;  // of the pipe
  GroundTruth known_;
  std::vector<std::int64_t> instants_;
  bool have_read_all_ = false;
  std::latch read_{1};

  // Of the replay.
  std::optional<ReplayOutputs> outputs_;
  EvaluationRun run_;
  double replay_s_ = 0;

  // Of one task each.
  TaskQueue tasks_;
  std::atomic<int> tasks_added_ = 0, tasks_done_ = 0;
  std::mutex progress_mutex_;
  Findings found_;
  std::optional<SmoothedTrack> knots_;              // only if they are to be written
  std::optional<std::vector<Estimate>> predicted_;  // the same; live, at the truth's times
  Status smoothed_status_, live_status_;
  double smoothing_s_ = 0;

  std::future<Status> replay_;  // last: waits for the thread that uses the rest
};

}  // namespace

Result<Evaluated> Evaluate(const Session& session, const EvaluationOptions& options,
                           bool* failed_in_environment) {
  return Evaluation(session, options).Run(failed_in_environment);
}

}  // namespace waymark::replay
