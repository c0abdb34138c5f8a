#include "replay_tool/summary.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>

namespace waymark::replay {
namespace {

template <class... Args>
void Line(std::string& out, const char* label, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), "  {:<12} ", label);
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  out += '\n';
}

std::string Kinds(const std::map<RecordKind, std::uint64_t>& by_kind) {
  std::string text;
  for (const auto& [kind, n] : by_kind) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", RecordKindName(kind), n);
  }
  return text;
}

}  // namespace

std::string DurationText(double seconds) {
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const long long minutes = std::llround(seconds / 60);
  if (minutes < 48 * 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  return fmt::format("{:.1f} days", seconds / 86400);
}

std::string DistanceText(double metres) {
  if (metres < 1000) return fmt::format("{:.0f} m", metres);
  return fmt::format("{:.2f} km", metres / 1000);
}

std::string UtcText(UtcTime utc) {
  const auto day = std::chrono::floor<std::chrono::days>(utc);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(utc - day));
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

std::string Summary(const ReplayTally& t) {
  std::string out = fmt::format("{} ({})\n", t.path == "-" ? "standard input" : t.path,
                                TraceFormatName(t.info.format));
  if (t.first_utc && t.last_utc) {
    const double span_s = static_cast<double>((*t.last_utc - *t.first_utc).count()) / 1000;
    Line(out, "trace", "{} fixes in {} from {}, {} along the raw fixes", t.info.points,
         DurationText(span_s), UtcText(*t.first_utc), DistanceText(t.raw_distance_m));
  }
  const auto count = [&t](Disposition d) { return t.by_disposition[static_cast<std::size_t>(d)]; };
  Line(out, "fixes", "{} accepted, {} adjusted, {} provisional, {} rejected",
       count(Disposition::kAccepted), count(Disposition::kAdjusted),
       count(Disposition::kProvisional), count(Disposition::kRejected));
  for (const auto& [label, counts] : {std::pair{"  adjusted", &t.adjusted_by_reason},
                                      std::pair{"  rejected", &t.rejected_by_reason}}) {
    if (!counts->empty()) Line(out, label, "{}", CountsText(*counts));
  }
  Line(out, "odometer", "{} +- {} (95 %), {} held back at rest", DistanceText(t.stats.odometer_m),
       DistanceText(t.stats.odometer_bound_m), DistanceText(t.stats.stationary_m));
  Line(out, "motion", "moving {}, stationary {}, {} stays, {} trips, {} gaps",
       DurationText(t.moving_s), DurationText(t.stationary_s), t.stays, t.trips, t.gaps.size());
  Line(out, "records", "{}{}{}", t.records, t.records > 0 ? ": " : "", Kinds(t.records_by_kind));
  if (t.stats.geofences > 0) {
    const auto fences = [&t](FenceTransition k) {
      return t.fence_events[static_cast<std::size_t>(k)];
    };
    Line(out, "geofences", "{}: {} enter, {} exit, {} dwell, {} rejected", t.stats.geofences,
         fences(FenceTransition::kEnter), fences(FenceTransition::kExit),
         fences(FenceTransition::kDwell), fences(FenceTransition::kRejected));
  }
  if (t.uploading) {
    Line(out, "upload", "{} of {} records acknowledged in {} batches, {} requests, {} bytes{}",
         t.records_acknowledged, t.records_acknowledged + t.stats.pending, t.batches_acknowledged,
         t.requests, t.bytes_sent,
         t.records_sent > 0
             ? fmt::format(" ({:.1f} bytes a record)",
                           static_cast<double>(t.bytes_sent) / static_cast<double>(t.records_sent))
             : std::string());
  }
  Line(out, "time", "{}{}", DurationText(t.wall_s),
       t.fixes > 0 ? fmt::format(", {:.2f} us a fix", t.wall_s * 1e6 / static_cast<double>(t.fixes))
                   : std::string());
  return out;
}

}  // namespace waymark::replay
