#include "sdk/sync/column.h"

#include <array>
#include <bit>

#include "sdk/proto/waymark.pb.h"
#include "sdk/sync/byte_io.h"

namespace waymark::sync {
namespace {

constexpr std::size_t kOrders = 3;

constexpr std::size_t VarintSize(std::uint64_t v) {
  // 7 bits a byte: ceil(bits / 7) for 1 to 64 bits without a division.
  return (static_cast<std::size_t>(std::bit_width(v | 1)) * 9 + 64) / 64;
}

// The three residuals of v[i], from the two values before it.
struct Differences {
  std::uint64_t previous = 0, before = 0;

  std::array<std::int64_t, kOrders> Next(std::int64_t value) {
    const auto v = static_cast<std::uint64_t>(value);
    const std::uint64_t first = v - previous;
    const std::uint64_t second = first - (previous - before);
    before = previous;
    previous = v;
    return {value, static_cast<std::int64_t>(first), static_cast<std::int64_t>(second)};
  }
};

struct Plan {
  std::uint32_t order = 0;
  bool runs = false;
};

Plan ShortestPlan(std::span<const std::int64_t> values) {
  std::array<std::size_t, kOrders> plain{}, with_runs{}, run{};
  std::array<std::int64_t, kOrders> last{};
  Differences differences;
  for (const std::int64_t v : values) {
    const auto residuals = differences.Next(v);
    for (std::size_t k = 0; k < kOrders; ++k) {
      const std::size_t size = VarintSize(ZigZag(residuals[k]));
      plain[k] += size;
      if (run[k] > 0 && residuals[k] == last[k]) {
        ++run[k];
        continue;
      }
      if (run[k] > 0) with_runs[k] += VarintSize(run[k]);
      with_runs[k] += size;
      run[k] = 1;
      last[k] = residuals[k];
    }
  }
  Plan best;
  std::size_t best_size = plain[0] + 1;
  for (std::size_t k = 0; k < kOrders; ++k) {
    constexpr std::size_t kRunField = 2;  // tag and length of the second list
    with_runs[k] += VarintSize(run[k]) + kRunField;
    if (plain[k] < best_size) best = {static_cast<std::uint32_t>(k), false}, best_size = plain[k];
    if (with_runs[k] < best_size) {
      best = {static_cast<std::uint32_t>(k), true}, best_size = with_runs[k];
    }
  }
  return best;
}

}  // namespace

void EncodeColumn(std::span<const std::int64_t> values, wire::v1::Column& column) {
  if (values.empty()) return;
  const Plan plan = ShortestPlan(values);
  column.set_order(plan.order);
  auto& out = *column.mutable_value();
  Differences differences;
  if (!plan.runs) {
    out.Reserve(static_cast<int>(values.size()));
    for (const std::int64_t v : values) out.AddAlreadyReserved(differences.Next(v)[plan.order]);
    return;
  }
  auto& runs = *column.mutable_run();
  for (const std::int64_t v : values) {
    const std::int64_t residual = differences.Next(v)[plan.order];
    if (!out.empty() && out.Get(out.size() - 1) == residual) {
      ++*runs.Mutable(runs.size() - 1);
    } else {
      out.Add(residual);
      runs.Add(1);
    }
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
