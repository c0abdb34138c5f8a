#include "replay_tool/truth_track.h"

#include <algorithm>
#include <cmath>

namespace waymark::replay {
namespace {

// Half the base of the central difference that gives the reference's velocity: short against a
// manoeuvre, long against the centimetre noise of a 10 Hz reference.
constexpr std::int64_t kVelocityHalfBaseMs = 500;
constexpr double kStaticBridgeM = 1;
// The speed below which phones report 0 (reference estimation.md, section E).
constexpr double kStandingMps = 0.3;
constexpr double kStandingRadiusM = 2;

double SecondsBetween(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms - from_ms) * 1e-3;
}

}  // namespace

Result<TruthTrack> TruthTrack::Create(std::vector<TruthPoint> points, double max_gap_s) {
  std::stable_sort(points.begin(), points.end(),
                   [](const TruthPoint& a, const TruthPoint& b) { return a.utc_ms < b.utc_ms; });
  points.erase(
      std::unique(points.begin(), points.end(),
                  [](const TruthPoint& a, const TruthPoint& b) { return a.utc_ms == b.utc_ms; }),
      points.end());
  if (points.size() < 2) {
    return Status(Code::kInvalidArgument, "the truth needs at least two instants");
  }
  TruthTrack track;
  const std::size_t n = points.size();
  track.times_ms_.reserve(n);
  track.positions_.reserve(n);
  for (const TruthPoint& p : points) {
    track.times_ms_.push_back(p.utc_ms);
    track.positions_.push_back(ToEcef(p.position));
  }
  const auto& t = track.times_ms_;
  const auto& x = track.positions_;
  track.bridged_.resize(n, 0);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    track.bridged_[i] =
        SecondsBetween(t[i], t[i + 1]) <= max_gap_s || Norm(x[i + 1] - x[i]) <= kStaticBridgeM;
  }
  track.velocities_.resize(n);
  std::size_t from = 0, to = 0;
  for (std::size_t i = 0; i < n; ++i) {
    // The nearest points at least half a base away, or the neighbours, but never over a gap.
    while (from < i && t[i] - t[from + 1] >= kVelocityHalfBaseMs) ++from;
    to = std::max(to, i);
    while (to + 1 < n && track.Bridged(to) && t[to] - t[i] < kVelocityHalfBaseMs) ++to;
    std::size_t begin = from;
    for (std::size_t k = i; k > begin; --k) {
      if (!track.Bridged(k - 1)) begin = k;
    }
    if (to > begin) {
      track.velocities_[i] = (1 / SecondsBetween(t[begin], t[to])) * (x[to] - x[begin]);
    }
  }
  track.cumulative_m_.resize(n, 0);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double h = SecondsBetween(t[i], t[i + 1]);
    const double v0 = Norm(track.velocities_[i]), v1 = Norm(track.velocities_[i + 1]);
    double length = Norm(x[i + 1] - x[i]);
    if (track.Bridged(i) && v0 >= kStandingMps && v1 >= kStandingMps) {
      // Simpson's rule on the speed of the cubic Hermite curve.
      const Vec3 middle =
          (1.5 / h) * (x[i + 1] - x[i]) - 0.25 * (track.velocities_[i] + track.velocities_[i + 1]);
      length = h / 6 * (v0 + 4 * Norm(middle) + v1);
    } else if (v0 < kStandingMps && v1 < kStandingMps && track.Bridged(i)) {
      length = 0;
    }
    track.cumulative_m_[i + 1] = track.cumulative_m_[i] + length;
  }
  return track;
}

std::size_t TruthTrack::Find(std::int64_t utc_ms, Hint& hint) const {
  // Look beside the last answer before searching.
  std::size_t i = std::min(hint.index, times_ms_.size() - 2);
  for (int step = 0; step < 16; ++step) {
    if (times_ms_[i] > utc_ms) {
      if (i == 0) break;
      --i;
    } else if (times_ms_[i + 1] < utc_ms) {
      if (i + 2 >= times_ms_.size()) break;
      ++i;
    } else {
      return hint.index = i;
    }
  }
  const auto after = std::upper_bound(times_ms_.begin(), times_ms_.end(), utc_ms);
  const auto k = static_cast<std::size_t>(after - times_ms_.begin());
  return hint.index = std::clamp<std::size_t>(k, 1, times_ms_.size() - 1) - 1;
}

std::optional<TruthTrack::State> TruthTrack::At(std::int64_t utc_ms, Hint& hint) const {
  if (utc_ms < times_ms_.front() || utc_ms > times_ms_.back()) return std::nullopt;
  const std::size_t i = Find(utc_ms, hint);
  if (utc_ms == times_ms_[i]) return StateAt(i);
  if (utc_ms == times_ms_[i + 1]) return StateAt(i + 1);
  if (!Bridged(i)) return std::nullopt;
  const double u =
      SecondsBetween(times_ms_[i], utc_ms) / SecondsBetween(times_ms_[i], times_ms_[i + 1]);
  return State{positions_[i] + u * (positions_[i + 1] - positions_[i]),
               velocities_[i] + u * (velocities_[i + 1] - velocities_[i])};
}

TruthTrack::State TruthTrack::StateAt(std::size_t i) const {
  const bool alone = !Bridged(i) && (i == 0 || !Bridged(i - 1));
  return {positions_[i], alone ? std::nullopt : std::optional(velocities_[i])};
}

std::vector<Span> TruthTrack::KnownSpans() const {
  std::vector<Span> spans;
  for (std::size_t i = 0; i + 1 < times_ms_.size(); ++i) {
    if (!Bridged(i)) continue;
    if (i == 0 || !Bridged(i - 1)) spans.push_back({times_ms_[i], times_ms_[i]});
    spans.back().end_ms = times_ms_[i + 1];
  }
  return spans;
}

double TruthTrack::LengthBetweenM(std::int64_t from_ms, std::int64_t to_ms) const {
  const auto at = [&](std::int64_t t) {
    t = std::clamp(t, times_ms_.front(), times_ms_.back());
    Hint hint;
    const std::size_t i = Find(t, hint);
    const double u =
        SecondsBetween(times_ms_[i], t) / SecondsBetween(times_ms_[i], times_ms_[i + 1]);
    return cumulative_m_[i] + u * (cumulative_m_[i + 1] - cumulative_m_[i]);
  };
  return to_ms > from_ms ? at(to_ms) - at(from_ms) : 0;
}

std::vector<Span> TruthTrack::StationarySpans(double min_s) const {
  std::vector<Span> spans;
  const std::size_t n = times_ms_.size();
  for (std::size_t i = 0; i < n;) {
    if (Norm(velocities_[i]) >= kStandingMps) {
      ++i;
      continue;
    }
    std::size_t j = i;
    while (j + 1 < n && Bridged(j) && Norm(velocities_[j + 1]) < kStandingMps &&
           Norm(positions_[j + 1] - positions_[i]) <= kStandingRadiusM) {
      ++j;
    }
    if (SecondsBetween(times_ms_[i], times_ms_[j]) >= min_s) {
      spans.push_back({times_ms_[i], times_ms_[j]});
    }
    i = j + 1;
  }
  return spans;
}

}  // namespace waymark::replay
