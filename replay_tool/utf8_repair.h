// Text that claims to be UTF-8 and is not quite.
#ifndef WAYMARK_REPLAY_TOOL_UTF8_REPAIR_H_
#define WAYMARK_REPLAY_TOOL_UTF8_REPAIR_H_

#include <string>
#include <string_view>

namespace waymark::replay {

/// Puts '?' for each byte that belongs to no UTF-8 sequence, over input in pieces of any size. An
/// XML parser stops at such a byte, though it mostly stands in a name that nobody asked for
/// (Latin-1 written without saying so). In other single-byte encodings the ASCII part stays as it
/// is.
class Utf8Repair {
 public:
  /// The repaired text so far. The beginning of a sequence at the end of `bytes` waits for its
  /// rest. Valid until the next call, and only as long as `bytes`.
  std::string_view Feed(std::string_view bytes);
  /// What still waited.
  std::string_view Finish();

 private:
  std::string waiting_;
  std::string repaired_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_UTF8_REPAIR_H_
