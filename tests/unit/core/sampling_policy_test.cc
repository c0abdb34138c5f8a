#include "sdk/sampling/sampling_policy.h"

#include <gtest/gtest.h>

namespace waymark {
namespace {

using std::chrono::seconds;

SamplingInputs Moving() {
  SamplingInputs in;
  in.tracking = true;
  in.motion = Motion::kMoving;
  return in;
}

TEST(SamplingPolicy, OffWhereNothingMayOrNeedBeLocated) {
  const Config::Sampling config;
  SamplingInputs in = Moving();
  in.tracking = false;
  EXPECT_EQ(ChooseSampling(config, in).request.mode, SamplingMode::kOff);
  in = Moving();
  in.host.location_permitted = false;
  EXPECT_EQ(ChooseSampling(config, in).request.mode, SamplingMode::kOff);
  EXPECT_EQ(ChooseSampling(config, in).reason, "no_permission");
}

TEST(SamplingPolicy, PassiveNeverSwitchesTheHardwareOn) {
  Config::Sampling config;
  config.passive = true;
  EXPECT_EQ(ChooseSampling(config, Moving()).request.mode, SamplingMode::kPassive);
}

TEST(SamplingPolicy, RestStretchesTheIntervalAndLowBatteryStretchesItFurther) {
  const Config::Sampling config;
  SamplingInputs in = Moving();
  EXPECT_EQ(ChooseSampling(config, in).request.interval, seconds(1));
  in.motion = Motion::kStationary;
  EXPECT_EQ(ChooseSampling(config, in).request.interval, seconds(300));
  in = Moving();
  in.battery.level = 0.1;
  EXPECT_EQ(ChooseSampling(config, in).request.interval, seconds(4));
  EXPECT_EQ(ChooseSampling(config, in).reason, "low_battery");
  in.battery.charging = true;
  EXPECT_EQ(ChooseSampling(config, in).request.interval, seconds(1));
}

TEST(SamplingPolicy, AFenceBringsTheNextFixForwardInStepsOfTwoAndNeverDutyCyclesBelowEightSeconds) {
  Config::Sampling config;
  config.moving_interval = seconds(300);
  SamplingInputs in = Moving();
  const auto interval = [&](double fence_time_s) {
    in.fence_time_s = fence_time_s;
    return ChooseSampling(config, in).request.interval;
  };
  EXPECT_EQ(interval(1e5), seconds(300));
  EXPECT_EQ(interval(299), seconds(256));
  EXPECT_EQ(interval(20), seconds(16));
  EXPECT_EQ(interval(7.9), seconds(1));
  EXPECT_EQ(interval(0), seconds(1));
  EXPECT_EQ(ChooseSampling(config, in).reason, "fence_near");
}

TEST(SamplingPolicy, WhoRestsBesideAFenceIsLookedAfterEachMinute) {
  const Config::Sampling config;
  SamplingInputs in = Moving();
  in.motion = Motion::kStationary;
  for (const double fence_time_s : {0.0, 3.0, 64.0}) {
    in.fence_time_s = fence_time_s;
    EXPECT_EQ(ChooseSampling(config, in).request.interval, seconds(64));
    EXPECT_EQ(ChooseSampling(config, in).reason, "fence_near");
  }
  in.fence_time_s = 200;
  EXPECT_EQ(ChooseSampling(config, in).request.interval, seconds(128));
}

TEST(SamplingPolicy, BatchesOnlyInTheBackground) {
  Config::Sampling config;
  config.max_batch_delay = seconds(120);
  SamplingInputs in = Moving();
  EXPECT_EQ(ChooseSampling(config, in).request.max_batch_delay, seconds(120));
  in.host.foreground = true;
  EXPECT_EQ(ChooseSampling(config, in).request.max_batch_delay, Duration::zero());
}

}  // namespace
}  // namespace waymark
