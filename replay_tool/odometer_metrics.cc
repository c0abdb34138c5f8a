#include "replay_tool/odometer_metrics.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "replay_tool/metrics_json.h"

namespace waymark::replay {
namespace {

double At(std::span<const OdometerSample> samples, std::int64_t utc_ms) {
  const auto after =
      std::upper_bound(samples.begin(), samples.end(), utc_ms,
                       [](std::int64_t t, const OdometerSample& s) { return t < s.utc_ms; });
  return after == samples.begin() ? 0 : std::prev(after)->distance_m;
}

}  // namespace

void JudgeOdometer(std::span<const OdometerSample> samples, const TruthTrack& truth, double bound_m,
                   nlohmann::ordered_json& json) {
  if (samples.empty()) return;
  const std::int64_t from = std::max(samples.front().utc_ms, truth.span().begin_ms);
  const std::int64_t to = std::min(samples.back().utc_ms, truth.span().end_ms);
  if (to <= from) return;
  const double truth_m = truth.LengthBetweenM(from, to);
  json["truth_distance_m"] = Rounded(truth_m, 3);
  const double ours_m = At(samples, to) - At(samples, from);
  json["judged_distance_m"] = Rounded(ours_m, 3);
  if (truth_m >= 10) json["error_fraction"] = Rounded(ours_m / truth_m - 1, 6);
  json["within_bound"] = std::abs(ours_m - truth_m) <= bound_m;
}

double OdometerWithinM(std::span<const OdometerSample> samples, std::span<const Span> rests) {
  double sum_m = 0;
  for (const Span& s : rests) sum_m += At(samples, s.end_ms) - At(samples, s.begin_ms);
  return sum_m;
}

}  // namespace waymark::replay
