#include "sdk/sync/column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>

#include "sdk/proto/waymark.pb.h"
#include "sdk/sync/byte_io.h"

namespace waymark::sync {
namespace {

constexpr std::size_t VarintSize(std::uint64_t v) {
  // 7 bits a byte: ceil(bits / 7) for 1 to 64 bits without a division.
  return (static_cast<std::size_t>(std::bit_width(v | 1)) * 9 + 64) / 64;
}

constexpr std::size_t kRunField = 2;  // tag and length of the second list

// What a list of residuals takes as it is, and with runs.
struct Cost {
  std::size_t plain = 0, with_runs = 0;
};

// nullopt: more than `limit` either way, found early.
std::optional<Cost> Measure(std::span<const std::int64_t> residuals, std::size_t limit) {
  constexpr std::size_t kChunk = 16;
  std::size_t plain = 0, starts = 0, runs = 0;
  std::int64_t last = ~residuals[0];
  for (std::size_t at = 0; at < residuals.size();) {
    for (const std::size_t end = std::min(at + kChunk, residuals.size()); at < end; ++at) {
      const std::size_t size = VarintSize(ZigZag(residuals[at]));
      const bool begins = residuals[at] != last;
      last = residuals[at];
      plain += size;
      starts += begins ? size : 0;
      runs += begins;
    }
    if (plain > limit && starts + runs + kRunField > limit) return std::nullopt;
  }
  Cost cost{plain, starts + runs + kRunField};
  // Lengths of 128 and more take another byte or two.
  if (cost.with_runs > std::min(plain, limit) || residuals.size() < 128) return cost;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= residuals.size(); ++i) {
    if (i < residuals.size() && residuals[i] == residuals[begin]) continue;
    cost.with_runs += VarintSize(i - begin) - 1;
    begin = i;
  }
  return cost;
}

// out[i] = in[i] - in[i - 1], modulo 2^64.
void Difference(std::span<const std::int64_t> in, std::vector<std::int64_t>& out) {
  out.resize(in.size());
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const auto v = static_cast<std::uint64_t>(in[i]);
    out[i] = static_cast<std::int64_t>(v - before);
    before = v;
  }
}

}  // namespace

void ColumnEncoder::Encode(std::span<const std::int64_t> values, wire::v1::Column& column) {
  if (values.empty()) return;
  Difference(values, differences_[0]);
  Difference(differences_[0], differences_[1]);
  const std::array<std::span<const std::int64_t>, kOrders> residuals = {values, differences_[0],
                                                                        differences_[1]};
  // The lowest order, and no runs, where sizes are equal.
  std::size_t best_size = SIZE_MAX;
  std::uint32_t best_order = 0;
  bool best_runs = false;
  // The first differences are seldom far from the best, so the others are given up on early.
  for (const std::uint32_t order : {1u, 0u, 2u}) {
    const std::optional<Cost> cost = Measure(residuals[order], best_size);
    if (!cost) continue;
    const bool runs = cost->with_runs < cost->plain;
    const std::size_t size = runs ? cost->with_runs : cost->plain;
    if (size > best_size || (size == best_size && order > best_order)) continue;
    best_size = size, best_order = order, best_runs = runs;
  }
  const std::span<const std::int64_t> best = residuals[best_order];
  column.set_order(best_order);
  auto& out = *column.mutable_value();
  if (!best_runs) {
    out.Add(best.begin(), best.end());
    return;
  }
  auto& runs = *column.mutable_run();
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= best.size(); ++i) {
    if (i < best.size() && best[i] == best[begin]) continue;
    out.Add(best[begin]);
    runs.Add(static_cast<std::uint32_t>(i - begin));
    begin = i;
  }
}

bool DecodeColumn(const wire::v1::Column& column, std::size_t max_count,
                  std::vector<std::int64_t>& values) {
  values.clear();
  if (column.order() >= kOrders) return false;
  const auto& residuals = column.value();
  const auto& runs = column.run();
  const bool has_runs = !runs.empty();
  if (has_runs && runs.size() != residuals.size()) return false;
  std::size_t count = static_cast<std::size_t>(residuals.size());
  if (has_runs) {
    count = 0;
    for (const std::uint32_t run : runs) {
      if (run == 0 || run > max_count - count) return false;
      count += run;
    }
  }
  if (count > max_count) return false;
  values.reserve(count);
  std::uint64_t value = 0, slope = 0;
  for (int i = 0; i < residuals.size(); ++i) {
    const auto residual = static_cast<std::uint64_t>(residuals.Get(i));
    const std::uint32_t repeat = has_runs ? runs.Get(i) : 1;
    for (std::uint32_t k = 0; k < repeat; ++k) {
      switch (column.order()) {
        case 0:
          value = residual;
          break;
        case 1:
          value += residual;
          break;
        default:
          slope += residual;
          value += slope;
      }
      values.push_back(static_cast<std::int64_t>(value));
    }
  }
  return true;
}

}  // namespace waymark::sync
