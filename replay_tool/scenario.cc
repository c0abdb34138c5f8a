#include "replay_tool/scenario.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <utility>
#include <vector>

#include "replay_tool/portable_math.h"
#include "replay_tool/scenario_errors.h"
#include "replay_tool/scenario_motion.h"

namespace waymark::replay {
namespace {

using std::chrono::milliseconds;

constexpr double kStepS = 0.1;
constexpr std::int64_t kStepMs = 100;
// 2026-01-05T08:00:00Z: after every GPS week rollover that a repair could suspect.
constexpr UtcTime kBeginUtc{milliseconds(1'767'600'000'000)};
// Speed and course lag the position by this (reference estimation.md, finding 4).
constexpr double kMinLatencyS = 0.2, kMaxLatencyS = 0.5;
// Speeds below this are reported as exactly 0, without a course (section E).
constexpr double kStandingMps = 0.3;

constexpr std::array<ScenarioInfo, 14> kScenarios{{
    {"open", "a drive under open sky", 1800},
    {"suburb", "a drive between houses: coloured errors, rare jumps and dropouts", 1800},
    {"canyon", "a drive in an urban canyon: jumps of 10-200 m, dropouts, stuck fixes", 1800},
    {"tunnel", "a drive through tunnels of 30-180 s; the first fix after each is 20-80 m off",
     1800},
    {"indoor", "rooms and corridors: slow 8 m wander, failed fixes, network hops", 1800},
    {"parked", "a drive, 30 minutes parked in a canyon, a drive", 2400},
    {"cold_start", "no fix for half a minute, then one that is hundreds of metres off", 900},
    {"cached_fix", "a sleeping phone wakes elsewhere and first repeats its old position", 1200},
    {"spoof", "mocked fixes kilometres away, then an unmarked slow drag-off", 1200},
    {"clock_step", "the source's time runs a second ahead for the middle third", 1200},
    {"antimeridian", "a highway eastwards over longitude 180", 1200},
    {"polar", "a vehicle over the north pole", 1200},
    {"ferry", "an hour with a ship: at the quay, at sea, at the quay", 3600},
    {"flight", "stand, taxi, take-off, climb and cruise at 230 m/s", 3600},
}};

struct Plan {
  LatLon start{50.1109, 8.6821};
  double course_deg = 0;
  std::vector<Phase> phases;
  ErrorParameters errors = OpenSky();
};

// What is left of a name without separators and capitals: "Cold Start", "cold-start" and
// "ColdStart" are one.
std::string BareName(std::string_view name) {
  std::string bare;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_') continue;
    bare += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return bare;
}

Gait GaitOf(Movement movement) {
  switch (movement) {
    case Movement::kStay:
      return Gait::kStay;
    case Movement::kWalk:
      return Gait::kWalk;
    case Movement::kCycle:
      return Gait::kCycle;
    case Movement::kDrive:
      return Gait::kDrive;
  }
  return Gait::kDrive;
}

Plan MakePlan(const std::string& name, const ScenarioOptions& options, double duration_s) {
  Plan plan;
  Random random(options.seed, "plan");
  plan.course_deg = random.Uniform(0, 360);
  plan.phases = {{Gait::kDrive, duration_s}};
  if (options.movement) plan.phases = {{GaitOf(*options.movement), duration_s}};
  if (name == "suburb") plan.errors = Suburb();
  if (name == "canyon") plan.errors = Canyon();
  if (name == "tunnel") plan.errors = Suburb();
  if (name == "indoor") {
    plan.errors = Indoor();
    plan.phases.clear();
    for (double t = 0; t < duration_s; t += 720) {
      plan.phases.push_back({Gait::kStay, 600});
      plan.phases.push_back({Gait::kWalk, 120});
    }
  }
  if (name == "parked") {
    const double drive_s = duration_s / 8;
    plan.phases = {
        {Gait::kDrive, drive_s}, {Gait::kStay, duration_s - 2 * drive_s}, {Gait::kDrive, drive_s}};
  }
  if (name == "antimeridian") {  // Taveuni, Fiji, which the 180th meridian crosses
    plan.start = {-16.82, 179.9};
    plan.course_deg = random.Uniform(75, 105);
    plan.phases = {{Gait::kHighway, duration_s}};
  }
  if (name == "polar") {
    plan.start = {89.95, 25};
    plan.course_deg = random.Uniform(-0.5, 0.5);
    plan.phases = {{Gait::kTrek, duration_s}};
  }
  if (name == "ferry") {
    plan.start = {54.1766, 12.0947};
    plan.course_deg = 0;
    plan.phases = {{Gait::kStay, duration_s / 6},
                   {Gait::kSail, duration_s * 2 / 3},
                   {Gait::kStay, duration_s / 6}};
  }
  if (name == "flight") {
    plan.start = {60.3172, 24.9633};
    plan.phases = {{Gait::kFly, duration_s}};
  }
  return plan;
}

double CourseDeg(EastNorth v) {
  const double deg = PortableAtan2(v.east_m, v.north_m) * 180 / std::numbers::pi;
  return deg < 0 ? deg + 360 : deg;
}

// One phone on one journey.
class Phone {
 public:
  Phone(const ScenarioOptions& options, std::string name, double duration_s, ScenarioSink& sink)
      : options_(options),
        name_(std::move(name)),
        duration_ms_(static_cast<std::int64_t>(duration_s * 1000)),
        plan_(MakePlan(name_, options, duration_s)),
        traveller_(plan_.start, plan_.course_deg, plan_.phases, options.seed),
        errors_(plan_.errors, options.seed),
        random_(options.seed, "phone"),
        sink_(sink),
        latency_s_(random_.Uniform(kMinLatencyS, kMaxLatencyS)) {
    history_.fill(Vec3{});
  }

  void Run() {
    const std::int64_t fix_ms = Steps(options_.interval_s) * kStepMs;
    const std::int64_t truth_ms = Steps(options_.truth_interval_s) * kStepMs;
    for (now_ms_ = 0; now_ms_ <= duration_ms_; now_ms_ += kStepMs) {
      if (now_ms_ > 0) Move();
      if (now_ms_ % truth_ms == 0) TellTruth();
      if (now_ms_ % fix_ms == 0) Measure(static_cast<double>(fix_ms) * 1e-3);
    }
  }

 private:
  static std::int64_t Steps(double seconds) {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(seconds * 10 + 0.5)));
  }
  double now_s() const { return static_cast<double>(now_ms_) * 1e-3; }
  /// Progress through the journey, [0, 1].
  double share() const { return static_cast<double>(now_ms_) / static_cast<double>(duration_ms_); }
  UtcTime utc() const { return kBeginUtc + milliseconds(now_ms_); }

  void Move() {
    traveller_.Step(kStepS);
    std::rotate(history_.begin(), history_.end() - 1, history_.end());
    history_[0] = traveller_.velocity();
    if (name_ == "parked") {
      errors_.SetParameters(traveller_.gait() == Gait::kStay ? Canyon() : OpenSky());
    }
  }

  void TellTruth() {
    sink_.OnTruth({utc(), PortableFromEcef(traveller_.position()), traveller_.altitude_m(),
                   traveller_.speed_mps(), traveller_.standing(), GaitMode(traveller_.gait())});
  }

  /// The velocity as the chip will state it, `latency_s_` old.
  Vec3 LaggedVelocity() const {
    const double steps = latency_s_ / kStepS;
    const auto i = static_cast<std::size_t>(steps);
    const double u = steps - static_cast<double>(i);
    return (1 - u) * history_[i] + u * history_[i + 1];
  }

  void Measure(double dt_s) {
    ErrorState error = errors_.Next(dt_s);
    // Drawn for every epoch, so that the events of a scenario do not shift the rest.
    const double delivery_ms = random_.Uniform(50, 250);
    const double spread = PortableExp(0.2 * random_.Normal());
    const SurfaceAxes axes(traveller_.position());
    ScenarioFix out;
    if (!Special(error)) return;

    const Vec3 offset = error.error.east_m * axes.east + error.error.north_m * axes.north;
    out.fix.utc = utc();
    out.fix.position = PortableFromEcef(traveller_.position() + offset);
    out.fix.source = error.hop ? FixSource::kNetwork : FixSource::kGnss;
    out.fix.altitude_m = traveller_.altitude_m() + error.altitude_m;
    if (!options_.without_accuracy) {
      out.fix.horizontal_accuracy_m = error.radius_m;
      out.fix.vertical_accuracy_m = 2 * error.sigma_m * spread;
    }
    if (errors_.parameters().velocity_mps > 0 && !error.hop && !options_.position_only) {
      State(error, spread, axes, out.fix);
    }
    out.fix.simulated = mocked_;
    if (error.stuck && last_) {
      const std::optional<UtcTime> time = out.fix.utc;
      out.fix = last_->fix;
      out.fix.utc = time;
    }
    out.received = utc() + milliseconds(static_cast<std::int64_t>(delivery_ms));
    *out.fix.utc += milliseconds(time_offset_ms_);
    if (!error.stuck) last_ = out;
    sink_.OnFix(out);
  }

  void State(const ErrorState& error, double spread, const SurfaceAxes& axes, Fix& fix) const {
    const Vec3 lagged = LaggedVelocity();
    EastNorth v{Dot(lagged, axes.east), Dot(lagged, axes.north)};
    const bool standing = v.east_m * v.east_m + v.north_m * v.north_m < kStandingMps * kStandingMps;
    v = {v.east_m + drag_.east_m + error.velocity.east_m,
         v.north_m + drag_.north_m + error.velocity.north_m};
    const double speed = std::sqrt(v.east_m * v.east_m + v.north_m * v.north_m);
    const double sigma = std::max(0.15, errors_.parameters().velocity_mps * spread);
    fix.speed_mps = standing ? 0 : speed;
    if (!standing) fix.course_deg = CourseDeg(v);
    if (options_.without_accuracy) return;
    fix.speed_accuracy_mps = sigma;
    if (!standing) {
      fix.course_accuracy_deg = std::min(180.0, sigma / speed * 180 / std::numbers::pi);
    }
  }

  // What only this scenario does. False: no fix comes now.
  bool Special(ErrorState& error) {
    mocked_ = false;
    time_offset_ms_ = 0;
    drag_ = {};
    if (name_ == "tunnel") return Tunnel(error);
    if (name_ == "cold_start") return ColdStart(error);
    if (name_ == "cached_fix") return CachedFix(error);
    if (name_ == "spoof") Spoof(error);
    if (name_ == "clock_step" && share() >= 1.0 / 3 && share() < 2.0 / 3) time_offset_ms_ = 1000;
    return !error.missing;
  }

  // The error of a fresh acquisition: `size_m` in a fixed direction, fading with `tau_s`.
  void AddFading(ErrorState& error, double size_m, double since_s, double tau_s) const {
    const double now_m = size_m * PortableExp(-since_s / tau_s);
    error.error.east_m += now_m * PortableSin(direction_rad_);
    error.error.north_m += now_m * PortableCos(direction_rad_);
    error.radius_m = std::max(error.radius_m, now_m);
  }

  bool Tunnel(ErrorState& error) {
    if (now_s() >= next_tunnel_s_) {
      tunnel_end_s_ = now_s() + random_.Uniform(30, 180);
      next_tunnel_s_ = tunnel_end_s_ + random_.Uniform(120, 400);
      size_m_ = random_.Uniform(20, 80);
      direction_rad_ = random_.Uniform(0, 2 * std::numbers::pi);
    }
    if (now_s() < tunnel_end_s_) return false;
    if (tunnel_end_s_ > 0) AddFading(error, size_m_, now_s() - tunnel_end_s_, 3);
    return !error.missing;
  }

  bool ColdStart(ErrorState& error) {
    if (size_m_ == 0) {
      size_m_ = random_.Uniform(150, 400);
      direction_rad_ = random_.Uniform(0, 2 * std::numbers::pi);
    }
    constexpr double kFirstFixS = 30;
    if (now_s() < kFirstFixS) return false;
    AddFading(error, size_m_, now_s() - kFirstFixS, 15);
    return !error.missing;
  }

  // Asleep from a quarter to a half of the journey; then three epochs with the old position.
  bool CachedFix(ErrorState& error) {
    if (share() < 0.25) return !error.missing;
    if (share() < 0.5) return false;
    if (cached_left_ > 0) {
      --cached_left_;
      error.stuck = true;
    }
    return true;
  }

  // Marked as mocked and 3 km away for a minute; later, unmarked, drawn off at 5 m/s.
  void Spoof(ErrorState& error) {
    if (direction_rad_ == 0) direction_rad_ = random_.Uniform(0.1, 6);
    const double mock_s = now_s() - static_cast<double>(duration_ms_) * 1e-3 / 3;
    if (mock_s >= 0 && mock_s < 60) {
      mocked_ = true;
      Displace(error, 3000);
    }
    const double drag_s = now_s() - static_cast<double>(duration_ms_) * 1e-3 * 2 / 3;
    if (drag_s >= 0 && drag_s < 100) {
      Displace(error, 5 * drag_s);
      drag_ = {5 * PortableSin(direction_rad_), 5 * PortableCos(direction_rad_)};
    }
  }

  void Displace(ErrorState& error, double by_m) const {
    error.error.east_m += by_m * PortableSin(direction_rad_);
    error.error.north_m += by_m * PortableCos(direction_rad_);
  }

  const ScenarioOptions& options_;
  std::string name_;
  std::int64_t duration_ms_;
  Plan plan_;
  Traveller traveller_;
  ErrorModel errors_;
  Random random_;
  ScenarioSink& sink_;
  double latency_s_;
  std::array<Vec3, 7> history_;  ///< velocities, newest first, one a step
  std::int64_t now_ms_ = 0;
  std::optional<ScenarioFix> last_;
  bool mocked_ = false;
  std::int64_t time_offset_ms_ = 0;
  EastNorth drag_;
  double next_tunnel_s_ = 120, tunnel_end_s_ = 0;
  double size_m_ = 0, direction_rad_ = 0;
  int cached_left_ = 3;
};

bool InSteps(double value, double low, double high) {
  return value >= low && value <= high &&
         std::abs(value * 10 - std::floor(value * 10 + 0.5)) < 1e-6;
}

}  // namespace

std::span<const ScenarioInfo> Scenarios() { return kScenarios; }

const ScenarioInfo* FindScenario(std::string_view name) {
  const auto* info = std::find_if(kScenarios.begin(), kScenarios.end(), [&](const ScenarioInfo& s) {
    return BareName(s.name) == BareName(name);
  });
  return info == kScenarios.end() ? nullptr : info;
}

Status CheckScenario(const ScenarioOptions& options) {
  const ScenarioInfo* info = FindScenario(options.name);
  if (info == nullptr) {
    std::string names;
    for (const ScenarioInfo& s : kScenarios) {
      if (!names.empty()) names += ", ";
      names += s.name;
    }
    return Status(Code::kInvalidArgument,
                  "no scenario is named \"" + options.name + "\"; there are " + names);
  }
  const double duration_s = options.duration_s.value_or(info->default_duration_s);
  if (!(duration_s >= 10 && duration_s <= 1e7)) {
    return Status(Code::kInvalidArgument, "the duration must lie in [10, 1e7] s");
  }
  if (!InSteps(options.interval_s, 0.1, 3600) || !InSteps(options.truth_interval_s, 0.1, 60)) {
    return Status(Code::kInvalidArgument,
                  "intervals go in steps of 0.1 s; fixes up to 3600 s, truth up to 60 s");
  }
  if (options.movement && info->name != "open" && info->name != "suburb" &&
      info->name != "canyon") {
    return Status(Code::kInvalidArgument,
                  "scenario " + std::string(info->name) +
                      " moves in its own way; only open, suburb and canyon take "
                      "another");
  }
  return {};
}

Status RunScenario(const ScenarioOptions& options, ScenarioSink& sink) {
  if (Status status = CheckScenario(options); !status.ok()) return status;
  const ScenarioInfo& info = *FindScenario(options.name);
  const double duration_s = options.duration_s.value_or(info.default_duration_s);
  Phone(options, std::string(info.name), duration_s, sink).Run();
  return {};
}

}  // namespace waymark::replay
