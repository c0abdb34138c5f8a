#include "replay_tool/baselines.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "replay_tool/random.h"
#include "waymark/geometry.h"

namespace waymark::replay {
namespace {

constexpr LatLon kHome{50.1, 8.7};
constexpr double kDefaultM = 10;

DeliveredFix At(double t_s, LatLon position, std::optional<double> accuracy_m = 5,
                std::optional<double> speed_mps = std::nullopt,
                std::optional<double> course_deg = std::nullopt) {
  DeliveredFix d;
  d.fix.time = MonoTime(FromSeconds(t_s));
  d.fix.utc = UtcTime(std::chrono::milliseconds(std::llround(t_s * 1000)));
  d.fix.position = position;
  d.fix.horizontal_accuracy_m = accuracy_m;
  d.fix.speed_mps = speed_mps;
  d.fix.course_deg = course_deg;
  d.arrival = {d.fix.time, *d.fix.utc};
  return d;
}

std::vector<std::int64_t> Times(const std::vector<TrackPoint>& points) {
  std::vector<std::int64_t> times;
  for (const TrackPoint& p : points) times.push_back(p.utc_ms / 1000);
  return times;
}

LatLon East(double m) { return Destination(kHome, 90, m); }

TEST(Peers, EveryNameFindsItsPeer) {
  for (const PeerName& n : PeerNames()) EXPECT_EQ(PeerFromName(n.name), n.peer);
  EXPECT_FALSE(PeerFromName("kalman"));
  EXPECT_FALSE(PeerFromName(""));
}

TEST(Peers, NoneMindsAnEmptyTrace) {
  for (const PeerName& n : PeerNames()) {
    EXPECT_TRUE(RunPeer(n.peer, {}, kDefaultM).live.empty()) << n.name;
  }
}

TEST(RawPeer, ReturnsTheFixes) {
  const std::vector<DeliveredFix> fixes{At(0, East(0)), At(1, East(10)), At(1, East(500))};
  const PeerTrack track = RunPeer(Peer::kRaw, fixes, kDefaultM);
  ASSERT_EQ(track.live.size(), 3U);
  EXPECT_EQ(track.live[2].position, fixes[2].fix.position);
}

TEST(GatePeer, DropsCoarseAndImpossibleFixesAndHoldsTheLast) {
  const std::vector<DeliveredFix> fixes{
      At(0, East(0), 101),   // too coarse
      At(1, East(10), 100),  // the limit is good
      At(2, East(80)),       // 70 m/s
      At(3, East(125)),      // 57.5 m/s from the last accepted
      At(3, East(126)),      // no time passed
      At(4, East(150)),
  };
  const PeerTrack track = RunPeer(Peer::kGate, fixes, kDefaultM);
  EXPECT_EQ(Times(track.track), (std::vector<std::int64_t>{1, 3, 4}));
  EXPECT_EQ(Times(track.live), (std::vector<std::int64_t>{1, 2, 3, 3, 4}));
  EXPECT_EQ(track.live[1].position, fixes[1].fix.position);
}

TEST(OrganicPeer, FollowsItsRules) {
  const std::vector<DeliveredFix> fixes{
      At(0, East(0), 5, 10, 90),     // the first is taken
      At(1, East(10), 5, 10, 90),    // closer than 15 m
      At(2, East(20), 5, 10, 90),    // good
      At(3, East(40), 251, 20, 90),  // coarse
      At(4, East(60), 5, 20, 90),    // good
      At(5, East(103), 5, 20, 90),   // 43 m/s after 20: too much acceleration
      At(6, East(100), 5, 20, 90),   // turned back by 180 degrees
      At(7, Destination(East(100), 0, 16), 5, std::nullopt),  // no speed
      At(8, East(80), 5, 20, 270),                            // straight on from 103 over 100 to 80
  };
  const PeerTrack track = RunPeer(Peer::kOrganic, fixes, kDefaultM);
  // At 8 s the step is 20 m after one of 3 m: longer than max(15 m, 6 m).
  EXPECT_EQ(Times(track.track), (std::vector<std::int64_t>{0, 2, 4}));
}

TEST(OrganicPeer, RefusesIntersectingDiscsUnlessTheNewOneIsMuchBetter) {
  const std::vector<DeliveredFix> worse{At(0, East(0), 60, 10, 90), At(5, East(20), 40, 10, 90)};
  EXPECT_EQ(RunPeer(Peer::kOrganic, worse, kDefaultM).track.size(), 1U);
  const std::vector<DeliveredFix> better{At(0, East(0), 60, 10, 90), At(5, East(20), 20, 10, 90)};
  EXPECT_EQ(RunPeer(Peer::kOrganic, better, kDefaultM).track.size(), 2U);
}

// A drive at 30 m/s with one spike: the spike and the fix after it are dropped, as GPSBabel does.
TEST(GpsbabelPeer, RecoversAfterASpike) {
  std::vector<DeliveredFix> fixes;
  for (int t = 0; t < 20; ++t) fixes.push_back(At(t, East(30.0 * t + (t == 10 ? 400 : 0))));
  const PeerTrack track = RunPeer(Peer::kGpsbabel, fixes, kDefaultM);
  std::vector<std::int64_t> expected;
  for (int t = 0; t < 20; ++t) {
    // 10 is the spike; 11 is far from it; 12 is the first good one and still dropped.
    if (t < 10 || t > 12) expected.push_back(t);
  }
  EXPECT_EQ(Times(track.track), expected);
  for (const TrackPoint& p : track.track) {
    EXPECT_NEAR(DistanceM(p.position, East(30.0 * static_cast<double>(p.utc_ms) / 1000)), 0, 0.01);
  }
}

TEST(GpsbabelPeer, TheWalkingProfileAllowsTwoMetresASecond) {
  std::vector<DeliveredFix> fixes;
  for (int t = 0; t < 20; ++t) fixes.push_back(At(t, East(1.3 * t + (t == 10 ? 4 : 0))));
  EXPECT_EQ(RunPeer(Peer::kGpsbabel, fixes, kDefaultM).track.size(), 17U);
}

// Dense oracle: the same model with full matrices in the plane, state (e, n, ve, vn), and a joint
// measurement of position and velocity.
class DenseCv {
 public:
  using Matrix = std::array<std::array<double, 4>, 4>;

  void Reset(double e, double n, double ve, double vn, double r, double rv) {
    x_ = {e, n, ve, vn};
    p_ = {};
    p_[0][0] = p_[1][1] = r;
    p_[2][2] = p_[3][3] = rv;
  }
  void Predict(double dt) {
    Matrix f{};
    for (std::size_t i = 0; i < 4; ++i) f[i][i] = 1;
    f[0][2] = f[1][3] = dt;
    x_ = {x_[0] + dt * x_[2], x_[1] + dt * x_[3], x_[2], x_[3]};
    p_ = Times(Times(f, p_), Transposed(f));
    for (std::size_t a = 0; a < 2; ++a) {
      p_[a][a] += dt * dt * dt / 3;
      p_[a][a + 2] += dt * dt / 2;
      p_[a + 2][a] += dt * dt / 2;
      p_[a + 2][a + 2] += dt;
    }
  }
  // One component at a time, which is exact for independent noise.
  void Update(std::size_t component, double z, double r) {
    const double s = p_[component][component] + r;
    std::array<double, 4> k{};
    for (std::size_t i = 0; i < 4; ++i) k[i] = p_[i][component] / s;
    const double e = z - x_[component];
    Matrix i_kh{};
    for (std::size_t i = 0; i < 4; ++i) {
      x_[i] += k[i] * e;
      i_kh[i][i] = 1;
      i_kh[i][component] -= k[i];
    }
    p_ = Times(Times(i_kh, p_), Transposed(i_kh));  // Joseph
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 4; ++j) p_[i][j] += k[i] * r * k[j];
    }
  }
  const std::array<double, 4>& x() const { return x_; }
  const Matrix& p() const { return p_; }

 private:
  static Matrix Times(const Matrix& a, const Matrix& b) {
    Matrix c{};
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 4; ++j) {
        for (std::size_t k = 0; k < 4; ++k) c[i][j] += a[i][k] * b[k][j];
      }
    }
    return c;
  }
  static Matrix Transposed(const Matrix& a) {
    Matrix t{};
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < 4; ++j) t[i][j] = a[j][i];
    }
    return t;
  }
  std::array<double, 4> x_{};
  Matrix p_{};
};

TEST(CvPeer, AgreesWithADenseFilter) {
  Random random(9);
  const LocalFrame frame(kHome);
  std::vector<DeliveredFix> fixes;
  DenseCv dense;
  std::vector<EastNorth> expected;
  std::vector<double> variance;
  double t = 0;
  for (int i = 0; i < 60; ++i) {
    const double dt = i == 0 ? 0 : random.Uniform(0.5, 3);
    t = std::round((t + dt) * 1000) / 1000;
    const EastNorth z{6 * t + random.Normal(), 3 * t + random.Normal()};
    const double ve = 6 + 0.2 * random.Normal(), vn = 3 + 0.2 * random.Normal();
    const double accuracy_m = random.Uniform(3, 12);
    const bool with_velocity = random.Chance(0.6);
    const double course = std::atan2(ve, vn) * 180 / M_PI;
    DeliveredFix d = At(t, frame.FromLocal(z), accuracy_m);
    if (with_velocity) {
      d.fix.speed_mps = std::hypot(ve, vn);
      d.fix.course_deg = course;
      d.fix.speed_accuracy_mps = 0.4;
    }
    fixes.push_back(d);
    const double r = std::pow(accuracy_m / 1.5096, 2);
    if (i == 0) {
      dense.Reset(z.east_m, z.north_m, with_velocity ? ve : 0, with_velocity ? vn : 0, r,
                  with_velocity ? 0.16 : 25);
    } else {
      dense.Predict(Seconds(fixes[fixes.size() - 1].fix.time - fixes[fixes.size() - 2].fix.time));
      dense.Update(0, z.east_m, r);
      dense.Update(1, z.north_m, r);
      if (with_velocity) {
        dense.Update(2, ve, 0.16);
        dense.Update(3, vn, 0.16);
      }
    }
    expected.push_back({dense.x()[0], dense.x()[1]});
    variance.push_back(dense.p()[0][0]);
  }
  const PeerTrack track = RunPeer(Peer::kCv, fixes, kDefaultM);
  ASSERT_EQ(track.live.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const EastNorth p = frame.ToLocal(track.live[i].position);
    // The dense filter takes north for the same direction everywhere; 700 m east of the frame's
    // origin it has turned by 1e-4 rad, and the velocity with it.
    EXPECT_NEAR(p.east_m, expected[i].east_m, 0.01) << i;
    EXPECT_NEAR(p.north_m, expected[i].north_m, 0.01) << i;
    EXPECT_NEAR(track.live[i].covariance->ee / variance[i], 1, 1e-9) << i;
  }
}

TEST(CvPeer, WorksOverThePole) {
  std::vector<DeliveredFix> fixes;
  for (int t = 0; t <= 200; ++t) {
    fixes.push_back(At(t, Destination({89.999, 20}, 0, 2.0 * t)));  // 111 m from the pole
  }
  const PeerTrack track = RunPeer(Peer::kCv, fixes, kDefaultM);
  for (std::size_t i = 20; i < track.live.size(); ++i) {
    EXPECT_NEAR(DistanceM(track.live[i].position, fixes[i].fix.position), 0, 0.05) << i;
  }
}

TEST(CvGatePeer, IgnoresASpikeAndFollowsAMove) {
  std::vector<DeliveredFix> fixes;
  for (int t = 0; t < 60; ++t) {
    const double jump_m = t == 20 ? 800 : t >= 30 ? 500 : 0;
    fixes.push_back(At(t, Destination(East(10.0 * t), 0, jump_m)));
  }
  const PeerTrack gated = RunPeer(Peer::kCvGate, fixes, kDefaultM);
  const PeerTrack plain = RunPeer(Peer::kCv, fixes, kDefaultM);
  EXPECT_LT(DistanceM(gated.live[20].position, East(200)), 5);
  EXPECT_GT(DistanceM(plain.live[20].position, East(200)), 50);
  EXPECT_LT(DistanceM(gated.live[59].position, fixes[59].fix.position), 5);
}

TEST(CvPeer, LooksOverRepeatedAndBackwardTimes) {
  const std::vector<DeliveredFix> fixes{At(10, East(0)), At(10, East(300)), At(9, East(300)),
                                        At(11, East(0))};
  const PeerTrack track = RunPeer(Peer::kCv, fixes, kDefaultM);
  ASSERT_EQ(track.live.size(), 4U);
  EXPECT_LT(DistanceM(track.live[2].position, kHome), 1);
}

}  // namespace
}  // namespace waymark::replay
