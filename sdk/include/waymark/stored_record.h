// What the rows of a Waymark database hold, for tools that read one.
#ifndef WAYMARK_STORED_RECORD_H_
#define WAYMARK_STORED_RECORD_H_

#include "waymark/export.h"
#include "waymark/outbox.h"
#include "waymark/record.h"
#include "waymark/status.h"

namespace waymark {

/// The record in a row that Outbox::Peek gave. Any bytes are safe. kCorruption: not written by a
/// Tracker; kUnsupported: by a newer version.
WAYMARK_API Result<Record> DecodeStoredRecord(const StoredRecord& row);

}  // namespace waymark

#endif  // WAYMARK_STORED_RECORD_H_
