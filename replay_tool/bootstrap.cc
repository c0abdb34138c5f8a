#include "replay_tool/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "replay_tool/random.h"

namespace waymark::replay {
namespace {

// Enough for the 2.5 % tails to stand on 10 replicates; the interval's own error is then below a
// tenth of its width.
constexpr std::size_t kReplicates = 400;
// A quantile of a replicate is one pass over the sorted samples. Within a block the errors are
// nearly one, so a long trace is thinned for the interval (never for the figure itself).
constexpr std::size_t kMaxSamples = 25'000;
// Bounds the weights of a trace of more than 33 hours; longer blocks only make the interval more
// careful.
constexpr std::size_t kMaxBlocks = 2'000;

}  // namespace

BlockBootstrap::BlockBootstrap(std::span<const double> times_s, std::uint64_t seed,
                               double block_s) {
  if (times_s.empty()) return;
  const auto [first, last] = std::minmax_element(times_s.begin(), times_s.end());
  const double span_s = *last - *first;
  const double length_s = std::max(block_s, span_s / static_cast<double>(kMaxBlocks - 1));
  // Slots without samples (gaps, sleeping phones) are no blocks: number the used ones.
  const auto slots = static_cast<std::size_t>(span_s / length_s) + 1;
  constexpr std::uint32_t kUnused = 0xffffffffU;
  std::vector<std::uint32_t> number(slots, kUnused);
  std::vector<std::uint32_t> slot_of_sample(times_s.size());
  for (std::size_t i = 0; i < times_s.size(); ++i) {
    const auto slot =
        std::min(slots - 1, static_cast<std::size_t>((times_s[i] - *first) / length_s));
    slot_of_sample[i] = static_cast<std::uint32_t>(slot);
    number[slot] = 0;
  }
  std::uint32_t used = 0;
  for (std::uint32_t& n : number) {
    if (n != kUnused) n = used++;
  }
  block_count_ = used;
  block_of_sample_.resize(times_s.size());
  for (std::size_t i = 0; i < times_s.size(); ++i) block_of_sample_[i] = number[slot_of_sample[i]];
  if (!usable()) return;

  replicates_ = kReplicates;
  weights_.assign(replicates_ * block_count_, 0);
  Random random(seed, "bootstrap");
  for (std::size_t r = 0; r < replicates_; ++r) {
    std::uint16_t* w = &weights_[r * block_count_];
    for (std::size_t b = 0; b < block_count_; ++b) ++w[random.Index(block_count_)];
  }
}

Interval BlockBootstrap::Central95(std::vector<double> replicates) {
  std::sort(replicates.begin(), replicates.end());
  const auto at = [&](double p) {
    const double rank = p * static_cast<double>(replicates.size() - 1);
    const auto i = static_cast<std::size_t>(rank);
    const std::size_t j = std::min(i + 1, replicates.size() - 1);
    return replicates[i] + (rank - static_cast<double>(i)) * (replicates[j] - replicates[i]);
  };
  return {at(0.025), at(0.975)};
}

std::vector<std::vector<double>> BlockBootstrap::QuantileReplicates(
    std::span<const double> values, std::span<const double> probabilities) const {
  if (!usable() || values.empty()) return {};
  const std::size_t step = (values.size() + kMaxSamples - 1) / kMaxSamples;
  std::vector<std::uint32_t> order;
  order.reserve(values.size() / step + 1);
  for (std::size_t i = 0; i < values.size(); i += step) {
    order.push_back(static_cast<std::uint32_t>(i));
  }
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return values[a] < values[b]; });
  std::vector<std::uint32_t> block(order.size());
  std::vector<std::uint32_t> samples_in_block(block_count_, 0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    block[i] = block_of_sample_[order[i]];
    ++samples_in_block[block[i]];
  }

  std::vector<std::size_t> by_rank(probabilities.size());
  std::iota(by_rank.begin(), by_rank.end(), std::size_t{0});
  std::sort(by_rank.begin(), by_rank.end(),
            [&](std::size_t a, std::size_t b) { return probabilities[a] < probabilities[b]; });

  std::vector<std::vector<double>> replicates(probabilities.size());
  for (std::size_t r = 0; r < replicates_; ++r) {
    const std::uint16_t* w = &weights_[r * block_count_];
    std::uint64_t total = 0;
    for (std::size_t b = 0; b < block_count_; ++b) {
      total += std::uint64_t{w[b]} * samples_in_block[b];
    }
    if (total == 0) continue;
    // One pass gives all quantiles: the first sample whose cumulative weight exceeds the rank.
    std::uint64_t cumulative = 0;
    std::size_t i = 0;
    for (const std::size_t k : by_rank) {
      const auto rank =
          static_cast<std::uint64_t>(probabilities[k] * static_cast<double>(total - 1));
      while (i < order.size() && cumulative + w[block[i]] <= rank) cumulative += w[block[i++]];
      replicates[k].push_back(values[order[std::min(i, order.size() - 1)]]);
    }
  }
  return replicates;
}

std::optional<Interval> BlockBootstrap::MeanOfBlocks(std::span<const double> sum,
                                                     std::span<const double> count) const {
  std::vector<double> replicates;
  for (std::size_t r = 0; r < replicates_; ++r) {
    const std::uint16_t* w = &weights_[r * block_count_];
    double s = 0, n = 0;
    for (std::size_t b = 0; b < block_count_; ++b) {
      s += w[b] * sum[b];
      n += w[b] * count[b];
    }
    if (n > 0) replicates.push_back(s / n);
  }
  if (replicates.empty()) return std::nullopt;
  return Central95(std::move(replicates));
}

}  // namespace waymark::replay
