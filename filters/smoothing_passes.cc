#include "filters/smoothing_passes.h"

#include <algorithm>
#include <cmath>

#include "filters/axis_smoother.h"

namespace waymark {
namespace {

// Where the plane is left for the next one; distances in it are true to 1.6e-6.
constexpr double kPlaneRadiusM = 20e3;
constexpr int kPasses = 2;
constexpr Duration kVindicationReach = std::chrono::seconds(10);  // as long as a vote takes
constexpr double kVindicationShare = 0.4;
constexpr double kMaxLatencyStepS = 3;
// Over a step this long a body may have been in any mode of motion, whatever its ends were.
constexpr Duration kLongStep = std::chrono::seconds(5);
constexpr float kTellingVar = 4;
// Levels are learned from the past; a fix gets what was learned by this many after it.
constexpr std::size_t kAhead = 30;

using Item = SmoothedFix;

/// From the item before `a` to it.
GmStep Gm(const Item& a, double dt_s) {
  if (a.fresh_error) return {0, a.gm_var_m2};
  return StepGm({.gm_var_m2 = a.gm_var_m2, .gm_tau_s = a.gm_tau_s}, dt_s);
}

// Whether its velocity tells the way of a second to within the least jump (6 m, three sigmas).
bool TellsWay(const Item& a) { return a.has_velocity && a.velocity_var <= kTellingVar; }

void Distrust(Item& a, double var_m2) { a.jump_var_m2 += static_cast<float>(a.follow * var_m2); }

// Follows the receiver's slow error by the share that the item says. While the body rests what
// moves is the error: the offset goes evenly from that of one end to that of the other then, but as
// the live one it keeps to within `rest_limit_m` of what the fixes say. (An end may be wrong, and a
// rest long.) Takes the items from the last to the first.
class Publisher {
 public:
  Publisher(std::span<Item> items, const FilterTuning& tuning)
      : items_(items), freeze_(tuning.smooth_freeze != 0), rest_limit_m_(tuning.rest_limit_m) {}

  void Add(std::size_t i, Vec2 b) {
    const Item& a = items_[i];
    const Vec2 own = a.follow * b;
    const bool joined = i + 1 < items_.size() && !items_[i + 1].begin;
    if (resting_ && !(joined && a.stopped)) EndRest(i + 1, joined ? own : last_own_);
    if (a.stopped && freeze_) {
      if (!resting_) {
        resting_ = true;
        rest_last_ = i;
        to_ = joined ? last_own_ : own;
        rest_own_.clear();
      }
      rest_own_.push_back(own);
      if (i == 0) EndRest(0, own);
    } else {
      Shift(i, own);
    }
    last_own_ = own;
  }

 private:
  // The rest began with the item `first`; before it the offset was `from`.
  void EndRest(std::size_t first, Vec2 from) {
    const auto since = [&](std::size_t k) { return Seconds(items_[k].time - items_[first].time); };
    const double span_s = std::max(1e-3, since(rest_last_));
    for (std::size_t k = first; k <= rest_last_; ++k) {
      const Vec2 own = rest_own_[rest_last_ - k];
      Vec2 still = from + (since(k) / span_s) * (to_ - from) - own;
      const double size_m = still.norm();
      if (size_m > rest_limit_m_) still = (rest_limit_m_ / size_m) * still;
      Shift(k, own + still);
    }
    resting_ = false;
  }
  void Shift(std::size_t i, Vec2 offset) {
    Item& a = items_[i];
    a.p = a.p + offset;
    a.var_m2 = PublishedVariance(a.var_m2 + 0.5 * offset.norm2(), a.slow_var_m2, a.noise_is_bound);
  }

  std::span<Item> items_;
  bool freeze_, resting_ = false;
  double rest_limit_m_;
  std::size_t rest_last_ = 0;
  std::vector<Vec2> rest_own_;  ///< what the items of the rest follow, the last one's first
  Vec2 to_, last_own_;
};

}  // namespace

void SmoothingPasses::Run() {
  filtered_.resize(std::min(items_.size(), kChunk));
  Prepare();
  VindicateHeld();
  DistrustJumps();
  for (int pass = 1; pass < kPasses; ++pass) {
    Forward();
    Backward([&](std::size_t i, const AxisState& s) { Reweigh(i, s); });
  }
  Forward();
  Publisher publisher(items_, tuning_);
  Backward([&](std::size_t i, const AxisState& s) {
    Item& a = items_[i];
    a.p = s.p;
    a.v = s.v;
    a.var_m2 = tuning_.variance_scale * s.cov.pp;  // the rest comes with the offset
    a.speed_sigma_mps = static_cast<float>(std::sqrt(s.cov.vv));
    publisher.Add(i, s.b);
  });
}

// Puts everything into planes and takes the latency out of the velocities.
void SmoothingPasses::Prepare() {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Item& a = items_[i];
    if (i + kAhead < items_.size()) a.follow = items_[i + kAhead].follow;
    BelieveVelocity(i);
    if (i > 0 && a.time - items_[i - 1].time > kLongStep) {
      const double q = a.has_velocity ? tuning_.smooth_q_long_step : tuning_.q_long_step;
      a.q = std::max(a.q, static_cast<float>(q));
    }
    const LatLon position{a.p.n, a.p.e};
    EastNorth p;
    if (!frames_.empty()) p = frames_.back().ToLocal(position);
    if (frames_.empty() || std::hypot(p.east_m, p.north_m) > kPlaneRadiusM) {
      frames_.emplace_back(position);
      p = {};
    }
    a.frame = static_cast<std::uint32_t>(frames_.size() - 1);
    a.p = {p.east_m, p.north_m};
    if (a.has_velocity) a.v = Turn(a.v, -frames_.back().ConvergenceRad(position));
    if (i > 0) RemoveLatency(i - 1);
  }
  if (!items_.empty()) RemoveLatency(items_.size() - 1);
}

// Velocities that are known to be wrong later were wrong before that too, in motion.
void SmoothingPasses::BelieveVelocity(std::size_t i) {
  Item& a = items_[i];
  if (!a.has_velocity || a.v.norm2() == 0) return;
  const Item& later = items_[std::min(i + kAhead, items_.size() - 1)];
  a.velocity_var = std::max(a.velocity_var, later.wrong_velocity_var);
  if (later.velocity_denied) a.has_velocity = a.late_velocity = false;
}

// By the next velocity, else by the curve. Both in the plane: near a pole east and north are not
// the same at the next fix.
void SmoothingPasses::RemoveLatency(std::size_t i) {
  Item& a = items_[i];
  if (!a.late_velocity) return;
  if (i + 1 < items_.size()) {
    const Item& b = items_[i + 1];
    const double dt_s = Seconds(b.time - a.time);
    if (b.has_velocity && !b.begin && dt_s > 0 && dt_s <= kMaxLatencyStepS) {
      AxisState next;
      next.p = b.p;
      next.v = b.v;
      const Vec2 change = Moved(next, b.frame, a.frame).v - a.v;
      a.v = a.v + std::min(1.0, tuning_.velocity_latency_s / dt_s) * change;
    }
  }
  if (i > 0) RemoveLatencyByCurve(items_[i - 1], a);
}

// Where the next velocity is too far off to say how it changes, the curve to here does: the cubic
// through both fixes ends with this acceleration.
void SmoothingPasses::RemoveLatencyByCurve(const Item& before, Item& a) const {
  if (!a.late_velocity || a.begin || !before.has_velocity || before.frame != a.frame) return;
  const double dt_s = Seconds(a.time - before.time);
  if (dt_s <= kMaxLatencyStepS) return;
  Vec2 acceleration = (2 / dt_s) * (before.v + 2.0 * a.v) - (6 / (dt_s * dt_s)) * (a.p - before.p);
  const double size = acceleration.norm(), most = tuning_.manoeuvre_mps2;
  if (size > most) acceleration = (most / size) * acceleration;
  a.v = a.v + tuning_.velocity_latency_s * acceleration;
}

// Fixes that were held as a second hypothesis and lie with the fix that was used next rather than
// with the one before them were right: the track came to them without a vote.
void SmoothingPasses::VindicateHeld() {
  for (std::size_t j = 1; j < items_.size(); ++j) {
    if (items_[j].held || !items_[j - 1].held || items_[j].begin) continue;
    std::size_t k = j;
    while (k > 0 && items_[k - 1].held) --k;
    if (k == 0) continue;
    const Item &before = items_[k - 1], &after = items_[j];
    for (std::size_t h = k; h < j; ++h) {
      Item& a = items_[h];
      if (a.frame != before.frame || a.frame != after.frame) continue;
      if (after.time - a.time > kVindicationReach) continue;
      const double to_after = Mismatch(a, after), to_before = Mismatch(before, a);
      if (to_after > kVindicationShare * to_before) continue;
      a.held = false;
      a.weight = 1;
    }
  }
}

// How far two positions are from what the velocities between them say.
double SmoothingPasses::Mismatch(const Item& a, const Item& b) {
  Vec2 way;
  if (TellsWay(a) && TellsWay(b)) way = (0.5 * Seconds(b.time - a.time)) * (a.v + b.v);
  return (b.p - a.p - way).norm();
}

// How far `to` lies from where the way leads from `from`: by the velocities of both, or by the step
// before it.
std::optional<Vec2> SmoothingPasses::OffTheWay(std::size_t from, std::size_t to) const {
  const Item &a = items_[from], &b = items_[to];
  if (a.held || b.held || a.foreign || b.foreign || a.frame != b.frame) return std::nullopt;
  const double dt_s = Seconds(b.time - a.time);
  if (TellsWay(a) && TellsWay(b)) return b.p - a.p - (0.5 * dt_s) * (a.v + b.v);
  if (from == 0) return std::nullopt;
  const Item& c = items_[from - 1];
  if (c.held || c.frame != a.frame || c.time >= a.time) return std::nullopt;
  return b.p - a.p - (dt_s / Seconds(a.time - c.time)) * (a.p - c.p);
}

// One fix off the way, without which it goes on, is an outlier: its weight is a matter of its own.
bool SmoothingPasses::GoesOnWithout(std::size_t i, double jump_m2) const {
  if (i == 0 || i + 1 >= items_.size()) return false;
  if (items_[i + 1].time - items_[i - 1].time > kVindicationReach) return false;
  const auto off = OffTheWay(i - 1, i + 1);
  return off && off->norm2() < Square(kVindicationShare) * jump_m2;
}

// A receiver that jumps has let its solution drift before and starts anew after: the fixes beside
// the jump, the earlier ones more, are worth less than their radius says. What another source tells
// is no jump.
void SmoothingPasses::DistrustJumps() {
  for (std::size_t i = 1; i < items_.size(); ++i) {
    const Item &a = items_[i - 1], &b = items_[i];
    const double dt_s = Seconds(b.time - a.time);
    if (b.begin || dt_s <= 0 || dt_s > kMaxLatencyStepS) continue;
    const auto off = OffTheWay(i - 1, i);
    if (!off) continue;
    const double d2 = off->norm2();
    const bool by_velocity = TellsWay(a) && TellsWay(b);
    // Two errors differ, or, without velocities, four units of the second difference's six.
    const double noise = (b.measured_var_m2 + b.gm_var_m2) * (by_velocity ? 2.0 : 6.0);
    // Nor is a manoeuvre between the fixes a jump: one that begins or ends at `a`, or, where the
    // velocities tell of it, within the step.
    const double manoeuvre_m = (by_velocity ? 0.25 : 1.0) * tuning_.manoeuvre_mps2 * Square(dt_s);
    const double least_m = std::max(tuning_.jump_detect_m, manoeuvre_m);
    if (d2 < tuning_.jump_nis * noise || d2 < Square(least_m)) continue;
    if (GoesOnWithout(i - 1, d2) || GoesOnWithout(i, d2)) continue;
    for (std::size_t k = i; k-- > 0;) {
      const double h = Seconds(a.time - items_[k].time) / tuning_.jump_spread_s;
      if (h > 4) break;
      Distrust(items_[k], d2 * tuning_.jump_before * std::exp(-2 * h));
    }
    for (std::size_t k = i; k < items_.size(); ++k) {
      const double h = Seconds(items_[k].time - b.time) / tuning_.jump_spread_s;
      if (h > 4) break;
      Distrust(items_[k], d2 * tuning_.jump_after * std::exp(-2 * h));
    }
  }
}

AxisState SmoothingPasses::Moved(AxisState s, std::size_t from, std::size_t to) const {
  if (from == to) return s;
  const LatLon p = frames_[from].FromLocal({s.p.e, s.p.n});
  const EastNorth q = frames_[to].ToLocal(p);
  const double gamma = frames_[from].ConvergenceRad(p) - frames_[to].ConvergenceRad(p);
  const SinCos turn{std::sin(gamma), std::cos(gamma)};
  s.p = {q.east_m, q.north_m};
  s.v = Turn(s.v, turn);
  s.b = Turn(s.b, turn);
  return s;
}

// The filtered state at item i, from the one at the item before.
AxisState SmoothingPasses::StepTo(std::size_t i, const AxisState& before) const {
  const Item& a = items_[i];
  AxisState s;
  if (a.begin || i == 0) {
    s.p = a.p;
    s.v = a.has_velocity ? a.v : Vec2{};
    // Without a velocity, up to a car: 10 m/s per axis.
    s.cov.vv = a.has_velocity ? a.velocity_var : 100;
    s.cov.bb = a.gm_var_m2;
    s.cov.pb = -a.gm_var_m2;
    s.cov.pp = (double{a.measured_var_m2} + a.jump_var_m2) / a.weight + a.gm_var_m2;
    return s;
  }
  const Item& b = items_[i - 1];
  const double dt_s = Seconds(a.time - b.time);
  s = Moved(before, b.frame, a.frame);
  const GmStep gm = Gm(a, dt_s);
  PredictMoving(s, dt_s, a.q, gm.phi, gm.q_m2);
  const double r = (double{a.measured_var_m2} + a.jump_var_m2) / a.weight;
  if (a.foreign) {
    UpdateForeignPosition(s, a.p, r);
  } else {
    UpdatePosition(s, a.p, r);
  }
  if (a.has_velocity) {
    // What drifts off by d in a time T is d / T too fast.
    const double distrust = 1 / (tuning_.jump_spread_s * tuning_.jump_spread_s);
    UpdateVelocity(s, a.v, a.velocity_var + a.jump_var_m2 * distrust);
  }
  return s;
}

void SmoothingPasses::Forward() {
  checkpoints_.clear();
  AxisState s;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (i % kChunk == 0) checkpoints_.push_back(s);
    filtered_[i % kChunk] = s = StepTo(i, s);
  }
}

/// Calls visit(i, smoothed state) from the last item to the first.
template <typename Visit>
void SmoothingPasses::Backward(const Visit& visit) {
  AxisState next;
  for (std::size_t chunk = checkpoints_.size(); chunk-- > 0;) {
    const std::size_t begin = chunk * kChunk, end = std::min(begin + kChunk, items_.size());
    if (chunk + 1 < checkpoints_.size()) {  // the last one's are still there
      AxisState s = checkpoints_[chunk];
      for (std::size_t i = begin; i < end; ++i) filtered_[i - begin] = s = StepTo(i, s);
    }
    for (std::size_t i = end; i-- > begin;) {
      AxisState s = filtered_[i - begin];
      if (i + 1 < items_.size() && !items_[i + 1].begin) {
        const Item& b = items_[i + 1];
        const double dt_s = Seconds(b.time - items_[i].time);
        const GmStep gm = Gm(b, dt_s);
        s = SmoothBack(s, Moved(next, b.frame, items_[i].frame), dt_s, b.q, gm.phi, gm.q_m2);
      }
      next = s;
      visit(i, s);
    }
  }
}

// Against the whole error, coloured part included: a burst is no drift.
void SmoothingPasses::Reweigh(std::size_t i, const AxisState& smoothed) {
  Item& a = items_[i];
  const double r = a.measured_var_m2 + (a.foreign ? 0.0 : a.gm_var_m2) + smoothed.cov.pp;
  const double d2 = (a.p - smoothed.p).norm2();
  double weight = std::min(1.0, (tuning_.student_dof + 2) / (tuning_.student_dof + d2 / r));
  // Far outliers do not deserve the long tail.
  if (d2 > tuning_.jump_nis * r && d2 > tuning_.jump_min_m * tuning_.jump_min_m) {
    weight *= tuning_.jump_nis * r / d2;
  }
  a.weight = static_cast<float>(weight);
}

}  // namespace waymark
