// The core's state as bytes. Field order is the format; kVersion rises with every change.
#include <utility>

#include "filters/state_bytes.h"
#include "sdk/core/core.h"
#include "sdk/core/event_codec.h"
#include "sdk/sync/record_codec.h"

namespace waymark {
namespace {

constexpr std::uint32_t kTag = 0x524F4357;  // "WCOR"
constexpr std::uint16_t kVersion = 3;
constexpr std::uint32_t kMaxUnsaved = 1'000'000;
// Of a track at 1 Hz without records that wait: room for it is made at once.
constexpr std::size_t kUsualBytes = 1 << 15;

// Writes what `save` appends to the same bytes, behind its length.
template <class Save>
void PutImage(StateWriter& w, std::vector<std::byte>& out, const Save& save) {
  const std::size_t mark = out.size();
  w.U32(0);
  save(out);
  w.EndBlock(mark);
}

void PutRange(StateWriter& w, const SeqRange& range) {
  w.U64(range.first);
  w.U64(range.last);
}

SeqRange GetRange(StateReader& r) {
  SeqRange range;
  range.first = r.U64();
  range.last = r.U64();
  return range;
}

void PutDrops(StateWriter& w, const DropsRecord& d) {
  w.U64(d.records);
  w.U64(d.bytes);
  w.U64(d.first_seq);
  w.U64(d.last_seq);
}

DropsRecord GetDrops(StateReader& r) {
  DropsRecord d;
  d.records = r.U64();
  d.bytes = r.U64();
  d.first_seq = r.U64();
  d.last_seq = r.U64();
  return d;
}

void PutStats(StateWriter& w, const Stats& s) {
  for (const std::uint64_t v :
       {s.fixes, s.accepted, s.adjusted, s.provisional, s.rejected, s.records, s.requests,
        s.batches_acknowledged, s.records_acknowledged, s.bytes_sent, s.records_dropped,
        s.sampling_requests}) {
    w.U64(v);
  }
}

Stats GetStats(StateReader& r) {
  Stats s;
  for (std::uint64_t* v :
       {&s.fixes, &s.accepted, &s.adjusted, &s.provisional, &s.rejected, &s.records, &s.requests,
        &s.batches_acknowledged, &s.records_acknowledged, &s.bytes_sent, &s.records_dropped,
        &s.sampling_requests}) {
    *v = r.U64();
  }
  return s;
}

}  // namespace

void Core::Save(std::vector<std::byte>& out) const {
  out.reserve(out.size() + kUsualBytes);
  StateWriter w(out);
  const std::size_t block = w.BeginBlock(kTag, kVersion);

  w.I64(offset_.count());
  w.U64(boot_id_);
  w.Time(last_mono_);
  const auto put = [&](const auto& component) {
    PutImage(w, out, [&](std::vector<std::byte>& image) { component.Save(image); });
  };
  put(estimator_);
  put(smoother_);
  put(motion_);
  put(odometer_);
  put(recorder_);
  PutImage(w, out, [&](std::vector<std::byte>& image) { fences_.SaveState(image); });
  w.Bool(tracking_);
  w.U64(session_);
  w.OptTime(last_used_fix_);
  w.OptUtc(last_used_utc_);
  w.U64(rejected_since_used_);
  w.U8(static_cast<std::uint8_t>(silence_cause_));
  for (const auto& offset : {utc_offset_, utc_rival_}) {
    w.Bool(offset.has_value());
    if (offset) w.I64(offset->count());
  }
  w.Bool(utc_confirmed_);
  w.U32(utc_rival_votes_);
  w.Bool(guess_accepted_);
  w.OptTime(hold_until_);
  w.F64(raw_stationary_m_);
  w.Bool(last_raw_.has_value());
  if (last_raw_) w.Position(*last_raw_);

  w.OptF64(battery_.level);
  w.Bool(battery_.charging);
  w.Bool(battery_.power_save);
  w.Bool(host_.foreground);
  w.Bool(host_.location_permitted);
  w.Bool(sampling_.has_value());
  if (sampling_) {
    w.U8(static_cast<std::uint8_t>(sampling_->mode));
    w.I64(sampling_->interval.count());
    w.I64(sampling_->max_batch_delay.count());
  }

  w.U64(next_seq_);
  w.OptUtc(last_record_utc_);
  w.U32(static_cast<std::uint32_t>(unsaved_.size()));
  for (const Record& r : unsaved_) {
    w.U64(r.seq);
    w.SizedBytes(sync::EncodeRecord(r));
  }
  w.U32(static_cast<std::uint32_t>(held_.size()));
  for (const MonoTime at : held_) w.Time(at);
  w.Bool(opened_);
  w.Bool(commit_in_flight_);
  w.U32(static_cast<std::uint32_t>(committing_));
  w.U32(static_cast<std::uint32_t>(acks_.size()));
  for (const SeqRange& range : acks_) PutRange(w, range);
  w.Bool(commit_acks_);
  w.Bool(fences_changed_);
  w.Bool(snapshot_due_);
  w.OptTime(next_snapshot_);
  w.OptTime(retry_commit_);
  w.I64(commit_backoff_.count());
  w.U64(stored_records_);
  w.U64(stored_bytes_);
  w.Bool(enforce_in_flight_);
  w.OptTime(next_enforce_);
  PutDrops(w, unreported_drops_);

  put(uploader_);
  w.Bool(flushing_);
  w.U64(sent_bytes_);
  w.U64(sent_records_);
  PutRange(w, sent_range_);
  w.OptUtc(sent_oldest_utc_);
  PutStats(w, stats_);
  w.U8(static_cast<std::uint8_t>(last_store_problem_));
  w.EndBlock(block);
}

// On failure `*this` is half restored: Create discards it.
Status Core::Restore(std::span<const std::byte> image) {
  const auto fail = [](const Status& s) { return s.ok() ? CorruptState("core") : s; };
  StateReader outer(image);
  std::uint16_t version = 0;
  StateReader r(outer.Block(kTag, kVersion, &version));
  if (!outer.done() || version != kVersion) return fail(Status());

  offset_ = Duration(r.I64());
  boot_id_ = r.U64();
  last_mono_ = r.Time();
  Status status;
  const auto get = [&](auto& component) {
    const std::span<const std::byte> bytes = r.SizedBytes();
    if (!r.ok() || !status.ok()) return;
    status = component.Restore(bytes);
  };
  get(estimator_);
  get(smoother_);
  get(motion_);
  get(odometer_);
  get(recorder_);
  const std::span<const std::byte> fences = r.SizedBytes();
  if (r.ok() && status.ok()) status = fences_.RestoreState(fences);
  tracking_ = r.Bool();
  session_ = r.U64();
  last_used_fix_ = r.OptTime();
  last_used_utc_ = r.OptUtc();
  rejected_since_used_ = r.U64();
  silence_cause_ = r.Enum<GapCause>(7);
  for (auto* offset : {&utc_offset_, &utc_rival_}) {
    if (r.Bool()) *offset = std::chrono::milliseconds(r.I64());
  }
  utc_confirmed_ = r.Bool();
  if (utc_confirmed_ && !utc_offset_) r.Fail();
  utc_rival_votes_ = r.U32();
  guess_accepted_ = r.Bool();
  hold_until_ = r.OptTime();
  raw_stationary_m_ = r.F64();
  if (r.Bool()) last_raw_ = r.Position();

  battery_.level = r.OptF64();
  battery_.charging = r.Bool();
  battery_.power_save = r.Bool();
  host_.foreground = r.Bool();
  host_.location_permitted = r.Bool();
  if (r.Bool()) {
    SamplingRequest s;
    s.mode = r.Enum<SamplingMode>(4);
    s.interval = Duration(r.I64());
    s.max_batch_delay = Duration(r.I64());
    sampling_ = s;
  }

  next_seq_ = r.U64();
  last_record_utc_ = r.OptUtc();
  const std::uint32_t unsaved = r.Count(kMaxUnsaved);
  for (std::uint32_t i = 0; i < unsaved && r.ok() && status.ok(); ++i) {
    const std::uint64_t seq = r.U64();
    Result<Record> record = sync::DecodeRecord(seq, r.SizedBytes());
    status = record.status();
    if (status.ok()) unsaved_.push_back(std::move(record).value());
  }
  const std::uint32_t held = r.Count(unsaved);
  for (std::uint32_t i = 0; i < held && r.ok(); ++i) held_.push_back(r.Time());
  opened_ = r.Bool();
  commit_in_flight_ = r.Bool();
  committing_ = r.Count(unsaved - held);
  const std::uint32_t acks = r.Count(kMaxUnsaved);
  for (std::uint32_t i = 0; i < acks && r.ok(); ++i) acks_.push_back(GetRange(r));
  commit_acks_ = r.Bool();
  if (commit_acks_ && acks_.empty()) r.Fail();
  fences_changed_ = r.Bool();
  snapshot_due_ = r.Bool();
  next_snapshot_ = r.OptTime();
  retry_commit_ = r.OptTime();
  commit_backoff_ = Duration(r.I64());
  stored_records_ = r.U64();
  stored_bytes_ = r.U64();
  enforce_in_flight_ = r.Bool();
  next_enforce_ = r.OptTime();
  unreported_drops_ = GetDrops(r);

  get(uploader_);
  flushing_ = r.Bool();
  sent_bytes_ = r.U64();
  sent_records_ = r.U64();
  sent_range_ = GetRange(r);
  sent_oldest_utc_ = r.OptUtc();
  stats_ = waymark::GetStats(r);
  last_store_problem_ = r.Enum<Code>(12);
  if (!r.done() || !status.ok()) return fail(status);
  return Status();
}

}  // namespace waymark
