// The GPX reader against a bare expat parse of the same bytes in the same run.
#include <benchmark/benchmark.h>
#include <expat.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "replay_tool/trace_reader.h"
#include "replay_tool/track_writer.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kPieceBytes = 1 << 16;

// 100,000 points as a phone logger writes them, 24 MB.
const std::string& Document() {
  static const std::string text = [] {
    std::string t = "<?xml version=\"1.0\"?>\n<gpx version=\"1.1\"><trk><trkseg>\n";
    for (int i = 0; i < 100'000; ++i) {
      t += fmt::format(
          "<trkpt lat=\"{:.7f}\" lon=\"{:.7f}\">\n  <ele>{:.1f}</ele>\n  <time>{}</time>\n"
          "  <hdop>1.2</hdop>\n  <extensions><gpxtpx:TrackPointExtension>"
          "<gpxtpx:speed>{:.2f}</gpxtpx:speed></gpxtpx:TrackPointExtension></extensions>\n</"
          "trkpt>\n",
          48 + i * 1e-5, 11 + i * 1.3e-5, 500. + i % 100,
          IsoTime(UtcTime(std::chrono::seconds(1'600'000'000 + i))), i % 30 * 0.7);
    }
    return t + "</trkseg></trk></gpx>\n";
  }();
  return text;
}

template <class Feed>
void InPieces(std::string_view text, Feed feed) {
  while (!text.empty()) {
    feed(text.substr(0, kPieceBytes));
    text.remove_prefix(std::min(kPieceBytes, text.size()));
  }
}

void SetRate(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(Document().size()));
}

void BM_GpxReader(benchmark::State& state) {
  const std::string& document = Document();  // made before the clock runs
  std::uint64_t points = 0;
  for (auto _ : state) {
    const auto parser = MakeTraceParser(TraceFormat::kGpx, {}, [&points](const TraceFix& read) {
      benchmark::DoNotOptimize(read.fix.position.lat_deg);
      ++points;
      return true;
    });
    InPieces(document, [&](std::string_view piece) { (void)parser->Feed(piece).ok(); });
    if (!parser->Finish(false).ok()) state.SkipWithError("not read");
  }
  SetRate(state);
  state.counters["points/s"] =
      benchmark::Counter(static_cast<double>(points), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_GpxReader)->Unit(benchmark::kMillisecond);

void BM_BareExpat(benchmark::State& state) {
  const std::string& document = Document();
  for (auto _ : state) {
    XML_Parser parser = XML_ParserCreate(nullptr);
    std::uint64_t elements = 0;
    XML_SetUserData(parser, &elements);
    XML_SetElementHandler(
        parser,
        [](void* user, const XML_Char*, const XML_Char**) { ++*static_cast<std::uint64_t*>(user); },
        [](void*, const XML_Char*) {});
    XML_SetCharacterDataHandler(parser, [](void*, const XML_Char*, int) {});
    InPieces(document, [&](std::string_view piece) {
      XML_Parse(parser, piece.data(), static_cast<int>(piece.size()), 0);
    });
    benchmark::DoNotOptimize(elements);
    XML_ParserFree(parser);
  }
  SetRate(state);
}
BENCHMARK(BM_BareExpat)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace waymark::replay

BENCHMARK_MAIN();
