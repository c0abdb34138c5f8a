// Seeded scenarios: a journey whose truth is known, and what a phone would have reported of it.
//
// Truth: simple kinematic models (scenario_motion.h) integrated at 10 Hz on the ellipsoid.
// Reports: the error model of reference estimation.md, section E (scenario_errors.h). All
// arithmetic is portable (portable_math.h, random.h): the same seed gives the same bytes
// everywhere.
#ifndef WAYMARK_REPLAY_TOOL_SCENARIO_H_
#define WAYMARK_REPLAY_TOOL_SCENARIO_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "waymark/fix.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark::replay {

struct ScenarioInfo {
  std::string_view name;
  std::string_view description;
  double default_duration_s;
};

/// All scenarios, in the order of REPLAY_TOOL.md.
std::span<const ScenarioInfo> Scenarios();

/// The scenario of this name, whatever its capitals and separators; null: there is none.
const ScenarioInfo* FindScenario(std::string_view name);

enum class Movement : std::uint8_t { kStay, kWalk, kCycle, kDrive };

struct ScenarioOptions {
  std::string name;  ///< see FindScenario
  std::uint64_t seed = 1;
  std::optional<double> duration_s;  ///< the scenario's own if absent; [10, 1e7]
  double interval_s = 1;             ///< between fixes; [0.1, 3600], in steps of 0.1
  double truth_interval_s = 1;       ///< between truth points; [0.1, 60], in steps of 0.1
  std::optional<Movement> movement;  ///< for open, suburb and canyon; else the scenario's own
  bool position_only = false;        ///< leave out speed and course
  bool without_accuracy = false;     ///< leave out every accuracy
};

struct ScenarioTruth {
  UtcTime utc{};
  LatLon position;
  double altitude_m = 0;
  double speed_mps = 0;
  bool stationary = false;
  std::string_view mode;  ///< "Still", "Walk", "Bike", "Car", "Ferry", "Plane"
};

struct ScenarioFix {
  Fix fix;  ///< fix.time is not set
  UtcTime received{};
};

/// Receives a scenario in order of time, truth before the fix of the same instant.
class ScenarioSink {
 public:
  virtual ~ScenarioSink() = default;
  virtual void OnTruth(const ScenarioTruth& truth) = 0;
  virtual void OnFix(const ScenarioFix& fix) = 0;
};

/// kInvalidArgument: unknown name (the message lists the names) or an option out of range.
Status CheckScenario(const ScenarioOptions& options);

/// Fails exactly when CheckScenario does, before anything reached the sink.
Status RunScenario(const ScenarioOptions& options, ScenarioSink& sink);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SCENARIO_H_
