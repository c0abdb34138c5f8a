#include "replay_tool/track_sampling.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

MonoTime ToMono(const TraceTimeline& timeline, std::int64_t utc_ms) {
  return timeline.ToMono(UtcTime(std::chrono::milliseconds(utc_ms)));
}

}  // namespace

std::int64_t ToUtcMs(const TraceTimeline& timeline, MonoTime time) {
  return timeline.ToUtc(time).time_since_epoch().count();
}

bool IsOnEarth(const Fix& fix) {
  return LatLon::FromDegrees(fix.position.lat_deg, fix.position.lon_deg).has_value();
}

std::vector<TrackPoint> RawPoints(std::span<const DeliveredFix> fixes) {
  std::vector<TrackPoint> points;
  points.reserve(fixes.size());
  for (const DeliveredFix& d : fixes) {
    if (!IsOnEarth(d.fix)) continue;
    points.push_back(ToTrackPoint(d.fix, MeantUtc(d).time_since_epoch().count()));
  }
  return points;
}

std::vector<std::int64_t> FixInstants(std::span<const DeliveredFix> fixes) {
  std::vector<std::int64_t> instants;
  instants.reserve(fixes.size());
  for (const DeliveredFix& d : fixes) {
    if (IsOnEarth(d.fix)) instants.push_back(MeantUtc(d).time_since_epoch().count());
  }
  std::sort(instants.begin(), instants.end());
  instants.erase(std::unique(instants.begin(), instants.end()), instants.end());
  return instants;
}

std::vector<std::int64_t> TruthInstants(const TruthTrack& truth, const TraceTimeline& timeline,
                                        std::span<const DeliveredFix> fixes) {
  const auto [first, last] = std::minmax_element(
      fixes.begin(), fixes.end(),
      [](const DeliveredFix& a, const DeliveredFix& b) { return a.fix.time < b.fix.time; });
  const auto times = truth.times_ms();
  const auto begin =
      std::lower_bound(times.begin(), times.end(), ToUtcMs(timeline, first->fix.time));
  const auto end = std::upper_bound(begin, times.end(), ToUtcMs(timeline, last->fix.time));
  return {begin, end};
}

std::vector<std::int64_t> Missing(std::span<const TrackPoint> points,
                                  std::span<const std::int64_t> instants) {
  std::vector<std::int64_t> missing;
  auto p = points.begin();
  for (const std::int64_t t : instants) {
    while (p != points.end() && p->utc_ms < t) ++p;
    if (p == points.end() || p->utc_ms != t) missing.push_back(t);
  }
  return missing;
}

std::vector<Disposition> NewestVerdicts(std::span<const Estimate> estimates,
                                        std::span<const DeliveredFix> fixes,
                                        std::span<const Verdict> verdicts) {
  std::vector<std::pair<MonoTime, Disposition>> by_time;
  by_time.reserve(fixes.size());
  for (std::size_t i = 0; i < fixes.size(); ++i) {
    by_time.emplace_back(fixes[i].fix.time, verdicts[i].disposition);
  }
  std::stable_sort(by_time.begin(), by_time.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Disposition> newest;
  newest.reserve(estimates.size());
  std::size_t next = 0;
  for (const Estimate& e : estimates) {
    while (next < by_time.size() && by_time[next].first <= e.time) ++next;
    newest.push_back(next > 0 ? by_time[next - 1].second : Disposition::kRejected);
  }
  return newest;
}

std::vector<TrackPoint> Sample(const TrackCurve& curve, std::span<const std::int64_t> instants) {
  std::vector<TrackPoint> points;
  points.reserve(instants.size());
  for (const std::int64_t t : instants) {
    if (const std::optional<TrackPoint> p = curve.At(t)) points.push_back(*p);
  }
  return points;
}

std::vector<TrackPoint> SampleLive(const PeerTrack& peer, const TraceTimeline& timeline,
                                   std::span<const std::int64_t> instants) {
  std::vector<TrackPoint> points;
  points.reserve(instants.size());
  std::size_t known = 0;
  for (const std::int64_t t : instants) {
    const MonoTime now = ToMono(timeline, t);
    while (known < peer.live.size() && peer.arrivals[known] <= now) ++known;
    if (known == 0) continue;
    TrackPoint p = peer.live[known - 1];
    const double ahead_s = static_cast<double>(t - p.utc_ms) * 1e-3;
    p.utc_ms = t;
    if (peer.predicts && ahead_s > 0 && p.course_deg) {
      p.position = Destination(p.position, *p.course_deg, *p.speed_mps * ahead_s);
      p.r68_m.reset();  // known for the instant of the fix only
    }
    points.push_back(p);
  }
  return points;
}

Result<std::vector<Estimate>> PredictLive(std::span<const DeliveredFix> fixes,
                                          const EstimatorOptions& options,
                                          const TraceTimeline& timeline,
                                          std::span<const std::int64_t> instants) {
  Result<Estimator> created = Estimator::Create(options);
  if (!created.ok()) return created.status();
  Estimator estimator = std::move(created).value();
  std::vector<Estimate> estimates;
  estimates.reserve(instants.size());
  std::size_t next = 0;
  for (const std::int64_t t : instants) {
    const MonoTime now = ToMono(timeline, t);
    while (next < fixes.size() && fixes[next].arrival.mono <= now) {
      estimator.Update(fixes[next].fix, fixes[next].arrival);
      ++next;
    }
    if (const std::optional<Estimate> e = estimator.Predict(now)) estimates.push_back(*e);
  }
  return estimates;
}

std::vector<Estimate> Sample(const SmoothedTrack& track, const TraceTimeline& timeline,
                             std::span<const std::int64_t> instants) {
  std::vector<Estimate> estimates;
  estimates.reserve(instants.size());
  for (const std::int64_t t : instants) {
    if (const std::optional<Estimate> e = track.At(ToMono(timeline, t))) estimates.push_back(*e);
  }
  return estimates;
}

namespace {

template <typename Estimates>
std::vector<TrackPoint> ToPoints(const Estimates& estimates, const TraceTimeline& timeline) {
  std::vector<TrackPoint> points;
  points.reserve(estimates.size());
  for (const Estimate& e : estimates) points.push_back(ToTrackPoint(e, ToUtcMs(timeline, e.time)));
  return points;
}

}  // namespace

std::vector<TrackPoint> ToTrackPoints(std::span<const Estimate> estimates,
                                      const TraceTimeline& timeline) {
  return ToPoints(estimates, timeline);
}

std::vector<TrackPoint> ToTrackPoints(const SmoothedTrack::Knots& knots,
                                      const TraceTimeline& timeline) {
  return ToPoints(knots, timeline);
}

}  // namespace waymark::replay
