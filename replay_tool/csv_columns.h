// Comma-separated lines with a header: which column is which, and the cells of a line.
#ifndef WAYMARK_REPLAY_TOOL_CSV_COLUMNS_H_
#define WAYMARK_REPLAY_TOOL_CSV_COLUMNS_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/status.h"

namespace waymark::replay {

/// Splits one line at commas, trimming cells. A cell may stand in double quotes, which are removed.
/// The views point into `line`.
void SplitCsvLine(std::string_view line, std::vector<std::string_view>& cells);

/// Where the known columns stand in a file whose columns come in any order.
class CsvColumns {
 public:
  /// Reads a header line (a byte order mark is skipped). kInvalidArgument names the required
  /// columns that are missing and the columns that were found, but no line.
  static Result<CsvColumns> FromHeader(std::string_view header,
                                       std::span<const std::string_view> known,
                                       std::span<const std::string_view> required);

  /// The cell of known column `i` in a split line; empty when absent.
  std::string_view Cell(std::span<const std::string_view> cells, std::size_t i) const;
  /// Of the header, known or not.
  std::size_t size() const { return size_; }
  /// The warning that names the header's columns that are not known; empty if there are none.
  std::string UnknownText() const;

 private:
  std::vector<std::optional<std::size_t>> place_;  // by known column
  std::vector<std::string> unknown_;
  std::size_t size_ = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_CSV_COLUMNS_H_
