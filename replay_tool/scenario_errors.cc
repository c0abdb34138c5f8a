#include "replay_tool/scenario_errors.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "replay_tool/portable_math.h"

namespace waymark::replay {
namespace {

// r68 of a circular Gaussian: sqrt(-2 ln 0.32).
constexpr double kR68PerSigma = 1.5096;
// Section E: phones floor the radius near 3.8 m and scatter it by a log-normal factor of 0.3.
constexpr double kRadiusFloorM = 3.8;
constexpr double kRadiusLogSigma = 0.3;
// A noticed jump widens the radius' sigma by this share of the jump (prototypes/filter_eval.py).
constexpr double kNoticedShare = 0.6;
// Vertical errors are about twice the horizontal ones and slow.
constexpr double kAltitudeFactor = 2;
constexpr double kAltitudeTauS = 60;

}  // namespace

ErrorParameters OpenSky() {
  ErrorParameters p;
  p.white_m = 0.4;
  p.coloured = {GaussMarkov{8, 0.6}, GaussMarkov{100, 0.9}};
  p.velocity_mps = 0.10;
  return p;
}

ErrorParameters Suburb() {
  ErrorParameters p;
  p.white_m = 0.8;
  p.coloured = {GaussMarkov{10, 1.8}, GaussMarkov{120, 2.0}};
  p.jump_every_s = 300;
  p.jump_mean_m = 25;
  p.jump_duration_s = 8;
  p.dropout_every_s = 900;
  p.dropout_s = 10;
  p.velocity_mps = 0.2;
  p.missed_by_radius = 0.3;
  p.stuck_every_s = 600;
  p.stuck_s = 10;
  return p;
}

ErrorParameters Canyon() {
  ErrorParameters p;
  p.white_m = 3;
  p.coloured = {GaussMarkov{5, 6}, GaussMarkov{40, 8}};
  p.jump_every_s = 60;
  p.jump_mean_m = 50;
  p.jump_duration_s = 10;
  p.dropout_every_s = 150;
  p.dropout_s = 20;
  p.velocity_mps = 0.5;
  p.missed_by_radius = 0.5;
  p.stuck_every_s = 600;
  p.stuck_s = 10;
  return p;
}

ErrorParameters Indoor() {
  ErrorParameters p;
  p.white_m = 1;
  p.coloured = {GaussMarkov{60, 8}, GaussMarkov{1, 0}};
  p.missed_by_radius = 0.5;
  p.failed_fix = 0.3;
  p.hop_every_s = 600;
  return p;
}

ErrorModel::ErrorModel(const ErrorParameters& parameters, std::uint64_t seed)
    : parameters_(parameters), noise_(seed, "noise"), events_(seed, "events") {}

bool ErrorModel::Happens(double every_s, double dt_s) {
  return every_s > 0 && events_.Chance(1 - PortableExp(-dt_s / every_s));
}

ErrorState ErrorModel::Next(double dt_s) {
  const ErrorParameters& p = parameters_;
  ErrorState state;
  state.error = {p.white_m * noise_.Normal(), p.white_m * noise_.Normal()};
  double variance = p.white_m * p.white_m;
  for (std::size_t i = 0; i < coloured_.size(); ++i) {
    // Exact discretisation; the first epoch starts in the stationary distribution.
    const double keep = first_ ? 0 : PortableExp(-dt_s / p.coloured[i].tau_s);
    const double fresh = std::sqrt(1 - keep * keep);
    coloured_[i].east_m = keep * coloured_[i].east_m + fresh * noise_.Normal();
    coloured_[i].north_m = keep * coloured_[i].north_m + fresh * noise_.Normal();
    state.error.east_m += p.coloured[i].sigma_m * coloured_[i].east_m;
    state.error.north_m += p.coloured[i].sigma_m * coloured_[i].north_m;
    variance += p.coloured[i].sigma_m * p.coloured[i].sigma_m;
  }
  double sigma_m = std::sqrt(variance);
  {
    const double keep = first_ ? 0 : PortableExp(-dt_s / kAltitudeTauS);
    altitude_ = keep * altitude_ + std::sqrt(1 - keep * keep) * noise_.Normal();
    state.altitude_m = kAltitudeFactor * sigma_m * altitude_;
  }
  state.velocity = {p.velocity_mps * noise_.Normal(), p.velocity_mps * noise_.Normal()};
  const double radius_factor = PortableExp(kRadiusLogSigma * noise_.Normal());

  if (!first_) {
    jump_left_s_ -= dt_s;
    dropout_left_s_ -= dt_s;
    stuck_left_s_ -= dt_s;
    if (jump_left_s_ <= 0 && Happens(p.jump_every_s, dt_s)) {
      const double size_m = p.jump_min_m + events_.Exponential(p.jump_mean_m);
      const double angle = events_.Uniform(0, 2 * std::numbers::pi);
      jump_ = {size_m * PortableSin(angle), size_m * PortableCos(angle)};
      jump_left_s_ = 1 + events_.Exponential(p.jump_duration_s);
      jump_sigma_m_ = events_.Chance(p.missed_by_radius) ? 0 : kNoticedShare * size_m;
    }
    if (dropout_left_s_ <= 0 && Happens(p.dropout_every_s, dt_s)) {
      dropout_left_s_ = 1 + events_.Exponential(p.dropout_s);
    }
    if (stuck_left_s_ <= 0 && Happens(p.stuck_every_s, dt_s)) {
      stuck_left_s_ = events_.Exponential(p.stuck_s);
    }
    state.missing = dropout_left_s_ > 0 || (p.failed_fix > 0 && events_.Chance(p.failed_fix));
    state.stuck = stuck_left_s_ > 0;
    state.hop = Happens(p.hop_every_s, dt_s);
  }
  if (jump_left_s_ > 0) {
    state.error = {state.error.east_m + jump_.east_m, state.error.north_m + jump_.north_m};
    sigma_m = std::sqrt(sigma_m * sigma_m + jump_sigma_m_ * jump_sigma_m_);
  }
  if (state.hop) {
    const double size_m = events_.Uniform(30, 200);
    const double angle = events_.Uniform(0, 2 * std::numbers::pi);
    state.error = {size_m * PortableSin(angle), size_m * PortableCos(angle)};
    if (!events_.Chance(p.missed_by_radius)) {
      sigma_m = std::sqrt(sigma_m * sigma_m + kNoticedShare * kNoticedShare * size_m * size_m);
    }
  }
  state.sigma_m = sigma_m;
  state.radius_m = std::max(kRadiusFloorM, kR68PerSigma * sigma_m * radius_factor);
  first_ = false;
  return state;
}

}  // namespace waymark::replay
