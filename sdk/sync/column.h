// A column of the wire: the integers of one quantity over all records of a batch, differenced 0, 1
// or 2 times (whichever is shortest for these numbers) and run-length coded where that is shorter.
#ifndef WAYMARK_SDK_SYNC_COLUMN_H_
#define WAYMARK_SDK_SYNC_COLUMN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace waymark::wire::v1 {
class Column;
}

namespace waymark::sync {

/// How many times a column is differenced at most, plus one.
inline constexpr std::uint32_t kOrders = 3;

/// Kept over the columns of a batch for its memory.
class ColumnEncoder {
 public:
  /// Any numbers: arithmetic is modulo 2^64. An empty span leaves `column` empty.
  void Encode(std::span<const std::int64_t> values, wire::v1::Column& column);

 private:
  std::array<std::vector<std::int64_t>, kOrders - 1> differences_;
};

/// Replaces `values`. False if the column is malformed or holds more than `max_count` numbers.
bool DecodeColumn(const wire::v1::Column& column, std::size_t max_count,
                  std::vector<std::int64_t>& values);

}  // namespace waymark::sync

#endif  // WAYMARK_SDK_SYNC_COLUMN_H_
