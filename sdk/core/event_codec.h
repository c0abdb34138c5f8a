// Events to bytes and back, and actions to bytes for comparison. The journal's payloads.
#ifndef WAYMARK_SDK_CORE_EVENT_CODEC_H_
#define WAYMARK_SDK_CORE_EVENT_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sdk/core/action.h"
#include "sdk/core/event.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark {

/// Appends stamp and event. Numbers keep all their bits, also those that are not finite.
void EncodeEvent(const Event& event, const Stamp& stamp, std::vector<std::byte>& out);

struct StampedEvent {
  Stamp stamp;
  Event event;
};
/// kCorruption: not what EncodeEvent wrote. Any bytes are safe.
Result<StampedEvent> DecodeEvent(std::span<const std::byte> bytes);

/// Appends every bit of an action but secrets (the Authorization header).
void EncodeAction(const Action& action, std::vector<std::byte>& out);

/// FNV-1a, 64 bits, continued from `hash`.
std::uint64_t Digest(std::span<const std::byte> bytes, std::uint64_t hash = 1469598103934665603u);

/// One line for people, quantised; no secrets. With coordinates: meant for the journal's owner.
std::string EventText(const Event& event, const Stamp& stamp);
std::string ActionText(const Action& action);

}  // namespace waymark

#endif  // WAYMARK_SDK_CORE_EVENT_CODEC_H_
