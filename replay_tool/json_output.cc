#include "replay_tool/json_output.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace waymark::replay {
namespace {

using Json = nlohmann::ordered_json;

// Beyond what the number means nothing is true; and the text stays short.
double Rounded(double value, int decimals) {
  const double scale = std::pow(10., decimals);
  return std::round(value * scale) / scale;
}

Json OptionalMs(const std::optional<UtcTime>& utc) {
  return utc ? Json(utc->time_since_epoch().count()) : Json(nullptr);
}

// Nearest-rank percentile of sorted values.
double Percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

Json TraceJson(const ReplayTally& t) {
  Json trace;
  trace["path"] = t.path;
  trace["format"] = TraceFormatName(t.info.format);
  trace["points"] = t.info.points;
  if (t.first_utc && t.last_utc) {
    trace["duration_s"] = static_cast<double>((*t.last_utc - *t.first_utc).count()) / 1000;
    trace["first_utc_ms"] = OptionalMs(t.first_utc);
    trace["last_utc_ms"] = OptionalMs(t.last_utc);
  }
  trace["distance_m"] = Rounded(t.raw_distance_m, 3);
  if (!t.info.warnings.empty()) trace["warnings"] = t.info.warnings;
  return trace;
}

Json FixesJson(const ReplayTally& t) {
  const auto count = [&t](Disposition d) { return t.by_disposition[static_cast<std::size_t>(d)]; };
  Json fixes;
  fixes["read"] = t.info.points;
  fixes["accepted"] = count(Disposition::kAccepted);
  fixes["adjusted"] = count(Disposition::kAdjusted);
  fixes["provisional"] = count(Disposition::kProvisional);
  fixes["rejected"] = Json::object();
  for (const auto& [reason, n] : t.rejected_by_reason) fixes["rejected"][ReasonName(reason)] = n;
  return fixes;
}

Json MotionJson(const ReplayTally& t) {
  Json motion;
  motion["moving_s"] = Rounded(t.moving_s, 3);
  motion["stationary_s"] = Rounded(t.stationary_s, 3);
  motion["stops"] = Json::array();
  for (const Stay& stay : t.stops) {
    motion["stops"].push_back({{"begin_utc_ms", OptionalMs(stay.begin_utc)},
                               {"end_utc_ms", OptionalMs(stay.end_utc)},
                               {"lat_deg", Rounded(stay.position.lat_deg, 7)},
                               {"lon_deg", Rounded(stay.position.lon_deg, 7)},
                               {"r68_m", Rounded(stay.r68_m, 2)}});
  }
  motion["gaps"] = Json::array();
  for (const Gap& gap : t.gaps) {
    motion["gaps"].push_back({{"begin_utc_ms", OptionalMs(gap.begin_utc)},
                              {"end_utc_ms", OptionalMs(gap.end_utc)},
                              {"cause", GapCauseName(gap.cause)}});
  }
  return motion;
}

Json UploadJson(const ReplayTally& t) {
  Json upload;
  upload["batches"] = t.batches_acknowledged;
  upload["requests"] = t.requests;
  upload["records"] = t.records_sent;
  upload["bytes"] = t.bytes_sent;
  if (t.records_sent > 0) {
    upload["bytes_per_record"] =
        Rounded(static_cast<double>(t.bytes_sent) / static_cast<double>(t.records_sent), 3);
  }
  upload["acknowledged"] = t.records_acknowledged;
  upload["dropped"] = t.stats.records_dropped;
  upload["duplicates"] = t.records_sent - std::min(t.records_sent, t.records_acknowledged);
  upload["pending"] = t.stats.pending;
  if (!t.upload_delays_s.empty()) {
    std::vector<double> sorted = t.upload_delays_s;
    std::sort(sorted.begin(), sorted.end());
    upload["delay_p50_s"] = Rounded(Percentile(sorted, 0.50), 3);
    upload["delay_p95_s"] = Rounded(Percentile(sorted, 0.95), 3);
  }
  return upload;
}

Json TimingJson(const ReplayTally& t) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  Json timing;
  timing["wall_s"] = Rounded(t.wall_s, 6);
  if (t.fixes > 0) timing["ns_per_fix"] = std::round(t.wall_s * 1e9 / static_cast<double>(t.fixes));
  timing["peak_rss_bytes"] = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
  return timing;
}

}  // namespace

Json ToJson(const ReplayTally& t) {
  Json root;
  root["schema"] = "waymark.replay/1";
  root["trace"] = TraceJson(t);
  root["fixes"] = FixesJson(t);
  root["estimates"] = t.estimates;
  root["records"] = t.records;
  root["odometer"] = {{"distance_m", Rounded(t.stats.odometer_m, 3)},
                      {"error_bound_m", Rounded(t.stats.odometer_bound_m, 3)},
                      {"stationary_m", Rounded(t.stats.stationary_m, 3)}};
  root["motion"] = MotionJson(t);
  const auto fences = [&t](FenceTransition k) {
    return t.fence_events[static_cast<std::size_t>(k)];
  };
  root["geofences"] = {{"count", t.stats.geofences},
                       {"enter", fences(FenceTransition::kEnter)},
                       {"exit", fences(FenceTransition::kExit)},
                       {"dwell", fences(FenceTransition::kDwell)},
                       {"rejected", fences(FenceTransition::kRejected)}};
  root["sampling"] = {{"requested_fixes", std::llround(t.asked_fixes)},
                      {"gnss_on_s", Rounded(t.gnss_on_s, 3)},
                      {"wakeups", t.wakeups}};
  if (t.watched_s > 0) {
    root["sampling"]["fixes_per_hour"] = Rounded(t.asked_fixes * 3600 / t.watched_s, 3);
  }
  root["upload"] = UploadJson(t);
  root["timing"] = TimingJson(t);
  return root;
}

std::string JsonLine(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace waymark::replay
