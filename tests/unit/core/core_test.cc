#include "sdk/core/core.h"

#include <gmock/gmock.h>

#include "support/core_world.h"

namespace waymark::test {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

constexpr LatLon kHome{47.3769, 8.5417};

// One fix a second along a line east; returns all actions.
std::vector<Action> Drive(CoreWorld& world, int count, double speed_mps, LatLon& at) {
  std::vector<Action> all;
  for (int i = 0; i < count; ++i) {
    for (Action& a : world.Wait(seconds(1))) all.push_back(std::move(a));
    at = Destination(at, 90, speed_mps);
    Fix f = world.FixAt(at);
    f.speed_mps = speed_mps;
    f.course_deg = 90;
    for (Action& a : world.Feed(f)) all.push_back(std::move(a));
  }
  return all;
}

Config LocalConfig() {
  Config c;
  c.installation = "unit";
  return c;
}

TEST(Core, NothingIsAskedBeforeStartAndEverythingIsOffAfterStop) {
  CoreWorld world(LocalConfig());
  EXPECT_THAT(Only<FixReport>(world.Feed(world.FixAt(kHome))), SizeIs(0));
  const auto on = Only<act::Sampling>(world.Feed(ev::Start{}));
  ASSERT_THAT(on, SizeIs(1));
  EXPECT_EQ(on[0].request.mode, SamplingMode::kHighAccuracy);
  const auto off = Only<act::Sampling>(world.Feed(ev::Stop{}));
  ASSERT_THAT(off, SizeIs(1));
  EXPECT_EQ(off[0].request.mode, SamplingMode::kOff);
}

TEST(Core, ADriveBecomesRecordsCloseToIt) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  LatLon at = kHome;
  Drive(world, 300, 15, at);
  world.Feed(ev::Stop{});
  int points = 0;
  for (const StoredRecord& r : world.appended) {
    if (static_cast<RecordKind>(r.kind) == RecordKind::kPoint) ++points;
  }
  // A straight line at constant speed needs a knot a minute and its anchors, not 300.
  EXPECT_GE(points, 5);
  EXPECT_LE(points, 20);
  EXPECT_NEAR(world.core().GetStats().odometer_m, 299 * 15, 30);
}

// Some receivers say 0 for want of a speed.
TEST(Core, ASpeedThatIsAlwaysZeroStopsNobody) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  for (int s = 0; s < 600; ++s) {
    world.Wait(seconds(1));
    const int driven_s = std::clamp(s - 120, 0, 300);
    Fix f = world.FixAt(Destination(kHome, 45, 15 * driven_s));
    f.speed_mps = 0;
    world.Feed(f);
  }
  world.Feed(ev::Stop{});
  const Stats stats = world.core().GetStats();
  EXPECT_NEAR(stats.odometer_m, 300 * 15, 50);
  EXPECT_LT(stats.odometer_bound_m, 300);
  int told = 0;
  for (const std::string& line : world.lines) told += line.starts_with("motion ");
  EXPECT_EQ(told, 3);  // at rest, on the way, at rest
}

// Fixes so sparse that nobody can tell rest from motion are recorded as they come.
TEST(Core, ASparseTrackIsRecordedWhileItGoesOn) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  for (int i = 0; i < 12; ++i) {
    world.Wait(seconds(100));
    world.Feed(world.FixAt(Destination(kHome, 45, 900 * i)));
  }
  world.Wait(seconds(60));
  EXPECT_GE(world.appended.size(), 8u);
}

TEST(Core, ASilenceHasACause) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  LatLon at = kHome;
  Drive(world, 60, 15, at);
  world.Wait(seconds(400));
  const auto tunnel = Only<Gap>(Drive(world, 5, 15, at));
  ASSERT_THAT(tunnel, SizeIs(1));
  EXPECT_EQ(tunnel[0].cause, GapCause::kNoSignal);
  EXPECT_NEAR(Seconds(tunnel[0].end - tunnel[0].begin), 401, 0.1);

  world.Feed(ev::Stop{});
  world.Wait(seconds(400));
  world.Feed(ev::Start{});
  const auto stopped = Only<Gap>(Drive(world, 5, 15, at));
  ASSERT_THAT(stopped, SizeIs(1));
  EXPECT_EQ(stopped[0].cause, GapCause::kStopped);

  world.Feed(HostState{false, false});
  world.Wait(seconds(400));
  world.Feed(HostState{false, true});
  const auto forbidden = Only<Gap>(Drive(world, 5, 15, at));
  ASSERT_THAT(forbidden, SizeIs(1));
  EXPECT_EQ(forbidden[0].cause, GapCause::kPermission);

  world.Wait(seconds(400));
  world.Restart();
  world.Feed(ev::Start{});
  const auto killed = Only<Gap>(Drive(world, 5, 15, at));
  ASSERT_THAT(killed, SizeIs(1));
  EXPECT_EQ(killed[0].cause, GapCause::kProcessNotRunning);
}

TEST(Core, RecordsWaitInMemoryWhileTheDiskIsFullAndTheProblemIsSaidOnce) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  world.store_error = Status(Code::kResourceExhausted, "write track.db: disk full");
  std::vector<Action> actions;
  LatLon at = kHome;
  for (Action& a : Drive(world, 400, 15, at)) actions.push_back(std::move(a));
  const auto problems = Only<Status>(actions);
  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_EQ(problems[0].code(), Code::kResourceExhausted);
  EXPECT_THAT(problems[0].message(), HasSubstr("disk full"));
  EXPECT_THAT(world.appended, SizeIs(0));

  world.store_error = Status();
  world.Wait(seconds(120));
  EXPECT_GE(world.appended.size(), 5u);
  EXPECT_EQ(world.appended.front().seq, 1u);
  EXPECT_EQ(world.core().GetStats().records_dropped, 0u);
}

TEST(Core, FailedCommitsAreNotRetriedInABusyLoop) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  world.store_error = Status(Code::kIo, "write: input/output error");
  LatLon at = kHome;
  Drive(world, 100, 15, at);
  int commits = 0;
  for (int i = 0; i < 600; ++i)
    commits += static_cast<int>(Only<act::Commit>(world.Wait(seconds(1))).size());
  EXPECT_LE(commits, 30);
  EXPECT_EQ(world.repeated_alarms, 0);
}

TEST(Core, TheLimitsDropOldestPointsAndTellSo) {
  Config config = LocalConfig();
  config.store.max_records = 100;
  CoreWorld world(config);
  world.Feed(ev::Start{});
  for (int i = 0; i < 150; ++i) world.Feed(ev::Enqueue{"t", {std::byte{1}}});
  const Stats stats = world.core().GetStats();
  EXPECT_GE(stats.records_dropped, 50u);
  bool told = false;
  for (const StoredRecord& r : world.appended) {
    told = told || static_cast<RecordKind>(r.kind) == RecordKind::kDrops;
  }
  EXPECT_TRUE(told);
}

TEST(Core, FencesSurviveARestartWithoutASecondEnterOrALostExit) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  Geofence fence;
  fence.id = "home";
  fence.shape = Circle{kHome, 150};
  world.Feed(ev::AddFences{{fence}});
  LatLon at = Destination(kHome, 270, 600);
  std::vector<Action> in = Drive(world, 40, 15, at);
  ASSERT_THAT(Only<FenceEvent>(in), SizeIs(1));
  EXPECT_EQ(Only<FenceEvent>(in)[0].transition, FenceTransition::kEnter);
  world.Restart();
  world.Feed(ev::Start{});
  EXPECT_EQ(world.core().GetStats().geofences, 1u);
  std::vector<Action> out = Drive(world, 40, 15, at);
  ASSERT_THAT(Only<FenceEvent>(out), SizeIs(1));
  EXPECT_EQ(Only<FenceEvent>(out)[0].transition, FenceTransition::kExit);
}

TEST(Core, ARebootDoesNotTurnTimeBack) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  LatLon at = kHome;
  Drive(world, 100, 15, at);
  world.Feed(ev::Stop{});
  const std::size_t before = world.appended.size();
  // The device boots: the monotonic clock starts near zero, UTC goes on.
  world.AdvanceTo(world.mono + seconds(300));
  world.mono = MonoTime(seconds(20));
  world.boot_id = 2;
  world.Restart();
  world.Feed(ev::Start{});
  const auto reports = Only<FixReport>(Drive(world, 100, 15, at));
  ASSERT_THAT(reports, SizeIs(100));
  EXPECT_TRUE(reports.back().live.has_value());
  // Times are told on the host's clock.
  EXPECT_EQ(reports.back().live->time, world.mono);
  world.Feed(ev::Stop{});
  ASSERT_GT(world.appended.size(), before);
  for (std::size_t i = 1; i < world.appended.size(); ++i) {
    EXPECT_GE(CoreWorld::UtcOf(world.appended[i]), CoreWorld::UtcOf(world.appended[i - 1]));
  }
}

// However long the device was off and whatever its clock says when it boots: where it is now does
// not look like a jump of the receiver from where it was, and the silence has its cause and times.
TEST(Core, ADeviceThatWasOffForAnyTimeGoesOnWhereItIs) {
  using std::chrono::hours;
  constexpr auto kYear = hours(24 * 365);
  struct Case {
    Duration off;
    std::chrono::milliseconds clock_error;
  };
  for (const Case c :
       {Case{hours(3), hours(0)}, Case{hours(24 * 90), hours(0)}, Case{2 * kYear, hours(0)},
        Case{hours(3), -20 * kYear}, Case{hours(3), 20 * kYear}, Case{seconds(40), -20 * kYear}}) {
    SCOPED_TRACE(std::to_string(Seconds(c.off)) + " s off, the clock is wrong by " +
                 std::to_string(c.clock_error.count()) + " ms");
    CoreWorld world(LocalConfig());
    world.Feed(ev::Start{});
    LatLon at = kHome;
    Drive(world, 100, 15, at);
    const UtcTime last = world.true_utc();
    world.AdvanceTo(world.mono + c.off);
    world.mono = MonoTime(seconds(20));
    world.utc += c.clock_error;
    world.boot_id = 2;
    world.Restart();
    at = Destination(at, 0, c.off > seconds(60) ? 100'000 : 500);
    const std::vector<Action> after = Drive(world, 100, 15, at);
    for (const FixReport& report : Only<FixReport>(after)) {
      EXPECT_TRUE(report.verdict.used()) << ReasonName(report.verdict.reason);
    }
    const auto gaps = Only<Gap>(after);
    ASSERT_THAT(gaps, SizeIs(1));
    EXPECT_EQ(gaps[0].cause, GapCause::kProcessNotRunning);
    ASSERT_TRUE(gaps[0].begin_utc && gaps[0].end_utc);
    // What came after the last snapshot died with the process.
    EXPECT_LE(*gaps[0].begin_utc, last);
    EXPECT_LT(last - *gaps[0].begin_utc, seconds(61));
    EXPECT_LT(std::chrono::abs(*gaps[0].end_utc - (last + c.off)), seconds(2));
    world.Feed(ev::Stop{});
    for (const StoredRecord& stored : world.appended) {
      const Record record = sync::DecodeRecord(stored.seq, stored.payload).value();
      const auto* point = std::get_if<PointRecord>(&record.body);
      if (point == nullptr || record.utc <= last) continue;
      EXPECT_LT(DistanceM(point->position, at), 2000);
    }
  }
}

TEST(Core, APauseBeginsAtItsTrueTimeThoughTheLastFixToldAnother) {
  CoreWorld world(LocalConfig());
  world.Feed(ev::Start{});
  LatLon at = kHome;
  Drive(world, 100, 15, at);
  world.Wait(seconds(1));
  at = Destination(at, 90, 15);
  Fix wrong = world.FixAt(at);
  *wrong.utc += std::chrono::hours(24);
  world.Feed(wrong);
  const UtcTime last = world.true_utc();
  world.Feed(ev::Stop{});
  world.Wait(seconds(600));
  world.Feed(ev::Start{});
  const auto gaps = Only<Gap>(Drive(world, 10, 15, at));
  ASSERT_THAT(gaps, SizeIs(1));
  EXPECT_EQ(gaps[0].cause, GapCause::kStopped);
  EXPECT_LT(std::chrono::abs(*gaps[0].begin_utc - last), seconds(2));
}

TEST(Core, FlushIsDoneWhenEverythingIsAcknowledgedAndSaysWhyNotOtherwise) {
  CoreWorld world(CoreWorld::UploadConfig());
  world.Feed(ev::Start{});
  LatLon at = kHome;
  Drive(world, 60, 15, at);
  auto actions = world.Feed(ev::Flush{});
  EXPECT_THAT(Only<act::FlushDone>(actions), SizeIs(0));
  ASSERT_TRUE(world.in_flight.has_value());
  HttpReply ok;
  ok.id = world.in_flight->id;
  ok.http_status = 200;
  world.in_flight.reset();
  actions = world.Feed(ok);
  ASSERT_THAT(Only<act::FlushDone>(actions), SizeIs(1));
  EXPECT_TRUE(Only<act::FlushDone>(actions)[0].status.ok());
  EXPECT_THAT(world.Present(), SizeIs(0));

  Drive(world, 60, 15, at);
  world.Feed(ev::Flush{});
  ASSERT_TRUE(world.in_flight.has_value());
  HttpReply busy;
  busy.id = world.in_flight->id;
  busy.http_status = 503;
  world.in_flight.reset();
  actions = world.Feed(busy);
  ASSERT_THAT(Only<act::FlushDone>(actions), SizeIs(1));
  EXPECT_EQ(Only<act::FlushDone>(actions)[0].status.code(), Code::kUnavailable);
  EXPECT_GE(world.Present().size(), 1u);
}

TEST(Core, ADamagedSnapshotIsSaidAndTrackingGoesOn) {
  SavedState saved;
  saved.core = std::vector<std::byte>(100, std::byte{0x5A});
  Result<Core> core = Core::Create(LocalConfig(), 1, saved);
  ASSERT_TRUE(core.ok());
  std::vector<Action> actions;
  core.value().Handle(ev::StoreOpened{}, {kMonoBegin, kUtcBegin}, actions);
  ASSERT_THAT(Only<Status>(actions), SizeIs(1));
  EXPECT_EQ(Only<Status>(actions)[0].code(), Code::kCorruption);
}

TEST(Core, AClockTwentyYearsOffPurgesNothingOnceTheTruthIsKnown) {
  CoreWorld world(LocalConfig());
  world.utc -= std::chrono::hours(24 * 365 * 20);
  world.Feed(ev::Start{});
  world.Feed(ev::Enqueue{"t", {std::byte{1}}});
  LatLon at = kHome;
  Drive(world, 60, 15, at);  // GNSS confirms the time
  world.Wait(std::chrono::hours(3));
  EXPECT_TRUE(world.Present().contains(1));
  EXPECT_EQ(world.core().GetStats().records_dropped, 0u);
}

TEST(Core, OversizedMessagesAreRefusedInWords) {
  CoreWorld world(LocalConfig());
  const auto actions = world.Feed(ev::Enqueue{"t", std::vector<std::byte>(70'000)});
  ASSERT_THAT(Only<Status>(actions), SizeIs(1));
  EXPECT_EQ(Only<Status>(actions)[0].code(), Code::kInvalidArgument);
  EXPECT_THAT(world.appended, SizeIs(0));
}

}  // namespace
}  // namespace waymark::test
