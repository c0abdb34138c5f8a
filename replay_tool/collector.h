// The reference collector: an HTTP server that takes Waymark batches and keeps their records. Small
// and exact rather than large: for demos, tests, and as the example of what a server must do.
//
// POST to any path. 200: every record of the batch is on disk (also when it was there already).
// 400: not a batch. 405: not POST. 413: too large. 415: other content type. 503: cannot store now.
#ifndef WAYMARK_REPLAY_TOOL_COLLECTOR_H_
#define WAYMARK_REPLAY_TOOL_COLLECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "replay_tool/collector_script.h"
#include "waymark/status.h"

namespace waymark::replay {

struct CollectorOptions {
  std::string listen;     ///< ADDRESS:PORT, [V6]:PORT; port 0: a free one
  std::string directory;  ///< where records.jsonl and requests.jsonl go
  CollectorScript script;
  std::size_t max_body_bytes = 16u << 20;
};

/// Serves on threads of its own from Start until destroyed.
class Collector {
 public:
  /// kInvalidArgument: `listen` is malformed. kUnavailable: the address cannot be bound, or another
  /// collector writes to the directory. kIo, kCorruption: see CollectorStore::Open.
  static Result<std::unique_ptr<Collector>> Start(CollectorOptions options);
  ~Collector();

  std::uint16_t port() const;
  std::string url() const;  ///< "http://127.0.0.1:8080"
  std::uint64_t requests() const;
  std::uint64_t records() const;

 private:
  struct Impl;
  explicit Collector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_COLLECTOR_H_
