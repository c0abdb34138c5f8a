// Encoding: time and size a point. The track is a 1 Hz ride with coloured position noise; with
// WAYMARK_TRACK=FILE (CSV lines t_ms,lat_deg,lon_deg,altitude_m) a recorded one.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <random>

#include "sdk/sync/record_codec.h"
#include "waymark/geometry.h"
#include "waymark/wire.h"

namespace waymark {
namespace {

double Unit(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53 - 0.5; }

std::vector<Record> RecordedTrack(const char* path) {
  std::vector<Record> records;
  std::ifstream in(path);
  std::string line;
  while (std::getline(in, line)) {
    long long t_ms = 0;
    double lat = 0, lon = 0, altitude = 0;
    if (std::sscanf(line.c_str(), "%lld,%lf,%lf,%lf", &t_ms, &lat, &lon, &altitude) != 4) continue;
    Record r;
    r.utc = UtcTime(std::chrono::milliseconds(t_ms));
    PointRecord p;
    p.position = {lat, lon};
    p.altitude_m = altitude;
    p.motion = Motion::kMoving;
    if (!records.empty()) {
      const auto& before = std::get<PointRecord>(records.back().body);
      const GeodesicLine way = Inverse(before.position, p.position);
      const double dt = Seconds(r.utc - records.back().utc);
      p.speed_mps = dt > 0 ? way.distance_m / dt : 0;
      p.course_deg = way.azimuth_deg;
    }
    p.r68_m = 4 + std::fmod(static_cast<double>(records.size()) * 0.013, 3.0);
    r.body = p;
    records.push_back(r);
  }
  return records;
}

std::vector<Record> SimulatedTrack() {
  std::vector<Record> records;
  std::mt19937_64 random(1);
  double north = 0, east = 0, course = 0.4, speed = 7, error_n = 0, error_e = 0, altitude = 80;
  for (int i = 0; i < 10'000; ++i) {
    course += Unit(random) * 0.08;
    speed = std::clamp(speed + Unit(random) * 0.5, 1.0, 14.0);
    north += speed * std::cos(course);
    east += speed * std::sin(course);
    altitude += Unit(random) * 0.3;
    error_n = error_n * 0.97 + Unit(random) * 0.4;
    error_e = error_e * 0.97 + Unit(random) * 0.4;
    Record r;
    r.utc = UtcTime(std::chrono::milliseconds(1'700'000'000'000 + 1000LL * i));
    PointRecord p;
    p.position = {52 + (north + error_n) / 111'200, 13 + (east + error_e) / 68'500};
    p.r68_m = 4 + error_n;
    p.speed_mps = speed;
    const double degrees = std::fmod(course * 180 / std::numbers::pi, 360);
    p.course_deg = degrees < 0 ? degrees + 360 : degrees;
    p.altitude_m = altitude;
    p.motion = Motion::kMoving;
    r.body = p;
    records.push_back(r);
  }
  return records;
}

const std::vector<Record>& Track() {
  static const std::vector<Record> track = [] {
    const char* path = std::getenv("WAYMARK_TRACK");
    auto records = path ? RecordedTrack(path) : SimulatedTrack();
    for (std::size_t i = 0; i < records.size(); ++i) records[i].seq = i + 1, records[i].session = 3;
    return records;
  }();
  return track;
}

std::vector<Batch> Batches(std::size_t size) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i + size <= Track().size(); i += size) {
    Batch batch;
    batch.installation = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6";
    const auto first = Track().begin() + static_cast<std::ptrdiff_t>(i);
    batch.records.assign(first, first + static_cast<std::ptrdiff_t>(size));
    batches.push_back(std::move(batch));
  }
  return batches;
}

void Encode(benchmark::State& state) {
  const auto batches = Batches(static_cast<std::size_t>(state.range(0)));
  std::size_t bytes = 0, points = 0, i = 0;
  for (auto _ : state) {
    const auto out = EncodeBatch(batches[i++ % batches.size()]);
    benchmark::DoNotOptimize(out.data());
    points += static_cast<std::size_t>(state.range(0));
  }
  for (const Batch& b : batches) bytes += EncodeBatch(b).size();
  state.SetItemsProcessed(static_cast<std::int64_t>(points));
  state.counters["ns/pt"] =
      benchmark::Counter(static_cast<double>(points) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["B/pt"] =
      static_cast<double>(bytes) / static_cast<double>(batches.size() * batches[0].records.size());
}
BENCHMARK(Encode)->Arg(1)->Arg(10)->Arg(100)->Arg(250)->Arg(500);

void Decode(benchmark::State& state) {
  std::vector<std::vector<std::byte>> encoded;
  for (const Batch& b : Batches(static_cast<std::size_t>(state.range(0)))) {
    encoded.push_back(EncodeBatch(b));
  }
  std::size_t i = 0, points = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(DecodeBatch(encoded[i++ % encoded.size()]).ok());
    points += static_cast<std::size_t>(state.range(0));
  }
  state.counters["ns/pt"] =
      benchmark::Counter(static_cast<double>(points) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(Decode)->Arg(100);

void EncodeRow(benchmark::State& state) {
  std::size_t i = 0, bytes = 0;
  for (auto _ : state) {
    const auto out = sync::EncodeRecord(Track()[i++ % Track().size()]);
    benchmark::DoNotOptimize(out.data());
  }
  for (const Record& r : Track()) bytes += sync::EncodeRecord(r).size();
  state.counters["B/pt"] = static_cast<double>(bytes) / static_cast<double>(Track().size());
}
BENCHMARK(EncodeRow);

}  // namespace
}  // namespace waymark

BENCHMARK_MAIN();
