#include "replay_tool/random.h"

#include <cmath>

#include "replay_tool/portable_math.h"

namespace waymark::replay {
namespace {

std::uint64_t SplitMix(std::uint64_t& x) {
  x += 0x9e3779b97f4a7c15U;
  std::uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

constexpr std::uint64_t RotateLeft(std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// FNV-1a, 64 bit.
std::uint64_t Hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325U;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return h;
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& s : state_) s = SplitMix(seed);
}

Random::Random(std::uint64_t seed, std::string_view purpose) : Random(seed ^ Hash(purpose)) {}

std::uint64_t Random::Next() {
  const std::uint64_t result = RotateLeft(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = RotateLeft(state_[3], 45);
  return result;
}

double Random::Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

// The bias of the product method is below n / 2^53: far below what any sample here could show.
std::uint64_t Random::Index(std::uint64_t n) {
  const auto i = static_cast<std::uint64_t>(Uniform() * static_cast<double>(n));
  return i < n ? i : n - 1;
}

double Random::Normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  double u = 0, v = 0, s = 0;
  do {
    u = Uniform(-1, 1);
    v = Uniform(-1, 1);
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  const double k = std::sqrt(-2 * PortableLog(s) / s);
  spare_ = v * k;
  has_spare_ = true;
  return u * k;
}

double Random::Exponential(double mean) { return -mean * PortableLog(1 - Uniform()); }

}  // namespace waymark::replay
