// --report: one self-contained page with a map, a table and the events.
#ifndef WAYMARK_REPLAY_TOOL_HTML_REPORT_H_
#define WAYMARK_REPLAY_TOOL_HTML_REPORT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "replay_tool/replay.h"
#include "waymark/geofence.h"

namespace waymark::replay {

/// Draws raw and estimated track, stored points, geofences and stays as SVG. Memory is bounded:
/// longer tracks are thinned evenly, events above a limit are counted.
class HtmlReport final : public ReplayWatcher {
 public:
  void Begin(std::string_view path, const std::vector<Geofence>& fences);
  void OnFix(const FixReport& report) override;
  void OnRecord(const Record& record) override;
  void OnEvent(const EventRow& row) override;
  void End(const ReplayTally& tally);
  std::string Page() const;

 private:
  // At most kMaxPoints, evenly spread over everything that was added.
  class Polyline {
   public:
    void Add(LatLon point);
    const std::vector<LatLon>& points() const { return points_; }
    void Clear() { *this = Polyline(); }

   private:
    static constexpr std::size_t kMaxPoints = 20'000;
    std::vector<LatLon> points_;
    std::uint64_t seen_ = 0, stride_ = 1;
  };
  struct EventLine {
    std::optional<UtcTime> utc;
    std::string type, id, detail;
    std::optional<LatLon> position;
  };

  std::string Map(const ReplayTally& tally) const;

  std::string body_;
  std::string path_;
  std::vector<Geofence> fences_;
  Polyline raw_, estimated_;
  std::vector<LatLon> stored_;
  std::vector<EventLine> events_;
  std::uint64_t events_left_out_ = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_HTML_REPORT_H_
