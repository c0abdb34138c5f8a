// make_seeds DIR: what our own code writes, as seeds for the targets that read binary formats. Made
// at test time, so that a seed is never older than its format.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "sdk/core/core.h"
#include "sdk/core/event_codec.h"
#include "sdk/core/journal_writer.h"
#include "sdk/geofence/geofence_engine.h"
#include "sdk/sync/record_codec.h"
#include "sdk/sync/uploader.h"
#include "waymark/geometry.h"
#include "waymark/wire.h"

namespace waymark {
namespace {

using std::chrono::seconds;

class SeedFolder {
 public:
  explicit SeedFolder(std::filesystem::path root) : root_(std::move(root)) {}
  void Write(const std::string& name, std::span<const std::byte> bytes) const {
    const std::filesystem::path path = root_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    if (!file.flush()) {
      std::fprintf(stderr, "make_seeds: %s: cannot be written\n", path.c_str());
      std::exit(4);
    }
  }

 private:
  std::filesystem::path root_;
};

/// A core with a perfect store and server; every event is written to a journal and to a stream of
/// frames (u16 length, event) as fuzz_core_events reads it.
class Session {
 public:
  Session() {
    config_.installation = "seed";
    config_.upload.url = "https://collector.example/";
    config_.upload.max_batch_records = 5;
    writer_.Begin(config_, 1, {});
    Feed(ev::StoreOpened{});
    Feed(ev::Start{});
  }

  void Feed(Event event) {
    std::deque<Event> queue{std::move(event)};
    while (!queue.empty()) {
      std::vector<std::byte> frame;
      EncodeEvent(queue.front(), now, frame);
      events.push_back(static_cast<std::byte>(frame.size() & 0xff));
      events.push_back(static_cast<std::byte>(frame.size() >> 8));
      events.insert(events.end(), frame.begin(), frame.end());
      writer_.Record(queue.front(), now);
      std::vector<Action> actions;
      core_.Handle(queue.front(), now, actions);
      writer_.Outcome(actions);
      queue.pop_front();
      for (const Action& a : actions) Answer(a, queue);
    }
  }

  void Pass(Duration d) {
    now.mono += d;
    now.utc += std::chrono::duration_cast<std::chrono::milliseconds>(d);
    if (const auto due = core_.NextDeadline(); due && *due <= now.mono) Feed(ev::AlarmFired{});
  }

  Stamp now{MonoTime(std::chrono::hours(1)), UtcTime(std::chrono::milliseconds(1'700'000'000'000))};
  std::vector<std::byte> journal, events;
  std::vector<StoredRecord> stored;

 private:
  void Answer(const Action& action, std::deque<Event>& queue) {
    if (const auto* commit = std::get_if<act::Commit>(&action)) {
      stored.insert(stored.end(), commit->write.append.begin(), commit->write.append.end());
      queue.push_back(ev::Committed{});
    } else if (const auto* peek = std::get_if<act::Peek>(&action)) {
      ev::Peeked peeked;
      for (const StoredRecord& r : stored) {
        if (r.seq > peek->after_seq && peeked.records.size() < peek->max_records)
          peeked.records.push_back(r);
      }
      queue.push_back(std::move(peeked));
    } else if (std::holds_alternative<act::Enforce>(action)) {
      queue.push_back(ev::Enforced{});
    } else if (const auto* request = std::get_if<HttpRequest>(&action)) {
      queue.push_back(HttpReply{request->id, 200, {}, now.utc, {}});
    }
  }

  Config config_;
  JournalWriter writer_{
      [this](std::span<const std::byte> b) { journal.insert(journal.end(), b.begin(), b.end()); }};
  Core core_ = std::move(Core::Create(config_, 1, {})).value();
};

constexpr LatLon kBegin{47, 8};

Geofence FenceOnTheWay() {
  Geofence fence;
  fence.id = "seed";
  fence.shape = Circle{Destination(kBegin, 90, 200), 80};
  fence.dwell = seconds(10);
  return fence;
}

// A drive through a fence, a stop, a message, a gap.
void Drive(Session& s) {
  s.Feed(ev::AddFences{{FenceOnTheWay()}});
  LatLon at = kBegin;
  for (int i = 0; i < 60; ++i) {
    s.Pass(seconds(i == 40 ? 600 : 1));
    const bool driving = i < 35;
    if (driving) at = Destination(at, 90, 12);
    Fix f;
    f.time = s.now.mono;
    f.utc = s.now.utc;
    f.position = at;
    f.horizontal_accuracy_m = i % 7 == 3 ? std::optional<double>() : 5;
    f.speed_mps = driving ? 12 : 0;
    if (driving) f.course_deg = 90;
    if (i % 3 == 0) f.altitude_m = 400 + i;
    s.Feed(f);
    if (i % 10 == 0) {
      s.Feed(MotionSample{s.now.mono, driving ? Activity::kAutomotive : Activity::kStill, 0.9});
    }
  }
  s.Feed(Battery{});
  s.Feed(Link{});
  s.Feed(HostState{});
  s.Feed(ev::Enqueue{"topic", std::vector<std::byte>(8, std::byte{7})});
  s.Feed(ev::Flush{});
  s.Feed(ev::RemoveFences{{"seed"}});
  s.Feed(ev::Stop{});
}

// A walk in the language of fuzz_estimator: operation, time step, then numbers of one kind.
std::vector<std::byte> EstimatorWalk() {
  std::vector<std::byte> out;
  const auto number = [&out](std::int16_t v) {
    out.push_back(std::byte{0});
    out.push_back(static_cast<std::byte>(v & 0xff));
    out.push_back(static_cast<std::byte>((v >> 8) & 0xff));
  };
  for (int i = 0; i < 40; ++i) {
    const int op = i % 10 == 9 ? 16 : i % 10 == 5 ? 2 : 0xc0 + 2 + 4 + 8;
    out.push_back(static_cast<std::byte>(op));
    out.push_back(std::byte{10});  // a second
    if (op == 16) continue;        // save and restore
    if (op == 2) {
      number(20'000);  // a motion hint
      continue;
    }
    for (const int v : {3000, 1500, 3000, 8000, 8000}) number(static_cast<std::int16_t>(v));
  }
  return out;
}

void WriteAll(const SeedFolder& folder) {
  Session session;
  Drive(session);
  folder.Write("journal/drive.wmj", session.journal);
  folder.Write("core_events/drive", session.events);
  folder.Write("estimator/walk", EstimatorWalk());
  Batch batch{"seed", {}};
  bool written[16] = {};
  for (const StoredRecord& stored : session.stored) {
    const Record r = sync::DecodeRecord(stored.seq, stored.payload).value();
    batch.records.push_back(r);
    // One lone record of each kind: the target also reads its input as a row of the store.
    if (std::exchange(written[static_cast<int>(r.kind())], true)) continue;
    folder.Write(std::string("wire/record_") + RecordKindName(r.kind()), stored.payload);
  }
  folder.Write("wire/batch", EncodeBatch(batch));
  std::vector<std::byte> uploader, fences;
  sync::Uploader({}, 1).Save(uploader);
  folder.Write("wire/uploader_state", uploader);
  GeofenceEngine engine;
  std::vector<FenceProblem> problems;
  engine.Add(std::vector{FenceOnTheWay()}, problems);
  engine.SaveFences(fences);
  folder.Write("geojson/fences_image", fences);
}

}  // namespace
}  // namespace waymark

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_seeds DIR\n", stderr);
    return 2;
  }
  waymark::WriteAll(waymark::SeedFolder(argv[1]));
  return 0;
}
