// Opening: refuse what is not ours, create or migrate what is, set aside what is damaged. A file is
// renamed at most, never deleted and never written to before it is known to be a Waymark database.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/sqlite_db.h"
#include "storage/sqlite_outbox.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

namespace fs = std::filesystem;
using storage::SqliteDb;
using storage::SqliteOutbox;

constexpr std::int64_t kApplicationId = 0x57594d4b;  // "WYMK", in the file's header

// kMigrations[n] brings a database from user_version n to n + 1.
constexpr const char* kMigrations[] = {
    "CREATE TABLE record ("
    "  seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, priority INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL, payload BLOB NOT NULL);"
    "CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE counter (last_seq INTEGER NOT NULL);"
    "INSERT INTO counter VALUES (0);",
};
constexpr std::int64_t kSchemaVersion = std::size(kMigrations);

constexpr char kMagic[] = "SQLite format 3";  // with its final NUL the first 16 bytes of the file

// A database up to this size is checked from end to end at every open (2 ms here); a larger one
// only when damage was met while running, so that opening stays quick.
constexpr std::uintmax_t kAlwaysCheckBytes = 1u << 20;

std::string WalOf(const std::string& path) { return path + "-wal"; }
std::string MarkerOf(const std::string& path) { return path + ".suspect"; }

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

std::string FolderOf(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

// SQLite's own words for this are "unable to open database file" or "disk I/O error".
Status CheckWritable(const std::string& database, const std::string& what) {
  if (access(what.c_str(), W_OK) == 0) return Status();
  const Code code = errno == EACCES || errno == EROFS ? Code::kPermissionDenied : Code::kIo;
  return Status(code, database + ": cannot write" + (what == database ? "" : " in " + what) + ": " +
                          std::strerror(errno));
}

// What is at `path` before SQLite touches it: nothing, an empty file or an SQLite database are
// fine.
Status CheckFile(const SqliteOutboxOptions& options) {
  const std::string& path = options.path;
  if (path.empty()) return Status(Code::kInvalidArgument, "no database path was given");
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    if (options.read_only) return Status(Code::kIo, path + ": no such file");
    return CheckWritable(path, FolderOf(path));
  }
  if (status.type() != fs::file_type::regular) {
    return Status(Code::kInvalidArgument,
                  path + ": " + (fs::is_directory(status) ? "is a directory" : "is not a file"));
  }
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (!file) {
    const Code code = errno == EACCES ? Code::kPermissionDenied : Code::kIo;
    return Status(code, path + ": cannot open: " + std::strerror(errno));
  }
  char head[sizeof kMagic] = {};
  const std::size_t size = std::fread(head, 1, sizeof head, file);
  std::fclose(file);
  if (size == 0 || (size == sizeof head && std::memcmp(head, kMagic, sizeof head) == 0)) {
    if (options.read_only) return Status();
    // The log stands beside the file, so that the folder must take new files too.
    if (Status s = CheckWritable(path, path); !s.ok()) return s;
    return CheckWritable(path, FolderOf(path));
  }
  return Status(Code::kInvalidArgument, path + ": is not an SQLite database; it was left as it is");
}

// The first free N for PATH.corrupt-N.
std::string FreeQuarantineName(const std::string& path) {
  for (int n = 1;; ++n) {
    std::string name = path + ".corrupt-" + std::to_string(n);
    if (!Exists(name) && !Exists(WalOf(name))) return name;
  }
}

Status Rename(const std::string& from, const std::string& to) {
  if (!Exists(from) || std::rename(from.c_str(), to.c_str()) == 0) return Status();
  return Status(Code::kIo, from + ": cannot set it aside as " + to + ": " + std::strerror(errno));
}

// The database first: should we die in between, the next open finds a WAL without its database and
// sets it aside too. The other order could pair the damaged database with a new WAL.
Result<std::string> Quarantine(const std::string& path) {
  std::string name = FreeQuarantineName(path);
  if (Status status = Rename(path, name); !status.ok()) return status;
  if (Status status = Rename(WalOf(path), WalOf(name)); !status.ok()) return status;
  std::remove(MarkerOf(path).c_str());
  return name;
}

Status Migrate(SqliteDb& db, std::int64_t version) {
  const auto step = [&]() -> Status {
    if (Status s = db.Execute("BEGIN IMMEDIATE"); !s.ok()) return s;
    for (std::int64_t v = version; v < kSchemaVersion; ++v) {
      if (Status s = db.Execute(kMigrations[v]); !s.ok()) return s;
    }
    const std::string stamp = "PRAGMA application_id = " + std::to_string(kApplicationId) +
                              "; PRAGMA user_version = " + std::to_string(kSchemaVersion);
    if (Status s = db.Execute(stamp.c_str()); !s.ok()) return s;
    return db.Execute("COMMIT");
  };
  Status status = step();
  if (!status.ok()) db.Rollback();
  return status;
}

// Ours, of a version we know; 0 for a database without content.
Result<std::int64_t> SchemaVersion(SqliteDb& db) {
  const auto application = db.QueryInt("PRAGMA application_id");
  if (!application.ok()) return application.status();
  const auto version = db.QueryInt("PRAGMA user_version");
  if (!version.ok()) return version.status();
  const auto tables = db.QueryInt("SELECT count(*) FROM sqlite_master");
  if (!tables.ok()) return tables.status();
  if (application.value() == 0 && version.value() == 0 && tables.value() == 0)
    return std::int64_t{0};
  if (application.value() != kApplicationId) {
    return Status(Code::kInvalidArgument,
                  db.path() + ": is another program's database; it was left as it is");
  }
  if (version.value() > kSchemaVersion) {
    return Status(Code::kUnsupported, db.path() + ": schema " + std::to_string(version.value()) +
                                          " is newer than " + std::to_string(kSchemaVersion) +
                                          ", the newest this program knows");
  }
  if (version.value() < 1) return Status(Code::kCorruption, db.path() + ": has no schema version");
  return version.value();
}

Result<std::string> SchemaText(SqliteDb& db) {
  auto text = db.Prepare(
      "SELECT coalesce(group_concat(name || ' ' || sql, ';'), '') FROM "
      "(SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)");
  if (!text.ok()) return text.status();
  if (text.value().Step() != SQLITE_ROW) return db.Error("cannot read the schema");
  return text.value().Text(0);
}

// SQLite takes the schema as it reads: with one letter changed in it the rows may be all there and
// none be found.
Status CheckSchema(SqliteDb& db) {
  auto model = SqliteDb::Open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, "");
  if (!model.ok()) return model.status();
  for (const char* migration : kMigrations) {
    if (Status s = model.value().Execute(migration); !s.ok()) return s;
  }
  const auto expected = SchemaText(model.value()), found = SchemaText(db);
  if (!expected.ok()) return expected.status();
  if (!found.ok()) return found.status();
  if (found.value() == expected.value()) return Status();
  return Status(Code::kCorruption, db.path() + ": its schema is damaged");
}

// SQLite's check reports a page that the disk would not give like one that is malformed; only the
// latter is damage. It then quotes the code: "unable to get the page. error code=266".
bool IsReadFailure(const std::string& fault) {
  constexpr std::string_view kQuote = "error code";
  const std::size_t at = fault.find(kQuote);
  if (at == std::string::npos) return false;
  const std::size_t digit = fault.find_first_of("0123456789", at + kQuote.size());
  if (digit == std::string::npos) return false;
  const long code = std::strtol(fault.c_str() + digit, nullptr, 10) & 0xff;
  return code != SQLITE_CORRUPT && code != SQLITE_NOTADB;
}

// Reads all pages when `thorough`, else only the ends of the tables.
Status CheckContent(SqliteDb& db, bool thorough) {
  if (thorough) {
    // One row that says "ok", or the first fault.
    auto check = db.Prepare("PRAGMA quick_check(1)");
    if (!check.ok()) return check.status();
    if (check.value().Step() != SQLITE_ROW) return db.Error("cannot check");
    const std::string finding = check.value().Text(0);
    if (finding == "ok") return Status();
    return Status(IsReadFailure(finding) ? Code::kIo : Code::kCorruption,
                  db.path() + ": the check found: " + finding);
  }
  for (const char* probe : {"SELECT length(payload) FROM record ORDER BY seq LIMIT 1",
                            "SELECT length(payload) FROM record ORDER BY seq DESC LIMIT 1",
                            "SELECT count(*) FROM state"}) {
    if (const auto found = db.QueryInt(probe); !found.ok()) return found.status();
  }
  return Status();
}

Result<std::unique_ptr<Outbox>> Load(SqliteDb& db, const SqliteOutboxOptions& options) {
  std::error_code ignored;
  const std::uintmax_t size = fs::file_size(options.path, ignored);
  const bool thorough = Exists(MarkerOf(options.path)) || (!ignored && size <= kAlwaysCheckBytes);
  if (!options.read_only) {
    // Small pages, because a transaction writes whole ones. One process holds the file: two
    // trackers on one database would give out the same numbers twice, and the WAL index needs no
    // shared memory. Checkpoints every 4 MB keep the WAL, and with it recovery, short.
    const std::string settings =
        "PRAGMA page_size = 512; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
        "PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 4194304;"
        "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA synchronous = " +
        std::string(options.power_loss_safe ? "FULL" : "NORMAL");
    // The empty transaction takes the lock now rather than at the first append.
    for (const char* sql : {settings.c_str(), "BEGIN IMMEDIATE; COMMIT"}) {
      if (db.Execute(sql).ok()) continue;
      Status failed = db.Error("cannot open");
      db.Rollback();
      return failed;
    }
  }
  const Result<std::int64_t> version = SchemaVersion(db);
  if (!version.ok()) return version.status();
  if (version.value() < kSchemaVersion) {
    if (options.read_only) {
      return Status(Code::kFailedPrecondition,
                    db.path() + ": has no current schema and was opened read-only");
    }
    if (Status s = Migrate(db, version.value()); !s.ok()) return s;
  }
  if (Status s = CheckSchema(db); !s.ok()) return s;
  if (Status s = CheckContent(db, thorough); !s.ok()) return s;
  if (!options.read_only) std::remove(MarkerOf(options.path).c_str());
  auto outbox = SqliteOutbox::Create(std::move(db), options.read_only,
                                     options.read_only ? "" : MarkerOf(options.path));
  if (!outbox.ok()) return outbox.status();
  return std::unique_ptr<Outbox>(std::move(outbox).value());
}

Result<std::unique_ptr<Outbox>> OpenOnce(const SqliteOutboxOptions& options) {
  const int flags =
      options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  // Where nothing can be written, SQLite cannot index the log; without one nobody is writing.
  const bool frozen = options.read_only && access(FolderOf(options.path).c_str(), W_OK) != 0;
  if (frozen && Exists(WalOf(options.path))) {
    return Status(Code::kPermissionDenied,
                  options.path +
                      ": has a log beside it (-wal) and its folder cannot be written: "
                      "copy both files to where it can");
  }
  auto db = SqliteDb::Open(options.path, flags | SQLITE_OPEN_NOMUTEX, options.vfs, frozen);
  if (!db.ok()) return db.status();
  auto outbox = Load(db.value(), options);
  if (!outbox.ok()) db.value().KeepFilesOnClose();
  return outbox;
}

}  // namespace

Result<OpenedOutbox> OpenSqliteOutbox(const SqliteOutboxOptions& options) {
  if (Status status = CheckFile(options); !status.ok()) return status;
  OpenedOutbox opened;
  if (!options.read_only && !Exists(options.path) && Exists(WalOf(options.path))) {
    const std::string name = FreeQuarantineName(options.path);
    if (Status s = Rename(WalOf(options.path), WalOf(name)); !s.ok()) return s;
    opened.quarantined_as = name;
  }
  auto outbox = OpenOnce(options);
  const bool damaged = !outbox.ok() && outbox.status().code() == Code::kCorruption;
  if (damaged && options.quarantine_corrupt && !options.read_only) {
    Result<std::string> name = Quarantine(options.path);
    if (!name.ok()) return name.status();
    opened.quarantined_as = std::move(name).value();
    outbox = OpenOnce(options);
  }
  if (!outbox.ok()) return outbox.status();
  opened.outbox = std::move(outbox).value();
  return opened;
}

}  // namespace waymark
