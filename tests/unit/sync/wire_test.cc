// The bytes of a batch: fixed for ever, and few.
#include "waymark/wire.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "sdk/core/event_codec.h"

namespace waymark {
namespace {

UtcTime Utc(std::int64_t ms) { return UtcTime(std::chrono::milliseconds(1'700'000'000'000 + ms)); }

Batch EveryKind() {
  PointRecord point;
  point.position = {47.3769, -8.5417};
  point.r68_m = 4.25;
  point.speed_mps = 13.9;
  point.course_deg = 271.5;
  point.altitude_m = -3.5;
  point.motion = Motion::kMoving;
  const std::vector<RecordBody> bodies = {
      point,
      FenceRecord{
          "home", FenceTransition::kExit, {0, -180}, Utc(-500), 0.987654, -12.34, "{\"a\":1}"},
      MotionRecord{Motion::kStationary, {-90, 0}},
      StayRecord{7, Utc(-60'000), Utc(0), {1, 2}, 9.99, 31},
      TripRecord{8, Utc(-90'000), Utc(0), {1, 2}, {3, 4}, 12'345.67, 89.01},
      GapRecord{Utc(-120'000), Utc(0), GapCause::kNoSignal},
      DropsRecord{5, 600, 11, 15},
      MessageRecord{"topic", {std::byte{0}, std::byte{0xff}}},
      point,
      PointRecord{}};
  Batch batch;
  batch.installation = "phone-1";
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    batch.records.push_back({100 + i, 3, Utc(static_cast<std::int64_t>(1000 * i)), bodies[i]});
  }
  return batch;
}

// Stored batches and deployed collectors outlive a version. A new version of the schema gets a new
// golden value beside this one.
TEST(Wire, TheBytesOfVersion1DoNotChange) {
  const std::vector<std::byte> bytes = EncodeBatch(EveryKind());
  EXPECT_EQ(bytes.size(), 306u);
  EXPECT_EQ(Digest(bytes), 8646080456864309071u);
}

// A 1 Hz drive as it would be without simplification: the second differences of its positions take
// a byte a coordinate, where the coordinate itself takes five.
TEST(Wire, APointOfATrackTakesNineBytes) {
  std::mt19937_64 random(1);
  const auto noise = [&] { return static_cast<double>(random() >> 11) * 0x1p-53 - 0.5; };
  Batch batch;
  batch.installation = "phone-1";
  double lat = 47, lon = 8, course = 90, speed = 14;
  for (std::uint64_t i = 0; i < 250; ++i) {
    course = std::fmod(course + noise() * 4 + 360, 360);
    speed += noise() * 0.3;
    lat += speed * std::cos(course * 0.0174533) / 111'200;
    lon += speed * std::sin(course * 0.0174533) / 75'900;
    PointRecord p;
    p.position = {lat, lon};
    p.r68_m = 4 + noise() * 0.2;
    p.speed_mps = speed;
    p.course_deg = course;
    p.altitude_m = 400 + noise() * 0.4;
    p.motion = Motion::kMoving;
    batch.records.push_back({i + 1, 1, Utc(static_cast<std::int64_t>(1000 * i)), p});
  }
  EXPECT_LE(EncodeBatch(batch).size(), 250u * 9);
}

}  // namespace
}  // namespace waymark
