#include "replay_tool/fixes_csv_reader.h"

#include <array>
#include <limits>
#include <string>
#include <utility>

#include "replay_tool/csv_columns.h"
#include "replay_tool/line_splitter.h"
#include "replay_tool/number_text.h"

namespace waymark::replay {
namespace {

enum Column : std::size_t {
  kUtc,
  kLat,
  kLon,
  kHorizontalAccuracy,
  kAltitude,
  kVerticalAccuracy,
  kSpeed,
  kSpeedAccuracy,
  kCourse,
  kCourseAccuracy,
  kReceived,
  kSource,
  kSimulated,
};

constexpr std::array<std::string_view, 13> kColumns = {"utc_ms",          "lat_deg",
                                                       "lon_deg",         "horizontal_accuracy_m",
                                                       "altitude_m",      "vertical_accuracy_m",
                                                       "speed_mps",       "speed_accuracy_mps",
                                                       "course_deg",      "course_accuracy_deg",
                                                       "received_utc_ms", "source",
                                                       "simulated"};
constexpr std::array<std::string_view, 3> kRequired = {"utc_ms", "lat_deg", "lon_deg"};

struct OptionalNumber {
  Column column;
  std::optional<double> Fix::*field;
};
constexpr std::array kNumbers = {
    OptionalNumber{kHorizontalAccuracy, &Fix::horizontal_accuracy_m},
    OptionalNumber{kAltitude, &Fix::altitude_m},
    OptionalNumber{kVerticalAccuracy, &Fix::vertical_accuracy_m},
    OptionalNumber{kSpeed, &Fix::speed_mps},
    OptionalNumber{kSpeedAccuracy, &Fix::speed_accuracy_mps},
    OptionalNumber{kCourse, &Fix::course_deg},
    OptionalNumber{kCourseAccuracy, &Fix::course_accuracy_deg},
};

// An integer, or a number with decimals as a spreadsheet would write it.
std::optional<UtcTime> ParseUtcMs(std::string_view text) {
  std::optional<std::int64_t> ms = ParseInt(text);
  if (!ms) {
    const std::optional<double> number = ParseDouble(text);
    if (number && *number > -1e13 && *number < 1e13) ms = static_cast<std::int64_t>(*number);
  }
  if (!ms || *ms < -10'000'000'000'000 || *ms > 10'000'000'000'000) return std::nullopt;
  if (!UtcInRange(*ms)) return std::nullopt;
  return UtcTime(std::chrono::milliseconds(*ms));
}

// What a program writes where it has no number.
bool IsNan(std::string_view cell) { return cell == "nan" || cell == "NaN" || cell == "NAN"; }

std::optional<double> NumberOrNan(std::string_view cell) {
  return IsNan(cell) ? std::numeric_limits<double>::quiet_NaN() : ParseDouble(cell);
}

std::string AtLine(std::uint64_t number) { return "line " + std::to_string(number) + ": "; }

class FixesCsvParser final : public TraceParser {
 public:
  FixesCsvParser(const ReadOptions& options, FixSink sink)
      : options_(options), sink_(std::move(sink)) {
    info_.format = TraceFormat::kFixesCsv;
  }

  Status Feed(std::string_view bytes) override {
    lines_.Feed(bytes, [this](std::string_view line, std::uint64_t number) {
      OnLine(line, number);
      return !stopped_ && status_.ok();
    });
    return status_;
  }

  Status Finish(bool cut) override {
    if (!status_.ok() || stopped_) return status_;
    info_.cut = cut;
    lines_.Finish([this](std::string_view line, std::uint64_t number) {
      // Without its end a line of too few cells is cut; and half a number would be a wrong one.
      SplitCsvLine(line, cells_);
      if (columns_ && cells_.size() < columns_->size()) info_.cut = true;
      if (!info_.cut) OnLine(line, number);
      return true;
    });
    if (!status_.ok() || stopped_) return status_;
    if (!columns_) return Status(Code::kInvalidArgument, "no header line");
    if (info_.points == 0) return Status(Code::kInvalidArgument, "a header and no line after it");
    if (info_.cut) info_.warnings.push_back("the file is cut off; what stands before was read");
    return Status();
  }

  bool stopped() const override { return stopped_; }
  const TraceInfo& info() const override { return info_; }

 private:
  void OnLine(std::string_view line, std::uint64_t number) {
    if (Trim(line).empty()) return;
    if (!columns_) {
      status_ = ReadHeader(line, number);
      return;
    }
    TraceFix read;
    read.line = number;
    SplitCsvLine(line, cells_);
    status_ = ReadCells(read);
    if (!status_.ok()) return;
    if (!read.fix.horizontal_accuracy_m) read.fix.horizontal_accuracy_m = options_.accuracy_m;
    ++info_.points;
    if (!sink_(read)) stopped_ = true;
  }

  Status ReadHeader(std::string_view line, std::uint64_t number) {
    Result<CsvColumns> columns = CsvColumns::FromHeader(line, kColumns, kRequired);
    if (!columns.ok()) {
      return Status(columns.status().code(), AtLine(number) + columns.status().message());
    }
    columns_ = std::move(columns).value();
    if (std::string unknown = columns_->UnknownText(); !unknown.empty()) {
      info_.warnings.push_back(std::move(unknown));
    }
    return Status();
  }

  Status ReadCells(TraceFix& read) const {
    Fix& fix = read.fix;
    fix.utc = ParseUtcMs(Cell(kUtc));
    if (!fix.utc) return Wrong(read.line, kUtc, "a time in milliseconds since 1970");
    // A position that is no number is judged by the core, like one outside the globe.
    const std::optional<double> lat_deg = NumberOrNan(Cell(kLat));
    if (!lat_deg) return Wrong(read.line, kLat, "a number");
    const std::optional<double> lon_deg = NumberOrNan(Cell(kLon));
    if (!lon_deg) return Wrong(read.line, kLon, "a number");
    fix.position = {*lat_deg, *lon_deg};
    for (const auto& [column, field] : kNumbers) {
      const std::string_view cell = Cell(column);
      if (cell.empty() || IsNan(cell)) continue;
      fix.*field = ParseDouble(cell);
      if (!(fix.*field)) return Wrong(read.line, column, "a number");
    }
    if (const std::string_view cell = Cell(kReceived); !cell.empty()) {
      read.received = ParseUtcMs(cell);
      if (!read.received) return Wrong(read.line, kReceived, "a time in milliseconds since 1970");
    }
    return ReadWords(read);
  }

  Status ReadWords(TraceFix& read) const {
    const std::string_view source = Cell(kSource);
    if (source == "gnss") {
      read.fix.source = FixSource::kGnss;
    } else if (source == "network") {
      read.fix.source = FixSource::kNetwork;
    } else if (source == "fused") {
      read.fix.source = FixSource::kFused;
    } else if (!source.empty()) {
      return Wrong(read.line, kSource, "gnss, network or fused");
    }
    const std::string_view simulated = Cell(kSimulated);
    if (simulated == "1" || simulated == "true") {
      read.fix.simulated = true;
    } else if (!simulated.empty() && simulated != "0" && simulated != "false") {
      return Wrong(read.line, kSimulated, "0 or 1");
    }
    return Status();
  }

  std::string_view Cell(Column column) const { return columns_->Cell(cells_, column); }

  Status Wrong(std::uint64_t line, Column column, const char* expected) const {
    return Status(Code::kInvalidArgument, AtLine(line) + std::string(kColumns[column]) + " is '" +
                                              std::string(Cell(column).substr(0, 40)) + "', not " +
                                              expected);
  }

  const ReadOptions options_;
  const FixSink sink_;
  TraceInfo info_;
  LineSplitter lines_;
  std::optional<CsvColumns> columns_;
  std::vector<std::string_view> cells_;
  Status status_;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<TraceParser> MakeFixesCsvParser(const ReadOptions& options, FixSink sink) {
  return std::make_unique<FixesCsvParser>(options, std::move(sink));
}

}  // namespace waymark::replay
