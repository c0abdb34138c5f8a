// Layout: https://github.com/google/gps-measurement-tools ("# Fix,Provider,Latitude,..."; newer
// versions call the columns LatitudeDegrees, SpeedMps, UnixTimeMillis and so on).
#include "replay_tool/gnss_logger_reader.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "replay_tool/csv_columns.h"
#include "replay_tool/line_splitter.h"
#include "replay_tool/number_text.h"
#include "replay_tool/plural.h"

namespace waymark::replay {
namespace {

enum class Meaning : std::uint8_t {
  kOther,
  kProvider,
  kLat,
  kLon,
  kAltitude,
  kSpeed,
  kAccuracy,
  kUtc,
  kCourse,
  kSpeedAccuracy,
  kCourseAccuracy,
  kVerticalAccuracy,
  kMock,
};

struct ColumnName {
  std::string_view name;
  Meaning meaning;
};

constexpr std::array kNames = {
    ColumnName{"Provider", Meaning::kProvider},
    ColumnName{"Latitude", Meaning::kLat},
    ColumnName{"LatitudeDegrees", Meaning::kLat},
    ColumnName{"Longitude", Meaning::kLon},
    ColumnName{"LongitudeDegrees", Meaning::kLon},
    ColumnName{"Altitude", Meaning::kAltitude},
    ColumnName{"AltitudeMeters", Meaning::kAltitude},
    ColumnName{"Speed", Meaning::kSpeed},
    ColumnName{"SpeedMps", Meaning::kSpeed},
    ColumnName{"Accuracy", Meaning::kAccuracy},
    ColumnName{"AccuracyMeters", Meaning::kAccuracy},
    ColumnName{"(UTC)TimeInMs", Meaning::kUtc},
    ColumnName{"UnixTimeMillis", Meaning::kUtc},
    ColumnName{"BearingDegrees", Meaning::kCourse},
    ColumnName{"SpeedAccuracyMps", Meaning::kSpeedAccuracy},
    ColumnName{"BearingAccuracyDegrees", Meaning::kCourseAccuracy},
    ColumnName{"VerticalAccuracyMeters", Meaning::kVerticalAccuracy},
    ColumnName{"MockLocation", Meaning::kMock},
};

class GnssLoggerParser final : public TraceParser {
 public:
  GnssLoggerParser(const ReadOptions& options, FixSink sink)
      : options_(options), sink_(std::move(sink)) {
    info_.format = TraceFormat::kGnssLogger;
  }

  Status Feed(std::string_view bytes) override {
    lines_.Feed(bytes, [this](std::string_view line, std::uint64_t number) {
      OnLine(line, number);
      return !stopped_;
    });
    return Status();
  }

  Status Finish(bool cut) override {
    if (stopped_) return Status();
    info_.cut = cut;
    lines_.Finish([this](std::string_view line, std::uint64_t number) {
      // Without its end a line of too few cells is cut; so may a number be that ends a cut file.
      SplitCsvLine(line, cells_);
      if (line.starts_with("Fix,") && cells_.size() < meanings_.size()) info_.cut = true;
      if (!info_.cut) OnLine(line, number);
      return true;
    });
    if (info_.points == 0) {
      return Status(Code::kInvalidArgument,
                    "a GnssLogger file without a readable Fix line (raw measurements are not "
                    "positions)");
    }
    if (info_.cut) info_.warnings.push_back("the file is cut off; what stands before was read");
    if (unreadable_ > 0) {
      info_.warnings.push_back(Plural(unreadable_, "Fix line") + " not readable, skipped");
    }
    return Status();
  }

  bool stopped() const override { return stopped_; }
  const TraceInfo& info() const override { return info_; }

 private:
  void OnLine(std::string_view line, std::uint64_t number) {
    if (line.starts_with("# Fix,")) {
      SplitCsvLine(line, cells_);
      meanings_.clear();
      for (const std::string_view name : cells_) {
        const auto match = std::find_if(kNames.begin(), kNames.end(),
                                        [name](const ColumnName& c) { return c.name == name; });
        meanings_.push_back(match == kNames.end() ? Meaning::kOther : match->meaning);
      }
      return;
    }
    if (!line.starts_with("Fix,")) return;
    SplitCsvLine(line, cells_);
    TraceFix read;
    read.line = number;
    if (!ReadCells(read)) {
      ++unreadable_;
      return;
    }
    if (!read.fix.horizontal_accuracy_m) read.fix.horizontal_accuracy_m = options_.accuracy_m;
    ++info_.points;
    if (!sink_(read)) stopped_ = true;
  }

  bool ReadCells(TraceFix& read) const {
    Fix& fix = read.fix;
    std::optional<double> lat_deg, lon_deg;
    for (std::size_t i = 0; i < cells_.size() && i < meanings_.size(); ++i) {
      const std::string_view cell = cells_[i];
      const std::optional<double> value = ParseDouble(cell);
      switch (meanings_[i]) {
        case Meaning::kProvider:
          if (cell == "gps" || cell == "GPS") fix.source = FixSource::kGnss;
          if (cell == "network" || cell == "NLP") fix.source = FixSource::kNetwork;
          if (cell == "fused" || cell == "FLP") fix.source = FixSource::kFused;
          break;
        case Meaning::kLat:
          lat_deg = value;
          break;
        case Meaning::kLon:
          lon_deg = value;
          break;
        case Meaning::kAltitude:
          fix.altitude_m = value;
          break;
        case Meaning::kSpeed:
          fix.speed_mps = value;
          break;
        case Meaning::kAccuracy:
          if (value && *value > 0) fix.horizontal_accuracy_m = value;
          break;
        case Meaning::kUtc:
          if (const auto ms = ParseInt(cell); ms && *ms > 0 && *ms < 7'000'000'000'000) {
            fix.utc = UtcTime(std::chrono::milliseconds(*ms));
          }
          break;
        case Meaning::kCourse:
          fix.course_deg = value;
          break;
        case Meaning::kSpeedAccuracy:
          if (value && *value > 0) fix.speed_accuracy_mps = value;
          break;
        case Meaning::kCourseAccuracy:
          if (value && *value > 0) fix.course_accuracy_deg = value;
          break;
        case Meaning::kVerticalAccuracy:
          if (value && *value > 0) fix.vertical_accuracy_m = value;
          break;
        case Meaning::kMock:
          fix.simulated = cell == "1" || cell == "true";
          break;
        case Meaning::kOther:
          break;
      }
    }
    if (!lat_deg || !lon_deg || !fix.utc) return false;
    fix.position = {*lat_deg, *lon_deg};
    return true;
  }

  const ReadOptions options_;
  const FixSink sink_;
  TraceInfo info_;
  LineSplitter lines_;
  std::vector<Meaning> meanings_;
  std::vector<std::string_view> cells_;
  std::uint64_t unreadable_ = 0;
  bool stopped_ = false;
};

}  // namespace

std::unique_ptr<TraceParser> MakeGnssLoggerParser(const ReadOptions& options, FixSink sink) {
  return std::make_unique<GnssLoggerParser>(options, std::move(sink));
}

}  // namespace waymark::replay
