// What a reply means (RFC 9110 section 15; RFC 6585):
//   2xx                            accepted
//   none, 408, 425, 429, 5xx       try again later: the same batch, after the backoff
//   413                            too large: half the bytes from now on
//   400, 422                       something in it is refused: bisect until it stands alone
//   any other (401, 403, 404, ...) blocked: only a new configuration helps; probed rarely
// Waits grow as initial * 2^n up to max, each drawn evenly from its upper half ("equal jitter"), so
// that a fleet does not come back in step.
#include "sdk/sync/uploader.h"

#include <algorithm>
#include <utility>

#include "sdk/sync/byte_io.h"
#include "sdk/sync/record_codec.h"
#include "sdk/sync/split_mix.h"
#include "waymark/wire.h"

namespace waymark::sync {
namespace {

constexpr std::uint8_t kStateVersion = 1;
// A transport must answer within its timeout; one that forgot is not waited for much longer.
constexpr Duration kAnswerGrace = std::chrono::seconds(30);
// A batch size that 413 halved is doubled after this many accepted batches: a probe that fails
// costs one batch in 33.
constexpr std::uint32_t kAcceptedBeforeGrowth = 32;

MonoTime After(MonoTime t, Duration d) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(std::int64_t{t.time_since_epoch().count()}, std::int64_t{d.count()},
                             &sum)) {
    sum = d.count() < 0 ? INT64_MIN : INT64_MAX;
  }
  return MonoTime(Duration(sum));
}

enum class Outcome { kAccepted, kRetryLater, kTooLarge, kRefused, kBlocked };

Outcome Classify(const HttpReply& reply) {
  if (!reply.http_status) return Outcome::kRetryLater;
  const int status = *reply.http_status;
  if (status >= 200 && status < 300) return Outcome::kAccepted;
  if (status == 408 || status == 425 || status == 429) return Outcome::kRetryLater;
  if (status >= 500 && status < 600) return Outcome::kRetryLater;
  if (status == 413) return Outcome::kTooLarge;
  if (status == 400 || status == 422) return Outcome::kRefused;
  return Outcome::kBlocked;
}

std::string StatusText(const HttpReply& reply) {
  if (!reply.http_status) return reply.detail.empty() ? "no answer" : reply.detail;
  std::string text = "HTTP " + std::to_string(*reply.http_status);
  return reply.detail.empty() ? text : text + ", " + reply.detail;
}

}  // namespace

Uploader::Uploader(UploadOptions options, std::uint64_t seed)
    : options_(std::move(options)), rng_state_(seed) {}

void Uploader::SetOptions(UploadOptions options, Stamp) {
  options_ = std::move(options);
  blocked_ = false;
  failures_ = 0;
  backoff_until_ = MonoTime::min();
  byte_limit_.reset();
  said_ = Code::kOk;
  ClearSuspicion();
  lone_refusals_ = 0;
}

void Uploader::OnPending(std::uint64_t records, std::uint64_t bytes, Stamp now) {
  pending_records_ = records;
  pending_bytes_ = bytes;
  drain_records_ = std::min(drain_records_, records);
  if (records == 0) {
    pending_since_.reset();
  } else if (!pending_since_) {
    pending_since_ = now.mono;
  }
  EndDrainIfDone();
}

void Uploader::OnLink(const Link& link, Stamp now) {
  const bool allowed = LinkAllows();
  link_ = link;
  // Silence was probably the missing link. Not sooner than the first backoff after the last try, so
  // that a flapping link cannot make a storm.
  if (!allowed && LinkAllows() && last_was_silence_) {
    const MonoTime soon = std::max(now.mono, After(last_sent_, options_.backoff_initial));
    backoff_until_ = std::min(backoff_until_, soon);
  }
}

void Uploader::Flush(Stamp now) { StartDrain(now.mono); }

bool Uploader::LinkAllows() const {
  return link_.up && (!link_.metered || options_.allow_metered) &&
         (!link_.roaming || options_.allow_roaming);
}

MonoTime Uploader::NotBefore() const { return std::max(backoff_until_, retry_after_until_); }

// When what is pending now becomes a batch, backoff and link aside.
MonoTime Uploader::DueAt() const {
  if (drain_records_ > 0 || pending_records_ >= options_.max_batch_records ||
      pending_bytes_ >= options_.max_batch_bytes || !pending_since_) {
    return MonoTime::min();
  }
  return After(*pending_since_, options_.max_latency);
}

bool Uploader::Due(MonoTime now) const {
  if (options_.url.empty()) return false;
  // A suspect that stands alone cannot be judged before another record comes.
  if (pending_records_ <= (suspect_ ? 1u : 0u)) return false;
  return now >= DueAt();
}

// Once the radio is on everything that waits now goes, but not what comes meanwhile: at one record
// a second that would never end.
void Uploader::StartDrain(MonoTime now) {
  drain_records_ = pending_records_;
  if (drain_records_ > 0) drain_started_ = now;
}

void Uploader::EndDrainIfDone() {
  if (drain_records_ > 0 || !drain_started_) return;
  if (pending_records_ > 0) pending_since_ = drain_started_;
  drain_started_.reset();
}

std::optional<PeekRequest> Uploader::Poll(Stamp now) {
  if (in_flight_ && now.mono >= in_flight_->give_up) {
    in_flight_.reset();
    state_ = UploadState::kIdle;
    last_was_silence_ = true;
    BackOff(now.mono);
  }
  if (state_ != UploadState::kIdle || !LinkAllows() || now.mono < NotBefore() || !Due(now.mono)) {
    return std::nullopt;
  }
  if (drain_records_ == 0) StartDrain(now.mono);
  PeekRequest peek;
  peek.after_seq = suspect_ ? suspect_->seq : 0;
  peek.max_records = options_.max_batch_records;
  // Half of the doubtful records; one alone when it is the last of them or when probing past one.
  if (suspect_) {
    peek.max_records = 1;
  } else if (doubtful_ > 0) {
    peek.max_records =
        static_cast<std::size_t>(std::clamp<std::uint64_t>(doubtful_ / 2, 1, peek.max_records));
  }
  peek.max_bytes = static_cast<std::size_t>(
      byte_limit_ ? std::min(*byte_limit_, options_.max_batch_bytes) : options_.max_batch_bytes);
  state_ = UploadState::kPeeking;
  return peek;
}

SendOutcome Uploader::OnPeeked(const std::vector<StoredRecord>& records, Stamp now) {
  SendOutcome outcome;
  if (state_ != UploadState::kPeeking) return outcome;
  state_ = UploadState::kIdle;
  if (records.empty()) {
    if (suspect_) {
      BackOff(now.mono);  // what was to be probed has gone meanwhile
    } else {
      OnPending(0, 0, now);
    }
    return outcome;
  }
  Batch batch;
  InFlight sent;
  UploadDrop unreadable{{}, 0, 0, UploadDropReason::kUnreadable};
  for (const StoredRecord& stored : records) {
    Result<Record> record = DecodeRecord(stored.seq, stored.payload);
    if (record.ok()) {
      if (unreadable.records > 0) break;
      batch.records.push_back(std::move(record).value());
      sent.bytes += stored.payload.size();
      continue;
    }
    if (!batch.records.empty()) break;  // its turn comes when it is the oldest
    if (unreadable.records++ == 0) unreadable.range.first = stored.seq;
    unreadable.range.last = stored.seq;
    unreadable.bytes += stored.payload.size();
  }
  if (unreadable.records > 0) {
    outcome.dropped = unreadable;
    return outcome;
  }
  sent.id = next_request_id_++;
  sent.range = {batch.records.front().seq, batch.records.back().seq};
  sent.records = static_cast<std::uint32_t>(batch.records.size());
  sent.give_up = After(now.mono, Duration(options_.timeout) + kAnswerGrace);
  batch.installation = options_.installation;

  HttpRequest request;
  request.id = sent.id;
  request.url = options_.url;
  request.idempotency_key = options_.installation + ":" + std::to_string(sent.range.first) + "-" +
                            std::to_string(sent.range.last);
  request.content_type = kBatchContentType;
  request.authorization = options_.authorization;
  request.body = EncodeBatch(batch);
  request.timeout = options_.timeout;
  outcome.request = std::move(request);
  in_flight_ = sent;
  state_ = UploadState::kInFlight;
  last_sent_ = now.mono;
  return outcome;
}

void Uploader::OnPeekFailed(Stamp now) {
  if (state_ != UploadState::kPeeking) return;
  state_ = UploadState::kIdle;
  BackOff(now.mono);
}

ReplyOutcome Uploader::OnReply(const HttpReply& reply, Stamp now) {
  ReplyOutcome outcome;
  if (!in_flight_ || reply.id != in_flight_->id) return outcome;
  const InFlight sent = *in_flight_;
  in_flight_.reset();
  state_ = UploadState::kIdle;
  last_was_silence_ = !reply.http_status;
  const Outcome meaning = Classify(reply);
  if (meaning != Outcome::kAccepted) HonourRetryAfter(reply, now.mono);
  if (meaning != Outcome::kBlocked) blocked_ = false;
  switch (meaning) {
    case Outcome::kAccepted:
      OnAccepted(sent, outcome);
      break;
    case Outcome::kRetryLater:
      BackOff(now.mono);
      Say(Code::kUnavailable, "upload failed (" + StatusText(reply) + "); it is tried again",
          outcome);
      break;
    case Outcome::kTooLarge:
      OnTooLarge(sent, reply, now.mono, outcome);
      break;
    case Outcome::kRefused:
      OnRefused(sent, reply, now.mono, outcome);
      break;
    case Outcome::kBlocked:
      OnBlocked(reply, now.mono, outcome);
      break;
  }
  return outcome;
}

void Uploader::OnAccepted(const InFlight& sent, ReplyOutcome& outcome) {
  failures_ = 0;
  backoff_until_ = MonoTime::min();
  retry_after_until_ = MonoTime::min();
  said_ = Code::kOk;
  lone_refusals_ = 0;
  accepted_since_refusal_ = true;
  outcome.ack = sent.range;
  outcome.delivered_records = sent.records;
  drain_records_ -= std::min<std::uint64_t>(drain_records_, sent.records);
  if (suspect_) {
    outcome.dropped =
        UploadDrop{{suspect_->seq, suspect_->seq}, 1, suspect_->bytes, UploadDropReason::kRefused};
    ClearSuspicion();
  } else if (doubtful_ > 0) {
    doubtful_ -= std::min<std::uint64_t>(doubtful_, sent.records);
    if (doubtful_ == 0 || sent.range.last >= doubtful_until_) ClearSuspicion();
  }
  if (byte_limit_ && ++accepted_at_limit_ >= kAcceptedBeforeGrowth) {
    accepted_at_limit_ = 0;
    *byte_limit_ *= 2;
    if (*byte_limit_ >= options_.max_batch_bytes) byte_limit_.reset();
  }
}

void Uploader::OnTooLarge(const InFlight& sent, const HttpReply& reply, MonoTime now,
                          ReplyOutcome& outcome) {
  if (sent.records == 1) {
    OnRefusedAlone(sent, reply, now, outcome);
    return;
  }
  byte_limit_ = std::max<std::uint64_t>(sent.bytes / 2, 1);
  accepted_at_limit_ = 0;
}

void Uploader::OnRefused(const InFlight& sent, const HttpReply& reply, MonoTime now,
                         ReplyOutcome& outcome) {
  if (sent.records == 1) {
    OnRefusedAlone(sent, reply, now, outcome);
    return;
  }
  if (doubtful_ == 0) accepted_since_refusal_ = false;
  doubtful_ = sent.records;
  doubtful_until_ = sent.range.last;
}

void Uploader::OnRefusedAlone(const InFlight& sent, const HttpReply& reply, MonoTime now,
                              ReplyOutcome& outcome) {
  const auto wait = [&] {
    suspect_.reset();
    doubtful_ = 1;
    doubtful_until_ = sent.range.last;
    accepted_since_refusal_ = false;
    BackOff(now);
    Say(Code::kFailedPrecondition,
        "the server refuses every record (" + StatusText(reply) + "); they stay stored", outcome);
  };
  if (suspect_) {  // this was the probe behind it: the server takes neither
    wait();
    return;
  }
  ++lone_refusals_;
  const bool evidence = doubtful_ > 0 && accepted_since_refusal_;
  if (evidence || lone_refusals_ >= kMaxLoneRefusals) {
    outcome.dropped = UploadDrop{sent.range, 1, sent.bytes, UploadDropReason::kRefused};
    drain_records_ -= std::min<std::uint64_t>(drain_records_, 1);
    ClearSuspicion();
    if (!evidence) {
      // The next one gets its turn alone, and no sooner.
      doubtful_ = 1;
      doubtful_until_ = UINT64_MAX;
      BackOff(now);
    }
    outcome.problem = Status(Code::kFailedPrecondition,
                             "the server refuses record " + std::to_string(sent.range.first) +
                                 " (" + StatusText(reply) + "); it was given up");
    return;
  }
  if (pending_records_ > 1) {
    suspect_ = Suspect{sent.range.first, sent.bytes};
  } else {
    wait();
  }
}

void Uploader::OnBlocked(const HttpReply& reply, MonoTime now, ReplyOutcome& outcome) {
  blocked_ = true;
  backoff_until_ = After(now, Jittered(options_.backoff_max));
  const int status = *reply.http_status;
  const Code code = status == 401 || status == 403 ? Code::kPermissionDenied : Code::kUnsupported;
  Say(code,
      "the server does not accept uploads as configured (" + StatusText(reply) +
          "); records stay stored; check upload.url and upload.authorization",
      outcome);
}

void Uploader::Say(Code code, std::string text, ReplyOutcome& outcome) {
  if (said_ == code) return;
  said_ = code;
  outcome.problem = Status(code, std::move(text));
}

void Uploader::HonourRetryAfter(const HttpReply& reply, MonoTime now) {
  if (!reply.retry_after || reply.retry_after->count() <= 0) return;
  constexpr auto kMax = std::chrono::duration_cast<std::chrono::seconds>(kMaxRetryAfter);
  retry_after_until_ = After(now, std::min(*reply.retry_after, kMax));
}

void Uploader::BackOff(MonoTime now) {
  Duration wait = options_.backoff_initial;
  for (std::uint32_t i = 0; i < failures_ && wait < options_.backoff_max; ++i) {
    wait = wait > options_.backoff_max / 2 ? options_.backoff_max : wait * 2;
  }
  if (failures_ < UINT32_MAX) ++failures_;
  backoff_until_ = After(now, Jittered(std::min(wait, options_.backoff_max)));
}

Duration Uploader::Jittered(Duration d) {
  const auto half = static_cast<std::uint64_t>(d.count() / 2);
  const std::uint64_t drawn = half == 0 ? 0 : NextSplitMix(rng_state_) % (half + 1);
  return Duration(d.count() - static_cast<std::int64_t>(drawn));
}

void Uploader::ClearSuspicion() {
  doubtful_ = 0;
  doubtful_until_ = 0;
  accepted_since_refusal_ = false;
  suspect_.reset();
}

UploadHold Uploader::hold(Stamp now) const {
  if (!LinkAllows()) return UploadHold::kLink;
  if (now.mono >= NotBefore()) return UploadHold::kNone;
  return blocked_ ? UploadHold::kBlocked : UploadHold::kBackoff;
}

std::optional<MonoTime> Uploader::NextDeadline() const {
  if (in_flight_) return in_flight_->give_up;
  if (state_ != UploadState::kIdle || options_.url.empty() || !LinkAllows() ||
      pending_records_ <= (suspect_ ? 1u : 0u)) {
    return std::nullopt;
  }
  return std::max(DueAt(), NotBefore());
}

void Uploader::OnRestart(Stamp now) {
  in_flight_.reset();
  state_ = UploadState::kIdle;
  backoff_until_ = std::min(backoff_until_, After(now.mono, options_.backoff_max));
  retry_after_until_ = std::min(retry_after_until_, After(now.mono, kMaxRetryAfter));
  last_sent_ = std::min(last_sent_, now.mono);
  if (pending_since_) pending_since_ = std::min(*pending_since_, now.mono);
  if (drain_started_) drain_started_ = std::min(*drain_started_, now.mono);
}

namespace {

void Put(ByteWriter& w, MonoTime t) { w.Signed(t.time_since_epoch().count()); }
void Put(ByteWriter& w, const std::optional<MonoTime>& t) {
  w.Byte(t.has_value());
  if (t) Put(w, *t);
}

bool TakeBool(ByteReader& r) {
  const std::uint8_t b = r.Byte();
  if (b > 1) r.Fail();
  return b == 1;
}
std::uint32_t Take32(ByteReader& r) {
  const std::uint64_t v = r.Varint();
  if (v > UINT32_MAX) r.Fail();
  return static_cast<std::uint32_t>(v);
}
MonoTime TakeTime(ByteReader& r) { return MonoTime(Duration(r.Signed())); }
std::optional<MonoTime> TakeOptionalTime(ByteReader& r) {
  return TakeBool(r) ? std::optional(TakeTime(r)) : std::nullopt;
}

}  // namespace

void Uploader::Save(std::vector<std::byte>& out) const {
  ByteWriter w(out);
  w.Byte(kStateVersion);
  w.Varint(rng_state_);
  w.Byte(static_cast<std::uint8_t>(state_));
  w.Byte(static_cast<std::uint8_t>(link_.up | link_.metered << 1 | link_.roaming << 2));
  w.Varint(pending_records_);
  w.Varint(pending_bytes_);
  w.Varint(drain_records_);
  Put(w, drain_started_);
  Put(w, pending_since_);
  w.Byte(in_flight_.has_value());
  if (in_flight_) {
    w.Varint(in_flight_->id);
    w.Varint(in_flight_->range.first);
    w.Varint(in_flight_->range.last);
    w.Varint(in_flight_->records);
    w.Varint(in_flight_->bytes);
    Put(w, in_flight_->give_up);
  }
  w.Varint(next_request_id_);
  w.Varint(failures_);
  w.Byte(blocked_);
  w.Byte(last_was_silence_);
  Put(w, backoff_until_);
  Put(w, retry_after_until_);
  Put(w, last_sent_);
  w.Varint(static_cast<std::uint64_t>(said_));
  w.Byte(byte_limit_.has_value());
  if (byte_limit_) w.Varint(*byte_limit_);
  w.Varint(accepted_at_limit_);
  w.Varint(doubtful_);
  w.Varint(doubtful_until_);
  w.Byte(accepted_since_refusal_);
  w.Varint(lone_refusals_);
  w.Byte(suspect_.has_value());
  if (suspect_) {
    w.Varint(suspect_->seq);
    w.Varint(suspect_->bytes);
  }
}

Status Uploader::Restore(std::span<const std::byte> image) {
  ByteReader r(image);
  const std::uint8_t version = r.Byte();
  if (r.ok() && version > kStateVersion) {
    return Status(Code::kUnsupported, "upload state: written by a newer version");
  }
  Uploader u(options_, 0);
  u.rng_state_ = r.Varint();
  const std::uint8_t state = r.Byte();
  const std::uint8_t link = r.Byte();
  u.state_ = static_cast<UploadState>(state);
  u.link_ = Link{(link & 1) != 0, (link & 2) != 0, (link & 4) != 0};
  u.pending_records_ = r.Varint();
  u.pending_bytes_ = r.Varint();
  u.drain_records_ = r.Varint();
  u.drain_started_ = TakeOptionalTime(r);
  u.pending_since_ = TakeOptionalTime(r);
  if (TakeBool(r)) {
    InFlight sent;
    sent.id = r.Varint();
    sent.range.first = r.Varint();
    sent.range.last = r.Varint();
    sent.records = Take32(r);
    sent.bytes = r.Varint();
    sent.give_up = TakeTime(r);
    u.in_flight_ = sent;
  }
  u.next_request_id_ = r.Varint();
  u.failures_ = Take32(r);
  u.blocked_ = TakeBool(r);
  u.last_was_silence_ = TakeBool(r);
  u.backoff_until_ = TakeTime(r);
  u.retry_after_until_ = TakeTime(r);
  u.last_sent_ = TakeTime(r);
  const std::uint64_t said = r.Varint();
  u.said_ = static_cast<Code>(said);
  if (TakeBool(r)) u.byte_limit_ = r.Varint();
  u.accepted_at_limit_ = Take32(r);
  u.doubtful_ = r.Varint();
  u.doubtful_until_ = r.Varint();
  u.accepted_since_refusal_ = TakeBool(r);
  u.lone_refusals_ = Take32(r);
  if (TakeBool(r)) {
    Suspect suspect;
    suspect.seq = r.Varint();
    suspect.bytes = r.Varint();
    u.suspect_ = suspect;
  }
  const bool consistent = version == kStateVersion && link < 8 &&
                          state <= static_cast<std::uint8_t>(UploadState::kInFlight) &&
                          (u.state_ == UploadState::kInFlight) == u.in_flight_.has_value() &&
                          said <= static_cast<std::uint64_t>(Code::kInternal);
  if (!r.AtEnd() || !consistent) {
    return Status(Code::kCorruption, "upload state: its bytes do not make one");
  }
  *this = std::move(u);
  return Status();
}

}  // namespace waymark::sync
