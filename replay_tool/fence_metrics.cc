// The truth's crossings: signs of its signed distance to each fence, at its points, with the time
// interpolated where the sign changes. A fence whose distance exceeds the way to a later point
// cannot change before it, so that far fences cost a few evaluations each.
#include "replay_tool/fence_metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "replay_tool/accuracy.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

struct Crossing {
  bool enter = false;
  double time_s = 0;  ///< since the first point of the truth
  bool taken = false;
};

class TruthWalk {
 public:
  explicit TruthWalk(std::span<const TruthPoint> truth) : truth_(truth), way_m_(truth.size(), 0) {
    for (std::size_t i = 1; i < truth.size(); ++i) {
      way_m_[i] = way_m_[i - 1] + DistanceM(truth[i - 1].position, truth[i].position);
    }
  }

  double TimeS(std::size_t i) const {
    return static_cast<double>(truth_[i].utc_ms - truth_[0].utc_ms) * 1e-3;
  }

  std::vector<Crossing> Cross(const FenceGeometry& fence, double min_depth_m) const {
    std::vector<Crossing> out;
    std::size_t i = 0;
    double d = fence.SignedDistanceM(truth_[0].position);
    bool inside = d < 0;
    if (inside) out.push_back({true, 0});
    bool pending = false;  // crossed, but not yet deep enough
    double pending_s = 0;
    while (true) {
      // Everything up to here is too near to change the side: jump over it. The step before the
      // first point out of reach is the next to look at.
      std::size_t next = i + 1;
      const double free = way_m_[i] + std::fabs(d);
      while (next < truth_.size() && way_m_[next] < free) ++next;
      if (next >= truth_.size()) return out;
      if (next > i + 1) {
        i = next - 1;
        d = fence.SignedDistanceM(truth_[i].position);
        if (way_m_[i] + std::fabs(d) > way_m_[next]) continue;
      }
      const double d_next = fence.SignedDistanceM(truth_[next].position);
      if ((d_next < 0) != (d < 0)) {
        const double share = std::fabs(d) / std::max(std::fabs(d) + std::fabs(d_next), 1e-9);
        const double at = TimeS(i) + share * (TimeS(next) - TimeS(i));
        pending = (d_next < 0) != inside;
        pending_s = at;
      }
      if (pending && (d_next < 0) != inside && std::fabs(d_next) >= min_depth_m) {
        inside = !inside;
        out.push_back({inside, pending_s});
        pending = false;
      }
      i = next;
      d = d_next;
    }
  }

 private:
  std::span<const TruthPoint> truth_;
  std::vector<double> way_m_;
};

}  // namespace

FenceMetrics MeasureFences(std::span<const Geofence> fences, std::span<const FenceEvent> events,
                           std::span<const TruthPoint> truth, const FenceMetricsOptions& options) {
  FenceMetrics metrics;
  if (truth.size() < 2) return metrics;
  const TruthWalk walk(truth);
  std::map<std::string, std::vector<Crossing>, std::less<>> crossings;
  for (const Geofence& fence : fences) {
    const auto geometry = FenceGeometry::Create(fence.shape);
    if (!geometry.ok()) continue;
    auto found = walk.Cross(geometry.value(), options.min_depth_m);
    metrics.true_crossings += found.size();
    if (!found.empty()) crossings.try_emplace(fence.id, std::move(found));
  }
  const double end_s = walk.TimeS(truth.size() - 1);
  std::vector<double> latencies, errors;
  for (const FenceEvent& event : events) {
    const bool enter = event.transition == FenceTransition::kEnter;
    if (!enter && event.transition != FenceTransition::kExit) continue;
    if (!event.utc) continue;
    const auto since_start_s = [&](UtcTime utc) {
      return static_cast<double>(utc.time_since_epoch().count() - truth[0].utc_ms) * 1e-3;
    };
    const double decided_s = since_start_s(*event.utc);
    const double crossed_s = since_start_s(event.crossing_utc.value_or(*event.utc));
    if (crossed_s < -options.match_window_s || crossed_s > end_s + options.match_window_s) continue;
    ++metrics.reported;
    const auto it = crossings.find(event.id);
    if (it == crossings.end()) continue;
    Crossing* best = nullptr;
    for (Crossing& c : it->second) {
      if (c.taken || c.enter != enter) continue;
      const double apart = std::fabs(c.time_s - crossed_s);
      if (apart > options.match_window_s) continue;
      if (best == nullptr || apart < std::fabs(best->time_s - crossed_s)) best = &c;
    }
    if (best == nullptr) continue;
    best->taken = true;
    ++metrics.matched;
    latencies.push_back(decided_s - best->time_s);
    errors.push_back(std::fabs(crossed_s - best->time_s));
  }
  const auto share = [](std::size_t part, std::size_t whole) -> std::optional<double> {
    if (whole == 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(whole);
  };
  metrics.precision = share(metrics.matched, metrics.reported);
  metrics.recall = share(metrics.matched, metrics.true_crossings);
  if (!latencies.empty()) {
    metrics.latency_p50_s = Quantile(latencies, 0.5);
    metrics.latency_p95_s = Quantile(latencies, 0.95);
    metrics.crossing_error_p50_s = Quantile(errors, 0.5);
    metrics.crossing_error_p95_s = Quantile(errors, 0.95);
  }
  if (end_s > 0) {
    metrics.flips_per_hour =
        static_cast<double>(metrics.reported - metrics.matched) / (end_s / 3600);
  }
  return metrics;
}

}  // namespace waymark::replay
