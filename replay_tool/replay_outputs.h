// The files that a replay writes while it runs.
#ifndef WAYMARK_REPLAY_TOOL_REPLAY_OUTPUTS_H_
#define WAYMARK_REPLAY_TOOL_REPLAY_OUTPUTS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "replay_tool/csv_output.h"
#include "replay_tool/output_file.h"
#include "replay_tool/trace_timeline.h"
#include "waymark/smoother.h"
#include "waymark/tracker.h"

namespace CLI {
class App;
}

namespace waymark::replay {

/// Paths; empty: not wanted.
struct OutputFlags {
  std::string live, smoothed, records, verdicts, events, golden;
};
struct OutputFlag {
  const char* name;
  std::string OutputFlags::*path;
  const char* what;
};
inline constexpr OutputFlag kOutputFlags[] = {
    {"--live-out", &OutputFlags::live, "The estimate right after each fix"},
    {"--smoothed-out", &OutputFlags::smoothed,
     "The best estimate at each fix that is accepted with the whole trace known, so at some that "
     "--verdicts-out holds back"},
    {"--records-out", &OutputFlags::records, "What is stored and uploaded"},
    {"--verdicts-out", &OutputFlags::verdicts, "What became of each fix, and why"},
    {"--events-out", &OutputFlags::events, "Fences, motion, stays, trips, gaps, problems"},
    {"--golden-out", &OutputFlags::golden,
     "One line per action, quantised, for comparing versions"},
};
void AddOutputFlags(CLI::App& command, OutputFlags& flags);

/// Writes rows as things happen. All methods but WriteSmoothed() on one thread; failures are told
/// by Close().
class ReplayOutputs {
 public:
  /// Wants none.
  ReplayOutputs() = default;
  /// Creates every file that is wanted. kIo names the one that cannot be written.
  static Result<ReplayOutputs> Create(const OutputFlags& flags);

  bool wants_smoothed() const { return smoothed_.has_value(); }

  /// `line` is the fix's place in its trace; `timeline` turns its times to UTC.
  void OnFix(const FixReport& report, std::uint64_t line, const TraceTimeline& timeline);
  void OnRecord(const Record& record);
  void OnEvent(const EventRow& row);
  void OnSampling(const SamplingRequest& request);
  /// Writes the knots of `track`, which was made of `fixes`. May run beside the others.
  void WriteSmoothed(const SmoothedTrack& track, std::span<const DeliveredFix> fixes,
                     const TraceTimeline& timeline);
  Status Close();

 private:
  void Golden(std::string_view kind, std::string_view row);

  std::optional<OutputFile> live_, smoothed_, records_, verdicts_, events_, golden_;
  std::string row_;  // reused for every row
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPLAY_OUTPUTS_H_
