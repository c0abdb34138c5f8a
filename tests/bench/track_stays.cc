// Rests and stays against labels and truth.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "bench/track_run.h"
#include "waymark/geometry.h"

namespace waymark::track {
namespace {

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

std::int64_t UtcMs(const DeliveredFix& d) { return d.fix.utc->time_since_epoch().count(); }

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

double Median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

void Row(const std::string& name, const MatchScore& m, double phantom_m, double raw_m) {
  std::printf("%-40s %6.0f %6.0f %6.2f %6.2f %6.2f %8.1f %8.1f %10.1f %9.0f %7.2f%%\n",
              name.c_str(), m.wanted, m.found, m.precision(), m.recall(), m.f1(),
              Median(m.begin_late_s), Median(m.end_late_s), phantom_m, raw_m,
              raw_m > 0 ? 100 * phantom_m / raw_m : 0);
}

void Total(const std::string& what, const std::string& name, const MatchScore& m, double phantom_m,
           double raw_m) {
  Row("= " + name, m, phantom_m, raw_m);
  Note(what + ", " + name + ", F1", m.f1());
  if (raw_m > 0) Note(what + ", " + name + ", phantom share", phantom_m / raw_m);
}

std::vector<Interval> StaysOf(const Run& run) {
  std::vector<Interval> out;
  for (const Stay& s : run.stays) {
    if (!s.begin_utc || !s.end_utc) continue;
    out.push_back({s.begin_utc->time_since_epoch().count(), s.end_utc->time_since_epoch().count()});
  }
  return out;
}

void Merge(MatchScore* all, const MatchScore& m) {
  all->found += m.found, all->wanted += m.wanted, all->matched += m.matched;
  const auto append = [](std::vector<double>* to, const std::vector<double>& from) {
    to->insert(to->end(), from.begin(), from.end());
  };
  append(&all->begin_late_s, m.begin_late_s);
  append(&all->end_late_s, m.end_late_s);
}

// Rests of 10 s and more against the truth's.
void PrintRests(const char* name, const std::vector<Session>& sessions, bool velocity) {
  MatchScore all;
  double phantom_m = 0, raw_m = 0;
  for (const Session& recorded : sessions) {
    const Session s = velocity ? recorded : corpus::PositionOnly(recorded);
    const std::vector<Interval> rests = TruthLength(s).Rests();
    const Run run = Track(s);
    MatchScore m;
    m.Add(RestsOf(run), rests);
    const double ours = OdometerWithin(run, rests), raw = RawWithin(s, rests);
    if (sessions.size() < 8) {
      Row((s.name + (velocity ? "" : ", position only")).substr(0, 40), m, ours, raw);
    }
    Merge(&all, m);
    phantom_m += ours, raw_m += raw;
  }
  if (all.wanted + all.found > 0) {
    Total("rests", std::string(name) + (velocity ? "" : ", position only"), all, phantom_m, raw_m);
  }
}

// From the first fix within the interval to the last.
double StraightWithin(const Session& s, const Interval& in) {
  const DeliveredFix *first = nullptr, *last = nullptr;
  for (const DeliveredFix& d : s.fixes) {
    const std::int64_t ms = UtcMs(d);
    if (ms < in.begin_ms || ms > in.end_ms) continue;
    if (!first) first = &d;
    last = &d;
  }
  return first ? DistanceM(first->fix.position, last->fix.position) : 0;
}

// A diary's stops begin while the walk to them goes on, and hold moves of their own. What is
// counted there is phantom but for the straight way from the first fix to the last, where that is
// more than noise. Returns the share of raw, nullopt without the recording.
std::optional<double> PrintLabelledStops(const std::string& session) {
  constexpr double kElsewhereM = 40;
  const std::string dir = std::string(WAYMARK_SHARED_DATA "/traces/") + session;
  const std::optional<Session> s = LoadPositions(dir, session);
  const std::optional<Labelled> labels = LoadLabels(dir);
  if (!s || !labels || s->fixes.empty()) return std::nullopt;
  const Run run = Track(*s);
  std::printf("\nStops of %s by label, m\n%-16s %8s %8s %8s %8s\n", session.c_str(), "label, s",
              "raw", "straight", "counted", "phantom");
  const auto since_begin_s = [&](std::int64_t ms) {
    return 1e-3 * static_cast<double>(ms - UtcMs(s->fixes.front()));
  };
  double raw_m = 0, counted_m = 0, phantom_m = 0;
  for (const Interval& label : LabelledStays(*labels, 0)) {
    const double raw = RawWithin(*s, {label}), counted = OdometerWithin(run, {label});
    const double straight = StraightWithin(*s, label);
    const double phantom = straight > kElsewhereM ? std::max(0.0, counted - straight) : counted;
    std::printf("%6.0f-%-9.0f %8.0f %8.0f %8.0f %8.0f\n", since_begin_s(label.begin_ms),
                since_begin_s(label.end_ms), raw, straight, counted, phantom);
    raw_m += raw, counted_m += counted, phantom_m += phantom;
  }
  if (raw_m == 0) return std::nullopt;
  std::printf("%-16s %8.0f %8s %8.0f %8.0f  %.1f %%\n", "all", raw_m, "", counted_m, phantom_m,
              100 * phantom_m / raw_m);
  return phantom_m / raw_m;
}

}  // namespace

void PrintStays() {
  std::printf(
      "\nRests of 10 s and more against truth, stays of 3 min against labels (IoU >= 0.5)\n");
  std::printf("%-40s %6s %6s %6s %6s %6s %8s %8s %10s %9s %8s\n", "session", "wanted", "found", "P",
              "R", "F1", "begin s", "end s", "phantom m", "raw m", "share");
  for (const bool velocity : {true, false}) {
    PrintRests("surveyed drives", SurveyedDrives(), velocity);
    PrintRests("phone drives", PhoneDrives(), velocity);
    for (const Scene& scene : Scenes()) {
      if (std::string(scene.name) == "indoor") continue;
      std::vector<Session> towns;
      for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        towns.push_back(Receive(Move("town", 20, seed), scene.model, 1, seed));
      }
      PrintRests((std::string("simulated town, ") + scene.name).c_str(), towns, velocity);
    }
  }
  for (const char* set : {"ssi-opengeodata", "stopgo-example"}) {
    const std::string folder = std::string(WAYMARK_SHARED_DATA "/traces/") + set;
    std::error_code error;
    std::vector<std::string> dirs;
    for (const auto& d : std::filesystem::directory_iterator(folder, error)) {
      if (d.is_directory()) dirs.push_back(d.path().string());
    }
    std::sort(dirs.begin(), dirs.end());
    MatchScore all;
    double phantom_m = 0, raw_m = 0;
    for (const std::string& dir : dirs) {
      const std::string name = dir.substr(dir.rfind('/') + 1);
      const std::optional<Session> s = LoadPositions(dir, name);
      const std::optional<Labelled> labels = LoadLabels(dir);
      if (!s || !labels) continue;
      const Run run = Track(*s);
      const std::vector<Interval> wanted = LabelledStays(*labels, 180'000);
      MatchScore m;
      m.Add(StaysOf(run), wanted);
      const double ours = OdometerWithin(run, wanted), raw = RawWithin(*s, wanted);
      Row(name, m, ours, raw);
      Merge(&all, m);
      phantom_m += ours, raw_m += raw;
    }
    Total("stays", set, all, phantom_m, raw_m);
  }
  std::printf(
      "(The diary of ssi-opengeodata says stationary also where it is silent: on trains too.)\n");
  // Of the days of ssi-opengeodata those with hours of rest, as the positions show themselves.
  const std::vector<std::string> diaries = {"ssi-opengeodata/Utrecht6-2024-06-30",
                                            "ssi-opengeodata/Utrecht6-2024-07-05",
                                            "stopgo-example/example"};
  double mean = 0;
  for (const std::string& diary : diaries) {
    const std::optional<double> share = PrintLabelledStops(diary);
    if (!share) return;  // the mean is that of all of them
    mean += *share / static_cast<double>(diaries.size());
  }
  std::printf("\nMean over these sessions: %.1f %%\n", 100 * mean);
  Note("stops, mean over sessions, phantom share", mean);
}

}  // namespace waymark::track
