#include "replay_tool/replay.h"

#include <chrono>
#include <utility>
#include <vector>

#include "replay_tool/replay_session.h"
#include "replay_tool/trace_timeline.h"

namespace waymark::replay {

Result<ReplayTally> ReplayTrace(const std::string& path, const ReplayOptions& options,
                                ReplayOutputs& outputs, ReplayWatcher* watcher,
                                bool* failed_in_tracker) {
  *failed_in_tracker = false;
  const auto real_start = std::chrono::steady_clock::now();
  ReplaySession replay(options, outputs, watcher);
  std::vector<DeliveredFix> fixes;  // only for smoothing
  Status prepared, begin;
  TracePlacer placer([&](const DeliveredFix& placed, std::uint64_t line) {
    if (!replay.begun()) {
      if (options.on_first_fix) prepared = options.on_first_fix();
      if (!prepared.ok()) return false;
      begin = replay.Begin(placed, placer.timeline());
      if (!begin.ok()) return false;
    }
    replay.Push(placed, line);
    if (outputs.wants_smoothed()) fixes.push_back(placed);
    return true;
  });
  Result<TraceInfo> info = ReadTrace(
      path, options.read, [&placer](const TraceFix& read) { return placer.Add(read); },
      options.progress);
  if (info.ok()) placer.Finish();
  if (!prepared.ok()) return prepared;
  if (!begin.ok()) {
    *failed_in_tracker = true;
    return begin;
  }
  replay.End(/*drain=*/info.ok());
  if (!info.ok()) return info.status();
  ReplayTally& tally = replay.tally();
  tally.path = path;
  tally.info = std::move(info).value();
  placer.AddWarning(tally.info);
  AddWarnings(tally);
  tally.wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - real_start).count();
  if (outputs.wants_smoothed()) {
    const Result<SmoothedTrack> track = SmoothedTrack::Create(fixes, options.config.estimator);
    if (!track.ok()) return track.status();
    outputs.WriteSmoothed(track.value(), fixes, placer.timeline());
  }
  return std::move(tally);
}

}  // namespace waymark::replay
