// The inside of a TrackFilter, for the tests that hold it against something else.
#ifndef WAYMARK_TESTS_SUPPORT_TRACK_FILTER_ACCESS_H_
#define WAYMARK_TESTS_SUPPORT_TRACK_FILTER_ACCESS_H_

#include <array>
#include <optional>

#include "filters/track_filter.h"

namespace waymark {

struct TrackFilterAccess {
  using Models = std::array<AxisState, TrackFilter::kModels>;
  using Modes = std::array<double, TrackFilter::kModels>;

  static Models& ModelsOf(TrackFilter& f) { return f.models_; }
  static Modes& ModesOf(TrackFilter& f) { return f.mode_; }
  /// The second hypothesis, if there is one.
  static const AxisState* Held(const TrackFilter& f) {
    return f.jump_votes_ > 0 ? &f.jump_ : nullptr;
  }

  static void Combine(TrackFilter& f) { f.Combine(); }
  /// Mixes the models and takes each to the time `dt_s` later.
  static void Predict(TrackFilter& f, double dt_s, const GmStep& gm, const FilterTuning& t) {
    f.SetFactors(dt_s, t);
    f.MixModels(dt_s, t);
    f.PredictModels(dt_s, gm, t);
  }
  struct Position {
    Vec2 p;
    double var = 0;  ///< per axis
  };
  static Position Expect(TrackFilter& f, bool foreign) {
    f.foreign_ = foreign;
    const auto x = f.ExpectPosition();
    return {x.p, x.var};
  }
  struct Measured {
    Vec2 at;
    double var = 0;
  };
  static void Update(TrackFilter& f, const std::optional<Measured>& p, bool foreign,
                     const std::optional<Measured>& v) {
    f.foreign_ = foreign;
    std::optional<TrackFilter::Velocity> velocity;
    if (v) velocity = TrackFilter::Velocity{v->at, v->var};
    f.UpdateModels(p ? p->at : Vec2{}, p ? p->var : 0, velocity, p.has_value());
  }
};

}  // namespace waymark

#endif  // WAYMARK_TESTS_SUPPORT_TRACK_FILTER_ACCESS_H_
