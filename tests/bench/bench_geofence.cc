// Geofence lookup beside its peers, in one run:
//   bench_geofence --benchmark_enable_random_interleaving=true --benchmark_repetitions=5
//                  --benchmark_report_aggregates_only=true
// Instructions instead of time: tests/bench/geofence_instructions.sh. Every row prints the hits of
// its queries; rows of one case agree but for places on a border (circles: the peers test on the
// sphere, we on the ellipsoid).
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <cstdio>
#include <map>

#include "sdk/geofence/fence_follower.h"
#include "sdk/geofence/fence_index.h"
#include "sdk/geofence/geofence_engine.h"
#include "tests/bench/geofence_peer.h"

namespace waymark::bench {
namespace {

constexpr std::size_t kQueries = 100'000;

std::size_t HeapBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

const World& CachedWorld(std::size_t n, bool polygons) {
  static std::map<std::pair<std::size_t, bool>, World> worlds;
  auto [it, is_new] = worlds.try_emplace({n, polygons});
  if (is_new) it->second = MakeWorld(n, polygons);
  return it->second;
}

enum Way { kRandom, kCar, kWalk };
constexpr const char* kWayNames[] = {"random", "car", "walk"};

const std::vector<LatLon>& CachedQueries(std::size_t n, bool polygons, Way way) {
  static std::map<std::tuple<std::size_t, bool, int>, std::vector<LatLon>> queries;
  auto [it, is_new] = queries.try_emplace({n, polygons, way});
  if (is_new) {
    const World& w = CachedWorld(n, polygons);
    it->second =
        way == kRandom ? RandomQueries(w, kQueries) : PathQueries(w, kQueries, way == kWalk);
  }
  return it->second;
}

std::vector<Geofence> Fences(const World& w) {
  std::vector<Geofence> fences;
  const std::size_t n = std::max(w.circles.size(), w.polygons.size());
  fences.reserve(n);
  for (std::size_t i = 0; i < n; ++i) {
    Geofence f;
    f.id = std::to_string(i);
    if (w.polygons.empty()) {
      f.shape = Circle{w.circles[i].centre, w.circles[i].radius_m};
    } else {
      f.shape = Polygon{w.polygons[i], {}};
    }
    fences.push_back(std::move(f));
  }
  return fences;
}

/// A definition table and its index, without the engine's states.
struct Indexed {
  geofence::FenceTable table;
  geofence::FenceIndexer index;

  explicit Indexed(const World& w) {
    std::string reason;
    std::vector<geofence::FenceIndex> all;
    for (const Geofence& f : Fences(w)) {
      const auto added = table.Put(f, true, reason, [](geofence::FenceIndex) {});
      if (added) all.push_back(added->index);
    }
    index.InsertMany(table, all);
  }
};

RunQueries WaymarkQueries(const World& w) {
  auto indexed = std::make_shared<Indexed>(w);
  return [indexed](const std::vector<LatLon>& queries, Tally& tally) {
    for (const LatLon& q : queries) {
      indexed->index.ForContaining(indexed->table, q,
                                   [&](geofence::FenceIndex i) { tally.Hit(i); });
    }
  };
}

// As a host that follows a device asks: what did not change is not looked up again.
RunQueries WaymarkFollower(const World& w) {
  auto indexed = std::make_shared<Indexed>(w);
  return [indexed](const std::vector<LatLon>& queries, Tally& tally) {
    geofence::FenceFollower follower;
    for (const LatLon& q : queries) {
      follower.ForContaining(indexed->index, indexed->table, q,
                             [&](geofence::FenceIndex i) { tally.Hit(i); });
    }
  };
}

Estimate EstimateOf(LatLon p, std::size_t second, double sigma_m) {
  Estimate e;
  e.time = MonoTime(std::chrono::seconds(second));
  e.position = p;
  e.cov_ee_m2 = e.cov_nn_m2 = sigma_m * sigma_m;
  return e;
}

RunQueries WaymarkUpdates(const World& w) {
  auto engine = std::make_shared<GeofenceEngine>();
  std::vector<FenceProblem> problems;
  engine->Add(Fences(w), problems);
  auto second = std::make_shared<std::size_t>(0);
  return [=](const std::vector<LatLon>& queries, Tally& tally) {
    std::vector<FenceEvent> events;
    for (const LatLon& q : queries) {
      // A host takes the events of each update before the next.
      engine->Update(EstimateOf(q, ++*second, 4), events);
      for (const FenceEvent& e : events) tally.Hit(e.transition == FenceTransition::kEnter);
      events.clear();
    }
    *second += 3600;
  };
}

std::uint64_t total_queries = 0;

/// The only place whose instructions geofence_instructions.sh counts.
__attribute__((noinline)) void TimedRegion(const RunQueries& run, const std::vector<LatLon>& q,
                                           Tally& tally) {
  run(q, tally);
  benchmark::ClobberMemory();
}

void Measure(benchmark::State& state, const std::string& key,
             const std::function<RunQueries(const World&)>& build, std::size_t n, bool polygons,
             Way way) {
  static std::map<std::string, RunQueries> built;
  const World& world = CachedWorld(n, polygons);
  const auto& queries = CachedQueries(n, polygons, way);
  auto [it, is_new] = built.try_emplace(key);
  if (is_new) it->second = build(world);
  Tally tally;
  for (auto _ : state) {
    tally = {};
    TimedRegion(it->second, queries, tally);
    total_queries += queries.size();
  }
  state.counters["ns"] = benchmark::Counter(
      static_cast<double>(kQueries) / 1e9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  state.counters["hits"] = static_cast<double>(tally.hits);
}

void MeasureBuild(benchmark::State& state, const std::function<RunQueries(const World&)>& build) {
  const World& world = CachedWorld(1'000'000, false);
  for (auto _ : state) {
    const RunQueries run = build(world);
    state.PauseTiming();
    benchmark::DoNotOptimize(run);
    state.ResumeTiming();
  }
}

// The whole engine: ids, definitions, index and flags, from fences in memory.
void BuildEngine(benchmark::State& state) {
  const auto fences = Fences(CachedWorld(1'000'000, false));
  double bytes = 0;
  for (auto _ : state) {
    const std::size_t before = HeapBytes();
    GeofenceEngine engine;
    std::vector<FenceProblem> problems;
    engine.Add(fences, problems);
    state.PauseTiming();
    std::vector<FenceEvent> events;
    engine.Update(EstimateOf({0, 0}, 1, 4), events);
    bytes = static_cast<double>(HeapBytes() - before) / static_cast<double>(engine.size());
    state.ResumeTiming();
  }
  state.counters["bytes_per_fence"] = bytes;
}

// The index alone, from definitions that are there: what an R-tree's packing is.
void BuildIndex(benchmark::State& state) {
  const World& world = CachedWorld(1'000'000, false);
  Indexed indexed(world);
  std::vector<geofence::FenceIndex> all(world.circles.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<geofence::FenceIndex>(i);
  double bytes = 0;
  for (auto _ : state) {
    geofence::FenceIndexer index;
    index.InsertMany(indexed.table, all);
    bytes = static_cast<double>(index.memory_bytes()) / static_cast<double>(all.size());
  }
  state.counters["bytes_per_fence"] = bytes;
}

void RestoreMillion(benchmark::State& state) {
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  engine.Add(Fences(CachedWorld(1'000'000, false)), problems);
  std::vector<std::byte> image;
  engine.SaveFences(image);
  for (auto _ : state) {
    GeofenceEngine again;
    if (!again.RestoreFences(image).ok()) state.SkipWithError("not restored");
  }
  state.counters["image_bytes_per_fence"] = static_cast<double>(image.size()) / 1e6;
}

void Register() {
  std::vector<Peer> peers{{"waymark", WaymarkQueries, WaymarkQueries},
                          {"waymark_follow", WaymarkFollower, WaymarkFollower},
                          {"waymark_update", WaymarkUpdates, WaymarkUpdates}};
#ifdef WAYMARK_BENCH_BOOST_GEOMETRY
  peers.push_back(BoostPeer());
#else
  std::printf("Boost.Geometry was not there at build time: its rows are left out\n");
#endif
#ifdef WAYMARK_BENCH_GEOS
  peers.push_back(GeosPeer());
#else
  std::printf("GEOS was not there at build time: its rows are left out\n");
#endif
#ifdef WAYMARK_BENCH_S2
  peers.push_back(S2Peer());
#else
  std::printf("S2 was not there at build time: its rows are left out\n");
#endif
  struct Case {
    const char* name;
    std::size_t n;
    bool polygons;
  };
  for (const Case& c : {Case{"circles_10k", 10'000, false}, Case{"circles_1M", 1'000'000, false},
                        Case{"polygons_10k", 10'000, true}}) {
    for (const Way way : {kRandom, kCar, kWalk}) {
      for (const Peer& peer : peers) {
        const auto& build = c.polygons ? peer.polygons : peer.circles;
        if (!build || (way == kRandom && peer.name.starts_with("waymark_"))) continue;
        const std::string key = std::string(c.name) + "/" + peer.name;
        const std::string name = std::string(c.name) + "/" + kWayNames[way] + "/" + peer.name;
        benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
          Measure(state, key, build, c.n, c.polygons, way);
        })->Unit(benchmark::kMillisecond);
      }
    }
  }
  for (const Peer& peer : peers) {
    if (peer.name != "boost_rtree" && peer.name != "geos_strtree") continue;
    benchmark::RegisterBenchmark(("build_1M/" + peer.name).c_str(), [=](benchmark::State& state) {
      MeasureBuild(state, peer.circles);
    })->Unit(benchmark::kMillisecond);
  }
  benchmark::RegisterBenchmark("build_1M/waymark_index", BuildIndex)->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("build_1M/waymark_engine", BuildEngine)
      ->Unit(benchmark::kMillisecond);
  benchmark::RegisterBenchmark("restore_1M/waymark", RestoreMillion)->Unit(benchmark::kMillisecond);
}

}  // namespace
}  // namespace waymark::bench

int main(int argc, char** argv) {
  waymark::bench::Register();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  std::fprintf(stderr, "queries %llu\n",
               static_cast<unsigned long long>(waymark::bench::total_queries));
}
