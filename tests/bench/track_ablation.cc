// Prints, on recorded and generated sessions: phantom metres while standing, the odometer's error
// and the coverage of its bound, rests and stays against truth and labels, and the simplifier's
// knots against Douglas-Peucker and an offline optimum. Run: build/bench/tests/bench/track_ablation
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bench/trace_corpus.h"
#include "filters/motion_detector.h"
#include "filters/odometer.h"
#include "filters/track_simplifier.h"
#include "waymark/estimator.h"
#include "waymark/geometry.h"

namespace waymark {
namespace {

using corpus::ErrorModel;
using corpus::Session;

struct Step {
  std::int64_t utc_ms = 0;
  Motion motion = Motion::kUnknown;
  Distance total;
};

struct Run {
  std::vector<Step> steps;
  std::vector<Estimate> estimates;
  std::vector<MotionEvent> events;
  std::vector<Stay> stays;
  double raw_m = 0;
};

// The chain of the core: estimate, motion, odometer.
Run Track(const Session& session) {
  Run run;
  EstimatorOptions options;
  Estimator estimator = Estimator::Create(options).value();
  MotionDetector detector;
  Odometer odometer;
  std::optional<LatLon> before;
  for (const DeliveredFix& d : session.fixes) {
    const Verdict verdict = estimator.Update(d.fix, d.arrival);
    if (before) run.raw_m += DistanceM(*before, d.fix.position);
    before = d.fix.position;
    const std::optional<Estimate> live = estimator.Latest();
    if (!live) continue;
    detector.Update(*live, d.fix, verdict, odometer.total(), run.events);
    odometer.Update(*live, detector.motion());
    if (live->utc) {
      run.steps.push_back(
          {live->utc->time_since_epoch().count(), detector.motion(), odometer.total()});
    }
    if (run.estimates.empty() || live->time > run.estimates.back().time) {
      run.estimates.push_back(*live);
    }
  }
  detector.Finish(odometer.total(), run.events);
  for (const MotionEvent& e : run.events) {
    if (e.kind == MotionEvent::Kind::kStayEnded) run.stays.push_back(e.stay);
  }
  return run;
}

int Changes(const Run& run) {
  return static_cast<int>(std::count_if(run.events.begin(), run.events.end(), [](const auto& e) {
    return e.kind == MotionEvent::Kind::kMotionChange && e.change.motion == Motion::kMoving;
  }));
}

// The error models of estimation.md E.
ErrorModel Open() {
  ErrorModel m;
  m.white = 0.4, m.gm1 = 0.6, m.tau1 = 8, m.gm2 = 0.9, m.tau2 = 100, m.velocity_sigma = 0.1;
  m.radius_m = 3.8;
  return m;
}
ErrorModel Suburb() {
  ErrorModel m;
  m.white = 0.8, m.gm1 = 1.8, m.tau1 = 10, m.gm2 = 2, m.tau2 = 120, m.velocity_sigma = 0.2;
  m.burst_rate = 1.0 / 300, m.burst_min = 10, m.burst_max = 60, m.burst_fixes = 8;
  m.gap_rate = 1.0 / 900, m.gap_mean_s = 10, m.radius_m = 5;
  return m;
}
ErrorModel Canyon() {
  ErrorModel m;
  m.white = 3, m.gm1 = 6, m.tau1 = 5, m.gm2 = 8, m.tau2 = 40, m.velocity_sigma = 0.5;
  m.burst_rate = 1.0 / 60, m.burst_min = 10, m.burst_max = 110, m.burst_fixes = 10;
  m.gap_rate = 1.0 / 150, m.gap_mean_s = 20, m.radius_m = 15, m.burst_honest = 0.5;
  return m;
}

void PrintStanding() {
  std::printf("\nStanding 30 min: odometer against the raw track, m (seeds 1-10)\n");
  std::printf("%-28s %9s %9s %9s %8s %7s\n", "scene", "raw", "ours", "worst", "share", "starts");
  const struct {
    const char* name;
    ErrorModel model;
  } scenes[] = {{"open", Open()}, {"suburb", Suburb()}, {"canyon", Canyon()}};
  for (const auto& scene : scenes) {
    for (const bool velocity : {true, false}) {
      double raw = 0, ours = 0, worst = 0;
      int starts = 0;
      constexpr int kSeeds = 10;
      for (int seed = 1; seed <= kSeeds; ++seed) {
        Session s = corpus::Stand(scene.model, 30, static_cast<std::uint64_t>(seed));
        if (!velocity) s = corpus::PositionOnly(std::move(s));
        const Run run = Track(s);
        const double m = run.steps.empty() ? 0 : run.steps.back().total.distance_m;
        raw += run.raw_m, ours += m, worst = std::max(worst, m);
        starts += Changes(run);
      }
      std::printf("%-28s %9.0f %9.1f %9.1f %7.2f%% %7.1f\n",
                  (std::string(scene.name) + (velocity ? "" : ", position only")).c_str(),
                  raw / kSeeds, ours / kSeeds, worst, 100 * ours / raw,
                  static_cast<double>(starts) / kSeeds);
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

// Cumulative length of the truth, and its speed, by time. Thinned to 1 s: the jitter of a
// 10 Hz solution at rest is no way.
struct TruthLength {
  std::vector<std::int64_t> utc_ms;
  std::vector<double> length_m, speed_mps;
  explicit TruthLength(const Session& s) {
    double sum = 0;
    std::optional<corpus::TruthPoint> last;
    for (const corpus::TruthPoint& p : s.truth) {
      if (last && p.utc_ms - last->utc_ms < 1000) continue;
      double v = 0;
      if (last) {
        const double step = DistanceM(last->position, p.position);
        v = step * 1000 / static_cast<double>(p.utc_ms - last->utc_ms);
        if (v > 0.05) sum += step;
      }
      utc_ms.push_back(p.utc_ms);
      length_m.push_back(sum);
      speed_mps.push_back(v);
      last = p;
    }
  }
  std::optional<double> At(std::int64_t t) const {
    const auto it = std::lower_bound(utc_ms.begin(), utc_ms.end(), t);
    if (it == utc_ms.end() || (it == utc_ms.begin() && *it != t)) return std::nullopt;
    const std::size_t i = static_cast<std::size_t>(it - utc_ms.begin());
    if (*it == t) return length_m[i];
    if (utc_ms[i] - utc_ms[i - 1] > 3000) return std::nullopt;
    const double f =
        static_cast<double>(t - utc_ms[i - 1]) / static_cast<double>(utc_ms[i] - utc_ms[i - 1]);
    return length_m[i - 1] + f * (length_m[i] - length_m[i - 1]);
  }
};

struct RestScore {
  double tp = 0, fp = 0, fn = 0, tn = 0;  ///< seconds
  std::vector<double> stop_delay_s, start_delay_s;
};

RestScore ScoreRests(const Run& run, const TruthLength& truth) {
  RestScore r;
  // A rest of the truth: slower than 0.2 m/s for at least 10 s.
  std::vector<bool> rest(truth.utc_ms.size(), false);
  for (std::size_t i = 0; i < rest.size();) {
    std::size_t j = i;
    while (j < rest.size() && truth.speed_mps[j] < 0.2) ++j;
    if (j > i && truth.utc_ms[j - 1] - truth.utc_ms[i] >= 10'000) {
      std::fill(rest.begin() + static_cast<std::ptrdiff_t>(i),
                rest.begin() + static_cast<std::ptrdiff_t>(j), true);
    }
    i = std::max(j, i + 1);
  }
  for (std::size_t k = 1; k < run.steps.size(); ++k) {
    const Step& s = run.steps[k];
    const double dt = std::min(5.0, static_cast<double>(s.utc_ms - run.steps[k - 1].utc_ms) / 1e3);
    const auto it = std::lower_bound(truth.utc_ms.begin(), truth.utc_ms.end(), s.utc_ms);
    if (it == truth.utc_ms.end() || dt <= 0) continue;
    const bool t = rest[static_cast<std::size_t>(it - truth.utc_ms.begin())];
    const bool o = s.motion == Motion::kStationary;
    (t ? (o ? r.tp : r.fn) : (o ? r.fp : r.tn)) += dt;
  }
  return r;
}

void PrintOdometer() {
  std::printf("\nOdometer on drives with survey-grade truth\n");
  std::printf("%-44s %8s %8s %8s %7s %9s %7s %7s\n", "session", "truth m", "error %", "bound %",
              "raw %", "5-min cov", "rest P", "rest R");
  const auto row = [](const Session& s, double* cover, double* pieces) {
    const TruthLength truth(s);
    const Run run = Track(s);
    const Step* first = nullptr;
    const Step* last = nullptr;
    // Pieces of five minutes are judged each against the bound between their readings.
    const Step* begin = nullptr;
    double in = 0, n = 0;
    for (const Step& step : run.steps) {
      if (!truth.At(step.utc_ms)) continue;
      if (first == nullptr) first = begin = &step;
      last = &step;
      if (step.utc_ms - begin->utc_ms >= 300'000) {
        const Distance way = Odometer::Between(begin->total, step.total);
        const double real = *truth.At(step.utc_ms) - *truth.At(begin->utc_ms);
        in += std::abs(way.distance_m - real) <= way.bound_m;
        ++n;
        begin = &step;
      }
    }
    if (first == nullptr || last == first) return;
    const double real = *truth.At(last->utc_ms) - *truth.At(first->utc_ms);
    const Distance way = Odometer::Between(first->total, last->total);
    const RestScore rest = ScoreRests(run, truth);
    std::printf("%-44s %8.0f %+8.3f %8.3f %+7.2f %5.0f/%-3.0f %7.3f %7.3f\n", s.name.c_str(), real,
                100 * (way.distance_m / real - 1), 100 * way.bound_m / real,
                100 * (run.raw_m / real - 1), in, n, rest.tp / std::max(1.0, rest.tp + rest.fp),
                rest.tp / std::max(1.0, rest.tp + rest.fn));
    *cover += in;
    *pieces += n;
  };
  double cover = 0, pieces = 0;
  const std::vector<Session> drives = SurveyedDrives();
  for (const Session& s : drives) {
    row(s, &cover, &pieces);
    Session p = corpus::PositionOnly(s);
    p.name += ", position only";
    row(p, &cover, &pieces);
  }
  for (const Session& s : drives) {
    if (s.truth.size() < 5000) continue;
    for (const auto& [name, model] : {std::pair("open", Open()), std::pair("suburb", Suburb()),
                                      std::pair("canyon", Canyon())}) {
      for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        Session t = corpus::Resimulate(s, model, seed);
        t.truth = s.truth;
        t.name = s.name.substr(0, 24) + " as " + name + " " + std::to_string(seed);
        row(t, &cover, &pieces);
        if (seed > 1) continue;
        Session p = corpus::PositionOnly(t);
        p.name += ", position only";
        row(p, &cover, &pieces);
      }
    }
  }
  std::printf("5-minute pieces inside the bound: %.1f %% of %.0f\n", 100 * cover / pieces, pieces);
}

struct Interval {
  std::int64_t begin_ms = 0, end_ms = 0;
};

struct Labelled {
  std::vector<std::int64_t> utc_ms;
  std::vector<int> stationary;
};

std::optional<Labelled> LoadLabels(const std::string& dir) {
  std::ifstream in(dir + "/labels.csv");
  std::string line;
  if (!in || !std::getline(in, line)) return std::nullopt;
  Labelled l;
  while (std::getline(in, line)) {
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos || comma + 1 >= line.size()) continue;
    if (line[comma + 1] != '0' && line[comma + 1] != '1') continue;
    l.utc_ms.push_back(std::strtoll(line.c_str(), nullptr, 10));
    l.stationary.push_back(line[comma + 1] == '1');
  }
  if (l.utc_ms.empty()) return std::nullopt;
  return l;
}

// Positions and times only: all that the labelled sets have.
std::optional<Session> LoadPositions(const std::string& dir, const std::string& name) {
  std::ifstream in(dir + "/fixes.csv");
  std::string line;
  if (!in || !std::getline(in, line)) return std::nullopt;
  Session s;
  s.name = name;
  std::int64_t latest_ms = 0;
  while (std::getline(in, line)) {
    char* at = nullptr;
    const std::int64_t ms = std::strtoll(line.c_str(), &at, 10);
    if (*at != ',') continue;
    const double lat_deg = std::strtod(at + 1, &at);
    if (*at != ',') continue;
    const double lon_deg = std::strtod(at + 1, nullptr);
    latest_ms = std::max(latest_ms, ms);
    DeliveredFix d;
    d.fix.time = MonoTime(std::chrono::milliseconds(ms));
    d.fix.utc = UtcTime(std::chrono::milliseconds(ms));
    d.fix.position = {lat_deg, lon_deg};
    d.arrival = {MonoTime(std::chrono::milliseconds(latest_ms)),
                 UtcTime(std::chrono::milliseconds(latest_ms))};
    s.fixes.push_back(d);
  }
  return s;
}

// Runs of stationary labels of at least `least_ms`.
std::vector<Interval> LabelledStays(const Labelled& l, std::int64_t least_ms) {
  std::vector<Interval> out;
  for (std::size_t i = 0; i < l.utc_ms.size();) {
    std::size_t j = i;
    while (j + 1 < l.utc_ms.size() && l.stationary[j + 1] == l.stationary[i]) ++j;
    const std::int64_t end = j + 1 < l.utc_ms.size() ? l.utc_ms[j + 1] : l.utc_ms[j];
    if (l.stationary[i] && end - l.utc_ms[i] >= least_ms) out.push_back({l.utc_ms[i], end});
    i = j + 1;
  }
  return out;
}

void PrintStays() {
  std::printf("\nStays against diary labels (matched at IoU >= 0.5; share of labelled time)\n");
  std::printf("%-28s %6s %6s %6s %6s %6s | %7s %7s %7s | %9s %9s\n", "session", "labels", "stays",
              "P", "R", "F1", "time P", "time R", "time F1", "phantom m", "raw m");
  for (const char* set : {"ssi-opengeodata", "stopgo-example"}) {
    const std::string folder = std::string(WAYMARK_SHARED_DATA "/traces/") + set;
    std::error_code error;
    std::vector<std::string> dirs;
    for (const auto& d : std::filesystem::directory_iterator(folder, error)) {
      if (d.is_directory()) dirs.push_back(d.path().string());
    }
    std::sort(dirs.begin(), dirs.end());
    double all_tp = 0, all_stays = 0, all_labels = 0;
    for (const std::string& dir : dirs) {
      const std::string name = dir.substr(dir.rfind('/') + 1);
      const std::optional<Session> s = LoadPositions(dir, name);
      const std::optional<Labelled> labels = LoadLabels(dir);
      if (!s || !labels) continue;
      const Run run = Track(*s);
      const std::vector<Interval> wanted = LabelledStays(*labels, 180'000);
      double tp = 0;
      std::vector<bool> taken(wanted.size(), false);
      for (const Stay& stay : run.stays) {
        if (!stay.begin_utc || !stay.end_utc) continue;
        const std::int64_t b = stay.begin_utc->time_since_epoch().count();
        const std::int64_t e = stay.end_utc->time_since_epoch().count();
        for (std::size_t i = 0; i < wanted.size(); ++i) {
          const double common =
              static_cast<double>(std::min(e, wanted[i].end_ms) - std::max(b, wanted[i].begin_ms));
          const double joint =
              static_cast<double>(std::max(e, wanted[i].end_ms) - std::min(b, wanted[i].begin_ms));
          if (!taken[i] && common / joint >= 0.5) {
            taken[i] = true;
            ++tp;
            break;
          }
        }
      }
      // By time, each labelled second against the stays.
      double t_tp = 0, t_fp = 0, t_fn = 0, phantom = 0, raw = 0;
      for (std::size_t i = 0; i + 1 < labels->utc_ms.size(); ++i) {
        const double dt =
            std::min(600.0, static_cast<double>(labels->utc_ms[i + 1] - labels->utc_ms[i]) / 1e3);
        bool in = false;
        for (const Stay& stay : run.stays) {
          in |= stay.begin_utc && stay.begin_utc->time_since_epoch().count() <= labels->utc_ms[i] &&
                stay.end_utc->time_since_epoch().count() > labels->utc_ms[i];
        }
        if (labels->stationary[i]) (in ? t_tp : t_fn) += dt;
        if (!labels->stationary[i] && in) t_fp += dt;
      }
      for (std::size_t k = 1; k < run.steps.size(); ++k) {
        for (const Interval& w : wanted) {
          if (run.steps[k - 1].utc_ms >= w.begin_ms && run.steps[k].utc_ms < w.end_ms) {
            phantom += run.steps[k].total.distance_m - run.steps[k - 1].total.distance_m;
          }
        }
      }
      for (std::size_t k = 1; k < s->fixes.size(); ++k) {
        for (const Interval& w : wanted) {
          if (s->fixes[k - 1].fix.utc->time_since_epoch().count() >= w.begin_ms &&
              s->fixes[k].fix.utc->time_since_epoch().count() < w.end_ms) {
            raw += DistanceM(s->fixes[k - 1].fix.position, s->fixes[k].fix.position);
          }
        }
      }
      const double n = static_cast<double>(run.stays.size());
      const double m = static_cast<double>(wanted.size());
      const auto f1 = [](double p, double r) { return p + r > 0 ? 2 * p * r / (p + r) : 0; };
      const double p = n > 0 ? tp / n : 0, r = m > 0 ? tp / m : 0;
      const double tpp = t_tp / std::max(1.0, t_tp + t_fp), trr = t_tp / std::max(1.0, t_tp + t_fn);
      std::printf("%-28s %6.0f %6.0f %6.2f %6.2f %6.2f | %7.2f %7.2f %7.2f | %9.0f %9.0f\n",
                  name.c_str(), m, n, p, r, f1(p, r), tpp, trr, f1(tpp, trr), phantom, raw);
      all_tp += tp, all_stays += n, all_labels += m;
    }
    std::printf("%s: precision %.2f recall %.2f F1 %.2f%s\n", set,
                all_tp / std::max(1.0, all_stays), all_tp / std::max(1.0, all_labels),
                2 * all_tp / std::max(1.0, all_stays + all_labels),
                std::string(set) == "ssi-opengeodata"
                    ? "  (its diary says stationary also where it is silent: on trains too)"
                    : "");
  }
}

// Douglas-Peucker with the synchronised distance (TD-TR), the usual peer.
void DouglasPeucker(const std::vector<Estimate>& track, std::size_t a, std::size_t b, double bound,
                    std::size_t* knots) {
  const LocalFrame frame(track[a].position);
  const EastNorth end = frame.ToLocal(track[b].position);
  double worst = 0;
  std::size_t at = a;
  for (std::size_t i = a + 1; i < b; ++i) {
    const double f =
        Seconds(track[i].time - track[a].time) / Seconds(track[b].time - track[a].time);
    const EastNorth p = frame.ToLocal(track[i].position);
    const double d = std::hypot(p.east_m - f * end.east_m, p.north_m - f * end.north_m);
    if (d > worst) worst = d, at = i;
  }
  if (worst <= bound) return;
  ++*knots;
  DouglasPeucker(track, a, at, bound, knots);
  DouglasPeucker(track, at, b, bound, knots);
}

double CurveError(const std::vector<Estimate>& track, std::size_t a, std::size_t b) {
  const LocalFrame frame(track[a].position);
  const EastNorth end = frame.ToLocal(track[b].position);
  const double dt = Seconds(track[b].time - track[a].time);
  double worst = 0;
  for (std::size_t i = a + 1; i < b; ++i) {
    const double s = Seconds(track[i].time - track[a].time) / dt;
    const double h10 = s * (1 - s) * (1 - s) * dt, h01 = s * s * (3 - 2 * s);
    const double h11 = s * s * (s - 1) * dt;
    const EastNorth p = frame.ToLocal(track[i].position);
    const double e = h10 * track[a].velocity_east_mps + h01 * end.east_m +
                     h11 * track[b].velocity_east_mps - p.east_m;
    const double n = h10 * track[a].velocity_north_mps + h01 * end.north_m +
                     h11 * track[b].velocity_north_mps - p.north_m;
    worst = std::max(worst, std::hypot(e, n));
  }
  return worst;
}

// Fewest knots by dynamic programming over segments of up to 240 estimates.
std::size_t Optimum(const std::vector<Estimate>& track, double bound) {
  std::vector<std::size_t> best(track.size(), track.size());
  best[0] = 1;
  for (std::size_t b = 1; b < track.size(); ++b) {
    for (std::size_t a = b; a-- > (b > 240 ? b - 240 : 0);) {
      if (best[a] + 1 < best[b] && CurveError(track, a, b) <= bound) best[b] = best[a] + 1;
    }
  }
  return best.back();
}

void PrintSimplifier() {
  std::printf("\nKnots of the simplifier at one bound (synchronised), settled estimates at 1 Hz\n");
  std::printf("%-36s %6s %7s %8s %8s %8s %8s\n", "session", "bound", "fixes", "ours", "DP",
              "optimum", "worst m");
  for (const Session& s : SurveyedDrives()) {
    if (s.fixes.size() < 1000) continue;
    EstimatorOptions options;
    const auto smooth = SmoothedTrack::Create(s.fixes, options);
    if (!smooth.ok()) continue;
    const std::vector<Estimate> track(smooth.value().knots().begin(), smooth.value().knots().end());
    if (track.size() < 3) continue;
    for (const double bound : {5.0, 10.0, 20.0}) {
      SimplifierOptions simplify;
      simplify.max_error_m = bound;
      simplify.max_gap = std::chrono::hours(24);
      TrackSimplifier simplifier(simplify);
      std::vector<Estimate> knots;
      for (const Estimate& e : track) simplifier.Push(e, knots);
      simplifier.Flush(knots);
      double worst = 0;
      std::size_t at = 0;
      for (std::size_t k = 1; k < knots.size(); ++k) {
        std::size_t to = at;
        while (track[to].time < knots[k].time) ++to;
        worst = std::max(worst, CurveError(track, at, to));
        at = to;
      }
      std::size_t dp = 2;
      DouglasPeucker(track, 0, track.size() - 1, bound, &dp);
      std::printf("%-36s %6.0f %7zu %8zu %8zu %8zu %8.2f\n", s.name.c_str(), bound, track.size(),
                  knots.size(), dp, Optimum(track, bound), worst);
    }
  }
}

}  // namespace
}  // namespace waymark

int main(int argc, char** argv) {
  const std::string only = argc > 1 ? argv[1] : "";
  if (only.empty() || only == "standing") waymark::PrintStanding();
  if (only.empty() || only == "odometer") waymark::PrintOdometer();
  if (only.empty() || only == "stays") waymark::PrintStays();
  if (only.empty() || only == "simplifier") waymark::PrintSimplifier();
}
