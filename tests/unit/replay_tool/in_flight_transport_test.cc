#include "replay_tool/in_flight_transport.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waymark::replay {
namespace {

using std::chrono::seconds;

// Answers when the test says so.
class Network final : public Transport {
 public:
  void Send(HttpRequest request, std::function<void(HttpReply)> done) override {
    ids.push_back(request.id);
    pending.push_back(std::move(done));
  }
  void CancelAll() override { ++cancels; }
  void Answer(std::optional<int> status, std::optional<seconds> retry_after = {}) {
    HttpReply reply;
    reply.http_status = status;
    reply.retry_after = retry_after;
    auto done = std::move(pending.front());
    pending.erase(pending.begin());
    done(reply);
  }

  std::vector<std::uint64_t> ids;
  std::vector<std::function<void(HttpReply)>> pending;
  int cancels = 0;
};

class InFlight : public ::testing::Test {
 protected:
  void Send(std::uint64_t id) {
    HttpRequest request;
    request.id = id;
    transport_.Send(request, [this](HttpReply r) { replies_.push_back(std::move(r)); });
  }

  Network network_;
  InFlightTransport::RealClock::time_point now_{};
  InFlightTransport transport_{network_, [this] { return now_; }};
  std::vector<HttpReply> replies_;
};

TEST_F(InFlight, ASecondRequestWaitsForTheServersTime) {
  Send(1);
  EXPECT_EQ(transport_.in_flight(), 1);
  network_.Answer(503, seconds(5));
  EXPECT_EQ(transport_.last_failure(), "the server answered HTTP 503");
  EXPECT_EQ(transport_.in_flight(), 0);

  Send(2);
  EXPECT_EQ(network_.ids.size(), 1u);
  EXPECT_TRUE(transport_.waiting());
  EXPECT_EQ(transport_.in_flight(), 1);
  now_ += seconds(4);
  transport_.SendDue();
  EXPECT_EQ(network_.ids.size(), 1u);
  now_ += seconds(1);
  transport_.SendDue();
  EXPECT_EQ(network_.ids, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_FALSE(transport_.waiting());
  network_.Answer(200);
  EXPECT_EQ(transport_.last_failure(), "");
  EXPECT_EQ(transport_.in_flight(), 0);
  Send(3);
  EXPECT_EQ(network_.ids.size(), 3u);
}

TEST_F(InFlight, WhatWaitsCanBeFailedOrCancelled) {
  for (const bool cancel : {false, true}) {
    replies_.clear();
    Send(1);
    network_.Answer(429, seconds(60));
    Send(2);
    ASSERT_TRUE(transport_.waiting());
    cancel ? transport_.CancelAll() : transport_.FailWaiting();
    EXPECT_FALSE(transport_.waiting());
    EXPECT_EQ(transport_.in_flight(), 0);
    ASSERT_EQ(replies_.size(), 2u);
    EXPECT_EQ(replies_[1].id, 2u);
    EXPECT_EQ(replies_[1].http_status, std::nullopt);
    now_ += seconds(60);
  }
  EXPECT_EQ(network_.cancels, 1);
  EXPECT_EQ(network_.ids.size(), 2u);
}

}  // namespace
}  // namespace waymark::replay
