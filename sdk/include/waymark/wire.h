// Wire: the bytes of one upload. For collectors, which decode what a Waymark client sent.
// Schema: sdk/proto/waymark.proto. Content type: application/vnd.waymark.batch.v1+protobuf.
#ifndef WAYMARK_WIRE_H_
#define WAYMARK_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "waymark/export.h"
#include "waymark/record.h"
#include "waymark/status.h"

namespace waymark {

inline constexpr char kBatchContentType[] = "application/vnd.waymark.batch.v1+protobuf";

struct Batch {
  std::string installation;  ///< opaque id of the installation, 1 to 64 printable characters
  std::vector<Record> records;
};

/// Quantises as the schema says; Decode(Encode(b)) is then exact. `batch.records` in order of seq,
/// at most 100,000. Any thread.
WAYMARK_API std::vector<std::byte> EncodeBatch(const Batch& batch);

/// Any bytes are safe, on any thread: bounded in time and memory. kCorruption says what is wrong
/// and where; kUnsupported: a newer version. `bytes` may go when it returns.
WAYMARK_API Result<Batch> DecodeBatch(std::span<const std::byte> bytes);

}  // namespace waymark

#endif  // WAYMARK_WIRE_H_
