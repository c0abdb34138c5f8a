// How the collector misbehaves when told to: a JSON list of answers.
//
//   [{"request": 1, "status": 503, "retry_after_s": 2},
//    {"request": 2, "status": 429, "retry_after_s": 2, "retry_after_as_date": true},
//    {"from": 3, "to": 5, "status": 500, "delay_ms": 50},
//    {"request": 6, "close": true},
//    {"contains_seq": 17, "status": 400}]
//
// Requests are counted from 1 since the start of the process; the first entry that matches is used.
// With a `status` the batch is not stored and that is the answer; without one it is handled as
// usual. `retry_after_as_date` writes the header as an HTTP date instead of seconds. `close` then
// closes the connection instead of answering; `delay_ms` comes before it.
#ifndef WAYMARK_REPLAY_TOOL_COLLECTOR_SCRIPT_H_
#define WAYMARK_REPLAY_TOOL_COLLECTOR_SCRIPT_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/outbox.h"
#include "waymark/status.h"

namespace waymark::replay {

struct ScriptedAnswer {
  std::uint64_t from = 1, to = UINT64_MAX;
  std::optional<std::uint64_t> contains_seq;
  std::optional<int> status;
  std::optional<std::chrono::seconds> retry_after;
  bool retry_after_as_date = false;
  std::chrono::milliseconds delay{0};
  bool close = false;
};

class CollectorScript {
 public:
  /// kInvalidArgument says which entry and what is wrong with it.
  static Result<CollectorScript> Parse(std::string_view json);
  static Result<CollectorScript> Load(const std::string& path);

  /// `records`: the range of seq in the batch, if it was one.
  const ScriptedAnswer* Find(std::uint64_t request, std::optional<SeqRange> records) const;

 private:
  std::vector<ScriptedAnswer> answers_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_COLLECTOR_SCRIPT_H_
