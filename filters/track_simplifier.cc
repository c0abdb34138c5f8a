// Model: an opening window (Keogh et al. 2001; Meratnia & de By 2004 for the distance at equal
// time) over velocity-aware curves. From the last knot K the curve to an estimate E is
//   H(s) = h00 K + h10 T v_K + h01 E + h11 T v_E,  s = (t - t_K)/T,
// and E may be the next knot if |H(t_i) - p_i| is within the bound for every estimate in between.
// Unlike a chord's, a curve's reach is not monotone: in a turn it fails and beyond the turn it fits
// again. So the window stays open for some estimates after the last E that fitted.
#include "filters/track_simplifier.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr std::uint32_t kStateTag = 0x53494D50;  // "SIMP"
constexpr std::uint16_t kStateVersion = 2;

// Estimates closer in time than this leave no room for the curve to leave the bound between them
// by more than a percent of it (track_ablation simplifier, column dense).
constexpr double kDenseS = 1.5;

bool Usable(const Estimate& e) {
  return std::isfinite(e.position.lat_deg) && std::isfinite(e.position.lon_deg) &&
         std::isfinite(e.velocity_east_mps) && std::isfinite(e.velocity_north_mps) &&
         std::abs(e.position.lat_deg) <= 90 && e.position.lon_deg >= -180 &&
         e.position.lon_deg < 180;
}

void WriteEstimate(const Estimate& e, StateWriter& w) {
  w.Time(e.time);
  w.OptUtc(e.utc);
  w.Position(e.position);
  for (const double v :
       {e.cov_ee_m2, e.cov_en_m2, e.cov_nn_m2, e.r68_m, e.r95_m, e.velocity_east_mps,
        e.velocity_north_mps, e.speed_sigma_mps, e.p_stopped, e.p_slow, e.p_fast}) {
    w.F64(std::isfinite(v) ? v : 0);
  }
  w.OptF64(e.altitude_m);
  w.OptF64(e.altitude_sigma_m);
  w.U8(static_cast<std::uint8_t>(e.motion));
  w.Bool(e.coasting);
}

Estimate ReadEstimate(StateReader& r) {
  Estimate e;
  e.time = r.Time();
  e.utc = r.OptUtc();
  e.position = r.Position();
  for (double* v :
       {&e.cov_ee_m2, &e.cov_en_m2, &e.cov_nn_m2, &e.r68_m, &e.r95_m, &e.velocity_east_mps,
        &e.velocity_north_mps, &e.speed_sigma_mps, &e.p_stopped, &e.p_slow, &e.p_fast}) {
    *v = r.F64();
  }
  e.altitude_m = r.OptF64();
  e.altitude_sigma_m = r.OptF64();
  e.motion = r.Enum<Motion>(3);
  e.coasting = r.Bool();
  return e;
}

double TurnDeg(double a_deg, double b_deg) {
  const double d = std::fmod(std::abs(a_deg - b_deg), 360.0);
  return d > 180 ? 360 - d : d;
}

}  // namespace

TrackSimplifier::Point TrackSimplifier::ToPoint(const Estimate& e) const {
  const EastNorth at = frame_.ToLocal(e.position);
  const double far_m = std::hypot(at.east_m, at.north_m);
  const double bound_m = far_m < options_.min_distance_m
                             ? std::max(*options_.max_error_m, options_.min_distance_m)
                             : *options_.max_error_m;
  return {Seconds(e.time - knot_->time), at.east_m, at.north_m, e.velocity_east_mps,
          e.velocity_north_mps,          bound_m};
}

void TrackSimplifier::Begin(const Estimate& knot) {
  knot_ = knot;
  frame_ = LocalFrame(knot.position);
  count_ = candidate_ = tail_count_ = wait_ = skipped_ = 0;
}

// The curve from the last knot to window_[end] passes all the estimates before it, and the curves
// between them where they are far apart in time.
bool TrackSimplifier::Reaches(std::size_t end) const {
  const Point& to = window_[end];
  const double inverse_s = 1 / to.t_s;
  // As a polynomial in s: ((a s + b) s + c) s.
  const double ce = knot_->velocity_east_mps * to.t_s, cn = knot_->velocity_north_mps * to.t_s;
  const double ve = to.ve_mps * to.t_s, vn = to.vn_mps * to.t_s;
  const double be = 3 * to.east_m - 2 * ce - ve, bn = 3 * to.north_m - 2 * cn - vn;
  const double ae = ce + ve - 2 * to.east_m, an = cn + vn - 2 * to.north_m;
  const auto off = [&](const Point& p) {
    const double s = p.t_s * inverse_s;
    return EastNorth{((ae * s + be) * s + ce) * s - p.east_m,
                     ((an * s + bn) * s + cn) * s - p.north_m};
  };
  const auto off_mps = [&](const Point& p) {
    const double s = p.t_s * inverse_s;
    return EastNorth{((3 * ae * s + 2 * be) * s + ce) * inverse_s - p.ve_mps,
                     ((3 * an * s + 2 * bn) * s + cn) * inverse_s - p.vn_mps};
  };
  // Between two estimates both curves are cubics, so their difference is one too: the Hermite curve
  // of the differences at its ends.
  const auto between = [&](const Point& p, const Point& q) {
    const double dt = q.t_s - p.t_s, bound_m = std::max(p.bound_m, q.bound_m);
    const EastNorth d0 = off(p), d1 = off(q), w0 = off_mps(p), w1 = off_mps(q);
    for (const double s : {0.25, 0.5, 0.75}) {
      const double h01 = s * s * (3 - 2 * s), h10 = s * (1 - s) * (1 - s) * dt;
      const double h11 = s * s * (s - 1) * dt;
      const double e = (1 - h01) * d0.east_m + h01 * d1.east_m + h10 * w0.east_m + h11 * w1.east_m;
      const double n =
          (1 - h01) * d0.north_m + h01 * d1.north_m + h10 * w0.north_m + h11 * w1.north_m;
      if (!(e * e + n * n <= bound_m * bound_m)) return false;
    }
    return true;
  };
  Point knot;
  knot.ve_mps = knot_->velocity_east_mps;
  knot.vn_mps = knot_->velocity_north_mps;
  knot.bound_m = window_[0].bound_m;
  // A curve that fails does so soonest near its end, where the new estimate changed it most.
  for (std::size_t i = end; i-- > 0;) {
    const Point& p = window_[i];
    const EastNorth d = off(p);
    if (!(d.east_m * d.east_m + d.north_m * d.north_m <= p.bound_m * p.bound_m)) return false;
    if (window_[i + 1].t_s - p.t_s > kDenseS && !between(p, window_[i + 1])) return false;
  }
  return end == 0 || window_[0].t_s <= kDenseS || between(knot, window_[0]);
}

void TrackSimplifier::Add(const Estimate& e) {
  window_[count_++] = ToPoint(e);
  tail_[tail_count_++] = e;
  // In a long window not every estimate is tried as an end: a sixteenth of the window is skipped
  // between trials, which bounds the work per estimate by 16 points. All are checked as inside.
  // Where a trial fails, those skipped before it are tried too, once.
  if (wait_ > 0 && tail_count_ <= kPatience) {
    --wait_;
    ++skipped_;
    return;
  }
  const std::uint32_t skipped = std::exchange(skipped_, 0);
  for (std::uint32_t back = 0; back <= skipped; ++back) {
    if (!Reaches(count_ - 1 - back)) continue;
    Accept(back);
    return;
  }
}

// The estimate `back` before the newest becomes the candidate.
void TrackSimplifier::Accept(std::uint32_t back) {
  candidate_ = count_ - 1 - back;
  std::copy(tail_.begin() + (tail_count_ - 1 - back), tail_.begin() + tail_count_, tail_.begin());
  tail_count_ = back + 1;
  // After a failure the reach ends: from here on each is tried.
  wait_ = back > 0 ? 0 : std::min<std::uint32_t>(count_ / 16, kPatience - 1);
}

void TrackSimplifier::EmitCandidate(std::vector<Estimate>& knots) {
  // What stood behind the candidate is begun again from it.
  const std::array<Estimate, kPatience + 1> tail = tail_;
  const std::uint32_t count = tail_count_;
  knots.push_back(tail[0]);
  Begin(tail[0]);
  for (std::uint32_t i = 1; i < count; ++i) {
    Add(tail[i]);
    if (FallsDue(tail[i])) CloseAtNewest(knots);  // near the knot before, far from this one
  }
}

void TrackSimplifier::CloseAtNewest(std::vector<Estimate>& knots) {
  while (count_ > 0) {
    // The newest may not have been tried yet.
    for (std::uint32_t back = 0; back + 1 < tail_count_ && back <= skipped_; ++back) {
      if (!Reaches(count_ - 1 - back)) continue;
      Accept(back);
      break;
    }
    EmitCandidate(knots);
  }
}

// Whether a limit other than the curve bound asks for a knot at `e`.
bool TrackSimplifier::FallsDue(const Estimate& e) const {
  if (options_.max_interval && e.time - knot_->time >= *options_.max_interval) return true;
  if (!options_.max_distance_m && !options_.max_turn_deg && options_.max_error_m) return false;
  const EastNorth at = frame_.ToLocal(e.position);
  const double far_m = std::hypot(at.east_m, at.north_m);
  if (far_m < options_.min_distance_m) return false;
  if (options_.max_distance_m && far_m >= *options_.max_distance_m) return true;
  if (options_.max_turn_deg) {
    const std::optional<double> from = knot_->course_deg(), to = e.course_deg();
    if (from && to && TurnDeg(*from, *to) >= *options_.max_turn_deg) return true;
  }
  return !options_.max_error_m && !options_.max_distance_m && !options_.max_turn_deg &&
         !options_.max_interval;
}

void TrackSimplifier::Push(const Estimate& e, std::vector<Estimate>& knots) {
  if (!Usable(e)) return;
  if (!knot_) {
    knots.push_back(e);
    Begin(e);
    return;
  }
  const MonoTime newest = count_ > 0 ? tail_[tail_count_ - 1].time : knot_->time;
  if (e.time <= newest) return;
  if (e.time - newest > options_.max_gap) {
    CloseAtNewest(knots);
    knots.push_back(e);
    Begin(e);
    return;
  }
  if (!options_.max_error_m) {
    // Only the newest is held, for Flush.
    const bool due = FallsDue(e);
    tail_[0] = e;
    tail_count_ = count_ = 1;
    candidate_ = 0;
    if (!due) return;
    knots.push_back(e);
    Begin(e);
    return;
  }
  if (count_ == kWindow || tail_count_ > kPatience) EmitCandidate(knots);
  Add(e);
  if (FallsDue(e)) CloseAtNewest(knots);
}

void TrackSimplifier::Anchor(const Estimate& settled, std::vector<Estimate>& knots) {
  Push(settled, knots);
  CloseAtNewest(knots);
}

void TrackSimplifier::Flush(std::vector<Estimate>& knots) {
  CloseAtNewest(knots);
  knot_.reset();
}

void TrackSimplifier::Save(std::vector<std::byte>& out) const {
  StateWriter w(out);
  const std::size_t mark = w.BeginBlock(kStateTag, kStateVersion);
  w.Bool(knot_.has_value());
  if (knot_) WriteEstimate(*knot_, w);
  w.U32(count_);
  w.U32(candidate_);
  w.U32(wait_);
  w.U32(skipped_);
  w.U32(tail_count_);
  for (std::uint32_t i = 0; i < count_; ++i) {
    const Point& p = window_[i];
    w.F64s({p.t_s, p.east_m, p.north_m, p.ve_mps, p.vn_mps, p.bound_m});
  }
  for (std::uint32_t i = 0; i < tail_count_; ++i) WriteEstimate(tail_[i], w);
  w.EndBlock(mark);
}

Status TrackSimplifier::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  StateReader r(outer.Block(kStateTag, kStateVersion));
  TrackSimplifier s(options_);
  if (r.Bool()) s.knot_ = ReadEstimate(r);
  s.count_ = r.Count(kWindow);
  s.candidate_ = r.Count(kWindow);
  s.wait_ = r.Count(kPatience);
  s.skipped_ = r.Count(kPatience);
  s.tail_count_ = r.Count(kPatience + 1);
  for (std::uint32_t i = 0; i < s.count_; ++i) {
    Point& p = s.window_[i];
    for (double* v : {&p.t_s, &p.east_m, &p.north_m, &p.ve_mps, &p.vn_mps, &p.bound_m}) {
      *v = r.F64();
    }
  }
  for (std::uint32_t i = 0; i < s.tail_count_; ++i) s.tail_[i] = ReadEstimate(r);
  const bool consistent = s.count_ == 0 ? s.tail_count_ == 0 && s.candidate_ == 0
                                        : s.knot_.has_value() && s.tail_count_ >= 1 &&
                                              s.candidate_ + s.tail_count_ == s.count_ &&
                                              s.skipped_ < s.tail_count_;
  if (!outer.done() || !r.done() || !consistent) return CorruptState("track simplifier");
  if (s.knot_) s.frame_ = LocalFrame(s.knot_->position);
  *this = s;
  return {};
}

}  // namespace waymark
