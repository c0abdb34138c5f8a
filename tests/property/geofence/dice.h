// Seeded noise for walks past fences.
#ifndef WAYMARK_TESTS_PROPERTY_GEOFENCE_DICE_H_
#define WAYMARK_TESTS_PROPERTY_GEOFENCE_DICE_H_

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace waymark {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  double Uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  double Normal() {
    return std::sqrt(-2 * std::log(1 - Uniform())) * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace waymark

#endif  // WAYMARK_TESTS_PROPERTY_GEOFENCE_DICE_H_
