// Seeded pseudo-random numbers whose every bit is the same on every machine: the standard library
// fixes its engines but not its distributions.
#ifndef WAYMARK_REPLAY_TOOL_RANDOM_H_
#define WAYMARK_REPLAY_TOOL_RANDOM_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace waymark::replay {

/// xoshiro256** 1.0 (Blackman and Vigna 2018, doi:10.1145/3460772), seeded by splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  /// An independent stream for one purpose, so that a new purpose does not shift the others.
  Random(std::uint64_t seed, std::string_view purpose);

  std::uint64_t Next();
  /// Uniform in [0, 1), 53 bits.
  double Uniform();
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  /// An index in [0, n); n > 0.
  std::uint64_t Index(std::uint64_t n);
  /// Standard normal (Marsaglia's polar method).
  double Normal();
  /// Exponential with the given mean.
  double Exponential(double mean);
  bool Chance(double probability) { return Uniform() < probability; }

 private:
  std::array<std::uint64_t, 4> state_{};
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_RANDOM_H_
