// Knows how many exchanges of a transport are under way, so that a replay can hold its clock still
// until the network has answered.
#ifndef WAYMARK_REPLAY_TOOL_IN_FLIGHT_TRANSPORT_H_
#define WAYMARK_REPLAY_TOOL_IN_FLIGHT_TRANSPORT_H_

#include <atomic>
#include <functional>
#include <utility>

#include "waymark/ports.h"

namespace waymark::replay {

class InFlightTransport final : public Transport {
 public:
  /// `inner` is borrowed and must outlive this.
  explicit InFlightTransport(Transport& inner) : inner_(inner) {}

  void Send(HttpRequest request, std::function<void(HttpReply)> done) override {
    ++in_flight_;
    inner_.Send(std::move(request), [this, done = std::move(done)](HttpReply reply) {
      done(std::move(reply));
      --in_flight_;
    });
  }
  void CancelAll() override { inner_.CancelAll(); }
  int in_flight() const { return in_flight_; }

 private:
  Transport& inner_;
  std::atomic<int> in_flight_ = 0;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_IN_FLIGHT_TRANSPORT_H_
