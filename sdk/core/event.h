// Event: everything that can happen to the core. Together with their stamps, the events of a
// session are its complete input: the journal records them and nothing else.
#ifndef WAYMARK_SDK_CORE_EVENT_H_
#define WAYMARK_SDK_CORE_EVENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "waymark/fix.h"
#include "waymark/geofence.h"
#include "waymark/outbox.h"
#include "waymark/ports.h"
#include "waymark/status.h"

namespace waymark {

namespace ev {

/// The store is open; always the first event of a process.
struct StoreOpened {
  OutboxContents contents;
  std::optional<UtcTime> last_utc;  ///< of the newest record ever appended
  std::uint64_t boot_id = 0;        ///< as Clock::BootId()
};
struct Start {};
struct Stop {};
struct AlarmFired {};
struct Flush {};
struct AddFences {
  std::vector<Geofence> fences;
};
struct RemoveFences {
  std::vector<std::string> ids;
};
struct ClearFences {};
struct Enqueue {
  std::string topic;
  std::vector<std::byte> body;
};
/// The answers to act::Commit, act::Peek and act::Enforce.
struct Committed {
  Status status;
  OutboxRemoved removed;  ///< by the acknowledgement, if there was one
};
struct Peeked {
  Status status;
  std::vector<StoredRecord> records;
};
struct Enforced {
  Status status;
  OutboxRemoved drops;
};

}  // namespace ev

/// The order is the journal's numbering: append only.
using Event =
    std::variant<ev::StoreOpened, ev::Start, ev::Stop, ev::AlarmFired, ev::Flush, Fix, MotionSample,
                 Battery, Link, HostState, ev::AddFences, ev::RemoveFences, ev::ClearFences,
                 ev::Enqueue, ev::Committed, ev::Peeked, ev::Enforced, HttpReply>;

}  // namespace waymark

#endif  // WAYMARK_SDK_CORE_EVENT_H_
