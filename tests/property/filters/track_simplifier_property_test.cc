// The simplifier against its own promise, computed another way, on random walks and drives.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

#include "filters/track_simplifier.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::seconds;

// A track that turns, brakes and stops as it likes.
std::vector<Estimate> AnyTrack() {
  const int n = *rc::gen::inRange(2, 600);
  const LatLon origin{*rc::gen::element(0.0, 60.0, -89.99, 89.99),
                      *rc::gen::element(0.0, 179.999, -179.999)};
  const LocalFrame frame(origin);
  std::uint64_t state = *rc::gen::arbitrary<std::uint64_t>();
  const auto noise = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(static_cast<std::int64_t>(state)) * 0x1p-63;
  };
  const double wild = *rc::gen::element(0.0, 0.1, 1.0, 10.0);
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
