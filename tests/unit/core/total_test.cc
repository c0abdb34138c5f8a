// The core is total: no number that an event may hold brings it down or comes out as nonsense.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/core_world.h"

namespace waymark::test {
namespace {

using std::chrono::seconds;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
const double kBad[] = {kNan, kInf, -kInf, 1e300, -1e300, 1e-320, -0.0, 5e9,
                       -5e9, 1e18, -1e18, 360,   -360,   91,     181};
const std::int64_t kBadTimes[] = {INT64_MIN, INT64_MIN / 2, -1, 0, INT64_MAX / 2, INT64_MAX};

class Total : public testing::Test {
 protected:
  Total() {
    Config config = CoreWorld::UploadConfig();
    world_ = std::make_unique<CoreWorld>(config);
    world_->Feed(ev::Start{});
    for (int i = 0; i < 5; ++i) Good();
  }
  std::vector<Action> Good() {
    world_->Wait(seconds(1));
    at_ = Destination(at_, 45, 10);
    return world_->Feed(world_->FixAt(at_));
  }
  // The event is survived, says nothing that is not finite, and the world goes on.
  void Survives(const Event& event) {
    SCOPED_TRACE(EventText(event, {}));
    for (const Action& a : world_->Feed(event)) ExpectFinite(a);
    const auto reports = Only<FixReport>(Good());
    ASSERT_EQ(reports.size(), 1u);
    EXPECT_TRUE(!reports[0].live || std::isfinite(reports[0].live->r68_m));
    SavedState saved;
    world_->core().Save(saved.core);
    world_->core().SaveFences(saved.fences);
    Core again = std::move(Core::Create(CoreWorld::UploadConfig(), 1, saved)).value();
    std::vector<std::byte> image;
    again.Save(image);
    ASSERT_EQ(image, saved.core) << "what was saved cannot be restored";
  }
  static void ExpectFinite(const Action& action) {
    if (const auto* r = std::get_if<FixReport>(&action); r && r->live) {
      EXPECT_TRUE(std::isfinite(r->live->position.lat_deg));
      EXPECT_TRUE(std::isfinite(r->live->r95_m));
      EXPECT_FALSE(std::isnan(r->verdict.value));
    }
    if (const auto* e = std::get_if<FenceEvent>(&action)) {
      EXPECT_TRUE(std::isfinite(e->distance_m));
      EXPECT_TRUE(e->probability >= 0 && e->probability <= 1);
    }
    if (const auto* c = std::get_if<act::Commit>(&action)) {
      for (const Record& r : c->records) {
        EXPECT_TRUE(sync::DecodeRecord(r.seq, sync::EncodeRecord(r)).ok());
      }
    }
  }

  std::unique_ptr<CoreWorld> world_;
  LatLon at_{47, 8};
};

TEST_F(Total, EveryNumberOfAFix) {
  std::optional<double> Fix::*const optionals[] = {
      &Fix::horizontal_accuracy_m, &Fix::altitude_m, &Fix::vertical_accuracy_m, &Fix::speed_mps,
      &Fix::speed_accuracy_mps,    &Fix::course_deg, &Fix::course_accuracy_deg};
  for (const double bad : kBad) {
    for (const auto member : optionals) {
      Fix f = world_->FixAt(at_);
      f.*member = bad;
      Survives(f);
    }
    for (double LatLon::*member : {&LatLon::lat_deg, &LatLon::lon_deg}) {
      Fix f = world_->FixAt(at_);
      f.position.*member = bad;
      Survives(f);
    }
  }
  for (const std::int64_t t : kBadTimes) {
    Fix f = world_->FixAt(at_);
    f.time = MonoTime(Duration(t));
    Survives(f);
    f = world_->FixAt(at_);
    f.utc = UtcTime(std::chrono::milliseconds(t));
    Survives(f);
    f.source = FixSource::kNetwork;
    Survives(f);
  }
}

TEST_F(Total, EveryNumberOfAFence) {
  std::vector<Geofence> fences;
  const auto add = [&](FenceShape shape) {
    Geofence f;
    f.id = std::to_string(fences.size());
    f.shape = std::move(shape);
    fences.push_back(std::move(f));
  };
  for (const double bad : kBad) {
    add(Circle{{47, 8}, bad});
    add(Circle{{bad, 8}, 100});
    add(Circle{{47, bad}, 100});
    add(Polygon{{{47, 8}, {bad, 8.1}, {47.1, 8.1}}, {}});
    add(Polygon{{{47, 8}, {47, bad}, {47.1, 8.1}}, {{{47.01, 8.01}, {bad, bad}, {47.02, 8.02}}}});
    add(MultiPolygon{{Polygon{{{47, 8}, {47, bad}, {47.1, 8.1}}, {}}}});
    add(Corridor{{{47, 8}, {47.1, bad}}, 100});
    add(Corridor{{{47, 8}, {47.1, 8.1}}, bad});
    add(Circle{{47, 8}, 100});
    fences.back().confidence = bad;
  }
  add(Polygon{});
  add(MultiPolygon{});
  add(Corridor{});
  for (const std::int64_t t : kBadTimes) {
    add(Circle{{47, 8}, 100});
    fences.back().dwell = Duration(t);
    add(Circle{{47, 8}, 100});
    fences.back().expires = UtcTime(std::chrono::milliseconds(t));
  }
  Survives(ev::AddFences{fences});
  for (int i = 0; i < 20; ++i) {
    for (const Action& a : Good()) ExpectFinite(a);
  }
}

TEST_F(Total, EveryNumberOfTheOtherEvents) {
  for (const double bad : kBad) {
    Survives(Battery{bad, false, false});
    Survives(MotionSample{world_->mono, Activity::kWalking, bad});
  }
  for (const std::int64_t t : kBadTimes) {
    Survives(MotionSample{MonoTime(Duration(t)), Activity::kWalking, 1});
    HttpReply reply;
    reply.http_status = static_cast<int>(t);
    reply.retry_after = seconds(t);
    reply.server_date = UtcTime(std::chrono::milliseconds(t));
    world_->Feed(ev::Flush{});
    reply.id = world_->in_flight ? world_->in_flight->id : static_cast<std::uint64_t>(t);
    world_->in_flight.reset();
    Survives(reply);
    const auto n = static_cast<std::uint64_t>(t);
    Survives(ev::Committed{Status(), {n, n, n, n}});
    Survives(ev::Enforced{Status(), {n, n, n, n}});
    Survives(ev::Peeked{Status(), {{n, 1, 2, UtcTime(std::chrono::milliseconds(t)), {}}}});
  }
}

TEST_F(Total, EveryClock) {
  for (const std::int64_t utc : kBadTimes) {
    world_->utc = UtcTime(std::chrono::milliseconds(utc));
    std::vector<Action> out;
    for (const std::int64_t mono : kBadTimes) {
      const Stamp stamp{MonoTime(Duration(mono)), world_->utc};
      Core core = std::move(Core::Create(CoreWorld::UploadConfig(), 1, {})).value();
      Fix fix;
      fix.time = stamp.mono;
      fix.position = {47, 8};
      for (const Event& e : {Event(ev::StoreOpened{{}, stamp.utc, 1}), Event(ev::Start{}),
                             Event(fix), Event(ev::Enqueue{"t", {}}), Event(ev::Flush{}),
                             Event(ev::AlarmFired{}), Event(ev::Stop{})}) {
        core.Handle(e, stamp, out);
        (void)core.NextDeadline();
      }
    }
  }
}

}  // namespace
}  // namespace waymark::test
