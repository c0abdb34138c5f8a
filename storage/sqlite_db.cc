#include "storage/sqlite_db.h"

#include <cstring>

namespace waymark::storage {
namespace {

Code CodeOf(int result) {
  switch (result & 0xff) {
    case SQLITE_OK:
      return Code::kOk;
    case SQLITE_FULL:
      return Code::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kCorruption;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::kUnavailable;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Code::kPermissionDenied;
    case SQLITE_NOMEM:
      return Code::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return Code::kIo;
    default:
      return Code::kInternal;
  }
}

std::string Describe(int result, int system_errno) {
  std::string text = sqlite3_errstr(result & 0xff);
  if ((result & 0xff) == SQLITE_BUSY) text = "in use by another process or tracker";
  if (system_errno != 0) text += std::string(" (") + std::strerror(system_errno) + ")";
  return text + " [sqlite " + std::to_string(result) + "]";
}

// A URI that tells SQLite that nobody writes to the file.
std::string FrozenUri(const std::string& path) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    if (c != '%' && c != '?' && c != '#') {
      uri += c;
      continue;
    }
    uri += '%';
    uri += kHex[static_cast<unsigned char>(c) >> 4];
    uri += kHex[static_cast<unsigned char>(c) & 15];
  }
  return uri + "?immutable=1";
}

}  // namespace

void SqliteStatement::Bind(int index, std::span<const std::byte> bytes) {
  // A null pointer would store NULL, which is not an empty payload.
  const void* data = bytes.empty() ? "" : static_cast<const void*>(bytes.data());
  sqlite3_bind_blob64(statement_.get(), index, data, bytes.size(), SQLITE_STATIC);
}

void SqliteStatement::Bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

std::vector<std::byte> SqliteStatement::Blob(int column) const {
  const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data ? std::vector<std::byte>(data, data + size) : std::vector<std::byte>();
}

std::string SqliteStatement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  return text ? text : "";
}

Result<SqliteDb> SqliteDb::Open(const std::string& path, int flags, const std::string& vfs,
                                bool frozen) {
  const std::string name = frozen ? FrozenUri(path) : path;
  if (frozen) flags |= SQLITE_OPEN_URI;
  SqliteDb db;
  db.path_ = path;
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(name.c_str(), &raw, flags | SQLITE_OPEN_EXRESCODE,
                                     vfs.empty() ? nullptr : vfs.c_str());
  db.db_.reset(raw);
  if (result != SQLITE_OK) {
    if (!raw) return Status(Code::kResourceExhausted, path + ": no memory to open it");
    return db.Error("cannot open");
  }
  return db;
}

Status SqliteDb::Execute(const char* sql) {
  if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return Error(sql);
  return Status();
}

Result<SqliteStatement> SqliteDb::Prepare(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) !=
      SQLITE_OK) {
    return Error(sql);
  }
  return SqliteStatement(raw);
}

Result<std::int64_t> SqliteDb::QueryInt(const char* sql) {
  Result<SqliteStatement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  const int step = statement.value().Step();
  if (step == SQLITE_ROW) return statement.value().Int(0);
  if (step == SQLITE_DONE) return std::int64_t{0};
  return Error(sql);
}

Status SqliteDb::Error(std::string_view what) const {
  const int result = sqlite3_extended_errcode(db_.get());
  const Code code = CodeOf(result);
  return Status(
      code == Code::kOk ? Code::kInternal : code,
      path_ + ": " + std::string(what) + ": " + Describe(result, sqlite3_system_errno(db_.get())));
}

void SqliteDb::Rollback() {
  if (!sqlite3_get_autocommit(db_.get())) {
    sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void SqliteDb::KeepFilesOnClose() {
  if (db_) sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace waymark::storage
