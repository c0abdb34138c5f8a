// A scripted device for the tests of motion: feeds detector and odometer as the core does.
#ifndef WAYMARK_TESTS_UNIT_FILTERS_MOTION_WORLD_H_
#define WAYMARK_TESTS_UNIT_FILTERS_MOTION_WORLD_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

#include "filters/motion_detector.h"
#include "filters/odometer.h"
#include "waymark/geometry.h"

namespace waymark {

constexpr LatLon kHere{52.5, 13.4};
constexpr std::int64_t kUtcMs = 1'700'000'000'000;

// Walks a device through a script and feeds detector and odometer as the core does, with exact
// estimates unless `noise_m` is set.
class World {
 public:
  explicit World(MotionOptions options = {}) : detector(options) {}

  void Step(double ve_mps, double vn_mps, int n = 1, double dt_s = 1) {
    for (int i = 0; i < n; ++i) {
      t_s += dt_s;
      east_m += ve_mps * dt_s;
      north_m += vn_mps * dt_s;
      Feed(ve_mps, vn_mps);
    }
  }
  void Rest(int n, double dt_s = 1) { Step(0, 0, n, dt_s); }

  void Feed(double ve_mps, double vn_mps) {
    Estimate e;
    e.time = MonoTime(FromSeconds(t_s));
    e.utc = UtcTime(std::chrono::milliseconds(kUtcMs + static_cast<std::int64_t>(t_s * 1000)));
    e.position = LocalFrame(kHere).FromLocal({east_m + Noise(), north_m + Noise()});
    e.velocity_east_mps = ve_mps;
    e.velocity_north_mps = vn_mps;
    e.speed_sigma_mps = 0.2;
    e.r68_m = std::max(2.0, 1.5 * noise_m);
    Fix f;
    f.time = e.time;
    f.position = e.position;
    f.horizontal_accuracy_m = e.r68_m;
    if (reports_speed) {
      f.speed_mps = std::hypot(ve_mps, vn_mps);
      const double course = std::atan2(ve_mps, vn_mps) * 180 / std::numbers::pi;
      f.course_deg = course < 0 ? course + 360 : course;
    }
    detector.Update(e, f, Verdict{}, odometer.total(), events);
    odometer.Update(e, detector.motion(), &f, detector.way());
    ways.push_back(detector.way());
    if (restarts) Restart();
  }

  // The process dies and comes back.
  void Restart() {
    std::vector<std::byte> detector_image, odometer_image;
    detector.Save(detector_image);
    odometer.Save(odometer_image);
    detector = MotionDetector();
    odometer = Odometer();
    EXPECT_TRUE(detector.Restore(detector_image).ok());
    EXPECT_TRUE(odometer.Restore(odometer_image).ok());
  }

  double Noise() {
    if (noise_m == 0) return 0;
    double sum = 0;  // near enough to a normal one
    for (int i = 0; i < 6; ++i) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      sum += static_cast<double>(static_cast<std::int64_t>(state_)) * 0x1p-63;
    }
    return noise_m * sum / std::sqrt(2.0);
  }

  std::vector<MotionEvent::Kind> Kinds() const {
    std::vector<MotionEvent::Kind> out;
    for (const MotionEvent& e : events) out.push_back(e.kind);
    return out;
  }
  const MotionEvent* Last(MotionEvent::Kind kind) const {
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      if (it->kind == kind) return &*it;
    }
    return nullptr;
  }

  MotionDetector detector;
  Odometer odometer;
  std::vector<MotionEvent> events;
  std::vector<Way> ways;  ///< after each fix
  double t_s = 1000, east_m = 0, north_m = 0, noise_m = 0;
  bool reports_speed = true;
  bool restarts = false;  ///< after each fix

 private:
  std::uint64_t state_ = 42;
};

inline double At(MonoTime t) { return Seconds(t.time_since_epoch()); }

}  // namespace waymark

#endif  // WAYMARK_TESTS_UNIT_FILTERS_MOTION_WORLD_H_
