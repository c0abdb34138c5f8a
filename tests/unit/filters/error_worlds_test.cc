// What receivers of many makes do to a drive, each by a seeded model: the live track and the
// smoothed one must keep what the fixes around the error know.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

#include "filters/axis_filter.h"
#include "support/simulated_drive.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"
#include "waymark/smoother.h"

namespace waymark {
namespace {

using test::Drive;
using test::Moved;
using test::Random;
using test::Simulate;

constexpr std::uint64_t kSeeds = 8;

double Rmse(const std::vector<double>& errors_m) {
  double sum = 0;
  for (double e : errors_m) sum += e * e;
  return std::sqrt(sum / static_cast<double>(errors_m.size()));
}

// The errors of the live estimate, one for each fix.
std::vector<double> Live(const Drive& d) {
  auto created = Estimator::Create({});
  Estimator e = std::move(created).value();
  std::vector<double> errors_m;
  for (std::size_t i = 0; i < d.fixes.size(); ++i) {
    e.Update(d.fixes[i].fix, d.fixes[i].arrival);
    errors_m.push_back(DistanceM(e.Latest()->position, d.truth[i]));
  }
  return errors_m;
}

std::vector<double> Smoothed(const Drive& d) {
  const auto track = SmoothedTrack::Create(d.fixes, {});
  std::vector<double> errors_m;
  for (std::size_t i = 0; i < d.fixes.size(); ++i) {
    errors_m.push_back(DistanceM(track.value().At(d.fixes[i].fix.time)->position, d.truth[i]));
  }
  return errors_m;
}

std::vector<double> Raw(const Drive& d) {
  std::vector<double> errors_m;
  for (std::size_t i = 0; i < d.fixes.size(); ++i) {
    errors_m.push_back(DistanceM(d.fixes[i].fix.position, d.truth[i]));
  }
  return errors_m;
}

double Score(std::vector<double> errors_m) {
  std::sort(errors_m.begin(), errors_m.end());
  const std::size_t last = errors_m.size() - 1;
  return (errors_m[last / 2] + errors_m[last * 95 / 100]) / 2;
}

std::vector<double> After(std::size_t first, std::vector<double> errors_m) {
  errors_m.erase(errors_m.begin(), errors_m.begin() + static_cast<std::ptrdiff_t>(first));
  return errors_m;
}

// The fixes whose place among those of one a second `keep` wants.
template <typename Keep>
Drive Thinned(const Drive& d, const Keep& keep) {
  Drive out;
  for (std::size_t i = 0; i < d.fixes.size(); ++i) {
    if (!keep(i)) continue;
    out.fixes.push_back(d.fixes[i]);
    out.truth.push_back(d.truth[i]);
  }
  return out;
}

// Bursts of six fixes at 300 m, one a minute, in a stream of positions that is clean but for them.
TEST(ErrorWorlds, ABurstDoesNotDiscreditThePositionsBesideIt) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drive clean = Simulate({.velocity = false, .seed = seed});
    Drive drive = clean;
    for (std::size_t i = 45; i + 6 < drive.fixes.size(); ++i) {
      if (i % 60 < 51) continue;
      if (i % 60 < 57) drive.fixes[i].fix.position = Moved(drive.fixes[i].fix.position, 300, 0);
    }
    const std::vector<double> with = Smoothed(drive), without = Smoothed(clean);
    std::vector<double> change_m;
    for (std::size_t i = 45; i < with.size(); ++i) {
      if (i % 60 < 40) change_m.push_back(with[i] - without[i]);  // ten seconds from any burst
    }
    EXPECT_LT(Rmse(change_m), 0.1) << "seed " << seed;
  }
}

// Some receivers guess their radius anew with each fix: that makes none of them another kind.
TEST(ErrorWorlds, ARadiusThatVariesFromFixToFixCostsLittle) {
  double live = 0, smoothed = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Drive steady = Simulate({.seconds = 1200,
                                   .white_m = 1,
                                   .gm_m = 5,
                                   .gm_tau_s = 30,
                                   .velocity_sigma_mps = 0.3,
                                   .accuracy_m = 8,
                                   .seed = seed});
    Drive varied = steady;
    Random random(100 + seed);
    for (auto& d : varied.fixes) *d.fix.horizontal_accuracy_m *= std::exp(0.6 * random.Normal());
    live += std::log(Score(Live(varied)) / Score(Live(steady))) / kSeeds;
    smoothed += std::log(Score(Smoothed(varied)) / Score(Smoothed(steady))) / kSeeds;
  }
  EXPECT_LT(std::exp(live), 1.1);
  EXPECT_LT(std::exp(smoothed), 1.1);
}

// One fix in three seconds, the positions alone: who brakes at a light does not jump.
TEST(ErrorWorlds, TheSmootherTakesNoManoeuvreForAJump) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Drive drive = Simulate({.seconds = 1800, .velocity = false, .max_speed_mps = 0, .seed = seed});
    double way_m = 0, speed_mps = 0;
    for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
      const std::size_t phase = (i + seed) % 60;  // 2 m/s^2 up to 20 m/s, braking at 3, a light
      way_m += speed_mps;
      speed_mps = phase < 10   ? 2.0 * static_cast<double>(phase)
                  : phase < 40 ? 20
                               : std::max(0.0, speed_mps - 3);
      drive.fixes[i].fix.position = Moved(drive.fixes[i].fix.position, way_m, 0);
      drive.truth[i] = Moved(drive.truth[i], way_m, 0);
    }
    drive = Thinned(drive, [](std::size_t i) { return i % 3 == 0; });
    EXPECT_LT(Rmse(Smoothed(drive)), 1.1 * Rmse(Raw(drive))) << "seed " << seed;
  }
}

// Half a minute of silence, then a first fix that is 60 m off (the end of a tunnel).
TEST(ErrorWorlds, ABadFirstFixAfterASilenceIsGivenUpAtOnce) {
  for (const bool velocity : {true, false}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Random random(seed);
      Drive drive = Thinned(Simulate({.seconds = 900, .velocity = velocity, .seed = seed}),
                            [](std::size_t i) { return i % 90 < 60; });
      for (std::size_t i = 60; i < drive.fixes.size(); i += 60) {
        const double angle = random.Uniform(0, 6.28);
        drive.fixes[i].fix.position =
            Moved(drive.fixes[i].fix.position, 60 * std::cos(angle), 60 * std::sin(angle));
      }
      const std::vector<double> live_m = Live(drive);
      const std::size_t late = velocity ? 1 : 3;
      for (std::size_t i = 60; i + late < live_m.size(); i += 60) {
        EXPECT_LT(live_m[i + late], 10)
            << "seed " << seed << " at " << i << " velocity " << velocity;
      }
    }
  }
}

// After minutes of silence the track begins anew, at a first fix that is 60-90 m off: it does not
// fly off on the way from there to the truth, which no car drives in a second.
TEST(ErrorWorlds, ABadFirstFixOfANewTrackIsNoSpeed) {
  for (const bool velocity : {true, false}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Random random(seed);
      Drive drive = Thinned(Simulate({.seconds = 2400, .velocity = velocity, .seed = seed}),
                            [](std::size_t i) { return i % 240 < 60; });
      for (std::size_t i = 60; i < drive.fixes.size(); i += 60) {
        const double angle = random.Uniform(0, 6.28), off_m = random.Uniform(60, 90);
        drive.fixes[i].fix.position =
            Moved(drive.fixes[i].fix.position, off_m * std::cos(angle), off_m * std::sin(angle));
      }
      const std::vector<double> live_m = Live(drive);
      for (std::size_t i = 60; i + 2 < live_m.size(); i += 60) {
        EXPECT_LT(live_m[i + 1], 15) << "seed " << seed << " at " << i << " velocity " << velocity;
        EXPECT_LT(live_m[i + 2], 15) << "seed " << seed << " at " << i << " velocity " << velocity;
      }
    }
  }
}

// Speeds in km/h or knots, a course that is always 0 or turned round: the positions know better.
// (The raw track of an open sky is good: what believed such velocities was led off by hundreds of
// metres.)
TEST(ErrorWorlds, VelocitiesOfAnotherKindAreNotBelieved) {
  struct Kind {
    const char* name;
    double scale, turn_deg;
    std::optional<double> course_deg;
  };
  const Kind kinds[] = {{"km/h", 3.6, 0, std::nullopt},
                        {"knots", 1.944, 0, std::nullopt},
                        {"turned round", 1, 180, std::nullopt},
                        {"off by 45 degrees", 1, 45, std::nullopt},
                        {"north", 1, 0, 0.0}};
  for (const Kind& kind : kinds) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Drive drive = Simulate({.seconds = 1200, .seed = seed});
      for (auto& d : drive.fixes) {
        *d.fix.speed_mps *= kind.scale;
        d.fix.course_deg =
            kind.course_deg ? *kind.course_deg : std::fmod(*d.fix.course_deg + kind.turn_deg, 360);
      }
      const double raw_m = Score(Raw(drive));
      const std::vector<double> live_m = Live(drive);
      EXPECT_LT(Score(live_m), 1.8 * raw_m) << kind.name << ", seed " << seed;
      EXPECT_LT(Score(After(300, live_m)), 1.3 * Score(After(300, Raw(drive))))
          << kind.name << ", seed " << seed;
      EXPECT_LT(Score(Smoothed(drive)), 1.1 * raw_m) << kind.name << ", seed " << seed;
    }
  }
}

// Many receivers say 0 for a slow speed. Who creeps by a good one is not held to where it last
// moved.
TEST(ErrorWorlds, ASpeedThatIsSaidToBeZeroWhileItCreepsHoldsNothing) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Drive drive = Simulate({.seconds = 1200,
                            .white_m = 0.05,
                            .gm_m = 0.3,
                            .max_speed_mps = 3,
                            .turn_sigma_rad = 0.01,
                            .seed = seed});
    for (auto& d : drive.fixes) {
      if (*d.fix.speed_mps < 1) d.fix.speed_mps = 0;
    }
    const double raw_m = Score(Raw(drive));
    EXPECT_LT(Score(Live(drive)), 1.8 * raw_m) << "seed " << seed;
  }
}

// A radius that is stated and far too large, and positions alone: they are seen to be good.
TEST(ErrorWorlds, ARadiusThatIsFarTooLargeDoesNoHarm) {
  for (const double radius_m : {50.0, 95.0}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      const Drive drive =
          Simulate({.seconds = 1200, .accuracy_m = radius_m, .velocity = false, .seed = seed});
      EXPECT_LT(Score(After(60, Live(drive))), 1.1 * Score(After(60, Raw(drive))))
          << radius_m << " m, seed " << seed;
    }
  }
}

// Steps of one to six seconds in no order: the longest is no silence.
TEST(ErrorWorlds, AnIrregularStreamIsFollowedThroughItsTurns) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed);
    std::size_t next = 0;
    const Drive drive = Thinned(
        Simulate({.seconds = 3600, .velocity = false, .turn_sigma_rad = 0.04, .seed = seed}),
        [&](std::size_t i) {
          if (i < next) return false;
          next = i + (random.Uniform() < 0.2 ? 6 : 1);
          return true;
        });
    const std::vector<double> live_m = Live(drive);
    EXPECT_LT(*std::max_element(live_m.begin(), live_m.end()), 20) << "seed " << seed;
  }
}

// Five fixes 2 km away, twice a minute, each within a second of the track.
TEST(ErrorWorlds, ABurstKilometresAwayIsNotFollowed) {
  for (const bool velocity : {true, false}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Drive drive = Simulate({.velocity = velocity, .seed = seed});
      for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
        if (i % 30 >= 25) drive.fixes[i].fix.position = Moved(drive.fixes[i].fix.position, 2000, 0);
      }
      const std::vector<double> live_m = Live(drive);
      EXPECT_LT(*std::max_element(live_m.begin(), live_m.end()), 60) << "seed " << seed;
    }
  }
}

// A receiver that says 0 for want of a speed, all the way.
TEST(ErrorWorlds, ASpeedOfZeroIsNotBelievedOfABodyThatMovesOn) {
  for (const double speed_mps : {1.5, 5.0, 15.0}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Drive drive = Simulate({.max_speed_mps = speed_mps, .seed = seed});
      for (DeliveredFix& d : drive.fixes) d.fix.speed_mps = 0;
      EXPECT_LT(Rmse(After(60, Live(drive))), 1.25 * Rmse(After(60, Raw(drive))))
          << "seed " << seed << " speed " << speed_mps;
      EXPECT_LT(Rmse(After(60, Smoothed(drive))), 1.25 * Rmse(After(60, Raw(drive))))
          << "seed " << seed << " speed " << speed_mps;
    }
  }
}

// One that falls to 0 for half a minute while the car drives on.
TEST(ErrorWorlds, ASpeedThatSticksAtZeroDoesNotStopACar) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Drive drive = Simulate({.max_speed_mps = 15, .seed = seed});
    for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
      if (i > 100 && i % 100 < 30) drive.fixes[i].fix.speed_mps = 0;
    }
    EXPECT_LT(Rmse(Live(drive)), 2 * Rmse(Raw(drive))) << "seed " << seed;
    EXPECT_LT(Rmse(Smoothed(drive)), 2 * Rmse(Raw(drive))) << "seed " << seed;
  }
}

// A position that is told again for a minute is no witness that the car was there at the end of it.
TEST(ErrorWorlds, WhatComesAfterRepeatsOfAnOldPositionIsNoImpossibleSpeed) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    test::DriveOptions options;
    options.velocity = false;
    options.seed = seed;
    Drive d = Simulate(options);
    for (std::size_t i = 0; i < d.fixes.size(); ++i) {
      if (i % 100 >= 40) d.fixes[i].fix.position = d.fixes[i - i % 100 + 39].fix.position;
    }
    Estimator e = Estimator::Create({}).value();
    int impossible = 0;
    for (const DeliveredFix& f : d.fixes) {
      impossible += e.Update(f.fix, f.arrival).reason == Reason::kImpliedSpeed;
    }
    EXPECT_EQ(impossible, 0);
  }
}

// Every five seconds a network has its say too, 20 m off: that is no jump of the receiver, whether
// the fix tells whose it is or not.
TEST(ErrorWorlds, TheSmootherBelievesTheReceiverBesideANetwork) {
  for (const bool all : {true, false}) {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Random random(seed);
      const Drive receiver = Simulate({.accuracy_m = all ? 4.0 : 0, .velocity = all, .seed = seed});
      Drive both;
      for (std::size_t i = 0; i < receiver.fixes.size(); ++i) {
        both.fixes.push_back(receiver.fixes[i]);
        both.truth.push_back(receiver.truth[i]);
        if (i % 5 != 2) continue;
        const double angle = random.Uniform(0, 6.28);
        Fix network;
        network.position = Moved(receiver.truth[i], 20 * std::cos(angle), 20 * std::sin(angle));
        network.time = receiver.fixes[i].fix.time + std::chrono::milliseconds(40);
        if (all) network.horizontal_accuracy_m = 20;
        if (all) network.source = FixSource::kNetwork;
        both.fixes.push_back(test::Deliver(network));
        both.truth.push_back(receiver.truth[i]);
      }
      EXPECT_LT(Rmse(Smoothed(both)), (all ? 1.1 : 4) * Rmse(Raw(receiver)))
          << "all " << all << " seed " << seed;
    }
  }
}

// A car that tells its last position for 40 s, then the truth: two fixes that agree are enough.
TEST(ErrorWorlds, TheEndOfARunOfRepeatsIsFollowedAtOnce) {
  constexpr std::size_t kPeriod = 100, kRun = 40;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Drive d = Simulate({.seconds = 1200, .velocity = false, .seed = seed});
    std::vector<std::size_t> ends;
    for (std::size_t last = kPeriod - kRun; last + kRun + 3 < d.fixes.size(); last += kPeriod) {
      const double speed_mps = DistanceM(d.truth[last - 5], d.truth[last]) / 5;
      const std::size_t end = last + kRun;
      if (speed_mps < 3 || DistanceM(d.truth[last], d.truth[end]) < 100) continue;
      for (std::size_t i = last + 1; i < end; ++i) {
        d.fixes[i].fix.position = d.fixes[last].fix.position;
      }
      ends.push_back(end);
    }
    ASSERT_GT(ends.size(), 3U);
    const std::vector<double> live_m = Live(d);
    for (const std::size_t end : ends) {
      EXPECT_LT(live_m[end + 1], 15) << "seed " << seed << " at " << end;
    }
  }
}

// One that brakes and then tells its place again and again stands there: an outlier does not move
// it.
TEST(ErrorWorlds, AnOutlierAfterAnHonestRestIsNotFollowed) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Drive d = Simulate({.seconds = 200, .velocity = false, .max_speed_mps = 0, .seed = seed});
    double way_m = 0, speed_mps = 12;
    for (std::size_t i = 0; i < d.fixes.size(); ++i) {
      d.truth[i] = Moved(d.truth[i], way_m, 0);
      d.fixes[i].fix.position = Moved(d.fixes[i].fix.position, way_m, 0);
      if (i >= 100) speed_mps = std::max(0.0, speed_mps - 2.5);
      way_m += speed_mps;
      if (i > 105) d.fixes[i].fix.position = d.fixes[i - 1].fix.position;
    }
    for (const std::size_t i : {130U, 150U, 170U}) {
      d.fixes[i].fix.position = Moved(d.fixes[i].fix.position, 0, 60);
    }
    const std::vector<double> live_m = After(125, Live(d));
    EXPECT_LT(*std::max_element(live_m.begin(), live_m.end()), 10) << "seed " << seed;
  }
}

// A receiver that is followed stands for twenty minutes. Its word is taken for ten fixes that are
// 100 m off and say so; the minutes beside them have nothing to do with that.
TEST(ErrorWorlds, ABurstDoesNotDragALongRestOff) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Drive d = Simulate({.seconds = 1200, .max_speed_mps = 0, .seed = seed});
    for (std::size_t i = 0; i < d.fixes.size(); ++i) {
      Fix& f = d.fixes[i].fix;
      f.speed_mps = 0;
      if (i < 600 || i >= 610) continue;
      f.position = Moved(f.position, -80, 60);
      f.horizontal_accuracy_m = 46;
    }
    const std::vector<double> smoothed_m = Smoothed(d);
    for (std::size_t i = 0; i < smoothed_m.size(); ++i) {
      if (i >= 570 && i < 640) continue;
      EXPECT_LT(smoothed_m[i], 7) << "seed " << seed << " at " << i;
    }
  }
}

// A speed without course, and bursts: the way to an outlier is no course.
TEST(ErrorWorlds, TheWayToAnOutlierIsNoCourse) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Drive drive = Simulate({.white_m = 2, .gm_m = 3, .gm_tau_s = 8, .seed = seed});
    const Drive clean = drive;
    for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
      drive.fixes[i].fix.course_deg.reset();
      if (i % 40 >= 36) drive.fixes[i].fix.position = Moved(drive.fixes[i].fix.position, 0, 200);
    }
    EXPECT_LT(Rmse(Live(drive)), 1.1 * Rmse(Raw(clean))) << "seed " << seed;
    EXPECT_LT(Rmse(Smoothed(drive)), Rmse(Raw(clean))) << "seed " << seed;
  }
}

// Velocities that are wrong without end, and nothing that says so: noisy, drifting, late, scaled.
// The positions are good, and the live track is not worse than they are.
Vec2 VelocityOf(const Fix& f) { return *f.speed_mps * Heading(*f.course_deg); }

template <typename Wrong>
void ExpectNoHarm(const char* what, const Wrong& wrong) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Random random(seed * 7919);
    const Drive good = Simulate({.seconds = 1200, .seed = seed});
    Drive drive = good;
    for (std::size_t i = 0; i < drive.fixes.size(); ++i) {
      const Vec2 v = wrong(good, i, random);
      drive.fixes[i].fix.speed_mps = v.norm();
      const double course = std::atan2(v.e, v.n) * 180 / std::numbers::pi;
      drive.fixes[i].fix.course_deg = std::fmod(course + 360, 360.0);
    }
    EXPECT_LT(Score(Live(drive)), 1.1 * Score(Raw(drive))) << what << " seed " << seed;
  }
}

TEST(ErrorWorlds, VelocitiesThatAreWrongWithoutEndDoNoHarm) {
  ExpectNoHarm("noise", [](const Drive& d, std::size_t i, Random& r) {
    const double e = r.Normal(), n = r.Normal();
    return VelocityOf(d.fixes[i].fix) + 1.5 * Vec2{e, n};
  });
  Vec2 drift;
  ExpectNoHarm("drift", [&](const Drive& d, std::size_t i, Random& r) {
    const double phi = i == 0 ? 0 : std::exp(-1.0 / 30), e = r.Normal(), n = r.Normal();
    drift = phi * drift + std::sqrt(1 - phi * phi) * Vec2{e, n};
    return VelocityOf(d.fixes[i].fix) + drift;
  });
  ExpectNoHarm("late", [](const Drive& d, std::size_t i, Random&) {
    return VelocityOf(d.fixes[i < 2 ? 0 : i - 2].fix);
  });
  ExpectNoHarm("slow", [](const Drive& d, std::size_t i, Random&) {
    return 0.9 * VelocityOf(d.fixes[i].fix);
  });
}

}  // namespace
}  // namespace waymark
