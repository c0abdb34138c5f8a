// The age rule of Outbox::Enforce, one definition for every implementation.
#ifndef WAYMARK_STORAGE_AGE_CUTOFF_H_
#define WAYMARK_STORAGE_AGE_CUTOFF_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "waymark/outbox.h"

namespace waymark::storage {

/// Records created before this many milliseconds since the epoch are too old. nullopt: none is,
/// because the time is not known or the cutoff lies before the first representable instant.
inline std::optional<std::int64_t> AgeCutoffMs(const OutboxLimits& limits,
                                               std::optional<UtcTime> utc) {
  if (!utc) return std::nullopt;
  const std::int64_t max_age_ms =
      std::chrono::floor<std::chrono::milliseconds>(limits.max_age).count();
  std::int64_t cutoff_ms = 0;
  if (__builtin_sub_overflow(std::int64_t{utc->time_since_epoch().count()}, max_age_ms,
                             &cutoff_ms)) {
    return std::nullopt;
  }
  return cutoff_ms;
}

}  // namespace waymark::storage

#endif  // WAYMARK_STORAGE_AGE_CUTOFF_H_
