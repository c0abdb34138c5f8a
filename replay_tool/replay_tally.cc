#include "replay_tool/replay_tally.h"

#include <algorithm>
#include <span>

#include "replay_tool/plural.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

// No positioning hardware delivers faster when it is asked for fixes "as fast as it likes".
constexpr Duration kFastestInterval = std::chrono::seconds(1);
constexpr double kChordLimitM = 1e3;
constexpr Duration kShortestStop = std::chrono::seconds(60);  // as evaluate --min-stop
// A fix for itself keeps the receiver on for a hot acquisition (reference estimation.md, C.3).
constexpr Duration kAcquisition = std::chrono::seconds(5);

}  // namespace

void ReplayTally::OnRead(const DeliveredFix& placed) {
  const Fix& fix = placed.fix;
  const UtcTime utc = MeantUtc(placed);
  first_utc = first_utc ? std::min(*first_utc, utc) : utc;
  last_utc = last_utc ? std::max(*last_utc, utc) : utc;
  const std::optional<LatLon> position =
      LatLon::FromDegrees(fix.position.lat_deg, fix.position.lon_deg);
  if (!position) return;
  const Vec3 here = ToEcef(*position);
  if (last_position_ && *last_position_ != *position) {
    // Between neighbours the chord is the geodesic (1 um in 1 km) and ten times cheaper.
    const double chord_m = Norm(here - last_ecef_);
    raw_distance_m += chord_m < kChordLimitM ? chord_m : DistanceM(*last_position_, *position);
  }
  last_position_ = position;
  last_ecef_ = here;
}

void ReplayTally::OnFix(const FixReport& report) {
  ++fixes;
  ++by_disposition[static_cast<std::size_t>(report.verdict.disposition) % by_disposition.size()];
  if (report.verdict.disposition == Disposition::kRejected) {
    ++rejected_by_reason[report.verdict.reason];
  } else if (report.verdict.disposition == Disposition::kAdjusted) {
    ++adjusted_by_reason[report.verdict.reason];
  }
  if (!report.live) return;
  ++estimates;
  live_r68_m_ = report.live->r68_m;
}

void ReplayTally::OnMotion(const MotionChange& change) {
  CountMotionUntil(change.time);
  motion_ = change.motion;
  EndRest(change.time);
  if (change.motion != Motion::kStationary) return;
  rest_.emplace();
  rest_->begin = change.time;
  rest_->begin_utc = change.utc;
  rest_->position = change.position;
  rest_->r68_m = live_r68_m_;
}

void ReplayTally::EndRest(MonoTime at) {
  if (rest_ && at - rest_->begin >= kShortestStop) {
    rest_->end = at;
    if (rest_->begin_utc) {
      rest_->end_utc =
          *rest_->begin_utc + std::chrono::floor<std::chrono::milliseconds>(at - rest_->begin);
    }
    rests_.push_back(*rest_);
  }
  rest_.reset();
}

// A stay has its own ends and place, from all of its fixes; the rests within it are parts of it.
void ReplayTally::AddRests() {
  const std::span<const Stay> told(stops);
  std::erase_if(rests_, [&](const Stay& rest) {
    return std::any_of(told.begin(), told.end(), [&](const Stay& stay) {
      return stay.begin < rest.end && rest.begin < stay.end;
    });
  });
  stops.insert(stops.end(), rests_.begin(), rests_.end());
  rests_.clear();
  std::sort(stops.begin(), stops.end(),
            [](const Stay& a, const Stay& b) { return a.begin < b.begin; });
}

void ReplayTally::CountMotionUntil(MonoTime time) {
  if (motion_since_ && time > *motion_since_) {
    const double s = Seconds(time - *motion_since_);
    if (motion_ == Motion::kMoving) moving_s += s;
    if (motion_ == Motion::kStationary) stationary_s += s;
  }
  motion_since_ = time;
}

void ReplayTally::OnFence(const FenceEvent& event) {
  ++fence_events[static_cast<std::size_t>(event.transition) % fence_events.size()];
}

void ReplayTally::OnRecord(const Record& record) {
  ++records;
  ++records_by_kind[record.kind()];
}

void ReplayTally::OnSampling(const SamplingRequest& request, MonoTime now) {
  ++sampling_requests;
  CountSamplingUntil(now);
  sampling_ = request;
}

void ReplayTally::CountSamplingUntil(MonoTime now) {
  if (sampling_since_ && now > *sampling_since_) {
    const Duration span = now - *sampling_since_;
    watched_s += Seconds(span);
    if (sampling_.mode == SamplingMode::kLowPower ||
        sampling_.mode == SamplingMode::kHighAccuracy) {
      asked_fixes += Seconds(span) / Seconds(std::max(sampling_.interval, kFastestInterval));
    }
    if (sampling_.mode == SamplingMode::kHighAccuracy) {
      gnss_on_s +=
          Seconds(span) / std::max(1., Seconds(sampling_.interval) / Seconds(kAcquisition));
    }
  }
  sampling_since_ = now;
}

void ReplayTally::OnUpload(const UploadReport& report) {
  ++requests;
  records_sent += report.records;
  bytes_sent += report.bytes;
  if (!report.acknowledged) return;
  ++batches_acknowledged;
  records_acknowledged += report.records;
  // A record of an earlier replay may be of a later time than this one: then there is no delay.
  if (report.oldest_delay && report.oldest_delay->count() >= 0) {
    upload_delays_s.push_back(Seconds(*report.oldest_delay));
  }
}

void ReplayTally::Finish(MonoTime now) {
  CountSamplingUntil(now);
  if (motion_since_) CountMotionUntil(now);
  EndRest(now);
  AddRests();
}

std::optional<std::string> EnvironmentFailure(const ReplayTally& tally,
                                              const std::string& database) {
  if (tally.environment_failure) return tally.path + ": " + *tally.environment_failure;
  if (!tally.drain_failure) return std::nullopt;
  return "upload: " + Plural(tally.stats.pending, "record") +
         " not delivered: " + *tally.drain_failure +
         (database.empty() ? " (with --db FILE they would be kept)"
                           : " (kept in " + database + ")");
}

void AddWarnings(ReplayTally& tally) {
  std::vector<std::string>& warnings = tally.info.warnings;
  const auto rejected = tally.by_disposition[static_cast<std::size_t>(Disposition::kRejected)];
  if (rejected > 0 && rejected == tally.fixes) {
    warnings.push_back("no fix was accepted: " + std::to_string(rejected) + " rejected (" +
                       CountsText(tally.rejected_by_reason) + ")");
  }
  if (tally.stats.records_dropped > 0) {
    warnings.push_back(Plural(tally.stats.records_dropped, "undelivered record") + " dropped" +
                       (tally.drop_reason.empty() ? "" : ": " + tally.drop_reason));
  }
}

std::string CountsText(const std::map<Reason, std::uint64_t>& by_reason) {
  std::string text;
  for (const auto& [reason, n] : by_reason) {
    text += (text.empty() ? "" : ", ") + std::string(ReasonName(reason)) + " " + std::to_string(n);
  }
  return text;
}

}  // namespace waymark::replay
