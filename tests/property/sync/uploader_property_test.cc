// The uploader against a random server, store, link and clock: invariant I7, no loss, no livelock.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "sdk/sync/record_codec.h"
#include "sdk/sync/uploader.h"
#include "waymark/wire.h"

namespace waymark::sync {
namespace {

using std::chrono::seconds;

UploadOptions Options() {
  UploadOptions o;
  o.url = "https://collector.example/v1";
  o.installation = "phone-1";
  o.max_batch_records = 16;
  return o;
}

// A store, a server with poison records and outages, and an observer of the rules.
struct World {
  Uploader uploader{Options(), 7};
  Stamp now{MonoTime(seconds(1000)), {}};
  std::map<std::uint64_t, std::vector<std::byte>> store;
  std::uint64_t next_seq = 1;
  std::set<std::uint64_t> poison;
  std::multiset<std::uint64_t> received;  // by the server, each delivery
  std::set<std::uint64_t> dropped;
  std::optional<HttpRequest> in_flight;
  MonoTime not_before = MonoTime::min();  // the server's own wish
  std::vector<MonoTime> sent;
  std::size_t requests = 0;

  void Pending() {
    std::uint64_t bytes = 0;
    for (const auto& [seq, payload] : store) bytes += payload.size();
    uploader.OnPending(store.size(), bytes, now);
  }
  void Append(int count) {
    for (int i = 0; i < count; ++i) {
      Record r;
      r.seq = next_seq;
      r.body = PointRecord{};
      store[next_seq++] = EncodeRecord(r);
    }
    Pending();
  }
  void Delete(SeqRange range) {
    store.erase(store.lower_bound(range.first), store.upper_bound(range.last));
  }
  void Drop(const UploadDrop& drop) {
    for (auto s = drop.range.first; s <= drop.range.last; ++s) dropped.insert(s);
    Delete(drop.range);
    Pending();
  }
  // Returns false when nothing was due.
  bool Pump() {
    const auto peek = uploader.Poll(now);
    if (!peek) return false;
    RC_ASSERT(!in_flight.has_value());
    std::vector<StoredRecord> rows;
    for (auto it = store.upper_bound(peek->after_seq);
         it != store.end() && rows.size() < peek->max_records; ++it) {
      rows.push_back({it->first, 1, 0, {}, it->second});
    }
    const SendOutcome outcome = uploader.OnPeeked(rows, now);
    if (outcome.dropped) Drop(*outcome.dropped);
    if (outcome.request) {
      RC_ASSERT(now.mono >= not_before);
      in_flight = outcome.request;
      sent.push_back(now.mono);
      ++requests;
    }
    return true;
  }
  // What an honest server says: everything but poison is fine.
  int Judge(std::vector<std::uint64_t>& seqs) {
    const auto batch = DecodeBatch(in_flight->body);
    RC_ASSERT(batch.ok());
    bool bad = false;
    for (const Record& r : batch.value().records) {
      seqs.push_back(r.seq);
      bad |= poison.contains(r.seq);
    }
    const std::string key =
        "phone-1:" + std::to_string(seqs.front()) + "-" + std::to_string(seqs.back());
    RC_ASSERT(in_flight->idempotency_key == key);
    return bad ? 422 : 200;
  }
  void Reply(std::optional<int> forced, std::optional<seconds> retry_after, bool lost = false) {
    std::vector<std::uint64_t> seqs;
    const int honest = Judge(seqs);
    const int status = forced.value_or(honest);
    if (status == 200) received.insert(seqs.begin(), seqs.end());
    HttpReply reply;
    reply.id = in_flight->id;
    if (!lost) reply.http_status = status;
    reply.retry_after = retry_after;
    in_flight.reset();
    if (retry_after && status != 200 && !lost) {
      not_before = now.mono + std::min<Duration>(*retry_after, kMaxRetryAfter);
    }
    const ReplyOutcome outcome = uploader.OnReply(reply, now);
    if (outcome.ack) {
      RC_ASSERT(status == 200 && !lost);
      Delete(*outcome.ack);
      not_before = MonoTime::min();
    }
    if (outcome.dropped) Drop(*outcome.dropped);
    Pending();
    // I7: the wait is bounded.
    if (const auto at = uploader.NextDeadline(); at && *at > now.mono) {
      RC_ASSERT(*at - now.mono <= std::max<Duration>(kMaxRetryAfter, Options().backoff_max));
    }
  }
  void CheckAccounts() const {
    for (std::uint64_t s = 1; s < next_seq; ++s) {
      RC_ASSERT(store.contains(s) || received.contains(s) || dropped.contains(s));
    }
  }
  void Advance(Duration d) { now.mono += d; }
};

RC_GTEST_PROP(Uploader, LosesNothingAndObeysTheServerWhateverHappens, ()) {
  World w;
  const int steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    switch (*rc::gen::inRange(0, 8)) {
      case 0:
        w.Append(*rc::gen::inRange(1, 40));
        break;
      case 1:
        w.Advance(seconds(*rc::gen::inRange(0, 5000)));
        break;
      case 2:
        w.uploader.Flush(w.now);
        break;
      case 3: {
        Link link;
        link.up = *rc::gen::inRange(0, 4) != 0;
        link.metered = *rc::gen::arbitrary<bool>();
        w.uploader.OnLink(link, w.now);
        break;
      }
      case 4: {  // I10: snapshot and restore at any event is a no-op
        std::vector<std::byte> image, again;
        w.uploader.Save(image);
        Uploader other(Options(), 99);
        RC_ASSERT(other.Restore(image).ok());
        other.Save(again);
        RC_ASSERT(image == again);
        w.uploader = other;
        break;
      }
      case 5:
        if (w.next_seq > 1) w.poison.insert(*rc::gen::inRange<std::uint64_t>(1, w.next_seq + 5));
        break;
      default:
        if (w.in_flight) {
          const int status =
              *rc::gen::element(0, 0, 0, 200, 408, 425, 429, 500, 503, 401, 404, 302, 413, 400, -1);
          std::optional<seconds> wait;
          if (*rc::gen::arbitrary<bool>()) wait = seconds(*rc::gen::inRange(0, 200'000));
          w.Reply(status > 0 ? std::optional(status) : std::nullopt, wait, status < 0);
        } else {
          w.Pump();
        }
    }
    if (w.in_flight && !w.uploader.in_flight_range()) w.in_flight.reset();  // given up on
    w.CheckAccounts();
  }
  // With an honest server and time, everything but poison arrives, and only poison is dropped now.
  const std::set<std::uint64_t> dropped_before = w.dropped;
  w.uploader.OnLink(Link{}, w.now);
  w.uploader.OnRestart(w.now);
  w.in_flight.reset();
  w.not_before = MonoTime::min();
  w.uploader.Flush(w.now);
  for (int i = 0; i < 100'000 && !w.store.empty(); ++i) {
    if (w.in_flight) {
      w.Reply(std::nullopt, std::nullopt);
    } else if (!w.Pump()) {
      const auto at = w.uploader.NextDeadline();
      // Only a poison record that nothing follows waits for more.
      if (!at) w.Append(1);
      w.Advance(at && *at > w.now.mono ? *at - w.now.mono : Duration(seconds(1)));
    }
  }
  RC_ASSERT(w.store.empty());
  for (const auto s : w.dropped) RC_ASSERT(dropped_before.contains(s) || w.poison.contains(s));
  w.CheckAccounts();
}

RC_GTEST_PROP(Uploader, APoisonRecordIsFoundInLogarithmicTime, ()) {
  World w;
  w.Append(16);
  w.poison = {*rc::gen::inRange<std::uint64_t>(1, 17)};
  w.Append(4);
  while (w.Pump() || w.in_flight) {
    if (w.in_flight) w.Reply(std::nullopt, std::nullopt);
  }
  RC_ASSERT(w.dropped == w.poison);
  RC_ASSERT(w.received.size() == 19u);  // each other record once
  RC_ASSERT(w.requests <= 11u);
}

RC_GTEST_PROP(Uploader, RestoreIsTotal, (const std::vector<std::uint8_t>& noise)) {
  std::vector<std::byte> image;
  World w;
  w.Append(20);
  w.Pump();
  w.uploader.Save(image);
  const auto before = image;
  for (std::size_t i = 0; i + 1 < noise.size(); i += 2) {
    image[noise[i] % image.size()] = std::byte{noise[i + 1]};
  }
  Uploader other(Options(), 1);
  if (!other.Restore(image).ok()) {
    std::vector<std::byte> unchanged, fresh;
    other.Save(unchanged);
    Uploader(Options(), 1).Save(fresh);
    RC_ASSERT(unchanged == fresh);
  }
  for (std::size_t n = 0; n < before.size(); ++n) {
    RC_ASSERT(!other.Restore(std::span(before).first(n)).ok());
  }
}

}  // namespace
}  // namespace waymark::sync
