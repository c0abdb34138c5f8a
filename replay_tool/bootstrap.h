// 95 % intervals for the figures of a track. Errors of neighbouring fixes are correlated over
// 10-100 s (reference estimation.md, finding 2), so whole blocks of 60 s are drawn, not fixes.
#ifndef WAYMARK_REPLAY_TOOL_BOOTSTRAP_H_
#define WAYMARK_REPLAY_TOOL_BOOTSTRAP_H_

#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace waymark::replay {

struct Interval {
  double low = 0;
  double high = 0;
};

/// Draws blocks with replacement; each replicate gives one weight to each block. The percentile
/// method (Efron 1979; blocks: Kuensch 1989) turns replicates into an interval.
class BlockBootstrap {
 public:
  /// `times_s` of the samples, in any order. Samples whose times fall into the same
  /// `block_s`-second slot share a block.
  BlockBootstrap(std::span<const double> times_s, std::uint64_t seed, double block_s = 60);

  std::size_t blocks() const { return block_count_; }
  /// Fewer than 3 blocks say nothing about the spread between blocks.
  bool usable() const { return block_count_ >= 3; }

  /// For each of `probabilities` the quantile of `values` (one a sample) in every replicate, in
  /// the same order of replicates, so that functions of several quantiles have intervals too.
  /// Empty when not usable().
  std::vector<std::vector<double>> QuantileReplicates(std::span<const double> values,
                                                      std::span<const double> probabilities) const;
  /// The interval of the mean of `values`.
  std::optional<Interval> Mean(std::span<const double> values) const {
    return Mean([values](std::size_t i) { return values[i]; });
  }
  /// The same of what `value` says of each sample.
  template <typename Value>
  requires std::is_invocable_r_v<double, Value, std::size_t> std::optional<Interval> Mean(
      const Value& value)
  const {
    if (!usable()) return std::nullopt;
    std::vector<double> sum(block_count_, 0), count(block_count_, 0);
    for (std::size_t i = 0; i < block_of_sample_.size(); ++i) {
      sum[block_of_sample_[i]] += value(i);
      count[block_of_sample_[i]] += 1;
    }
    return MeanOfBlocks(sum, count);
  }

  /// The central 95 % of `replicates`, which must not be empty.
  static Interval Central95(std::vector<double> replicates);

 private:
  std::optional<Interval> MeanOfBlocks(std::span<const double> sum,
                                       std::span<const double> count) const;

  std::vector<std::uint32_t> block_of_sample_;
  std::size_t block_count_ = 0;
  std::size_t replicates_ = 0;
  std::vector<std::uint16_t> weights_;  ///< replicate-major, block_count_ each
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_BOOTSTRAP_H_
