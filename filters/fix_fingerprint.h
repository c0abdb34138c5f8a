// Tells fixes apart that have been seen from those that have not.
#ifndef WAYMARK_FILTERS_FIX_FINGERPRINT_H_
#define WAYMARK_FILTERS_FIX_FINGERPRINT_H_

#include <cstdint>

#include "waymark/fix.h"

namespace waymark {

/// A hash of every field as it was delivered; equal fixes have equal ones. Not for adversaries.
std::uint64_t Fingerprint(const Fix& fix);

}  // namespace waymark

#endif  // WAYMARK_FILTERS_FIX_FINGERPRINT_H_
