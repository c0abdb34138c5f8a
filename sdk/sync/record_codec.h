// One record <-> the bytes of its row in the store. Absolute values, no batch state, so that any
// row can be read by itself; quantised exactly as the wire is, so that what is stored is what is
// sent.
#ifndef WAYMARK_SDK_SYNC_RECORD_CODEC_H_
#define WAYMARK_SDK_SYNC_RECORD_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "waymark/export.h"
#include "waymark/record.h"
#include "waymark/status.h"

namespace waymark::sync {

/// The payload of `record` without its seq, which is the row's key. Total: a number that is not
/// finite becomes 0 (an optional one: absent), one out of range its nearest limit.
std::vector<std::byte> EncodeRecord(const Record& record);

/// Any bytes are safe. kCorruption: not what EncodeRecord writes; kUnsupported: written by a newer
/// version.
Result<Record> DecodeRecord(std::uint64_t seq, std::span<const std::byte> payload);

/// `record` as it reads after encoding: what the store and the wire can tell of it.
Record Quantised(const Record& record);

}  // namespace waymark::sync

#endif  // WAYMARK_SDK_SYNC_RECORD_CODEC_H_
