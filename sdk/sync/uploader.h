// Uploader: decides when a batch is due, what to ask of the store, what a reply means and when to
// try again. A pure state machine: time comes in as stamps, chance from its own seeded generator.
//
// The round trip, driven by the core:
//   Poll -> PeekRequest -> store -> OnPeeked -> HttpRequest -> transport -> OnReply -> ack / drop
//
// Guarantees (invariant I7): at most one request is in flight; none starts before the server's
// Retry-After (honoured up to kMaxRetryAfter) nor inside the backoff; every wait is bounded; an
// accepted batch resets the backoff. A record is given up only when the server refused it alone and
// accepted another record since it first refused, so a server that refuses everything costs no
// data.
#ifndef WAYMARK_SDK_SYNC_UPLOADER_H_
#define WAYMARK_SDK_SYNC_UPLOADER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "waymark/outbox.h"
#include "waymark/ports.h"
#include "waymark/status.h"
#include "waymark/time.h"

namespace waymark::sync {

/// A server that asks for more is asked again after this long.
inline constexpr Duration kMaxRetryAfter = std::chrono::hours(24);
/// With the default backoff the twelfth refusal comes after at least two hours.
inline constexpr std::uint32_t kMaxLoneRefusals = 12;

struct UploadOptions {
  std::string url;            ///< empty: nothing is ever uploaded
  std::string installation;   ///< 1 to 64 printable characters
  std::string authorization;  ///< value of the Authorization header; empty: none
  std::uint32_t max_batch_records = 250;
  std::uint64_t max_batch_bytes = 256 * 1024;           ///< of stored payload
  Duration max_latency = std::chrono::seconds(900);     ///< age at which a partial batch is sent
  Duration backoff_initial = std::chrono::seconds(15);  ///< > 0
  Duration backoff_max = std::chrono::seconds(3600);    ///< >= backoff_initial
  std::chrono::milliseconds timeout{30'000};            ///< of one exchange
  bool allow_metered = true;
  bool allow_roaming = true;
};

/// What Poll wants of the store: Outbox::Peek's arguments.
struct PeekRequest {
  std::uint64_t after_seq = 0;
  std::size_t max_records = 0;
  std::size_t max_bytes = 0;
};

enum class UploadDropReason : std::uint8_t {
  kRefused = 1,     ///< the server refused this one record and accepted others
  kUnreadable = 2,  ///< the stored bytes are not a record
};

/// Records that were given up. Delete them from the store (acknowledge them) and count them.
struct UploadDrop {
  SeqRange range;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< of payload
  UploadDropReason reason = UploadDropReason::kRefused;
};

/// At most one of the two is set; neither: there was nothing to send.
struct SendOutcome {
  std::optional<HttpRequest> request;  ///< hand it to the transport; OnReply must follow
  std::optional<UploadDrop> dropped;   ///< then Poll again
};

struct ReplyOutcome {
  std::optional<SeqRange> ack;        ///< delivered: delete these
  std::optional<UploadDrop> dropped;  ///< given up: delete these too and say so
  std::uint32_t delivered_records = 0;
  Status problem;  ///< not ok: say it to the host; each condition is said once, not once a try
};

enum class UploadState : std::uint8_t { kIdle = 0, kPeeking = 1, kInFlight = 2 };

/// Why nothing is sent just now although records wait.
enum class UploadHold : std::uint8_t {
  kNone = 0,
  kBackoff = 1,  ///< after a failure, or on the server's wish
  kBlocked = 2,  ///< the server refuses us: until SetOptions, or a rare probe
  kLink = 3,     ///< no link, or one the options do not allow
};

class Uploader {
 public:
  Uploader(UploadOptions options, std::uint64_t seed);

  /// New settings: lifts a block and the backoff (not a Retry-After). A batch in flight stays so.
  void SetOptions(UploadOptions options, Stamp now);
  /// What the store holds now; call after every append, ack and drop.
  void OnPending(std::uint64_t records, std::uint64_t bytes, Stamp now);
  void OnLink(const Link& link, Stamp now);
  /// Sends everything that is pending now as soon as backoff and link allow.
  void Flush(Stamp now);

  /// What to peek when a batch is due; nullopt otherwise. After a PeekRequest, OnPeeked or
  /// OnPeekFailed must follow. Also where a transport that never answered is given up on.
  std::optional<PeekRequest> Poll(Stamp now);
  SendOutcome OnPeeked(const std::vector<StoredRecord>& records, Stamp now);
  /// The store could not be read: tried again after a backoff.
  void OnPeekFailed(Stamp now);
  /// A reply to another request than the one in flight is ignored.
  ReplyOutcome OnReply(const HttpReply& reply, Stamp now);

  /// When Poll may have something to say without any other call; nullopt: not before one.
  std::optional<MonoTime> NextDeadline() const;

  UploadState state() const { return state_; }
  UploadHold hold(Stamp now) const;
  std::uint64_t pending_records() const { return pending_records_; }
  /// What the request in flight carries; nullopt when there is none.
  std::optional<SeqRange> in_flight_range() const {
    return in_flight_ ? std::optional(in_flight_->range) : std::nullopt;
  }
  /// True from Flush (or a due batch) until everything that was pending then is gone.
  bool draining() const { return drain_records_ > 0; }

  /// The whole state but the options. Restore into a new Uploader with the same options is a
  /// no-op; kCorruption leaves the state unchanged. Any bytes are safe.
  void Save(std::vector<std::byte>& out) const;
  Status Restore(std::span<const std::byte> image);
  /// After Restore in a new process: what was in flight is not, and waits are bounded again should
  /// the monotonic clock have restarted.
  void OnRestart(Stamp now);

 private:
  struct InFlight {
    std::uint64_t id = 0;
    SeqRange range;
    std::uint32_t records = 0;
    std::uint64_t bytes = 0;  // of payload
    MonoTime give_up{};
  };
  // A record the server refused alone before it accepted any other: passed over once, to learn
  // whether it accepts the one behind it.
  struct Suspect {
    std::uint64_t seq = 0;
    std::uint64_t bytes = 0;
  };

  bool LinkAllows() const;
  bool Due(MonoTime now) const;
  MonoTime NotBefore() const;
  MonoTime DueAt() const;
  void StartDrain(MonoTime now);
  void EndDrainIfDone();
  void BackOff(MonoTime now);
  void HonourRetryAfter(const HttpReply& reply, MonoTime now);
  void OnAccepted(const InFlight& sent, ReplyOutcome& outcome);
  void OnTooLarge(const InFlight& sent, const HttpReply& reply, MonoTime now,
                  ReplyOutcome& outcome);
  void OnRefused(const InFlight& sent, const HttpReply& reply, MonoTime now, ReplyOutcome& outcome);
  void OnRefusedAlone(const InFlight& sent, const HttpReply& reply, MonoTime now,
                      ReplyOutcome& outcome);
  void OnBlocked(const HttpReply& reply, MonoTime now, ReplyOutcome& outcome);
  void Say(Code code, std::string text, ReplyOutcome& outcome);
  Duration Jittered(Duration d);
  void ClearSuspicion();

  UploadOptions options_;
  std::uint64_t rng_state_;
  UploadState state_ = UploadState::kIdle;
  Link link_;
  std::uint64_t pending_records_ = 0, pending_bytes_ = 0;
  std::uint64_t drain_records_ = 0;  // still to send before waiting for a full batch again
  std::optional<MonoTime> drain_started_;
  std::optional<MonoTime> pending_since_;  // no pending record is older
  std::optional<InFlight> in_flight_;
  std::uint64_t next_request_id_ = 1;

  std::uint32_t failures_ = 0;  // in a row
  bool blocked_ = false;
  bool last_was_silence_ = false;  // the last failure was no answer at all
  MonoTime backoff_until_ = MonoTime::min();
  MonoTime retry_after_until_ = MonoTime::min();
  MonoTime last_sent_ = MonoTime::min();
  Code said_ = Code::kOk;  // what the host was last told of

  // What 413 taught: no batch above this many bytes of payload. Grows again with success.
  std::optional<std::uint64_t> byte_limit_;
  std::uint32_t accepted_at_limit_ = 0;
  // Bisection after 400 or 422: one of the `doubtful_` records up to `doubtful_until_` is refused.
  std::uint64_t doubtful_ = 0, doubtful_until_ = 0;
  bool accepted_since_refusal_ = false;
  std::uint32_t lone_refusals_ = 0;
  std::optional<Suspect> suspect_;
};

}  // namespace waymark::sync

#endif  // WAYMARK_SDK_SYNC_UPLOADER_H_
