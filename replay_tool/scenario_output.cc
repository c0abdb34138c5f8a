#include "replay_tool/scenario_output.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <utility>

#include "replay_tool/csv_output.h"

namespace waymark::replay {
namespace {

constexpr std::string_view kFixesHeader =
    "utc_ms,lat_deg,lon_deg,horizontal_accuracy_m,altitude_m,vertical_accuracy_m,speed_mps,"
    "speed_accuracy_mps,course_deg,course_accuracy_deg,received_utc_ms,source,simulated\n";
constexpr std::string_view kTruthHeader = "utc_ms,lat_deg,lon_deg,altitude_m\n";
constexpr std::string_view kLabelsHeader = "utc_ms,stationary,mode\n";

// The namespaces are those of the programs whose elements are used: Garmin's TrackPointExtension
// for speed and course, OpenTracks for the accuracies.
constexpr std::string_view kGpxHead =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<gpx version=\"1.1\" creator=\"Waymark replay_tool\" "
    "xmlns=\"http://www.topografix.com/GPX/1/1\" "
    "xmlns:gpxtpx=\"http://www.garmin.com/xmlschemas/TrackPointExtension/v2\" "
    "xmlns:opentracks=\"http://opentracksapp.com/xmlschemas/v1\">\n";
constexpr std::string_view kGpxTail = "</trkseg></trk>\n</gpx>\n";

std::int64_t Millis(UtcTime utc) { return utc.time_since_epoch().count(); }

// Civil date of a day number since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date
// algorithms": days from civil, inverted) is what std::chrono::year_month_day does.
void AppendIsoTime(std::string& out, UtcTime utc) {
  const auto day = std::chrono::floor<std::chrono::days>(utc);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(utc - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(),
                 time.seconds().count(), time.subseconds().count());
}

// 1e-8 degrees is a millimetre. "-0.00000000" and 180 after rounding are both valid; neither occurs
// in a comparison.
void AppendPosition(std::string& out, LatLon p, std::string_view between) {
  fmt::format_to(std::back_inserter(out), "{:.8f}{}{:.8f}", p.lat_deg, between, p.lon_deg);
}

void AppendCell(std::string& out, std::optional<double> value, int decimals) {
  out += ',';
  if (value) fmt::format_to(std::back_inserter(out), "{:.{}f}", *value, decimals);
}

void AppendElement(std::string& out, std::string_view name, std::optional<double> value,
                   int decimals) {
  if (value) {
    fmt::format_to(std::back_inserter(out), "<{}>{:.{}f}</{}>", name, *value, decimals, name);
  }
}

std::string_view SourceName(FixSource source) {
  switch (source) {
    case FixSource::kGnss:
      return "gnss";
    case FixSource::kNetwork:
      return "network";
    case FixSource::kFused:
      return "fused";
    case FixSource::kUnknown:
      break;
  }
  return "";
}

Status Open(const std::string& path, std::optional<OutputFile>& file) {
  if (path.empty()) return {};
  Result<OutputFile> created = OutputFile::Create(path);
  if (!created.ok()) return created.status();
  file.emplace(std::move(created).value());
  return {};
}

}  // namespace

Result<ScenarioWriter> ScenarioWriter::Create(const ScenarioPaths& paths,
                                              const std::string& title) {
  ScenarioWriter writer;
  for (const auto& [path, file] :
       {std::pair{&paths.gpx, &writer.gpx_}, std::pair{&paths.fixes_csv, &writer.fixes_csv_},
        std::pair{&paths.truth_csv, &writer.truth_csv_},
        std::pair{&paths.labels_csv, &writer.labels_csv_}}) {
    if (Status status = Open(*path, *file); !status.ok()) return status;
  }
  if (writer.gpx_) {
    writer.gpx_->Append(kGpxHead);
    writer.gpx_->Append("<trk><name>" + title + "</name><trkseg>\n");
  }
  if (writer.fixes_csv_) writer.fixes_csv_->Append(kFixesHeader);
  if (writer.truth_csv_) writer.truth_csv_->Append(kTruthHeader);
  if (writer.labels_csv_) writer.labels_csv_->Append(kLabelsHeader);
  return writer;
}

void ScenarioWriter::AppendLabel(const ScenarioTruth& truth) {
  line_.clear();
  fmt::format_to(std::back_inserter(line_), "{},{},{}\n", Millis(truth.utc),
                 truth.stationary ? 1 : 0, truth.mode);
  labels_csv_->Append(line_);
}

void ScenarioWriter::OnTruth(const ScenarioTruth& truth) {
  ++truths_;
  if (truth_csv_) {
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{},", Millis(truth.utc));
    AppendPosition(line_, truth.position, ",");
    AppendCell(line_, truth.altitude_m, 2);
    line_ += '\n';
    truth_csv_->Append(line_);
  }
  // A label holds until the next one, so that only changes are written, and the end.
  if (labels_csv_ &&
      (!labelled_ || labelled_->stationary != truth.stationary || labelled_->mode != truth.mode)) {
    AppendLabel(truth);
    labelled_ = truth;
  }
  last_truth_ = truth;
}

void ScenarioWriter::OnFix(const ScenarioFix& report) {
  ++fixes_;
  const Fix& fix = report.fix;
  const std::optional<double> course_deg = RoundedCourse(fix.course_deg);
  if (gpx_) {
    line_ = "<trkpt lat=\"";
    AppendPosition(line_, fix.position, "\" lon=\"");
    line_ += "\">";
    AppendElement(line_, "ele", fix.altitude_m, 2);
    line_ += "<time>";
    AppendIsoTime(line_, *fix.utc);
    line_ += "</time>";
    if (fix.horizontal_accuracy_m || fix.speed_mps) {
      line_ += "<extensions>";
      if (fix.speed_mps) {
        line_ += "<gpxtpx:TrackPointExtension>";
        AppendElement(line_, "gpxtpx:speed", fix.speed_mps, 3);
        AppendElement(line_, "gpxtpx:course", course_deg, 2);
        line_ += "</gpxtpx:TrackPointExtension>";
      }
      AppendElement(line_, "opentracks:accuracy_horizontal", fix.horizontal_accuracy_m, 2);
      AppendElement(line_, "opentracks:accuracy_vertical", fix.vertical_accuracy_m, 2);
      line_ += "</extensions>";
    }
    line_ += "</trkpt>\n";
    gpx_->Append(line_);
  }
  if (fixes_csv_) {
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{},", Millis(*fix.utc));
    AppendPosition(line_, fix.position, ",");
    AppendCell(line_, fix.horizontal_accuracy_m, 2);
    AppendCell(line_, fix.altitude_m, 2);
    AppendCell(line_, fix.vertical_accuracy_m, 2);
    AppendCell(line_, fix.speed_mps, 3);
    AppendCell(line_, fix.speed_accuracy_mps, 3);
    AppendCell(line_, course_deg, 2);
    AppendCell(line_, fix.course_accuracy_deg, 2);
    fmt::format_to(std::back_inserter(line_), ",{},{},{}\n", Millis(report.received),
                   SourceName(fix.source), fix.simulated ? 1 : 0);
    fixes_csv_->Append(line_);
  }
}

Status ScenarioWriter::Close() {
  if (labels_csv_ && labelled_ && last_truth_ && labelled_->utc != last_truth_->utc) {
    AppendLabel(*last_truth_);
  }
  if (gpx_) gpx_->Append(kGpxTail);
  Status first;
  for (std::optional<OutputFile>* file : {&gpx_, &fixes_csv_, &truth_csv_, &labels_csv_}) {
    if (!*file) continue;
    Status status = (*file)->Close();
    if (first.ok()) first = std::move(status);
  }
  return first;
}

}  // namespace waymark::replay
