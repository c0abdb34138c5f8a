// Invariants I1 to I10 of the core over random event sequences. RapidCheck prints the seed of a
// failure; RC_PARAMS="reproduce=..." runs it again.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "support/core_world.h"

namespace waymark::test {
namespace {

// One step of a random session. The argument is interpreted by the step's kind, so that shrinking a
// failing sequence keeps it meaningful.
struct Step {
  int kind = 0;
  int argument = 0;
};

constexpr int kKinds = 20;

std::ostream& operator<<(std::ostream& out, const Step& s) {
  return out << "{" << s.kind << "," << s.argument << "}";
}

rc::Gen<std::vector<Step>> Steps() {
  return rc::gen::scale(3.0, rc::gen::container<std::vector<Step>>(rc::gen::build<Step>(
                                 rc::gen::set(&Step::kind, rc::gen::inRange(0, kKinds)),
                                 rc::gen::set(&Step::argument, rc::gen::inRange(0, 1000)))));
}

// Moves through a session: mostly fixes of a device that drives, walks and rests, and now and then
// anything else that can happen.
class Session {
 public:
  explicit Session(const Config& config) : world(config) {
    world.Feed(ev::Start{});
    Geofence fence;
    fence.id = "home";
    fence.shape = Circle{position_, 120};
    fence.dwell = std::chrono::seconds(30);
    world.Feed(ev::AddFences{{fence}});
  }

  std::vector<Action> Do(const Step& s) {
    const double x = s.argument;
    switch (s.kind) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
      case 6: {
        // Drive on for some seconds, one fix each.
        std::vector<Action> all;
        course_deg_ = std::fmod(course_deg_ + (x - 500) * 0.1 + 360, 360);
        speed_mps_ = s.kind < 2 ? 0 : s.kind < 4 ? 1.4 : 14;
        for (int i = 0; i < 1 + s.argument % 12; ++i)
          Append(all, OneFix(Duration(std::chrono::seconds(1))));
        return all;
      }
      case 7:
        return OneFix(std::chrono::seconds(1 + s.argument));  // a gap
      case 8: {                                               // an outlier
        Fix f = NextFix(std::chrono::seconds(1));
        f.position = Destination(f.position, x, 50 + x * 10);
        return world.Feed(f);
      }
      case 9: {  // insane numbers
        Fix f = NextFix(std::chrono::seconds(1));
        const double bad[] = {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300, -1, 0};
        const double v = bad[s.argument % 6];
        switch (s.argument / 6 % 5) {
          case 0:
            f.position.lat_deg = v;
            break;
          case 1:
            f.horizontal_accuracy_m = v;
            break;
          case 2:
            f.speed_mps = v;
            break;
          case 3:
            f.altitude_m = v;
            break;
          default:
            f.time = MonoTime(Duration(s.argument % 2 ? INT64_MIN / 4 : INT64_MAX / 4));
        }
        return world.Feed(f);
      }
      case 10: {  // a late fix
        Fix f = NextFix(std::chrono::seconds(1));
        f.time -= std::chrono::milliseconds(s.argument * 5);
        *f.utc -= std::chrono::milliseconds(s.argument * 5);
        return world.Feed(f);
      }
      case 11:
        return world.Wait(std::chrono::seconds(s.argument));
      case 12:
        return world.Feed(Link{s.argument % 3 != 0, s.argument % 2 == 0, false});
      case 13:
        return world.Feed(Battery{x / 1000, s.argument % 2 == 0, false});
      case 14:
        return world.Feed(HostState{s.argument % 2 == 0, s.argument % 7 != 0});
      case 15:
        return world.Feed(
            ev::Enqueue{"topic", std::vector<std::byte>(static_cast<std::size_t>(s.argument))});
      case 16:
        return Reply(s.argument);
      case 17:
        return s.argument % 5 == 0 ? world.Feed(ev::Stop{}) : world.Feed(ev::Start{});
      case 18:
        return world.Feed(
            MotionSample{world.mono, static_cast<Activity>(s.argument % 6), x / 1000});
      default:
        return world.Feed(ev::Flush{});
    }
  }

  std::vector<Action> Reply(int argument) {
    if (!world.in_flight) return {};
    HttpReply r;
    r.id = world.in_flight->id;
    const int statuses[] = {200, 204, 200, 200, 500, 503, 429, 400, 413, 401, 0, 404};
    const int status = statuses[argument % 12];
    if (status != 0) r.http_status = status;
    if (status == 429 || status == 503) r.retry_after = std::chrono::seconds(argument);
    const Result<Batch> batch = DecodeBatch(world.in_flight->body);
    RC_ASSERT(batch.ok());
    if (status / 100 == 2) {
      for (const Record& record : batch.value().records) delivered.insert(record.seq);
    }
    // An answer after the request was given up on is ignored, its wish to wait included.
    const bool in_time = world.mono - world.sent() < world.in_flight->timeout;
    retry_not_before = r.retry_after && in_time
                           ? std::optional<MonoTime>(world.mono + *r.retry_after)
                           : std::nullopt;
    world.in_flight.reset();
    return world.Feed(r);
  }

  static void Append(std::vector<Action>& all, std::vector<Action> more) {
    for (Action& a : more) all.push_back(std::move(a));
  }

  Fix NextFix(Duration dt) {
    world.Wait(dt);
    position_ = Destination(position_, course_deg_, speed_mps_ * std::min(Seconds(dt), 100.0));
    Fix f = world.FixAt(position_);
    f.speed_mps = speed_mps_;
    f.course_deg = course_deg_;
    last_fix = f;
    return f;
  }
  std::vector<Action> OneFix(Duration dt) {
    std::vector<Action> all = world.Feed(NextFix(dt));
    return all;
  }

  CoreWorld world;
  std::set<std::uint64_t> delivered;
  std::optional<MonoTime> retry_not_before;
  std::optional<Fix> last_fix;

 private:
  LatLon position_{47.3769, 8.5417};
  double course_deg_ = 90, speed_mps_ = 14;
};

// Byte for byte the same; where not, the first differing action says so in words.
void ExpectSame(const CoreWorld& a, const CoreWorld& b) {
  if (a.action_bytes == b.action_bytes) return;
  for (std::size_t i = 0; i < std::max(a.lines.size(), b.lines.size()); ++i) {
    RC_ASSERT((i < a.lines.size() ? a.lines[i] : "nothing") ==
              (i < b.lines.size() ? b.lines[i] : "nothing"));
  }
  RC_FAIL("the actions read alike and differ in their bytes");
}

RC_GTEST_PROP(CoreInvariants, I1_SameEventsGiveSameBytes, ()) {
  const auto steps = *Steps();
  Session a(CoreWorld::UploadConfig()), b(CoreWorld::UploadConfig());
  for (const Step& s : steps) {
    a.Do(s);
    b.Do(s);
  }
  ExpectSame(a.world, b.world);
  RC_ASSERT(a.world.repeated_alarms == 0);
}

RC_GTEST_PROP(CoreInvariants, I2_RecordsIncreaseInSeqAndTime, ()) {
  const auto steps = *Steps();
  Session session(CoreWorld::UploadConfig());
  for (const Step& s : steps) session.Do(s);
  for (std::size_t i = 1; i < session.world.appended.size(); ++i) {
    const StoredRecord& before = session.world.appended[i - 1];
    const StoredRecord& after = session.world.appended[i];
    RC_ASSERT(after.seq == before.seq + 1);
    RC_ASSERT(CoreWorld::UtcOf(after) >= CoreWorld::UtcOf(before));
  }
}

RC_GTEST_PROP(CoreInvariants, I3_EveryRecordIsPresentDeliveredOrCounted, ()) {
  const auto steps = *Steps();
  Config config = CoreWorld::UploadConfig();
  config.store.max_records = 100;
  Session session(config);
  for (const Step& s : steps) {
    session.Do(s);
    if (s.argument % 37 == 0)
      session.world.store_error = Status(Code::kResourceExhausted, "disk full");
    if (s.argument % 5 == 0) session.world.store_error = Status();
    if (s.argument % 101 == 0) session.world.Restart();
  }
  const std::set<std::uint64_t> present = session.world.Present();
  std::uint64_t lost_without_count = 0, given_up = 0;
  for (const StoredRecord& r : session.world.appended) {
    if (present.contains(r.seq) || session.delivered.contains(r.seq) ||
        session.world.dropped.contains(r.seq)) {
      continue;
    }
    // Removed although the server never took it: must have been a drop that is told in a record.
    ++given_up;
    if (!session.world.acknowledged.contains(r.seq)) ++lost_without_count;
  }
  RC_ASSERT(lost_without_count == 0u);
  // None was forgotten on its way to the store, whatever that refused.
  for (std::size_t i = 1; i < session.world.appended.size(); ++i) {
    RC_ASSERT(session.world.appended[i].seq == session.world.appended[i - 1].seq + 1);
  }
  RC_ASSERT(given_up <= session.world.core().GetStats().records_dropped);
}

RC_GTEST_PROP(CoreInvariants, I4_NoEstimateBeyondMaxCoast, ()) {
  const auto steps = *Steps();
  const Config config = CoreWorld::UploadConfig();
  Session session(config);
  std::optional<MonoTime> newest_used;
  for (const Step& s : steps) {
    for (const FixReport& r : Only<FixReport>(session.Do(s))) {
      if (r.verdict.used() && r.live)
        newest_used = std::max(newest_used.value_or(r.live->time), r.live->time);
      if (!r.live) continue;
      RC_ASSERT(newest_used.has_value());
      RC_ASSERT(r.live->time - *newest_used <= config.estimator.max_coast);
    }
  }
}

RC_GTEST_PROP(CoreInvariants, I5_ADuplicatedFixChangesNothing, ()) {
  const auto steps = *Steps();
  Session once(CoreWorld::UploadConfig()), twice(CoreWorld::UploadConfig());
  for (const Step& s : steps) {
    once.Do(s);
    twice.Do(s);
    if (!twice.last_fix || s.kind >= 7) continue;
    for (const FixReport& r : Only<FixReport>(twice.world.Feed(*twice.last_fix))) {
      RC_ASSERT(r.verdict.disposition == Disposition::kRejected);
    }
  }
  RC_ASSERT(once.world.appended.size() == twice.world.appended.size());
  for (std::size_t i = 0; i < once.world.appended.size(); ++i) {
    RC_ASSERT(once.world.appended[i].payload == twice.world.appended[i].payload);
  }
}

RC_GTEST_PROP(CoreInvariants, I6_EnterAndExitAlternateAndDwellIsInside, ()) {
  const auto steps = *Steps();
  Session session(CoreWorld::UploadConfig());
  std::map<std::string, bool> inside;
  for (const Step& s : steps) {
    for (const FenceEvent& e : Only<FenceEvent>(session.Do(s))) {
      if (e.transition == FenceTransition::kRejected) continue;
      const bool was = inside[e.id];
      RC_ASSERT(was == (e.transition != FenceTransition::kEnter));
      inside[e.id] = e.transition != FenceTransition::kExit;
    }
    if (s.argument % 50 == 0) session.world.SnapshotAndRestore();
  }
}

RC_GTEST_PROP(CoreInvariants, I7_OneUploadInFlightAndNoneBeforeRetryAfter, ()) {
  const auto steps = *Steps();
  Session session(CoreWorld::UploadConfig());
  for (const Step& s : steps) {
    const std::optional<MonoTime> not_before = session.retry_not_before;
    const bool sent = !Only<HttpRequest>(session.Do(s)).empty();
    // A step may take time: what it sent at its end may lie behind the limit that held at its
    // start.
    if (sent && not_before && s.kind != 16) RC_ASSERT(session.world.mono >= *not_before);
  }
  RC_ASSERT(session.world.requests_while_in_flight == 0);
}

// What an action says but UTC. Records and snapshots hold UTC by design; records are compared by
// count.
std::vector<std::string> WithoutUtc(const std::vector<Action>& actions) {
  std::vector<std::string> lines;
  for (const Action& a : actions) {
    if (std::holds_alternative<FixReport>(a) || std::holds_alternative<MotionChange>(a) ||
        std::holds_alternative<FenceEvent>(a) || std::holds_alternative<Gap>(a) ||
        std::holds_alternative<act::Sampling>(a)) {
      lines.push_back(ActionText(a));
    }
  }
  return lines;
}

RC_GTEST_PROP(CoreInvariants, I8_ClockJumpsChangeOnlyUtcFields, ()) {
  const auto steps = *Steps();
  Session steady(CoreWorld::UploadConfig()), jumping(CoreWorld::UploadConfig());
  bool first = true;
  for (const Step& s : steps) {
    if (first || s.argument % 10 == 0) {
      const auto years = std::chrono::hours(24 * 365 * (s.argument % 41 - 20));
      jumping.world.utc += years;
      first = false;
    }
    const std::vector<std::string> a = WithoutUtc(steady.Do(s)), b = WithoutUtc(jumping.Do(s));
    for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
      RC_ASSERT((i < a.size() ? a[i] : "nothing") == (i < b.size() ? b[i] : "nothing"));
    }
  }
  RC_ASSERT(steady.world.appended.size() == jumping.world.appended.size());
  // Nor do they change the time of a record once satellites have told it, but for the second or two
  // that a record may wait for one that was flushed before.
  for (std::size_t i = 0; i < steady.world.appended.size(); ++i) {
    const UtcTime a = steady.world.appended[i].created, b = jumping.world.appended[i].created;
    RC_ASSERT((a == UtcTime::max()) == (b == UtcTime::max()));
    if (a != UtcTime::max()) RC_ASSERT(std::chrono::abs(a - b) <= std::chrono::seconds(6));
  }
}

RC_GTEST_PROP(CoreInvariants, I9_CovarianceIsPositiveSemidefiniteAndFinite, ()) {
  const auto steps = *Steps();
  Session session(CoreWorld::UploadConfig());
  for (const Step& s : steps) {
    for (const FixReport& r : Only<FixReport>(session.Do(s))) {
      if (!r.live) continue;
      const Estimate& e = *r.live;
      for (const double v :
           {e.cov_ee_m2, e.cov_en_m2, e.cov_nn_m2, e.r68_m, e.r95_m, e.velocity_east_mps,
            e.velocity_north_mps, e.speed_sigma_mps, e.position.lat_deg, e.position.lon_deg}) {
        RC_ASSERT(std::isfinite(v));
      }
      RC_ASSERT(e.cov_ee_m2 >= 0);
      RC_ASSERT(e.cov_nn_m2 >= 0);
      RC_ASSERT(e.cov_ee_m2 * e.cov_nn_m2 - e.cov_en_m2 * e.cov_en_m2 >=
                -1e-9 * e.cov_ee_m2 * e.cov_nn_m2);
      RC_ASSERT(e.r95_m >= e.r68_m);
      RC_ASSERT(std::fabs(e.p_stopped + e.p_slow + e.p_fast - 1) < 1e-6);
      RC_ASSERT(LatLon::FromDegrees(e.position.lat_deg, e.position.lon_deg) == e.position);
    }
  }
}

// Also what is saved must be the same, else a restored session tells itself from the straight one.
void ExpectRestoreIsANoOp(const std::vector<Step>& steps) {
  Session straight(CoreWorld::UploadConfig()), restored(CoreWorld::UploadConfig());
  for (const Step& s : steps) {
    straight.Do(s);
    restored.world.SnapshotAndRestore();
    restored.Do(s);
    ExpectSame(straight.world, restored.world);
    std::vector<std::byte> a, b;
    straight.world.core().Save(a);
    restored.world.core().Save(b);
    RC_ASSERT(a == b);
  }
}

RC_GTEST_PROP(CoreInvariants, I10_SnapshotAndRestoreIsANoOp, ()) { ExpectRestoreIsANoOp(*Steps()); }

// A late fix takes back the filter's newest time: what was left out of a snapshot before must not
// be wanted after.
RC_GTEST_PROP(CoreInvariants, I10_ALateFixAfterASnapshot, ()) {
  ExpectRestoreIsANoOp({{4, 0}, {11, 5}, {7, 0}, {10, 202}, {7, 22}});
}

}  // namespace
}  // namespace waymark::test
