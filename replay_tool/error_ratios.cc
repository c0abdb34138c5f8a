#include "replay_tool/error_ratios.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace waymark::replay {
namespace {

void Lay(std::span<const double> times_s, std::span<const double> values,
         std::span<const std::int64_t> instants, std::vector<float>& at) {
  if (values.empty() || instants.empty()) return;
  at.resize(instants.size(), std::numeric_limits<float>::quiet_NaN());
  std::size_t k = 0;  // values come nearly in order of time: look beside the last place
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int64_t t = std::llround(times_s[i] * 1e3);
    if (k + 1 < instants.size() && instants[k + 1] == t) {
      ++k;
    } else if (instants[k] != t) {
      const auto found = std::lower_bound(instants.begin(), instants.end(), t);
      if (found == instants.end() || *found != t) continue;
      k = static_cast<std::size_t>(found - instants.begin());
    }
    at[k] = static_cast<float>(values[i]);
  }
}

// What both have.
struct Pairs {
  std::vector<double> ours, theirs;

  Pairs(std::span<const float> a, std::span<const float> b) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      if (std::isnan(a[i]) || std::isnan(b[i])) continue;
      ours.push_back(static_cast<double>(a[i]));
      theirs.push_back(static_cast<double>(b[i]));
    }
  }
};

std::optional<double> Ratio(double ours, double theirs) {
  if (!(theirs > 0)) return std::nullopt;
  return ours / theirs;
}

double SumOfSquares(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return sum;
}

constexpr std::array<double, 2> kProbabilities{0.50, 0.95};

}  // namespace

void ErrorsAtInstants::Add(const TrackErrors& errors, std::span<const std::int64_t> instants) {
  Lay(errors.times_s, errors.error_m, instants, error_m_);
  Lay(errors.cross_times_s, errors.cross_m, instants, cross_m_);
}

ErrorRatios CompareErrors(const ErrorsAtInstants& ours, const ErrorsAtInstants& theirs) {
  ErrorRatios r;
  Pairs cross(ours.cross_m(), theirs.cross_m());
  if (!cross.ours.empty()) {
    r.n = cross.ours.size();
    const auto a = Quantiles(std::span<double>(cross.ours), kProbabilities);
    const auto b = Quantiles(std::span<double>(cross.theirs), kProbabilities);
    r.cross_track_p50 = Ratio(a[0], b[0]);
    r.cross_track_p95 = Ratio(a[1], b[1]);
  }
  Pairs error(ours.error_m(), theirs.error_m());
  if (error.ours.empty()) return r;
  r.n = error.ours.size();
  r.rmse = Ratio(std::sqrt(SumOfSquares(error.ours)), std::sqrt(SumOfSquares(error.theirs)));
  const auto a = Quantiles(std::span<double>(error.ours), kProbabilities);
  const auto b = Quantiles(std::span<double>(error.theirs), kProbabilities);
  r.p50 = Ratio(a[0], b[0]);
  r.p95 = Ratio(a[1], b[1]);
  r.max = Ratio(*std::max_element(error.ours.begin(), error.ours.end()),
                *std::max_element(error.theirs.begin(), error.theirs.end()));
  r.score = Ratio(a[0] + a[1], b[0] + b[1]);
  return r;
}

}  // namespace waymark::replay
