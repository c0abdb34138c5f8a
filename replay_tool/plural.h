// "1 point", "2 points".
#ifndef WAYMARK_REPLAY_TOOL_PLURAL_H_
#define WAYMARK_REPLAY_TOOL_PLURAL_H_

#include <cstdint>
#include <string>

namespace waymark::replay {

/// For nouns whose plural ends in s.
inline std::string Plural(std::uint64_t n, const char* noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_PLURAL_H_
