#include "sdk/core/journal_writer.h"

#include <array>
#include <string>
#include <utility>

#include "filters/state_bytes.h"
#include "sdk/core/event_codec.h"

namespace waymark {
namespace {

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
    table[i] = crc;
  }
  return table;
}

void PutText(StateWriter& w, std::string_view text) {
  w.U32(static_cast<std::uint32_t>(text.size()));
  for (const char c : text) w.U8(static_cast<std::uint8_t>(c));
}

}  // namespace

std::uint32_t Crc32c(std::span<const std::byte> bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = MakeCrcTable();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const std::byte b : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint32_t>(b)) & 0xFF];
  }
  return ~crc;
}

JournalWriter::JournalWriter(std::function<void(std::span<const std::byte>)> sink)
    : sink_(std::move(sink)) {}

void JournalWriter::Begin(const Config& config, std::uint64_t seed, const SavedState& saved) {
  frame_.clear();
  for (const char c : kJournalMagic) frame_.push_back(static_cast<std::byte>(c));
  frame_.push_back(std::byte{kJournalVersion});
  sink_(frame_);

  payload_.clear();
  StateWriter w(payload_);
  w.U8(static_cast<std::uint8_t>(JournalFrame::kHeader));
  w.U64(seed);
  const std::vector<ConfigField> fields = ConfigFields();
  w.U32(static_cast<std::uint32_t>(fields.size()));
  for (const ConfigField& f : fields) {
    PutText(w, f.name);
    PutText(w, GetConfigField(config, f.name).value_or(""));  // the secret reads as ""
  }
  w.SizedBytes(saved.core);
  w.SizedBytes(saved.fences);
  WriteFrame();
}

void JournalWriter::Record(const Event& event, const Stamp& stamp) {
  payload_.clear();
  payload_.push_back(static_cast<std::byte>(JournalFrame::kEvent));
  EncodeEvent(event, stamp, payload_);
  WriteFrame();
}

void JournalWriter::Outcome(std::span<const Action> actions) {
  scratch_.clear();
  for (const Action& a : actions) EncodeAction(a, scratch_);
  payload_.clear();
  StateWriter w(payload_);
  w.U8(static_cast<std::uint8_t>(JournalFrame::kOutcome));
  w.U32(static_cast<std::uint32_t>(actions.size()));
  w.U64(Digest(scratch_));
  WriteFrame();
}

void JournalWriter::WriteFrame() {
  frame_.clear();
  for (std::size_t n = payload_.size(); true; n >>= 7) {
    const bool more = n >= 0x80;
    frame_.push_back(static_cast<std::byte>((n & 0x7F) | (more ? 0x80 : 0)));
    if (!more) break;
  }
  // A damaged length must not pass for a journal that was cut here.
  frame_.push_back(static_cast<std::byte>(Crc32c(frame_) & 0xFF));
  frame_.insert(frame_.end(), payload_.begin(), payload_.end());
  StateWriter(frame_).U32(Crc32c(payload_));
  sink_(frame_);
}

}  // namespace waymark
