// Reading and replaying the journal (format: waymark/journal.h).
#include "waymark/journal.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "filters/state_bytes.h"
#include "sdk/core/core.h"
#include "sdk/core/event_codec.h"
#include "sdk/core/journal_writer.h"

namespace waymark {
namespace {

struct Header {
  Config config;
  std::uint64_t seed = 0;
  SavedState saved;
};

struct Outcome {
  std::uint32_t actions = 0;
  std::uint64_t digest = 0;
};

using Frame = std::variant<std::monostate, StampedEvent, Outcome>;

class Reader {
 public:
  /// kCorruption if the bytes do not begin a journal of this version.
  static Result<Reader> Open(std::span<const std::byte> bytes) {
    Reader reader;
    reader.bytes_ = bytes;
    if (!IsJournal(bytes)) return Status(Code::kCorruption, "not a Waymark journal");
    if (bytes.size() > 4 && static_cast<std::uint8_t>(bytes[4]) != kJournalVersion) {
      return Status(Code::kUnsupported,
                    "journal format " + std::to_string(static_cast<int>(bytes[4])) +
                        ", this build reads " + std::to_string(kJournalVersion));
    }
    reader.at_ = 5;
    std::span<const std::byte> payload;
    Status status = reader.NextPayload(payload);
    if (!status.ok()) return status;
    if (payload.empty()) return Status(Code::kCorruption, "the journal is cut inside its header");
    status = reader.ReadHeader(payload);
    if (!status.ok()) return status;
    return reader;
  }

  const Header& header() const { return header_; }
  bool cut() const { return cut_; }

  /// The next event or outcome; monostate at the end.
  Result<Frame> Next() {
    std::span<const std::byte> payload;
    if (Status status = NextPayload(payload); !status.ok()) return status;
    if (payload.empty()) return Frame();
    const auto type = static_cast<JournalFrame>(payload[0]);
    if (type == JournalFrame::kEvent) {
      Result<StampedEvent> event = DecodeEvent(payload.subspan(1));
      if (!event.ok()) return Where(event.status().message());
      return Frame(std::move(event).value());
    }
    if (type == JournalFrame::kOutcome) {
      StateReader r(payload.subspan(1));
      Outcome outcome;
      outcome.actions = r.U32();
      outcome.digest = r.U64();
      if (!r.done()) return Where("an outcome of wrong size");
      return Frame(outcome);
    }
    return Where("a frame of unknown type " + std::to_string(static_cast<int>(type)));
  }

 private:
  Status Where(const std::string& what) const {
    return Status(Code::kCorruption,
                  "journal, frame that ends at byte " + std::to_string(at_) + ": " + what);
  }

  // Empty: the end, whole or cut. An error: damage that more frames follow.
  Status NextPayload(std::span<const std::byte>& payload) {
    payload = {};
    if (at_ >= bytes_.size()) {
      cut_ = cut_ || at_ > bytes_.size();
      return Status();
    }
    std::size_t at = at_;
    std::uint64_t length = 0;
    for (int shift = 0;; shift += 7) {
      if (at >= bytes_.size()) {
        cut_ = true;
        return Status();
      }
      const auto b = static_cast<std::uint64_t>(bytes_[at++]);
      if (shift > 35) return Where("a length that no frame has");
      length |= (b & 0x7F) << shift;
      if (b < 0x80) break;
    }
    if (at >= bytes_.size()) {
      cut_ = true;
      return Status();
    }
    const std::uint32_t check = Crc32c(bytes_.subspan(at_, at - at_)) & 0xFF;
    if (static_cast<std::uint32_t>(bytes_[at++]) != check) return Where("a damaged length");
    if (length == 0) return Where("an empty frame");
    if (length + 4 > bytes_.size() - at) {
      cut_ = true;
      return Status();
    }
    const std::span<const std::byte> body = bytes_.subspan(at, length);
    StateReader crc(bytes_.subspan(at + length, 4));
    const bool last = at + length + 4 == bytes_.size();
    at_ = at + length + 4;
    if (crc.U32() != Crc32c(body)) {
      // A power cut can leave a last frame of full length with pages never written.
      if (last) {
        cut_ = true;
        return Status();
      }
      return Where("the checksum does not match its bytes");
    }
    payload = body;
    return Status();
  }

  Status ReadHeader(std::span<const std::byte> payload) {
    StateReader r(payload);
    const auto text = [&] {
      std::string s;
      const std::uint32_t n = r.Count(static_cast<std::uint32_t>(payload.size()));
      for (std::uint32_t i = 0; i < n && r.ok(); ++i) s.push_back(static_cast<char>(r.U8()));
      return s;
    };
    const auto image = [&] {
      std::vector<std::byte> out;
      const std::uint32_t n = r.Count(static_cast<std::uint32_t>(payload.size()));
      for (std::uint32_t i = 0; i < n && r.ok(); ++i) out.push_back(std::byte{r.U8()});
      return out;
    };
    if (r.U8() != static_cast<std::uint8_t>(JournalFrame::kHeader)) r.Fail();
    header_.seed = r.U64();
    const std::uint32_t fields = r.Count(1000);
    for (std::uint32_t i = 0; i < fields && r.ok(); ++i) {
      const std::string name = text();
      const std::string value = text();
      if (!r.ok()) break;
      if (Status s = SetConfigField(header_.config, name, value); !s.ok()) {
        return Where(s.message());
      }
    }
    header_.saved.core = image();
    header_.saved.fences = image();
    if (!r.done()) return Where("a header that cannot be read");
    return Status();
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool cut_ = false;
  Header header_;
};

// Feeds every event to a new core; `each` sees what followed and the recorded outcome, if any.
template <class Each>
Status Replay(std::span<const std::byte> journal, bool& cut, Each&& each) {
  Result<Reader> opened = Reader::Open(journal);
  if (!opened.ok()) return opened.status();
  Reader& reader = opened.value();
  const Header& header = reader.header();
  Result<Core> core = Core::Create(header.config, header.seed, header.saved);
  if (!core.ok()) return core.status();
  std::vector<Action> actions;
  std::optional<StampedEvent> pending;
  bool done = false;
  while (!done) {
    Result<Frame> frame = reader.Next();
    if (!frame.ok()) return frame.status();
    const Outcome* outcome = std::get_if<Outcome>(&frame.value());
    if (pending) {
      actions.clear();
      core.value().Handle(pending->event, pending->stamp, actions);
      if (!each(*pending, actions, outcome)) return Status();
      pending.reset();
    }
    if (auto* event = std::get_if<StampedEvent>(&frame.value())) pending = std::move(*event);
    done = std::holds_alternative<std::monostate>(frame.value());
  }
  cut = reader.cut();
  return Status();
}

std::uint64_t DigestOf(const std::vector<Action>& actions) {
  std::vector<std::byte> bytes;
  for (const Action& a : actions) EncodeAction(a, bytes);
  return Digest(bytes);
}

}  // namespace

bool IsJournal(std::span<const std::byte> head) {
  return head.size() >= 4 &&
         std::equal(std::begin(kJournalMagic), std::end(kJournalMagic), head.begin(),
                    [](char a, std::byte b) { return static_cast<std::byte>(a) == b; });
}

Result<JournalReport> ReplayJournal(std::span<const std::byte> journal) {
  JournalReport report;
  Status status = Replay(
      journal, report.cut,
      [&](const StampedEvent& event, const std::vector<Action>& actions, const Outcome* outcome) {
        const std::uint64_t index = report.events++;
        report.actions += actions.size();
        if (outcome == nullptr) return true;  // cut between an event and its outcome
        if (outcome->actions == actions.size() && outcome->digest == DigestOf(actions)) return true;
        report.identical = false;
        report.first_difference = index;
        report.event_text = EventText(event.event, event.stamp);
        for (const Action& a : actions) report.actions_text += ActionText(a) + "\n";
        return false;
      });
  if (!status.ok()) return status;
  return report;
}

Status PrintJournal(std::span<const std::byte> journal,
                    const std::function<void(std::string_view line)>& line) {
  bool cut = false;
  Status status =
      Replay(journal, cut,
             [&](const StampedEvent& event, const std::vector<Action>& actions, const Outcome*) {
               line(EventText(event.event, event.stamp));
               for (const Action& a : actions) line("  " + ActionText(a));
               return true;
             });
  if (status.ok() && cut) line("(cut here)");
  return status;
}

Result<JournalTrace> JournalFixes(std::span<const std::byte> journal) {
  Result<Reader> opened = Reader::Open(journal);
  if (!opened.ok()) return opened.status();
  JournalTrace trace;
  for (;;) {
    Result<Frame> frame = opened.value().Next();
    if (!frame.ok()) return frame.status();
    if (std::holds_alternative<std::monostate>(frame.value())) {
      trace.cut = opened.value().cut();
      return trace;
    }
    const auto* event = std::get_if<StampedEvent>(&frame.value());
    if (event == nullptr) continue;
    if (const Fix* fix = std::get_if<Fix>(&event->event)) {
      trace.fixes.push_back({*fix, event->stamp});
    }
  }
}

}  // namespace waymark
