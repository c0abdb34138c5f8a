#include "replay_tool/in_flight_transport.h"

#include <algorithm>
#include <utility>

namespace waymark::replay {
namespace {

// As long as the uploader would honour; a replay gives up long before.
constexpr std::chrono::seconds kLongestWait = std::chrono::hours(24);

}  // namespace

void InFlightTransport::Send(HttpRequest request, std::function<void(HttpReply)> done) {
  ++in_flight_;
  Waiting exchange{std::move(request), std::move(done)};
  {
    const std::lock_guard lock(mutex_);
    if (now_() < not_before_) {
      waiting_.push_back(std::move(exchange));
      return;
    }
  }
  Forward(std::move(exchange));
}

void InFlightTransport::Forward(Waiting exchange) {
  inner_.Send(std::move(exchange.request), [this, done = std::move(exchange.done)](HttpReply r) {
    Note(r);
    done(std::move(r));
    --in_flight_;
  });
}

void InFlightTransport::Note(const HttpReply& reply) {
  const std::lock_guard lock(mutex_);
  if (reply.retry_after) not_before_ = now_() + std::min(*reply.retry_after, kLongestWait);
  const bool success = reply.http_status && *reply.http_status / 100 == 2;
  last_failure_ = success ? ""
                  : reply.http_status
                      ? "the server answered HTTP " + std::to_string(*reply.http_status)
                      : reply.detail;
}

void InFlightTransport::SendDue() {
  std::deque<Waiting> due;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || now_() < not_before_) return;
    due.swap(waiting_);
  }
  for (Waiting& exchange : due) Forward(std::move(exchange));
}

void InFlightTransport::FailWaiting() { Fail("the server asked to wait longer than this replay"); }

void InFlightTransport::CancelAll() {
  Fail("cancelled");
  inner_.CancelAll();
}

void InFlightTransport::Fail(const char* why) {
  std::deque<Waiting> failed;
  {
    const std::lock_guard lock(mutex_);
    failed.swap(waiting_);
  }
  for (Waiting& exchange : failed) {
    HttpReply reply;
    reply.id = exchange.request.id;
    reply.detail = why;
    exchange.done(std::move(reply));
    --in_flight_;
  }
}

std::string InFlightTransport::last_failure() const {
  const std::lock_guard lock(mutex_);
  return last_failure_;
}

bool InFlightTransport::waiting() const {
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

}  // namespace waymark::replay
