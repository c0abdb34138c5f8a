// The definitions of the fences, kept small: a million of them fit in a phone.
#ifndef SDK_GEOFENCE_FENCE_TABLE_H_
#define SDK_GEOFENCE_FENCE_TABLE_H_

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/geofence/fence_shape.h"
#include "waymark/geofence.h"

namespace waymark::geofence {

/// Index of a fence in a FenceTable; stable until it is removed, then used again.
using FenceIndex = std::uint32_t;

/// What a fence has beside its id and shape. Equal ones are stored once.
struct FenceAttributes {
  Duration dwell{};
  std::optional<UtcTime> expires;
  std::int16_t utc_offset_minutes = 0;
  std::vector<WeeklyWindow> open;
  bool notify_enter = true, notify_exit = true, notify_dwell = true;
  bool initial_trigger = true;
  double confidence = 0.9;
  std::string extras;
};
bool operator<(const FenceAttributes& a, const FenceAttributes& b);

/// Why the attributes (or the id) of a fence cannot be used; empty if they can.
std::string AttributeProblem(const Geofence& fence);

class FenceTable {
 public:
  FenceTable() = default;
  FenceTable(const FenceTable&);
  FenceTable& operator=(const FenceTable& other) {
    return *this = FenceTable(other);  // NOLINT(misc-unconventional-assign-operator)
  }
  FenceTable(FenceTable&&) noexcept = default;
  FenceTable& operator=(FenceTable&&) noexcept = default;

  struct Added {
    FenceIndex index = 0;
    bool is_new = false;     ///< no fence of this id was there
    bool unchanged = false;  ///< an identical fence was there: nothing was done
    bool shape_changed = false;
  };
  /// Adds or replaces. nullopt, and why, if the fence cannot be used. `before_replace` is called
  /// with the index while the old definition still stands. `trusted` skips the costly part of the
  /// check of a polygon.
  template <class F>
  std::optional<Added> Put(const Geofence& fence, bool trusted, std::string& reason,
                           F before_replace);
  void Remove(FenceIndex index);
  void Reserve(std::size_t fences);

  std::optional<FenceIndex> IndexOf(std::string_view id) const;
  std::size_t size() const { return used_; }
  /// One more than the highest index in use.
  FenceIndex end() const { return static_cast<FenceIndex>(entries_.size()); }
  bool Has(FenceIndex i) const { return i < entries_.size() && entries_[i].attributes != kFree; }

  std::string_view Id(FenceIndex i) const;
  const FenceAttributes& Attributes(FenceIndex i) const {
    return *attributes_[entries_[i].attributes].value;
  }
  bool IsCircle(FenceIndex i) const { return traced_of_.size() <= i || traced_of_[i] == 0; }
  LatLon Centre(FenceIndex i) const { return entries_[i].centre; }  ///< of a circle
  void PrefetchCircle(FenceIndex i) const { __builtin_prefetch(&entries_[i]); }
  double RadiusM(FenceIndex i) const { return entries_[i].radius_m; }  ///< of a circle
  const TracedShape& Traced(FenceIndex i) const { return traced_[traced_of_[i] - 1]->prepared; }
  FenceShapeView Shape(FenceIndex i) const {
    return IsCircle(i) ? FenceShapeView(Centre(i), RadiusM(i)) : FenceShapeView(Traced(i));
  }
  /// Of a fence that is no circle, as it was given.
  const FenceShape& OriginalShape(FenceIndex i) const {
    return traced_[traced_of_[i] - 1]->definition;
  }
  Geofence Definition(FenceIndex i) const;
  /// The largest confidence that any fence ever asked for.
  double max_confidence() const { return max_confidence_; }
  std::size_t memory_bytes() const;

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;
  struct Entry {
    LatLon centre;
    double radius_m = 0;
    std::uint32_t id_begin = 0;  ///< in id_bytes_: two bytes of length, then the id
    std::uint32_t attributes = kFree;
  };
  struct TracedFence {
    FenceShape definition;
    TracedShape prepared;
  };
  using AttributeMap = std::map<FenceAttributes, std::uint32_t>;
  struct SharedAttributes {
    const FenceAttributes* value = nullptr;  ///< the key of the map
    std::uint32_t users = 0;
  };

  static std::uint64_t Hash(std::string_view id);
  std::size_t Slot(std::string_view id) const;
  void GrowHash(std::size_t fences);
  std::uint32_t Intern(const Geofence& fence);
  void Release(std::uint32_t attributes);
  std::uint32_t StoreId(std::string_view id);
  void CompactIds();
  std::optional<TracedShape> Prepare(const Geofence& fence, bool trusted,
                                     std::string& reason) const;
  bool SameShape(FenceIndex i, const FenceShape& shape) const;
  void SetShape(FenceIndex i, const FenceShape& shape, std::optional<TracedShape> traced);
  void DropTraced(FenceIndex i);

  std::vector<Entry> entries_;
  std::vector<FenceIndex> free_;
  std::size_t used_ = 0;
  std::vector<char> id_bytes_;
  std::size_t dead_id_bytes_ = 0;
  std::vector<std::uint32_t> slots_;  ///< open addressing, index + 1; 0 is empty
  AttributeMap attribute_map_;
  std::vector<SharedAttributes> attributes_;
  std::vector<std::uint32_t> free_attributes_;
  std::uint32_t last_attributes_ = kFree;
  double max_confidence_ = 0.55;
  std::vector<std::uint32_t> traced_of_;  ///< index + 1; as long as the last traced fence asks
  std::vector<std::unique_ptr<TracedFence>> traced_;
  std::vector<std::uint32_t> free_traced_;
};

template <class F>
std::optional<FenceTable::Added> FenceTable::Put(const Geofence& fence, bool trusted,
                                                 std::string& reason, F before_replace) {
  reason = AttributeProblem(fence);
  if (!reason.empty()) return std::nullopt;
  const auto old = IndexOf(fence.id);
  Added added;
  const bool same_shape = old && SameShape(*old, fence.shape);
  std::optional<TracedShape> traced;
  if (!same_shape) {
    traced = Prepare(fence, trusted, reason);
    if (!reason.empty()) return std::nullopt;
  }
  if (old) {
    added.index = *old;
    const std::uint32_t attributes = Intern(fence);
    added.unchanged = same_shape && attributes == entries_[*old].attributes;
    added.shape_changed = !same_shape;
    if (added.unchanged) {
      Release(attributes);
      return added;
    }
    before_replace(*old);
    Release(entries_[*old].attributes);
    entries_[*old].attributes = attributes;
    if (!same_shape) SetShape(*old, fence.shape, std::move(traced));
    return added;
  }
  added.is_new = added.shape_changed = true;
  if (free_.empty()) {
    added.index = end();
    entries_.emplace_back();
  } else {
    added.index = free_.back();
    free_.pop_back();
  }
  Entry& entry = entries_[added.index];
  entry.id_begin = StoreId(fence.id);
  entry.attributes = Intern(fence);
  SetShape(added.index, fence.shape, std::move(traced));
  GrowHash(++used_);
  slots_[Slot(fence.id)] = added.index + 1;
  return added;
}

}  // namespace waymark::geofence

#endif  // SDK_GEOFENCE_FENCE_TABLE_H_
