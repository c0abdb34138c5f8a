#include "sdk/core/track_recorder.h"

#include <chrono>
#include <cstdint>
#include <utility>
#include <variant>

#include "filters/state_bytes.h"
#include "sdk/sync/record_codec.h"

namespace waymark {
namespace {

constexpr std::uint32_t kTag = 0x43455254;  // "TREC"
constexpr std::uint16_t kVersion = 1;
// More is not held back: an hour's walk has fewer knots.
constexpr std::uint32_t kMaxWaiting = 512;
// Nor is what a session begins with, where fixes are too sparse to tell rest from motion.
constexpr Duration kLongestUnknown = std::chrono::minutes(2);

PointRecord PointOf(const Estimate& e) {
  PointRecord p;
  p.position = e.position;
  p.r68_m = e.r68_m;
  p.altitude_m = e.altitude_m;
  p.motion = e.motion;
  p.speed_mps = e.speed_mps();
  p.course_deg = e.course_deg();
  return p;
}

// The motion that an anchor or its point tells; nullopt for what is none.
std::optional<Motion> MotionOf(const RecordBody& body) {
  if (const auto* point = std::get_if<PointRecord>(&body)) return point->motion;
  if (const auto* change = std::get_if<MotionRecord>(&body)) return change->motion;
  return std::nullopt;
}

}  // namespace

void TrackRecorder::Follow(const Odometer& odometer) {
  const bool waited = std::exchange(waits_, odometer.waits());
  const double before_m = std::exchange(counted_m_, odometer.total().distance_m);
  if (waits_ && !waited) {
    holds_ = true;
    held_from_m_ = before_m;
    held_motion_ = motion_;
  }
  if (holds_ && !waits_) Decide(odometer.rests());
  if (start_ && !odometer.rests()) {
    Anchor(start_->change, start_->r68_m);
    start_.reset();
  }
}

// The odometer holds nothing back any more: it has counted what waits here, or it never will.
void TrackRecorder::Decide(bool rests) {
  const bool rested = held_motion_ == Motion::kStationary;
  // (Where tracking ends before the first rest or start, what there is of the track is kept.)
  if (counted_m_ <= held_from_m_ && (rests || rested)) {
    // At rest all the time: since the last anchor or, if there is none, since the first stop.
    simplifier_.Flush(knots_);
    knots_.clear();
    std::erase_if(waiting_, [rested](const Entry& e) {
      const std::optional<Motion> motion = MotionOf(e.body);
      return motion && (rested || *motion != Motion::kStationary);
    });
    if (rested || motion_ != Motion::kStationary) motion_ = held_motion_;
    resting_ = true;
  }
  Release();
}

void TrackRecorder::Release() {
  holds_ = false;
  for (Entry& e : waiting_) ready_.push_back(std::move(e));
  waiting_.clear();
}

void TrackRecorder::Push(const Estimate& settled) {
  if (resting_ || (anchor_at_ && settled.time <= *anchor_at_)) return;
  Estimate e = settled;
  e.motion = motion_;
  simplifier_.Push(e, knots_);
  AddKnots();
}

void TrackRecorder::Change(const MotionChange& change, double r68_m, const Odometer& odometer) {
  start_.reset();
  if (change.motion == Motion::kStationary) {
    Flush();  // the anchor closes the curve on one side of the change and begins it on the other
    if (motion_ != Motion::kStationary) Anchor(change, r68_m);
    resting_ = true;
  } else if (odometer.rests()) {
    start_ = Start{change, r68_m};
  } else {
    Anchor(change, r68_m);
  }
}

void TrackRecorder::Anchor(const MotionChange& change, double r68_m) {
  motion_ = change.motion;
  anchor_at_ = change.time;
  resting_ = false;
  PointRecord point;
  point.position = change.position;
  point.motion = change.motion;
  point.speed_mps = 0;
  point.r68_m = r68_m;
  Add(change.time, change.utc, point);
  Add(change.time, change.utc, MotionRecord{change.motion, change.position});
}

void TrackRecorder::Break(MonoTime at, const std::optional<UtcTime>& utc, const GapRecord& gap) {
  Flush();
  Add(at, utc, gap);
}

void TrackRecorder::Close() {
  simplifier_.Close(knots_);
  AddKnots();
}

void TrackRecorder::Flush() {
  simplifier_.Flush(knots_);
  AddKnots();
}

void TrackRecorder::Stop() {
  motion_ = Motion::kUnknown;
  anchor_at_.reset();
  resting_ = false;
  start_.reset();
}

void TrackRecorder::AddKnots() {
  for (const Estimate& k : knots_) Add(k.time, k.utc, PointOf(k));
  knots_.clear();
}

void TrackRecorder::Add(MonoTime at, const std::optional<UtcTime>& utc, RecordBody body) {
  if (!holds_) {
    ready_.push_back({at, utc, std::move(body)});
    return;
  }
  // As a snapshot keeps it.
  waiting_.push_back({at, utc, sync::Quantised({0, 0, {}, std::move(body)}).body});
  const bool unknown = motion_ == Motion::kUnknown && at - waiting_.front().at > kLongestUnknown;
  if (waiting_.size() == kMaxWaiting || unknown) Release();
}

void TrackRecorder::Save(std::vector<std::byte>& out) const {
  StateWriter w(out);
  const std::size_t block = w.BeginBlock(kTag, kVersion);
  simplifier_.Save(out);
  w.U8(static_cast<std::uint8_t>(motion_));
  w.OptTime(anchor_at_);
  w.Bool(resting_);
  w.Bool(start_.has_value());
  if (start_) {
    w.U8(static_cast<std::uint8_t>(start_->change.motion));
    w.Time(start_->change.time);
    w.OptUtc(start_->change.utc);
    w.Position(start_->change.position);
    w.F64(start_->r68_m);
  }
  w.F64(counted_m_);
  w.Bool(waits_);
  w.Bool(holds_);
  w.F64(held_from_m_);
  w.U8(static_cast<std::uint8_t>(held_motion_));
  w.U32(static_cast<std::uint32_t>(waiting_.size()));
  for (const Entry& e : waiting_) {
    w.Time(e.at);
    w.OptUtc(e.utc);
    w.SizedBytes(sync::EncodeRecord({0, 0, {}, e.body}));
  }
  w.EndBlock(block);
}

Status TrackRecorder::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  StateReader r(outer.Block(kTag, kVersion));
  TrackRecorder t = *this;
  Status status = t.simplifier_.Restore(r.NextBlock());
  t.motion_ = r.Enum<Motion>(3);
  t.anchor_at_ = r.OptTime();
  t.resting_ = r.Bool();
  t.start_.reset();
  if (r.Bool()) {
    Start start;
    start.change.motion = r.Enum<Motion>(3);
    start.change.time = r.Time();
    start.change.utc = r.OptUtc();
    start.change.position = r.Position();
    start.r68_m = r.F64();
    t.start_ = start;
  }
  t.counted_m_ = r.F64();
  t.waits_ = r.Bool();
  t.holds_ = r.Bool();
  t.held_from_m_ = r.F64();
  t.held_motion_ = r.Enum<Motion>(3);
  t.waiting_.clear();
  const std::uint32_t waiting = r.Count(kMaxWaiting);
  for (std::uint32_t i = 0; i < waiting && r.ok() && status.ok(); ++i) {
    const MonoTime at = r.Time();
    const std::optional<UtcTime> utc = r.OptUtc();
    Result<Record> record = sync::DecodeRecord(0, r.SizedBytes());
    status = record.status();
    if (status.ok()) t.waiting_.push_back({at, utc, std::move(record).value().body});
  }
  if (!status.ok()) return status;
  if (!outer.done() || !r.done() || (!t.holds_ && waiting > 0))
    return CorruptState("track recorder");
  *this = std::move(t);
  return {};
}

}  // namespace waymark
