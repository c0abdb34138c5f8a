// Any bytes as a sequence of events: the core takes them all, keeps covariances sane and record
// numbers increasing.
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
  std::uint64_t last_seq = 0;
  auto bytes = std::as_bytes(std::span(data, size));
  while (bytes.size() > 1) {
    const std::size_t n = static_cast<std::size_t>(bytes[0]);
    bytes = bytes.subspan(1);
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
        for (const StoredRecord& r : commit->write.append) {
          if (r.seq <= last_seq) std::abort();
          last_seq = r.seq;
        }
        last_seq = 0;  // a failed commit may come again
      }
    }
  }
  return 0;
}
