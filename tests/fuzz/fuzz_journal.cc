// Any bytes as a journal: replayed, printed and read as a trace.
#include <cstddef>
#include <cstdint>
#include <span>

#include "waymark/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  (void)waymark::ReplayJournal(bytes);
  waymark::PrintJournal(bytes, [](std::string_view) {}).Ignore();
  (void)waymark::JournalFixes(bytes);
  return 0;
}
