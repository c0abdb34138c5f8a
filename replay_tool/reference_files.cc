#include "replay_tool/reference_files.h"

#include <array>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

#include "replay_tool/csv_columns.h"
#include "replay_tool/input_file.h"
#include "replay_tool/line_splitter.h"
#include "replay_tool/number_text.h"
#include "replay_tool/trace_reader.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 31;

std::string At(const std::string& path, std::uint64_t line) {
  return path + ": line " + std::to_string(line) + ": ";
}

// Calls `on_row(cells, columns, line)` for each line after the header; it returns what is wrong
// with the line, or nothing.
using OnRow = std::function<std::string(std::span<const std::string_view>, const CsvColumns&)>;

Status ReadCsv(const std::string& path, std::span<const std::string_view> known,
               std::span<const std::string_view> required, const OnRow& on_row,
               std::vector<std::string>* warnings = nullptr) {
  Result<std::string> text = ReadWholeFile(path, kMaxBytes);
  if (!text.ok()) return Status(text.status().code(), path + ": " + text.status().message());
  LineSplitter lines;
  std::optional<CsvColumns> columns;
  std::vector<std::string_view> cells;
  Status status;
  const auto on_line = [&](std::string_view line, std::uint64_t number) {
    if (Trim(line).empty()) return true;
    if (!columns) {
      Result<CsvColumns> header = CsvColumns::FromHeader(line, known, required);
      if (!header.ok()) {
        status = Status(header.status().code(), At(path, number) + header.status().message());
        return false;
      }
      columns = std::move(header).value();
      if (const std::string unknown = columns->UnknownText(); warnings && !unknown.empty()) {
        warnings->push_back(At(path, number) + unknown);
      }
      return true;
    }
    SplitCsvLine(line, cells);
    if (const std::string wrong = on_row(cells, *columns); !wrong.empty()) {
      status = Status(Code::kInvalidArgument, At(path, number) + wrong);
      return false;
    }
    return true;
  };
  lines.Feed(text.value(), on_line);
  if (status.ok()) lines.Finish(on_line);
  if (status.ok() && !columns) return Status(Code::kInvalidArgument, path + ": the file is empty");
  return status;
}

}  // namespace

Result<std::vector<TruthPoint>> ReadTruth(const std::string& path) {
  std::vector<TruthPoint> points;
  Status wrong;
  const Result<TraceInfo> info = ReadTrace(path, ReadOptions{}, [&](const TraceFix& read) {
    const LatLon p = read.fix.position;
    const std::optional<LatLon> position = LatLon::FromDegrees(p.lat_deg, p.lon_deg);
    if (!position) {
      wrong = Status(Code::kInvalidArgument,
                     At(path, read.line) + "the truth's latitude or longitude is out of range");
      return false;
    }
    points.push_back({read.fix.utc->time_since_epoch().count(), *position});
    return true;
  });
  if (!info.ok()) return info.status();
  if (!wrong.ok()) return wrong;
  return points;
}

Result<std::vector<LatLon>> ReadRoute(const std::string& path) {
  std::vector<LatLon> points;
  Result<InputFile> file = InputFile::Open(path);
  if (!file.ok()) return Status(file.status().code(), path + ": " + file.status().message());
  const Result<std::string_view> head = file.value().Peek(4096);
  if (!head.ok()) return Status(head.status().code(), path + ": " + head.status().message());
  const Result<TraceFormat> format = DetectTraceFormat(head.value());
  if (format.ok() && format.value() == TraceFormat::kGpx) {
    ReadOptions options;
    options.routes = true;
    options.assume_interval_s = 1;  // a route's points need no time
    const Result<TraceInfo> info = ReadTrace(path, options, [&](const TraceFix& read) {
      points.push_back(read.fix.position);
      return true;
    });
    if (!info.ok()) return info.status();
  } else {
    constexpr std::array<std::string_view, 2> kColumns{"lat_deg", "lon_deg"};
    const Status status = ReadCsv(
        path, kColumns, kColumns,
        [&](std::span<const std::string_view> cells, const CsvColumns& columns) -> std::string {
          const std::optional<double> lat = ParseDouble(columns.Cell(cells, 0));
          const std::optional<double> lon = ParseDouble(columns.Cell(cells, 1));
          if (!lat || !lon) return "lat_deg and lon_deg must be numbers";
          const std::optional<LatLon> point = LatLon::FromDegrees(*lat, *lon);
          if (!point) return "latitude or longitude out of range";
          points.push_back(*point);
          return {};
        });
    if (!status.ok()) return status;
  }
  if (points.size() < 2) {
    return Status(Code::kInvalidArgument, path + ": a route needs at least two points");
  }
  return points;
}

Result<std::vector<Label>> ReadLabels(const std::string& path) {
  std::vector<Label> labels;
  constexpr std::array<std::string_view, 3> kColumns{"utc_ms", "stationary", "mode"};
  constexpr std::array<std::string_view, 2> kRequired{"utc_ms", "stationary"};
  const Status status = ReadCsv(
      path, kColumns, kRequired,
      [&](std::span<const std::string_view> cells, const CsvColumns& columns) -> std::string {
        Label label;
        const std::optional<std::int64_t> utc_ms = ParseInt(columns.Cell(cells, 0));
        if (!utc_ms) return "utc_ms must be a whole number";
        label.utc_ms = *utc_ms;
        const std::string_view stationary = columns.Cell(cells, 1);
        if (stationary == "1" || stationary == "true") {
          label.stationary = true;
        } else if (stationary == "0" || stationary == "false") {
          label.stationary = false;
        } else if (!stationary.empty()) {
          return "stationary must be 0, 1 or empty";
        }
        label.mode = columns.Cell(cells, 2);
        labels.push_back(std::move(label));
        return {};
      });
  if (!status.ok()) return status;
  return labels;
}

Result<std::vector<Session>> ReadManifest(const std::string& path,
                                          std::vector<std::string>& warnings) {
  std::vector<Session> sessions;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  constexpr std::array<std::string_view, 4> kColumns{"trace", "truth", "route", "labels"};
  constexpr std::array<std::string_view, 1> kRequired{"trace"};
  const Status status = ReadCsv(
      path, kColumns, kRequired,
      [&](std::span<const std::string_view> cells, const CsvColumns& columns) -> std::string {
        const auto cell = [&](std::size_t i) -> std::string {
          const std::string_view text = columns.Cell(cells, i);
          return text.empty() ? std::string() : (folder / text).string();
        };
        Session session{cell(0), cell(1), cell(2), cell(3)};
        if (session.trace.empty()) return "trace must not be empty";
        if (session.truth.empty() && session.route.empty() && session.labels.empty()) {
          return "nothing to judge by: name a truth, a route or labels";
        }
        sessions.push_back(std::move(session));
        return {};
      },
      &warnings);
  if (!status.ok()) return status;
  if (sessions.empty()) {
    return Status(Code::kInvalidArgument, path + ": the manifest names no trace");
  }
  return sessions;
}

}  // namespace waymark::replay
