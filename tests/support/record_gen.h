// Random records, quantised as the store and the wire are, for property tests.
#ifndef WAYMARK_TESTS_SUPPORT_RECORD_GEN_H_
#define WAYMARK_TESTS_SUPPORT_RECORD_GEN_H_

#include <rapidcheck.h>

#include <cstdint>
#include <string>
#include <vector>

#include "waymark/record.h"

namespace waymark::testing {

inline LatLon AnyPosition() {
  // The ends of the ranges, the equator and the seam come up often.
  const auto lat = *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-900'000'000, 900'000'001),
                                   rc::gen::element<std::int64_t>(-900'000'000, 0, 900'000'000));
  const auto lon =
      *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(-1'800'000'000, 1'800'000'000),
                      rc::gen::element<std::int64_t>(-1'800'000'000, 0, 1'799'999'999));
  return {static_cast<double>(lat) / 1e7, static_cast<double>(lon) / 1e7};
}

inline double AnyCm(std::int64_t low, std::int64_t high) {
  return static_cast<double>(*rc::gen::inRange<std::int64_t>(low, high)) / 100;
}

inline UtcTime AnyUtc() {
  return UtcTime(std::chrono::milliseconds(
      *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(1'600'000'000'000, 1'900'000'000'000),
                      rc::gen::arbitrary<std::int64_t>())));
}

inline std::string AnyText() { return *rc::gen::arbitrary<std::string>(); }

inline RecordBody AnyBody() {
  switch (*rc::gen::inRange(0, 14)) {
    case 0:
      return FenceRecord{AnyText(),
                         static_cast<FenceTransition>(*rc::gen::inRange(1, 5)),
                         AnyPosition(),
                         AnyUtc(),
                         static_cast<double>(*rc::gen::inRange(0, 1'000'001)) / 1e6,
                         AnyCm(-1'000'000, 1'000'000),
                         AnyText()};
    case 1:
      return MotionRecord{static_cast<Motion>(*rc::gen::inRange(0, 3)), AnyPosition()};
    case 2:
      return StayRecord{*rc::gen::arbitrary<std::uint64_t>(),
                        AnyUtc(),
                        AnyUtc(),
                        AnyPosition(),
                        AnyCm(0, 100'000),
                        *rc::gen::arbitrary<std::uint32_t>()};
    case 3:
      return TripRecord{*rc::gen::arbitrary<std::uint64_t>(),
                        AnyUtc(),
                        AnyUtc(),
                        AnyPosition(),
                        AnyPosition(),
                        AnyCm(0, 1'000'000'000),
                        AnyCm(0, 100'000)};
    case 4:
      return GapRecord{AnyUtc(), AnyUtc(), static_cast<GapCause>(*rc::gen::inRange(0, 7))};
    case 5:
      return DropsRecord{*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>(),
                         *rc::gen::arbitrary<std::uint64_t>(),
                         *rc::gen::arbitrary<std::uint64_t>()};
    case 6: {
      MessageRecord m;
      m.topic = AnyText();
      for (const char c : AnyText()) m.body.push_back(static_cast<std::byte>(c));
      return m;
    }
    default: {
      PointRecord p;
      p.position = AnyPosition();
      p.r68_m = AnyCm(0, 1'000'000);
      if (*rc::gen::arbitrary<bool>()) p.speed_mps = AnyCm(0, 30'000);
      if (*rc::gen::arbitrary<bool>()) p.course_deg = AnyCm(0, 36'000);
      if (*rc::gen::arbitrary<bool>()) p.altitude_m = AnyCm(-50'000, 1'000'000);
      p.motion = static_cast<Motion>(*rc::gen::inRange(0, 3));
      return p;
    }
  }
}

inline Record AnyRecord(std::uint64_t seq) {
  Record r;
  r.seq = seq;
  r.session = *rc::gen::oneOf(rc::gen::just<std::uint64_t>(1), rc::gen::arbitrary<std::uint64_t>());
  r.utc = AnyUtc();
  r.body = AnyBody();
  return r;
}

}  // namespace waymark::testing

#endif  // WAYMARK_TESTS_SUPPORT_RECORD_GEN_H_
