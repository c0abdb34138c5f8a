// A million geofences from a GeoJSON file and from the persisted set, into an engine that answers:
//   bench_geojson
// The file (about 160 MB) is written to the temporary folder and removed again.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "replay_tool/geojson_reader.h"
#include "sdk/geofence/geofence_engine.h"
#include "tests/bench/geofence_world.h"

namespace waymark::bench {
namespace {

constexpr std::size_t kFences = 1'000'000;

/// The clustered circles of bench_geofence as a file, as other programs write it.
class MillionFile {
 public:
  MillionFile()
      : path_((std::filesystem::temp_directory_path() / "waymark_bench_million.geojson").string()) {
    std::FILE* file = std::fopen(path_.c_str(), "w");
    if (file == nullptr) return;
    std::fputs("{\"type\":\"FeatureCollection\",\"features\":[\n", file);
    const World world = MakeWorld(kFences, false);
    for (std::size_t i = 0; i < kFences; ++i) {
      const CircleSpec& c = world.circles[i];
      std::fprintf(file,
                   "%s{\"type\":\"Feature\",\"geometry\":{\"type\":\"Point\",\"coordinates\":"
                   "[%.7f,%.7f]},\"properties\":{\"id\":\"place-%zu\",\"radius_m\":%.1f}}",
                   i == 0 ? "" : ",\n", c.centre.lon_deg, c.centre.lat_deg, i, c.radius_m);
    }
    std::fputs("\n]}\n", file);
    std::fclose(file);
  }
  MillionFile(const MillionFile&) = delete;
  MillionFile& operator=(const MillionFile&) = delete;
  ~MillionFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

bool Load(const std::string& path, GeofenceEngine& engine) {
  const auto loaded = replay::LoadGeofences(path);
  if (!loaded.ok() || !loaded.value().problems.empty()) return false;
  std::vector<FenceProblem> problems;
  engine.Add(loaded.value().fences, problems);
  return problems.empty() && engine.size() == kFences;
}

void GeoJson(benchmark::State& state) {
  const MillionFile file;
  std::error_code error;
  state.counters["file_bytes"] =
      static_cast<double>(std::filesystem::file_size(file.path(), error));
  for (auto _ : state) {
    GeofenceEngine engine;
    if (!Load(file.path(), engine)) state.SkipWithError("not loaded");
  }
}

void Persisted(benchmark::State& state) {
  std::vector<std::byte> image;
  {
    const MillionFile file;
    GeofenceEngine engine;
    if (!Load(file.path(), engine)) {
      state.SkipWithError("not loaded");
      return;
    }
    engine.SaveFences(image);
  }
  state.counters["image_bytes"] = static_cast<double>(image.size());
  for (auto _ : state) {
    GeofenceEngine engine;
    if (!engine.RestoreFences(image).ok() || engine.size() != kFences) {
      state.SkipWithError("not restored");
    }
  }
}

BENCHMARK(GeoJson)->Name("load_1M/geojson")->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK(Persisted)->Name("load_1M/persisted")->Iterations(3)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace waymark::bench

BENCHMARK_MAIN();
