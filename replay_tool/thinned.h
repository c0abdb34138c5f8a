// A sequence in bounded memory: thinned evenly as it grows.
#ifndef WAYMARK_REPLAY_TOOL_THINNED_H_
#define WAYMARK_REPLAY_TOOL_THINNED_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace waymark::replay {

/// Keeps at most `kMax` values, evenly spread over everything that was added.
template <class T, std::size_t kMax>
class Thinned {
 public:
  void Add(T value) {
    if (seen_++ % stride_ != 0) return;
    if (values_.size() >= kMax) {
      std::size_t kept = 0;
      for (std::size_t i = 0; i < values_.size(); i += 2) values_[kept++] = std::move(values_[i]);
      values_.resize(kept);
      stride_ *= 2;
      if ((seen_ - 1) % stride_ != 0) return;
    }
    values_.push_back(std::move(value));
  }
  const std::vector<T>& values() const { return values_; }

 private:
  std::vector<T> values_;
  std::uint64_t seen_ = 0, stride_ = 1;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_THINNED_H_
