#include "replay_tool/collector_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "replay_tool/record_json.h"

namespace waymark::replay {

LineFile::LineFile(LineFile&& other) noexcept { *this = std::move(other); }

LineFile& LineFile::operator=(LineFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(size_bytes_, other.size_bytes_);
  std::swap(damaged_, other.damaged_);
  return *this;
}

LineFile::~LineFile() {
  if (fd_ >= 0) close(fd_);
}

Status LineFile::Error(std::string_view what) const {
  const Code code = errno == ENOSPC || errno == EDQUOT ? Code::kResourceExhausted : Code::kIo;
  return Status(code, path_ + ": " + std::string(what) + ": " + std::strerror(errno));
}

Result<LineFile> LineFile::Open(const std::string& path) {
  LineFile file;
  file.path_ = path;
  file.fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file.fd_ < 0) return file.Error("cannot open");
  if (flock(file.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return file.Error("cannot lock");
    return Status(Code::kUnavailable, path + ": another collector writes here");
  }
  if (Status s = file.CutTornLine(); !s.ok()) return s;
  return file;
}

Status LineFile::CutTornLine() {
  const off_t end = lseek(fd_, 0, SEEK_END);
  if (end < 0) return Error("cannot read");
  // Backwards in blocks to the last line end.
  off_t keep = end;
  std::vector<char> block(4096);
  while (keep > 0) {
    const off_t from = std::max<off_t>(0, keep - static_cast<off_t>(block.size()));
    const auto want = static_cast<std::size_t>(keep - from);
    if (pread(fd_, block.data(), want, from) != static_cast<ssize_t>(want)) {
      return Error("cannot read");
    }
    std::size_t n = want;
    while (n > 0 && block[n - 1] != '\n') --n;
    keep = from + static_cast<off_t>(n);
    if (n > 0) break;
  }
  if (keep != end && ftruncate(fd_, keep) != 0) return Error("cannot cut off the torn last line");
  size_bytes_ = keep;
  return Status();
}

Status LineFile::Append(std::string_view lines) {
  if (damaged_) return Status(Code::kIo, path_ + ": an earlier write failed half way");
  std::string_view left = lines;
  while (!left.empty()) {
    const ssize_t n = write(fd_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const Status status = Error("cannot write");
      damaged_ = ftruncate(fd_, size_bytes_) != 0;
      return status;
    }
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  size_bytes_ += static_cast<std::int64_t>(lines.size());
  return Status();
}

Status LineFile::Sync() {
  // After a failed sync the kernel may have dropped the pages: what is on the disk is not known.
  if (fdatasync(fd_) == 0) return Status();
  damaged_ = true;
  return Error("cannot write to the disk");
}

Result<CollectorStore> CollectorStore::Open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Status(Code::kIo, directory + ": cannot make it: " + error.message());
  CollectorStore store;
  Result<LineFile> records = LineFile::Open(directory + "/records.jsonl");
  if (!records.ok()) return records.status();
  store.records_ = std::move(records).value();
  Result<LineFile> requests = LineFile::Open(directory + "/requests.jsonl");
  if (!requests.ok()) return requests.status();
  store.requests_ = std::move(requests).value();
  if (Status s = store.LoadKnown(); !s.ok()) return s;
  // So that the files themselves, if new, survive a power loss.
  if (const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); fd >= 0) {
    fsync(fd);
    close(fd);
  }
  return store;
}

Status CollectorStore::LoadKnown() {
  std::ifstream in(records_.path(), std::ios::binary);
  std::string line;
  for (std::uint64_t number = 1; std::getline(in, line); ++number) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    const bool is_record = json.is_object() && json.contains("installation") &&
                           json["installation"].is_string() && json.contains("seq") &&
                           json["seq"].is_number_unsigned();
    if (!is_record) {
      return Status(Code::kCorruption, records_.path() + ": line " + std::to_string(number) +
                                           ": not a record; move the file away to start anew");
    }
    known_[json["installation"].get<std::string>()].Insert(json["seq"].get<std::uint64_t>());
    ++records_count_;
  }
  if (in.bad()) return Status(Code::kIo, records_.path() + ": cannot read");
  return Status();
}

Result<CollectorStore::Stored> CollectorStore::Add(const Batch& batch, UtcTime received) {
  const auto it = known_.find(batch.installation);
  Stored stored;
  std::string lines;
  std::vector<std::uint64_t> fresh;
  for (const Record& record : batch.records) {
    if (it != known_.end() && it->second.Contains(record.seq)) {
      ++stored.known;
      continue;
    }
    lines += RecordJsonLine(batch.installation, record, received);
    lines += '\n';
    fresh.push_back(record.seq);
  }
  if (!lines.empty()) {
    if (Status s = records_.Append(lines); !s.ok()) return s;
    if (Status s = records_.Sync(); !s.ok()) return s;
  }
  SeqSet& known = known_[batch.installation];
  for (const std::uint64_t seq : fresh) known.Insert(seq);
  stored.fresh = fresh.size();
  records_count_ += fresh.size();
  return stored;
}

Status CollectorStore::Log(const RequestEntry& entry) {
  nlohmann::ordered_json line;
  line["utc_ms"] = entry.utc.time_since_epoch().count();
  line["status"] = entry.status ? nlohmann::ordered_json(*entry.status) : nullptr;
  line["bytes"] = entry.bytes;
  line["records"] = entry.records;
  line["first_seq"] = entry.first_seq;
  line["last_seq"] = entry.last_seq;
  line["idempotency_key"] = entry.idempotency_key;
  line["duplicate"] = entry.duplicate;
  return requests_.Append(
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace waymark::replay
