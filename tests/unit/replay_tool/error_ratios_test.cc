#include "replay_tool/error_ratios.h"

#include <gtest/gtest.h>

#include <vector>

namespace waymark::replay {
namespace {

struct Error {
  std::int64_t utc_ms;
  double error_m;
};

TrackErrors Errors(const std::vector<Error>& list) {
  TrackErrors errors;
  for (const Error& e : list) {
    errors.times_s.push_back(static_cast<double>(e.utc_ms) * 1e-3);
    errors.error_m.push_back(e.error_m);
  }
  return errors;
}

ErrorsAtInstants At(const std::vector<std::int64_t>& instants, const std::vector<Error>& list) {
  ErrorsAtInstants at;
  at.Add(Errors(list), instants);
  return at;
}

constexpr std::int64_t kBegin = 1'700'000'000'123;

TEST(CompareErrors, WhatOneAloneWasAskedForBelongsToNeitherSide) {
  std::vector<std::int64_t> instants;
  for (int i = 0; i < 6; ++i) instants.push_back(kBegin + 1000 * i);
  const auto raw = At(instants, {{instants[0], 4},
                                 {instants[1], 4},
                                 {instants[2], 900},  // an outlier that ours was not asked for
                                 {instants[3], 4},
                                 {instants[5], 8}});
  const auto ours = At(instants, {{instants[0], 2},
                                  {instants[1], 2},
                                  {instants[3], 2},
                                  {instants[4], 700},  // and one without a raw fix
                                  {instants[5], 4}});
  const ErrorRatios r = CompareErrors(ours, raw);
  EXPECT_EQ(r.n, 4U);
  for (const auto& ratio : {r.p50, r.p95, r.rmse, r.max, r.score}) EXPECT_NEAR(*ratio, 0.5, 1e-6);
  EXPECT_FALSE(r.cross_track_p50);
}

TEST(CompareErrors, AnyOrderAndTheLastOfEqualTimes) {
  const std::vector<std::int64_t> instants{kBegin, kBegin + 1000, kBegin + 2000};
  const auto a = At(instants, {{kBegin + 2000, 6},
                               {kBegin, 50},
                               {kBegin, 2},
                               {kBegin + 1000, 4},
                               {kBegin + 1500, 70}});  // no instant
  const auto b = At(instants, {{kBegin, 1}, {kBegin + 1000, 2}, {kBegin + 2000, 3}});
  const ErrorRatios r = CompareErrors(a, b);
  EXPECT_EQ(r.n, 3U);
  EXPECT_NEAR(*r.max, 2, 1e-6);
  EXPECT_NEAR(*r.rmse, 2, 1e-6);
}

TEST(CompareErrors, CrossTrackAlone) {
  const std::vector<std::int64_t> instants{0, 1000};
  TrackErrors errors;
  errors.cross_times_s = {0, 1};
  errors.cross_m = {3, 3};
  ErrorsAtInstants ours, raw;
  ours.Add(errors, instants);
  errors.cross_m = {6, 6};
  raw.Add(errors, instants);
  const ErrorRatios r = CompareErrors(ours, raw);
  EXPECT_EQ(r.n, 2U);
  EXPECT_NEAR(*r.cross_track_p95, 0.5, 1e-6);
  EXPECT_FALSE(r.p50);
}

TEST(CompareErrors, NothingSharedIsNoRatio) {
  const std::vector<std::int64_t> instants{0, 1000};
  EXPECT_EQ(CompareErrors(At(instants, {{0, 1}}), At(instants, {{1000, 1}})).n, 0U);
  EXPECT_EQ(CompareErrors({}, At(instants, {{0, 1}})).n, 0U);
  EXPECT_FALSE(CompareErrors(At(instants, {{0, 1}}), At(instants, {{0, 0}})).p50);
}

}  // namespace
}  // namespace waymark::replay
