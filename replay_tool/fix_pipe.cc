#include "replay_tool/fix_pipe.h"

#include <utility>

namespace waymark::replay {
namespace {

constexpr std::size_t kChunk = 1024;  // a wake-up of the other thread costs as much as a few fixes

}  // namespace

bool FixPipe::Push(const DeliveredFix& fix, std::uint64_t line, const TraceTimeline& timeline) {
  if (fixes_.empty() || timeline.steps() != steps_) {
    const std::lock_guard lock(mutex_);
    timeline_ = timeline;
    steps_ = timeline.steps();
  }
  fixes_.push_back(fix);
  lines_.push_back(line);
  return fixes_.size() % kChunk != 0 || Tell();
}

bool FixPipe::Tell() {
  const std::lock_guard lock(mutex_);
  told_ = fixes_.size();
  changed_.notify_one();
  return !abandoned_;
}

void FixPipe::Close(bool whole) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  whole_ = whole;
  told_ = fixes_.size();
  closed_ = true;
  changed_.notify_one();
}

std::optional<FixChunk> FixPipe::Pop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || told_ > popped_; });
  if (told_ == popped_) return std::nullopt;
  const std::size_t begin = std::exchange(popped_, told_);
  return FixChunk{fixes_.elements(begin, popped_), lines_.elements(begin, popped_), timeline_};
}

void FixPipe::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
}

}  // namespace waymark::replay
