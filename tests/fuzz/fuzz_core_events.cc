// Any bytes as a sequence of events (each: u16 little-endian length, event): the core takes them
// all, keeps covariances sane and the record numbers of a commit increasing, and what it saves in
// the end it takes back to the byte.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "sdk/core/core.h"
#include "sdk/core/event_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace waymark;
  Config config;
  config.installation = "fuzz";
  config.upload.url = "https://collector.example/";
  Result<Core> core = Core::Create(config, 1, {});
  if (!core.ok()) std::abort();
  std::vector<Action> actions;
  auto bytes = std::as_bytes(std::span(data, size));
  while (bytes.size() > 2) {
    const std::size_t n = static_cast<std::size_t>(bytes[0]) | static_cast<std::size_t>(bytes[1])
                                                                   << 8;
    bytes = bytes.subspan(2);
    const auto frame = bytes.first(std::min(n, bytes.size()));
    bytes = bytes.subspan(frame.size());
    const Result<StampedEvent> event = DecodeEvent(frame);
    if (!event.ok()) continue;
    actions.clear();
    core.value().Handle(event.value().event, event.value().stamp, actions);
    for (const Action& a : actions) {
      if (const auto* report = std::get_if<FixReport>(&a); report && report->live) {
        const Estimate& e = *report->live;
        if (!std::isfinite(e.cov_ee_m2) || !std::isfinite(e.position.lat_deg) || e.cov_ee_m2 < 0)
          std::abort();
      } else if (const auto* commit = std::get_if<act::Commit>(&a)) {
        std::uint64_t last_seq = 0;  // anew each time: a failed commit may come again
        for (const StoredRecord& r : commit->write.append) {
          if (r.seq <= last_seq) std::abort();
          last_seq = r.seq;
        }
      }
    }
  }
  SavedState saved;
  core.value().Save(saved.core);
  core.value().SaveFences(saved.fences);
  Result<Core> restored = Core::Create(config, 1, saved);
  if (!restored.ok()) std::abort();
  std::vector<std::byte> again;
  restored.value().Save(again);
  if (again != saved.core) std::abort();
  return 0;
}
