// The simplifier's knots against Douglas-Peucker and against the fewest that there can be.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "bench/track_run.h"
#include "filters/track_simplifier.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"

namespace waymark::track {
namespace {

// Douglas-Peucker with the synchronised distance (TD-TR), the usual peer.
void DouglasPeucker(const std::vector<Estimate>& track, std::size_t a, std::size_t b, double bound,
                    std::size_t* knots) {
  const LocalFrame frame(track[a].position);
  const EastNorth end = frame.ToLocal(track[b].position);
  double worst = 0;
  std::size_t at = a;
  for (std::size_t i = a + 1; i < b; ++i) {
    const double f =
        Seconds(track[i].time - track[a].time) / Seconds(track[b].time - track[a].time);
    const EastNorth p = frame.ToLocal(track[i].position);
    const double d = std::hypot(p.east_m - f * end.east_m, p.north_m - f * end.north_m);
    if (d > worst) worst = d, at = i;
  }
  if (worst <= bound) return;
  ++*knots;
  DouglasPeucker(track, a, at, bound, knots);
  DouglasPeucker(track, at, b, bound, knots);
}

double CurveError(const std::vector<Estimate>& track, std::size_t a, std::size_t b) {
  const LocalFrame frame(track[a].position);
  const EastNorth end = frame.ToLocal(track[b].position);
  const double dt = Seconds(track[b].time - track[a].time);
  double worst = 0;
  for (std::size_t i = a + 1; i < b; ++i) {
    const double s = Seconds(track[i].time - track[a].time) / dt;
    const double h10 = s * (1 - s) * (1 - s) * dt, h01 = s * s * (3 - 2 * s);
    const double h11 = s * s * (s - 1) * dt;
    const EastNorth p = frame.ToLocal(track[i].position);
    const double e = h10 * track[a].velocity_east_mps + h01 * end.east_m +
                     h11 * track[b].velocity_east_mps - p.east_m;
    const double n = h10 * track[a].velocity_north_mps + h01 * end.north_m +
                     h11 * track[b].velocity_north_mps - p.north_m;
    worst = std::max(worst, std::hypot(e, n));
  }
  return worst;
}

// The Hermite curve from a to b at a fraction of its time, in the plane of `frame`.
EastNorth CurveAt(const Estimate& a, const Estimate& b, const LocalFrame& frame, double s) {
  const EastNorth p = frame.ToLocal(a.position), q = frame.ToLocal(b.position);
  const double dt = Seconds(b.time - a.time);
  const double h00 = (1 + 2 * s) * (1 - s) * (1 - s), h10 = s * (1 - s) * (1 - s) * dt;
  const double h01 = s * s * (3 - 2 * s), h11 = s * s * (s - 1) * dt;
  return {
      h00 * p.east_m + h10 * a.velocity_east_mps + h01 * q.east_m + h11 * b.velocity_east_mps,
      h00 * p.north_m + h10 * a.velocity_north_mps + h01 * q.north_m + h11 * b.velocity_north_mps};
}

// The largest distance at equal times between the curve through the knots and the curve through all
// the estimates, ten times between each two of them.
double DenseError(const std::vector<Estimate>& track, std::size_t a, std::size_t b) {
  const LocalFrame frame(track[a].position);
  double worst = 0;
  for (std::size_t i = a; i < b; ++i) {
    for (int k = 1; k <= 10; ++k) {
      const MonoTime t = track[i].time + (track[i + 1].time - track[i].time) * k / 10;
      const double whole = Seconds(t - track[a].time) / Seconds(track[b].time - track[a].time);
      const EastNorth x = CurveAt(track[a], track[b], frame, whole);
      const EastNorth y = CurveAt(track[i], track[i + 1], frame, k / 10.0);
      worst = std::max(worst, std::hypot(x.east_m - y.east_m, x.north_m - y.north_m));
    }
  }
  return worst;
}

// Fewest knots by dynamic programming over segments of up to 240 estimates.
std::size_t Optimum(const std::vector<Estimate>& track, double bound) {
  std::vector<std::size_t> best(track.size(), track.size());
  best[0] = 1;
  for (std::size_t b = 1; b < track.size(); ++b) {
    for (std::size_t a = b; a-- > (b > 240 ? b - 240 : 0);) {
      if (best[a] + 1 < best[b] && CurveError(track, a, b) <= bound) best[b] = best[a] + 1;
    }
  }
  return best.back();
}

}  // namespace

void PrintSimplifier() {
  std::printf("\nKnots of the simplifier at one bound (synchronised), settled estimates at 1 Hz\n");
  std::printf("%-36s %6s %7s %8s %8s %8s %8s %8s\n", "session", "bound", "fixes", "ours", "DP",
              "optimum", "worst m", "dense m");
  for (const Session& s : SurveyedDrives()) {
    if (s.fixes.size() < 1000) continue;
    EstimatorOptions options;
    const auto smooth = SmoothedTrack::Create(s.fixes, options);
    if (!smooth.ok()) continue;
    const std::vector<Estimate> track(smooth.value().knots().begin(), smooth.value().knots().end());
    if (track.size() < 3) continue;
    for (const double bound : {5.0, 10.0, 20.0}) {
      SimplifierOptions simplify;
      simplify.max_error_m = bound;
      simplify.max_gap = std::chrono::hours(24);
      TrackSimplifier simplifier(simplify);
      std::vector<Estimate> knots;
      for (const Estimate& e : track) simplifier.Push(e, knots);
      simplifier.Flush(knots);
      double worst = 0, dense = 0;
      std::size_t at = 0;
      for (std::size_t k = 1; k < knots.size(); ++k) {
        std::size_t to = at;
        while (track[to].time < knots[k].time) ++to;
        worst = std::max(worst, CurveError(track, at, to));
        dense = std::max(dense, DenseError(track, at, to));
        at = to;
      }
      std::size_t dp = 2;
      DouglasPeucker(track, 0, track.size() - 1, bound, &dp);
      std::printf("%-36s %6.0f %7zu %8zu %8zu %8zu %8.2f %8.2f\n", s.name.c_str(), bound,
                  track.size(), knots.size(), dp, Optimum(track, bound), worst, dense);
    }
  }
}

}  // namespace waymark::track
