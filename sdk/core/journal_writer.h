// Writes the journal (format: waymark/journal.h).
#ifndef WAYMARK_SDK_CORE_JOURNAL_WRITER_H_
#define WAYMARK_SDK_CORE_JOURNAL_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sdk/core/action.h"
#include "sdk/core/core.h"
#include "sdk/core/event.h"
#include "waymark/config.h"

namespace waymark {

/// What a frame holds; the first byte of its payload.
enum class JournalFrame : std::uint8_t { kHeader = 0, kEvent = 1, kOutcome = 2 };

inline constexpr char kJournalMagic[4] = {'W', 'M', 'J', 'L'};
inline constexpr std::uint8_t kJournalVersion = 2;

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
std::uint32_t Crc32c(std::span<const std::byte> bytes);

class JournalWriter {
 public:
  /// `sink` takes the bytes in order; it must not call back into the tracker.
  explicit JournalWriter(std::function<void(std::span<const std::byte>)> sink);

  /// The first frame: what Core::Create was given, without secrets.
  void Begin(const Config& config, std::uint64_t seed, const SavedState& saved);
  /// Before the core handles the event, so that an event which brings it down is on record.
  void Record(const Event& event, const Stamp& stamp);
  /// After it: how many actions followed, and their digest.
  void Outcome(std::span<const Action> actions);

 private:
  void WriteFrame();

  std::function<void(std::span<const std::byte>)> sink_;
  std::vector<std::byte> payload_, frame_, scratch_;
};

}  // namespace waymark

#endif  // WAYMARK_SDK_CORE_JOURNAL_WRITER_H_
