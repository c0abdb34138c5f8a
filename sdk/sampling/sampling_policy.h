// Sampling policy: what to ask of the positioning hardware, and why. A pure function.
#ifndef WAYMARK_SDK_SAMPLING_SAMPLING_POLICY_H_
#define WAYMARK_SDK_SAMPLING_SAMPLING_POLICY_H_

#include <optional>
#include <string_view>

#include "waymark/config.h"
#include "waymark/estimate.h"
#include "waymark/ports.h"

namespace waymark {

struct SamplingInputs {
  bool tracking = false;
  Motion motion = Motion::kUnknown;
  Battery battery;
  HostState host;
  /// Seconds until a fence boundary could be reached at the configured speed; nullopt: no fences.
  std::optional<double> fence_time_s;
};

struct SamplingDecision {
  SamplingRequest request;
  std::string_view
      reason;  ///< of static storage duration: "moving", "stationary", "low_battery", ...
};

/// Intervals snap to powers of two of a second, so that the request changes seldom.
SamplingDecision ChooseSampling(const Config::Sampling& config, const SamplingInputs& inputs);

}  // namespace waymark

#endif  // WAYMARK_SDK_SAMPLING_SAMPLING_POLICY_H_
