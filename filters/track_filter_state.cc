// How a TrackFilter is written into a snapshot and read back.
#include <cmath>

#include "filters/track_filter.h"

namespace waymark {
namespace {

void SaveVec(StateWriter& w, Vec2 v) {
  w.F64(v.e);
  w.F64(v.n);
}
Vec2 LoadVec(StateReader& r) {
  Vec2 v;
  v.e = r.F64();
  v.n = r.F64();
  return v;
}

void SaveAxis(StateWriter& w, const AxisState& s) {
  w.F64s({s.p.e, s.p.n, s.v.e, s.v.n, s.b.e, s.b.n, s.cov.pp, s.cov.pv, s.cov.pb, s.cov.vv,
          s.cov.vb, s.cov.bb});
}
void LoadAxis(StateReader& r, AxisState& s) {
  for (double* x : {&s.p.e, &s.p.n, &s.v.e, &s.v.n, &s.b.e, &s.b.n, &s.cov.pp, &s.cov.pv, &s.cov.pb,
                    &s.cov.vv, &s.cov.vb, &s.cov.bb}) {
    *x = r.F64();
  }
  if (s.cov.pp < 0 || s.cov.vv < 0 || s.cov.bb < 0) r.Fail();
}

}  // namespace

void TrackFilter::Save(StateWriter& w) const {
  w.Bool(started_);
  w.Bool(reanchored_);
  w.Bool(at_rest_);
  w.Bool(bound_only_);
  w.Time(time_);
  w.Time(last_used_);
  w.Position(frame_.origin());
  for (const AxisState& m : models_) SaveAxis(w, m);
  for (double m : mode_) w.F64(m);
  SaveAxis(w, combined_);
  w.F64s({noise_.white_var_m2, noise_.gm_var_m2, noise_.gm_tau_s, follow_, slow_var_m2_,
          variance_scale_, weight_, usual_step_s_, measured_v_var_, hint_stopped_});
  w.F64s({offset_.e, offset_.n, rest_.e, rest_.n, published_.e, published_.n, measured_p_.e,
          measured_p_.n, last_raw_v_.e, last_raw_v_.n, hint_p_.e, hint_p_.n, zero_p_.e, zero_p_.n,
          jump_begin_p_.e, jump_begin_p_.n});
  w.Bool(measured_v_.has_value());
  SaveVec(w, measured_v_.value_or(Vec2{}));
  w.Bool(inferred_v_);
  w.Bool(has_last_raw_v_);
  trial_.Save(w);
  w.Bool(at_zero_);
  w.Time(zero_time_);
  w.Bool(lone_);
  w.F64(doubt_m_);
  w.F64s({jump_unsettled_m2_, unsettled_m2_});
  w.U32(leaps_in_a_row_);
  SaveAxis(w, without_it_);
  w.Bool(repeats_);
  w.Bool(moved_before_);
  w.Time(news_time_);
  w.U8(static_cast<std::uint8_t>(own_source_));
  w.F64s({usual_accuracy_m_, usual_off_});
  w.U32(foreign_count_);
  w.Bool(foreign_);
  w.Bool(fresh_error_);
  w.F64(measured_var_);
  w.U32(support_);
  w.U32(jump_votes_);
  w.Time(jump_begin_);
  SaveAxis(w, jump_);
  w.Time(hint_time_);
  altitude_.Save(w);
}

void TrackFilter::Load(StateReader& r) {
  started_ = r.Bool();
  reanchored_ = r.Bool();
  at_rest_ = r.Bool();
  bound_only_ = r.Bool();
  time_ = r.Time();
  last_used_ = r.Time();
  SetAnchor(r.Position());
  for (AxisState& m : models_) LoadAxis(r, m);
  double sum = 0;
  for (double& m : mode_) {
    m = r.F64();
    if (m < 0 || m > 1) r.Fail();
    sum += m;
  }
  if (std::fabs(sum - 1) > 1e-6) r.Fail();
  LoadAxis(r, combined_);
  for (double* x :
       {&noise_.white_var_m2, &noise_.gm_var_m2, &noise_.gm_tau_s, &follow_, &slow_var_m2_,
        &variance_scale_, &weight_, &usual_step_s_, &measured_v_var_, &hint_stopped_}) {
    *x = r.F64();
  }
  for (Vec2* v : {&offset_, &rest_, &published_, &measured_p_, &last_raw_v_, &hint_p_, &zero_p_,
                  &jump_begin_p_})
    *v = LoadVec(r);
  if (!(noise_.white_var_m2 > 0) || !(noise_.gm_var_m2 > 0) || !(noise_.gm_tau_s > 0)) r.Fail();
  if (follow_ < 0 || follow_ > 1 || !(slow_var_m2_ > 0) || !(usual_step_s_ >= 1)) r.Fail();
  const bool has_v = r.Bool();
  const Vec2 v = LoadVec(r);
  measured_v_ = has_v ? std::optional<Vec2>(v) : std::nullopt;
  inferred_v_ = r.Bool();
  has_last_raw_v_ = r.Bool();
  trial_.Load(r);
  at_zero_ = r.Bool();
  zero_time_ = r.Time();
  lone_ = r.Bool();
  doubt_m_ = r.F64();
  jump_unsettled_m2_ = r.F64();
  unsettled_m2_ = r.F64();
  leaps_in_a_row_ = r.U32();
  if (!(jump_unsettled_m2_ >= 0) || !(unsettled_m2_ >= 0)) r.Fail();
  LoadAxis(r, without_it_);
  repeats_ = r.Bool();
  moved_before_ = r.Bool();
  news_time_ = r.Time();
  own_source_ = r.Enum<FixSource>(4);
  usual_accuracy_m_ = r.F64();
  usual_off_ = r.F64();
  if (!(usual_accuracy_m_ > 0) || !(usual_off_ >= 1)) r.Fail();
  foreign_count_ = r.U32();
  foreign_ = r.Bool();
  fresh_error_ = r.Bool();
  measured_var_ = r.F64();
  if (!(measured_var_ > 0)) r.Fail();
  support_ = r.U32();
  jump_votes_ = r.U32();
  jump_begin_ = r.Time();
  LoadAxis(r, jump_);
  hint_time_ = r.Time();
  altitude_.Load(r);
}

}  // namespace waymark
