#include "waymark/journal.h"

#include <gmock/gmock.h>

#include "sdk/core/event_codec.h"
#include "sdk/core/journal_writer.h"
#include "support/core_world.h"

namespace waymark::test {
namespace {

using std::chrono::seconds;

// A session recorded as the shell records it.
std::vector<std::byte> RecordSession(int fixes = 200) {
  std::vector<std::byte> journal;
  JournalWriter writer(
      [&](std::span<const std::byte> b) { journal.insert(journal.end(), b.begin(), b.end()); });
  Config config;
  config.installation = "unit";
  config.upload.authorization = "Bearer s3cret";
  writer.Begin(config, 42, {});
  Core core = std::move(Core::Create(config, 42, {})).value();
  std::vector<Action> actions;
  Stamp now{kMonoBegin, kUtcBegin};
  const auto handle = [&](const Event& e) {
    actions.clear();
    writer.Record(e, now);
    core.Handle(e, now, actions);
    writer.Outcome(actions);
    return std::vector<Action>(actions);
  };
  handle(ev::StoreOpened{});
  handle(ev::Start{});
  LatLon at{47, 8};
  for (int i = 0; i < fixes; ++i) {
    now.mono += seconds(1);
    now.utc += seconds(1);
    at = Destination(at, 30, 12);
    Fix f;
    f.time = now.mono;
    f.utc = now.utc;
    f.position = at;
    f.horizontal_accuracy_m = i == 50 ? std::nan("") : 6;
    f.speed_mps = 12;
    f.course_deg = 30;
    for (const Action& a : handle(f)) {
      if (std::holds_alternative<act::Commit>(a)) handle(ev::Committed{});
    }
  }
  return journal;
}

std::span<const std::byte> First(const std::vector<std::byte>& bytes, std::size_t n) {
  return std::span(bytes).first(n);
}

TEST(Journal, ReplaysToTheSameBytes) {
  const std::vector<std::byte> journal = RecordSession();
  EXPECT_TRUE(IsJournal(journal));
  const Result<JournalReport> report = ReplayJournal(journal);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(report.value().identical) << report.value().event_text << "\n"
                                        << report.value().actions_text;
  EXPECT_FALSE(report.value().cut);
  EXPECT_GE(report.value().events, 202u);
  EXPECT_GE(report.value().actions, 200u);
  const auto trace = JournalFixes(journal);
  ASSERT_TRUE(trace.ok());
  EXPECT_FALSE(trace.value().cut);
  EXPECT_EQ(trace.value().fixes.size(), 200u);
  EXPECT_TRUE(std::isnan(*trace.value().fixes[50].fix.horizontal_accuracy_m));
}

TEST(Journal, HoldsNoSecret) {
  const std::vector<std::byte> journal = RecordSession();
  const std::string text(reinterpret_cast<const char*>(journal.data()), journal.size());
  EXPECT_EQ(text.find("s3cret"), std::string::npos);
  EXPECT_NE(text.find("upload.authorization"), std::string::npos);
}

TEST(Journal, ACutTailIsDroppedAtEveryByte) {
  const std::vector<std::byte> journal = RecordSession(12);
  // Cut inside the header there is nothing to replay.
  std::size_t header = 0;
  while (!ReplayJournal(First(journal, header)).ok()) {
    EXPECT_EQ(ReplayJournal(First(journal, header)).status().code(), Code::kCorruption);
    ++header;
  }
  EXPECT_GT(header, 5u);
  std::uint64_t events = 0;
  int whole = 0;
  for (std::size_t n = header; n <= journal.size(); ++n) {
    const Result<JournalReport> report = ReplayJournal(First(journal, n));
    ASSERT_TRUE(report.ok()) << n << " " << report.status().message();
    EXPECT_TRUE(report.value().identical) << n;
    EXPECT_GE(report.value().events, events) << n;
    EXPECT_LE(report.value().events, events + 1) << n;
    events = report.value().events;
    whole += !report.value().cut;
  }
  // Whole at the end of each frame: the header, and event and outcome of each event.
  EXPECT_EQ(events, ReplayJournal(journal).value().events);
  EXPECT_EQ(whole, static_cast<int>(1 + 2 * events));
}

TEST(Journal, NoFlippedBitPassesUnnoticed) {
  std::vector<std::byte> journal = RecordSession(6);
  const Result<JournalReport> sound = ReplayJournal(journal);
  ASSERT_TRUE(sound.ok());
  std::size_t last_frame = 0;  // the last outcome may pass for one that a power cut left unwritten
  for (std::size_t n = journal.size() - 1; last_frame == 0; --n) {
    const auto report = ReplayJournal(First(journal, n));
    if (report.ok() && !report.value().cut) last_frame = n;
  }
  for (std::size_t at = 0; at < journal.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      const std::byte mask{static_cast<std::uint8_t>(1 << bit)};
      journal[at] ^= mask;
      const Result<JournalReport> report = ReplayJournal(journal);
      if (report.ok()) {
        EXPECT_GE(at, last_frame) << "bit " << bit;
        EXPECT_TRUE(report.value().cut) << at << " bit " << bit;
      } else {
        EXPECT_FALSE(report.status().message().empty());
      }
      journal[at] ^= mask;
    }
  }
}

TEST(Journal, AnotherVersionIsRefusedAsSuch) {
  std::vector<std::byte> journal = RecordSession(1);
  journal[4] = std::byte{kJournalVersion + 1};
  EXPECT_EQ(ReplayJournal(journal).status().code(), Code::kUnsupported);
}

TEST(Journal, DamageInTheMiddleIsSaidWithItsPlace) {
  std::vector<std::byte> journal = RecordSession();
  journal[journal.size() / 2] ^= std::byte{0x10};
  const Result<JournalReport> report = ReplayJournal(journal);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.status().code(), Code::kCorruption);
  EXPECT_THAT(report.status().message(), testing::HasSubstr("byte"));
}

TEST(Journal, ADifferenceIsShownAtItsEvent) {
  // The same session with one position changed after the recording, checksums made good again.
  std::vector<std::byte> journal;
  JournalWriter writer(
      [&](std::span<const std::byte> b) { journal.insert(journal.end(), b.begin(), b.end()); });
  Config config;
  config.installation = "unit";
  writer.Begin(config, 42, {});
  Core core = std::move(Core::Create(config, 42, {})).value();
  Stamp now{kMonoBegin, kUtcBegin};
  for (int i = 0; i < 5; ++i) {
    std::vector<Action> actions;
    Event event = i == 0 ? Event(ev::StoreOpened{}) : Event(ev::Start{});
    if (i > 1) {
      now.mono += seconds(1);
      Fix f;
      f.time = now.mono;
      f.position = {47 + i * 1e-5, 8};
      event = f;
    }
    core.Handle(event, now, actions);
    if (i == 4) std::get<Fix>(event).position.lat_deg += 1e-9;
    writer.Record(event, now);
    writer.Outcome(actions);
  }
  const Result<JournalReport> report = ReplayJournal(journal);
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report.value().identical);
  EXPECT_EQ(report.value().first_difference, 4u);
  EXPECT_THAT(report.value().event_text, testing::HasSubstr("fix"));
  EXPECT_THAT(report.value().actions_text, testing::HasSubstr("estimate"));
}

TEST(Journal, AnyBytesAreSafe) {
  std::vector<std::byte> journal = RecordSession();
  std::uint64_t state = 99;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::byte> bytes(journal.begin(), journal.begin() + 3000);
    for (int i = 0; i < 3; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bytes[(state >> 33) % bytes.size()] = static_cast<std::byte>(state >> 20);
    }
    const Result<JournalReport> report = ReplayJournal(bytes);
    EXPECT_TRUE(report.ok() || !report.status().message().empty());
  }
}

TEST(EventCodec, EveryEventReadsBack) {
  Geofence fence;
  fence.id = "f";
  fence.shape =
      MultiPolygon{{Polygon{{{0, 0}, {0, 1}, {1, 1}}, {{{0.1, 0.2}, {0.2, 0.2}, {0.2, 0.3}}}}}};
  fence.open = {{10, 20}};
  fence.expires = kUtcBegin;
  Fix fix;
  fix.position = {-0.0, 179.9};
  fix.speed_mps = HUGE_VAL;
  HttpReply reply;
  reply.http_status = 503;
  reply.retry_after = seconds(9);
  const std::vector<Event> events = {ev::StoreOpened{{1, 2, 3, 4}, kUtcBegin, 77},
                                     ev::Start{},
                                     ev::Stop{},
                                     ev::AlarmFired{},
                                     ev::Flush{},
                                     fix,
                                     MotionSample{kMonoBegin, Activity::kCycling, 0.5},
                                     Battery{0.5, true, false},
                                     Link{false, true, true},
                                     HostState{true, false},
                                     ev::AddFences{{fence}},
                                     ev::RemoveFences{{"a", "b"}},
                                     ev::ClearFences{},
                                     ev::Enqueue{"t", {std::byte{9}}},
                                     ev::Committed{Status(Code::kIo, "x"), {1, 2, 3, 4}},
                                     ev::Peeked{Status(), {{1, 2, 3, kUtcBegin, {std::byte{4}}}}},
                                     ev::Enforced{Status(), {1, 2, 3, 4}},
                                     reply};
  ASSERT_EQ(events.size(), std::variant_size_v<Event>);
  for (std::size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i].index(), i);
    std::vector<std::byte> bytes, again;
    EncodeEvent(events[i], {kMonoBegin, kUtcBegin}, bytes);
    const Result<StampedEvent> back = DecodeEvent(bytes);
    ASSERT_TRUE(back.ok()) << i;
    EncodeEvent(back.value().event, back.value().stamp, again);
    EXPECT_EQ(bytes, again) << i;
    EXPECT_FALSE(EventText(back.value().event, back.value().stamp).empty());
    // No prefix of an event is an event.
    for (std::size_t n = 0; n < bytes.size(); ++n)
      EXPECT_FALSE(DecodeEvent(std::span(bytes).first(n)).ok());
  }
}

TEST(Crc32c, MatchesThePublishedVectors) {  // RFC 3720, B.4
  EXPECT_EQ(Crc32c(std::vector<std::byte>(32, std::byte{0})), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8AB43u);
}

}  // namespace
}  // namespace waymark::test
