#include "sdk/geofence/cell_table.h"

#include <algorithm>
#include <array>

namespace waymark::geofence {

void SortByCell(std::vector<CellItem>& items) {
  constexpr int kDigitBits = 11, kDigits = 3;
  constexpr std::uint32_t kMask = (1u << kDigitBits) - 1;
  std::array<std::vector<std::uint32_t>, kDigits> starts;
  for (auto& digit : starts) digit.assign(kMask + 1, 0);
  for (const CellItem& item : items) {
    for (std::size_t k = 0; k < kDigits; ++k) {
      ++starts[k][(item.cell >> (k * kDigitBits)) & kMask];
    }
  }
  std::vector<CellItem> other(items.size());
  for (std::size_t k = 0; k < kDigits; ++k) {
    std::vector<std::uint32_t>& digit = starts[k];
    if (std::find(digit.begin(), digit.end(), items.size()) != digit.end()) continue;  // all equal
    std::uint32_t sum = 0;
    for (std::uint32_t& start : digit) {
      const std::uint32_t count = start;
      start = sum;
      sum += count;
    }
    for (const CellItem& item : items) {
      other[digit[(item.cell >> (k * kDigitBits)) & kMask]++] = item;
    }
    items.swap(other);
  }
}

}  // namespace waymark::geofence
