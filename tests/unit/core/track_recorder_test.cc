// What the recorder makes of starts and stops that come before the odometer has heard of them: a
// fix that is not used moves the detector, not the odometer.
#include "sdk/core/track_recorder.h"

#include <gtest/gtest.h>

#include "waymark/geometry.h"

namespace waymark {
namespace {

using std::chrono::seconds;

constexpr LatLon kHome{47.3769, 8.5417};

Estimate At(int s, double east_m, double speed_mps) {
  Estimate e;
  e.time = MonoTime(seconds(1000 + s));
  e.position = LocalFrame(kHome).FromLocal({east_m, 0});
  e.velocity_east_mps = speed_mps;
  e.r68_m = 4;
  return e;
}

MotionChange ChangeAt(int s, Motion motion) {
  MotionChange change;
  change.time = MonoTime(seconds(1000 + s));
  change.motion = motion;
  change.position = kHome;
  return change;
}

class Recorder : public testing::Test {
 protected:
  void Take(const Estimate& e, Motion motion) {
    odometer_.Update(e, motion);
    recorder_.Follow(odometer_);
    recorder_.Push(e);
  }
  void Change(const MotionChange& change) { recorder_.Change(change, 4, odometer_); }
  std::vector<Motion> Anchors() {
    std::vector<Motion> out;
    for (const auto& e : recorder_.ready()) {
      if (const auto* m = std::get_if<MotionRecord>(&e.body)) out.push_back(m->motion);
    }
    return out;
  }

  Odometer odometer_;
  TrackRecorder recorder_{SimplifierOptions{}};
};

TEST_F(Recorder, AStopBeforeTheOdometerKnowsOfItIsKept) {
  Take(At(0, 0, 0), Motion::kUnknown);
  Take(At(1, 3, 0.3), Motion::kUnknown);
  Change(ChangeAt(1, Motion::kStationary));
  EXPECT_TRUE(recorder_.ready().empty());
  Take(At(3, 1, 0), Motion::kStationary);
  ASSERT_EQ(recorder_.ready().size(), 2u);
  EXPECT_EQ(std::get<PointRecord>(recorder_.ready()[0].body).motion, Motion::kStationary);
  EXPECT_EQ(Anchors(), std::vector{Motion::kStationary});
  Take(At(4, 2, 0), Motion::kStationary);
  Change(ChangeAt(4, Motion::kStationary));  // and not told twice
  EXPECT_EQ(recorder_.ready().size(), 2u);
}

TEST_F(Recorder, AStartBeforeTheOdometerKnowsOfItIsRecordedWithItsWay) {
  Take(At(0, 0, 0), Motion::kStationary);
  Change(ChangeAt(0, Motion::kStationary));
  for (int s = 1; s < 60; ++s) Take(At(s, 0, 0), Motion::kStationary);
  recorder_.ready().clear();
  Change(ChangeAt(55, Motion::kMoving));
  for (int s = 60; s < 120; ++s) Take(At(s, 10.0 * (s - 59), 10), Motion::kMoving);
  recorder_.Flush();
  ASSERT_GT(odometer_.total().distance_m, 500);
  const std::vector<TrackRecorder::Entry>& ready = recorder_.ready();
  ASSERT_GE(ready.size(), 4u);
  EXPECT_EQ(Anchors(), std::vector{Motion::kMoving});
  EXPECT_EQ(ready[0].at, MonoTime(seconds(1055)));
  for (std::size_t i = 1; i < ready.size(); ++i) EXPECT_GE(ready[i].at, ready[i - 1].at);
  EXPECT_EQ(ready.back().at, MonoTime(seconds(1119)));
}

TEST_F(Recorder, WhatSettlesLateOfTheRestIsNoTrack) {
  Take(At(0, 0, 0), Motion::kStationary);
  Change(ChangeAt(0, Motion::kStationary));
  recorder_.ready().clear();
  odometer_.Update(At(20, 100, 15), Motion::kMoving);
  recorder_.Follow(odometer_);
  Change(ChangeAt(15, Motion::kMoving));
  for (int s = 12; s < 60; ++s) {
    odometer_.Update(At(20 + s, 100 + 15 * s, 15), Motion::kMoving);
    recorder_.Follow(odometer_);
    recorder_.Push(At(s, std::max(0, 15 * (s - 14)), 15));
  }
  recorder_.Flush();
  ASSERT_GE(recorder_.ready().size(), 4u);
  EXPECT_EQ(recorder_.ready()[1].at, MonoTime(seconds(1015)));  // the anchor
  // A knot with a velocity at its very time would bend the rest before it.
  EXPECT_GT(recorder_.ready()[2].at, MonoTime(seconds(1015)));
}

TEST_F(Recorder, AStartThatTheOdometerNeverHearsOfLeavesNothing) {
  Take(At(0, 0, 0), Motion::kStationary);
  Change(ChangeAt(0, Motion::kStationary));
  recorder_.ready().clear();
  Change(ChangeAt(5, Motion::kMoving));
  Change(ChangeAt(9, Motion::kStationary));
  for (int s = 10; s < 20; ++s) Take(At(s, 0, 0), Motion::kStationary);
  EXPECT_TRUE(recorder_.ready().empty());
}

TEST_F(Recorder, WhatIsKnownOfAnUnknownMotionIsKeptWhenTrackingStops) {
  for (int s = 0; s < 3; ++s) Take(At(s, 2 * s, 1), Motion::kUnknown);
  EXPECT_TRUE(recorder_.ready().empty());
  recorder_.Flush();
  odometer_.Break();
  recorder_.Follow(odometer_);
  EXPECT_EQ(recorder_.ready().size(), 2u);
}

TEST_F(Recorder, AnUnknownMotionHoldsNothingBackForLong) {
  for (int s = 0; s <= 600; s += 60) Take(At(s, 30 * s, 30), Motion::kUnknown);
  recorder_.Close();
  EXPECT_GE(recorder_.ready().size(), 2u);
}

TEST_F(Recorder, AGapIsToldEvenWhereTheStartWasNone) {
  Take(At(0, 0, 0), Motion::kStationary);
  Change(ChangeAt(0, Motion::kStationary));
  recorder_.ready().clear();
  Take(At(10, 40, 2), Motion::kMoving);
  Change(ChangeAt(10, Motion::kMoving));
  Take(At(11, 41, 0), Motion::kMoving);
  recorder_.Break(MonoTime(seconds(1200)), std::nullopt, GapRecord{});
  Take(At(200, 1, 0), Motion::kStationary);
  EXPECT_EQ(odometer_.total().distance_m, 0);
  ASSERT_EQ(recorder_.ready().size(), 1u);
  EXPECT_TRUE(std::holds_alternative<GapRecord>(recorder_.ready()[0].body));
}

TEST_F(Recorder, RestoresToTheSameAndRefusesDamage) {
  Take(At(0, 0, 0), Motion::kStationary);
  Change(ChangeAt(0, Motion::kStationary));
  recorder_.ready().clear();
  for (int s = 10; s < 15; ++s) Take(At(s, 8.0 * s, 2), Motion::kMoving);
  Change(ChangeAt(10, Motion::kMoving));
  ASSERT_TRUE(odometer_.waits());
  std::vector<std::byte> image, again;
  recorder_.Save(image);
  TrackRecorder other{SimplifierOptions{}};
  ASSERT_TRUE(other.Restore(image).ok());
  other.Save(again);
  EXPECT_EQ(image, again);
  for (std::size_t cut = 0; cut < image.size(); ++cut) {
    EXPECT_FALSE(other.Restore(std::span(image).first(cut)).ok());
  }
  again.clear();
  other.Save(again);
  EXPECT_EQ(image, again);
}

}  // namespace
}  // namespace waymark
