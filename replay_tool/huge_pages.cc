// Memory for long traces. An evaluation touches gigabytes of fresh memory once, and on a virtual
// machine a page fault costs more than the work on the page: of a million fixes a third of the
// time. So large arrays come in huge pages, which the kernel by default ("madvise") gives to who
// asks, and what is freed stays for the next array.
#include <malloc.h>
#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLarge = 2 * kHugePage;

[[maybe_unused]] const bool kKeepsWhatIsFreed = mallopt(M_ARENA_MAX, 1) != 0 &&
                                                mallopt(M_MMAP_MAX, 0) != 0 &&
                                                mallopt(M_TRIM_THRESHOLD, -1) != 0;

}  // namespace

void* operator new(std::size_t bytes) {
  while (true) {
    void* memory = nullptr;
    if (bytes < kLarge) {
      memory = std::malloc(bytes > 0 ? bytes : 1);
    } else if (::posix_memalign(&memory, kHugePage, bytes) == 0) {
      ::madvise(memory, bytes, MADV_HUGEPAGE);
    }
    if (memory != nullptr) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
