// SQLite as values: a connection and its statements that close themselves, results as Status.
#ifndef WAYMARK_STORAGE_SQLITE_DB_H_
#define WAYMARK_STORAGE_SQLITE_DB_H_

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/status.h"

namespace waymark::storage {

struct CloseConnection {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};

/// One prepared statement. Bind counts from 1, columns from 0, as SQLite does.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* s) : statement_(s) {}

  void Bind(int index, std::int64_t value) { sqlite3_bind_int64(statement_.get(), index, value); }
  /// The bytes must live until Reset().
  void Bind(int index, std::span<const std::byte> bytes);
  void Bind(int index, std::string_view text);
  /// SQLITE_ROW, SQLITE_DONE or an error.
  int Step() { return sqlite3_step(statement_.get()); }
  void Reset() { sqlite3_reset(statement_.get()); }
  std::int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::vector<std::byte> Blob(int column) const;
  std::string Text(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
};

/// Resets a statement at the end of the scope: an unfinished one would hold a read transaction and
/// with it the WAL.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(SqliteStatement& s) : statement_(s) {}
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;
  ~ResetAtEnd() { statement_.Reset(); }

 private:
  SqliteStatement& statement_;
};

class SqliteDb {
 public:
  SqliteDb() = default;
  /// `frozen`: nobody writes to the file, and nothing can be written beside it.
  static Result<SqliteDb> Open(const std::string& path, int flags, const std::string& vfs,
                               bool frozen = false);

  /// Runs one or more statements, ignoring their rows.
  Status Execute(const char* sql);
  Result<SqliteStatement> Prepare(const char* sql);
  /// The integer in the first column of the first row, 0 without a row.
  Result<std::int64_t> QueryInt(const char* sql);
  /// The connection's last error as a Status: what was attempted, the path, SQLite's text, errno.
  Status Error(std::string_view what) const;
  /// Undoes a transaction that is still open. Cannot fail in a way that matters: an unfinished
  /// transaction is rolled back by the next open too.
  void Rollback();
  /// Leaves the files as they are when closing: for a database that is going to be set aside.
  void KeepFilesOnClose();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::unique_ptr<sqlite3, CloseConnection> db_;
};

}  // namespace waymark::storage

#endif  // WAYMARK_STORAGE_SQLITE_DB_H_
