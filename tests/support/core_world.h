// A world for a Core: a store, a server and two clocks, all in memory and all under the test's
// hand.
#ifndef WAYMARK_TESTS_SUPPORT_CORE_WORLD_H_
#define WAYMARK_TESTS_SUPPORT_CORE_WORLD_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "sdk/core/core.h"
#include "sdk/core/event_codec.h"
#include "sdk/sync/record_codec.h"
#include "waymark/geometry.h"
#include "waymark/memory_outbox.h"
#include "waymark/wire.h"

namespace waymark::test {

inline constexpr UtcTime kUtcBegin{std::chrono::milliseconds(1'700'000'000'000)};
inline constexpr MonoTime kMonoBegin{std::chrono::hours(1)};

class CoreWorld {
 public:
  explicit CoreWorld(const Config& config, std::uint64_t seed = 7)
      : config_(config), seed_(seed), outbox_(MakeMemoryOutbox()), core_(NewCore({})) {
    Feed(ev::StoreOpened{{}, {}, boot_id});
  }
  /// On a store that is already there, as after a restart.
  CoreWorld(const Config& config, std::unique_ptr<Outbox> outbox)
      : config_(config), seed_(7), outbox_(std::move(outbox)), core_(NewCore({})) {
    Restart();
  }

  static Config UploadConfig() {
    Config c;
    c.installation = "test-installation";
    c.upload.url = "https://collector.example/";
    c.upload.max_batch_records = 20;
    c.upload.max_latency = std::chrono::seconds(60);
    return c;
  }

  /// Hands the event over, performs what follows and returns all of it.
  std::vector<Action> Feed(Event event) {
    std::vector<Action> all;
    std::deque<Event> queue;
    queue.push_back(std::move(event));
    while (!queue.empty()) {
      std::vector<Action> actions;
      const Event next = std::move(queue.front());
      queue.pop_front();
      core_.Handle(next, {mono, utc}, actions);
      for (const Action& a : actions) Perform(a, queue);
      for (Action& a : actions) {
        const std::size_t begin = action_bytes.size();
        EncodeAction(a, action_bytes);
        lines.push_back(ActionText(a) + " #" +
                        std::to_string(Digest(std::span(action_bytes).subspan(begin))));
        all.push_back(std::move(a));
      }
    }
    return all;
  }

  /// Time passes; alarms fire when they are due.
  std::vector<Action> Wait(Duration d) {
    std::vector<Action> all;
    const MonoTime until = mono + d;
    while (true) {
      const std::optional<MonoTime> at = core_.NextDeadline();
      if (!at || *at > until) break;
      if (*at > mono) AdvanceTo(*at);
      const std::optional<MonoTime> before = at;
      for (Action& a : Feed(ev::AlarmFired{})) all.push_back(std::move(a));
      // An alarm that asks for itself again at once would spin a host's processor.
      if (core_.NextDeadline() == before) {
        ++repeated_alarms;
        break;
      }
    }
    AdvanceTo(until);
    return all;
  }

  /// A good fix at the present instant.
  Fix FixAt(LatLon position, double accuracy_m = 5) const {
    Fix f;
    f.time = mono;
    f.utc = true_utc();
    f.position = position;
    f.horizontal_accuracy_m = accuracy_m;
    f.source = FixSource::kGnss;
    return f;
  }

  /// The store is closed; Restart() with another must follow.
  void CloseStore() { outbox_.reset(); }
  /// The process dies and starts again on the same store, or on what was opened in its place.
  void Restart(std::unique_ptr<Outbox> opened = nullptr) {
    if (opened) outbox_ = std::move(opened);
    SavedState saved;
    saved.core = outbox_->GetState(kCoreStateKey).value().value_or(std::vector<std::byte>());
    saved.fences = outbox_->GetState(kFencesStateKey).value().value_or(std::vector<std::byte>());
    const auto tail = outbox_->GetState(kTailStateKey).value();
    core_ = NewCore(saved);
    in_flight.reset();
    Feed(ev::StoreOpened{outbox_->Contents().value(),
                         tail ? DecodeTail(*tail) : std::optional<UtcTime>(), boot_id});
  }

  /// The same state in a new core, as if nothing had happened.
  void SnapshotAndRestore() {
    SavedState saved;
    core_.Save(saved.core);
    core_.SaveFences(saved.fences);
    core_ = NewCore(saved);
  }

  void AdvanceTo(MonoTime to) {
    utc += std::chrono::duration_cast<std::chrono::milliseconds>(to - mono);
    true_offset_ += std::chrono::duration_cast<std::chrono::milliseconds>(to - mono);
    mono = to;
  }
  MonoTime sent() const { return sent_; }  ///< when in_flight was sent
  static UtcTime UtcOf(const StoredRecord& r) {
    return sync::DecodeRecord(r.seq, r.payload).value().utc;
  }
  UtcTime true_utc() const { return kUtcBegin + true_offset_; }

  Core& core() { return core_; }
  Outbox& outbox() { return *outbox_; }

  MonoTime mono = kMonoBegin;
  UtcTime utc = kUtcBegin;
  std::uint64_t boot_id = 1;
  Status store_error;  ///< while not ok, every commit fails with it
  std::optional<HttpRequest> in_flight;
  int requests_while_in_flight = 0;
  int repeated_alarms = 0;
  std::vector<StoredRecord> appended;
  std::set<std::uint64_t> acknowledged, dropped;
  std::vector<std::byte> action_bytes;
  std::vector<std::string> lines;  ///< the same for people

 private:
  Core NewCore(const SavedState& saved) {
    Result<Core> core = Core::Create(config_, seed_, saved);
    if (!core.ok()) std::abort();
    return std::move(core).value();
  }

  void Perform(const Action& action, std::deque<Event>& queue) {
    if (const auto* commit = std::get_if<act::Commit>(&action)) {
      const Result<OutboxRemoved> removed =
          store_error.ok() ? outbox_->Commit(commit->write) : store_error;
      if (removed.ok()) {
        for (const StoredRecord& r : commit->write.append) appended.push_back(r);
        if (commit->write.ack) {
          for (std::uint64_t s = commit->write.ack->first; s <= commit->write.ack->last; ++s) {
            acknowledged.insert(s);
          }
        }
      }
      queue.push_back(ev::Committed{removed.status(), removed.value_or({})});
    } else if (const auto* peek = std::get_if<act::Peek>(&action)) {
      auto rows = outbox_->Peek(peek->after_seq, peek->max_records, peek->max_bytes);
      queue.push_back(ev::Peeked{rows.status(), rows.value_or({})});
    } else if (const auto* enforce = std::get_if<act::Enforce>(&action)) {
      std::set<std::uint64_t> before = Present();
      const auto drops = outbox_->Enforce(enforce->limits, enforce->utc);
      const std::set<std::uint64_t> after = Present();
      for (const std::uint64_t s : before) {
        if (!after.contains(s)) dropped.insert(s);
      }
      queue.push_back(ev::Enforced{drops.status(), drops.value_or({})});
    } else if (const auto* request = std::get_if<HttpRequest>(&action)) {
      // A transport that never answers is given up on after the request's own timeout.
      if (in_flight && mono - sent_ < request->timeout) ++requests_while_in_flight;
      in_flight = *request;
      sent_ = mono;
    }
  }

 public:
  std::set<std::uint64_t> Present() {
    std::set<std::uint64_t> seqs;
    for (const StoredRecord& r : outbox_->Peek(0, 1'000'000, std::size_t{1} << 40).value()) {
      seqs.insert(r.seq);
    }
    return seqs;
  }

 private:
  Config config_;
  std::uint64_t seed_;
  std::unique_ptr<Outbox> outbox_;
  Core core_;
  std::chrono::milliseconds true_offset_{};
  MonoTime sent_{};
};

/// The actions of one type, in order.
template <class T>
std::vector<T> Only(const std::vector<Action>& actions) {
  std::vector<T> out;
  for (const Action& a : actions) {
    if (const T* t = std::get_if<T>(&a)) out.push_back(*t);
  }
  return out;
}

}  // namespace waymark::test

#endif  // WAYMARK_TESTS_SUPPORT_CORE_WORLD_H_
