// What the collector keeps: DIR/records.jsonl and DIR/requests.jsonl. A record is in the file, and
// on the disk, before its batch is answered; what a killed process left half written is cut off at
// the next start. So each record stands there exactly once however often its batch was sent.
#ifndef WAYMARK_REPLAY_TOOL_COLLECTOR_STORE_H_
#define WAYMARK_REPLAY_TOOL_COLLECTOR_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "replay_tool/seq_set.h"
#include "waymark/status.h"
#include "waymark/time.h"
#include "waymark/wire.h"

namespace waymark::replay {

/// A file of lines that is only ever appended to.
class LineFile {
 public:
  LineFile() = default;
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&& other) noexcept;
  ~LineFile();

  /// Creates the file if need be, locks it against a second process and cuts off a torn last line.
  static Result<LineFile> Open(const std::string& path);
  /// Writes `lines` (each with its end) as a whole: after a failure the file is as it was.
  Status Append(std::string_view lines);
  Status Sync();
  const std::string& path() const { return path_; }

 private:
  Status Error(std::string_view what) const;
  Status CutTornLine();

  std::string path_;
  int fd_ = -1;
  std::int64_t size_bytes_ = 0;
  bool damaged_ = false;  // a failed write could not be undone
};

struct RequestEntry {
  UtcTime utc{};
  std::optional<int> status;  ///< nullopt: the connection was closed without an answer
  std::size_t bytes = 0;
  std::size_t records = 0;
  std::uint64_t first_seq = 0, last_seq = 0;
  std::string idempotency_key;
  bool duplicate = false;  ///< it held records, and every one was there already
};

class CollectorStore {
 public:
  /// Makes `directory` if need be and reads what is there. kIo; kUnavailable: another collector
  /// writes there; kCorruption: a line inside the file is not a record (file and line).
  static Result<CollectorStore> Open(const std::string& directory);

  struct Stored {
    std::size_t fresh = 0;
    std::size_t known = 0;
  };
  /// After ok every record of the batch is on the disk, once. After an error none counts as
  /// received.
  Result<Stored> Add(const Batch& batch, UtcTime received);
  Status Log(const RequestEntry& entry);

  std::uint64_t records() const { return records_count_; }

 private:
  Status LoadKnown();

  LineFile records_, requests_;
  std::map<std::string, SeqSet, std::less<>> known_;
  std::uint64_t records_count_ = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_COLLECTOR_STORE_H_
