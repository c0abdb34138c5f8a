// Motion detector and odometer under any estimates and any snapshot bytes.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "filters/motion_detector.h"
#include "filters/odometer.h"
#include "filters/state_bytes.h"

namespace waymark {
namespace {

double AnyDouble() {
  switch (*rc::gen::inRange(0, 6)) {
    case 0:
      return std::bit_cast<double>(*rc::gen::arbitrary<std::uint64_t>());
    case 1:
      return *rc::gen::element(0.0, -0.0, 1e308, -1e308, 1e-308);
    default:
      return *rc::gen::inRange(-3000, 3000) * 0.01;
  }
}

struct Input {
  Estimate estimate;
  Fix fix;
  Verdict verdict;
};

Input AnyInput(MonoTime& time) {
  Input in;
  Estimate& e = in.estimate;
  const bool wild = *rc::gen::inRange(0, 10) == 0;
  time = wild ? MonoTime(Duration(*rc::gen::inRange(-kMaxTimeNs, kMaxTimeNs)))
              : MonoTime(Duration(time.time_since_epoch() / 2 * 2 +
                                  Duration(*rc::gen::inRange<std::int64_t>(0, 3'000'000'000))));
  if (time.time_since_epoch().count() > kMaxTimeNs / 2) time = MonoTime{};
  e.time = time;
  if (*rc::gen::arbitrary<bool>()) e.utc = UtcTime(std::chrono::seconds(1'700'000'000));
  e.position = wild ? LatLon{AnyDouble(), AnyDouble()}
                    : LatLon{50 + AnyDouble() * 1e-5, 8 + AnyDouble() * 1e-5};
  e.velocity_east_mps = AnyDouble();
  e.velocity_north_mps = AnyDouble();
  e.r68_m = std::abs(AnyDouble());
  e.speed_sigma_mps = AnyDouble();
  in.fix.position = {AnyDouble(), AnyDouble()};
  if (*rc::gen::arbitrary<bool>()) in.fix.speed_mps = AnyDouble();
  if (*rc::gen::arbitrary<bool>()) in.fix.course_deg = AnyDouble();
  if (*rc::gen::arbitrary<bool>()) in.fix.horizontal_accuracy_m = std::abs(AnyDouble());
  in.verdict.disposition = *rc::gen::element(Disposition::kAccepted, Disposition::kRejected);
  return in;
}

void Feed(MotionDetector& detector, Odometer& odometer, const Input& in,
          std::vector<MotionEvent>& events) {
  detector.Update(in.estimate, in.fix, in.verdict, odometer.total(), events);
  odometer.Update(in.estimate, detector.motion());
}

RC_GTEST_PROP(TrackState, TheOdometerNeverRunsBackAndStaysAndTripsAlternate, ()) {
  MotionDetector detector;
  Odometer odometer;
  std::vector<MotionEvent> events;
  MonoTime time{};
  double last_m = 0;
  const int n = *rc::gen::inRange(1, 200);
  for (int i = 0; i < n; ++i) {
    Feed(detector, odometer, AnyInput(time), events);
    const Distance d = odometer.total();
    RC_ASSERT(d.distance_m >= last_m);
    RC_ASSERT(d.bound_m >= 0);
    last_m = d.distance_m;
    std::vector<std::byte> motion_image, odometer_image;
    detector.Save(motion_image);
    odometer.Save(odometer_image);
    RC_ASSERT(MotionDetector().Restore(motion_image).ok());
    RC_ASSERT(Odometer().Restore(odometer_image).ok());
  }
  detector.Finish(odometer.total(), events);
  int open = 0;  // 1 in a stay, 2 in a trip
  Motion motion = Motion::kUnknown;
  for (const MotionEvent& e : events) {
    switch (e.kind) {
      case MotionEvent::Kind::kMotionChange:
        RC_ASSERT(e.change.motion != motion);
        motion = e.change.motion;
        break;
      case MotionEvent::Kind::kStayBegan:
        RC_ASSERT(open == 0);
        open = 1;
        break;
      case MotionEvent::Kind::kStayEnded:
        RC_ASSERT(open == 1);
        RC_ASSERT(e.stay.end >= e.stay.begin);
        open = 0;
        break;
      case MotionEvent::Kind::kTripBegan:
        RC_ASSERT(open == 0);
        open = 2;
        break;
      case MotionEvent::Kind::kTripEnded:
        RC_ASSERT(open == 2);
        RC_ASSERT(e.trip.end >= e.trip.begin);
        RC_ASSERT(e.trip.distance_m >= 0);
        open = 0;
        break;
    }
  }
  RC_ASSERT(open == 0);
}

RC_GTEST_PROP(TrackState, SurvivesAnyBytesAsASnapshot, ()) {
  MotionDetector detector;
  Odometer odometer;
  std::vector<MotionEvent> events;
  MonoTime time{};
  for (int i = 0; i < 40; ++i) Feed(detector, odometer, AnyInput(time), events);
  std::vector<std::byte> a, b;
  detector.Save(a);
  odometer.Save(b);
  for (std::vector<std::byte>* image : {&a, &b}) {
    for (int i = *rc::gen::inRange(1, 4); i > 0; --i) {
      (*image)[*rc::gen::inRange<std::size_t>(0, image->size())] ^=
          static_cast<std::byte>(*rc::gen::inRange(1, 256));
    }
  }
  MotionDetector other;
  Odometer other_odometer;
  other.Restore(a).Ignore();
  other_odometer.Restore(b).Ignore();
  for (int i = 0; i < 40; ++i) Feed(other, other_odometer, AnyInput(time), events);
  other.Finish(other_odometer.total(), events);
}

}  // namespace
}  // namespace waymark
