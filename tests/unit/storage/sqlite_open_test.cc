// What OpenSqliteOutbox does with files that are not what it hopes for.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "support/temp_dir.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

namespace fs = std::filesystem;

StoredRecord Row(std::uint64_t seq, std::size_t size = 100) {
  return {seq, 1, 0, UtcTime{}, std::vector<std::byte>(size, std::byte{7})};
}

std::string Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void Write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Result<OpenedOutbox> Open(const std::string& path, bool quarantine = true, bool read_only = false) {
  SqliteOutboxOptions options;
  options.path = path;
  options.quarantine_corrupt = quarantine;
  options.read_only = read_only;
  return OpenSqliteOutbox(options);
}

void Fill(const std::string& path, std::uint64_t rows) {
  auto opened = Open(path);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  OutboxWrite write;
  for (std::uint64_t seq = 1; seq <= rows; ++seq) write.append.push_back(Row(seq));
  ASSERT_TRUE(opened.value().outbox->Commit(write).ok());
}

std::uint64_t Records(Outbox& outbox) { return outbox.Contents().value_or({}).records; }

void Execute(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

class SqliteOpen : public ::testing::Test {
 protected:
  testing::TempDir dir_;
  std::string path_ = dir_ / "db";
};

TEST_F(SqliteOpen, RefusesATextFileAndLeavesItAlone) {
  for (const std::string text : {"hello", "this is a long text file, not a database\n"}) {
    Write(path_, text);
    const auto opened = Open(path_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.status().code(), Code::kInvalidArgument);
    EXPECT_EQ(opened.status().message(),
              path_ + ": is not an SQLite database; it was left as it is");
    EXPECT_EQ(Content(path_), text);
    EXPECT_FALSE(fs::exists(path_ + "-wal"));
  }
}

TEST_F(SqliteOpen, RefusesADirectoryAnEmptyPathAndAMissingFolder) {
  EXPECT_EQ(Open(dir_.path()).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(Open("").status().code(), Code::kInvalidArgument);
  const auto opened = Open(dir_ / "no/such/db");
  EXPECT_EQ(opened.status().code(), Code::kIo) << opened.status().message();
  EXPECT_NE(opened.status().message().find("no/such/db"), std::string::npos);
}

TEST_F(SqliteOpen, RefusesAnotherProgramsDatabase) {
  Execute(path_, "CREATE TABLE mine (x); INSERT INTO mine VALUES (1)");
  const std::string before = Content(path_);
  EXPECT_EQ(Open(path_).status().code(), Code::kInvalidArgument);
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "SELECT x FROM mine", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
}

TEST_F(SqliteOpen, RefusesANewerSchema) {
  Fill(path_, 3);
  Execute(path_, "PRAGMA user_version = 99");
  const auto opened = Open(path_);
  EXPECT_EQ(opened.status().code(), Code::kUnsupported) << opened.status().message();
  Execute(path_, "PRAGMA user_version = 1");
  auto again = Open(path_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(Records(*again.value().outbox), 3u);
}

TEST_F(SqliteOpen, TakesAnEmptyFileAsNew) {
  Write(path_, "");
  auto opened = Open(path_);
  ASSERT_TRUE(opened.ok()) << opened.status().message();
  EXPECT_FALSE(opened.value().quarantined_as);
}

TEST_F(SqliteOpen, AllowsOneWriterAndSaysSo) {
  auto first = Open(path_);
  ASSERT_TRUE(first.ok());
  const auto second = Open(path_);
  EXPECT_EQ(second.status().code(), Code::kUnavailable) << second.status().message();
  first.value().outbox.reset();
  EXPECT_TRUE(Open(path_).ok());
}

TEST_F(SqliteOpen, SetsADamagedDatabaseAsideAndStartsAnew) {
  Fill(path_, 500);
  std::string bytes = Content(path_);
  for (const std::size_t size : {bytes.size() / 2, bytes.size() - 512, std::size_t{700}}) {
    SCOPED_TRACE(size);
    const testing::TempDir dir;
    const std::string path = dir / "db";
    Write(path, bytes.substr(0, size));
    EXPECT_EQ(Open(path, false).status().code(), Code::kCorruption);
    EXPECT_EQ(Content(path), bytes.substr(0, size)) << "refusing must not write";
    auto opened = Open(path);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_EQ(opened.value().quarantined_as, path + ".corrupt-1");
    EXPECT_EQ(Content(path + ".corrupt-1"), bytes.substr(0, size));
    EXPECT_EQ(Records(*opened.value().outbox), 0u);
    EXPECT_TRUE(opened.value().outbox->Commit({{Row(1)}, {}, {}}).ok());
  }
}

TEST_F(SqliteOpen, NumbersWhatItSetsAside) {
  Fill(path_, 100);
  const std::string bytes = Content(path_);
  for (int n = 1; n <= 3; ++n) {
    Write(path_, bytes.substr(0, 2048));
    auto opened = Open(path_);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened.value().quarantined_as, path_ + ".corrupt-" + std::to_string(n));
  }
}

TEST_F(SqliteOpen, NoticesAnOverwrittenPageWhereverItIs) {
  Fill(path_, 300);
  const std::string bytes = Content(path_);
  int noticed = 0, pages = 0;
  for (std::size_t at = 512; at + 512 <= bytes.size(); at += 512) {
    std::string damaged = bytes;
    std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(at), 512, '\xa5');
    const testing::TempDir dir;
    Write(dir / "db", damaged);
    auto opened = Open(dir / "db");
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    ++pages;
    noticed += opened.value().quarantined_as.has_value();
  }
  EXPECT_EQ(noticed, pages);
}

// SQLite keeps no checksum of its pages: a flip inside a row's own columns is met by nobody. What
// is held here: no flip makes a record vanish or appear without being noticed, none brings the
// process down, and what was set aside is what was there.
TEST_F(SqliteOpen, AFlippedBitLosesNoRecordUnnoticed) {
  Fill(path_, 60);
  const std::string bytes = Content(path_);
  int opened_whole = 0, set_aside = 0, refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 13) {
    SCOPED_TRACE("byte " + std::to_string(at));
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    const testing::TempDir dir;
    const std::string path = dir / "db";
    Write(path, damaged);
    auto opened = Open(path);
    if (!opened.ok()) {
      ++refused;
      EXPECT_EQ(Content(path), damaged) << "what is refused is left as it is";
      continue;
    }
    if (opened.value().quarantined_as) {
      ++set_aside;
      EXPECT_EQ(Content(*opened.value().quarantined_as), damaged);
      EXPECT_EQ(Records(*opened.value().outbox), 0u);
      continue;
    }
    ++opened_whole;
    const auto rows = opened.value().outbox->Peek(0, 1000, 1 << 20);
    ASSERT_TRUE(rows.ok()) << rows.status().message();
    ASSERT_EQ(rows.value().size(), 60u);
    for (std::size_t i = 0; i < 60; ++i) EXPECT_EQ(rows.value()[i].seq, i + 1);
  }
  EXPECT_GT(opened_whole, 100);  // payload and free space
  EXPECT_GT(set_aside, 20);
  EXPECT_GT(refused, 1);  // the magic: no longer an SQLite file
}

TEST_F(SqliteOpen, DamageMetWhileRunningIsSetAsideAtTheNextOpen) {
  // Large enough that opening does not check every page.
  {
    auto opened = Open(path_);
    ASSERT_TRUE(opened.ok());
    for (std::uint64_t seq = 1; seq <= 10'000; ++seq) {
      if (seq % 1000 != 1) continue;
      OutboxWrite write;
      for (std::uint64_t s = seq; s < seq + 1000; ++s) write.append.push_back(Row(s, 300));
      ASSERT_TRUE(opened.value().outbox->Commit(write).ok());
    }
  }
  std::string bytes = Content(path_);
  ASSERT_GT(bytes.size(), 2u << 20);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2 / 512 * 512), 4096,
              '\xa5');
  Write(path_, bytes);
  {
    auto opened = Open(path_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_FALSE(opened.value().quarantined_as) << "opening stays quick";
    const auto rows = opened.value().outbox->Peek(0, 100'000, 1 << 30);
    EXPECT_EQ(rows.status().code(), Code::kCorruption);
  }
  auto again = Open(path_);
  ASSERT_TRUE(again.ok()) << again.status().message();
  EXPECT_EQ(again.value().quarantined_as, path_ + ".corrupt-1");
  EXPECT_FALSE(fs::exists(path_ + ".suspect"));
}

TEST_F(SqliteOpen, AWalWithoutItsDatabaseIsSetAside) {
  Write(path_ + "-wal", "left behind");
  auto opened = Open(path_);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(opened.value().quarantined_as, path_ + ".corrupt-1");
  EXPECT_EQ(Content(path_ + ".corrupt-1-wal"), "left behind");
}

TEST_F(SqliteOpen, ReadOnlyReadsAndWritesNothing) {
  EXPECT_EQ(Open(path_, true, true).status().code(), Code::kIo);  // does not make one
  EXPECT_FALSE(fs::exists(path_));
  Fill(path_, 5);
  const std::string before = Content(path_);
  {
    auto opened = Open(path_, true, true);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    EXPECT_EQ(Records(*opened.value().outbox), 5u);
    EXPECT_EQ(opened.value().outbox->Commit({{Row(6)}, {}, {}}).status().code(),
              Code::kFailedPrecondition);
    EXPECT_EQ(opened.value().outbox->Enforce({}, std::nullopt).status().code(),
              Code::kFailedPrecondition);
  }
  EXPECT_EQ(Content(path_), before);
}

TEST_F(SqliteOpen, AReadOnlyFolderIsSaidPlainly) {
  if (geteuid() == 0) GTEST_SKIP() << "root writes to read-only folders";
  fs::permissions(dir_.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const auto opened = Open(path_);
  fs::permissions(dir_.path(), fs::perms::owner_all);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.status().message().find(path_), std::string::npos);
}

TEST_F(SqliteOpen, TheWalStaysBounded) {
  auto opened = Open(path_);
  ASSERT_TRUE(opened.ok());
  std::uintmax_t largest = 0;
  for (std::uint64_t seq = 1; seq <= 40'000; ++seq) {
    OutboxWrite write;
    write.append = {Row(seq, 40)};
    if (seq % 500 == 0) write.ack = SeqRange{1, seq};
    ASSERT_TRUE(opened.value().outbox->Commit(write).ok());
    if (seq % 100 == 0) largest = std::max(largest, fs::file_size(path_ + "-wal"));
  }
  EXPECT_LT(largest, 6u << 20);
  RecordProperty("largest_wal_bytes", static_cast<int>(largest));
}

}  // namespace
}  // namespace waymark
