// SplitMix64 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195): one 64-bit word of state, the
// same numbers on every platform. For jitter, not for secrets.
#ifndef WAYMARK_SDK_SYNC_SPLIT_MIX_H_
#define WAYMARK_SDK_SYNC_SPLIT_MIX_H_

#include <cstdint>

namespace waymark::sync {

constexpr std::uint64_t NextSplitMix(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace waymark::sync

#endif  // WAYMARK_SDK_SYNC_SPLIT_MIX_H_
