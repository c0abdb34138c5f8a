// The records of a track say what the odometer says: a rest leaves its anchor, a way is recorded
// whole, whatever the receiver does meanwhile and whenever the process dies.
#include <gtest/gtest.h>

#include <cmath>

#include "support/core_world.h"
#include "support/simulated_drive.h"

namespace waymark::test {
namespace {

using std::chrono::seconds;

constexpr LatLon kHome{50.1109, 8.6821};

// Errors of a street between tall buildings (estimation.md E, canyon): white 3 m, 5 s and 40 s
// coloured of 6 and 8 m per axis, a jump of 10 m + Exp(50 m) a minute for Exp(10 s).
class CanyonErrors {
 public:
  explicit CanyonErrors(std::uint64_t seed) : random_(seed) {}

  EastNorth Next() {
    if (jump_s_ <= 0 && random_.Uniform() < 1.0 / 60) {
      const double far_m = 10 - 50 * std::log(1 - random_.Uniform());
      const double a = random_.Uniform(0, 2 * std::numbers::pi);
      jump_ = {far_m * std::sin(a), far_m * std::cos(a)};
      jump_s_ = -10 * std::log(1 - random_.Uniform());
    }
    jump_s_ -= 1;
    EastNorth sum = jump_s_ > 0 ? jump_ : EastNorth{};
    for (Coloured* c : {&fast_, &slow_}) {
      const double phi = std::exp(-1 / c->tau_s), kick_m = c->sigma_m * std::sqrt(1 - phi * phi);
      c->at.east_m = phi * c->at.east_m + kick_m * random_.Normal();
      c->at.north_m = phi * c->at.north_m + kick_m * random_.Normal();
      sum.east_m += c->at.east_m;
      sum.north_m += c->at.north_m;
    }
    sum.east_m += 3 * random_.Normal();
    sum.north_m += 3 * random_.Normal();
    return sum;
  }

 private:
  struct Coloured {
    double tau_s, sigma_m;
    EastNorth at{};
  };
  Random random_;
  Coloured fast_{5, 6}, slow_{40, 8};
  EastNorth jump_;
  double jump_s_ = 0;
};

class Tracked {
 public:
  explicit Tracked(std::uint64_t seed = 0) : world(Local()), errors_(seed) {
    world.Feed(ev::Start{});
  }

  // A second later, at `truth`.
  void Second(LatLon truth, bool canyon, double accuracy_m = 15) {
    world.Wait(seconds(1));
    const EastNorth error = canyon ? errors_.Next() : EastNorth{};
    world.Feed(world.FixAt(LocalFrame(truth).FromLocal(error), accuracy_m));
  }
  std::vector<Record> Records() const {
    std::vector<Record> out;
    for (const StoredRecord& r : world.appended) {
      out.push_back(sync::DecodeRecord(r.seq, r.payload).value());
    }
    return out;
  }
  std::vector<Record> Points() const {
    std::vector<Record> out;
    for (Record& r : Records()) {
      if (std::holds_alternative<PointRecord>(r.body)) out.push_back(std::move(r));
    }
    return out;
  }
  double odometer_m() { return world.core().GetStats().odometer_m; }

  CoreWorld world;

 private:
  static Config Local() {
    Config c;
    c.installation = "track";
    return c;
  }
  CanyonErrors errors_;
};

// On the straight lines between the points.
LatLon PositionAt(const std::vector<Record>& points, UtcTime t) {
  std::size_t i = 1;
  while (i + 1 < points.size() && points[i].utc < t) ++i;
  const LatLon a = std::get<PointRecord>(points[i - 1].body).position;
  const LatLon b = std::get<PointRecord>(points[i].body).position;
  const double length_s = Seconds(points[i].utc - points[i - 1].utc);
  const double s =
      length_s > 0 ? std::clamp(Seconds(t - points[i - 1].utc) / length_s, 0.0, 1.0) : 1;
  const LocalFrame frame(a);
  const EastNorth way = frame.ToLocal(b);
  return frame.FromLocal({s * way.east_m, s * way.north_m});
}

TEST(TrackRecords, ARestLeavesItsAnchorOnly) {
  int quiet = 0, starts = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Tracked t(seed);
    for (int s = 0; s < 1200; ++s) {
      t.Second(kHome, true, seed % 2 ? 15 : 0);
      if (s % 100 == 99 && seed % 3 == 0) t.world.SnapshotAndRestore();
    }
    t.world.Feed(ev::Stop{});
    for (const std::string& line : t.world.lines) starts += line.starts_with("motion moving");
    EXPECT_LE(t.odometer_m(), 50);
    if (t.odometer_m() > 0) continue;
    ++quiet;
    int points = 0, motions = 0;
    for (const Record& r : t.Records()) {
      if (const auto* p = std::get_if<PointRecord>(&r.body)) {
        ++points;
        EXPECT_EQ(p->motion, Motion::kStationary);
        EXPECT_LT(DistanceM(p->position, kHome), 60);
      }
      motions += std::holds_alternative<MotionRecord>(r.body);
    }
    EXPECT_EQ(points, 1);
    EXPECT_EQ(motions, 1);
  }
  EXPECT_EQ(quiet, 50);   // else the odometer is worth looking at
  EXPECT_GE(starts, 10);  // live, starts are told that were none: else nothing was tested
}

// Out of the house, 400 m down the street and back, without speeds; and the same where the process
// dies at any time, or a message comes between.
TEST(TrackRecords, AWalkIsRecordedWholeWhateverHappensMeanwhile) {
  for (int disturbed = -1; disturbed < 90; disturbed += 7) {
    for (const bool message : {false, true}) {
      SCOPED_TRACE("disturbed after " + std::to_string(disturbed) + " s");
      Tracked t;
      Random noise(7);
      const auto truth = [](int s) {
        const double walked_s = std::clamp<double>(s - 400, 0, 600);
        return Destination(kHome, 60, 1.4 * std::min(walked_s, 600 - walked_s));
      };
      for (int s = 0; s < 1300; ++s) {
        const LocalFrame here(truth(s));
        t.Second(here.FromLocal({1.5 * noise.Normal(), 1.5 * noise.Normal()}), false, 6);
        if (s != 400 + disturbed || disturbed < 0) continue;
        if (message) {
          t.world.Feed(ev::Enqueue{"topic", std::vector<std::byte>(3)});
        } else {
          t.world.Restart();
        }
      }
      t.world.Feed(ev::Stop{});
      EXPECT_NEAR(t.odometer_m(), 840, disturbed < 0 ? 60 : 120);
      const std::vector<Record> points = t.Points();
      ASSERT_GE(points.size(), 4u);
      double worst_m = 0;
      for (int s = 60; s < 1300; ++s) {
        const LatLon at = PositionAt(points, kUtcBegin + seconds(s + 1));
        worst_m = std::max(worst_m, DistanceM(at, truth(s)));
      }
      // The simplifier's 10 m, the noise, and how late a start or stop is dated.
      EXPECT_LT(worst_m, 30);
      for (const Record& r : t.Records()) {
        if (std::holds_alternative<MessageRecord>(r.body)) {
          EXPECT_EQ(r.utc, kUtcBegin + seconds(401 + disturbed));
        }
      }
      if (disturbed < 0) break;
    }
  }
}

}  // namespace
}  // namespace waymark::test
