// The Outbox contract in memory: for replays, tests and hosts that want no persistence.
#ifndef WAYMARK_MEMORY_OUTBOX_H_
#define WAYMARK_MEMORY_OUTBOX_H_

#include <memory>

#include "waymark/export.h"
#include "waymark/outbox.h"

namespace waymark {

/// Holds everything in memory; "durable" ends with the object.
WAYMARK_API std::unique_ptr<Outbox> MakeMemoryOutbox();

/// For who neither uploads nor reads records back: accepts and forgets them, so that its memory
/// does not grow. State is kept. Contents() and Peek() never show a record, Enforce() drops none.
WAYMARK_API std::unique_ptr<Outbox> MakeForgetfulOutbox();

}  // namespace waymark

#endif  // WAYMARK_MEMORY_OUTBOX_H_
