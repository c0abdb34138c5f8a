#include "replay_tool/trace_reader.h"

#include <algorithm>
#include <span>
#include <utility>

#include "replay_tool/fixes_csv_reader.h"
#include "replay_tool/gnss_logger_reader.h"
#include "replay_tool/gpx_reader.h"
#include "replay_tool/input_file.h"
#include "replay_tool/nmea_reader.h"
#include "replay_tool/nmea_sentence.h"
#include "replay_tool/number_text.h"
#include "waymark/journal.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kHeadBytes = 1 << 16;
constexpr std::size_t kMaxJournalBytes = std::size_t{2} << 30;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool LooksLikeUtf16Xml(std::string_view head) {
  using namespace std::string_view_literals;
  return head.starts_with("\xFF\xFE<\0"sv) || head.starts_with("\xFE\xFF\0<"sv) ||
         head.starts_with("<\0?\0"sv) || head.starts_with("\0<\0?"sv);
}

bool HasNmeaSentence(std::string_view head) {
  for (std::size_t at = 0; (at = head.find_first_of("$!", at)) != std::string_view::npos; ++at) {
    std::size_t end = 0;
    if (ParseNmeaSentence(head.substr(at), end)) return true;
  }
  return false;
}

// A GnssLogger file begins with comments that name the layout of its lines.
bool IsGnssLogger(std::string_view head) {
  return head.starts_with("#") && (head.find("\n# Fix,") != std::string_view::npos ||
                                   head.find("\n# Raw,") != std::string_view::npos);
}

bool IsPrintable(std::string_view line) {
  return std::none_of(line.begin(), line.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r';
  });
}

Status Named(const std::string& path, const Status& status) {
  return Status(status.code(), (path == "-" ? "standard input" : path) + ": " + status.message());
}

Status NotKnown(const std::string& what) {
  return Status(Code::kInvalidArgument,
                what + "not a trace (GPX, NMEA 0183, fixes CSV, GnssLogger text, Waymark journal)");
}

Status NotATrace(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("SQLite format 3\0"sv)) {
    return Status(Code::kInvalidArgument, "an SQLite database, not a trace (see: export --help)");
  }
  if (head.starts_with("{") || head.starts_with("[")) {
    return NotKnown("JSON, ");
  }
  const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  if (std::count(head.begin(), head.end(), '\0') > 0 || !IsPrintable(line)) {
    return NotKnown("binary data, ");
  }
  for (const auto& [delimiter, name] : {std::pair{';', "semicolons"}, std::pair{'\t', "tabs"}}) {
    if (std::count(line.begin(), line.end(), delimiter) >= 2) {
      return NotKnown("columns between " + std::string(name) + ", where a CSV has commas: ");
    }
  }
  return NotKnown("");
}

Result<TraceInfo> ReadJournalTrace(InputFile& file, const FixSink& sink) {
  std::string all;
  while (true) {
    Result<std::string_view> piece = file.Read();
    if (!piece.ok()) return piece.status();
    if (piece.value().empty()) break;
    if (all.size() + piece.value().size() > kMaxJournalBytes) {
      return Status(Code::kInvalidArgument, "a journal of more than 2 GiB");
    }
    all += piece.value();
  }
  const Result<JournalTrace> trace = JournalFixes(std::as_bytes(std::span(all.data(), all.size())));
  if (!trace.ok()) return trace.status();
  TraceInfo info;
  info.format = TraceFormat::kJournal;
  info.cut = trace.value().cut;
  if (info.cut) info.warnings.push_back("the journal is cut off; what stands before was read");
  for (const DeliveredFix& delivered : trace.value().fixes) {
    TraceFix read;
    read.fix = delivered.fix;
    // The phone's UTC of validity, for a fix whose source told none.
    if (!read.fix.utc) {
      read.fix.utc = delivered.arrival.utc + std::chrono::floor<std::chrono::milliseconds>(
                                                 delivered.fix.time - delivered.arrival.mono);
    }
    read.received = delivered.arrival.utc;
    read.line = ++info.points;
    if (!sink(read)) break;
  }
  if (info.points == 0) return Status(Code::kInvalidArgument, "a journal without a fix");
  return info;
}

Result<TraceInfo> ReadOpenTrace(InputFile& file, const ReadOptions& options, const FixSink& sink,
                                const ProgressSink& progress) {
  const Result<std::string_view> head = file.Peek(kHeadBytes);
  if (!head.ok()) return head.status();
  if (head.value().empty()) {
    return Status(Code::kInvalidArgument, file.cut() ? "a gzip file cut off at once" : "empty");
  }
  const Result<TraceFormat> format = DetectTraceFormat(head.value());
  if (!format.ok()) return format.status();
  if (format.value() == TraceFormat::kJournal) return ReadJournalTrace(file, sink);
  const std::unique_ptr<TraceParser> parser = MakeTraceParser(format.value(), options, sink);
  while (!parser->stopped()) {
    const Result<std::string_view> piece = file.Read();
    if (!piece.ok()) return piece.status();
    if (piece.value().empty()) break;
    if (Status status = parser->Feed(piece.value()); !status.ok()) return status;
    if (progress && file.size_bytes() > 0) {
      progress(static_cast<double>(file.position_bytes()) / static_cast<double>(file.size_bytes()));
    }
  }
  if (Status status = parser->Finish(file.cut()); !status.ok()) return status;
  return parser->info();
}

}  // namespace

Result<TraceFormat> DetectTraceFormat(std::string_view head) {
  if (IsJournal(std::as_bytes(std::span(head.data(), head.size())))) return TraceFormat::kJournal;
  if (LooksLikeUtf16Xml(head)) return TraceFormat::kGpx;
  std::string_view text = head;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return Status(Code::kInvalidArgument, "only white space");
  if (text[begin] == '<') return TraceFormat::kGpx;
  if (IsGnssLogger(text)) return TraceFormat::kGnssLogger;
  const std::string_view line = text.substr(begin, text.find_first_of("\r\n", begin) - begin);
  if (line.front() != '$' && line.front() != '!' && line.front() != '#' && IsPrintable(line) &&
      line.find(',') != std::string_view::npos && !HasNmeaSentence(line)) {
    return TraceFormat::kFixesCsv;
  }
  if (HasNmeaSentence(head)) return TraceFormat::kNmea;
  return NotATrace(head);
}

std::unique_ptr<TraceParser> MakeTraceParser(TraceFormat format, const ReadOptions& options,
                                             FixSink sink) {
  switch (format) {
    case TraceFormat::kGpx:
      return MakeGpxParser(options, std::move(sink));
    case TraceFormat::kNmea:
      return MakeNmeaParser(options, std::move(sink));
    case TraceFormat::kFixesCsv:
      return MakeFixesCsvParser(options, std::move(sink));
    case TraceFormat::kGnssLogger:
      return MakeGnssLoggerParser(options, std::move(sink));
    case TraceFormat::kJournal:
      break;
  }
  return nullptr;
}

Result<TraceInfo> ReadTrace(const std::string& path, const ReadOptions& options,
                            const FixSink& sink, const ProgressSink& progress) {
  Result<InputFile> file = InputFile::Open(path);
  if (!file.ok()) return Named(path, file.status());
  Result<TraceInfo> info = ReadOpenTrace(file.value(), options, sink, progress);
  if (!info.ok()) return Named(path, info.status());
  return info;
}

}  // namespace waymark::replay
