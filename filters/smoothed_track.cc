// Fixed-interval smoothing of a whole trace: an Estimator forward over the fixes, then the passes
// of smoothing_passes.h. Between knots: the cubic Hermite curve through positions and velocities,
// which is the mean of white-acceleration motion between them; its variance is
// q s^3 (T - s)^3 / (3 T^3).
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "filters/estimator_impl.h"
#include "filters/smoothing_passes.h"
#include "waymark/smoother.h"

namespace waymark {
namespace {

// A held fix starts with this weight, so that two sides of equal standing can be told apart.
constexpr float kHeldWeight = 0.01f;

// Numbers known to a few digits. No variance is so large that its size would matter.
float Narrow(double x) { return static_cast<float>(std::min(x, 1e30)); }

}  // namespace

struct SmoothedTrack::Impl {
  EstimatorOptions options;
  FilterTuning tuning;
  std::vector<LocalFrame> frames;
  std::vector<SmoothedFix> knots;
  std::vector<Verdict> verdicts;

  void Forward(std::span<const DeliveredFix> fixes);
  void Append(const SmoothedFix& a);
  Estimate Describe(const SmoothedFix& k) const;
  std::optional<Estimate> Extrapolate(const SmoothedFix& k, MonoTime time) const;
  std::optional<Estimate> Interpolate(const SmoothedFix& a, const SmoothedFix& b,
                                      MonoTime time) const;
};

// Puts a fix in its place in time.
void SmoothedTrack::Impl::Append(const SmoothedFix& a) {
  std::size_t at = knots.size();
  while (at > 0 && knots[at - 1].time >= a.time) --at;
  if (at < knots.size() && knots[at].time == a.time) {
    knots[at] = a;  // the later report is the union
    return;
  }
  knots.insert(knots.begin() + static_cast<std::ptrdiff_t>(at), a);
}

void SmoothedTrack::Impl::Forward(std::span<const DeliveredFix> fixes) {
  Estimator::Impl estimator(options);
  estimator.tuning = tuning;
  knots.reserve(fixes.size());
  verdicts.reserve(fixes.size());
  for (const DeliveredFix& d : fixes) {
    const Verdict verdict = estimator.Update(d.fix, d.arrival);
    verdicts.push_back(verdict);
    if (estimator.last_action == IntakeAction::kDrop) continue;
    if (!verdict.used() && verdict.disposition != Disposition::kProvisional) continue;
    const Observation& o = estimator.last_observation;
    const TrackFilter& f = estimator.filter;
    SmoothedFix a;
    a.time = o.time;
    if (d.fix.utc && estimator.newest_utc) {
      a.has_utc = true;
      a.utc_ms = estimator.newest_utc->time_since_epoch().count();
    }
    a.p = {o.position.lon_deg, o.position.lat_deg};
    a.gm_var_m2 = Narrow(f.noise().gm_var_m2);
    a.gm_tau_s = Narrow(f.noise().gm_tau_s);
    const double white_m =
        f.measured_velocity() ? tuning.smooth_white_m : tuning.smooth_white_blind_m;
    a.measured_var_m2 = Narrow(std::max(f.measured_var(), Square(white_m)));
    a.foreign = f.foreign();
    a.fresh_error = f.fresh_error();
    a.held = !verdict.used();
    a.weight = a.held ? kHeldWeight : 1;
    a.begin = verdict.reason == Reason::kReacquired && verdict.limit == tuning.gap_restart_s;
    if (f.measured_velocity()) {
      a.v = *f.measured_velocity();
      a.has_velocity = true;
    }
    if (f.measured_velocity() && o.course_deg && *o.speed_mps > 0) {
      a.v = *o.speed_mps * Heading(*o.course_deg);
      a.has_velocity = a.late_velocity = true;
    }
    a.velocity_var = Narrow(f.measured_velocity_var());
    a.wrong_velocity_var = Narrow(f.wrong_velocity_var());
    a.velocity_denied = f.velocity_denied();
    a.q = Narrow(f.q(tuning));
    const bool told = o.speed_mps && (*o.speed_mps > 0 || f.measured_velocity());
    a.stopped = told ? *o.speed_mps == 0 : f.mode()[0] > 0.9;
    a.follow = Narrow(f.follow());
    a.slow_var_m2 = Narrow(f.slow_var_m2());
    a.noise_is_bound = f.noise_is_bound();
    a.p_stopped = Narrow(f.mode()[0]);
    a.p_slow = Narrow(f.mode()[1]);
    const double ahead_s = f.altitude().started() ? Seconds(a.time - f.altitude().time()) : 1e9;
    if (ahead_s >= 0 && ahead_s < 60) {
      a.has_altitude = true;
      a.altitude_m = Narrow(f.altitude().AltitudeM(ahead_s));
      a.altitude_sigma_m = Narrow(f.altitude().SigmaM(ahead_s));
    }
    if (verdict.reason == Reason::kReacquired && !a.begin) {
      // The new place has won: those that voted for it were right.
      for (std::size_t i = knots.size(); i-- > 0 && knots[i].held;) {
        knots[i].held = false;
        knots[i].weight = 1;
      }
    }
    Append(a);
  }
}

Estimate SmoothedTrack::Impl::Describe(const SmoothedFix& k) const {
  Estimate e;
  e.time = k.time;
  if (k.has_utc) e.utc = UtcTime(std::chrono::milliseconds(k.utc_ms));
  const LocalFrame& frame = frames[k.frame];
  e.position = frame.FromLocal({k.p.e, k.p.n});
  const Vec2 v = Turn(k.v, frame.ConvergenceRad(e.position));
  e.velocity_east_mps = v.e;
  e.velocity_north_mps = v.n;
  SetRadii(e, k.var_m2, k.slow_var_m2);
  e.speed_sigma_mps = k.speed_sigma_mps;
  if (k.has_altitude) {
    e.altitude_m = k.altitude_m;
    e.altitude_sigma_m = k.altitude_sigma_m;
  }
  e.p_stopped = k.p_stopped;
  e.p_slow = std::min<double>(k.p_slow, 1 - e.p_stopped);
  e.p_fast = 1 - e.p_stopped - e.p_slow;
  e.motion = e.p_stopped > 0.5 ? Motion::kStationary : Motion::kMoving;
  return e;
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
  m.Forward(fixes);
  SmoothingPasses(m.knots, m.frames, m.tuning).Run();
  std::erase_if(m.knots, [](const SmoothedFix& k) { return k.held; });
  return track;
}

SmoothedTrack::SmoothedTrack() : impl_(std::make_unique<Impl>()) {}
SmoothedTrack::SmoothedTrack(SmoothedTrack&&) noexcept = default;
SmoothedTrack& SmoothedTrack::operator=(SmoothedTrack&&) noexcept = default;
SmoothedTrack::~SmoothedTrack() = default;

SmoothedTrack::Knots SmoothedTrack::knots() const { return Knots(impl_.get()); }
std::span<const Verdict> SmoothedTrack::verdicts() const { return impl_->verdicts; }

std::size_t SmoothedTrack::Knots::size() const { return track_->knots.size(); }
Estimate SmoothedTrack::Knots::operator[](std::size_t i) const {
  return track_->Describe(track_->knots[i]);
}

std::optional<Estimate> SmoothedTrack::Impl::Extrapolate(const SmoothedFix& k,
                                                         MonoTime time) const {
  const double dt_s = Seconds(time - k.time);
  if (std::fabs(dt_s) > Seconds(options.max_coast)) return std::nullopt;
  Estimate e = Describe(k);
  const Vec2 p = k.p + dt_s * k.v;
  e.position = frames[k.frame].FromLocal({p.e, p.n});
  e.time = time;
  e.coasting = true;
  const double h = std::fabs(dt_s);
  const double coasted_m2 = Square(h * e.speed_sigma_mps) + k.q * h * h * h / 3;
  SetRadii(e, k.var_m2 + coasted_m2, k.slow_var_m2, coasted_m2);
  e.speed_sigma_mps = std::sqrt(Square(e.speed_sigma_mps) + k.q * h);
  return e;
}

std::optional<Estimate> SmoothedTrack::Impl::Interpolate(const SmoothedFix& a, const SmoothedFix& b,
                                                         MonoTime time) const {
  const double span_s = Seconds(b.time - a.time), s_s = Seconds(time - a.time);
  Vec2 bp = b.p, bv = b.v;
  const LocalFrame& frame = frames[a.frame];
  if (a.frame != b.frame) {
    const Estimate eb = Describe(b);
    const EastNorth p = frame.ToLocal(eb.position);
    bp = {p.east_m, p.north_m};
    bv = Turn({eb.velocity_east_mps, eb.velocity_north_mps}, -frame.ConvergenceRad(eb.position));
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
  Estimate e = Describe(u < 0.5 ? a : b);
  e.time = time;
  e.utc.reset();
  if (a.has_utc) {
    e.utc = UtcTime(std::chrono::milliseconds(a.utc_ms)) +
            std::chrono::round<std::chrono::milliseconds>(time - a.time);
  }
  e.position = frame.FromLocal({p.e, p.n});
  const Vec2 ve = Turn(v, frame.ConvergenceRad(e.position));
  e.velocity_east_mps = ve.e;
  e.velocity_north_mps = ve.n;
  const double bridge = s_s * (span_s - s_s) / span_s;
  const double q = a.has_velocity && b.has_velocity ? std::min<double>(b.q, tuning.q_between) : b.q;
  SetRadii(e, w * a.var_m2 + u * b.var_m2 + q * bridge * bridge * bridge / 3,
           w * a.slow_var_m2 + u * b.slow_var_m2);
  e.speed_sigma_mps =
      std::sqrt(w * Square(a.speed_sigma_mps) + u * Square(b.speed_sigma_mps) + q * bridge);
  return e;
}

std::optional<Estimate> SmoothedTrack::At(MonoTime time) const {
  const Impl& m = *impl_;
  if (m.knots.empty()) return std::nullopt;
  const auto after = std::upper_bound(m.knots.begin(), m.knots.end(), time,
                                      [](MonoTime t, const SmoothedFix& k) { return t < k.time; });
  if (after == m.knots.begin()) return m.Extrapolate(*after, time);
  const SmoothedFix& left = *(after - 1);
  if (left.time == time) return m.Describe(left);
  if (after == m.knots.end()) return m.Extrapolate(left, time);
  if (after->begin) {
    // The track is re-initialised in this gap: each side reaches as far as it may coast.
    return m.Extrapolate(time - left.time <= after->time - time ? left : *after, time);
  }
  return m.Interpolate(left, *after, time);
}

}  // namespace waymark
