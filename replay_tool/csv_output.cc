#include "replay_tool/csv_output.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <type_traits>
#include <variant>

namespace waymark::replay {
namespace {

std::int64_t Ms(UtcTime utc) { return utc.time_since_epoch().count(); }

template <class... Args>
void Add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

// A cell of free text: quoted when it has to be, without line ends or quotes inside.
void AddText(std::string& out, std::string_view text) {
  const bool quote = text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (quote) out += '"';
  for (const char c : text) out += c == '"' ? '\'' : static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  if (quote) out += '"';
}

void AddOptional(std::string& out, const std::optional<double>& value, int decimals) {
  if (value) Add(out, "{:.{}f}", *value, decimals);
}

// Where a record stands, for the columns that are a point's.
struct RecordPlace {
  std::optional<LatLon> position;
  std::optional<double> r68_m, speed_mps, course_deg;
};

RecordPlace PlaceOf(const RecordBody& body) {
  return std::visit(
      [](const auto& b) -> RecordPlace {
        using Body = std::decay_t<decltype(b)>;
        if constexpr (std::is_same_v<Body, PointRecord>) {
          return {b.position, b.r68_m, b.speed_mps, b.course_deg};
        } else if constexpr (std::is_same_v<Body, FenceRecord> ||
                             std::is_same_v<Body, MotionRecord>) {
          return {b.position, {}, {}, {}};
        } else if constexpr (std::is_same_v<Body, StayRecord>) {
          return {b.position, b.r68_m, {}, {}};
        } else if constexpr (std::is_same_v<Body, TripRecord>) {
          return {b.to, {}, {}, {}};
        } else {
          return {};
        }
      },
      body);
}

}  // namespace

std::optional<double> RoundedCourse(std::optional<double> course_deg) {
  if (!course_deg) return std::nullopt;
  const double rounded = std::floor(*course_deg * 100 + 0.5) / 100;
  return rounded >= 360 ? rounded - 360 : rounded;
}

void AppendEstimateRow(std::string& out, UtcTime utc, const Estimate& e, Disposition verdict) {
  Add(out, "{},{:.9f},{:.9f},{:.3f},{:.3f},{:.3f},{:.3f},", Ms(utc), e.position.lat_deg,
      e.position.lon_deg, e.r68_m, e.r95_m, e.speed_mps(), e.speed_sigma_mps);
  AddOptional(out, RoundedCourse(e.course_deg()), 2);
  Add(out, ",{},{}\n", MotionName(e.motion), DispositionName(verdict));
}

void AppendRecordRow(std::string& out, const Record& record) {
  const RecordPlace place = PlaceOf(record.body);
  Add(out, "{},{},", record.seq, Ms(record.utc));
  if (place.position) Add(out, "{:.7f},{:.7f}", place.position->lat_deg, place.position->lon_deg);
  if (!place.position) out += ',';
  out += ',';
  AddOptional(out, place.r68_m, 2);
  out += ',';
  AddOptional(out, place.speed_mps, 2);
  out += ',';
  AddOptional(out, RoundedCourse(place.course_deg), 2);
  Add(out, ",{}\n", RecordKindName(record.kind()));
}

void AppendVerdictRow(std::string& out, std::uint64_t line, UtcTime utc, const Verdict& verdict) {
  Add(out, "{},{},{},{},{:.6g},{:.6g}\n", line, Ms(utc), DispositionName(verdict.disposition),
      ReasonName(verdict.reason), verdict.value, verdict.limit);
}

void AppendEventRow(std::string& out, const EventRow& row) {
  if (row.utc) Add(out, "{}", Ms(*row.utc));
  Add(out, ",{},", row.type);
  AddText(out, row.id);
  out += ',';
  AddText(out, row.detail);
  out += ',';
  if (row.position) Add(out, "{:.7f},{:.7f}", row.position->lat_deg, row.position->lon_deg);
  if (!row.position) out += ',';
  out += ',';
  AddOptional(out, row.probability, 4);
  out += '\n';
}

const char* FenceEventType(FenceTransition transition) {
  switch (transition) {
    case FenceTransition::kEnter:
      return "fence_enter";
    case FenceTransition::kExit:
      return "fence_exit";
    case FenceTransition::kDwell:
      return "fence_dwell";
    case FenceTransition::kRejected:
      return "fence_rejected";
  }
  return "fence_rejected";
}

EventRow MakeEventRow(const FenceEvent& event) {
  EventRow row;
  // When and where the boundary was crossed; a dwell has no crossing of its own.
  const bool crossed = event.transition != FenceTransition::kDwell;
  row.utc = crossed && event.crossing_utc ? event.crossing_utc : event.utc;
  row.type = FenceEventType(event.transition);
  row.id = event.id;
  row.detail = fmt::format("distance_m={:.1f}", event.distance_m);
  switch (event.rejection) {
    case FenceRejection::kNone:
      break;
    case FenceRejection::kPendingCancelled:
      row.detail += " reason=pending_cancelled";
      break;
    case FenceRejection::kClosed:
      row.detail += " reason=closed";
      break;
    case FenceRejection::kNotNotified:
      row.detail += " reason=not_notified";
      break;
  }
  row.position = crossed ? event.crossing_position : event.position;
  row.probability = event.probability;
  return row;
}

}  // namespace waymark::replay
