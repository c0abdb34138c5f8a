#include "waymark/memory_outbox.h"

#include <functional>
#include <iterator>
#include <map>
#include <utility>

#include "storage/age_cutoff.h"

namespace waymark {
namespace {

using State = std::map<std::string, std::vector<std::byte>, std::less<>>;

void WriteState(const OutboxWrite& write, State& state) {
  for (const KeyValue& kv : write.state) {
    if (kv.value.empty()) {
      state.erase(kv.key);
    } else {
      state[kv.key] = kv.value;
    }
  }
}

std::optional<std::vector<std::byte>> ReadState(const State& state, std::string_view key) {
  const auto it = state.find(key);
  if (it == state.end()) return std::nullopt;
  return it->second;
}

/// The number of the last record, if they follow `last` and one another.
Result<std::uint64_t> LastSeq(const OutboxWrite& write, std::uint64_t last) {
  for (const StoredRecord& r : write.append) {
    if (r.seq <= last) {
      return Status(Code::kFailedPrecondition, "memory outbox: record " + std::to_string(r.seq) +
                                                   " does not follow " + std::to_string(last));
    }
    last = r.seq;
  }
  return last;
}

class MemoryOutbox final : public Outbox {
 public:
  Result<OutboxRemoved> Commit(const OutboxWrite& write) override {
    const Result<std::uint64_t> last = LastSeq(write, last_seq_);
    if (!last.ok()) return last.status();
    for (const StoredRecord& r : write.append) {
      records_.emplace_hint(records_.end(), r.seq, r);
      ++count_of_priority_[r.priority];
      bytes_ += r.payload.size();
    }
    last_seq_ = last.value();
    OutboxRemoved removed;
    if (write.ack) {
      auto it = records_.lower_bound(write.ack->first);
      while (it != records_.end() && it->first <= write.ack->last) it = Remove(it, removed);
    }
    WriteState(write, state_);
    return removed;
  }

  Result<std::vector<StoredRecord>> Peek(std::uint64_t after_seq, std::size_t max_records,
                                         std::size_t max_bytes) override {
    std::vector<StoredRecord> out;
    std::size_t bytes = 0;
    for (auto it = records_.upper_bound(after_seq);
         it != records_.end() && (out.empty() || out.size() < max_records); ++it) {
      bytes += it->second.payload.size();
      if (!out.empty() && bytes > max_bytes) break;
      out.push_back(it->second);
    }
    return out;
  }

  Result<OutboxRemoved> Enforce(const OutboxLimits& limits, std::optional<UtcTime> utc) override {
    OutboxRemoved drops;
    if (const auto cutoff_ms = storage::AgeCutoffMs(limits, utc)) {
      for (auto it = records_.begin(); it != records_.end();) {
        const std::int64_t created_ms = it->second.created.time_since_epoch().count();
        it = created_ms < *cutoff_ms ? Remove(it, drops) : std::next(it);
      }
    }
    const auto over = [&] {
      return records_.size() > limits.max_records || bytes_ > limits.max_bytes;
    };
    while (over()) {
      const std::uint8_t lowest = count_of_priority_.begin()->first;
      for (auto it = records_.begin(); it != records_.end() && over();) {
        it = it->second.priority == lowest ? Remove(it, drops) : std::next(it);
      }
    }
    return drops;
  }

  Result<std::optional<std::vector<std::byte>>> GetState(std::string_view key) override {
    return ReadState(state_, key);
  }

  Result<OutboxContents> Contents() override {
    return OutboxContents{records_.size(), bytes_, records_.empty() ? 0 : records_.begin()->first,
                          last_seq_};
  }

  Status Sync() override { return Status(); }

 private:
  using Records = std::map<std::uint64_t, StoredRecord>;

  Records::iterator Remove(Records::iterator it, OutboxRemoved& removed) {
    ++removed.records;
    removed.bytes += it->second.payload.size();
    if (removed.first_seq == 0 || it->first < removed.first_seq) removed.first_seq = it->first;
    if (it->first > removed.last_seq) removed.last_seq = it->first;
    bytes_ -= it->second.payload.size();
    const auto count = count_of_priority_.find(it->second.priority);
    if (--count->second == 0) count_of_priority_.erase(count);
    return records_.erase(it);
  }

  Records records_;
  std::map<std::uint8_t, std::uint64_t> count_of_priority_;
  State state_;
  std::uint64_t bytes_ = 0;
  std::uint64_t last_seq_ = 0;
};

class ForgetfulOutbox final : public Outbox {
 public:
  Result<OutboxRemoved> Commit(const OutboxWrite& write) override {
    const Result<std::uint64_t> last = LastSeq(write, last_seq_);
    if (!last.ok()) return last.status();
    last_seq_ = last.value();
    WriteState(write, state_);
    return OutboxRemoved();
  }
  Result<std::vector<StoredRecord>> Peek(std::uint64_t, std::size_t, std::size_t) override {
    return std::vector<StoredRecord>();
  }
  Result<OutboxRemoved> Enforce(const OutboxLimits&, std::optional<UtcTime>) override {
    return OutboxRemoved();
  }
  Result<std::optional<std::vector<std::byte>>> GetState(std::string_view key) override {
    return ReadState(state_, key);
  }
  Result<OutboxContents> Contents() override { return OutboxContents{0, 0, 0, last_seq_}; }
  Status Sync() override { return Status(); }

 private:
  State state_;
  std::uint64_t last_seq_ = 0;
};

}  // namespace

std::unique_ptr<Outbox> MakeForgetfulOutbox() { return std::make_unique<ForgetfulOutbox>(); }
std::unique_ptr<Outbox> MakeMemoryOutbox() { return std::make_unique<MemoryOutbox>(); }

}  // namespace waymark
