// The well-formed sequences: The Unicode Standard, table 3-7.
#include "replay_tool/utf8_repair.h"

#include <cstdint>
#include <cstring>

namespace waymark::replay {
namespace {

// The leading bytes of `text` that are ASCII.
std::size_t AsciiLength(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + i, sizeof eight);
    if ((eight & kHighBits) != 0) break;
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return i;
}

enum class Sequence : std::uint8_t { kWhole, kBegun, kNone };

// What `text`, whose first byte is not ASCII, begins with, and its length.
Sequence Classify(std::string_view text, std::size_t& length) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  length = 1;
  if (first < 0xC2 || first > 0xF4) return Sequence::kNone;
  const std::size_t whole = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < whole; ++i) {
    if (i >= text.size()) return Sequence::kBegun;
    unsigned low = 0x80, high = 0xBF;
    if (i == 1) {
      if (first == 0xE0) low = 0xA0;
      if (first == 0xED) high = 0x9F;
      if (first == 0xF0) low = 0x90;
      if (first == 0xF4) high = 0x8F;
    }
    if (byte(i) < low || byte(i) > high) return Sequence::kNone;
  }
  length = whole;
  return Sequence::kWhole;
}

}  // namespace

std::string_view Utf8Repair::Feed(std::string_view bytes) {
  if (waiting_.empty() && AsciiLength(bytes) == bytes.size()) return bytes;
  waiting_ += bytes;
  repaired_.clear();
  std::string_view rest = waiting_;
  while (!rest.empty()) {
    const std::size_t ascii = AsciiLength(rest);
    repaired_ += rest.substr(0, ascii);
    rest.remove_prefix(ascii);
    if (rest.empty()) break;
    std::size_t length = 1;
    const Sequence sequence = Classify(rest, length);
    if (sequence == Sequence::kBegun) break;
    if (sequence == Sequence::kWhole) {
      repaired_ += rest.substr(0, length);
    } else {
      repaired_ += '?';
    }
    rest.remove_prefix(length);
  }
  waiting_.erase(0, waiting_.size() - rest.size());
  return repaired_;
}

std::string_view Utf8Repair::Finish() {
  repaired_.assign(waiting_.size(), '?');
  waiting_.clear();
  return repaired_;
}

}  // namespace waymark::replay
