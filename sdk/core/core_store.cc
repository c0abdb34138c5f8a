// Records on their way to the store and to the server.
#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "sdk/core/core.h"
#include "sdk/sync/record_codec.h"

namespace waymark {
namespace {

using std::chrono::seconds;

constexpr Duration kFirstCommitRetry = seconds(1);
constexpr Duration kLongestCommitRetry = seconds(60);
constexpr Duration kEnforceInterval = std::chrono::hours(1);

// While the store refuses writes, this many records wait in memory; beyond it the oldest points go.
constexpr std::size_t kMaxUnsaved = 20'000;

// The age of a record whose time no source confirmed is not known: a bad clock must not purge a
// track.
constexpr UtcTime kNeverAges = UtcTime::max();

// Points are many and cheap; everything else is an event that nobody can reconstruct.
std::uint8_t PriorityOf(RecordKind kind) { return kind == RecordKind::kPoint ? 0 : 1; }

}  // namespace

void Core::Say(Code code, std::string message, std::vector<Action>& out) {
  out.push_back(Status(code, std::move(message)));
}

void Core::CommitIfDue(std::vector<Action>& out) {
  if (!opened_ || commit_in_flight_) return;
  if (retry_commit_ && *retry_commit_ > now_.mono) return;
  if (unsaved_.size() == held_.size() && acks_.empty() && !fences_changed_ && !snapshot_due_) {
    return;
  }
  if (unreported_drops_.records > 0) AppendUntimed(std::exchange(unreported_drops_, {}));
  commit_in_flight_ = true;
  retry_commit_.reset();
  committing_ = unsaved_.size() - held_.size();
  act::Commit commit;
  commit.records.assign(unsaved_.begin(),
                        unsaved_.begin() + static_cast<std::ptrdiff_t>(committing_));
  commit.write.append.reserve(committing_);
  for (const Record& r : commit.records) {
    commit.write.append.push_back({r.seq, static_cast<std::uint8_t>(r.kind()), PriorityOf(r.kind()),
                                   utc_confirmed_ ? r.utc : kNeverAges, sync::EncodeRecord(r)});
  }
  commit_acks_ = !acks_.empty();
  if (commit_acks_) commit.write.ack = acks_.front();
  if (keeps_state_) PutState(commit.write.state);
  snapshot_due_ = false;
  out.push_back(std::move(commit));
}

void Core::PutState(std::vector<KeyValue>& state) const {
  if (last_record_utc_) state.push_back({kTailStateKey, EncodeTail(*last_record_utc_)});
  if (fences_changed_) {
    std::vector<std::byte> bytes;
    fences_.SaveFences(bytes);
    state.push_back({kFencesStateKey, std::move(bytes)});
  }
  if (snapshot_due_ || fences_changed_) {
    std::vector<std::byte> bytes;
    Save(bytes);
    state.push_back({kCoreStateKey, std::move(bytes)});
  }
}

void Core::On(const ev::Committed& e, std::vector<Action>& out) {
  if (!commit_in_flight_) return;
  commit_in_flight_ = false;
  if (e.status.ok()) {
    commit_backoff_ = {};
    last_store_problem_ = Code::kOk;
    for (std::size_t i = 0; i < committing_; ++i) {
      ++stored_records_;
      stored_bytes_ += sync::EncodeRecord(unsaved_[i]).size();
    }
    unsaved_.erase(unsaved_.begin(), unsaved_.begin() + static_cast<std::ptrdiff_t>(committing_));
    committing_ = 0;
    stored_records_ -= std::min(stored_records_, e.removed.records);
    stored_bytes_ -= std::min(stored_bytes_, e.removed.bytes);
    if (commit_acks_) acks_.erase(acks_.begin());
    commit_acks_ = false;
    fences_changed_ = false;
    uploader_.OnPending(stored_records_, stored_bytes_, now_);
    if (flushing_) uploader_.Flush(now_);  // also what this commit brought
    return;
  }
  // Nothing of the transaction was applied: the records stay here and are tried again. The same
  // condition is said once.
  committing_ = 0;
  snapshot_due_ = true;
  commit_backoff_ = std::clamp(commit_backoff_ * 2, kFirstCommitRetry, kLongestCommitRetry);
  retry_commit_ = now_.mono + commit_backoff_;
  if (last_store_problem_ != e.status.code()) {
    last_store_problem_ = e.status.code();
    Say(e.status.code(), "records cannot be stored and wait in memory: " + e.status.message(), out);
  }
  while (unsaved_.size() > kMaxUnsaved) {
    const auto end = unsaved_.end() - static_cast<std::ptrdiff_t>(held_.size());
    auto victim = std::find_if(unsaved_.begin(), end,
                               [](const Record& r) { return r.kind() == RecordKind::kPoint; });
    if (victim == end) victim = unsaved_.begin();
    if (unreported_drops_.records++ == 0) unreported_drops_.first_seq = victim->seq;
    unreported_drops_.first_seq = std::min(unreported_drops_.first_seq, victim->seq);
    unreported_drops_.last_seq = std::max(unreported_drops_.last_seq, victim->seq);
    unreported_drops_.bytes += sync::EncodeRecord(*victim).size();
    ++stats_.records_dropped;
    unsaved_.erase(victim);
  }
}

void Core::EnforceIfDue(std::vector<Action>& out) {
  // What is being delivered, or waits to leave, must not be counted as dropped as well.
  if (!opened_ || commit_in_flight_ || enforce_in_flight_ || !acks_.empty() ||
      uploader_.in_flight_range()) {
    return;
  }
  if (!next_enforce_) next_enforce_ = now_.mono + kEnforceInterval;
  const bool over =
      stored_records_ > config_.store.max_records || stored_bytes_ > config_.store.max_bytes;
  if (!over && now_.mono < *next_enforce_) return;
  next_enforce_ = now_.mono + kEnforceInterval;
  enforce_in_flight_ = true;
  std::optional<UtcTime> utc;
  if (utc_confirmed_) utc = UtcOf(now_.mono);
  // Room is made for a tenth at once: else each further record would drop one and tell of it in
  // another.
  OutboxLimits limits = config_.store;
  if (over) {
    limits.max_records -= limits.max_records / 10;
    limits.max_bytes -= limits.max_bytes / 10;
  }
  out.push_back(act::Enforce{limits, utc});
}

void Core::On(const ev::Enforced& e, std::vector<Action>& out) {
  enforce_in_flight_ = false;
  if (!e.status.ok()) {
    Say(e.status.code(), "the store's limits cannot be enforced: " + e.status.message(), out);
    return;
  }
  if (e.drops.records == 0) return;
  stats_.records_dropped += e.drops.records;
  stored_records_ -= std::min(stored_records_, e.drops.records);
  stored_bytes_ -= std::min(stored_bytes_, e.drops.bytes);
  uploader_.OnPending(stored_records_, stored_bytes_, now_);
  AppendUntimed(DropsRecord{e.drops.records, e.drops.bytes, e.drops.first_seq, e.drops.last_seq});
  Say(Code::kResourceExhausted,
      "the store reached its limits: " + std::to_string(e.drops.records) +
          " undelivered records were dropped (seq " + std::to_string(e.drops.first_seq) + " to " +
          std::to_string(e.drops.last_seq) +
          "); raise store.max_records or store.max_bytes, or see "
          "why nothing is uploaded",
      out);
}

// What was delivered must have left the store before it is read again: else it is sent twice.
bool Core::MayUpload() const { return opened_ && !commit_in_flight_ && acks_.empty(); }

void Core::PumpUpload(std::vector<Action>& out) {
  if (!MayUpload()) return;
  if (const auto peek = uploader_.Poll(now_)) {
    out.push_back(act::Peek{peek->after_seq, peek->max_records, peek->max_bytes});
  }
}

void Core::On(const ev::Peeked& e, std::vector<Action>& out) {
  if (uploader_.state() != sync::UploadState::kPeeking) return;
  if (!e.status.ok()) {
    uploader_.OnPeekFailed(now_);
    Say(e.status.code(), "the store cannot be read for upload: " + e.status.message(), out);
    return;
  }
  sync::SendOutcome outcome = uploader_.OnPeeked(e.records, now_);
  if (outcome.dropped) {
    Drop(*outcome.dropped);
    Say(Code::kCorruption,
        "stored records " + std::to_string(outcome.dropped->range.first) + " to " +
            std::to_string(outcome.dropped->range.last) + " cannot be read and were dropped",
        out);
  }
  if (!outcome.request) return;
  // The request holds the leading records of the peek; how many is in its key's range.
  sent_records_ = 0;
  sent_range_ = uploader_.in_flight_range().value_or(SeqRange{});
  sent_oldest_utc_.reset();
  for (const StoredRecord& r : e.records) {
    if (r.seq > sent_range_.last) break;
    ++sent_records_;
    if (!sent_oldest_utc_ && r.created != kNeverAges) sent_oldest_utc_ = r.created;
  }
  sent_bytes_ = outcome.request->body.size();
  ++stats_.requests;
  stats_.bytes_sent += sent_bytes_;
  out.push_back(std::move(*outcome.request));
}

void Core::On(const HttpReply& e, std::vector<Action>& out) {
  const std::optional<SeqRange> in_flight = uploader_.in_flight_range();
  const sync::ReplyOutcome outcome = uploader_.OnReply(e, now_);
  if (!in_flight || uploader_.in_flight_range()) return;  // not the answer to what is in flight
  if (e.server_date && !utc_confirmed_) {
    // To the second; what came on the way back from the server is within the tolerance.
    SetUtc(e.server_date->time_since_epoch() -
           std::chrono::floor<std::chrono::milliseconds>(now_.mono.time_since_epoch()));
  }
  UploadReport report;
  report.first_seq = sent_range_.first;
  report.last_seq = sent_range_.last;
  report.records = sent_records_;
  report.bytes = sent_bytes_;
  report.http_status = e.http_status;
  report.acknowledged = outcome.ack.has_value();
  if (report.acknowledged && sent_oldest_utc_) {
    report.oldest_delay = UtcOf(now_.mono) - *sent_oldest_utc_;
  }
  out.push_back(report);
  if (outcome.ack) {
    ++stats_.batches_acknowledged;
    stats_.records_acknowledged += outcome.delivered_records;
    acks_.push_back(*outcome.ack);
  }
  if (outcome.dropped) Drop(*outcome.dropped);
  if (!outcome.problem.ok()) out.push_back(outcome.problem);
  if (flushing_ && !outcome.ack && !outcome.dropped &&
      uploader_.state() == sync::UploadState::kIdle &&
      uploader_.hold(now_) != sync::UploadHold::kNone) {
    flushing_ = false;
    out.push_back(act::FlushDone{
        Status(Code::kUnavailable,
               "the server did not take the records (" +
                   (e.http_status ? "HTTP " + std::to_string(*e.http_status) : e.detail) +
                   "); they stay stored and are tried again")});
  }
}

// Given up by the uploader: counted, told in a record, and removed with the next commit.
void Core::Drop(const sync::UploadDrop& drop) {
  stats_.records_dropped += drop.records;
  AppendUntimed(DropsRecord{drop.records, drop.bytes, drop.range.first, drop.range.last});
  acks_.push_back(drop.range);
}

void Core::FinishFlush(std::vector<Action>& out) {
  if (!flushing_ || commit_in_flight_ || !opened_) return;
  if (retry_commit_) {
    flushing_ = false;
    out.push_back(act::FlushDone{
        Status(last_store_problem_, "the store refuses writes; records wait in memory")});
  } else if (config_.upload.url.empty() ||
             (stored_records_ == 0 && unsaved_.size() == held_.size())) {
    flushing_ = false;
    out.push_back(act::FlushDone{});
  } else if (uploader_.state() == sync::UploadState::kIdle) {
    const sync::UploadHold hold = uploader_.hold(now_);
    if (hold == sync::UploadHold::kNone) return;
    flushing_ = false;
    out.push_back(act::FlushDone{Status(
        Code::kUnavailable,
        hold == sync::UploadHold::kLink ? "there is no link that may be used; records stay stored"
        : hold == sync::UploadHold::kBlocked ? "the server refuses this client; records stay stored"
                                             : "the server asked to wait; records stay stored")});
  }
}

}  // namespace waymark
