// SQLite, the memory twin and a naive model of the contract get the same random calls and must give
// the same answers; the SQLite one is closed and opened again in between.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <map>
#include <memory>

#include "support/temp_dir.h"
#include "waymark/memory_outbox.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

using Rows = std::vector<StoredRecord>;

struct Model {
  Rows rows;
  std::map<std::string, std::vector<std::byte>> state;
  std::uint64_t last_seq = 0;

  std::uint64_t Bytes() const {
    std::uint64_t n = 0;
    for (const auto& r : rows) n += r.payload.size();
    return n;
  }
  void Commit(const OutboxWrite& w) {
    for (const auto& r : w.append) rows.push_back(r), last_seq = r.seq;
    if (w.ack) {
      std::erase_if(rows,
                    [&](const auto& r) { return r.seq >= w.ack->first && r.seq <= w.ack->last; });
    }
    for (const auto& kv : w.state) {
      state.erase(kv.key);
      if (!kv.value.empty()) state[kv.key] = kv.value;
    }
  }
  void Enforce(const OutboxLimits& limits, std::optional<UtcTime> utc) {
    if (utc) {
      std::erase_if(rows, [&](const auto& r) { return *utc - r.created > limits.max_age; });
    }
    while (rows.size() > limits.max_records || Bytes() > limits.max_bytes) {
      rows.erase(std::min_element(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
        return std::pair(a.priority, a.seq) < std::pair(b.priority, b.seq);
      }));
    }
  }
};

bool Same(const Rows& a, const Rows& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.seq == y.seq && x.kind == y.kind && x.priority == y.priority &&
           x.created == y.created && x.payload == y.payload;
  });
}

std::unique_ptr<Outbox> Open(const std::string& path) {
  SqliteOutboxOptions options;
  options.path = path;
  auto opened = OpenSqliteOutbox(options);
  RC_ASSERT(opened.ok());
  RC_ASSERT(!opened.value().quarantined_as);
  return std::move(opened.value().outbox);
}

OutboxWrite AnyWrite(std::uint64_t last_seq) {
  OutboxWrite w;
  const int count = *rc::gen::inRange(0, 6);
  for (int i = 0; i < count; ++i) {
    StoredRecord r;
    last_seq += *rc::gen::inRange<std::uint64_t>(1, 4);
    r.seq = last_seq;
    r.kind = *rc::gen::inRange<std::uint8_t>(1, 9);
    r.priority = *rc::gen::inRange<std::uint8_t>(0, 4);
    r.created = UtcTime(std::chrono::milliseconds(*rc::gen::inRange(0, 1000)));
    r.payload.assign(*rc::gen::inRange<std::size_t>(0, 700), std::byte{42});
    w.append.push_back(std::move(r));
  }
  if (*rc::gen::inRange(0, 3) == 0) {
    const auto first = *rc::gen::inRange<std::uint64_t>(0, last_seq + 2);
    w.ack = SeqRange{first, first + *rc::gen::inRange<std::uint64_t>(0, 8)};
  }
  if (*rc::gen::inRange(0, 3) == 0) {
    w.state.push_back({*rc::gen::element<std::string>("core", "upload", "x"),
                       std::vector<std::byte>(*rc::gen::inRange<std::size_t>(0, 900))});
  }
  return w;
}

RC_GTEST_PROP(OutboxModel, EveryImplementationFollowsTheModel, ()) {
  const testing::TempDir dir;
  auto sqlite = Open(dir / "db");
  auto memory = MakeMemoryOutbox();
  Model model;
  const int steps = *rc::gen::inRange(1, 40);
  for (int step = 0; step < steps; ++step) {
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        sqlite.reset();
        sqlite = Open(dir / "db");
        break;
      case 1: {
        OutboxLimits limits;
        limits.max_records = *rc::gen::inRange<std::uint64_t>(0, 30);
        limits.max_bytes = *rc::gen::inRange<std::uint64_t>(0, 6000);
        limits.max_age = std::chrono::milliseconds(*rc::gen::inRange(0, 1200));
        std::optional<UtcTime> utc;
        if (*rc::gen::arbitrary<bool>()) {
          utc = UtcTime(std::chrono::milliseconds(*rc::gen::inRange(0, 1500)));
        }
        const std::size_t before = model.rows.size();
        const std::uint64_t bytes_before = model.Bytes();
        model.Enforce(limits, utc);
        const auto a = sqlite->Enforce(limits, utc), b = memory->Enforce(limits, utc);
        RC_ASSERT(a.ok() && b.ok());
        RC_ASSERT(a.value().records == before - model.rows.size());
        RC_ASSERT(a.value().bytes == bytes_before - model.Bytes());
        RC_ASSERT(a.value().first_seq == b.value().first_seq);
        RC_ASSERT(a.value().last_seq == b.value().last_seq);
        break;
      }
      case 2:
        RC_ASSERT(sqlite->Sync().ok());
        break;
      default: {
        const OutboxWrite w = AnyWrite(model.last_seq);
        model.Commit(w);
        RC_ASSERT(sqlite->Commit(w).ok());
        RC_ASSERT(memory->Commit(w).ok());
      }
    }
    for (Outbox* outbox : {sqlite.get(), memory.get()}) {
      const auto rows = outbox->Peek(0, 10'000, 1 << 30);
      RC_ASSERT(rows.ok() && Same(rows.value(), model.rows));
      const auto contents = outbox->Contents();
      RC_ASSERT(contents.ok());
      RC_ASSERT(contents.value().records == model.rows.size());
      RC_ASSERT(contents.value().bytes == model.Bytes());
      RC_ASSERT(contents.value().last_seq == model.last_seq);
      for (const char* key : {"core", "upload", "x"}) {
        const auto value = outbox->GetState(key);
        RC_ASSERT(value.ok());
        RC_ASSERT(value.value().has_value() == model.state.contains(key));
        if (value.value()) RC_ASSERT(*value.value() == model.state[key]);
      }
    }
  }
}

}  // namespace
}  // namespace waymark
