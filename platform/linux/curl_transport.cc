#include "waymark/curl_transport.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "platform/linux/curl_exchange.h"

namespace waymark {
namespace {

using linux_platform::CurlExchange;

// libcurl wakes up by itself for its own timers; this only bounds a missed wake-up.
constexpr int kPollMs = 60'000;

struct CloseMulti {
  void operator()(CURLM* m) const { curl_multi_cleanup(m); }
};

class CurlTransport final : public Transport {
 public:
  CurlTransport(const CurlTransportOptions& options, CURLM* multi)
      : options_(options), multi_(multi), worker_([this] { Run(); }) {}

  ~CurlTransport() override {
    CancelAll();
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    worker_.join();
  }

  void Send(HttpRequest request, std::function<void(HttpReply)> done) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back({std::move(request), std::move(done)});
    }
    curl_multi_wakeup(multi_.get());
  }

  void CancelAll() override {
    std::unique_lock lock(mutex_);
    for (Waiting& waiting : queue_) cancelled_.push_back(std::move(waiting));
    queue_.clear();
    if (std::this_thread::get_id() == worker_.get_id()) {
      // Inside `done` of the only active exchange, which is over: only the queue is left.
      lock.unlock();
      FailCancelled();
      return;
    }
    const std::uint64_t wanted = ++cancels_wanted_;
    curl_multi_wakeup(multi_.get());
    cancelled_now_.wait(lock, [&] { return cancels_done_ >= wanted; });
  }

 private:
  struct Waiting {
    HttpRequest request;
    std::function<void(HttpReply)> done;
  };

  void Run() {
    // A connection that breaks while written to raises SIGPIPE, and other signals are the host's.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (;;) {
      if (!ServeCancels()) return;
      StartNext();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      if (FinishCompleted()) continue;
      curl_multi_poll(multi_.get(), nullptr, 0, kPollMs, nullptr);
    }
  }

  // False: time to end.
  bool ServeCancels() {
    std::unique_lock lock(mutex_);
    const std::uint64_t wanted = cancels_wanted_;
    if (cancels_done_ < wanted) {
      lock.unlock();
      if (active_) {
        curl_multi_remove_handle(multi_.get(), active_->easy());
        std::unique_ptr<CurlExchange> exchange = std::move(active_);
        exchange->Fail("cancelled");
      }
      FailCancelled();
      lock.lock();
      cancels_done_ = wanted;
      cancelled_now_.notify_all();
    }
    return !stopping_;
  }

  void FailCancelled() {
    std::deque<Waiting> cancelled;
    {
      const std::lock_guard lock(mutex_);
      cancelled.swap(cancelled_);
    }
    for (Waiting& waiting : cancelled) {
      HttpReply reply;
      reply.id = waiting.request.id;
      reply.detail = "cancelled";
      waiting.done(std::move(reply));
    }
  }

  void StartNext() {
    while (!active_) {
      Waiting next;
      {
        const std::lock_guard lock(mutex_);
        if (queue_.empty()) return;
        next = std::move(queue_.front());
        queue_.pop_front();
      }
      auto exchange =
          std::make_unique<CurlExchange>(std::move(next.request), std::move(next.done), options_);
      if (exchange->refusal()) {
        exchange->Fail(*exchange->refusal());
      } else if (curl_multi_add_handle(multi_.get(), exchange->easy()) != CURLM_OK) {
        exchange->Fail("libcurl did not take the request");
      } else {
        active_ = std::move(exchange);
      }
    }
  }

  // True if an exchange ended: there may be another to start.
  bool FinishCompleted() {
    int left = 0;
    bool ended = false;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE || !active_) continue;
      const CURLcode result = message->data.result;
      curl_multi_remove_handle(multi_.get(), active_->easy());
      std::unique_ptr<CurlExchange> exchange = std::move(active_);
      exchange->Finish(result);
      ended = true;
    }
    return ended;
  }

  const CurlTransportOptions options_;
  std::unique_ptr<CURLM, CloseMulti> multi_;  // holds the connections, which outlive an exchange
  std::unique_ptr<CurlExchange> active_;      // the worker's alone
  std::mutex mutex_;                          // guards what follows
  std::condition_variable cancelled_now_;
  std::deque<Waiting> queue_, cancelled_;
  std::uint64_t cancels_wanted_ = 0, cancels_done_ = 0;
  bool stopping_ = false;
  std::thread worker_;  // last: starts when everything else is there
};

}  // namespace

Result<std::unique_ptr<Transport>> MakeCurlTransport(const CurlTransportOptions& options) {
  // libcurl's own set-up of the process, safe to repeat, never undone: others may use libcurl too.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) {
    return Status(Code::kInternal,
                  std::string("libcurl does not start: ") + curl_easy_strerror(started));
  }
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0) {
    return Status(
        Code::kInvalidArgument,
        options.ca_file + ": cannot read the certificate authorities: " + std::strerror(errno));
  }
  CURLM* multi = curl_multi_init();
  if (!multi) return Status(Code::kResourceExhausted, "libcurl has no memory to start");
  return std::unique_ptr<Transport>(std::make_unique<CurlTransport>(options, multi));
}

}  // namespace waymark
