// ErrorModel: what a phone's position lacks, after reference estimation.md, section E:
//   error = white + Gauss-Markov(tau1) + Gauss-Markov(tau2) + jumps, and dropouts, stuck fixes,
//   misreported radii.
// Sigmas are metres per axis.
#ifndef WAYMARK_REPLAY_TOOL_SCENARIO_ERRORS_H_
#define WAYMARK_REPLAY_TOOL_SCENARIO_ERRORS_H_

#include <array>
#include <cstdint>

#include "replay_tool/random.h"
#include "waymark/geometry.h"

namespace waymark::replay {

struct GaussMarkov {
  double tau_s = 1;
  double sigma_m = 0;
};

struct ErrorParameters {
  double white_m = 0;
  std::array<GaussMarkov, 2> coloured{};
  double jump_every_s = 0;  ///< mean time between jumps; 0: none
  double jump_min_m = 10, jump_mean_m = 0, jump_duration_s = 0;  ///< min + Exp(mean), 1 + Exp
  double dropout_every_s = 0, dropout_s = 0;
  double velocity_mps = 0;      ///< sigma per axis; 0: the source tells no velocity
  double missed_by_radius = 0;  ///< probability that the radius does not notice a jump
  double stuck_every_s = 0, stuck_s = 0;
  double failed_fix = 0;   ///< probability that a fix does not come
  double hop_every_s = 0;  ///< a network position 30-200 m off, for one fix
};

/// The rows of the table; indoor is its "indoor stay".
ErrorParameters OpenSky();
ErrorParameters Suburb();
ErrorParameters Canyon();
ErrorParameters Indoor();

/// One epoch's error.
struct ErrorState {
  EastNorth error;        ///< white, coloured and jump together
  double sigma_m = 0;     ///< what the radius is computed from
  double radius_m = 0;    ///< the reported 68 % radius
  double altitude_m = 0;  ///< error of the altitude
  EastNorth velocity;     ///< error of the velocity, m/s
  bool missing = false;   ///< dropout or failed fix
  bool stuck = false;     ///< the previous report is repeated with this epoch's time
  bool hop = false;       ///< a network position
};

class ErrorModel {
 public:
  ErrorModel(const ErrorParameters& parameters, std::uint64_t seed);

  /// Changes the surroundings; the coloured errors fade over.
  void SetParameters(const ErrorParameters& parameters) { parameters_ = parameters; }
  const ErrorParameters& parameters() const { return parameters_; }
  /// The next epoch, `dt_s` after the last.
  ErrorState Next(double dt_s);

 private:
  bool Happens(double every_s, double dt_s);

  ErrorParameters parameters_;
  Random noise_, events_;
  std::array<EastNorth, 2> coloured_{};  ///< in units of sigma
  double altitude_ = 0;                  ///< in units of sigma
  EastNorth jump_;
  double jump_sigma_m_ = 0;
  double jump_left_s_ = 0, dropout_left_s_ = 0, stuck_left_s_ = 0;
  bool first_ = true;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_SCENARIO_ERRORS_H_
