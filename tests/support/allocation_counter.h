// Replaces the global operator new of a test binary by one that counts. Include it in exactly one
// source of a binary.
#ifndef WAYMARK_TESTS_SUPPORT_ALLOCATION_COUNTER_H_
#define WAYMARK_TESTS_SUPPORT_ALLOCATION_COUNTER_H_

#include <cstddef>
#include <cstdlib>
#include <new>

namespace waymark::test {
inline thread_local std::size_t allocations = 0;  ///< by this thread so far
}  // namespace waymark::test

// Under -fsanitize g++ sees malloc behind new and does not see that delete is replaced as well.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

void* operator new(std::size_t size) {
  ++waymark::test::allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  std::abort();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return operator new(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return operator new(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  ++waymark::test::allocations;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  std::abort();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

#endif  // WAYMARK_TESTS_SUPPORT_ALLOCATION_COUNTER_H_
