// Journal: the flight recorder. Every event that enters the core is written with a digest of the
// actions it caused; a replay shows whether today's code does the same, byte for byte.
//
// Format 2: "WMJL" magic, u8 version, then frames: varint length, u8 low byte of the length's
// CRC-32C, payload, u32 CRC-32C of the payload. The first frame holds seed and configuration
// (without secrets), the others one event each. A cut tail is dropped at the last whole frame.
#ifndef WAYMARK_JOURNAL_H_
#define WAYMARK_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/export.h"
#include "waymark/smoother.h"
#include "waymark/status.h"

namespace waymark {

struct JournalReport {
  std::uint64_t events = 0;
  std::uint64_t actions = 0;
  bool identical = true;
  bool cut = false;  ///< the file ended inside a frame; what stands before it was replayed
  /// Of the first difference: index of the event, and what the replay did, as text.
  std::optional<std::uint64_t> first_difference;
  std::string event_text, actions_text;
};

/// True if `head` (the first bytes of a file) begins a journal.
WAYMARK_API bool IsJournal(std::span<const std::byte> head);

/// Replays a whole journal. kCorruption: not a journal, a wrong checksum before the tail, or a
/// format this build does not know. Any bytes are safe.
WAYMARK_API Result<JournalReport> ReplayJournal(std::span<const std::byte> journal);

/// One line of text for each event and each action it causes, quantised for reading.
WAYMARK_API Status PrintJournal(std::span<const std::byte> journal,
                                const std::function<void(std::string_view line)>& line);

/// The fixes of a journal in order of delivery, so that it can be replayed as a trace.
struct JournalTrace {
  std::vector<DeliveredFix> fixes;
  bool cut = false;  ///< the journal ends in the middle of an event
};
WAYMARK_API Result<JournalTrace> JournalFixes(std::span<const std::byte> journal);

}  // namespace waymark

#endif  // WAYMARK_JOURNAL_H_
