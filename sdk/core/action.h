// Action: everything the core can ask of the world or tell it. The shell performs actions in order.
#ifndef WAYMARK_SDK_CORE_ACTION_H_
#define WAYMARK_SDK_CORE_ACTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "waymark/estimate.h"
#include "waymark/geofence.h"
#include "waymark/outbox.h"
#include "waymark/ports.h"
#include "waymark/record.h"
#include "waymark/status.h"
#include "waymark/tracker.h"

namespace waymark {

namespace act {

/// One transaction of the store; ev::Committed must follow.
struct Commit {
  OutboxWrite write;
  std::vector<Record> records;  ///< what write.append encodes, for the listener
};
/// ev::Peeked must follow.
struct Peek {
  std::uint64_t after_seq = 0;
  std::size_t max_records = 0, max_bytes = 0;
};
/// ev::Enforced must follow.
struct Enforce {
  OutboxLimits limits;
  std::optional<UtcTime> utc;
};
/// Make what is committed survive power loss.
struct Sync {};
struct Sampling {
  SamplingRequest request;
  std::string_view reason;  ///< of static storage duration
};
struct TripStart {
  Trip trip;
};
struct FlushDone {
  Status status;
};

}  // namespace act

/// The order is the journal's numbering: append only.
using Action = std::variant<FixReport, MotionChange, Stay, act::TripStart, Trip, Gap, FenceEvent,
                            FenceProblem, act::Sampling, act::Commit, act::Peek, act::Enforce,
                            act::Sync, HttpRequest, UploadReport, act::FlushDone, Status>;

}  // namespace waymark

#endif  // WAYMARK_SDK_CORE_ACTION_H_
