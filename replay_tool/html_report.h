// A self-contained HTML page about one or several replays: map, charts, fences and events.
#ifndef WAYMARK_REPLAY_TOOL_HTML_REPORT_H_
#define WAYMARK_REPLAY_TOOL_HTML_REPORT_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replay_tool/replay.h"
#include "replay_tool/replay_tally.h"
#include "replay_tool/report_chart.h"
#include "replay_tool/report_map.h"
#include "replay_tool/thinned.h"
#include "waymark/geofence.h"
#include "waymark/tracker.h"

namespace waymark::replay {

/// Memory is bounded: longer tracks are thinned evenly, marks and events above a limit are counted.
/// Shows only what a Listener saw.
class HtmlReport final : public ReplayWatcher {
 public:
  void Begin(std::string_view path, const std::vector<Geofence>& fences);
  void OnFix(const FixReport& report) override;
  void OnRecord(const Record& record) override;
  void OnEvent(const EventRow& row) override;
  void End(const ReplayTally& tally);
  std::string Page() const;

 private:
  // One accepted fix and the estimate after it.
  struct Sample {
    MonoTime time{};
    LatLon position;
    double r68_m = 0, r95_m = 0, speed_mps = 0, offset_m = 0;
    std::optional<double> reported_mps;
  };
  struct Judged {
    MonoTime time{};
    Verdict verdict;
    std::optional<LatLon> position;
  };
  struct EventLine {
    std::optional<UtcTime> utc;
    std::string type, id, detail;
    std::optional<LatLon> position;
  };
  struct FenceCounts {
    std::uint64_t enter = 0, exit = 0, dwell = 0;
    std::optional<UtcTime> first_enter;
  };
  // What is known of the trace that is under way.
  struct Trace {
    std::string path;
    std::vector<Geofence> fences;
    Thinned<LatLon, 20'000> raw, estimated;
    Thinned<LatLon, 5'000> stored;
    Thinned<Sample, 4'000> samples;
    std::vector<Judged> judged;  // other than accepted
    std::uint64_t judged_left_out = 0;
    std::vector<EventLine> events;
    std::uint64_t events_left_out = 0;
    std::map<std::string, FenceCounts> fence_counts;
    std::optional<MonoTime> begin, end;
    std::optional<UtcTime> begin_utc;
  };

  TimeAxis Axis() const;
  void AddMap(const ReplayTally& tally, const Projection& map);
  void AddCharts(const ReplayTally& tally);
  void AddSamples(const Projection& map);
  void AddFences();
  void AddEvents();

  std::string body_;
  Trace trace_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_HTML_REPORT_H_
