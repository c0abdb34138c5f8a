// Altitude by itself: x = [h, climb], white climb acceleration; a gate of its own, so that a wild
// altitude neither enters nor costs the horizontal fix its place.
//   F = [1 dt; 0 1], Q = q [dt^3/3, dt^2/2; dt^2/2, dt], H = [1 0].
#ifndef WAYMARK_FILTERS_ALTITUDE_FILTER_H_
#define WAYMARK_FILTERS_ALTITUDE_FILTER_H_

#include <algorithm>
#include <cmath>

#include "filters/state_bytes.h"
#include "waymark/time.h"

namespace waymark {

class AltitudeFilter {
 public:
  bool started() const { return started_; }

  void Update(MonoTime time, double altitude_m, double sigma_m) {
    const double r = std::clamp(sigma_m, 1.0, 200.0) * std::clamp(sigma_m, 1.0, 200.0);
    const double dt_s = started_ ? Seconds(time - time_) : 0;
    if (!started_ || dt_s > kRestartS) return Restart(time, altitude_m, r);
    if (dt_s < 0) return;
    Predict(dt_s);
    time_ = time;
    const double s = hh_ + r, y = altitude_m - h_;
    if (y * y > kGate * s) {
      // As many rejects in a row as this are a new truth, not outliers.
      if (++rejected_ >= kMaxRejected) Restart(time, altitude_m, r);
      return;
    }
    rejected_ = 0;
    const double inv = 1 / s, kh = hh_ * inv, kc = hc_ * inv;
    h_ += kh * y;
    climb_ += kc * y;
    cc_ = std::max(cc_ - kc * hc_, 1e-9);
    hc_ -= kh * hc_;
    hh_ = std::max(hh_ - kh * hh_, 1e-9);
  }

  double AltitudeM(double ahead_s) const { return h_ + climb_ * std::min(ahead_s, kMaxAheadS); }
  double SigmaM(double ahead_s) const {
    AltitudeFilter f = *this;
    f.Predict(ahead_s);
    // Phone altitude errors are coloured like the horizontal ones; 2 m of it never averages out.
    return std::sqrt(f.hh_ + 4.0);
  }
  MonoTime time() const { return time_; }

  void Save(StateWriter& w) const {
    w.Bool(started_);
    w.Time(time_);
    for (double x : {h_, climb_, hh_, hc_, cc_}) w.F64(x);
    w.U32(rejected_);
  }
  void Load(StateReader& r) {
    started_ = r.Bool();
    time_ = r.Time();
    for (double* x : {&h_, &climb_, &hh_, &hc_, &cc_}) *x = r.F64();
    if (hh_ < 0 || cc_ < 0) r.Fail();
    rejected_ = r.U32();
  }

 private:
  // Roads and stairs: 0.1 (m/s^2)^2/Hz lets a 10 % ramp at 15 m/s be followed within seconds.
  static constexpr double kQ = 0.1;
  static constexpr double kGate = 16;  // 4 sigma
  // One more than the longest burst that the field reports, as of positions
  // (FilterTuning::jump_votes).
  static constexpr std::uint32_t kMaxRejected = 7;
  // By then what climbs unseen has opened the altitude to sqrt(kQ t^3 / 3) = 240 m: beyond what any
  // measurement is taken for (200 m).
  static constexpr double kRestartS = 120;
  static constexpr double kMaxAheadS = 10;  // no climb goes on longer unseen

  void Restart(MonoTime time, double altitude_m, double r) {
    started_ = true;
    time_ = time;
    h_ = altitude_m;
    climb_ = 0;
    hh_ = r;
    hc_ = 0;
    cc_ = 4;
    rejected_ = 0;
  }
  void Predict(double dt_s) {
    h_ += climb_ * dt_s;
    hh_ += dt_s * (2 * hc_ + dt_s * cc_) + kQ * dt_s * dt_s * dt_s / 3;
    hc_ += dt_s * cc_ + kQ * dt_s * dt_s / 2;
    cc_ += kQ * dt_s;
  }

  bool started_ = false;
  MonoTime time_{};
  double h_ = 0, climb_ = 0, hh_ = 0, hc_ = 0, cc_ = 0;
  std::uint32_t rejected_ = 0;
};

}  // namespace waymark

#endif  // WAYMARK_FILTERS_ALTITUDE_FILTER_H_
