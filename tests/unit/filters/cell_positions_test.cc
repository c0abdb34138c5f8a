// A phone in a train or a tunnel goes on with the masts of cells and with old places from caches,
// hundreds of metres off and told as if they were fixes. Nothing says so; no field but position and
// time.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using test::Deliver;
using test::Random;
using test::TimeOf;

struct Place {
  double east_m = 0, north_m = 0;
};

struct Told {
  std::size_t second = 0;
  Place truth, told;
  bool mast = false;
};

double Apart(Place a, Place b) { return std::hypot(a.east_m - b.east_m, a.north_m - b.north_m); }

// A straight way at `speed_mps`: a fix each second, and from the 120th on for three minutes twice
// each ten seconds a mast within `off_m`, then fixes again for three.
std::vector<Told> Journey(std::uint64_t seed, double speed_mps, double off_m) {
  Random random(seed);
  std::vector<Told> out;
  Place mast;
  for (std::size_t t = 0; t < 480; ++t) {
    const Place truth{speed_mps * static_cast<double>(t), 0};
    const bool fix = t < 120 || t >= 300;
    if (!fix && t % 10 > 1) continue;
    if (!fix && t % 10 == 0) {
      mast = {truth.east_m + random.Uniform(-off_m, off_m), random.Uniform(-off_m, off_m)};
    }
    const Place noisy{truth.east_m + random.Normal(), truth.north_m + random.Normal()};
    out.push_back({t, truth, fix ? noisy : mast, !fix});
  }
  return out;
}

const LocalFrame& Frame() {
  static const LocalFrame frame({52.2, 5.97});
  return frame;
}

Fix FixOf(const Told& told) {
  Fix f;
  f.time = TimeOf(told.second);
  f.position = Frame().FromLocal({told.told.east_m, told.told.north_m});
  return f;
}

struct Row {
  Told told;
  Verdict verdict;
  std::optional<Estimate> live;
  Place at;  ///< of the estimate
};

std::vector<Row> Follow(const std::vector<Told>& journey) {
  auto created = Estimator::Create({});
  Estimator e = std::move(created).value();
  std::vector<Row> rows;
  for (const Told& told : journey) {
    const DeliveredFix d = Deliver(FixOf(told));
    Row row{told, e.Update(d.fix, d.arrival), e.Latest(), {}};
    if (row.live) {
      const EastNorth at = Frame().ToLocal(row.live->position);
      row.at = {at.east_m, at.north_m};
    }
    rows.push_back(row);
  }
  return rows;
}

// The velocity of a train on its way, a car's beside it; never that of an aeroplane.
TEST(CellPositions, ThatJumpByKilometresLendTheTrackNoSpeed) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    for (const double speed_mps : {0.0, 30.0}) {
      for (const double off_m : {300.0, 3000.0}) {
        double fastest_mps = 0;
        for (const Row& row : Follow(Journey(seed, speed_mps, off_m))) {
          if (row.live) fastest_mps = std::max(fastest_mps, row.live->speed_mps());
        }
        EXPECT_LE(fastest_mps, 100) << "seed " << seed << " at " << speed_mps << " off " << off_m;
      }
    }
  }
}

// Four kilometres off within half a minute is no way that anybody went, silence or not.
TEST(CellPositions, APlaceThatNobodyCanHaveReachedIsHeldBack) {
  for (const double speed_mps : {0.0, 15.0, 30.0}) {
    std::vector<Told> journey;
    for (std::size_t t = 0; t < 120; ++t) {
      const Place truth{speed_mps * static_cast<double>(t), 0};
      journey.push_back({t, truth, truth, false});
    }
    for (const std::size_t later : {10U, 20U, 30U}) {
      std::vector<Told> and_then = journey;
      const std::size_t t = 119 + later;
      const Place truth{speed_mps * static_cast<double>(t), 0};
      and_then.push_back({t, truth, {truth.east_m, 4000}, true});
      EXPECT_FALSE(Follow(and_then).back().verdict.used())
          << speed_mps << " m/s, after " << later << " s";
    }
  }
}

// The receiver says nothing of its error, and the masts agree no better with one another than with
// the track: what leaps is not published as sure. A while after the last of them the radius is
// that of a good receiver again.
TEST(CellPositions, ThatLeadTheTrackAstrayAreNotPublishedAsSure) {
  std::size_t rows = 0, inside = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    for (const double off_m : {300.0, 1000.0}) {
      for (const Row& row : Follow(Journey(seed, 20, off_m))) {
        if (!row.live) continue;
        if (row.told.second >= 400) {
          EXPECT_LT(row.live->r68_m, 8) << seed << " " << row.told.second;
        }
        if (!row.told.mast) continue;
        ++rows;
        inside += Apart(row.at, row.told.truth) <= row.live->r95_m;
      }
    }
  }
  EXPECT_GE(static_cast<double>(inside), 0.5 * static_cast<double>(rows)) << rows;
}

// Leaps that fixes have long agreed with do not count: one more is one.
TEST(CellPositions, ALeapIsNotTheThirdOfThoseThatAreSettled) {
  Random random(1);
  std::vector<Told> journey;
  const auto stand = [&](std::size_t from, std::size_t to, double north_m) {
    for (std::size_t t = from; t < to; ++t) {
      const Place at{random.Normal(), north_m + random.Normal()};
      journey.push_back({t, at, at, false});
    }
  };
  for (std::size_t i = 0; i < 4; ++i) stand(60 * i, 60 * i + 60, 500.0 * static_cast<double>(i));
  journey.push_back({264, {0, 1850}, {0, 1850}, false});  // after a silence it is followed
  const Row last = Follow(journey).back();
  ASSERT_TRUE(last.verdict.used() && last.live);
  EXPECT_GT(last.live->r95_m, 100) << "it has leapt";
  EXPECT_LT(last.live->r68_m, 20);
}

// Whoever was lost for a while is found by the fixes that agree, however fast they go: a record
// that begins in an aeroplane, or a train of 80 m/s that comes out of the masts.
TEST(CellPositions, DoNotHideASpeedThatFixesAgreeOn) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    for (const double speed_mps : {20.0, 80.0, 240.0}) {
      for (const Row& row : Follow(Journey(seed, speed_mps, 300))) {
        if (row.told.second != 60 && row.told.second != 400) continue;
        ASSERT_TRUE(row.live) << seed << " at " << speed_mps << " m/s, " << row.told.second << " s";
        EXPECT_NEAR(row.live->speed_mps(), speed_mps, 3) << seed << " " << row.told.second;
        EXPECT_LT(Apart(row.at, row.told.truth), 10) << seed << " " << row.told.second;
      }
    }
  }
}

}  // namespace
}  // namespace waymark
