#include "sdk/geofence/cell_table.h"

#include <array>

namespace waymark::geofence {

void SortByKey(std::vector<KeyedItem>& items) {
  constexpr int kDigitBits = 11;
  constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
  CellKey all_or = 0, all_and = ~CellKey{0};
  for (const KeyedItem& item : items) {
    all_or |= item.key;
    all_and &= item.key;
  }
  const CellKey varying = all_or ^ all_and;
  std::vector<KeyedItem> other(items.size());
  std::vector<std::uint32_t> starts(kDigits);
  for (int shift = 0; shift < 64; shift += kDigitBits) {
    if (((varying >> shift) & (kDigits - 1)) == 0) continue;
    std::fill(starts.begin(), starts.end(), 0);
    for (const KeyedItem& item : items) ++starts[(item.key >> shift) & (kDigits - 1)];
    std::uint32_t sum = 0;
    for (std::uint32_t& start : starts) {
      const std::uint32_t count = start;
      start = sum;
      sum += count;
    }
    for (const KeyedItem& item : items) other[starts[(item.key >> shift) & (kDigits - 1)]++] = item;
    items.swap(other);
  }
}

}  // namespace waymark::geofence
