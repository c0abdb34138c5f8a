// Record: what is stored and delivered. One concept for the database, the wire and the host.
#ifndef WAYMARK_RECORD_H_
#define WAYMARK_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "waymark/estimate.h"
#include "waymark/geofence.h"

namespace waymark {

/// Persistent values, equal to the wire's: append only.
enum class RecordKind : std::uint8_t {
  kPoint = 1,
  kFence = 2,
  kMotion = 3,
  kStay = 4,
  kTrip = 5,
  kGap = 6,
  kDrops = 7,
  kMessage = 8,
};

constexpr const char* RecordKindName(RecordKind k) {
  switch (k) {
    case RecordKind::kPoint:
      return "point";
    case RecordKind::kFence:
      return "fence";
    case RecordKind::kMotion:
      return "motion";
    case RecordKind::kStay:
      return "stay";
    case RecordKind::kTrip:
      return "trip";
    case RecordKind::kGap:
      return "gap";
    case RecordKind::kDrops:
      return "drops";
    case RecordKind::kMessage:
      return "message";
  }
  return "unknown";
}

/// A knot of the track. Between two knots the track is the cubic Hermite curve through their
/// positions and velocities. Quantised as the wire is: 1e-7 deg, 1 cm, 1 cm/s, 0.01 deg.
struct PointRecord {
  LatLon position;
  double r68_m = 0;                  ///< radius that holds the truth in 68 % of cases; >= 0
  std::optional<double> speed_mps;   ///< over ground, >= 0; 0 at rest
  std::optional<double> course_deg;  ///< of travel, from true north, [0, 360); absent at rest
  std::optional<double> altitude_m;  ///< as the source gives it
  Motion motion = Motion::kUnknown;
};

/// A FenceEvent as it is stored.
struct FenceRecord {
  std::string fence_id;
  FenceTransition transition = FenceTransition::kEnter;
  LatLon position;         ///< the estimate that decided
  UtcTime crossing_utc{};  ///< when the boundary was crossed; the record's time is the decision's
  double probability = 0;  ///< [0, 1], to 1e-6
  double distance_m = 0;   ///< to the boundary, negative inside
  std::string extras;      ///< the fence's own
};

/// Motion or rest began, at the record's time.
struct MotionRecord {
  Motion motion = Motion::kUnknown;
  LatLon position;
};

/// A rest that lasted, told when it ended.
struct StayRecord {
  std::uint64_t id = 0;  ///< of the installation, increasing
  UtcTime begin_utc{}, end_utc{};
  LatLon position;
  double r68_m = 0;         ///< of the position, 68 %
  std::uint32_t fixes = 0;  ///< that it rests on
};

/// From one stay to the next, told when it ended.
struct TripRecord {
  std::uint64_t id = 0;  ///< of the installation, increasing
  UtcTime begin_utc{}, end_utc{};
  LatLon from, to;
  double distance_m = 0, distance_bound_m = 0;  ///< travelled, and its 95 % error bound
};

/// No usable fix from begin to end.
struct GapRecord {
  UtcTime begin_utc{}, end_utc{};
  GapCause cause = GapCause::kUnknown;
};

/// Records that had to be dropped before they were delivered.
struct DropsRecord {
  std::uint64_t records = 0;                  ///< how many
  std::uint64_t bytes = 0;                    ///< of stored payload
  std::uint64_t first_seq = 0, last_seq = 0;  ///< their range; others in it may be there
};

/// The application's own message, delivered with the track's guarantees.
struct MessageRecord {
  std::string topic;            ///< at most 256 bytes
  std::vector<std::byte> body;  ///< at most 64 KiB, opaque
};

/// The alternatives stand in the order of RecordKind.
using RecordBody = std::variant<PointRecord, FenceRecord, MotionRecord, StayRecord, TripRecord,
                                GapRecord, DropsRecord, MessageRecord>;

struct Record {
  std::uint64_t seq = 0;      ///< increasing by one within an installation
  std::uint64_t session = 0;  ///< the Start() it belongs to
  /// When it was true; non-decreasing with seq. Stays, trips and drops, which carry their own
  /// times, have that of the record before.
  UtcTime utc{};
  RecordBody body;

  RecordKind kind() const { return static_cast<RecordKind>(body.index() + 1); }
};

}  // namespace waymark

#endif  // WAYMARK_RECORD_H_
