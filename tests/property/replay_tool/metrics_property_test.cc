// The metrics against brute force, and under transformations that must not change them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "replay_tool/accuracy.h"
#include "replay_tool/path_metrics.h"
#include "replay_tool/polyline_index.h"
#include "replay_tool/random.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

struct Pair {
  std::vector<TruthPoint> truth;
  std::vector<TrackPoint> track;
};

// A random walk and a disturbed copy of it, `n` seconds long.
Pair RandomPair(std::uint64_t seed, LatLon home, int n) {
  Random random(seed);
  Pair pair;
  LatLon here = home;
  double course = random.Uniform(0, 360);
  for (int s = 0; s < n; ++s) {
    course += 20 * random.Normal();
    here = Destination(here, course, random.Uniform(0, 15));
    pair.truth.push_back({s * 1000, here});
    TrackPoint p;
    p.utc_ms = s * 1000;
    p.position =
        Destination(here, random.Uniform(0, 360), random.Exponential(random.Chance(0.1) ? 80 : 4));
    pair.track.push_back(p);
  }
  return pair;
}

// The whole table, or of it what lies within `band` of the diagonal.
double FullFrechet(const std::vector<Vec3>& a, const std::vector<Vec3>& b,
                   std::size_t band = 1'000'000) {
  std::vector<std::vector<double>> c(
      a.size(), std::vector<double>(b.size(), std::numeric_limits<double>::infinity()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < b.size(); ++j) {
      if (i > j + band || j > i + band) continue;
      double best = std::numeric_limits<double>::infinity();
      if (i == 0 && j == 0) best = 0;
      if (i > 0) best = std::min(best, c[i - 1][j]);
      if (j > 0) best = std::min(best, c[i][j - 1]);
      if (i > 0 && j > 0) best = std::min(best, c[i - 1][j - 1]);
      c[i][j] = std::max(best, Norm(a[i] - b[j]));
    }
  }
  return c.back().back();
}

double PointToLine(Vec3 p, const std::vector<Vec3>& line) {
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    const Vec3 d = line[i + 1] - line[i];
    const double length2 = Dot(d, d);
    const double u = length2 > 0 ? std::clamp(Dot(p - line[i], d) / length2, 0.0, 1.0) : 0;
    best = std::min(best, Norm(p - (line[i] + u * d)));
  }
  return best;
}

double DirectedHausdorff(const std::vector<Vec3>& points, const std::vector<Vec3>& line) {
  double farthest = 0;
  for (const Vec3& p : points) farthest = std::max(farthest, PointToLine(p, line));
  return farthest;
}

TEST(PathMetrics, AgreeWithBruteForce) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const LatLon home = seed % 3 == 0   ? LatLon{89.9995, 10}
                        : seed % 3 == 1 ? LatLon{-17, 179.9999}
                                        : LatLon{48, 11};
    const Pair pair = RandomPair(seed, home, 31);  // within the band: the whole table
    std::vector<Vec3> a, b;
    for (const TrackPoint& p : pair.track) a.push_back(ToEcef(p.position));
    for (const TruthPoint& p : pair.truth) b.push_back(ToEcef(p.position));
    const PathSummary s = *ComparePath(TrackCurve(pair.track, Interpolation::kLinear),
                                       TruthTrack::Create(pair.truth).value());
    EXPECT_NEAR(s.frechet_m, FullFrechet(a, b), 1e-6) << "seed " << seed;
    EXPECT_NEAR(s.hausdorff_track_to_truth_m, DirectedHausdorff(a, b), 1e-6) << "seed " << seed;
    EXPECT_NEAR(s.hausdorff_truth_to_track_m, DirectedHausdorff(b, a), 1e-6) << "seed " << seed;
    EXPECT_GE(s.frechet_m, s.hausdorff_track_to_truth_m - 1e-6);
    const TrackErrors e = MeasureErrors(pair.track, TruthTrack::Create(pair.truth).value());
    EXPECT_LE(s.frechet_m, *std::max_element(e.error_m.begin(), e.error_m.end()) + 1e-3);
  }
}

TEST(PathMetrics, TheFrechetDistanceAllowsALagOfThirtyInstants) {
  bool band_matters = false;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair = RandomPair(seed, {48, 11}, 150);
    // The track falls ever further behind, up to 40 s.
    for (std::size_t i = pair.track.size(); i-- > 0;) {
      pair.track[i].position = pair.track[i - i * 40 / pair.track.size()].position;
    }
    std::vector<Vec3> a, b;
    for (const TrackPoint& p : pair.track) a.push_back(ToEcef(p.position));
    for (const TruthPoint& p : pair.truth) b.push_back(ToEcef(p.position));
    const PathSummary s = *ComparePath(TrackCurve(pair.track, Interpolation::kLinear),
                                       TruthTrack::Create(pair.truth).value());
    EXPECT_NEAR(s.frechet_m, FullFrechet(a, b, 30), 1e-6) << "seed " << seed;
    band_matters = band_matters || FullFrechet(a, b) < s.frechet_m - 1;
  }
  EXPECT_TRUE(band_matters);
}

TEST(PolylineIndexProperty, FindsTheNearestOfManySegments) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Pair pair = RandomPair(seed, {0, -179.99}, 3000);
    std::vector<Vec3> line;
    for (const TruthPoint& p : pair.truth) line.push_back(ToEcef(p.position));
    const PolylineIndex index(line);
    Random random(seed + 1000);
    for (int i = 0; i < 300; ++i) {
      const LatLon from = pair.truth[random.Index(pair.truth.size())].position;
      const Vec3 p =
          ToEcef(Destination(from, random.Uniform(0, 360), std::exp(random.Uniform(-3, 13))));
      EXPECT_NEAR(index.DistanceM(p), PointToLine(p, line), 1e-6) << "seed " << seed;
      // "Enough" may stop early but never lies on the wrong side.
      const double exact = PointToLine(p, line);
      const double bounded = index.DistanceM(p, 50);
      EXPECT_TRUE(exact > 50 ? std::abs(bounded - exact) < 1e-6 : bounded <= 50);
    }
  }
}

// On laps that lie upon each other some points stand for others; what lies out is still found.
TEST(PathMetrics, LapsUponEachOther) {
  constexpr std::size_t kLaps = 500, kPerLap = 100, kPoints = kLaps * kPerLap;
  const auto on_ring = [](std::size_t point, double radius_m) {
    return Destination({48, 11}, 360.0 * static_cast<double>(point) / kPerLap, radius_m);
  };
  Random random(1);
  Pair laps;
  for (std::size_t i = 0; i < kPoints; ++i) {
    laps.truth.push_back({static_cast<std::int64_t>(i) * 1000, on_ring(i, 200)});
    TrackPoint p;
    p.utc_ms = laps.truth[i].utc_ms;
    p.position = Destination(laps.truth[i].position, random.Uniform(0, 360), random.Uniform(0, 2));
    laps.track.push_back(p);
  }
  // The widest bound: late by 50 m, but on the line.
  laps.track[kPoints / 2].position = on_ring(kPoints / 2 - 4, 200);
  std::vector<Vec3> line, lap;
  for (const TrackPoint& p : laps.track) line.push_back(ToEcef(p.position));
  for (std::size_t i = 0; i < kPerLap; ++i) lap.push_back(ToEcef(laps.truth[i].position));
  const double exact_m = DirectedHausdorff(lap, line);
  const TrackCurve track(laps.track, Interpolation::kLinear);
  const auto found_m = [&](const std::vector<TruthPoint>& points) {
    const TruthTrack truth = TruthTrack::Create(points).value();
    return ComparePath(track, truth, LineOf(truth))->hausdorff_truth_to_track_m;
  };
  EXPECT_NEAR(found_m(laps.truth), exact_m, 1e-3);
  // Late, when points stand for others already, the truth goes where the track does not.
  for (std::size_t out = kPoints - 5; out < kPoints; ++out) {
    std::vector<TruthPoint> points = laps.truth;
    points[out].position = on_ring(out, 240);
    EXPECT_NEAR(found_m(points), PointToLine(ToEcef(points[out].position), line), 1e-3) << out;
  }
}

TEST(PolylineIndexProperty, OnePointIsALine) {
  const PolylineIndex index({ToEcef({10, 10})});
  EXPECT_NEAR(index.DistanceM(ToEcef({10, 10})), 0, 1e-9);
}

TEST(DivideGeodesics, StaysOnTheEllipsoid) {
  const std::vector<LatLon> line{{50, 8}, {60, 25}};
  const PolylineIndex index(DivideGeodesics(line));
  const GeodesicLine g = Inverse(line[0], line[1]);
  for (double share = 0; share <= 1; share += 0.05) {
    const LatLon on = Destination(line[0], g.azimuth_deg, share * g.distance_m);
    EXPECT_LT(index.DistanceM(ToEcef(on)), 0.05);
  }
}

// Half a turn of the globe and a mirrored hemisphere change no error.
TEST(Errors, DoNotDependOnWhereTheTraceLies) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Pair pair = RandomPair(seed, {48, 11}, 200);
    const auto summary = [](const Pair& p) {
      const TrackErrors e = MeasureErrors(p.track, TruthTrack::Create(p.truth).value());
      return Summarise(e.error_m, e.times_s, 1);
    };
    const AccuracySummary here = summary(pair);
    const auto moved = [&](auto&& move) {
      Pair other = pair;
      for (TruthPoint& p : other.truth) p.position = move(p.position);
      for (TrackPoint& p : other.track) p.position = move(p.position);
      return summary(other);
    };
    const AccuracySummary round =
        moved([](LatLon p) { return *LatLon::FromDegrees(p.lat_deg, p.lon_deg + 169.0); });
    const AccuracySummary mirrored = moved([](LatLon p) { return LatLon{-p.lat_deg, p.lon_deg}; });
    for (const AccuracySummary& other : {round, mirrored}) {
      EXPECT_NEAR(other.p50_m, here.p50_m, 1e-6);
      EXPECT_NEAR(other.p95_m, here.p95_m, 1e-6);
      EXPECT_NEAR(other.rmse_m, here.rmse_m, 1e-6);
      EXPECT_NEAR(other.max_m, here.max_m, 1e-6);
    }
  }
}

// A true covariance gives NEES 2 and nominal coverage: the calibration figures are themselves
// calibrated.
TEST(Calibration, OfAHonestTrackIsNominal) {
  Random random(31);
  std::vector<TruthPoint> truth;
  std::vector<TrackPoint> track;
  for (int s = 0; s < 20'000; ++s) {
    const LatLon here = Destination({48, 11}, 70, 12.0 * s);
    truth.push_back({s * 1000, here});
    // Errors with a tilted ellipse: e = L z.
    const double l11 = 3, l21 = 1.5, l22 = 1;
    const double z1 = random.Normal(), z2 = random.Normal();
    const double east = l11 * z1, north = l21 * z1 + l22 * z2;
    TrackPoint p;
    p.utc_ms = s * 1000;
    p.position = Destination(here, std::atan2(east, north) * 180 / M_PI, std::hypot(east, north));
    p.covariance = TrackPoint::Covariance{l11 * l11, l11 * l21, l21 * l21 + l22 * l22};
    p.r68_m = 1;
    track.push_back(p);
  }
  const TrackErrors e = MeasureErrors(track, TruthTrack::Create(truth).value());
  const CalibrationSummary s = *SummariseCalibration(e.claims, 1);
  EXPECT_NEAR(*s.nees_mean, 2, 5 * 2 / std::sqrt(20'000));
  EXPECT_NEAR(*s.ellipse_coverage68, 0.68, 0.017);
  EXPECT_NEAR(*s.ellipse_coverage95, 0.95, 0.008);
}

}  // namespace
}  // namespace waymark::replay
