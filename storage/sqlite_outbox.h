// The Outbox over an open SQLite connection whose schema is current.
#ifndef WAYMARK_STORAGE_SQLITE_OUTBOX_H_
#define WAYMARK_STORAGE_SQLITE_OUTBOX_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/sqlite_db.h"
#include "waymark/outbox.h"

namespace waymark::storage {

/// `suspect_marker`: a file made when damage is met while running, so that the next open checks the
/// whole database; empty: none is made.
class SqliteOutbox final : public Outbox {
 public:
  static Result<std::unique_ptr<SqliteOutbox>> Create(SqliteDb db, bool read_only,
                                                      std::string suspect_marker);

  Result<OutboxRemoved> Commit(const OutboxWrite& write) override;
  Result<std::vector<StoredRecord>> Peek(std::uint64_t after_seq, std::size_t max_records,
                                         std::size_t max_bytes) override;
  Result<OutboxRemoved> Enforce(const OutboxLimits& limits, std::optional<UtcTime> utc) override;
  Result<std::optional<std::vector<std::byte>>> GetState(std::string_view key) override;
  Result<OutboxContents> Contents() override;
  Status Sync() override;

 private:
  // What the table holds, kept in memory so that no call but the first has to scan. Bounds may be
  // low after deletions; they are only ever used to skip work that cannot find anything.
  struct Totals {
    std::uint64_t records = 0, bytes = 0;
    std::int64_t oldest_created_ms = INT64_MAX;  // no record is older
    std::array<std::uint64_t, 256> of_priority{};
    std::array<std::uint64_t, 256> first_of_priority{};  // no such record has a lower seq
  };

  SqliteOutbox(SqliteDb db, bool read_only, std::string suspect_marker);
  Status PrepareAll();
  Status CheckWritable(std::string_view what) const;
  Status Damaged(Status status);
  Status LoadTotals();
  Status Append(const StoredRecord& record);
  // Deletes what `statement` (bound, DELETE ... RETURNING seq, priority, length) selects.
  Status Delete(SqliteStatement& statement, Totals& totals, OutboxRemoved& deleted);
  Status KeepLastSeq(std::uint64_t last_seq);
  Status DropLowest(const OutboxLimits& limits, Totals& totals, OutboxRemoved& drops);
  Status EndTransaction(Status status);

  SqliteDb db_;
  bool read_only_;
  std::string suspect_marker_;
  std::uint64_t last_seq_ = 0;
  std::optional<Totals> totals_;
  SqliteStatement begin_, commit_, insert_, ack_, delete_old_, delete_one_, of_priority_, peek_,
      put_state_, delete_state_, get_state_, put_last_seq_, first_, summary_;
};

}  // namespace waymark::storage

#endif  // WAYMARK_STORAGE_SQLITE_OUTBOX_H_
