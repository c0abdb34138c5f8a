#include "waymark/estimator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "filters/estimator_impl.h"
#include "filters/state_bytes.h"

namespace waymark {
namespace {

constexpr std::uint32_t kTag = 0x45535449;  // "ESTI"
constexpr std::uint16_t kVersion = 10;

void Take(const Intake& intake, Observation& o) {
  const Fix& f = intake.fix;
  o.time = f.time;
  o.position = f.position;
  o.accuracy_m = intake.accuracy_m;
  o.accuracy_reported = f.horizontal_accuracy_m.has_value();
  o.speed_mps = f.speed_mps;
  o.speed_accuracy_mps = f.speed_accuracy_mps;
  o.course_deg = f.course_deg;
  o.course_accuracy_deg = f.course_accuracy_deg;
  o.altitude_m = f.altitude_m;
  o.vertical_accuracy_m = f.vertical_accuracy_m;
  o.source = f.source;
}

// The verdict that tells more: the filter's where it has something to say, else the intake's.
Verdict Join(const Verdict& intake, const Verdict& filter) {
  return filter.reason != Reason::kNone ? filter : intake;
}

}  // namespace

Estimator::Impl::Done& Estimator::Impl::PushDone() {
  if (done_count == kSteps) {
    done_begin = (done_begin + 1) % kSteps;
    --done_count;
  }
  return At(done_count++);
}

Verdict Estimator::Impl::Apply(const Observation& o, const std::optional<UtcTime>& utc) {
  Done& d = PushDone();
  d.o = o;
  d.utc = utc;
  d.before = filter;
  const NoiseMonitor& monitor = monitors[static_cast<std::size_t>(o.source)];
  const bool learn = tuning.learn_noise != 0;
  const NoiseMonitor::Level level = learn ? monitor.level() : NoiseMonitor::Level{};
  if (!filter.started()) {
    filter.Start(o, level, tuning);
    d.verdict = {};
  } else {
    d.verdict = filter.Step(o, level, learn ? monitor.jitter_m() : std::nullopt, tuning);
  }
  return d.verdict;
}

void Estimator::Impl::Learn(const Observation& o) {
  if (filter.reanchored()) {
    for (NoiseMonitor& m : monitors) m.Break();
  }
  const double sigma_m = o.accuracy_m / kR68PerSigma;
  const std::optional<Vec2> v =
      filter.inferred_velocity() ? std::nullopt : filter.measured_velocity();
  monitors[static_cast<std::size_t>(o.source)].Add(o.time, filter.measured_position(), v,
                                                   sigma_m * sigma_m);
}

Verdict Estimator::Impl::ApplyLate(const Observation& o, const std::optional<UtcTime>& utc) {
  std::size_t first = done_count;
  while (first > 0 && At(first - 1).o.time > o.time) --first;
  if (first == done_count) return Apply(o, utc);
  if (first == 0 && done_count == kSteps) {  // the ring does not reach back that far
    return {Disposition::kRejected, Reason::kLate, Seconds(newest - o.time),
            Seconds(newest - At(0).o.time)};
  }
  // One place is made for it; the steps after it are then taken again.
  const std::size_t again = done_count - first;
  std::array<std::pair<Observation, std::optional<UtcTime>>, kSteps> later;
  for (std::size_t i = 0; i < again; ++i) later[i] = {At(first + i).o, At(first + i).utc};
  filter = At(first).before;
  done_count = first;
  const Verdict verdict = Apply(o, utc);
  for (std::size_t i = 0; i < again; ++i) Apply(later[i].first, later[i].second);
  return verdict;
}

Verdict Estimator::Impl::ReplaceNewest(const Observation& o, const std::optional<UtcTime>& utc) {
  if (done_count == 0) return Apply(o, utc);
  filter = At(done_count - 1).before;
  --done_count;
  return Apply(o, utc);
}

Verdict Estimator::Impl::Update(const Fix& fix, const Stamp& arrival) {
  const Intake intake = validator.Judge(fix, arrival, [&](MonoTime time) { return Predict(time); });
  last_action = intake.action;
  if (intake.action == IntakeAction::kDrop) {
    // The estimate follows the newest time that makes sense; a rejected fix gets the prediction.
    if (intake.verdict.reason != Reason::kDuplicate && intake.verdict.reason != Reason::kFuture &&
        filter.started() && intake.fix.time > newest &&
        intake.fix.time - arrival.mono < std::chrono::seconds(2)) {
      newest = intake.fix.time;
      if (intake.fix.utc) {
        newest_utc = intake.fix.utc;
        newest_utc_time = newest;
      }
    }
    return intake.verdict;
  }
  const bool first_ever = !filter.started();
  Observation& o = last_observation;
  Take(intake, o);
  Verdict verdict;
  if (intake.restart && filter.started() && o.time >= filter.time()) {
    Done& d = PushDone();
    d.o = o;
    d.utc = intake.fix.utc;
    d.before = filter;
    filter.Start(o, monitors[static_cast<std::size_t>(o.source)].level(), tuning);
    d.verdict = intake.verdict;
  } else if (intake.action == IntakeAction::kInsertLate) {
    verdict = ApplyLate(o, intake.fix.utc);
  } else if (intake.action == IntakeAction::kMergeNewest) {
    verdict = ReplaceNewest(o, intake.fix.utc);
  } else {
    verdict = Apply(o, intake.fix.utc);
    Learn(o);
  }
  verdict = Join(intake.verdict, verdict);
  if (o.time >= newest || first_ever) {
    newest = o.time;
    if (intake.fix.utc) {
      newest_utc = intake.fix.utc;
      newest_utc_time = o.time;
    }
  }
  validator.Commit(intake, verdict);
  return verdict;
}

std::optional<Estimate> Estimator::Impl::Predict(MonoTime time) const {
  std::optional<Estimate> out;
  if (!filter.started() || time < filter.last_used() ||
      time - filter.last_used() > options.max_coast) {
    return out;
  }
  Estimate& e = out.emplace();
  filter.At(time, tuning, e);
  if (newest_utc) {
    e.utc = *newest_utc + std::chrono::round<std::chrono::milliseconds>(time - newest_utc_time);
  }
  return out;
}

Result<Estimator> Estimator::Create(const EstimatorOptions& o) {
  const auto bad = [](const char* what) {
    return Status(Code::kInvalidArgument, std::string("EstimatorOptions: ") + what);
  };
  if (!(o.max_accuracy_m > 0) || !std::isfinite(o.max_accuracy_m)) {
    return bad("max_accuracy_m must be > 0");
  }
  if (!(o.default_accuracy_m > 0) || !std::isfinite(o.default_accuracy_m)) {
    return bad("default_accuracy_m must be > 0");
  }
  if (!(o.max_speed_mps > 0) || !std::isfinite(o.max_speed_mps)) {
    return bad("max_speed_mps must be > 0");
  }
  if (o.reorder_window < Duration::zero() || o.reorder_window > std::chrono::seconds(10)) {
    return bad("reorder_window must be in [0, 10] s");
  }
  if (o.max_coast <= Duration::zero()) return bad("max_coast must be > 0");
  return Estimator(std::make_unique<Impl>(o));
}

Estimator::Estimator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Estimator::Estimator(Estimator&&) noexcept = default;
Estimator& Estimator::operator=(Estimator&&) noexcept = default;
Estimator::Estimator(const Estimator& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Estimator& Estimator::operator=(const Estimator& other) {
  if (this != &other) impl_ = std::make_unique<Impl>(*other.impl_);
  return *this;
}
Estimator::~Estimator() = default;

Verdict Estimator::Update(const Fix& fix, const Stamp& arrival) {
  const Verdict verdict = impl_->Update(fix, arrival);
  impl_->in_order = std::max(impl_->in_order, std::min(impl_->newest, impl_->filter.last_used()));
  return verdict;
}

void Estimator::Observe(const MotionSample& sample) { impl_->filter.Hint(sample); }

std::optional<Estimate> Estimator::Latest() const {
  const MonoTime time = std::max(impl_->newest, impl_->filter.last_used());
  return impl_->Predict(time);
}

Fix Estimator::Heard(const Fix& fix) const {
  Fix heard = fix;
  const bool rests = fix.speed_mps == 0;
  if (rests ? impl_->filter.DeniesRest(impl_->tuning) : impl_->filter.velocity_denied()) {
    heard.speed_mps.reset();
    heard.course_deg.reset();
  }
  return heard;
}

std::optional<Estimate> Estimator::Predict(MonoTime time) const { return impl_->Predict(time); }

void Estimator::Save(std::vector<std::byte>& out) const {
  StateWriter w(out);
  const std::size_t mark = w.BeginBlock(kTag, kVersion);
  impl_->validator.Save(out);
  impl_->filter.Save(w);
  for (const NoiseMonitor& m : impl_->monitors) m.Save(w);
  w.Time(impl_->newest);
  w.OptUtc(impl_->newest_utc);
  w.Time(impl_->newest_utc_time);
  w.Time(impl_->in_order);
  // Only the steps that a late fix, or another report of the newest epoch, may still need. Fixes
  // held in a second hypothesis do not move the window on.
  std::size_t first = impl_->done_count;
  while (first > 0 &&
         (first == impl_->done_count ||
          impl_->in_order - impl_->At(first - 1).o.time <= impl_->options.reorder_window)) {
    --first;
  }
  w.U32(static_cast<std::uint32_t>(impl_->done_count - first));
  for (std::size_t i = first; i < impl_->done_count; ++i) {
    const Impl::Done& d = impl_->At(i);
    w.Time(d.o.time);
    w.Position(d.o.position);
    w.F64(d.o.accuracy_m);
    w.Bool(d.o.accuracy_reported);
    w.OptF64(d.o.speed_mps);
    w.OptF64(d.o.speed_accuracy_mps);
    w.OptF64(d.o.course_deg);
    w.OptF64(d.o.course_accuracy_deg);
    w.OptF64(d.o.altitude_m);
    w.OptF64(d.o.vertical_accuracy_m);
    w.U8(static_cast<std::uint8_t>(d.o.source));
    w.OptUtc(d.utc);
    w.U8(static_cast<std::uint8_t>(d.verdict.disposition));
    w.U8(static_cast<std::uint8_t>(d.verdict.reason));
    w.F64(d.verdict.value);
    w.F64(d.verdict.limit);
    d.before.Save(w);
  }
  w.U64(Checksum(std::span(out).subspan(mark + 4)));
  w.EndBlock(mark);
}

Status Estimator::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  const std::span<const std::byte> block = outer.Block(kTag, kVersion);
  if (!outer.done() || !ChecksumHolds(block)) return CorruptState("estimator");
  StateReader r(block.first(block.size() - 8));
  auto next = std::make_unique<Impl>(impl_->options);
  next->tuning = impl_->tuning;
  if (!next->validator.Restore(r.NextBlock()).ok()) return CorruptState("estimator");
  next->filter.Load(r);
  for (NoiseMonitor& m : next->monitors) m.Load(r);
  next->newest = r.Time();
  next->newest_utc = r.OptUtc();
  next->newest_utc_time = r.Time();
  next->in_order = r.Time();
  next->done_count = r.Count(Impl::kSteps);
  for (std::size_t i = 0; i < next->done_count && r.ok(); ++i) {
    Impl::Done& d = next->done[i];
    d.o.time = r.Time();
    d.o.position = r.Position();
    d.o.accuracy_m = r.F64();
    d.o.accuracy_reported = r.Bool();
    d.o.speed_mps = r.OptF64();
    d.o.speed_accuracy_mps = r.OptF64();
    d.o.course_deg = r.OptF64();
    d.o.course_accuracy_deg = r.OptF64();
    d.o.altitude_m = r.OptF64();
    d.o.vertical_accuracy_m = r.OptF64();
    d.o.source = r.Enum<FixSource>(Impl::kSources);
    d.utc = r.OptUtc();
    d.verdict.disposition = r.Enum<Disposition>(4);
    d.verdict.reason = r.Enum<Reason>(18);
    d.verdict.value = r.F64();
    d.verdict.limit = r.F64();
    d.before.Load(r);
  }
  if (!r.done()) return CorruptState("estimator");
  impl_ = std::move(next);
  return {};
}

}  // namespace waymark
