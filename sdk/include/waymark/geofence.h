// Geofences: shapes, attributes and the events they cause.
#ifndef WAYMARK_GEOFENCE_H_
#define WAYMARK_GEOFENCE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "waymark/export.h"
#include "waymark/fix.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

struct Circle {
  LatLon centre;
  double radius_m = 0;  ///< geodesic, [1, 500,000]
};

/// One outer ring and its holes. Edges are geodesics. Rings are closed implicitly (a repeated first
/// vertex at the end is accepted), of either orientation, 3 to 100,000 vertices in all, and may
/// cross the antimeridian or enclose a pole.
struct Polygon {
  std::vector<LatLon> outer;
  std::vector<std::vector<LatLon>> holes;
};

struct MultiPolygon {
  std::vector<Polygon> parts;
};

/// All points within width_m / 2 of the polyline.
struct Corridor {
  std::vector<LatLon> line;  ///< at least 2 points
  double width_m = 0;        ///< [2, 100,000]
};

using FenceShape = std::variant<Circle, Polygon, MultiPolygon, Corridor>;

/// One weekly opening window in local time at a fixed UTC offset: [begin, end) in minutes since
/// Monday 00:00. end may exceed one week to wrap over Sunday midnight.
struct WeeklyWindow {
  std::uint32_t begin_minute = 0;
  std::uint32_t end_minute = 0;
};

struct Geofence {
  std::string id;  ///< 1 to 256 bytes, unique in a set
  FenceShape shape;
  Duration dwell{};  ///< > 0, 10 years at most: a Dwell event after being inside this long
  std::optional<UtcTime> expires;       ///< removed silently once a confirmed UTC reaches it
  std::int16_t utc_offset_minutes = 0;  ///< of `open`; [-840, 840]
  /// Empty: always open. A fence exists for its events only while it is open: crossings while it is
  /// closed are rejected triggers, opening around the device gives an Enter, closing an Exit.
  std::vector<WeeklyWindow> open;
  bool notify_enter = true, notify_exit = true, notify_dwell = true;
  bool initial_trigger = true;  ///< Enter if already inside when the fence is added
  double confidence = 0.9;      ///< probability needed to declare a crossing; [0.55, 0.999]
  std::string extras;           ///< opaque; returned with each event; at most 4096 bytes
};

enum class FenceTransition : std::uint8_t { kEnter = 1, kExit = 2, kDwell = 3, kRejected = 4 };

constexpr const char* FenceTransitionName(FenceTransition t) {
  switch (t) {
    case FenceTransition::kEnter:
      return "enter";
    case FenceTransition::kExit:
      return "exit";
    case FenceTransition::kDwell:
      return "dwell";
    case FenceTransition::kRejected:
      return "rejected";
  }
  return "unknown";
}

/// Why a trigger was not turned into an event. Persistent values: append only.
enum class FenceRejection : std::uint8_t {
  kNone = 0,
  kPendingCancelled = 1,  ///< a later fix took back a crossing that was not yet certain
  kClosed = 2,            ///< outside the opening hours
  kNotNotified = 3,       ///< the notify flags do not ask for it
};

struct FenceEvent {
  std::string id;
  FenceTransition transition = FenceTransition::kEnter;
  FenceRejection rejection = FenceRejection::kNone;
  /// What was attempted: Enter, Exit or Dwell. Differs from `transition` only where that is
  /// kRejected.
  FenceTransition trigger = FenceTransition::kEnter;
  MonoTime time{};  ///< when it was decided: the time of the estimate
  std::optional<UtcTime> utc;
  MonoTime crossing_time{};  ///< when the boundary was crossed, interpolated along the path
  std::optional<UtcTime> crossing_utc;
  LatLon crossing_position;  ///< where
  LatLon position;           ///< the estimate that decided
  double probability = 0;    ///< that the device is on the side the event says
  double distance_m = 0;     ///< signed distance of `position` to the boundary, negative inside
  MonoTime evidence_from{}, evidence_to{};  ///< the fixes the decision rests on
  std::string extras;
};

/// What is known about the device and one fence.
struct FenceState {
  bool inside = false;            ///< the declared side, whatever the opening hours
  bool announced = false;         ///< the last of Enter and Exit that was given out was Enter
  std::optional<MonoTime> since;  ///< of the present side, where a crossing was seen
  std::uint32_t hits = 0;         ///< how often the device came in
  bool pending = false;           ///< a crossing waits for a later fix to confirm it
  friend bool operator==(const FenceState&, const FenceState&) = default;
};

/// Why a shape was refused; the rest of its set is kept.
struct FenceProblem {
  std::string id;
  std::size_t index = 0;  ///< in the span that was given
  std::string reason;     ///< what, where and the limit
};

/// One shape, checked and prepared for distances. Immutable; thread-safe.
class WAYMARK_API FenceGeometry {
 public:
  /// kInvalidArgument says why the shape cannot be a fence.
  static Result<FenceGeometry> Create(const FenceShape& shape);
  /// Geodesic distance from `p` to the boundary, negative inside. Exact to 1 cm up to 50 km, beyond
  /// that to 0.4 %. Of a corridor: the distance to its line less half its width.
  double SignedDistanceM(LatLon p) const;

 private:
  struct Impl;
  explicit FenceGeometry(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace waymark

#endif  // WAYMARK_GEOFENCE_H_
