// The shell around the core: pop an event, let the core handle it, perform its actions in order,
// feed the results back, arm the timer. Everything runs on the host's serial executor.
#include "waymark/tracker.h"

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

#include "sdk/core/core.h"
#include "sdk/core/journal_writer.h"
#include "waymark/memory_outbox.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

constexpr char kInstallationStateKey[] = "installation";

// 64 bits of the seed, spread by splitmix64 (Steele et al. 2014, doi:10.1145/2714064.2660195).
std::string MakeInstallationId(std::uint64_t seed) {
  std::string id;
  for (int word = 0; word < 2; ++word) {
    seed += 0x9E3779B97F4A7C15u;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    for (int i = 0; i < 16; ++i, z >>= 4) id.push_back("0123456789abcdef"[z & 15]);
  }
  return id;
}

Result<std::vector<std::byte>> ReadState(Outbox& outbox, const char* key) {
  Result<std::optional<std::vector<std::byte>>> value = outbox.GetState(key);
  if (!value.ok()) return value.status();
  return value.value().value_or(std::vector<std::byte>());
}

}  // namespace

class Tracker::Shell : public std::enable_shared_from_this<Tracker::Shell> {
 public:
  Shell(const TrackerPorts& ports, std::unique_ptr<Outbox> outbox, Core core)
      : ports_(ports), outbox_(std::move(outbox)), core_(std::move(core)) {
    if (ports_.journal) journal_.emplace(ports_.journal);
  }

  void Open(const Config& config, const SavedState& saved, ev::StoreOpened opened,
            std::optional<std::string> quarantined_as) {
    if (journal_) journal_->Begin(config, ports_.seed, saved);
    Post(Event(opened));
    if (quarantined_as) {
      Run([this, path = *quarantined_as] {
        Problem(Status(Code::kCorruption, "the database was damaged; it was set aside as " + path +
                                              " and a new one begun"));
      });
    }
  }

  void Post(Event event) {
    const Stamp stamp{ports_.clock->Now(), ports_.clock->UtcNow()};
    // std::function wants a copyable task; the event may be large.
    auto boxed = std::make_shared<Event>(std::move(event));
    Run([this, boxed, stamp] { Dispatch(std::move(*boxed), stamp); });
  }

  void PostFlush(std::function<void(Status)> done) {
    Run([this, done = std::move(done)] {
      if (done) flush_done_.push_back(done);
    });
    Post(Event(ev::Flush{}));
  }

  void Close() {
    closed_ = true;
    if (!ports_.executor->IsCurrent()) {
      const std::lock_guard wait_for_running_task(running_);
    }
    // Nothing runs any more that could send or arm again.
    if (ports_.transport != nullptr) ports_.transport->CancelAll();
    ports_.executor->PostAt(this, std::nullopt, nullptr);
  }

  /// Asks the core between two events, from any thread.
  template <class Question>
  auto Ask(Question question) const {
    const std::lock_guard lock(core_mutex_);
    return question(core_);
  }

 private:
  // A task of this shell; does nothing once the tracker is gone.
  template <class Task>
  void Run(Task task) {
    ports_.executor->Post([weak = weak_from_this(), task = std::move(task)] {
      if (const std::shared_ptr<Shell> self = weak.lock()) self->Guard(task);
    });
  }

  // Nothing that goes wrong in here may reach the host as an exception.
  template <class Task>
  void Guard(const Task& task) {
    const std::lock_guard lock(running_);
    if (closed_) return;
    try {
      task();
    } catch (const std::exception& e) {
      Fail(e.what());
    } catch (...) {
      Fail("an unknown exception");
    }
    if (failure_.ok() || closed_) return;
    try {
      FinishFlush(failure_);
    } catch (...) {  // the same host that failed before
    }
  }

  void Fail(const char* what) {
    failure_ = Status(Code::kInternal,
                      std::string("the tracker stopped after a programming error: ") + what);
    ports_.executor->PostAt(this, std::nullopt, nullptr);
    try {
      Problem(failure_);
    } catch (...) {  // it was the listener that failed
    }
  }

  void FinishFlush(const Status& status) {
    std::vector<std::function<void(Status)>> waiting;
    waiting.swap(flush_done_);
    for (const auto& done : waiting) {
      if (closed_) return;
      done(status);
    }
  }

  void Dispatch(Event event, Stamp stamp) {
    if (!failure_.ok()) return;
    queue_.push_back(std::move(event));
    while (!queue_.empty() && !closed_) {
      const Event next = std::move(queue_.front());
      queue_.pop_front();
      actions_.clear();
      if (journal_) journal_->Record(next, stamp);
      {
        const std::lock_guard lock(core_mutex_);
        core_.Handle(next, stamp, actions_);
      }
      if (journal_) journal_->Outcome(actions_);
      for (Action& action : actions_) {
        if (closed_) return;  // a listener destroyed the tracker
        std::visit([this](auto& a) { Perform(a); }, action);
      }
    }
    if (closed_) return;
    const std::optional<MonoTime> deadline = core_.NextDeadline();
    if (deadline == armed_) return;
    armed_ = deadline;
    ports_.executor->PostAt(this, deadline, [weak = weak_from_this()] {
      if (const std::shared_ptr<Shell> self = weak.lock()) {
        self->Guard([&self] {
          self->armed_.reset();
          self->Dispatch(ev::AlarmFired{},
                         {self->ports_.clock->Now(), self->ports_.clock->UtcNow()});
        });
      }
    });
  }

  void Perform(FixReport& a) { Tell(&Listener::OnFix, a); }
  void Perform(MotionChange& a) { Tell(&Listener::OnMotion, a); }
  void Perform(Stay& a) { Tell(&Listener::OnStay, a); }
  void Perform(act::TripStart& a) { Tell(&Listener::OnTripStart, a.trip); }
  void Perform(Trip& a) { Tell(&Listener::OnTrip, a); }
  void Perform(Gap& a) { Tell(&Listener::OnGap, a); }
  void Perform(FenceEvent& a) { Tell(&Listener::OnFence, a); }
  void Perform(FenceProblem& a) { Tell(&Listener::OnFenceProblem, a); }
  void Perform(UploadReport& a) { Tell(&Listener::OnUpload, a); }
  void Perform(Status& a) { Problem(a); }

  void Perform(act::Sampling& a) {
    if (ports_.location != nullptr) {
      if (const Status s = ports_.location->Apply(a.request); !s.ok()) Problem(s);
    }
    if (ports_.listener != nullptr) ports_.listener->OnSampling(a.request, a.reason);
  }

  void Perform(act::Commit& a) {
    const Result<OutboxRemoved> removed = outbox_->Commit(a.write);
    if (removed.ok() && ports_.listener != nullptr) {
      for (const Record& r : a.records) {
        ports_.listener->OnRecord(r);
        if (closed_) return;
      }
    }
    queue_.push_back(ev::Committed{removed.status(), removed.value_or({})});
  }

  void Perform(act::Peek& a) {
    Result<std::vector<StoredRecord>> records =
        outbox_->Peek(a.after_seq, a.max_records, a.max_bytes);
    ev::Peeked peeked;
    peeked.status = records.status();
    if (records.ok()) peeked.records = std::move(records).value();
    queue_.push_back(std::move(peeked));
  }

  void Perform(act::Enforce& a) {
    const Result<OutboxRemoved> drops = outbox_->Enforce(a.limits, a.utc);
    queue_.push_back(ev::Enforced{drops.status(), drops.value_or({})});
  }

  void Perform(act::Sync&) {
    if (const Status s = outbox_->Sync(); !s.ok()) Problem(s);
  }

  void Perform(HttpRequest& a) {
    ports_.transport->Send(std::move(a), [weak = weak_from_this()](HttpReply reply) {
      if (const std::shared_ptr<Shell> self = weak.lock()) self->Post(Event(std::move(reply)));
    });
  }

  void Perform(act::FlushDone& a) { FinishFlush(a.status); }

  void Problem(const Status& s) { Tell(&Listener::OnProblem, s); }

  template <class T>
  void Tell(void (Listener::*method)(const T&), const T& value) {
    if (ports_.listener != nullptr) (ports_.listener->*method)(value);
  }

  const TrackerPorts ports_;
  const std::unique_ptr<Outbox> outbox_;
  Core core_;
  std::optional<JournalWriter> journal_;
  std::deque<Event> queue_;
  std::vector<Action> actions_;
  std::optional<MonoTime> armed_;
  std::vector<std::function<void(Status)>> flush_done_;
  std::mutex running_;               ///< held while a task runs, so that Close can wait for it
  std::atomic<bool> closed_{false};  ///< the tracker is gone: nobody may be called
  Status failure_;                   ///< of a programming error; no event is handled after it
  /// Held while core_ handles an event, never while somebody is called or the disk is waited for.
  mutable std::mutex core_mutex_;
};

Result<std::unique_ptr<Tracker>> Tracker::Create(const Config& given, const TrackerPorts& ports) {
  if (ports.clock == nullptr || ports.executor == nullptr) {
    return Status(Code::kInvalidArgument, "TrackerPorts: clock and executor are required");
  }
  Config config = given;
  if (ports.transport == nullptr) config.upload.url.clear();
  // Before anything is opened or written; Core::Create formats the violations.
  if (!config.Validate().empty()) return Core::Create(config, ports.seed, {}).status();

  OpenedOutbox opened;
  if (config.database_path.empty()) {
    // Without a transport nobody will ever ask for the records.
    opened.outbox = ports.transport != nullptr ? MakeMemoryOutbox() : MakeForgetfulOutbox();
  } else {
    SqliteOutboxOptions options;
    options.path = config.database_path;
    Result<OpenedOutbox> result = OpenSqliteOutbox(options);
    if (!result.ok()) return result.status();
    opened = std::move(result).value();
  }
  Outbox& outbox = *opened.outbox;

  SavedState saved;
  ev::StoreOpened store_opened;
  store_opened.boot_id = ports.clock->BootId();
  for (const auto& [key, bytes] :
       {std::pair{kCoreStateKey, &saved.core}, {kFencesStateKey, &saved.fences}}) {
    Result<std::vector<std::byte>> value = ReadState(outbox, key);
    if (!value.ok()) return value.status();
    *bytes = std::move(value).value();
  }
  Result<std::vector<std::byte>> tail = ReadState(outbox, kTailStateKey);
  if (!tail.ok()) return tail.status();
  store_opened.last_utc = DecodeTail(tail.value());
  const Result<OutboxContents> contents = outbox.Contents();
  if (!contents.ok()) return contents.status();
  store_opened.contents = contents.value();

  if (config.installation.empty()) {
    Result<std::vector<std::byte>> kept = ReadState(outbox, kInstallationStateKey);
    if (!kept.ok()) return kept.status();
    if (kept.value().empty()) {
      config.installation = MakeInstallationId(ports.seed);
      OutboxWrite write;
      KeyValue id{kInstallationStateKey, {}};
      for (const char c : config.installation) id.value.push_back(static_cast<std::byte>(c));
      write.state.push_back(std::move(id));
      if (const auto done = outbox.Commit(write); !done.ok()) return done.status();
    } else {
      for (const std::byte b : kept.value()) config.installation.push_back(static_cast<char>(b));
    }
  }

  Result<Core> core = Core::Create(config, ports.seed, saved);
  if (!core.ok()) return core.status();
  if (config.database_path.empty() && !ports.journal) core.value().ForgetState();
  auto shell = std::make_shared<Shell>(ports, std::move(opened.outbox), std::move(core).value());
  shell->Open(config, saved, store_opened, opened.quarantined_as);
  return std::unique_ptr<Tracker>(new Tracker(std::move(shell)));
}

Tracker::Tracker(std::shared_ptr<Shell> shell) : shell_(std::move(shell)) {}
Tracker::~Tracker() { shell_->Close(); }

void Tracker::Start() { shell_->Post(Event(ev::Start{})); }
void Tracker::Stop() { shell_->Post(Event(ev::Stop{})); }
void Tracker::PushFix(const Fix& fix) { shell_->Post(Event(fix)); }
void Tracker::PushMotion(const MotionSample& sample) { shell_->Post(Event(sample)); }
void Tracker::SetBattery(const Battery& battery) { shell_->Post(Event(battery)); }
void Tracker::SetLink(const Link& link) { shell_->Post(Event(link)); }
void Tracker::SetHostState(const HostState& state) { shell_->Post(Event(state)); }
void Tracker::AddGeofences(std::vector<Geofence> fences) {
  shell_->Post(Event(ev::AddFences{std::move(fences)}));
}
void Tracker::RemoveGeofences(std::vector<std::string> ids) {
  shell_->Post(Event(ev::RemoveFences{std::move(ids)}));
}
void Tracker::ClearGeofences() { shell_->Post(Event(ev::ClearFences{})); }
void Tracker::Enqueue(std::string topic, std::vector<std::byte> body) {
  shell_->Post(Event(ev::Enqueue{std::move(topic), std::move(body)}));
}
void Tracker::Flush(std::function<void(Status)> done) { shell_->PostFlush(std::move(done)); }
std::optional<Geofence> Tracker::FindGeofence(std::string_view id) const {
  return shell_->Ask([id](const Core& core) { return core.fences().Find(id); });
}
std::optional<FenceState> Tracker::GetFenceState(std::string_view id) const {
  return shell_->Ask([id](const Core& core) { return core.GetFenceState(id); });
}
std::vector<std::string> Tracker::GeofenceIds() const {
  return shell_->Ask([](const Core& core) { return core.fences().Ids(); });
}
std::vector<std::string> Tracker::GeofencesContaining(LatLon p) const {
  return shell_->Ask([p](const Core& core) {
    std::vector<std::string> ids;
    core.fences().Containing(p, ids);
    return ids;
  });
}
std::optional<Estimate> Tracker::Predict(MonoTime at) const {
  return shell_->Ask([at](const Core& core) { return core.Predict(at); });
}
Stats Tracker::GetStats() const {
  return shell_->Ask([](const Core& core) { return core.GetStats(); });
}

}  // namespace waymark
