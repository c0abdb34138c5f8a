// Any bytes through the GeoJSON reader, and what it takes for geofences through the engine.
#include <cstdint>
#include <vector>

#include "replay_tool/geojson_reader.h"
#include "sdk/geofence/geofence_engine.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waymark;
  std::vector<Geofence> fences;
  const auto file =
      replay::ParseGeofences({reinterpret_cast<const char*>(data), size}, [&](Geofence&& fence) {
        fences.push_back(std::move(fence));
        return fences.size() < 200;
      });
  (void)file;
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  engine.Add(fences, problems);
  if (problems.size() + engine.size() != fences.size()) __builtin_trap();
  std::vector<std::byte> image;
  engine.SaveFences(image);
  GeofenceEngine again;
  if (!again.RestoreFences(image).ok() || again.size() != engine.size()) __builtin_trap();
  (void)again.RestoreFences(std::as_bytes(std::span(data, size)));
  (void)again.RestoreState(std::as_bytes(std::span(data, size)));
  return 0;
}
