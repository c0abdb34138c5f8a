#include "bench/track_run.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark::track {
namespace {

std::map<std::string, double>& Figures() {
  static std::map<std::string, double> figures;
  return figures;
}

std::int64_t UtcMs(const UtcTime& t) { return t.time_since_epoch().count(); }

Tuning& InUse() {
  static Tuning tuning;
  return tuning;
}

}  // namespace

const std::vector<Constant>& Constants() {
  static const std::vector<Constant> constants = {
      {"rest_mps", [](Tuning& t) { return &t.motion.rest_mps; }},
      {"span_per_noise", [](Tuning& t) { return &t.motion.span_per_noise; }},
      {"vehicle_span_per_noise", [](Tuning& t) { return &t.motion.vehicle_span_per_noise; }},
      {"vehicle_drift_noises", [](Tuning& t) { return &t.motion.vehicle_drift_noises; }},
      {"start_noises", [](Tuning& t) { return &t.motion.start_noises; }},
      {"progress_noises", [](Tuning& t) { return &t.motion.progress_noises; }},
      {"rest_scatter", [](Tuning& t) { return &t.motion.rest_scatter; }},
      {"far_span_s", [](Tuning& t) { return &t.motion.far_span_s; }},
      {"noise_share", [](Tuning& t) { return &t.odometer.noise_share; }},
      {"drift_s", [](Tuning& t) { return &t.odometer.drift_s; }},
      {"drift_mps", [](Tuning& t) { return &t.odometer.drift_mps; }},
      {"jitter_weight", [](Tuning& t) { return &t.odometer.jitter_weight; }},
      {"corner_share", [](Tuning& t) { return &t.odometer.corner_share; }},
      {"settled_s", [](Tuning& t) { return &t.motion.watch.settled_s; }},
      {"settled_m", [](Tuning& t) { return &t.motion.watch.settled_m; }},
      {"stray_m", [](Tuning& t) { return &t.motion.watch.stray_m; }},
      {"stray_s", [](Tuning& t) { return &t.motion.watch.stray_s; }},
      {"walk_m", [](Tuning& t) { return &t.motion.watch.walk_m; }},
  };
  return constants;
}

void Note(const std::string& figure, double value) { Figures()[figure] = value; }

std::optional<double> Noted(const std::string& figure) {
  const auto at = Figures().find(figure);
  return at == Figures().end() ? std::nullopt : std::optional(at->second);
}

bool Set(const std::string& setting) {
  const std::size_t at = setting.find('=');
  for (const Constant& c : Constants()) {
    if (at == std::string::npos || setting.substr(0, at) != c.name) continue;
    *c.of(InUse()) = std::strtod(setting.c_str() + at + 1, nullptr);
    return true;
  }
  return false;
}

int Run::starts() const {
  return static_cast<int>(std::count_if(events.begin(), events.end(), [](const MotionEvent& e) {
    return e.kind == MotionEvent::Kind::kMotionChange && e.change.motion == Motion::kMoving;
  }));
}

Run Track(const Session& session) { return Track(session, InUse()); }

Run Track(const Session& session, const Tuning& tuning) {
  Run run;
  Estimator estimator = Estimator::Create({}).value();
  MotionDetector detector({}, tuning.motion);
  Odometer odometer(tuning.odometer);
  std::optional<LatLon> before;
  for (const DeliveredFix& d : session.fixes) {
    const Verdict verdict = estimator.Update(d.fix, d.arrival);
    if (before) run.raw_m += DistanceM(*before, d.fix.position);
    before = d.fix.position;
    const std::optional<Estimate> live = estimator.Latest();
    if (!live) continue;
    const Fix heard = estimator.Heard(d.fix);
    detector.Update(*live, heard, verdict, odometer.total(), run.events);
    if (verdict.used()) odometer.Update(*live, detector.motion(), &heard, detector.way());
    if (live->utc) run.steps.push_back({UtcMs(*live->utc), detector.motion(), odometer.total()});
  }
  detector.Finish(odometer.total(), run.events);
  for (const MotionEvent& e : run.events) {
    if (e.kind == MotionEvent::Kind::kStayEnded) run.stays.push_back(e.stay);
  }
  return run;
}

// A second apart at least for the speed, so that the jitter of a 10 Hz solution at rest is no way;
// the way itself is summed in full wherever the body moves, so that turns are not cut.
TruthLength::TruthLength(const Session& s) {
  double sum_m = 0;
  for (std::size_t i = 0; i < s.truth.size();) {
    std::size_t j = i + 1;
    double way_m = 0;
    while (j < s.truth.size()) {
      way_m += DistanceM(s.truth[j - 1].position, s.truth[j].position);
      if (s.truth[j].utc_ms - s.truth[i].utc_ms >= 990) break;
      ++j;
    }
    const std::size_t to = std::min(j, s.truth.size() - 1);
    const double dt_s = static_cast<double>(s.truth[to].utc_ms - s.truth[i].utc_ms) / 1000;
    const double step_m = DistanceM(s.truth[i].position, s.truth[to].position);
    const double v_mps = dt_s > 0 ? step_m / dt_s : 0;
    utc_ms_.push_back(s.truth[i].utc_ms);
    length_m_.push_back(sum_m);
    speed_mps_.push_back(v_mps);
    // A corner within a second leaves at least two thirds of the way.
    sum_m += v_mps < 0.05 ? 0 : v_mps > 0.5 && way_m < 1.5 * step_m ? way_m : step_m;
    i = j;
  }
}

std::optional<double> TruthLength::At(std::int64_t t) const {
  const auto it = std::lower_bound(utc_ms_.begin(), utc_ms_.end(), t);
  if (it == utc_ms_.end() || (it == utc_ms_.begin() && *it != t)) return std::nullopt;
  const auto i = static_cast<std::size_t>(it - utc_ms_.begin());
  if (*it == t) return length_m_[i];
  if (utc_ms_[i] - utc_ms_[i - 1] > 3000) return std::nullopt;
  const double f =
      static_cast<double>(t - utc_ms_[i - 1]) / static_cast<double>(utc_ms_[i] - utc_ms_[i - 1]);
  return length_m_[i - 1] + f * (length_m_[i] - length_m_[i - 1]);
}

std::vector<Interval> TruthLength::Rests(std::int64_t least_ms) const {
  std::vector<Interval> out;
  for (std::size_t i = 0; i < utc_ms_.size();) {
    std::size_t j = i;
    while (j < utc_ms_.size() && speed_mps_[j] < 0.2) ++j;
    const std::size_t end = std::min(j, utc_ms_.size() - 1);
    if (j > i && utc_ms_[end] - utc_ms_[i] >= least_ms) out.push_back({utc_ms_[i], utc_ms_[end]});
    i = j + 1;
  }
  return out;
}

double OdometerWithin(const Run& run, const std::vector<Interval>& in) {
  double sum_m = 0;
  for (std::size_t k = 1; k < run.steps.size(); ++k) {
    for (const Interval& w : in) {
      if (run.steps[k - 1].utc_ms < w.begin_ms || run.steps[k].utc_ms > w.end_ms) continue;
      sum_m += run.steps[k].total.distance_m - run.steps[k - 1].total.distance_m;
    }
  }
  return sum_m;
}

double RawWithin(const Session& s, const std::vector<Interval>& in) {
  double sum_m = 0;
  for (std::size_t k = 1; k < s.fixes.size(); ++k) {
    for (const Interval& w : in) {
      if (UtcMs(*s.fixes[k - 1].fix.utc) < w.begin_ms || UtcMs(*s.fixes[k].fix.utc) > w.end_ms) {
        continue;
      }
      sum_m += DistanceM(s.fixes[k - 1].fix.position, s.fixes[k].fix.position);
    }
  }
  return sum_m;
}

std::vector<Interval> RestsOf(const Run& run, std::int64_t least_ms) {
  std::vector<Interval> out;
  bool resting = false;
  std::int64_t since_ms = 0;
  const auto close = [&](std::int64_t end_ms) {
    if (resting && end_ms - since_ms >= least_ms) out.push_back({since_ms, end_ms});
    resting = false;
  };
  for (const MotionEvent& e : run.events) {
    if (e.kind != MotionEvent::Kind::kMotionChange || !e.change.utc) continue;
    if (e.change.motion == Motion::kStationary) {
      resting = true;
      since_ms = UtcMs(*e.change.utc);
    } else {
      close(UtcMs(*e.change.utc));
    }
  }
  if (!run.steps.empty()) close(run.steps.back().utc_ms);
  return out;
}

void MatchScore::Add(const std::vector<Interval>& f, const std::vector<Interval>& w) {
  found += static_cast<double>(f.size());
  wanted += static_cast<double>(w.size());
  std::vector<bool> taken(w.size(), false);
  for (const Interval& a : f) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const auto common = std::min(a.end_ms, w[i].end_ms) - std::max(a.begin_ms, w[i].begin_ms);
      const auto joint = std::max(a.end_ms, w[i].end_ms) - std::min(a.begin_ms, w[i].begin_ms);
      if (taken[i] || 2 * common < joint) continue;
      taken[i] = true;
      ++matched;
      begin_late_s.push_back(std::abs(static_cast<double>(a.begin_ms - w[i].begin_ms)) / 1000);
      end_late_s.push_back(std::abs(static_cast<double>(a.end_ms - w[i].end_ms)) / 1000);
      break;
    }
  }
}

std::vector<Session> SurveyedDrives() {
  std::vector<Session> out;
  for (const char* set : {"gsdc-android", "google-nmeautils", "smartloc-berlin"}) {
    for (Session& s :
         corpus::LoadRecorded(std::string(WAYMARK_SHARED_DATA "/traces/") + set, "fixes.csv")) {
      if (s.truth.size() > 100) out.push_back(std::move(s));
    }
  }
  return out;
}

std::vector<Session> PhoneDrives() {
  return corpus::LoadRecorded(WAYMARK_SHARED_DATA "/traces/strapdown-phone", "fixes.csv");
}

std::vector<Session> DegradedTwins() {
  std::vector<Session> twins;
  for (const char* folder : {"gsdc-android", "strapdown-phone"}) {
    for (Session& s : corpus::LoadRecorded(std::string(WAYMARK_SHARED_DATA "/traces/") + folder,
                                           "fixes_deg.csv")) {
      twins.push_back(std::move(s));
    }
  }
  return twins;
}

}  // namespace waymark::track
