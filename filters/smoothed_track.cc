// Fixed-interval smoothing of a whole trace.
//
// Model: the filter's (axis_filter.h) with one motion model per step, whose process noise is the
// average over the mode probabilities of the forward pass. Forward Kalman pass and backward
// Rauch-Tung-Striebel pass are repeated with the weights of Student's t taken from the smoothed
// residuals (iteratively reweighted least squares; Lange, Little & Taylor, JASA 84, 1989): with the
// fixes on both sides known, a burst of outliers loses its weight by itself. Velocities are used
// with their latency removed by the following velocity, which a live filter cannot do.
// Between knots: the cubic Hermite curve through positions and velocities, which is the mean of
// white-acceleration motion between them; its variance is q s^3 (T - s)^3 / (3 T^3).
#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "filters/axis_smoother.h"
#include "filters/estimator_impl.h"
#include "waymark/smoother.h"

namespace waymark {
namespace {

constexpr double kRadPerDeg = std::numbers::pi / 180;
// Where the plane is left for the next one; distances in it are true to 1.6e-6.
constexpr double kPlaneRadiusM = 20e3;
constexpr int kPasses = 2;
constexpr Duration kVindicationReach = std::chrono::seconds(10);  // as long as a vote takes
constexpr double kVindicationShare = 0.4;
// A held fix starts with this weight, so that two sides of equal standing can be told apart.
constexpr double kHeldWeight = 0.01;
constexpr double kMaxLatencyStepS = 3;
// Over a step this long a body may have been in any mode of motion, whatever its ends were.
constexpr Duration kLongStep = std::chrono::seconds(5);

struct Item {
  MonoTime time{};
  std::optional<UtcTime> utc;
  LatLon position;
  NoiseModel noise;
  bool has_velocity = false;
  bool late_velocity = false;  ///< the latency is still in it
  Vec2 velocity;               ///< east, north at the position
  double velocity_var = 1;
  double q = 1, follow = 1, slow_var_m2 = 0;
  std::array<double, TrackFilter::kModels> mode{};
  std::optional<double> altitude_m, altitude_sigma_m;
  bool stopped = false;    ///< at rest, by its speed or by the filter
  double jump_var_m2 = 0;  ///< distrust for lying beside a jump
  Vec2 offset;             ///< published position less smoothed.p
  bool foreign = false;    ///< its error is not the b of the track
  double measured_var_m2 = 1;
  bool fresh_error = false;  ///< b begins anew here
  bool held = false;         ///< the forward pass did not use it
  bool begin = false;        ///< nothing before it says anything about it
  double weight = 1;
  // In the plane `frame`:
  std::size_t frame = 0;
  Vec2 z, v;
  AxisState filtered, smoothed;
};

/// From the item before `a` to it.
GmStep Gm(const Item& a, double dt_s) {
  return a.fresh_error ? GmStep{0, a.noise.gm_var_m2} : StepGm(a.noise, dt_s);
}

class Smoothing {
 public:
  Smoothing(std::vector<Item>& items, std::vector<LocalFrame>& frames, const FilterTuning& tuning)
      : items_(items), frames_(frames), tuning_(tuning) {}

  void Run() {
    RemoveLatency();
    PlaceInFrames();
    VindicateHeld();
    DistrustJumps();
    for (int pass = 0; pass < kPasses; ++pass) {
      Forward();
      Backward();
      if (pass + 1 == kPasses) break;
      Reweigh();
    }
    Publish();
  }

 private:
  void RemoveLatency() {
    for (std::size_t i = 0; i + 1 < items_.size(); ++i) {
      Item& a = items_[i];
      const Item& b = items_[i + 1];
      if (!a.late_velocity || !b.has_velocity || b.begin) continue;
      const double dt_s = Seconds(b.time - a.time);
      if (dt_s <= 0 || dt_s > kMaxLatencyStepS) continue;
      a.velocity = a.velocity +
                   (std::min(1.0, tuning_.velocity_latency_s / dt_s)) * (b.velocity - a.velocity);
    }
  }

  void PlaceInFrames() {
    for (Item& a : items_) {
      EastNorth p;
      if (!frames_.empty()) p = frames_.back().ToLocal(a.position);
      if (frames_.empty() || std::hypot(p.east_m, p.north_m) > kPlaneRadiusM) {
        frames_.emplace_back(a.position);
        p = {};
      }
      a.frame = frames_.size() - 1;
      a.z = {p.east_m, p.north_m};
      a.v = a.velocity;
      if (a.has_velocity && a.z.norm2() > 0) {
        const double gamma = frames_.back().ConvergenceRad(a.position);
        a.v = TurnBy(a.velocity, -gamma);
      }
    }
  }

  // Fixes that were held as a second hypothesis and lie with the fix that was used next rather than
  // with the one before them were right: the track came to them without a vote.
  void VindicateHeld() {
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
  static double Mismatch(const Item& a, const Item& b) {
    Vec2 way;
    if (a.has_velocity && b.has_velocity) way = (0.5 * Seconds(b.time - a.time)) * (a.v + b.v);
    return (b.z - a.z - way).norm();
  }

  // A receiver that jumps has let its solution drift before and starts anew after: the fixes beside
  // the jump, the earlier ones more, are worth less than their radius says.
  void DistrustJumps() {
    for (std::size_t i = 1; i < items_.size(); ++i) {
      const Item &a = items_[i - 1], &b = items_[i];
      if (b.begin || a.held || b.held || a.frame != b.frame) continue;
      const double dt_s = Seconds(b.time - a.time);
      if (dt_s <= 0 || dt_s > kMaxLatencyStepS) continue;
      Vec2 way;
      if (a.has_velocity && b.has_velocity) {
        way = (0.5 * dt_s) * (a.v + b.v);
      } else if (i >= 2 && items_[i - 2].frame == a.frame && items_[i - 2].time < a.time) {
        way = (dt_s / Seconds(a.time - items_[i - 2].time)) * (a.z - items_[i - 2].z);
      } else {
        continue;
      }
      const double d2 = (b.z - a.z - way).norm2();
      // Two errors differ, or, without velocities, four units of the second difference's six.
      const double noise = (b.noise.white_var_m2 + b.noise.gm_var_m2) * (b.has_velocity ? 2 : 6);
      if (d2 < tuning_.jump_nis * noise || d2 < tuning_.jump_detect_m * tuning_.jump_detect_m)
        continue;
      for (std::size_t k = i; k-- > 0;) {
        const double h = Seconds(a.time - items_[k].time) / tuning_.jump_spread_s;
        if (h > 4) break;
        items_[k].jump_var_m2 += items_[k].follow * d2 * tuning_.jump_before * std::exp(-2 * h);
      }
      for (std::size_t k = i; k < items_.size(); ++k) {
        const double h = Seconds(items_[k].time - b.time) / tuning_.jump_spread_s;
        if (h > 4) break;
        items_[k].jump_var_m2 += items_[k].follow * d2 * tuning_.jump_after * std::exp(-2 * h);
      }
    }
  }

  // Follows the receiver's slow error by the share `follow`, but not while the body rests: what
  // moves then is the error.
  void Publish() {
    for (Item& a : items_) {
      a.offset = a.follow * a.smoothed.b;
    }
    if (tuning_.smooth_freeze == 0) return;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!items_[i].stopped) continue;
      std::size_t j = i;
      while (j + 1 < items_.size() && items_[j + 1].stopped && !items_[j + 1].begin &&
             items_[j + 1].frame == items_[i].frame) {
        ++j;
      }
      const Vec2 from = items_[i > 0 ? i - 1 : i].offset;
      const Vec2 to = items_[j + 1 < items_.size() ? j + 1 : j].offset;
      const double span_s = std::max(1e-3, Seconds(items_[j].time - items_[i].time));
      for (std::size_t k = i; k <= j; ++k) {
        const double u = Seconds(items_[k].time - items_[i].time) / span_s;
        items_[k].offset = from + u * (to - from);
      }
      i = j;
    }
  }

  AxisState Moved(AxisState s, std::size_t from, std::size_t to) const {
    if (from == to) return s;
    const LatLon p = frames_[from].FromLocal({s.p.e, s.p.n});
    const EastNorth q = frames_[to].ToLocal(p);
    const double gamma = frames_[from].ConvergenceRad(p) - frames_[to].ConvergenceRad(p);
    const double c = std::cos(gamma), sn = std::sin(gamma);
    s.p = {q.east_m, q.north_m};
    s.v = Turn(s.v, c, sn);
    s.b = Turn(s.b, c, sn);
    return s;
  }

  void Forward() {
    // What drifts off by d in a time T is d / T too fast.
    const double velocity_distrust = 1 / (tuning_.jump_spread_s * tuning_.jump_spread_s);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      Item& a = items_[i];
      AxisState s;
      if (a.begin || i == 0) {
        s.p = a.z;
        s.v = a.has_velocity ? a.v : Vec2{};
        // Without a velocity, up to a car: 10 m/s per axis.
        s.cov.vv = a.has_velocity ? a.velocity_var : 100;
        s.cov.bb = a.noise.gm_var_m2;
        s.cov.pb = -a.noise.gm_var_m2;
        s.cov.pp = (a.noise.white_var_m2 + a.jump_var_m2) / a.weight + a.noise.gm_var_m2;
      } else {
        const Item& b = items_[i - 1];
        const double dt_s = Seconds(a.time - b.time);
        s = Moved(b.filtered, b.frame, a.frame);
        const GmStep gm = Gm(a, dt_s);
        PredictMoving(s, dt_s, a.q, gm.phi, gm.q_m2);
        const double r = (a.measured_var_m2 + a.jump_var_m2) / a.weight;
        if (a.foreign) {
          UpdateForeignPosition(s, a.z, r);
        } else {
          UpdatePosition(s, a.z, r);
        }
        if (a.has_velocity)
          UpdateVelocity(s, a.v, a.velocity_var + a.jump_var_m2 * velocity_distrust);
      }
      a.filtered = s;
    }
  }

  void Backward() {
    for (std::size_t i = items_.size(); i-- > 0;) {
      Item& a = items_[i];
      a.smoothed = a.filtered;
      if (i + 1 == items_.size() || items_[i + 1].begin) continue;
      const Item& b = items_[i + 1];
      const double dt_s = Seconds(b.time - a.time);
      const GmStep gm = Gm(b, dt_s);
      a.smoothed =
          SmoothBack(a.filtered, Moved(b.smoothed, b.frame, a.frame), dt_s, b.q, gm.phi, gm.q_m2);
    }
  }

  // Against the whole error, coloured part included: a burst is no drift.
  void Reweigh() {
    for (Item& a : items_) {
      const double r = a.measured_var_m2 + (a.foreign ? 0 : a.noise.gm_var_m2) + a.smoothed.cov.pp;
      const double d2 = (a.z - a.smoothed.p).norm2();
      a.weight = std::min(1.0, (tuning_.student_dof + 2) / (tuning_.student_dof + d2 / r));
      // Far outliers do not deserve the long tail.
      if (d2 > tuning_.jump_nis * r && d2 > tuning_.jump_min_m * tuning_.jump_min_m) {
        a.weight *= tuning_.jump_nis * r / d2;
      }
    }
  }

  std::vector<Item>& items_;
  std::vector<LocalFrame>& frames_;
  const FilterTuning& tuning_;
};

double Square(double x) { return x * x; }

}  // namespace

struct SmoothedTrack::Impl {
  struct Curve {
    std::size_t frame = 0;
    Vec2 p, v;  ///< as published, in the frame
    double var_m2 = 0, unseen_var_m2 = 0, q = 1;
    bool begin = false, has_velocity = false;
  };
  EstimatorOptions options;
  FilterTuning tuning;
  std::vector<LocalFrame> frames;
  std::vector<Curve> curve;
  std::vector<Estimate> knots;
  std::vector<Verdict> verdicts;

  void Forward(std::span<const DeliveredFix> fixes, std::vector<Item>& items);
  void Describe(const Item& a);
  std::optional<Estimate> Extrapolate(std::size_t knot, MonoTime time) const;
  std::optional<Estimate> Interpolate(std::size_t left, MonoTime time) const;
};

void SmoothedTrack::Impl::Forward(std::span<const DeliveredFix> fixes, std::vector<Item>& items) {
  Estimator::Impl estimator(options);
  estimator.tuning = tuning;
  items.reserve(fixes.size());
  verdicts.reserve(fixes.size());
  for (const DeliveredFix& d : fixes) {
    const Verdict verdict = estimator.Update(d.fix, d.arrival);
    verdicts.push_back(verdict);
    if (estimator.last_action == IntakeAction::kDrop) continue;
    if (!verdict.used() && verdict.disposition != Disposition::kProvisional) continue;
    const Observation& o = estimator.last_observation;
    const TrackFilter& f = estimator.filter;
    Item a;
    a.time = o.time;
    if (d.fix.utc) a.utc = estimator.newest_utc;
    a.position = o.position;
    a.noise = f.noise();
    const double white_m =
        f.measured_velocity() ? tuning.smooth_white_m : tuning.smooth_white_blind_m;
    a.noise.white_var_m2 = std::max(a.noise.white_var_m2, Square(white_m));
    a.foreign = f.foreign();
    a.fresh_error = f.fresh_error();
    a.measured_var_m2 = std::max(f.measured_var(), Square(white_m));
    a.held = !verdict.used();
    a.weight = a.held ? kHeldWeight : 1;
    a.begin = verdict.reason == Reason::kReacquired && verdict.limit == tuning.gap_restart_s;
    if (o.speed_mps && o.course_deg && *o.speed_mps > 0) {
      const double course = *o.course_deg * kRadPerDeg;
      a.velocity = {*o.speed_mps * std::sin(course), *o.speed_mps * std::cos(course)};
      a.has_velocity = a.late_velocity = true;
      a.velocity_var = f.measured_velocity_var();
    } else if (f.measured_velocity()) {
      a.velocity = *f.measured_velocity();
      a.has_velocity = true;
      a.velocity_var = f.measured_velocity_var();
    }
    a.q = f.q(tuning);
    a.stopped = o.speed_mps ? *o.speed_mps == 0 : f.mode()[0] > 0.9;
    a.follow = f.follow();
    a.slow_var_m2 = f.slow_var_m2();
    a.mode = f.mode();
    const double ahead_s = f.altitude().started() ? Seconds(a.time - f.altitude().time()) : 1e9;
    if (ahead_s >= 0 && ahead_s < 60) {
      a.altitude_m = f.altitude().AltitudeM(ahead_s);
      a.altitude_sigma_m = f.altitude().SigmaM(ahead_s);
    }
    while (!items.empty() && items.back().time == a.time) items.pop_back();  // merged
    if (verdict.reason == Reason::kReacquired && !a.begin) {
      // The new place has won: those that voted for it were right.
      for (std::size_t i = items.size(); i-- > 0 && items[i].held;) {
        items[i].held = false;
        items[i].weight = 1;
      }
    }
    items.push_back(a);
    for (std::size_t i = items.size() - 1; i > 0 && items[i - 1].time >= items[i].time; --i) {
      if (items[i - 1].time == items[i].time) {
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(i - 1));
        break;
      }
      std::swap(items[i - 1], items[i]);
    }
  }
  // Levels are learned from the past; the beginning of a stretch gets what was learned within it.
  constexpr std::size_t kAhead = 30;
  for (std::size_t i = 0; i + kAhead < items.size(); ++i) {
    const Item& b = items[i + kAhead];
    items[i].follow = b.follow;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    Item& a = items[i];
    if (i > 0 && a.time - items[i - 1].time > kLongStep) a.q = std::max(a.q, tuning.q_long_step);
  }
}

void SmoothedTrack::Impl::Describe(const Item& a) {
  const AxisState& s = a.smoothed;
  Curve c;
  c.frame = a.frame;
  c.p = s.p + a.offset;
  c.v = s.v;
  c.var_m2 = tuning.variance_scale * s.cov.pp + 0.5 * a.offset.norm2() + a.slow_var_m2;
  c.unseen_var_m2 = a.slow_var_m2;
  c.q = a.q;
  c.begin = a.begin;
  c.has_velocity = a.has_velocity;
  Estimate e;
  e.time = a.time;
  e.utc = a.utc;
  const LocalFrame& frame = frames[a.frame];
  e.position = frame.FromLocal({c.p.e, c.p.n});
  const double gamma = frame.ConvergenceRad(e.position);
  const Vec2 v = TurnBy(c.v, gamma);
  e.velocity_east_mps = v.e;
  e.velocity_north_mps = v.n;
  SetRadii(e, c.var_m2, c.unseen_var_m2);
  e.speed_sigma_mps = std::sqrt(s.cov.vv);
  e.altitude_m = a.altitude_m;
  e.altitude_sigma_m = a.altitude_sigma_m;
  e.p_stopped = a.mode[0];
  e.p_slow = a.mode[1];
  e.p_fast = a.mode[2];
  e.motion = a.mode[0] > 0.5 ? Motion::kStationary : Motion::kMoving;
  curve.push_back(c);
  knots.push_back(e);
}

Result<SmoothedTrack> SmoothedTrack::Create(std::span<const DeliveredFix> fixes,
                                            const EstimatorOptions& options) {
  return EstimatorAccess::Smooth(fixes, options, FilterTuning{});
}

Result<SmoothedTrack> EstimatorAccess::Smooth(std::span<const DeliveredFix> fixes,
                                              const EstimatorOptions& options,
                                              const FilterTuning& tuning) {
  const Result<Estimator> valid = Estimator::Create(options);
  if (!valid.ok()) return valid.status();
  SmoothedTrack track;
  SmoothedTrack::Impl& m = *track.impl_;
  m.options = options;
  m.tuning = tuning;
  std::vector<Item> items;
  m.Forward(fixes, items);
  Smoothing(items, m.frames, m.tuning).Run();
  m.knots.reserve(items.size());
  m.curve.reserve(items.size());
  for (const Item& a : items) {
    if (!a.held) m.Describe(a);
  }
  return track;
}

SmoothedTrack::SmoothedTrack() : impl_(std::make_unique<Impl>()) {}
SmoothedTrack::SmoothedTrack(SmoothedTrack&&) noexcept = default;
SmoothedTrack& SmoothedTrack::operator=(SmoothedTrack&&) noexcept = default;
SmoothedTrack::~SmoothedTrack() = default;

std::span<const Estimate> SmoothedTrack::knots() const { return impl_->knots; }
std::span<const Verdict> SmoothedTrack::verdicts() const { return impl_->verdicts; }

std::optional<Estimate> SmoothedTrack::Impl::Extrapolate(std::size_t knot, MonoTime time) const {
  const Curve& c = curve[knot];
  const double dt_s = Seconds(time - knots[knot].time);
  if (std::fabs(dt_s) > Seconds(options.max_coast)) return std::nullopt;
  Estimate e = knots[knot];
  const Vec2 p = c.p + dt_s * c.v;
  e.position = frames[c.frame].FromLocal({p.e, p.n});
  e.time = time;
  e.coasting = true;
  const double h = std::fabs(dt_s);
  SetRadii(e, c.var_m2 + Square(h * e.speed_sigma_mps) + c.q * h * h * h / 3, c.unseen_var_m2);
  e.speed_sigma_mps = std::sqrt(Square(e.speed_sigma_mps) + c.q * h);
  return e;
}

std::optional<Estimate> SmoothedTrack::Impl::Interpolate(std::size_t left, MonoTime time) const {
  const Curve& a = curve[left];
  const Curve& b = curve[left + 1];
  const Estimate& ea = knots[left];
  const Estimate& eb = knots[left + 1];
  const double span_s = Seconds(eb.time - ea.time), s_s = Seconds(time - ea.time);
  Vec2 bp = b.p, bv = b.v;
  const LocalFrame& frame = frames[a.frame];
  if (a.frame != b.frame) {
    const EastNorth p = frame.ToLocal(eb.position);
    bp = {p.east_m, p.north_m};
    const double gamma = frame.ConvergenceRad(eb.position);
    bv = Turn({eb.velocity_east_mps, eb.velocity_north_mps}, std::cos(gamma), -std::sin(gamma));
  }
  const double u = s_s / span_s, w = 1 - u;
  const double h00 = (1 + 2 * u) * w * w, h10 = u * w * w * span_s;
  const double h01 = u * u * (3 - 2 * u), h11 = -u * u * w * span_s;
  Vec2 p = h00 * a.p + h10 * a.v + h01 * bp + h11 * bv;
  const double d = 6 * u * w / span_s;
  Vec2 v = (w * (1 - 3 * u)) * a.v + (u * (3 * u - 2)) * bv + d * (bp - a.p);
  if (span_s > tuning.change_s && a.has_velocity && b.has_velocity) {
    // A change of speed or course takes some seconds, somewhere in the span: in the mean in its
    // middle, and the quicker the longer the span is. The cubic spreads it over all of it; the
    // quintic that does not accelerate at the ends concentrates it (its terms beyond the cubic are
    // these, for what the ends differ by and for what the way between them lacks).
    const double share = 1 - tuning.change_s / span_s;
    const Vec2 differ = (-0.5 * share) * (bv - a.v);
    const Vec2 lack = (-1.5 * share) * (0.5 * (a.v + bv) - (1 / span_s) * (bp - a.p));
    const double bump = u * u * w * w, slope = 2 * u * w * (w - u), skew = u - w;
    p = p + span_s * (bump * differ + (bump * skew) * lack);
    v = v + slope * differ + (slope * skew + 2 * bump) * lack;
  }
  Estimate e = u < 0.5 ? ea : eb;
  e.time = time;
  if (ea.utc) e.utc = *ea.utc + std::chrono::round<std::chrono::milliseconds>(time - ea.time);
  e.position = frame.FromLocal({p.e, p.n});
  const double gamma = frame.ConvergenceRad(e.position);
  const Vec2 ve = TurnBy(v, gamma);
  e.velocity_east_mps = ve.e;
  e.velocity_north_mps = ve.n;
  const double bridge = s_s * (span_s - s_s) / span_s;
  const double q = a.has_velocity && b.has_velocity ? std::min(b.q, tuning.q_between) : b.q;
  SetRadii(e, w * a.var_m2 + u * b.var_m2 + q * bridge * bridge * bridge / 3,
           w * a.unseen_var_m2 + u * b.unseen_var_m2);
  e.speed_sigma_mps =
      std::sqrt(w * Square(ea.speed_sigma_mps) + u * Square(eb.speed_sigma_mps) + q * bridge);
  return e;
}

std::optional<Estimate> SmoothedTrack::At(MonoTime time) const {
  const Impl& m = *impl_;
  if (m.knots.empty()) return std::nullopt;
  const auto after = std::upper_bound(m.knots.begin(), m.knots.end(), time,
                                      [](MonoTime t, const Estimate& e) { return t < e.time; });
  if (after == m.knots.begin()) return m.Extrapolate(0, time);
  const std::size_t left = static_cast<std::size_t>(after - m.knots.begin()) - 1;
  if (m.knots[left].time == time) return m.knots[left];
  if (after == m.knots.end()) return m.Extrapolate(left, time);
  if (m.curve[left + 1].begin) {
    // The track is re-initialised in this gap: each side reaches as far as it may coast.
    const bool nearer_left = time - m.knots[left].time <= m.knots[left + 1].time - time;
    return m.Extrapolate(nearer_left ? left : left + 1, time);
  }
  return m.Interpolate(left, time);
}

}  // namespace waymark
