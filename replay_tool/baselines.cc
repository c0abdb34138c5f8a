// Sources of the rules (peers.md and estimation.md, section A.1, name the versions read):
//  cv       Bar-Shalom, Li, Kirubarajan 2001, chapter 6: discretised white-noise acceleration.
//  gate     transistorsoft LocationFilter, policy Conservative (its default):
//           trackingAccuracyThreshold 100 m, maxImpliedSpeed 60 m/s.
//  organic  organicmaps libs/map/gps_track_filter.cpp: fixes need a speed; accuracy <= 250 m; at
//           least 15 m from the last accepted; accuracy discs apart; acceleration <= 2 m/s^2; turn
//           <= 45 degrees; step <= max(15 m, twice the previous step).
//  gpsbabel gpsbabel kalman filter, profile auto: limits by median speed, spike and gap recovery,
//           then a constant-velocity filter whose noise depends on the profile only. Between the
//           two it fills gaps (from 1.1-2 times the median interval up to 60-3600 s, by profile)
//           with points on a straight line, which it then filters as fixes; that is left out, for
//           every peer's track is taken as straight between its points.
#include "replay_tool/baselines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "replay_tool/accuracy.h"
#include "replay_tool/ecef.h"
#include "replay_tool/trace_timeline.h"

namespace waymark::replay {
namespace {

constexpr std::array<PeerName, 6> kPeers{{
    {Peer::kRaw, "raw", "the fixes as they came"},
    {Peer::kCv, "cv", "constant-velocity Kalman filter, q = 1 m^2/s^3"},
    {Peer::kCvGate, "cv_gate", "the same, NIS gate 13.8, reset after 8 rejects or 20 s"},
    {Peer::kGate, "gate", "accuracy <= 100 m, implied speed <= 60 m/s"},
    {Peer::kOrganic, "organic", "Organic Maps track filter (uses only fixes that tell a speed)"},
    {Peer::kGpsbabel, "gpsbabel", "GPSBabel kalman, profile by median speed, gaps not filled"},
}};

constexpr double kR68PerSigma = 1.5096;  // sqrt(-2 ln 0.32), circular Gaussian
constexpr double kR95PerSigma = 2.4477;  // sqrt(-2 ln 0.05)

// Everything a rule needs of one fix.
struct Report {
  std::int64_t utc_ms = 0;
  LatLon position;
  Vec3 ecef;
  std::optional<Vec3> velocity;
  double accuracy_m = 0;
  const Fix* fix = nullptr;
};

Report MakeReport(const DeliveredFix& delivered, double default_accuracy_m) {
  const Fix& fix = delivered.fix;
  Report r;
  r.utc_ms = MeantUtc(delivered).time_since_epoch().count();
  r.position = fix.position;
  const SurfacePoint here(fix.position);
  r.ecef = here.position;
  r.accuracy_m = fix.horizontal_accuracy_m.value_or(default_accuracy_m);
  r.fix = &fix;
  if (fix.speed_mps && (fix.course_deg || *fix.speed_mps == 0)) {
    const double course = fix.course_deg.value_or(0) * std::numbers::pi / 180;
    r.velocity =
        here.FromHorizontal({*fix.speed_mps * std::sin(course), *fix.speed_mps * std::cos(course)});
  }
  return r;
}

double SecondsBetween(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms - from_ms) * 1e-3;
}

// Constant velocity with isotropic noise: both axes share one 2 x 2 covariance, so that all gains
// are scalars and the state can live in earth-centred space. Per axis P = [a b; b c],
//   Q = q [dt^3/3 dt^2/2; dt^2/2 dt].
struct CvState {
  Vec3 x, v;
  double a = 0, b = 0, c = 0;

  void Predict(double dt) {
    x = x + dt * v;
    a += dt * (2 * b + dt * c);
    b += dt * c;
  }
  void AddNoise(double qa, double qb, double qc) {
    a += qa;
    b += qb;
    c += qc;
  }
  void UpdatePosition(Vec3 z, double r) {
    const double kx = a / (a + r), kv = b / (a + r);
    const Vec3 e = z - x;
    x = x + kx * e;
    v = v + kv * e;
    c -= kv * b;
    b -= kx * b;
    a -= kx * a;
  }
  void UpdateVelocity(Vec3 z, double r) {
    const double kx = b / (c + r), kv = c / (c + r);
    const Vec3 e = z - v;
    x = x + kx * e;
    v = v + kv * e;
    a -= kx * b;
    b -= kx * c;
    c -= kv * c;
  }
};

TrackPoint ToTrackPoint(const CvState& s, std::int64_t utc_ms, bool with_radius) {
  TrackPoint p;
  p.utc_ms = utc_ms;
  p.position = FromEcef(s.x);
  const EastNorth v = SurfacePoint(p.position).Horizontal(s.v);
  p.speed_mps = std::hypot(v.east_m, v.north_m);
  const double course = std::atan2(v.east_m, v.north_m) * 180 / std::numbers::pi;
  p.course_deg = course < 0 ? course + 360 : course;
  if (with_radius) {
    const double sigma = std::sqrt(std::max(s.a, 0.0));
    p.r68_m = kR68PerSigma * sigma;
    p.r95_m = kR95PerSigma * sigma;
    p.covariance = TrackPoint::Covariance{s.a, 0, s.a};
  }
  return p;
}

constexpr double kAccelerationPsd = 1;       // estimation.md A.3, "CV q1"
constexpr double kDefaultVelocityMps = 0.3;  // A.5, with its floor
constexpr double kMinVelocityMps = 0.15;
constexpr double kInitialVelocityMps = 5;
constexpr double kLongGapS = 120;  // section B.2
constexpr double kGateNis = 13.8;  // A.5: chi-square, 2 degrees of freedom, 99.9 %
constexpr int kGateMaxRejects = 8;
constexpr double kGateMaxS = 20;

PeerTrack RunCv(std::span<const DeliveredFix> fixes, double default_accuracy_m, bool gate) {
  PeerTrack out;
  out.predicts = true;
  CvState s;
  std::optional<std::int64_t> last_ms, last_used_ms;
  int rejects = 0;
  for (const DeliveredFix& d : fixes) {
    const Report z = MakeReport(d, default_accuracy_m);
    const double sigma = z.accuracy_m / kR68PerSigma;
    const double r = sigma * sigma;
    const double sv =
        std::max(kMinVelocityMps, z.fix->speed_accuracy_mps.value_or(kDefaultVelocityMps));
    const auto reset = [&] {
      s = {z.ecef, z.velocity.value_or(Vec3{}), r, 0,
           z.velocity ? sv * sv : kInitialVelocityMps * kInitialVelocityMps};
      rejects = 0;
      last_used_ms = z.utc_ms;
    };
    if (!last_ms || SecondsBetween(*last_ms, z.utc_ms) > kLongGapS) {
      reset();
      last_ms = z.utc_ms;
    } else if (const double dt = SecondsBetween(*last_ms, z.utc_ms); dt > 0) {
      s.Predict(dt);
      s.AddNoise(kAccelerationPsd * dt * dt * dt / 3, kAccelerationPsd * dt * dt / 2,
                 kAccelerationPsd * dt);
      last_ms = z.utc_ms;
      const Vec3 e = z.ecef - s.x;
      if (gate && Dot(e, e) / (s.a + r) > kGateNis) {
        ++rejects;
        if (rejects > kGateMaxRejects || SecondsBetween(*last_used_ms, z.utc_ms) > kGateMaxS) {
          reset();
        }
      } else {
        s.UpdatePosition(z.ecef, r);
        if (z.velocity) s.UpdateVelocity(*z.velocity, sv * sv);
        rejects = 0;
        last_used_ms = z.utc_ms;
      }
    }
    out.live.push_back(ToTrackPoint(s, *last_ms, true));
    out.arrivals.push_back(d.arrival.mono);
  }
  out.track = out.live;
  return out;
}

// A rule that keeps some fixes and drops the others: live, the last kept one stands.
class Selection {
 public:
  void Keep(const Report& z) {
    TrackPoint p = replay::ToTrackPoint(*z.fix, z.utc_ms);
    out_.track.push_back(p);
    kept_ = p;
  }
  void EndOfFix(const Report& z, MonoTime arrival) {
    newest_ms_ = std::max(newest_ms_, z.utc_ms);
    if (!kept_) return;
    kept_->utc_ms = newest_ms_;
    out_.live.push_back(*kept_);
    out_.arrivals.push_back(arrival);
  }
  PeerTrack Take() { return std::move(out_); }

 private:
  PeerTrack out_;
  std::optional<TrackPoint> kept_;
  std::int64_t newest_ms_ = std::numeric_limits<std::int64_t>::min();
};

PeerTrack RunRaw(std::span<const DeliveredFix> fixes, double default_accuracy_m) {
  Selection selection;
  for (const DeliveredFix& d : fixes) {
    const Report z = MakeReport(d, default_accuracy_m);
    selection.Keep(z);
    selection.EndOfFix(z, d.arrival.mono);
  }
  return selection.Take();
}

PeerTrack RunGate(std::span<const DeliveredFix> fixes, double default_accuracy_m) {
  constexpr double kMaxAccuracyM = 100;
  constexpr double kMaxSpeedMps = 60;
  Selection selection;
  std::optional<Report> last;
  for (const DeliveredFix& d : fixes) {
    const Report z = MakeReport(d, default_accuracy_m);
    bool good = z.accuracy_m <= kMaxAccuracyM;
    if (good && last) {
      const double dt = SecondsBetween(last->utc_ms, z.utc_ms);
      good = dt > 0 && Norm(z.ecef - last->ecef) <= kMaxSpeedMps * dt;
    }
    if (good) {
      selection.Keep(z);
      last = z;
    }
    selection.EndOfFix(z, d.arrival.mono);
  }
  return selection.Take();
}

class OrganicFilter {
 public:
  bool Accepts(const Report& z) {
    if (!z.fix->speed_mps) return false;
    const bool accepted = !accepted_ || (IsGoodPoint(z) && (!before_last_ || IsGoodVector(z)));
    if (accepted) accepted_ = z;
    before_last_ = std::exchange(last_, z);
    return accepted;
  }

 private:
  static constexpr double kMaxAccuracyM = 250;
  static constexpr double kCloseM = 15;
  static constexpr double kMaxAccelerationMps2 = 2;
  static constexpr double kCosine45 = 0.70710678118;

  bool IsGoodPoint(const Report& z) const {
    if (z.accuracy_m > kMaxAccuracyM) return false;
    const double dt = SecondsBetween(last_->utc_ms, z.utc_ms);
    if (dt <= 0) return false;
    const double from_accepted_m = Norm(z.ecef - accepted_->ecef);
    if (from_accepted_m < kCloseM) return false;
    if (from_accepted_m < accepted_->accuracy_m && z.accuracy_m > 0.5 * accepted_->accuracy_m) {
      return false;
    }
    const double speed = Norm(z.ecef - last_->ecef) / dt;
    return (speed - *last_->fix->speed_mps) / dt <= kMaxAccelerationMps2;
  }
  bool IsGoodVector(const Report& z) const {
    const Vec3 predicted = last_->ecef - before_last_->ecef;
    const Vec3 real = z.ecef - last_->ecef;
    const double both = Norm(predicted) * Norm(real);
    const double cosine = both > 0 ? Dot(predicted, real) / both : 0;
    return cosine >= kCosine45 && Norm(real) <= std::max(kCloseM, 2 * Norm(predicted));
  }

  std::optional<Report> accepted_, last_, before_last_;
};

PeerTrack RunOrganic(std::span<const DeliveredFix> fixes, double default_accuracy_m) {
  Selection selection;
  OrganicFilter filter;
  for (const DeliveredFix& d : fixes) {
    const Report z = MakeReport(d, default_accuracy_m);
    if (filter.Accepts(z)) selection.Keep(z);
    selection.EndOfFix(z, d.arrival.mono);
  }
  return selection.Take();
}

struct GpsbabelProfile {
  double median_up_to_mps, max_speed_mps, r_scale, q_scale_position, q_scale_velocity;
};
constexpr std::array<GpsbabelProfile, 5> kGpsbabelProfiles{{
    {2, 2, 100, 0.01, 0.001},   // walking
    {5, 10, 10, 0.1, 0.01},     // running
    {20, 30, 1, 1, 0.1},        // cycling
    {50, 50, 0.1, 10, 1},       // driving
    {1e9, 300, 0.01, 100, 10},  // flying
}};

const GpsbabelProfile& ProfileOf(const std::vector<Report>& reports) {
  std::vector<double> speeds;
  for (std::size_t i = 1; i < reports.size(); ++i) {
    const double dt = SecondsBetween(reports[i - 1].utc_ms, reports[i].utc_ms);
    if (dt > 0) speeds.push_back(Norm(reports[i].ecef - reports[i - 1].ecef) / dt);
  }
  const double median = speeds.empty() ? 0 : Quantile(speeds, 0.5);
  return *std::find_if(kGpsbabelProfiles.begin(), kGpsbabelProfiles.end(),
                       [&](const GpsbabelProfile& p) { return median <= p.median_up_to_mps; });
}

// Drops spikes: after one, two fixes in a row must fit each other and the last good one.
class GpsbabelSpikes {
 public:
  explicit GpsbabelSpikes(double max_speed_mps) : max_speed_mps_(max_speed_mps) {}

  bool Keeps(const Report& report) {
    const Place z{report.utc_ms, report.ecef};
    const bool keep = Judge(z);
    if (keep) anchor_ = z;
    previous_ = z;
    return keep;
  }

 private:
  enum class State : std::uint8_t { kStart, kNormal, kRecovery, kOneGood };
  struct Place {
    std::int64_t utc_ms = 0;
    Vec3 ecef;
  };
  static constexpr double kGapS = 10;

  bool Judge(const Place& z) {
    if (state_ == State::kStart) {
      state_ = State::kNormal;
      return true;
    }
    const bool fits_anchor = SpeedMps(anchor_, z) <= max_speed_mps_;
    if (state_ == State::kNormal) {
      if (fits_anchor && SecondsBetween(anchor_.utc_ms, z.utc_ms) < kGapS) return true;
      state_ = State::kRecovery;
      return false;
    }
    if (!fits_anchor || SecondsBetween(previous_.utc_ms, z.utc_ms) > kGapS ||
        SpeedMps(previous_, z) > max_speed_mps_) {
      state_ = State::kRecovery;
      return false;
    }
    if (state_ == State::kOneGood) {
      state_ = State::kNormal;
      return true;
    }
    state_ = State::kOneGood;
    anchor_ = z;  // dropped itself, but the next is held against it
    return false;
  }
  static double SpeedMps(const Place& a, const Place& b) {
    return Norm(b.ecef - a.ecef) / std::max(1e-3, SecondsBetween(a.utc_ms, b.utc_ms));
  }

  double max_speed_mps_;
  State state_ = State::kStart;
  Place anchor_, previous_;
};

// GPSBabel filters unit vectors; only the ratio of its noises counts, so that metres give the same
// gains. Its chi-square gate compares squared radians (1e-10) with 11.34 and never closes.
PeerTrack RunGpsbabel(std::span<const DeliveredFix> fixes, double default_accuracy_m) {
  std::vector<Report> reports;
  reports.reserve(fixes.size());
  for (const DeliveredFix& d : fixes) reports.push_back(MakeReport(d, default_accuracy_m));
  PeerTrack out;
  if (reports.empty()) return out;
  const GpsbabelProfile& profile = ProfileOf(reports);
  GpsbabelSpikes spikes(profile.max_speed_mps);
  const double r = 0.1 * profile.r_scale;
  CvState s;
  std::size_t used = 0;
  std::int64_t last_ms = 0, newest_ms = reports.front().utc_ms;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const Report& z = reports[i];
    newest_ms = std::max(newest_ms, z.utc_ms);
    if (spikes.Keeps(z)) {
      const double dt = used == 0 ? 1 : SecondsBetween(last_ms, z.utc_ms);
      if (used == 0) {
        s.x = z.ecef;
      } else if (used == 1 && dt >= 1e-3) {
        s = {s.x, (1 / dt) * (z.ecef - s.x), 1000, 0, 1000};
        s.UpdatePosition(z.ecef, r);
      } else if (dt >= 1e-3) {
        s.Predict(dt);
        s.AddNoise(0.001 * profile.q_scale_position * dt * dt, 0,
                   0.1 * profile.q_scale_velocity * dt);
        s.UpdatePosition(z.ecef, r);
      }
      if (dt >= 1e-3) {
        last_ms = z.utc_ms;
        ++used;
        out.track.push_back(ToTrackPoint(s, z.utc_ms, false));
      }
    }
    if (used == 0) continue;
    out.live.push_back(out.track.back());
    out.live.back().utc_ms = newest_ms;
    out.arrivals.push_back(fixes[i].arrival.mono);
  }
  return out;
}

}  // namespace

std::span<const PeerName> PeerNames() { return kPeers; }

std::optional<Peer> PeerFromName(std::string_view name) {
  for (const PeerName& p : kPeers) {
    if (p.name == name) return p.peer;
  }
  return std::nullopt;
}

PeerTrack RunPeer(Peer peer, std::span<const DeliveredFix> fixes, double default_accuracy_m) {
  switch (peer) {
    case Peer::kRaw:
      return RunRaw(fixes, default_accuracy_m);
    case Peer::kCv:
      return RunCv(fixes, default_accuracy_m, false);
    case Peer::kCvGate:
      return RunCv(fixes, default_accuracy_m, true);
    case Peer::kGate:
      return RunGate(fixes, default_accuracy_m);
    case Peer::kOrganic:
      return RunOrganic(fixes, default_accuracy_m);
    case Peer::kGpsbabel:
      return RunGpsbabel(fixes, default_accuracy_m);
  }
  return {};
}

}  // namespace waymark::replay
