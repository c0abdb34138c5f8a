// Any stream of fixes, hints and restored images leaves the estimator total: finite estimates,
// ordered radii, and a saved state that continues to the bit.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

#include "waymark/estimator.h"
#include "waymark/smoother.h"

namespace {

using namespace waymark;  // NOLINT

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  std::uint8_t Byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }
  template <class T>
  T Raw() {
    T v{};
    const std::size_t n = std::min(left_, sizeof v);
    std::memcpy(&v, data_, n);
    data_ += n;
    left_ -= n;
    return v;
  }

 private:
  const std::uint8_t* data_;
  std::size_t left_;
};

void Require(bool ok) {
  if (!ok) std::abort();
}

void Check(const std::optional<Estimate>& e) {
  if (!e) return;
  Require(std::isfinite(e->position.lat_deg) && std::fabs(e->position.lat_deg) <= 90);
  Require(e->position.lon_deg >= -180 && e->position.lon_deg < 180);
  Require(std::isfinite(e->r95_m) && e->r68_m > 0 && e->r95_m > e->r68_m);
  Require(std::isfinite(e->velocity_east_mps) && std::isfinite(e->velocity_north_mps));
}

// Small numbers are plausible values, the rest any bits.
double Number(Input& in, double scale) {
  const std::uint8_t kind = in.Byte();
  return kind < 200 ? scale * static_cast<double>(in.Raw<std::int16_t>()) / 32768
                    : in.Raw<double>();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  auto created = Estimator::Create({});
  Estimator e = std::move(created).value();
  FixedLagSmoother smoother;
  std::vector<Estimate> settled;
  std::vector<DeliveredFix> fixes;
  MonoTime now{std::chrono::hours(1)};
  double lat = 48, lon = 11;
  while (!in.empty()) {
    const std::uint8_t op = in.Byte();
    now += std::chrono::milliseconds(in.Byte() * (op & 1 ? 10 : 100));
    if (op < 16) {
      e.Observe({now, static_cast<Activity>(op % 6), Number(in, 1)});
      continue;
    }
    if (op < 24) {
      std::vector<std::byte> image, again;
      e.Save(image);
      Require(e.Restore(image).ok());
      e.Save(again);
      Require(image == again);
      continue;
    }
    lat += Number(in, 0.001);
    lon += Number(in, 0.001);
    Fix f;
    f.time = op < 40 ? MonoTime(Duration(in.Raw<std::int64_t>())) : now;
    f.position = {lat, lon};
    if (op & 2) f.horizontal_accuracy_m = Number(in, 50);
    if (op & 4) f.speed_mps = Number(in, 40);
    if (op & 8) f.course_deg = Number(in, 360);
    if (op & 16) f.altitude_m = Number(in, 1000);
    if (op & 32) f.speed_accuracy_mps = Number(in, 2);
    f.source = static_cast<FixSource>(op % 4);
    if (!std::isfinite(lat) || !std::isfinite(lon) || std::fabs(lat) > 90 || std::fabs(lon) > 360) {
      lat = 89.9999;
      lon = 179.9999;
    }
    const Stamp arrival{now, UtcTime(std::chrono::milliseconds(1'700'000'000'000))};
    if (e.Update(f, arrival).used()) smoother.Push(e, settled);
    fixes.push_back({f, arrival});
    Check(e.Latest());
    Check(e.Predict(now + std::chrono::seconds(3)));
  }
  smoother.Flush(settled);
  for (const Estimate& s : settled) Check(s);
  const auto track = SmoothedTrack::Create(fixes, {});
  for (const Estimate& k : track.value().knots()) Check(k);
  Check(track.value().At(now - std::chrono::seconds(1)));
  return 0;
}
