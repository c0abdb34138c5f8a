#include "filters/fix_fingerprint.h"

#include <bit>

namespace waymark {
namespace {

// Distinct reports differ in at least one bit of one field; 64 mixed bits tell them apart: a sum of
// the fields, each times an odd number of its own (multilinear hashing, Lemire & Kaser 2014).
class Mixer {
 public:
  void Add(std::uint64_t v) {
    factor_ = factor_ * 0xD1342543DE82EF95u + 2;  // stays odd
    sum_ += v * factor_;
  }
  void Add(double v) { Add(std::bit_cast<std::uint64_t>(v)); }
  void Add(const std::optional<double>& v) {
    present_ = present_ * 2 + v.has_value();
    Add(v.value_or(0));
  }
  std::uint64_t hash() {
    Add(present_);
    return sum_;
  }

 private:
  std::uint64_t sum_ = 0, present_ = 0;
  std::uint64_t factor_ = 0x57415953'4d41524bu;  // known to the compiler, as all that follow
};

}  // namespace

std::uint64_t Fingerprint(const Fix& fix) {
  Mixer m;
  m.Add(static_cast<std::uint64_t>(fix.time.time_since_epoch().count()));
  const UtcTime utc = fix.utc.value_or(UtcTime{});
  m.Add(static_cast<std::uint64_t>(utc.time_since_epoch().count()));
  m.Add(fix.position.lat_deg);
  m.Add(fix.position.lon_deg);
  m.Add(fix.horizontal_accuracy_m);
  m.Add(fix.altitude_m);
  m.Add(fix.vertical_accuracy_m);
  m.Add(fix.speed_mps);
  m.Add(fix.speed_accuracy_mps);
  m.Add(fix.course_deg);
  m.Add(fix.course_accuracy_deg);
  m.Add(static_cast<std::uint64_t>(fix.source) * 4 + (fix.utc.has_value() ? 2 : 0) +
        (fix.simulated ? 1 : 0));
  return m.hash();
}

}  // namespace waymark
