// What the track benches share: the core's chain over a session, the length of a truth, and the
// scenes that motion, odometer and stays are judged in.
#ifndef WAYMARK_TESTS_BENCH_TRACK_RUN_H_
#define WAYMARK_TESTS_BENCH_TRACK_RUN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/trace_corpus.h"
#include "filters/motion_detector.h"
#include "filters/odometer.h"

namespace waymark::track {

using corpus::ErrorModel;
using corpus::Session;

struct Step {
  std::int64_t utc_ms = 0;
  Motion motion = Motion::kUnknown;
  Distance total;
};

struct Run {
  std::vector<Step> steps;
  std::vector<MotionEvent> events;
  std::vector<Stay> stays;
  double raw_m = 0;
  double distance_m() const { return steps.empty() ? 0 : steps.back().total.distance_m; }
  int starts() const;
};

struct Tuning {
  MotionTuning motion;
  OdometerTuning odometer;
};

/// The chain of the core: estimate, motion, odometer. By default with the tuning in use.
Run Track(const Session& session);
Run Track(const Session& session, const Tuning& tuning);
/// What can be varied.
struct Constant {
  const char* name;
  double* (*of)(Tuning&);
};
const std::vector<Constant>& Constants();
/// Changes a constant of the tuning in use, "NAME=VALUE"; false if there is none of that name.
bool Set(const std::string& setting);

struct Interval {
  std::int64_t begin_ms = 0, end_ms = 0;
};

/// The way of a truth and its speed, by time.
class TruthLength {
 public:
  explicit TruthLength(const Session& s);
  std::optional<double> At(std::int64_t utc_ms) const;
  /// Slower than 0.2 m/s for at least `least_ms`.
  std::vector<Interval> Rests(std::int64_t least_ms = 10'000) const;
  const std::vector<std::int64_t>& utc_ms() const { return utc_ms_; }

 private:
  std::vector<std::int64_t> utc_ms_;
  std::vector<double> length_m_, speed_mps_;
};

/// Metres that the odometer, and the raw track, went within the intervals.
double OdometerWithin(const Run& run, const std::vector<Interval>& in);
double RawWithin(const Session& s, const std::vector<Interval>& in);

/// Rests of at least `least_ms` that the motion changes of a run tell.
std::vector<Interval> RestsOf(const Run& run, std::int64_t least_ms = 10'000);

/// Intervals found against intervals wanted: matched at an intersection over union of 0.5.
struct MatchScore {
  double found = 0, wanted = 0, matched = 0;
  std::vector<double> begin_late_s, end_late_s;  ///< of the matched, in magnitude
  double precision() const { return found > 0 ? matched / found : 0; }
  double recall() const { return wanted > 0 ? matched / wanted : 0; }
  double f1() const { return found + wanted > 0 ? 2 * matched / (found + wanted) : 0; }
  void Add(const std::vector<Interval>& found, const std::vector<Interval>& wanted);
};

struct Scene {
  const char* name;
  ErrorModel model;
  bool velocity = true;  ///< the receiver reports speed and course at all
};
/// The error models of estimation.md E.
ErrorModel Open();
ErrorModel Suburb();
ErrorModel Canyon();
ErrorModel Indoor();
std::vector<Scene> Scenes();

/// Someone moves, in seconds: a truth without fixes. `kind`: walk (1 m/s with corners), amble
/// (0.7 m/s), creep (a queue: 5-20 m, then a halt), town (a car between red lights), ring (a car
/// that turns all the time).
Session Move(const std::string& kind, double minutes, std::uint64_t seed);
/// Fixes along the truth of `s`, one each `period_s`.
Session Receive(const Session& s, const ErrorModel& model, double period_s, std::uint64_t seed);
/// A phone indoors, by access points every 5 s, whose GNSS starts now and then, comes out 30-400 m
/// off, creeps about and jumps back. Truth: it lies still.
Session LieAtHome(double minutes, std::uint64_t seed);
/// An hour at home by access points, a walk of `far_m` out and the same way back (or round a block
/// with that side), ten minutes at home. The truth is the walk.
Session WalkFromHome(double far_m, bool round, std::uint64_t seed);
/// As receivers that do not force the speed of a rest to zero report it.
Session RestlessSpeed(Session s, double sigma_mps, std::uint64_t seed);

/// Recorded sessions whose truth was surveyed.
std::vector<Session> SurveyedDrives();
/// Recorded phone drives whose truth is their own dense good fixes.
std::vector<Session> PhoneDrives();
/// The degraded twins of both, as recorded beside them.
std::vector<Session> DegradedTwins();

/// A figure that --check holds against its limit.
void Note(const std::string& figure, double value);
std::optional<double> Noted(const std::string& figure);

/// `seeds` sessions of each kind.
void PrintStanding(int seeds = 50);
void PrintMoving();
void PrintHome();
void PrintOdometer();
void PrintStays();
void PrintSimplifier();
void PrintFolds();

}  // namespace waymark::track

#endif  // WAYMARK_TESTS_BENCH_TRACK_RUN_H_
