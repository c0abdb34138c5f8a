#include "sdk/sampling/sampling_policy.h"

#include <algorithm>

namespace waymark {
namespace {

// Below this an acquisition costs more than staying on: 7-21 s on the phones measured
// (reference/estimation.md C.3), so a shorter wish means "continuously".
constexpr Duration kShortestDutyCycle = std::chrono::seconds(8);

// Who rests beside a fence may leave at any time, but is looked after no more often than this: a
// phone lies at home, within reach of its border, most of the day. Bounds how late an Exit is seen
// without motion sensors; with them, motion ends the rest at once.
constexpr Duration kRestCheck = std::chrono::seconds(64);

constexpr int kLowBatteryStretch = 4;

Duration FloorToPowerOfTwo(Duration d) {
  Duration snapped = std::chrono::seconds(1);
  if (d < snapped) return d;
  while (snapped * 2 <= d) snapped *= 2;
  return snapped;
}

}  // namespace

SamplingDecision ChooseSampling(const Config::Sampling& config, const SamplingInputs& in) {
  if (!in.tracking) return {{SamplingMode::kOff, {}, {}}, "stopped"};
  if (!in.host.location_permitted) return {{SamplingMode::kOff, {}, {}}, "no_permission"};
  if (config.passive) return {{SamplingMode::kPassive, {}, {}}, "passive"};

  SamplingDecision d;
  const bool at_rest = in.motion == Motion::kStationary;
  d.request.mode = SamplingMode::kHighAccuracy;
  d.request.interval = at_rest ? config.stationary_interval : config.moving_interval;
  d.reason = at_rest ? "stationary" : "moving";
  const bool low = in.battery.power_save || (in.battery.level && !in.battery.charging &&
                                             *in.battery.level < config.low_battery);
  if (low) {
    d.request.interval =
        std::max<Duration>(d.request.interval, std::chrono::seconds(1)) * kLowBatteryStretch;
    d.reason = "low_battery";
  }
  // A fence that could be reached before the next fix brings that fix forward.
  if (in.fence_time_s) {
    const double capped_s = std::clamp(*in.fence_time_s, 0.0, 1e6);
    Duration near = FromSeconds(capped_s);
    if (at_rest) near = std::max(near, kRestCheck);
    if (near < kShortestDutyCycle) near = std::chrono::seconds(1);
    near = FloorToPowerOfTwo(near);
    if (near < d.request.interval) {
      d.request.interval = near;
      d.reason = "fence_near";
    }
  }
  if (!in.host.foreground) d.request.max_batch_delay = config.max_batch_delay;
  return d;
}

}  // namespace waymark
