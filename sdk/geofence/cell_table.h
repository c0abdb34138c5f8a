// A hash table from cells to short runs of fixed-size records, which lie inline in one pool.
#ifndef SDK_GEOFENCE_CELL_TABLE_H_
#define SDK_GEOFENCE_CELL_TABLE_H_

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "sdk/geofence/cell_grid.h"

namespace waymark::geofence {

/// For bulk building: a record of `item` belongs in the cell that `cell` stands for, a number that
/// increases with the key.
struct CellItem {
  std::uint32_t cell = 0;
  std::uint32_t item = 0;
};

/// Sorts by cell, stable: least significant digit first.
void SortByCell(std::vector<CellItem>& items);

template <class Record>
class CellTable {
 public:
  /// Where the records of a cell lie; good until the table changes, and for a copy of it.
  struct Run {
    std::uint32_t begin = 0, count = 0;
  };
  Run FindRun(CellKey key) const {
    if (slots_.empty()) return {};
    const Slot* const end = slots_.data() + slots_.size();
    for (const Slot* slot = slots_.data() + Home(key);;) {
      if (slot->key == key) return {slot->begin, slot->count};
      if (slot->key == 0) return {};
      if (++slot == end) slot = slots_.data();
    }
  }
  std::span<const Record> At(Run run) const { return {pool_.data() + run.begin, run.count}; }
  std::span<const Record> Find(CellKey key) const { return At(FindRun(key)); }

  void Insert(CellKey key, const Record& record) {
    if (slots_.empty() || (keys_ + 1) * 10 > slots_.size() * 6) Grow();
    Slot& slot = slots_[SlotOf(key)];
    if (slot.key == 0) {
      slot.key = key;
      ++keys_;
    }
    const std::uint32_t room = Capacity(slot.count);
    if (slot.count == room) Move(slot, Capacity(slot.count + 1));
    pool_[slot.begin + slot.count++] = record;
    ++records_;
  }

  /// Removes the records of the cell for which `drop` holds.
  template <class Drop>
  void EraseIf(CellKey key, Drop drop) {
    if (slots_.empty()) return;
    Slot& slot = slots_[SlotOf(key)];
    for (std::uint32_t k = 0; k < slot.count;) {
      if (!drop(pool_[slot.begin + k])) {
        ++k;
        continue;
      }
      const std::uint32_t room = Capacity(slot.count);
      pool_[slot.begin + k] = pool_[slot.begin + slot.count - 1];
      --slot.count;
      --records_;
      if (Capacity(slot.count) != room) Shrink(slot, room);
    }
  }

  /// Fills an empty table from sorted items; key_of(cell) gives the key and make(item, key) the
  /// record, cell after cell. The table and what make reads are waited for in memory: ahead(item)
  /// may fetch what make(item) will read.
  template <class KeyOf, class Make, class Ahead>
  void Build(std::span<const CellItem> sorted, KeyOf key_of, Make make, Ahead ahead) {
    constexpr std::size_t kAhead = 24;
    std::size_t cells = 0, room = 0;
    for (std::size_t i = 0; i < sorted.size();) {
      std::size_t j = i;
      while (j < sorted.size() && sorted[j].cell == sorted[i].cell) ++j;
      ++cells;
      room += Capacity(static_cast<std::uint32_t>(j - i));
      i = j;
    }
    slots_.assign(cells * 10 / 6 + 8, Slot{});
    keys_ = cells;
    pool_.resize(room);
    std::uint32_t begin = 0;
    for (std::size_t i = 0; i < sorted.size();) {
      const std::uint32_t cell = sorted[i].cell;
      const CellKey key = key_of(cell);
      Slot& slot = slots_[SlotOf(key)];
      slot = {key, begin, 0};
      for (; i < sorted.size() && sorted[i].cell == cell; ++i) {
        if (i + kAhead < sorted.size()) {
          const CellItem& later = sorted[i + kAhead];
          if (later.cell != sorted[i + kAhead - 1].cell) {
            __builtin_prefetch(&slots_[Home(key_of(later.cell))]);
          }
          ahead(later.item);
        }
        pool_[begin + slot.count++] = make(sorted[i].item, key);
      }
      begin += Capacity(slot.count);
    }
    records_ = sorted.size();
  }

  bool empty() const { return records_ == 0; }
  std::size_t records() const { return records_; }
  template <class Visit>
  void ForEachCell(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.count > 0) visit(slot.key, std::span<const Record>(&pool_[slot.begin], slot.count));
    }
  }
  std::size_t memory_bytes() const {
    return slots_.capacity() * sizeof(Slot) + pool_.capacity() * sizeof(Record);
  }

 private:
  struct Slot {
    CellKey key = 0;  ///< 0: never used; a used one without records keeps its key
    std::uint32_t begin = 0, count = 0;
  };

  // Rooms are 2^k and 3 * 2^k: a function of the count, so that none needs to be stored.
  static std::uint32_t Capacity(std::uint32_t count) {
    if (count <= 2) return count;
    const std::uint32_t power = std::bit_ceil(count);
    return power / 4 * 3 >= count ? power / 4 * 3 : power;
  }
  static std::size_t Class(std::uint32_t capacity) {
    const auto power = static_cast<std::size_t>(std::bit_width(capacity));
    return 2 * power + (std::has_single_bit(capacity) ? 0 : 1);
  }

  std::size_t Home(CellKey key) const {
    // Fibonacci hashing with a fold, then the high part of a product instead of a remainder: any
    // size will do.
    std::uint64_t h = key * 0x9e3779b97f4a7c15;
    h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93;
    return static_cast<std::size_t>((h >> 32) * slots_.size() >> 32);
  }
  std::size_t SlotOf(CellKey key) const {
    std::size_t at = Home(key);
    while (slots_[at].key != key && slots_[at].key != 0) {
      at = at + 1 == slots_.size() ? 0 : at + 1;
    }
    return at;
  }

  void Grow() {
    std::vector<Slot> old = std::move(slots_);
    std::size_t live = 0;
    for (const Slot& slot : old) live += slot.count > 0 ? 1 : 0;
    slots_.assign(live * 2 + 16, Slot{});
    keys_ = live;
    for (const Slot& slot : old) {
      if (slot.count > 0) slots_[SlotOf(slot.key)] = slot;
    }
  }

  std::uint32_t Take(std::uint32_t capacity) {
    const std::size_t c = Class(capacity);
    if (free_.size() > c && !free_[c].empty()) {
      const std::uint32_t begin = free_[c].back();
      free_[c].pop_back();
      return begin;
    }
    const auto begin = static_cast<std::uint32_t>(pool_.size());
    pool_.resize(pool_.size() + capacity);
    return begin;
  }
  void Give(std::uint32_t begin, std::uint32_t capacity) {
    if (capacity == 0) return;
    const std::size_t c = Class(capacity);
    if (free_.size() <= c) free_.resize(c + 1);
    free_[c].push_back(begin);
  }
  void Move(Slot& slot, std::uint32_t capacity) {
    const std::uint32_t begin = Take(capacity);
    for (std::uint32_t k = 0; k < slot.count; ++k) pool_[begin + k] = pool_[slot.begin + k];
    Give(slot.begin, Capacity(slot.count));
    slot.begin = begin;
  }
  void Shrink(Slot& slot, std::uint32_t old_room) {
    const std::uint32_t room = Capacity(slot.count);
    const std::uint32_t begin = room == 0 ? 0 : Take(room);
    for (std::uint32_t k = 0; k < slot.count; ++k) pool_[begin + k] = pool_[slot.begin + k];
    Give(slot.begin, old_room);
    slot.begin = begin;
  }

  std::vector<Slot> slots_;
  std::vector<Record> pool_;
  std::vector<std::vector<std::uint32_t>> free_;
  std::size_t keys_ = 0, records_ = 0;
};

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_CELL_TABLE_H_
