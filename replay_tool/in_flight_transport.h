// A transport for a replay: knows how many exchanges are under way, so that the clock can be held
// until the network has answered, and keeps a server's Retry-After in real time, which a virtual
// clock would step over.
#ifndef WAYMARK_REPLAY_TOOL_IN_FLIGHT_TRANSPORT_H_
#define WAYMARK_REPLAY_TOOL_IN_FLIGHT_TRANSPORT_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "waymark/ports.h"

namespace waymark::replay {

class InFlightTransport final : public Transport {
 public:
  using RealClock = std::chrono::steady_clock;

  /// `inner` is borrowed and must outlive this. `now` is real time, or a test's.
  explicit InFlightTransport(Transport& inner,
                             std::function<RealClock::time_point()> now = &RealClock::now)
      : inner_(inner), now_(std::move(now)) {}

  /// Waits in here while the server has asked for it; see SendDue().
  void Send(HttpRequest request, std::function<void(HttpReply)> done) override;
  void CancelAll() override;

  /// Sends what waited, once the server's time is over.
  void SendDue();
  /// Answers what waits without the network: there is no time to wait for the server.
  void FailWaiting();
  /// A request waits in here for the server's time.
  bool waiting() const;
  /// What became of the last exchange, if it was not a success; empty: it was, or there was none.
  std::string last_failure() const;
  /// Requests without an answer, the waiting ones included.
  int in_flight() const { return in_flight_; }

 private:
  struct Waiting {
    HttpRequest request;
    std::function<void(HttpReply)> done;
  };
  void Forward(Waiting exchange);
  void Note(const HttpReply& reply);
  void Fail(const char* why);

  Transport& inner_;
  const std::function<RealClock::time_point()> now_;
  std::atomic<int> in_flight_ = 0;
  mutable std::mutex mutex_;  // guards what follows: replies come on the inner transport's thread
  RealClock::time_point not_before_ = RealClock::time_point::min();
  std::deque<Waiting> waiting_;
  std::string last_failure_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_IN_FLIGHT_TRANSPORT_H_
