// An array that grows in place.
#ifndef WAYMARK_REPLAY_TOOL_STABLE_ARRAY_H_
#define WAYMARK_REPLAY_TOOL_STABLE_ARRAY_H_

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>
#include <type_traits>

namespace waymark::replay {

/// Its elements never move, so that another thread may read those it was told of while more are
/// appended; and none is copied while it grows, which for a million fixes costs as much as reading
/// them. Address space is reserved at once, memory is taken as it is needed.
template <typename T>
requires std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>
class StableArray {
 public:
  StableArray() = default;
  ~StableArray() {
    if (data_ != nullptr) ::munmap(data_, reserved_bytes_);
  }
  StableArray(const StableArray&) = delete;
  StableArray& operator=(const StableArray&) = delete;

  void push_back(const T& value) {
    if ((size_ + 1) * sizeof(T) > usable_bytes_) Grow();
    new (data_ + size_) T(value);
    ++size_;
  }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::span<const T> elements() const { return {data_, size_}; }
  /// Elements that the reader was told of; safe beside push_back.
  std::span<const T> elements(std::size_t begin, std::size_t end) const {
    return {data_ + begin, end - begin};
  }

 private:
  // As much as the address space gives: 64 GiB where it is 64 bits wide and nobody limits it.
  static constexpr std::size_t kMostBytes =
      sizeof(void*) >= 8 ? std::size_t{1} << 36 : std::size_t{1} << 28;
  static constexpr std::size_t kFirstBytes = std::size_t{1} << 22;
  static constexpr std::size_t kStepBytes = std::size_t{1} << 25;

  void Grow() {
    if (data_ == nullptr) Reserve();
    const std::size_t step =
        std::min(usable_bytes_ == 0 ? kFirstBytes : kStepBytes, reserved_bytes_ - usable_bytes_);
    std::byte* const from = reinterpret_cast<std::byte*>(data_) + usable_bytes_;
    if (step == 0 || ::mprotect(from, step, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    // Only a long trace is worth pages of two megabytes, which are cleared as a whole.
    if (usable_bytes_ > 0) ::madvise(from, step, MADV_HUGEPAGE);
    usable_bytes_ += step;
  }

  void Reserve() {
    for (std::size_t bytes = kMostBytes; bytes >= kFirstBytes; bytes /= 2) {
      void* const memory =
          ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED) continue;
      data_ = static_cast<T*>(memory);
      reserved_bytes_ = bytes;
      return;
    }
    throw std::bad_alloc();
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;  // the writer's
  std::size_t usable_bytes_ = 0, reserved_bytes_ = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_STABLE_ARRAY_H_
