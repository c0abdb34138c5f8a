// The time of a record is when it was true, whatever else is recorded around it and whatever the
// host's clock says.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "support/core_world.h"

namespace waymark::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::SizeIs;

constexpr LatLon kHome{47.3769, 8.5417};
constexpr double kSpeedMps = 20;
constexpr auto kTwentyYears = hours(24 * 365 * 20);

// A drive with a wide swing every two minutes, so that the track needs knots now and then.
class Drive {
 public:
  explicit Drive(const Config& config) : world(config) { world.Feed(ev::Start{}); }

  std::vector<Action> Second(bool with_utc = true, FixSource source = FixSource::kGnss) {
    std::vector<Action> all = world.Wait(seconds(1));
    ++t_;
    Fix f = world.FixAt(Truth(t_));
    f.source = source;
    if (!with_utc) f.utc.reset();
    for (Action& a : world.Feed(f)) all.push_back(std::move(a));
    return all;
  }
  void Seconds(int n, bool with_utc = true) {
    for (int i = 0; i < n; ++i) Second(with_utc);
  }

  static LatLon Truth(double t) {
    const LatLon along = Destination(kHome, 90, kSpeedMps * t);
    return Destination(along, 0, 60 * std::sin(2 * std::numbers::pi * t / 120));
  }

  // How far the records of the track lie from where the device was at their times.
  double WorstPointErrorM() const {
    double worst = 0;
    for (const StoredRecord& r : world.appended) {
      const Record record = sync::DecodeRecord(r.seq, r.payload).value();
      const auto* point = std::get_if<PointRecord>(&record.body);
      if (point == nullptr) continue;
      const double t = Seconds_(record.utc - kUtcBegin);
      worst = std::max(worst, DistanceM(point->position, Truth(t)));
    }
    return worst;
  }
  std::vector<Record> OfKind(RecordKind kind) const {
    std::vector<Record> out;
    for (const StoredRecord& r : world.appended) {
      if (static_cast<RecordKind>(r.kind) != kind) continue;
      out.push_back(sync::DecodeRecord(r.seq, r.payload).value());
    }
    return out;
  }
  void ExpectInOrder() const {
    for (std::size_t i = 1; i < world.appended.size(); ++i) {
      EXPECT_GE(CoreWorld::UtcOf(world.appended[i]), CoreWorld::UtcOf(world.appended[i - 1])) << i;
    }
  }

  CoreWorld world;

 private:
  static double Seconds_(std::chrono::milliseconds d) {
    return static_cast<double>(d.count()) / 1000;
  }
  double t_ = 0;
};

Config LocalConfig() {
  Config c;
  c.installation = "unit";
  return c;
}

TEST(RecordTime, APointIsWhereTheDeviceWasAtItsTime) {
  Drive drive(LocalConfig());
  drive.Seconds(600);
  drive.world.Feed(ev::Stop{});
  EXPECT_GE(drive.OfKind(RecordKind::kPoint).size(), 10u);
  EXPECT_LT(drive.WorstPointErrorM(), 12);
}

TEST(RecordTime, MessagesDoNotShiftTheTrack) {
  Drive drive(LocalConfig());
  for (int i = 0; i < 600; ++i) {
    drive.Second();
    if (i % 17 == 5) drive.world.Feed(ev::Enqueue{"t", {std::byte{1}}});
  }
  drive.world.Feed(ev::Stop{});
  EXPECT_THAT(drive.OfKind(RecordKind::kMessage), SizeIs(35));
  EXPECT_LT(drive.WorstPointErrorM(), 12);
  drive.ExpectInOrder();
}

TEST(RecordTime, FenceEventsDoNotShiftTheTrack) {
  Drive drive(LocalConfig());
  std::vector<Geofence> fences;
  for (int i = 1; i <= 20; ++i) {
    Geofence f;
    f.id = std::to_string(i);
    f.shape = Circle{Drive::Truth(i * 23.0), 100};
    fences.push_back(f);
  }
  drive.world.Feed(ev::AddFences{fences});
  drive.Seconds(600);
  drive.world.Feed(ev::Stop{});
  EXPECT_GE(drive.OfKind(RecordKind::kFence).size(), 40u);
  EXPECT_LT(drive.WorstPointErrorM(), 12);
  drive.ExpectInOrder();
}

TEST(RecordTime, AMessageBeforeTheFirstFixDoesNotCarryAWrongClockIntoTheTrack) {
  for (const auto wrong : {kTwentyYears, -kTwentyYears}) {
    SCOPED_TRACE(wrong.count());
    Drive drive(LocalConfig());
    drive.world.utc += wrong;
    drive.world.Feed(ev::Enqueue{"boot", {std::byte{1}}});
    drive.Seconds(300);
    drive.world.Feed(ev::Stop{});
    EXPECT_GE(drive.OfKind(RecordKind::kPoint).size(), 5u);
    EXPECT_LT(drive.WorstPointErrorM(), 12);
    drive.ExpectInOrder();
    const auto messages = drive.OfKind(RecordKind::kMessage);
    ASSERT_THAT(messages, SizeIs(1));
    EXPECT_LT(std::chrono::abs(messages[0].utc - kUtcBegin), seconds(2));
  }
}

TEST(RecordTime, ANetworkFixDoesNotOverruleSatelliteTime) {
  Drive drive(LocalConfig());
  drive.Seconds(60);
  const UtcTime confirmed = drive.OfKind(RecordKind::kPoint).back().utc;
  Fix f = drive.world.FixAt(Drive::Truth(61));
  drive.world.Wait(seconds(1));
  f.time = drive.world.mono;
  f.source = FixSource::kNetwork;
  f.utc = drive.world.true_utc() + kTwentyYears;
  drive.world.Feed(f);
  drive.world.Feed(ev::Enqueue{"t", {std::byte{1}}});
  for (const StoredRecord& r : drive.world.appended) {
    EXPECT_LT(CoreWorld::UtcOf(r) - confirmed, hours(1));
  }
}

TEST(RecordTime, AReceiverThatContradictsItselfIsBelievedAtTheThirdFixInARow) {
  Drive drive(LocalConfig());
  drive.Seconds(60);
  double t = 60;
  const auto told = [&](Duration wrong) {
    drive.world.Wait(seconds(1));
    Fix f = drive.world.FixAt(Drive::Truth(++t));
    *f.utc += std::chrono::duration_cast<std::chrono::milliseconds>(wrong);
    drive.world.Feed(f);
    drive.world.SnapshotAndRestore();
    drive.world.Feed(ev::Enqueue{"t", {std::byte{1}}});
    return drive.OfKind(RecordKind::kMessage).back().utc - drive.world.true_utc();
  };
  const auto day = hours(24);
  EXPECT_LT(told(day), seconds(2));
  EXPECT_LT(told(day), seconds(2));
  EXPECT_GT(told(day), day - seconds(2)) << "the receiver learned better";
  EXPECT_GT(told({}), day - seconds(2));
  EXPECT_GT(told({}), day - seconds(2));
  EXPECT_LT(told({}), seconds(2)) << "and no later record follows the day that was wrong";
}

TEST(RecordTime, AServersDateIsBelievedBeforeTheHostsClock) {
  Config config = CoreWorld::UploadConfig();
  config.store.max_age = hours(24);
  Drive drive(config);
  drive.Seconds(120);
  drive.world.Feed(ev::Stop{});
  const std::set<std::uint64_t> before = drive.world.Present();
  ASSERT_GE(before.size(), 3u);
  // Another boot: the clock has lost its way and there is no fix.
  drive.world.mono = MonoTime(seconds(20));
  drive.world.boot_id = 2;
  drive.world.utc = drive.world.true_utc() + kTwentyYears;
  drive.world.Restart();
  drive.world.Feed(ev::Start{});
  drive.world.in_flight.reset();
  drive.world.Feed(ev::Flush{});
  for (int i = 0; i < 800 && !drive.world.in_flight; ++i) drive.world.Wait(seconds(10));
  ASSERT_TRUE(drive.world.in_flight.has_value());
  HttpReply reply;
  reply.id = drive.world.in_flight->id;
  reply.http_status = 503;
  reply.server_date = std::chrono::floor<seconds>(drive.world.true_utc());
  drive.world.in_flight.reset();
  drive.world.Feed(reply);
  drive.world.Wait(hours(3));
  EXPECT_EQ(drive.world.Present(), before) << "a wrong clock purges nothing";
  drive.world.Feed(ev::Enqueue{"t", {std::byte{1}}});
  const auto messages = drive.OfKind(RecordKind::kMessage);
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_LT(std::chrono::abs(messages[0].utc - drive.world.true_utc()), seconds(2));
}

}  // namespace
}  // namespace waymark::test
