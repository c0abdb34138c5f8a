// Fixed-lag smoothing: the filter's combined states are kept for the lag; when one is due, the RTS
// recursion (axis_smoother.h) runs from the newest state back to it. The mixture of motion models
// is smoothed as its mean, with the process noise that the mode probabilities average to.
#include "waymark/smoother.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "filters/axis_smoother.h"
#include "filters/estimator_impl.h"
#include "filters/state_bytes.h"
#include "filters/track_filter.h"

namespace waymark {
namespace {

constexpr std::uint32_t kTag = 0x464c4147;  // "FLAG"
constexpr std::uint16_t kVersion = 3;
constexpr FilterTuning kTuning{};

}  // namespace

struct FixedLagSmoother::Impl {
  // 60 s at 4 Hz, or 10 s at 25 Hz. A faster stream is settled earlier, never lost.
  static constexpr std::size_t kKnots = 256;

  struct Knot {
    TrackFilter filter;  ///< after the fix
    std::optional<UtcTime> utc;
    bool joined = false;  ///< the next knot stands in the same frame, and `back` leads back from it
    StepBack back;
  };

  explicit Impl(Duration l) : lag(l), ring(kKnots) {}

  Duration lag;
  std::vector<Knot> ring;
  std::size_t begin = 0, count = 0;
  MonoTime settled_to = MonoTime::min();

  Knot& At(std::size_t i) { return ring[(begin + i) % kKnots]; }
  const Knot& At(std::size_t i) const { return ring[(begin + i) % kKnots]; }

  /// How to come back to the last knot but one. It is asked for again with each fix of the lag.
  void JoinNewest() {
    if (count < 2) return;
    Knot& k = At(count - 2);
    const TrackFilter &f = k.filter, &g = At(count - 1).filter;
    k.joined = g.SameFrame(f);
    if (!k.joined) return;
    const double dt_s = Seconds(g.time() - f.time());
    const GmStep gm = g.fresh_error() ? GmStep{0, g.noise().gm_var_m2} : StepGm(g.noise(), dt_s);
    k.back = PrepareBack(f.combined(), dt_s, g.q(kTuning), gm.phi, gm.q_m2);
  }

  /// Settles the knots that are not newer than `due`.
  void Settle(MonoTime due, std::vector<Estimate>& settled) {
    std::size_t n = 0;
    while (n < count && At(n).filter.time() <= due) ++n;
    SettleFirst(n, settled);
  }

  void SettleFirst(std::size_t n, std::vector<Estimate>& settled) {
    if (n == 0) return;
    const std::size_t at = settled.size();
    settled.resize(at + n);
    const bool doubtful = At(count - 1).filter.unsettled();
    AxisState next;  // smoothed
    for (std::size_t i = count; i-- > 0;) {
      const Knot& k = At(i);
      const bool joined = i + 1 < count && k.joined;
      next = joined ? SmoothBack(k.filter.combined(), k.back, next) : k.filter.combined();
      if (i >= n) continue;
      k.filter.Describe(next, k.filter.time(), settled[at + i]);
      if (doubtful) k.filter.Doubt(settled[at + i]);
      settled[at + i].utc = k.utc;
    }
    settled_to = At(n - 1).filter.time();
    begin = (begin + n) % kKnots;
    count -= n;
  }
};

FixedLagSmoother::FixedLagSmoother(Duration lag)
    : impl_(std::make_unique<Impl>(
          std::clamp(lag, Duration::zero(), Duration(std::chrono::seconds(60))))) {}
FixedLagSmoother::FixedLagSmoother(FixedLagSmoother&&) noexcept = default;
FixedLagSmoother& FixedLagSmoother::operator=(FixedLagSmoother&&) noexcept = default;
FixedLagSmoother::FixedLagSmoother(const FixedLagSmoother& o)
    : impl_(std::make_unique<Impl>(*o.impl_)) {}
FixedLagSmoother& FixedLagSmoother::operator=(const FixedLagSmoother& o) {
  if (this != &o) impl_ = std::make_unique<Impl>(*o.impl_);
  return *this;
}
FixedLagSmoother::~FixedLagSmoother() = default;

void FixedLagSmoother::Push(const Estimator& estimator, std::vector<Estimate>& settled) {
  const Estimator::Impl& e = *estimator.impl_;
  if (e.done_count == 0) return;
  Impl& s = *impl_;
  // A late or merged fix changed the steps from its place on: take those again.
  std::size_t first = e.done_count - 1;
  if (e.last_action != IntakeAction::kUse) {
    while (first > 0 && e.At(first).o.time > e.last_observation.time) --first;
  }
  while (s.count > 0 && s.At(s.count - 1).filter.time() >= e.At(first).o.time) --s.count;
  for (std::size_t i = first; i < e.done_count; ++i) {
    if (!e.At(i).verdict.used() || e.At(i).o.time <= s.settled_to) continue;
    if (s.count == Impl::kKnots) s.SettleFirst(1, settled);
    Impl::Knot& k = s.ring[(s.begin + s.count++) % Impl::kKnots];
    k.filter = i + 1 < e.done_count ? e.At(i + 1).before : e.filter;
    k.utc = e.At(i).utc;
    s.JoinNewest();
  }
  s.Settle(e.filter.time() - s.lag, settled);
}

void FixedLagSmoother::Flush(std::vector<Estimate>& settled) {
  impl_->SettleFirst(impl_->count, settled);
}

void FixedLagSmoother::Advance(MonoTime now, std::vector<Estimate>& settled) {
  impl_->Settle(now - impl_->lag, settled);
}

std::optional<MonoTime> FixedLagSmoother::NextDeadline() const {
  if (impl_->count == 0) return std::nullopt;
  return impl_->At(0).filter.time() + impl_->lag;
}

void FixedLagSmoother::Save(std::vector<std::byte>& out) const {
  StateWriter w(out);
  const std::size_t mark = w.BeginBlock(kTag, kVersion);
  w.I64(impl_->lag.count());
  w.I64(impl_->settled_to.time_since_epoch().count());
  w.U32(static_cast<std::uint32_t>(impl_->count));
  for (std::size_t i = 0; i < impl_->count; ++i) {
    impl_->At(i).filter.Save(w);
    w.OptUtc(impl_->At(i).utc);
  }
  w.U64(Checksum(std::span(out).subspan(mark + 4)));
  w.EndBlock(mark);
}

Status FixedLagSmoother::Restore(std::span<const std::byte> image) {
  StateReader outer(image);
  const std::span<const std::byte> block = outer.Block(kTag, kVersion);
  if (!outer.done() || !ChecksumHolds(block)) return CorruptState("smoother");
  StateReader r(block.first(block.size() - 8));
  const std::int64_t lag_ns = r.I64();
  if (lag_ns < 0 || lag_ns > 60'000'000'000) return CorruptState("smoother");
  auto next = std::make_unique<Impl>(Duration(lag_ns));
  next->settled_to = MonoTime(Duration(r.I64()));
  const std::uint32_t count = r.Count(Impl::kKnots);
  for (std::uint32_t i = 0; i < count && r.ok(); ++i) {
    next->ring[i].filter.Load(r);
    next->ring[i].utc = r.OptUtc();
    ++next->count;
    next->JoinNewest();
  }
  if (!r.done()) return CorruptState("smoother");
  impl_ = std::move(next);
  return {};
}

}  // namespace waymark
