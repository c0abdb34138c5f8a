#include "replay_tool/replay_outputs.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "waymark/smoother.h"

namespace waymark::replay {
namespace {

Status Create(const std::string& path, std::string_view header, std::optional<OutputFile>& file) {
  if (path.empty()) return Status();
  Result<OutputFile> created = OutputFile::Create(path);
  if (!created.ok()) return created.status();
  file = std::move(created).value();
  file->Append(header);
  return Status();
}

}  // namespace

void AddOutputFlags(CLI::App& command, OutputFlags& flags) {
  for (const auto& [name, path, what] : kOutputFlags) {
    command.add_option(name, flags.*path, what)->type_name("FILE")->group("CSV outputs");
  }
}

Result<ReplayOutputs> ReplayOutputs::Create(const OutputFlags& flags) {
  ReplayOutputs outputs;
  using replay::Create;
  for (const Status& status : {
           Create(flags.live, kEstimateHeader, outputs.live_),
           Create(flags.smoothed, kEstimateHeader, outputs.smoothed_),
           Create(flags.records, kRecordHeader, outputs.records_),
           Create(flags.verdicts, kVerdictHeader, outputs.verdicts_),
           Create(flags.events, kEventHeader, outputs.events_),
           Create(flags.golden, "", outputs.golden_),
       }) {
    if (!status.ok()) return status;
  }
  return outputs;
}

void ReplayOutputs::OnFix(const FixReport& report, std::uint64_t line,
                          const TraceTimeline& timeline) {
  if (live_ && report.live) {
    row_.clear();
    AppendEstimateRow(row_, timeline.ToUtc(report.live->time), *report.live,
                      report.verdict.disposition);
    live_->Append(row_);
  }
  if (verdicts_) {
    row_.clear();
    AppendVerdictRow(row_, line, report.fix.utc.value_or(timeline.ToUtc(report.fix.time)),
                     report.verdict);
    verdicts_->Append(row_);
  }
  if (!golden_) return;
  golden_->Append(fmt::format(
      "verdict {} {} {} {:.3g} {:.3g}\n", line, DispositionName(report.verdict.disposition),
      ReasonName(report.verdict.reason), report.verdict.value, report.verdict.limit));
  if (!report.live) return;
  const Estimate& e = *report.live;
  golden_->Append(fmt::format("estimate {} {:.7f} {:.7f} {:.2f} {:.2f} {:.2f} {:.2f} {}\n",
                              timeline.ToUtc(e.time).time_since_epoch().count(), e.position.lat_deg,
                              e.position.lon_deg, e.r68_m, e.r95_m, e.velocity_east_mps,
                              e.velocity_north_mps, MotionName(e.motion)));
}

void ReplayOutputs::OnRecord(const Record& record) {
  if (!records_ && !golden_) return;
  row_.clear();
  AppendRecordRow(row_, record);
  if (records_) records_->Append(row_);
  Golden("record", row_);
}

void ReplayOutputs::OnEvent(const EventRow& event) {
  if (!events_ && !golden_) return;
  row_.clear();
  AppendEventRow(row_, event);
  if (events_) events_->Append(row_);
  Golden("event", row_);
}

void ReplayOutputs::OnSampling(const SamplingRequest& request) {
  if (!golden_) return;
  golden_->Append(fmt::format("sampling {} {:.3f} {:.3f}\n", static_cast<int>(request.mode),
                              Seconds(request.interval), Seconds(request.max_batch_delay)));
}

void ReplayOutputs::Golden(std::string_view kind, std::string_view row) {
  if (!golden_) return;
  golden_->Append(kind);
  golden_->Append(" ");
  golden_->Append(row);
}

void ReplayOutputs::WriteSmoothed(const SmoothedTrack& track, std::span<const DeliveredFix> fixes,
                                  const TraceTimeline& timeline) {
  // Knots are the used fixes in order of time: bring the verdicts into the same order.
  std::vector<std::pair<MonoTime, Disposition>> used;
  const std::span<const Verdict> verdicts = track.verdicts();
  for (std::size_t i = 0; i < verdicts.size() && i < fixes.size(); ++i) {
    if (verdicts[i].used()) used.emplace_back(fixes[i].fix.time, verdicts[i].disposition);
  }
  std::stable_sort(used.begin(), used.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string row;
  std::size_t i = 0;
  for (const Estimate& knot : track.knots()) {
    row.clear();
    AppendEstimateRow(row, timeline.ToUtc(knot.time), knot,
                      i < used.size() ? used[i].second : Disposition::kAccepted);
    smoothed_->Append(row);
    ++i;
  }
}

Status ReplayOutputs::Close() {
  Status first;
  for (std::optional<OutputFile>* file :
       {&live_, &smoothed_, &records_, &verdicts_, &events_, &golden_}) {
    if (!*file) continue;
    if (Status status = (*file)->Close(); first.ok()) first = std::move(status);
  }
  return first;
}

}  // namespace waymark::replay
