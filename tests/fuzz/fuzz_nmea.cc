// Any bytes through the nmea reader, in two pieces: no crash, and what it counts is what it gave.
#include <cstdint>
#include <string_view>

#include "replay_tool/trace_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waymark::replay;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ReadOptions options;
  options.routes = true;
  options.assume_interval_s = 1;
  std::uint64_t given = 0;
  const auto parser = MakeTraceParser(TraceFormat::kNmea, options, [&given](const TraceFix& read) {
    ++given;
    return read.fix.utc.has_value() && given < 100'000;
  });
  const std::size_t half = size / 2;
  if (parser->Feed(text.substr(0, half)).ok() && !parser->stopped() &&
      parser->Feed(text.substr(half)).ok() && !parser->stopped()) {
    (void)parser->Finish(false).ok();
  }
  if (parser->info().points != given) __builtin_trap();
  return 0;
}
