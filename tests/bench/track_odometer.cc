// The odometer on drives with truth, on their degraded, thinned and re-simulated twins.
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/track_run.h"

namespace waymark::track {
namespace {

struct Group {
  double sessions = 0, inside = 0, pieces = 0, pieces_inside = 0, absolute = 0, worst = 0;
};

void Judge(const Session& s, Group* group, bool print) {
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
    if (step.utc_ms - begin->utc_ms < 300'000) continue;
    const Distance way = Odometer::Between(begin->total, step.total);
    const double real = *truth.At(step.utc_ms) - *truth.At(begin->utc_ms);
    in += std::abs(way.distance_m - real) <= way.bound_m;
    ++n;
    begin = &step;
  }
  if (first == nullptr || last == first) return;
  const double real = *truth.At(last->utc_ms) - *truth.At(first->utc_ms);
  const Distance way = Odometer::Between(first->total, last->total);
  const double error = way.distance_m - real;
  const std::vector<Interval> rests = truth.Rests();
  MatchScore stops;
  stops.Add(RestsOf(run), rests);
  if (print) {
    std::printf("%-44s %8.0f %+8.3f %8.3f %3s %+8.2f %4.0f/%-3.0f %6.2f %6.2f %8.1f %8.1f\n",
                s.name.c_str(), real, 100 * error / real, 100 * way.bound_m / real,
                std::abs(error) <= way.bound_m ? "yes" : "NO", 100 * (run.raw_m / real - 1), in, n,
                stops.precision(), stops.recall(), OdometerWithin(run, rests), RawWithin(s, rests));
  }
  ++group->sessions;
  group->inside += std::abs(error) <= way.bound_m;
  group->pieces += n;
  group->pieces_inside += in;
  group->absolute += std::abs(error) / real;
  group->worst = std::max(group->worst, std::abs(error) / real);
}

void Summary(const std::string& fields, const std::string& name, const Group& g) {
  if (g.sessions == 0) return;
  Note("odometer, " + fields + ", " + name + ", mean error", g.absolute / g.sessions);
  Note("odometer, " + fields + ", " + name + ", inside its bound", g.inside / g.sessions);
  std::printf(
      "  %-42s %3.0f sessions: |error| mean %.3f %% worst %.3f %%; inside %.0f %%; "
      "5-min pieces inside %.0f %% of %.0f\n",
      name.c_str(), g.sessions, 100 * g.absolute / g.sessions, 100 * g.worst,
      100 * g.inside / g.sessions, g.pieces > 0 ? 100 * g.pieces_inside / g.pieces : 0, g.pieces);
}

}  // namespace

void PrintOdometer() {
  std::printf("\nOdometer on drives with survey-grade truth; metres within rests of the truth\n");
  std::printf("%-44s %8s %8s %8s %3s %8s %8s %6s %6s %8s %8s\n", "session", "truth m", "error %",
              "bound %", "in", "raw %", "5-min", "rest P", "rest R", "rest m", "raw m");
  const std::vector<Session> drives = SurveyedDrives();
  Group surveyed[2], phones[2], degraded[2], thinned[2], simulated[2][3], fast[2];
  const auto both = [](Session s, Group* groups, bool print) {
    Judge(s, &groups[0], print);
    s = corpus::PositionOnly(std::move(s));
    s.name += ", position only";
    Judge(s, &groups[1], print);
  };
  for (const Session& s : drives) both(s, surveyed, true);
  // One of the phone drives is no drive: a minute of it has a truth.
  const auto drive = [](const Session& s) { return s.truth.size() > 300; };
  for (const Session& s : PhoneDrives()) {
    if (drive(s)) both(s, phones, true);
  }
  for (Session& s : DegradedTwins()) {
    if (!drive(s)) continue;
    s.name += ", degraded";
    both(s, degraded, true);
  }
  for (const Session& s : drives) {
    for (const double every_s : {5.0, 10.0, 20.0}) {
      Session t = corpus::Every(s, every_s);
      t.name = s.name.substr(0, 24) + " every " + std::to_string(static_cast<int>(every_s)) + " s";
      both(t, thinned, true);
    }
  }
  const std::pair<const char*, ErrorModel> models[] = {
      {"open", Open()}, {"suburb", Suburb()}, {"canyon", Canyon()}};
  for (const Session& s : drives) {
    if (s.truth.size() < 5000) continue;
    for (int m = 0; m < 3; ++m) {
      for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        Session t = Receive(s, models[m].second, 1, seed);
        t.name = s.name.substr(0, 24) + " as " + models[m].first;
        Group g[2];
        both(t, g, seed == 1);
        for (int k = 0; k < 2; ++k) {
          Group& all = simulated[k][m];
          all.sessions += g[k].sessions, all.inside += g[k].inside, all.pieces += g[k].pieces;
          all.pieces_inside += g[k].pieces_inside, all.absolute += g[k].absolute;
          all.worst = std::max(all.worst, g[k].worst);
        }
      }
      Session t = Receive(s, models[m].second, 0.2, 9);
      t.name = s.name.substr(0, 24) + " at 5 Hz as " + models[m].first;
      both(t, fast, true);
    }
  }
  for (int k = 0; k < 2; ++k) {
    const char* fields = k == 0 ? "every field" : "position only";
    std::printf("%s\n", fields);
    Summary(fields, "surveyed", surveyed[k]);
    Summary(fields, "phone drives", phones[k]);
    Summary(fields, "degraded twins", degraded[k]);
    Summary(fields, "surveyed, thinned to 5, 10, 20 s", thinned[k]);
    for (int m = 0; m < 3; ++m) {
      Summary(fields, std::string("simulated, ") + models[m].first, simulated[k][m]);
    }
    Summary(fields, "simulated at 5 Hz", fast[k]);
  }
}

}  // namespace waymark::track
