#include "replay_tool/stop_metrics.h"

#include <algorithm>
#include <cmath>

#include "replay_tool/accuracy.h"

namespace waymark::replay {
namespace {

constexpr double kMinIou = 0.5;  // issue 3; the usual threshold of interval detection

double OverlapS(const Span& a, const Span& b) {
  const std::int64_t begin = std::max(a.begin_ms, b.begin_ms);
  const std::int64_t end = std::min(a.end_ms, b.end_ms);
  return end > begin ? Span{begin, end}.seconds() : 0;
}

double Iou(const Span& a, const Span& b) {
  const double overlap = OverlapS(a, b);
  const double all = a.seconds() + b.seconds() - overlap;
  return all > 0 ? overlap / all : 0;
}

// The index of the best match of `span` among disjoint, sorted spans. At 0.5 two candidates can
// tie; the first is taken.
std::optional<std::size_t> BestMatch(const Span& span, std::span<const Span> candidates) {
  auto it = std::partition_point(candidates.begin(), candidates.end(),
                                 [&](const Span& c) { return c.end_ms <= span.begin_ms; });
  std::optional<std::size_t> best;
  double best_iou = kMinIou;
  for (; it != candidates.end() && it->begin_ms < span.end_ms; ++it) {
    const double iou = Iou(span, *it);
    if (iou > best_iou || (!best && iou == best_iou)) {
      best_iou = iou;
      best = static_cast<std::size_t>(it - candidates.begin());
    }
  }
  return best;
}

std::optional<double> MedianOf(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  return Quantile(values, 0.5);
}

}  // namespace

LabelSpans SpansOf(std::vector<Label> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const Label& a, const Label& b) { return a.utc_ms < b.utc_ms; });
  LabelSpans spans;
  const auto extend = [](std::vector<Span>& list, std::int64_t begin, std::int64_t end) {
    if (!list.empty() && list.back().end_ms == begin) {
      list.back().end_ms = end;
    } else {
      list.push_back({begin, end});
    }
  };
  for (std::size_t i = 0; i + 1 < labels.size(); ++i) {
    const Label& a = labels[i];
    const std::int64_t end = labels[i + 1].utc_ms;
    if (!a.stationary || end == a.utc_ms) continue;
    extend(spans.known, a.utc_ms, end);
    if (*a.stationary) extend(spans.stationary, a.utc_ms, end);
  }
  return spans;
}

std::optional<StopSummary> CompareStops(std::span<const DetectedStop> detected,
                                        const LabelSpans& labels, double min_reference_s) {
  StopSummary s;
  const auto counts = [&](const Span& reference) { return reference.seconds() >= min_reference_s; };
  std::vector<bool> is_found(labels.stationary.size(), false);
  std::vector<double> start_latency, end_latency, start_error, end_error;
  for (const DetectedStop& stop : detected) {
    double judged_s = 0;
    for (const Span& known : labels.known) judged_s += OverlapS(stop.span, known);
    if (judged_s <= stop.span.seconds() / 2) continue;
    const std::optional<std::size_t> match = BestMatch(stop.span, labels.stationary);
    if (match && !counts(labels.stationary[*match])) {
      ++s.short_stops;
      continue;
    }
    ++s.detected;
    if (!match || is_found[*match]) continue;
    is_found[*match] = true;
    ++s.matched;
    const Span& reference = labels.stationary[*match];
    start_error.push_back(std::abs(Span{reference.begin_ms, stop.span.begin_ms}.seconds()));
    end_error.push_back(std::abs(Span{reference.end_ms, stop.span.end_ms}.seconds()));
    if (stop.begin_decided_ms) {
      start_latency.push_back(Span{reference.begin_ms, *stop.begin_decided_ms}.seconds());
    }
    if (stop.end_decided_ms) {
      end_latency.push_back(Span{reference.end_ms, *stop.end_decided_ms}.seconds());
    }
  }
  s.reference = static_cast<std::size_t>(
      std::count_if(labels.stationary.begin(), labels.stationary.end(), counts));
  if (s.reference == 0 && s.detected == 0) return std::nullopt;
  const auto share = [](std::size_t part, std::size_t all) -> std::optional<double> {
    if (all == 0) return std::nullopt;
    return static_cast<double>(part) / static_cast<double>(all);
  };
  s.precision = share(s.matched, s.detected);
  s.recall = share(s.matched, s.reference);
  const double sum = s.precision.value_or(0) + s.recall.value_or(0);
  if (sum > 0) s.f1 = 2 * s.precision.value_or(0) * s.recall.value_or(0) / sum;
  s.start_latency_p50_s = MedianOf(std::move(start_latency));
  s.end_latency_p50_s = MedianOf(std::move(end_latency));
  s.start_error_p50_s = MedianOf(std::move(start_error));
  s.end_error_p50_s = MedianOf(std::move(end_error));
  return s;
}

}  // namespace waymark::replay
