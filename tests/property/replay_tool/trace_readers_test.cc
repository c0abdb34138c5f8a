// Oracles: text that this test prints itself from random numbers reads back as those numbers,
// however the bytes are cut into pieces.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "replay_tool/number_text.h"
#include "replay_tool/track_writer.h"
#include "support/parsed_text.h"

namespace waymark::replay {
namespace {

using testing::Parsed;
using testing::ParseText;

struct Row {
  std::int64_t utc_ms;
  double lat_deg, lon_deg;
  std::optional<double> speed_mps, accuracy_m;
};

std::optional<double> OptionalUpTo(int limit) {
  if (*rc::gen::arbitrary<bool>()) return std::nullopt;
  return *rc::gen::inRange(1, limit * 1000) / 1000.;
}

std::vector<Row> Rows() {
  std::vector<Row> rows(*rc::gen::inRange<std::size_t>(1, 30));
  for (Row& row : rows) {
    row.utc_ms = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000);
    row.lat_deg = *rc::gen::inRange(-900'000'000, 900'000'001) * 1e-7;
    row.lon_deg = *rc::gen::inRange(-1'800'000'000, 1'800'000'000) * 1e-7;
    row.speed_mps = OptionalUpTo(80);
    row.accuracy_m = OptionalUpTo(500);
  }
  return rows;
}

std::string Cell(const std::optional<double>& v) { return v ? fmt::format("{}", *v) : ""; }

bool SameFixes(const Parsed& a, const Parsed& b) {
  if (a.fixes.size() != b.fixes.size() || a.status.message() != b.status.message()) return false;
  for (std::size_t i = 0; i < a.fixes.size(); ++i) {
    const Fix &x = a.fixes[i].fix, &y = b.fixes[i].fix;
    if (a.fixes[i].line != b.fixes[i].line || x.utc != y.utc || !(x.position == y.position) ||
        x.speed_mps != y.speed_mps || x.horizontal_accuracy_m != y.horizontal_accuracy_m) {
      return false;
    }
  }
  return a.info.warnings == b.info.warnings;
}

void ExpectRows(const std::vector<Row>& rows, const Parsed& parsed) {
  RC_ASSERT(parsed.status.ok());
  RC_ASSERT(parsed.fixes.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Fix& fix = parsed.fixes[i].fix;
    RC_ASSERT(fix.utc->time_since_epoch().count() == rows[i].utc_ms);
    RC_ASSERT(fix.position.lat_deg == rows[i].lat_deg);
    RC_ASSERT(fix.position.lon_deg == rows[i].lon_deg);
    RC_ASSERT(fix.speed_mps == rows[i].speed_mps);
    RC_ASSERT(fix.horizontal_accuracy_m == rows[i].accuracy_m);
  }
}

RC_GTEST_PROP(TraceReadersProperty, CsvReadsBackExactly, ()) {
  const std::vector<Row> rows = Rows();
  std::string text = "lon_deg,utc_ms,speed_mps,lat_deg,horizontal_accuracy_m\n";
  for (const Row& r : rows) {
    text += fmt::format("{},{},{},{},{}\n", r.lon_deg, r.utc_ms, Cell(r.speed_mps), r.lat_deg,
                        Cell(r.accuracy_m));
  }
  const Parsed whole = ParseText(TraceFormat::kFixesCsv, text);
  ExpectRows(rows, whole);
  RC_ASSERT(SameFixes(
      whole, ParseText(TraceFormat::kFixesCsv, text, {}, *rc::gen::inRange<std::size_t>(1, 50))));
}

RC_GTEST_PROP(TraceReadersProperty, GpxReadsBackExactly, ()) {
  const std::vector<Row> rows = Rows();
  std::string text = "<gpx><trk><trkseg>";
  for (const Row& r : rows) {
    text += fmt::format("<trkpt lat=\"{}\" lon=\"{}\"><time>{}</time><extensions>", r.lat_deg,
                        r.lon_deg, IsoTime(UtcTime(std::chrono::milliseconds(r.utc_ms))));
    if (r.speed_mps) text += fmt::format("<a:speed>{}</a:speed>", *r.speed_mps);
    if (r.accuracy_m) text += fmt::format("<accuracy>{}</accuracy>", *r.accuracy_m);
    text += "</extensions></trkpt>\n";
  }
  text += "</trkseg></trk></gpx>";
  const Parsed whole = ParseText(TraceFormat::kGpx, text);
  ExpectRows(rows, whole);
  RC_ASSERT(SameFixes(
      whole, ParseText(TraceFormat::kGpx, text, {}, *rc::gen::inRange<std::size_t>(1, 50))));
}

RC_GTEST_PROP(TraceReadersProperty, NmeaReadsBackToItsResolution, ()) {
  std::vector<Row> rows = Rows();
  std::string text;
  std::int64_t ms = *rc::gen::inRange<std::int64_t>(0, 1'900'000'000) * 1000;
  for (Row& r : rows) {
    ms += *rc::gen::inRange<std::int64_t>(1, 200'000);
    r.utc_ms = ms;
    const std::string iso = IsoTime(UtcTime(std::chrono::milliseconds(ms)));
    const auto dm = [](double deg) {
      const double a = std::abs(deg);
      return std::floor(a) * 100 + (a - std::floor(a)) * 60;
    };
    // 59.9999999 minutes must not print as 60.
    const double lat = std::min(dm(r.lat_deg), std::floor(std::abs(r.lat_deg)) * 100 + 59.999999);
    const double lon = std::min(dm(r.lon_deg), std::floor(std::abs(r.lon_deg)) * 100 + 59.999999);
    const std::string body = fmt::format(
        "GPRMC,{}{}{},A,{:011.6f},{},{:012.6f},{},,,{}{}{},,", iso.substr(11, 2), iso.substr(14, 2),
        iso.substr(17, 6), lat, r.lat_deg < 0 ? 'S' : 'N', lon, r.lon_deg < 0 ? 'W' : 'E',
        iso.substr(8, 2), iso.substr(5, 2), iso.substr(2, 2));
    int sum = 0;
    for (const char c : body) sum ^= c;
    text += fmt::format("${}*{:02X}\r\n", body, sum);
  }
  const Parsed whole = ParseText(TraceFormat::kNmea, text);
  RC_ASSERT(whole.status.ok());
  RC_ASSERT(whole.fixes.size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Fix& fix = whole.fixes[i].fix;
    // Two digits of the year: 1970-1979 cannot be told from 2070-2079.
    if (rows[i].utc_ms >= 315'532'800'000) {
      RC_ASSERT(fix.utc->time_since_epoch().count() == rows[i].utc_ms);
    }
    RC_ASSERT(std::abs(fix.position.lat_deg - rows[i].lat_deg) < 4e-8);
    RC_ASSERT(std::abs(fix.position.lon_deg - rows[i].lon_deg) < 4e-8);
  }
  RC_ASSERT(SameFixes(
      whole, ParseText(TraceFormat::kNmea, text, {}, *rc::gen::inRange<std::size_t>(1, 50))));
}

// Whatever the bytes: an answer, the same for any cutting, and a message of one line.
RC_GTEST_PROP(TraceReadersProperty, DamagedTextNeverBreaksAReader, ()) {
  std::string text =
      "<gpx><trk><trkseg><trkpt lat=\"1\" lon=\"2\"><time>2020-01-01T00:00:00Z</time></trkpt>"
      "</trkseg></trk></gpx>\n$GPRMC,120000,A,4730.0,N,01115.0,E,0,0,290520,,*1D\n"
      "utc_ms,lat_deg,lon_deg\n1000,1,2\n";
  const int edits = *rc::gen::inRange(0, 8);
  for (int i = 0; i < edits; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    text[at] = static_cast<char>(*rc::gen::inRange(0, 256));
  }
  text.erase(0, *rc::gen::inRange<std::size_t>(0, text.size()));
  for (const TraceFormat format :
       {TraceFormat::kGpx, TraceFormat::kNmea, TraceFormat::kFixesCsv, TraceFormat::kGnssLogger}) {
    const Parsed whole = ParseText(format, text);
    RC_ASSERT(whole.fixes.size() == whole.info.points);
    RC_ASSERT(whole.status.ok() || !whole.status.message().empty());
    const Parsed pieces = ParseText(format, text, {}, *rc::gen::inRange<std::size_t>(1, 9));
    RC_ASSERT(whole.fixes.size() == pieces.fixes.size());
  }
}

}  // namespace
}  // namespace waymark::replay
