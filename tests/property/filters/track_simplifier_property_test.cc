// The simplifier against its own promise, computed another way, on random walks and drives.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <cmath>
#include <optional>
#include <vector>

#include "filters/track_simplifier.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::seconds;

// A track that turns, brakes and stops as it likes. Its positions scatter by
// `scatter_m`.
std::vector<Estimate> AnyTrack(int most = 600, std::optional<double> scatter_m = std::nullopt) {
  const int n = *rc::gen::inRange(2, most);
  const LatLon origin{*rc::gen::element(0.0, 60.0, -89.99, 89.99),
                      *rc::gen::element(0.0, 179.999, -179.999)};
  const LocalFrame frame(origin);
  std::uint64_t state = *rc::gen::arbitrary<std::uint64_t>();
  const auto noise = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(static_cast<std::int64_t>(state)) * 0x1p-63;
  };
  const double wild = scatter_m ? *scatter_m : *rc::gen::element(0.0, 0.1, 1.0, 10.0);
  std::vector<Estimate> track;
  double t = 0, e = 0, m = 0, v = 10, heading = 0, turn = 0;
  for (int i = 0; i < n; ++i) {
    if (noise() > 0.8) turn = 0.3 * noise();
    if (noise() > 0.95) turn = 0;
    v = std::clamp(v + 2 * noise(), 0.0, 30.0);
    const double dt = 1 + (noise() > 0.9 ? 10 * std::abs(noise()) : 0);
    heading += turn * dt;
    e += v * dt * std::sin(heading);
    m += v * dt * std::cos(heading);
    t += dt;
    Estimate x;
    x.time = MonoTime(FromSeconds(t));
    x.position = frame.FromLocal({e + wild * noise(), m + wild * noise()});
    x.velocity_east_mps = v * std::sin(heading);
    x.velocity_north_mps = v * std::cos(heading);
    track.push_back(x);
  }
  return track;
}

// The distance of `p` from the Hermite curve a-b at the time of p, by its definition in time.
double Off(const Estimate& a, const Estimate& b, const Estimate& p) {
  const LocalFrame frame(a.position);
  const EastNorth end = frame.ToLocal(b.position), at = frame.ToLocal(p.position);
  const double dt = Seconds(b.time - a.time), s = Seconds(p.time - a.time) / dt;
  const double h10 = s * s * s - 2 * s * s + s, h01 = -2 * s * s * s + 3 * s * s;
  const double h11 = s * s * s - s * s;
  return std::hypot(h10 * dt * a.velocity_east_mps + h01 * end.east_m +
                        h11 * dt * b.velocity_east_mps - at.east_m,
                    h10 * dt * a.velocity_north_mps + h01 * end.north_m +
                        h11 * dt * b.velocity_north_mps - at.north_m);
}

std::vector<Estimate> Simplify(const std::vector<Estimate>& track,
                               const SimplifierOptions& options) {
  TrackSimplifier simplifier(options);
  std::vector<Estimate> knots;
  for (const Estimate& e : track) simplifier.Push(e, knots);
  simplifier.Flush(knots);
  return knots;
}

RC_GTEST_PROP(TrackSimplifier, KeepsEveryEstimateWithinTheBound, ()) {
  const std::vector<Estimate> track = AnyTrack();
  SimplifierOptions options;
  options.max_error_m = *rc::gen::element(0.5, 5.0, 10.0, 50.0);
  options.min_distance_m = *rc::gen::element(0.0, 20.0);
  const std::vector<Estimate> knots = Simplify(track, options);
  RC_ASSERT(knots.front().time == track.front().time);
  RC_ASSERT(knots.back().time == track.back().time);
  std::size_t k = 0;
  for (const Estimate& p : track) {
    while (k + 2 < knots.size() && knots[k + 1].time < p.time) ++k;
    const double near_m = DistanceM(knots[k].position, p.position);
    const double bound_m = near_m < options.min_distance_m
                               ? std::max(*options.max_error_m, options.min_distance_m)
                               : *options.max_error_m;
    RC_ASSERT(Off(knots[k], knots[k + 1], p) <= bound_m + 1e-6);
  }
  for (std::size_t i = 1; i < knots.size(); ++i) RC_ASSERT(knots[i - 1].time < knots[i].time);
}

// A point of the curve a-b at a fraction of its time, in the plane of `frame`.
EastNorth CurveAt(const Estimate& a, const Estimate& b, const LocalFrame& frame, double s) {
  const EastNorth p = frame.ToLocal(a.position), q = frame.ToLocal(b.position);
  const double dt = Seconds(b.time - a.time), r = 1 - s;
  const double h00 = (1 + 2 * s) * r * r, h01 = s * s * (3 - 2 * s);
  return {h00 * p.east_m + h01 * q.east_m +
              dt * s * r * (r * a.velocity_east_mps - s * b.velocity_east_mps),
          h00 * p.north_m + h01 * q.north_m +
              dt * s * r * (r * a.velocity_north_mps - s * b.velocity_north_mps)};
}

// In space and time: between the estimates too, wherever they are far apart.
RC_GTEST_PROP(TrackSimplifier, KeepsTheCurveBetweenTheEstimatesWithinTheBound, ()) {
  std::vector<Estimate> track = AnyTrack(300, 0.0);
  SimplifierOptions options;
  options.max_error_m = *rc::gen::element(2.0, 10.0, 50.0);
  const std::vector<Estimate> knots = Simplify(track, options);
  std::size_t k = 0;
  for (std::size_t i = 0; i + 1 < track.size(); ++i) {
    while (knots[k + 1].time <= track[i].time) ++k;
    // Within a second of real driving the curve strays by a hundredth (track_ablation simplifier).
    if (Seconds(track[i + 1].time - track[i].time) <= 1.5) continue;
    const LocalFrame frame(knots[k].position);
    const double whole_s = Seconds(knots[k + 1].time - knots[k].time);
    for (int part = 1; part < 20; ++part) {
      const double s = part / 20.0;
      const double t_s =
          Seconds(track[i].time - knots[k].time) + s * Seconds(track[i + 1].time - track[i].time);
      const EastNorth ours = CurveAt(knots[k], knots[k + 1], frame, t_s / whole_s);
      const EastNorth dense = CurveAt(track[i], track[i + 1], frame, s);
      // A quarter more: what a cubic can do between the places where it is checked.
      RC_ASSERT(std::hypot(ours.east_m - dense.east_m, ours.north_m - dense.north_m) <=
                1.25 * *options.max_error_m);
    }
  }
}

// Whether the curve a-b passes all between, by brute force.
bool Reaches(const std::vector<Estimate>& track, std::size_t a, std::size_t b, double bound_m) {
  for (std::size_t i = a + 1; i < b; ++i) {
    if (Off(track[a], track[b], track[i]) > bound_m) return false;
  }
  return true;
}

// Estimates a second apart, so that nothing is asked between them.
std::vector<Estimate> EverySecond(std::vector<Estimate> track) {
  for (std::size_t i = 0; i < track.size(); ++i) {
    track[i].time = MonoTime(FromSeconds(static_cast<double>(i)));
  }
  return track;
}

std::vector<std::size_t> IndexOf(const std::vector<Estimate>& knots) {
  std::vector<std::size_t> at;
  for (const Estimate& k : knots) {
    at.push_back(static_cast<std::size_t>(std::llround(Seconds(k.time.time_since_epoch()))));
  }
  return at;
}

// Each knot is the furthest that the curve from the one before can end at: none of the next twelve
// estimates would do.
RC_GTEST_PROP(TrackSimplifier, GoesAsFarAsTheCurveReaches, ()) {
  const std::vector<Estimate> track = EverySecond(AnyTrack(400));
  SimplifierOptions options;
  options.max_error_m = *rc::gen::element(2.0, 10.0, 50.0);
  const std::vector<std::size_t> at = IndexOf(Simplify(track, options));
  for (std::size_t k = 0; k + 1 < at.size(); ++k) {
    for (std::size_t j = at[k + 1] + 1; j < track.size() && j <= at[k + 1] + 12 && j <= at[k] + 240;
         ++j) {
      RC_ASSERT(!Reaches(track, at[k], j, *options.max_error_m - 1e-6));
    }
  }
}

// Against the classic opening window, which ends at the first estimate that it cannot reach.
RC_GTEST_PROP(TrackSimplifier, NeedsNoMoreKnotsThanAnOpeningWindow, ()) {
  const std::vector<Estimate> track = EverySecond(AnyTrack(400));
  SimplifierOptions options;
  options.max_error_m = *rc::gen::element(2.0, 10.0, 50.0);
  std::size_t window = 1, a = 0;
  while (a + 1 < track.size()) {
    std::size_t b = a + 1;
    while (b + 1 < track.size() && Reaches(track, a, b + 1, *options.max_error_m)) ++b;
    a = b;
    ++window;
  }
  // No theorem: a window that reaches further may begin the next worse. Of 60,000 tracks 135 needed
  // one knot more, 11 two or three; a fifth needed fewer, up to 20.
  RC_ASSERT(Simplify(track, options).size() <= window + 2 + window / 8);
}

// Against the fewest that there can be, by dynamic programming. (An opening window has no bound of
// its own: of 40,000 such tracks 7 need one more than two and a quarter of the fewest besides.)
RC_GTEST_PROP(TrackSimplifier, IsNearTheOptimum, ()) {
  const std::vector<Estimate> track = EverySecond(AnyTrack(120, *rc::gen::element(0.0, 0.5, 2.0)));
  SimplifierOptions options;
  options.max_error_m = *rc::gen::element(5.0, 10.0, 50.0);
  std::vector<std::size_t> best(track.size(), track.size());
  best[0] = 1;
  for (std::size_t b = 1; b < track.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      if (best[a] + 1 < best[b] && Reaches(track, a, b, *options.max_error_m)) {
        best[b] = best[a] + 1;
      }
    }
  }
  const std::size_t ours = Simplify(track, options).size();
  RC_ASSERT(ours >= best.back());
  RC_ASSERT(ours <= best.back() + 3 + best.back() / 4);
}

RC_GTEST_PROP(TrackSimplifier, KeepsTheIntervalTheDistanceAndTheGap, ()) {
  const std::vector<Estimate> track = AnyTrack();
  SimplifierOptions options;
  options.max_interval = seconds(*rc::gen::inRange(1, 60));
  options.max_distance_m = *rc::gen::inRange(10, 500);
  options.max_gap = seconds(5);
  const std::vector<Estimate> knots = Simplify(track, options);
  std::size_t k = 0;
  for (std::size_t i = 1; i < track.size(); ++i) {
    while (knots[k].time < track[i - 1].time) ++k;
    // Both ends of a gap are knots.
    if (track[i].time - track[i - 1].time > options.max_gap) {
      RC_ASSERT(knots[k].time == track[i - 1].time);
      RC_ASSERT(knots[k + 1].time == track[i].time);
    }
  }
  // The first estimate beyond a limit is a knot: what lies strictly between two knots is within.
  k = 0;
  for (const Estimate& p : track) {
    while (k + 1 < knots.size() && knots[k + 1].time <= p.time) ++k;
    RC_ASSERT(p.time - knots[k].time < *options.max_interval);
    RC_ASSERT(DistanceM(knots[k].position, p.position) < *options.max_distance_m + 1e-3);
  }
}

RC_GTEST_PROP(TrackSimplifier, GoesOnFromASnapshotAtAnyPoint, ()) {
  const std::vector<Estimate> track = AnyTrack();
  const SimplifierOptions options;
  const std::vector<Estimate> expected = Simplify(track, options);
  TrackSimplifier simplifier(options);
  std::vector<Estimate> knots;
  for (const Estimate& e : track) {
    simplifier.Push(e, knots);
    std::vector<std::byte> image;
    simplifier.Save(image);
    TrackSimplifier restored(options);
    RC_ASSERT(restored.Restore(image).ok());
    simplifier = restored;
    const std::size_t cut = image.size() / 2;
    RC_ASSERT(restored.Restore(std::span(image).first(cut)).code() == Code::kCorruption);
  }
  simplifier.Flush(knots);
  RC_ASSERT(knots.size() == expected.size());
  for (std::size_t i = 0; i < knots.size(); ++i) {
    RC_ASSERT(knots[i].time == expected[i].time);
    RC_ASSERT(knots[i].position == expected[i].position);
  }
}

RC_GTEST_PROP(TrackSimplifier, SurvivesAnyBytesAsASnapshot, ()) {
  const std::vector<Estimate> track = AnyTrack();
  TrackSimplifier simplifier;
  std::vector<Estimate> knots;
  const std::size_t half = track.size() / 2;
  for (std::size_t i = 0; i < half; ++i) simplifier.Push(track[i], knots);
  std::vector<std::byte> image;
  simplifier.Save(image);
  for (int i = *rc::gen::inRange(1, 6); i > 0; --i) {
    image[*rc::gen::inRange<std::size_t>(0, image.size())] ^=
        static_cast<std::byte>(*rc::gen::inRange(1, 256));
  }
  TrackSimplifier other;
  other.Restore(image).Ignore();
  for (std::size_t i = half; i < track.size(); ++i) other.Push(track[i], knots);
  other.Flush(knots);
}

}  // namespace
}  // namespace waymark
