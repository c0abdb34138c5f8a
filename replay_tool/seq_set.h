// A set of sequence numbers kept as runs: what arrives in order costs one entry.
#ifndef WAYMARK_REPLAY_TOOL_SEQ_SET_H_
#define WAYMARK_REPLAY_TOOL_SEQ_SET_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>

namespace waymark::replay {

class SeqSet {
 public:
  bool Contains(std::uint64_t seq) const {
    const auto next = runs_.upper_bound(seq);
    return next != runs_.begin() && std::prev(next)->second >= seq;
  }
  /// False if it was there already.
  bool Insert(std::uint64_t seq) {
    if (Contains(seq)) return false;
    auto next = runs_.upper_bound(seq);
    const bool joins_next = next != runs_.end() && next->first == seq + 1;
    const bool joins_previous = next != runs_.begin() && std::prev(next)->second + 1 == seq;
    const std::uint64_t last = joins_next ? next->second : seq;
    if (joins_next) next = runs_.erase(next);
    if (joins_previous) {
      std::prev(next)->second = last;
    } else {
      runs_.emplace_hint(next, seq, last);
    }
    return true;
  }
  std::size_t runs() const { return runs_.size(); }

 private:
  std::map<std::uint64_t, std::uint64_t> runs_;  // first -> last, inclusive, never adjacent
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SEQ_SET_H_
