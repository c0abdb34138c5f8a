#include "bench/trace_corpus.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace waymark::corpus {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> cells;
  std::string cell;
  std::istringstream in(line);
  while (std::getline(in, cell, ',')) {
    while (!cell.empty() && (cell.back() == '\r' || cell.back() == ' ')) cell.pop_back();
    cells.push_back(cell);
  }
  return cells;
}

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::optional<double> Number(std::size_t row, const char* column) const {
    const auto at = std::find(columns.begin(), columns.end(), column);
    const std::size_t i = static_cast<std::size_t>(at - columns.begin());
    if (at == columns.end() || i >= rows[row].size() || rows[row][i].empty()) return std::nullopt;
    return std::strtod(rows[row][i].c_str(), nullptr);
  }
  std::string Text(std::size_t row, const char* column) const {
    const auto at = std::find(columns.begin(), columns.end(), column);
    const std::size_t i = static_cast<std::size_t>(at - columns.begin());
    return at == columns.end() || i >= rows[row].size() ? "" : rows[row][i];
  }
};

std::optional<Table> ReadTable(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  if (!in || !std::getline(in, line)) return std::nullopt;
  Table t;
  t.columns = Split(line);
  while (std::getline(in, line)) {
    if (!line.empty()) t.rows.push_back(Split(line));
  }
  return t;
}

UtcTime Utc(std::int64_t ms) { return UtcTime(std::chrono::milliseconds(ms)); }
MonoTime Mono(std::int64_t ms) { return MonoTime(std::chrono::milliseconds(ms)); }

DeliveredFix Deliver(Fix f, std::int64_t utc_ms, std::int64_t received_ms, std::int64_t base_ms) {
  // The boot was a thousand seconds before the trace.
  f.time = Mono(utc_ms - base_ms + 1'000'000);
  f.utc = Utc(utc_ms);
  return {f, {Mono(received_ms - base_ms + 1'000'000), Utc(received_ms)}};
}

// A Gauss-Markov process in two axes.
struct Gm {
  double sigma, tau;
  double e = 0, n = 0;
  void Begin(Random& r) {
    e = sigma * r.Normal();
    n = sigma * r.Normal();
  }
  void Step(double dt_s, Random& r) {
    const double phi = std::exp(-dt_s / tau), s = sigma * std::sqrt(1 - phi * phi);
    e = phi * e + s * r.Normal();
    n = phi * n + s * r.Normal();
  }
};

// Turns clean fixes into what a bad receiver reports.
class Degrader {
 public:
  Degrader(const ErrorModel& m, std::uint64_t seed)
      : m_(m), r_(seed), a_{m.gm1, m.tau1}, b_{m.gm2, m.tau2} {
    a_.Begin(r_);
    b_.Begin(r_);
  }

  /// nullopt: the receiver is silent.
  std::optional<Fix> Next(Fix f, double t_s) {
    const double dt_s = last_s_ < 0 ? 1 : std::max(0.0, t_s - last_s_);
    last_s_ = t_s;
    a_.Step(dt_s, r_);
    b_.Step(dt_s, r_);
    if (t_s < silent_until_s_) return std::nullopt;
    if (r_.Uniform() < m_.gap_rate * dt_s) {
      silent_until_s_ = t_s + r_.Exponential(m_.gap_mean_s);
      return std::nullopt;
    }
    if (previous_ && r_.Uniform() < m_.stale_rate * dt_s) {
      Fix stale = *previous_;
      stale.time = f.time;
      stale.utc = f.utc;
      return stale;
    }
    double e = a_.e + b_.e + m_.white * r_.Normal(), n = a_.n + b_.n + m_.white * r_.Normal();
    double radius_m = m_.radius_m * std::exp(0.3 * r_.Normal());
    if (burst_left_ == 0 && r_.Uniform() < m_.burst_rate * dt_s) {
      burst_left_ = 1 + static_cast<int>(r_.Uniform() * m_.burst_fixes);
      Aim();
      honest_ = r_.Uniform() < m_.burst_honest;
    }
    if (burst_left_ > 0) {
      --burst_left_;
      if (m_.burst_scatter) Aim();
      e += burst_e_;
      n += burst_n_;
      if (honest_) radius_m = std::hypot(burst_e_, burst_n_) * r_.Uniform(0.5, 1.5);
      if (m_.network_bursts) {
        f.source = FixSource::kNetwork;
        f.speed_mps.reset();
        f.course_deg.reset();
      }
    }
    const LocalFrame frame(f.position);
    f.position = frame.FromLocal({e, n});
    f.horizontal_accuracy_m.reset();
    if (m_.radius_m > 0) f.horizontal_accuracy_m = radius_m;
    f.speed_accuracy_mps.reset();
    f.course_accuracy_deg.reset();
    previous_ = f;
    return f;
  }

 private:
  void Aim() {
    const double size = r_.Uniform(m_.burst_min, m_.burst_max);
    const double angle = r_.Uniform(0, 2 * std::numbers::pi);
    burst_e_ = size * std::cos(angle);
    burst_n_ = size * std::sin(angle);
  }
  ErrorModel m_;
  Random r_;
  Gm a_, b_;
  double last_s_ = -1, silent_until_s_ = -1;
  int burst_left_ = 0;
  double burst_e_ = 0, burst_n_ = 0;
  bool honest_ = false;
  std::optional<Fix> previous_;
};

}  // namespace

std::optional<Session> LoadSession(const std::string& dir, const std::string& fixes_file,
                                   const std::string& name) {
  const auto fixes = ReadTable(dir + "/" + fixes_file);
  auto truth = ReadTable(dir + "/truth.csv");
  if (!truth) truth = ReadTable(dir + "/pseudo_truth.csv");
  if (!fixes || !truth || fixes->rows.empty()) return std::nullopt;
  Session s;
  s.name = name;
  const auto base = static_cast<std::int64_t>(*fixes->Number(0, "utc_ms"));
  for (std::size_t i = 0; i < fixes->rows.size(); ++i) {
    Fix f;
    f.position = *LatLon::FromDegrees(*fixes->Number(i, "lat_deg"), *fixes->Number(i, "lon_deg"));
    f.horizontal_accuracy_m = fixes->Number(i, "horizontal_accuracy_m");
    f.altitude_m = fixes->Number(i, "altitude_m");
    f.vertical_accuracy_m = fixes->Number(i, "vertical_accuracy_m");
    f.speed_mps = fixes->Number(i, "speed_mps");
    f.speed_accuracy_mps = fixes->Number(i, "speed_accuracy_mps");
    f.course_deg = fixes->Number(i, "course_deg");
    f.course_accuracy_deg = fixes->Number(i, "course_accuracy_deg");
    const std::string source = fixes->Text(i, "source");
    f.source = source == "gnss"      ? FixSource::kGnss
               : source == "network" ? FixSource::kNetwork
               : source == "fused"   ? FixSource::kFused
                                     : FixSource::kUnknown;
    const auto ms = static_cast<std::int64_t>(*fixes->Number(i, "utc_ms"));
    const auto received = fixes->Number(i, "received_utc_ms");
    // Without a time of arrival, a fix arrives no earlier than those before it.
    std::int64_t at = received ? static_cast<std::int64_t>(*received) : ms;
    if (!s.fixes.empty()) {
      at = std::max(at, s.fixes.back().arrival.utc.time_since_epoch().count());
    }
    s.fixes.push_back(Deliver(f, ms, at, base));
  }
  for (std::size_t i = 0; i < truth->rows.size(); ++i) {
    s.truth.push_back(
        {static_cast<std::int64_t>(*truth->Number(i, "utc_ms")),
         *LatLon::FromDegrees(*truth->Number(i, "lat_deg"), *truth->Number(i, "lon_deg"))});
  }
  std::stable_sort(s.truth.begin(), s.truth.end(),
                   [](const TruthPoint& a, const TruthPoint& b) { return a.utc_ms < b.utc_ms; });
  return s;
}

std::vector<Session> LoadRecorded(const std::string& folder, const std::string& fixes_file) {
  std::vector<std::string> dirs;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory()) dirs.push_back(entry.path().string());
  }
  std::sort(dirs.begin(), dirs.end());
  std::vector<Session> sessions;
  for (const std::string& d : dirs) {
    if (auto s = LoadSession(d, fixes_file, fs::path(d).filename().string())) {
      sessions.push_back(std::move(*s));
    }
  }
  return sessions;
}

std::optional<EastNorth> TruthAt(const Session& s, const LocalFrame& frame, std::int64_t utc_ms) {
  const auto after =
      std::upper_bound(s.truth.begin(), s.truth.end(), utc_ms,
                       [](std::int64_t t, const TruthPoint& p) { return t < p.utc_ms; });
  if (after == s.truth.begin()) return std::nullopt;
  const TruthPoint& a = *(after - 1);
  if (a.utc_ms == utc_ms) return frame.ToLocal(a.position);
  if (after == s.truth.end() || after->utc_ms - a.utc_ms > 3000) return std::nullopt;
  const EastNorth p = frame.ToLocal(a.position), q = frame.ToLocal(after->position);
  const double w =
      static_cast<double>(utc_ms - a.utc_ms) / static_cast<double>(after->utc_ms - a.utc_ms);
  return EastNorth{p.east_m + w * (q.east_m - p.east_m), p.north_m + w * (q.north_m - p.north_m)};
}

Session Degrade(const Session& s, const ErrorModel& model, std::uint64_t seed) {
  Session out{s.name, {}, s.truth};
  Degrader degrader(model, seed);
  for (const DeliveredFix& d : s.fixes) {
    if (const auto f = degrader.Next(d.fix, Seconds(d.fix.time.time_since_epoch()))) {
      out.fixes.push_back({*f, d.arrival});
    }
  }
  return out;
}

Session Resimulate(const Session& s, const ErrorModel& model, std::uint64_t seed) {
  Session clean{s.name, {}, s.truth};
  Random r(seed ^ 0x5eed);
  const std::int64_t begin = s.truth.front().utc_ms, end = s.truth.back().utc_ms;
  const std::int64_t lag = std::llround(model.velocity_latency_s * 1000);
  Gm drift{model.velocity_sigma, 5};
  for (std::int64_t t = begin + 2000; t + 2000 < end; t += 1000) {
    const std::int64_t i = t - lag;
    const auto near =
        std::upper_bound(s.truth.begin(), s.truth.end(), t,
                         [](std::int64_t x, const TruthPoint& p) { return x < p.utc_ms; });
    const LocalFrame frame((near - 1)->position);
    const auto p = TruthAt(s, frame, t), a = TruthAt(s, frame, i - 1000),
               b = TruthAt(s, frame, i + 1000);
    drift.Step(1, r);
    if (!p || !a || !b) continue;
    const double ve = (b->east_m - a->east_m) / 2, vn = (b->north_m - a->north_m) / 2;
    Fix f;
    f.position = frame.FromLocal(*p);
    f.speed_mps = std::hypot(ve, vn) < 0.3 ? 0 : std::hypot(ve + drift.e, vn + drift.n);
    const double course = std::atan2(ve + drift.e, vn + drift.n) * 180 / std::numbers::pi;
    f.course_deg = course < 0 ? course + 360 : course;
    clean.fixes.push_back(Deliver(f, t, t, begin));
  }
  return Degrade(clean, model, seed);
}

Session Walk(const ErrorModel& model, double minutes, std::uint64_t seed) {
  Random r(seed);
  Session s{"walk", {}, {}};
  const std::int64_t begin = 1'700'000'000'000;
  const LocalFrame frame({48.2 + r.Uniform(), 16.3 + r.Uniform()});
  double e = 0, n = 0, heading = 0, halt_s = 0, leg_s = 0, speed = 1.3;
  for (int t = 0; t < static_cast<int>(minutes * 60); ++t) {
    if (halt_s > 0) {
      halt_s -= 1;
    } else {
      if (leg_s <= 0) {  // a corridor or a side of the yard, then a corner
        leg_s = r.Uniform(5, 40);
        heading += (r.Uniform() < 0.5 ? 1 : -1) * std::numbers::pi / 2;
        if (r.Uniform() < 0.2) halt_s = r.Exponential(60);
        speed = r.Uniform(0.9, 1.5);
      }
      leg_s -= 1;
      e += speed * std::sin(heading);
      n += speed * std::cos(heading);
    }
    s.truth.push_back({begin + t * 1000, frame.FromLocal({e, n})});
  }
  Session out = Resimulate(s, model, seed);
  out.name = "walk " + std::to_string(seed);
  return out;
}

Session Stand(const ErrorModel& model, double minutes, std::uint64_t seed) {
  Session s{"stand", {}, {}};
  const LatLon here{52.5, 13.4};
  for (int t = 0; t < static_cast<int>(minutes * 60); ++t) {
    s.truth.push_back({1'700'000'000'000 + t * 1000, here});
  }
  Session out = Resimulate(s, model, seed);
  out.name = "stand " + std::to_string(seed);
  return out;
}

Session Without(Session s, bool accuracy, bool velocity) {
  for (DeliveredFix& d : s.fixes) {
    if (accuracy) d.fix.horizontal_accuracy_m.reset();
    if (velocity) {
      d.fix.speed_mps.reset();
      d.fix.course_deg.reset();
      d.fix.speed_accuracy_mps.reset();
      d.fix.course_accuracy_deg.reset();
    }
  }
  return s;
}

Session PositionOnly(Session s) { return Without(std::move(s), true, true); }

Session Every(const Session& s, double seconds) {
  Session out{s.name, {}, s.truth};
  for (const DeliveredFix& d : s.fixes) {
    if (out.fixes.empty() || Seconds(d.fix.time - out.fixes.back().fix.time) > seconds - 0.05) {
      out.fixes.push_back(d);
    }
  }
  return out;
}

}  // namespace waymark::corpus
