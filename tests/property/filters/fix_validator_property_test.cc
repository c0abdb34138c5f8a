#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "filters/fix_validator.h"

namespace waymark {
namespace {

// Any bits at all, and often the awkward ones.
rc::Gen<double> AnyDouble() {
  return rc::gen::oneOf(
      rc::gen::map(rc::gen::arbitrary<std::uint64_t>(),
                   [](std::uint64_t v) { return std::bit_cast<double>(v); }),
      rc::gen::element(0.0, -0.0, 1e-9, 1e308, -1e308, 90.0, -180.0, 180.0, 360.0),
      rc::gen::map(rc::gen::inRange(-1000, 1000), [](int v) { return v * 0.1; }));
}

rc::Gen<std::int64_t> AnyTimeNs() {
  return rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(),
                        rc::gen::map(rc::gen::inRange<std::int64_t>(0, 100),
                                     [](std::int64_t v) { return v * 500'000'000; }),
                        rc::gen::element(INT64_MIN, INT64_MAX, std::int64_t{0}));
}

rc::Gen<Fix> AnyFix() {
  return rc::gen::exec([] {
    Fix f;
    f.time = MonoTime(Duration(*AnyTimeNs()));
    if (*rc::gen::arbitrary<bool>()) {
      f.utc = UtcTime(std::chrono::milliseconds(
          *rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(),
                          rc::gen::inRange<std::int64_t>(1'600'000'000'000, 1'600'000'100'000))));
    }
    f.position = {*AnyDouble(), *AnyDouble()};
    if (*rc::gen::arbitrary<bool>()) {
      f.position = {50 + *rc::gen::inRange(0, 1000) * 1e-6, 8 + *rc::gen::inRange(0, 1000) * 1e-6};
    }
    for (auto member :
         {&Fix::horizontal_accuracy_m, &Fix::altitude_m, &Fix::vertical_accuracy_m, &Fix::speed_mps,
          &Fix::speed_accuracy_mps, &Fix::course_deg, &Fix::course_accuracy_deg}) {
      if (*rc::gen::arbitrary<bool>()) f.*member = *AnyDouble();
    }
    f.source = *rc::gen::element(FixSource::kUnknown, FixSource::kGnss, FixSource::kNetwork,
                                 FixSource::kFused);
    return f;
  });
}

Stamp AnyStamp() {
  return {MonoTime(Duration(*AnyTimeNs())),
          UtcTime(std::chrono::milliseconds(*rc::gen::arbitrary<std::int64_t>()))};
}

std::vector<std::byte> Image(const FixValidator& v) {
  std::vector<std::byte> out;
  v.Save(out);
  return out;
}

// What is let through is finite, in range and consistent with its action; every judgement that is
// not plain acceptance says why, in numbers.
void CheckIntake(const Intake& intake) {
  const Verdict& v = intake.verdict;
  RC_ASSERT(std::isfinite(v.value) && std::isfinite(v.limit));
  RC_ASSERT((v.reason == Reason::kNone) == (v.disposition == Disposition::kAccepted));
  const bool clock = v.used() && (v.reason == Reason::kLate || v.reason == Reason::kFuture);
  const bool no_limit = v.reason == Reason::kNone || v.reason == Reason::kDuplicate ||
                        v.reason == Reason::kSimulated || v.reason == Reason::kNotFinite ||
                        v.reason == Reason::kCached || v.reason == Reason::kWeekRollover;
  if (!no_limit && !clock && v.reason != Reason::kOutOfRange) RC_ASSERT(v.limit > 0);
  if (no_limit) RC_ASSERT(v.limit == 0);
  if (intake.action == IntakeAction::kDrop) {
    RC_ASSERT(intake.verdict.disposition == Disposition::kRejected);
    RC_ASSERT(intake.verdict.reason != Reason::kNone);
    return;
  }
  const Fix& f = intake.fix;
  RC_ASSERT(intake.verdict.used());
  RC_ASSERT(f.position.lat_deg >= -90 && f.position.lat_deg <= 90);
  RC_ASSERT(f.position.lon_deg >= -180 && f.position.lon_deg < 180);
  RC_ASSERT(intake.accuracy_m > 0 && intake.accuracy_m <= 2000);
  for (auto member :
       {&Fix::horizontal_accuracy_m, &Fix::altitude_m, &Fix::vertical_accuracy_m, &Fix::speed_mps,
        &Fix::speed_accuracy_mps, &Fix::course_deg, &Fix::course_accuracy_deg}) {
    RC_ASSERT((!(f.*member) || std::isfinite(*(f.*member))));
  }
  RC_ASSERT((!f.speed_mps || (*f.speed_mps >= 0 && *f.speed_mps <= 340)));
  RC_ASSERT((!f.course_deg || f.speed_mps));
}

RC_GTEST_PROP(FixValidator, IsTotalAndADuplicateOfAnythingChangesNothing, ()) {
  FixValidator validator;
  const int n = *rc::gen::inRange(1, 40);
  for (int i = 0; i < n; ++i) {
    const Fix fix = *AnyFix();
    const Stamp arrival = AnyStamp();
    const Intake intake = validator.Judge(fix, arrival, std::nullopt);
    CheckIntake(intake);
    validator.Commit(intake, intake.verdict);
    const std::vector<std::byte> before = Image(validator);
    const Intake again = validator.Judge(fix, arrival, std::nullopt);
    RC_ASSERT(again.action == IntakeAction::kDrop);
    validator.Commit(again, again.verdict);
    RC_ASSERT(Image(validator) == before);
    // A snapshot taken here goes on exactly as this one does.
    FixValidator restored;
    RC_ASSERT(restored.Restore(before).ok());
    RC_ASSERT(Image(restored) == before);
    validator = restored;
  }
}

RC_GTEST_PROP(FixValidator, SurvivesAnyBytesAsASnapshot, ()) {
  FixValidator validator;
  for (int i = 0; i < 3; ++i) {
    const Intake intake = validator.Judge(*AnyFix(), AnyStamp(), std::nullopt);
    validator.Commit(intake, intake.verdict);
  }
  std::vector<std::byte> image = Image(validator);
  const int flips = *rc::gen::inRange(1, 5);
  for (int i = 0; i < flips; ++i) {
    image[*rc::gen::inRange<std::size_t>(0, image.size())] ^=
        static_cast<std::byte>(*rc::gen::inRange(1, 256));
  }
  FixValidator other;
  const std::vector<std::byte> fresh = Image(other);
  if (!other.Restore(image).ok()) RC_ASSERT(Image(other) == fresh);
  for (int i = 0; i < 5; ++i) {
    const Intake intake = other.Judge(*AnyFix(), AnyStamp(), std::nullopt);
    CheckIntake(intake);
    other.Commit(intake, intake.verdict);
  }
}

}  // namespace
}  // namespace waymark
