#include "replay_tool/csv_columns.h"

#include <algorithm>

#include "replay_tool/number_text.h"

namespace waymark::replay {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

void AppendListed(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += item.substr(0, 64);
}

}  // namespace

void SplitCsvLine(std::string_view line, std::vector<std::string_view>& cells) {
  cells.clear();
  while (true) {
    std::size_t end = std::min(line.find(','), line.size());
    std::string_view cell = Trim(line.substr(0, end));
    if (!cell.empty() && cell.front() == '"') {
      const std::size_t open = line.find('"');
      const std::size_t close = line.find('"', open + 1);
      if (close != std::string_view::npos) {
        cell = Trim(line.substr(open + 1, close - open - 1));
        end = std::min(line.find(',', close), line.size());
      }
    }
    cells.push_back(cell);
    if (end == line.size()) return;
    line.remove_prefix(end + 1);
  }
}

Result<CsvColumns> CsvColumns::FromHeader(std::string_view header,
                                          std::span<const std::string_view> known,
                                          std::span<const std::string_view> required) {
  if (header.starts_with(kByteOrderMark)) header.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> names;
  SplitCsvLine(header, names);
  CsvColumns columns;
  columns.place_.resize(known.size());
  columns.size_ = names.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto match = std::find(known.begin(), known.end(), names[i]);
    if (match == known.end()) {
      if (!names[i].empty()) columns.unknown_.emplace_back(names[i]);
      continue;
    }
    std::optional<std::size_t>& place =
        columns.place_[static_cast<std::size_t>(match - known.begin())];
    if (place) {
      return Status(Code::kInvalidArgument, "column " + std::string(names[i]) + " stands twice");
    }
    place = i;
  }
  std::string missing;
  for (const std::string_view name : required) {
    const auto match = std::find(known.begin(), known.end(), name);
    if (match == known.end() || !columns.place_[static_cast<std::size_t>(match - known.begin())]) {
      AppendListed(missing, name);
    }
  }
  if (missing.empty()) return columns;
  std::string found;
  for (std::size_t i = 0; i < names.size() && i < 16; ++i) AppendListed(found, names[i]);
  return Status(Code::kInvalidArgument, "missing column " + missing + " (found: " + found + ")");
}

std::string CsvColumns::UnknownText() const {
  std::string names;
  for (const std::string& name : unknown_) AppendListed(names, name);
  return names.empty() ? names : "unknown columns ignored: " + names;
}

std::string_view CsvColumns::Cell(std::span<const std::string_view> cells, std::size_t i) const {
  if (i >= place_.size() || !place_[i] || *place_[i] >= cells.size()) return {};
  return cells[*place_[i]];
}

}  // namespace waymark::replay
