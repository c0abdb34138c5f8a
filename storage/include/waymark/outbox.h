// Outbox: the durable queue between what was recorded and what was delivered, and a small
// key-value store that is written in the same transaction. Knows nothing of GPS: payloads are
// bytes.
#ifndef WAYMARK_OUTBOX_H_
#define WAYMARK_OUTBOX_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/export.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

/// One row of the queue.
struct StoredRecord {
  std::uint64_t seq = 0;  ///< > 0, strictly increasing over the life of the store
  std::uint8_t kind =
      0;  ///< opaque here; higher `priority` kinds survive longer when space is short
  std::uint8_t priority = 0;  ///< 0: dropped first
  UtcTime created{};
  std::vector<std::byte> payload;
};

struct KeyValue {
  std::string key;
  std::vector<std::byte> value;  ///< empty: delete the key
};

/// An inclusive range of sequence numbers.
struct SeqRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

/// Everything that one step of the core wants durable, applied in one transaction or not at all.
struct OutboxWrite {
  std::vector<StoredRecord> append;  ///< in order of seq, all above any seq appended before
  std::optional<SeqRange> ack;  ///< delivered: these may be deleted; unknown numbers are ignored
  std::vector<KeyValue> state;
};

struct OutboxLimits {
  std::uint64_t max_records = 500'000;
  std::uint64_t max_bytes = 64u << 20;             ///< sum of payload bytes
  Duration max_age = std::chrono::hours(24 * 30);  ///< judged only against a confirmed UTC
};

/// What one call took out of the queue.
struct OutboxRemoved {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;                    ///< of payload
  std::uint64_t first_seq = 0, last_seq = 0;  ///< 0 when nothing was removed
};

struct OutboxContents {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;      ///< payload bytes
  std::uint64_t first_seq = 0;  ///< oldest present, 0 when empty
  std::uint64_t last_seq = 0;   ///< highest ever appended, also when it was acknowledged since
};

/// Called on one thread at a time. An ok Commit survives SIGKILL at any later instant; it survives
/// power loss after the next Sync(). Errors: kIo, kResourceExhausted (disk full), kCorruption,
/// kFailedPrecondition (sequence not increasing); after an error nothing of that call was applied.
class WAYMARK_API Outbox {
 public:
  virtual ~Outbox() = default;
  /// The records that `write.ack` removed.
  virtual Result<OutboxRemoved> Commit(const OutboxWrite& write) = 0;
  /// Oldest first from `after_seq` + 1; stops before exceeding either limit, but gives at least one
  /// record when there is one.
  virtual Result<std::vector<StoredRecord>> Peek(std::uint64_t after_seq, std::size_t max_records,
                                                 std::size_t max_bytes) = 0;
  /// Drops oldest records of the lowest priority until the limits hold. No age rule without `utc`.
  /// What it had to drop: never silent.
  virtual Result<OutboxRemoved> Enforce(const OutboxLimits& limits, std::optional<UtcTime> utc) = 0;
  /// nullopt inside the Result: no such key.
  virtual Result<std::optional<std::vector<std::byte>>> GetState(std::string_view key) = 0;
  virtual Result<OutboxContents> Contents() = 0;
  /// Makes everything committed so far survive power loss.
  virtual Status Sync() = 0;
};

/// Opens or creates a database file. Errors say path and cause. A file that is not a database, is
/// damaged, or of an unknown newer schema is refused or set aside as `options` say; never deleted.
struct SqliteOutboxOptions {
  std::string path;
  bool read_only = false;
  /// true: a corrupt database is renamed to `PATH.corrupt-N`, a new one started and the fact
  /// reported in `quarantined_as`. false: kCorruption. A file that never was an SQLite database
  /// is always refused.
  bool quarantine_corrupt = true;
  bool power_loss_safe = false;  ///< true: each Commit survives power loss, at 15-20 times the cost
  std::string vfs;               ///< SQLite VFS name, empty for the default (tests inject faults)
};
struct OpenedOutbox {
  std::unique_ptr<Outbox> outbox;
  std::optional<std::string> quarantined_as;
};
WAYMARK_API Result<OpenedOutbox> OpenSqliteOutbox(const SqliteOutboxOptions& options);

}  // namespace waymark

#endif  // WAYMARK_OUTBOX_H_
