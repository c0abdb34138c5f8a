#include "filters/fix_validator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr LatLon kHere{52.5, 13.4};
constexpr std::int64_t kUtcMs = 1'700'000'000'000;

Fix FixAt(double t_s, double east_m = 0, double north_m = 0) {
  Fix f;
  f.time = MonoTime(FromSeconds(1000 + t_s));
  f.position = LocalFrame(kHere).FromLocal({east_m, north_m});
  f.horizontal_accuracy_m = 5;
  return f;
}

Stamp On(MonoTime mono) {
  return {mono, UtcTime(milliseconds(kUtcMs + mono.time_since_epoch().count() / 1'000'000))};
}

std::vector<std::byte> Image(const FixValidator& v) {
  std::vector<std::byte> out;
  v.Save(out);
  return out;
}

class FixValidatorTest : public testing::Test {
 protected:
  Intake Judge(const Fix& f, std::optional<Estimate> prediction = std::nullopt) {
    return Judge(f, On(f.time), prediction);
  }
  Intake Judge(const Fix& f, const Stamp& arrival,
               std::optional<Estimate> prediction = std::nullopt) {
    const Intake intake = validator_.Judge(f, arrival, prediction);
    if (intake.action != IntakeAction::kDrop) validator_.Commit(intake, intake.verdict);
    return intake;
  }
  void Drive(int n, double speed_mps = 10) {
    for (int i = 0; i < n; ++i) Judge(FixAt(i, speed_mps * i));
  }
  FixValidator validator_;
};

TEST_F(FixValidatorTest, AcceptsAPlainFixAsItStands) {
  const Fix f = FixAt(0);
  const Intake intake = Judge(f);
  EXPECT_EQ(intake.action, IntakeAction::kUse);
  EXPECT_EQ(intake.verdict.disposition, Disposition::kAccepted);
  EXPECT_EQ(intake.verdict.reason, Reason::kNone);
  EXPECT_EQ(intake.fix.position, f.position);
  EXPECT_EQ(intake.accuracy_m, 5);
}

struct Field {
  const char* name;
  std::optional<double> Fix::*member;
  double bad;
};

class BadField : public FixValidatorTest, public testing::WithParamInterface<Field> {};

TEST_P(BadField, IsRemovedAndTheFixKept) {
  Fix f = FixAt(0);
  f.altitude_m = 30;
  f.speed_mps = 3;
  f.course_deg = 90;
  f.*GetParam().member = GetParam().bad;
  const Intake intake = Judge(f);
  EXPECT_EQ(intake.action, IntakeAction::kUse);
  EXPECT_EQ(intake.verdict.disposition, Disposition::kAdjusted);
  EXPECT_EQ(intake.verdict.reason,
            std::isfinite(GetParam().bad) ? Reason::kOutOfRange : Reason::kNotFinite);
  EXPECT_FALSE((intake.fix.*GetParam().member).has_value());
}

INSTANTIATE_TEST_SUITE_P(
    FixValidator, BadField,
    testing::Values(Field{"accuracy", &Fix::horizontal_accuracy_m, -1},
                    Field{"accuracy_nan", &Fix::horizontal_accuracy_m, std::nan("")},
                    Field{"altitude", &Fix::altitude_m, 1e9},
                    Field{"vertical", &Fix::vertical_accuracy_m, 0},
                    Field{"speed", &Fix::speed_mps, -0.1}, Field{"speed_mad", &Fix::speed_mps, 1e4},
                    Field{"speed_accuracy", &Fix::speed_accuracy_mps, -1},
                    Field{"course", &Fix::course_deg, 361},
                    Field{"course_infinite", &Fix::course_deg,
                          std::numeric_limits<double>::infinity()},
                    Field{"course_accuracy", &Fix::course_accuracy_deg, -3}),
    [](const auto& field) { return std::string(field.param.name); });

TEST_F(FixValidatorTest, RefusesPositionsThatAreNone) {
  Fix f = FixAt(0);
  f.position.lat_deg = std::nan("");
  EXPECT_EQ(Judge(f).verdict.reason, Reason::kNotFinite);
  f.position.lat_deg = 90.001;
  const Intake intake = Judge(f);
  EXPECT_EQ(intake.verdict.reason, Reason::kOutOfRange);
  EXPECT_EQ(intake.verdict.value, 90.001);
  EXPECT_EQ(intake.verdict.limit, 90);
  for (const double lon_deg : {0.0, -0.0, 360.0}) {  // by which receivers say that they have none
    f.position = {0, lon_deg};
    EXPECT_EQ(Judge(f).verdict.reason, Reason::kOutOfRange);
  }
  f.position = {0, 180};
  EXPECT_EQ(Judge(f).fix.position.lon_deg, -180);
}

TEST_F(FixValidatorTest, RefusesALargeRadiusWithTheNumbers) {
  Fix f = FixAt(0);
  f.horizontal_accuracy_m = 2500;
  const Intake intake = Judge(f);
  EXPECT_EQ(intake.verdict.reason, Reason::kAccuracy);
  EXPECT_EQ(intake.verdict.value, 2500);
  EXPECT_EQ(intake.verdict.limit, 2000);
}

TEST_F(FixValidatorTest, RefusesMockedFixesOnlyWhenToldTo) {
  Fix f = FixAt(0);
  f.simulated = true;
  EXPECT_EQ(Judge(f).action, IntakeAction::kUse);
  EstimatorOptions options;
  options.accept_simulated = false;
  FixValidator strict(options);
  EXPECT_EQ(strict.Judge(f, On(f.time), std::nullopt).verdict.reason, Reason::kSimulated);
}

TEST_F(FixValidatorTest, ADuplicateChangesNothing) {
  Drive(5);
  const std::vector<std::byte> before = Image(validator_);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Judge(FixAt(i, 10 * i)).verdict.reason, Reason::kDuplicate) << i;
  }
  EXPECT_EQ(Image(validator_), before);
}

TEST_F(FixValidatorTest, MergesTheGrowingReportsOfOneEpoch) {
  Fix f = FixAt(0);
  f.horizontal_accuracy_m.reset();
  EXPECT_EQ(Judge(f).action, IntakeAction::kUse);
  f.speed_mps = 4;
  f.course_deg = 10;
  Intake intake = Judge(f);
  EXPECT_EQ(intake.action, IntakeAction::kMergeNewest);
  EXPECT_EQ(intake.verdict.reason, Reason::kMerged);
  EXPECT_EQ(intake.fix.speed_mps, 4);
  f.horizontal_accuracy_m = 7;
  f.altitude_m = 33;
  intake = Judge(f);
  EXPECT_EQ(intake.action, IntakeAction::kMergeNewest);
  EXPECT_EQ(intake.fix.altitude_m, 33);
  EXPECT_EQ(intake.accuracy_m, 7);
  // A poorer report of the same epoch adds nothing.
  Fix poor = FixAt(0, 3);
  poor.horizontal_accuracy_m = 20;
  intake = Judge(poor);
  EXPECT_EQ(intake.action, IntakeAction::kDrop);
  EXPECT_EQ(intake.verdict.reason, Reason::kMerged);
}

TEST_F(FixValidatorTest, PutsLateFixesInTheirPlaceWithinTheWindow) {
  Judge(FixAt(0));
  Judge(FixAt(3, 30));
  const Intake late = Judge(FixAt(1.5, 15), On(FixAt(3).time));
  EXPECT_EQ(late.action, IntakeAction::kInsertLate);
  EXPECT_EQ(late.verdict.reason, Reason::kLate);
  EXPECT_NEAR(late.verdict.value, 1.5, 1e-9);
  const Intake too_late = Judge(FixAt(0.5, 5), On(FixAt(3).time));
  EXPECT_EQ(too_late.action, IntakeAction::kDrop);
  EXPECT_EQ(too_late.verdict.reason, Reason::kLate);
  EXPECT_NEAR(too_late.verdict.limit, 2, 1e-9);
}

TEST_F(FixValidatorTest, RefusesARepeatedPositionWhileTheSourceSaysItMoves) {
  for (int i = 0; i < 5; ++i) {
    Fix f = FixAt(i, 10 * i);
    f.speed_mps = 10;
    EXPECT_EQ(Judge(f).action, IntakeAction::kUse);
  }
  for (int i = 5; i < 9; ++i) {
    Fix f = FixAt(i, 40);
    f.speed_mps = 10;
    const Intake intake = Judge(f);
    EXPECT_EQ(intake.verdict.reason, Reason::kStale) << i;
    EXPECT_NEAR(intake.verdict.value, i - 4, 1e-9);
  }
  Fix f = FixAt(9, 90);
  f.speed_mps = 10;
  EXPECT_EQ(Judge(f).action, IntakeAction::kUse);
  // At rest, the same position again is the truth.
  for (int i = 10; i < 15; ++i) {
    f = FixAt(i, 90);
    f.speed_mps = 0;
    EXPECT_EQ(Judge(f).action, IntakeAction::kUse) << i;
  }
}

TEST_F(FixValidatorTest, BelievesARepeatedPositionInTheEnd) {
  int used = 0;
  for (int i = 0; i < 60; ++i) {
    Fix f = FixAt(i);
    f.speed_mps = 10;
    used += Judge(f).action == IntakeAction::kUse;
  }
  EXPECT_GT(used, 1);
}

TEST_F(FixValidatorTest, TakesACoarseGridForWhatItIs) {
  // Four decimals: a walker stands still on paper for many seconds.
  for (int i = 0; i < 8; ++i) {
    Fix f = FixAt(i);
    f.position = {52.5, 13.4};
    f.speed_mps = 1.4;
    EXPECT_EQ(Judge(f).action, IntakeAction::kUse) << i;
  }
}

TEST_F(FixValidatorTest, RefusesTheCachedFirstFixAfterSleep) {
  for (int i = 0; i < 10; ++i) {
    Fix f = FixAt(i, 15 * i);
    f.speed_mps = 15;
    Judge(f);
  }
  Fix cached = FixAt(70, 15 * 4);
  cached.speed_mps = 0;
  const Intake intake = Judge(cached);
  EXPECT_EQ(intake.verdict.reason, Reason::kCached);
  EXPECT_NEAR(intake.verdict.value, 75, 0.1);
  EXPECT_EQ(Judge(FixAt(71, 900)).action, IntakeAction::kUse);
}

// Some caches repeat the last fix whole, its speed included, with the time of the wake-up.
TEST_F(FixValidatorTest, RefusesTheLastFixRepeatedAfterALongSleep) {
  for (int i = 0; i < 10; ++i) {
    Fix f = FixAt(i, 15 * i);
    f.speed_mps = 15;
    Judge(f);
  }
  for (int i = 0; i < 3; ++i) {
    Fix cached = FixAt(600 + i, 15 * 9);
    cached.speed_mps = 15;
    EXPECT_EQ(Judge(cached).verdict.reason, Reason::kCached) << i;
  }
  Fix fresh = FixAt(603, 900);
  fresh.speed_mps = 0;
  EXPECT_EQ(Judge(fresh).action, IntakeAction::kUse);
}

TEST_F(FixValidatorTest, RefusesTheFutureUntilItStaysInStep) {
  Judge(FixAt(0));
  int refused = 0;
  for (int i = 1; i < 20; ++i) {
    const Fix f = FixAt(i + 60, i);
    const Intake intake = Judge(f, On(FixAt(i).time));
    if (intake.action == IntakeAction::kDrop) {
      EXPECT_EQ(intake.verdict.reason, Reason::kFuture);
      EXPECT_NEAR(intake.verdict.value, 60, 1e-6);
      ++refused;
    } else {
      EXPECT_NEAR(Seconds(intake.fix.time - FixAt(i).time), 0, 1e-6) << i;
    }
  }
  EXPECT_EQ(refused, 4);
  // The clock comes right again.
  const Intake right = Judge(FixAt(20, 20));
  EXPECT_EQ(right.action, IntakeAction::kUse);
  EXPECT_EQ(right.fix.time, FixAt(20).time);
}

TEST_F(FixValidatorTest, RepairsTheWeekRolloverAgainstTheArrival) {
  Fix f = FixAt(0);
  const UtcTime right(milliseconds(kUtcMs + 1'000'000));
  f.utc = right - hours(24 * 7 * 1024);
  const Intake intake = Judge(f);
  EXPECT_EQ(intake.action, IntakeAction::kUse);
  EXPECT_EQ(intake.verdict.reason, Reason::kWeekRollover);
  EXPECT_EQ(intake.verdict.value, 1024);
  EXPECT_EQ(intake.fix.utc, right);
}

TEST_F(FixValidatorTest, RepairsTheWeekRolloverAgainstTheFixBeforeInAReplay) {
  Drive(3);
  Fix f = FixAt(3, 30);
  const MonoTime right = f.time;
  f.time -= hours(24 * 7 * 1024);
  const Intake intake = Judge(f);  // arrival == time
  EXPECT_EQ(intake.action, IntakeAction::kUse);
  EXPECT_EQ(intake.verdict.reason, Reason::kWeekRollover);
  EXPECT_EQ(intake.fix.time, right);
}

TEST_F(FixValidatorTest, TakesOutALostLeapCountAndNotesALearnedOne) {
  const Stamp no_clock{MonoTime(seconds(1)), UtcTime{}};
  const auto at = [](int i, int ahead_s) {
    Fix f = FixAt(i, 5 * i);
    f.utc = UtcTime(milliseconds(kUtcMs + (i + ahead_s) * 1000));
    return f;
  };
  const auto judge = [&](const Fix& f) {
    Stamp arrival = no_clock;
    arrival.mono = f.time;
    return Judge(f, arrival);
  };
  EXPECT_EQ(judge(at(0, 0)).verdict.reason, Reason::kNone);
  for (int i = 1; i < 5; ++i) {
    const Intake lost = judge(at(i, 18));
    EXPECT_EQ(lost.verdict.reason, Reason::kLeapSecond);
    EXPECT_EQ(lost.verdict.value, 18);
    EXPECT_EQ(lost.fix.utc, at(i, 0).utc);
  }
  EXPECT_EQ(judge(at(5, 0)).verdict.reason, Reason::kNone);
  const Intake learned = judge(at(6, -3));
  EXPECT_EQ(learned.verdict.reason, Reason::kLeapSecond);
  EXPECT_EQ(learned.fix.utc, at(6, -3).utc);
  EXPECT_EQ(judge(at(7, -3)).verdict.reason, Reason::kNone);
}

// A receiver that loses the leap count is ahead by whole seconds from one fix to the next, and
// comes right as suddenly. Its arrival tells, whatever the latency, and no fix is lost.
TEST_F(FixValidatorTest, TakesALeapOutOfTheClockOfASourceForthAndBack) {
  for (const int leap_s : {3, 15, 18}) {
    validator_ = FixValidator();
    for (int i = 0; i < 1000; ++i) {
      const bool lost = i >= 100 && i < 900;
      Fix f = FixAt(i + (lost ? leap_s : 0), 10 * i);
      f.utc = On(f.time).utc;
      const MonoTime right = FixAt(i).time;
      const Intake intake = Judge(f, On(right + milliseconds(250 + 37 * i % 200)));
      ASSERT_EQ(intake.action, IntakeAction::kUse) << leap_s << " " << i;
      ASSERT_EQ(intake.verdict.reason, lost ? Reason::kLeapSecond : Reason::kNone) << i;
      ASSERT_EQ(intake.verdict.value, lost ? leap_s : 0) << i;
      ASSERT_EQ(intake.fix.time, right) << i;
      ASSERT_EQ(intake.fix.utc, On(right).utc) << i;
    }
  }
}

// What is ahead by anything else is no leap, and a pause or a late batch is none either.
TEST_F(FixValidatorTest, MakesNoLeapOfOtherStepsNorOfPauses) {
  Drive(5);
  const Intake odd = Judge(FixAt(5 + 17.5, 50), On(FixAt(5).time));
  EXPECT_EQ(odd.verdict.reason, Reason::kFuture);
  EXPECT_EQ(Judge(FixAt(6 + 21, 60), On(FixAt(6).time)).verdict.reason, Reason::kFuture);
  EXPECT_EQ(Judge(FixAt(7, 70), On(FixAt(25).time)).verdict.reason, Reason::kNone)
      << "late by 18 s";
  EXPECT_EQ(Judge(FixAt(30, 300)).verdict.reason, Reason::kNone);
  EXPECT_EQ(Judge(FixAt(49, 310)).verdict.reason, Reason::kNone) << "in time after a pause";
}

// A burst of network positions kilometres away lasts up to six fixes.
TEST_F(FixValidatorTest, RefusesImpossibleSpeedUntilFixesAgreeForLongerThanABurst) {
  Drive(5);
  for (int i = 5; i < 11; ++i) {
    const Intake intake = Judge(FixAt(i, 50'000 + i));
    EXPECT_EQ(intake.verdict.reason, Reason::kImpliedSpeed);
    EXPECT_GT(intake.verdict.value, 340);
    EXPECT_EQ(intake.verdict.limit, 340);
  }
  const Intake outvoted = Judge(FixAt(11, 50'011));
  EXPECT_EQ(outvoted.action, IntakeAction::kUse);
  EXPECT_EQ(outvoted.verdict.reason, Reason::kReacquired);
  EXPECT_TRUE(outvoted.restart);
  EXPECT_EQ(Judge(FixAt(12, 50'012)).verdict.disposition, Disposition::kAccepted);
}

// Near fixes are passed on a bound of the distance; who is at the limit is still told exactly.
TEST(FixValidatorImpliedSpeed, IsExactAtTheLimitWhereverOnEarth) {
  const EstimatorOptions options;
  for (const LatLon from : {LatLon{0, 179.999}, LatLon{52.5, 13.4}, LatLon{-70, -179.999},
                            LatLon{89.99, 20}, LatLon{-89.999, 0}}) {
    for (double azimuth_deg = 0; azimuth_deg < 360; azimuth_deg += 15) {
      for (const double off_m : {-1.0, 1.0}) {
        FixValidator validator;
        Fix f;
        f.horizontal_accuracy_m = 5;
        f.position = from;
        for (int i = 0; i < 3; ++i) {  // the track has more than one witness
          f.time = MonoTime(seconds(1000 + i));
          f.position = i < 2 ? Destination(from, 0, 1 - 0.5 * i) : from;
          const Intake intake = validator.Judge(f, On(f.time), std::nullopt);
          ASSERT_EQ(intake.action, IntakeAction::kUse);
          validator.Commit(intake, intake.verdict);
        }
        f.time += seconds(2);
        // 2.5 radii of both fixes are no evidence of speed.
        const double limit_m = 2 * options.max_speed_mps + 2.5 * 10;
        f.position = Destination(from, azimuth_deg, limit_m + off_m);
        const Intake intake = validator.Judge(f, On(f.time), std::nullopt);
        EXPECT_EQ(intake.verdict.reason, off_m < 0 ? Reason::kNone : Reason::kImpliedSpeed)
            << from.lat_deg << ' ' << azimuth_deg << ' ' << off_m;
      }
    }
  }
}

TEST_F(FixValidatorTest, BelievesTheSecondFixAgainstALoneFirst) {
  Judge(FixAt(0, 80'000));
  const Intake second = Judge(FixAt(1));
  EXPECT_EQ(second.action, IntakeAction::kUse);
  EXPECT_TRUE(second.restart);
}

TEST_F(FixValidatorTest, LetsNoNetworkFixMoveAGoodTrack) {
  Drive(5);
  Estimate prediction;
  prediction.r68_m = 4;
  Fix coarse = FixAt(5, 600);
  coarse.source = FixSource::kNetwork;
  coarse.horizontal_accuracy_m = 700;
  const Intake intake = Judge(coarse, prediction);
  EXPECT_EQ(intake.verdict.reason, Reason::kUntrustedSource);
  EXPECT_EQ(intake.verdict.value, 700);
  EXPECT_EQ(intake.verdict.limit, 20);
  // Long after the last good fix it is better than nothing.
  coarse.time = FixAt(600).time;
  coarse.position = FixAt(600, 700).position;
  EXPECT_EQ(Judge(coarse).action, IntakeAction::kUse);
}

TEST_F(FixValidatorTest, NeverLocksOutWhateverCameFirst) {
  // Any single first fix, then a good track: it is taken up within five fixes.
  for (const double bad_t_s : {-1e6, -100.0, 0.0}) {
    FixValidator v;
    Fix bad = FixAt(bad_t_s, 1e6);
    bad.horizontal_accuracy_m = 1;
    const Intake first = v.Judge(bad, On(FixAt(0).time), std::nullopt);
    v.Commit(first, first.verdict);
    int refused = 0;
    for (int i = 1; i < 20; ++i) {
      const Fix f = FixAt(i, i);
      const Intake intake = v.Judge(f, On(f.time), std::nullopt);
      if (intake.action == IntakeAction::kDrop) ++refused;
      v.Commit(intake, intake.verdict);
    }
    EXPECT_LE(refused, 5) << bad_t_s;
  }
}

TEST_F(FixValidatorTest, RefusesABrokenSnapshotAndKeepsItsState) {
  Drive(5);
  const std::vector<std::byte> image = Image(validator_);
  FixValidator other;
  ASSERT_TRUE(other.Restore(image).ok());
  EXPECT_EQ(Image(other), image);
  for (std::size_t n = 0; n < image.size(); ++n) {
    EXPECT_EQ(other.Restore(std::span(image).first(n)).code(), Code::kCorruption);
  }
  EXPECT_EQ(Image(other), image);
}

}  // namespace
}  // namespace waymark
