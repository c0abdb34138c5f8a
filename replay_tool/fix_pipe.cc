#include "replay_tool/fix_pipe.h"

#include <utility>

namespace waymark::replay {
namespace {

constexpr std::size_t kChunk = 1024;  // a wake-up of the other thread costs as much as a few fixes

}  // namespace

bool FixPipe::Push(const DeliveredFix& fix, std::uint64_t line, const TraceTimeline& timeline) {
  if (filling_.fixes.empty()) {
    filling_.fixes.reserve(kChunk);
    filling_.lines.reserve(kChunk);
    filling_.timeline = timeline;
  }
  filling_.fixes.push_back(fix);
  filling_.lines.push_back(line);
  return filling_.fixes.size() < kChunk || Send();
}

bool FixPipe::Send() {
  const std::lock_guard lock(mutex_);
  full_.push_back(std::exchange(filling_, {}));
  changed_.notify_one();
  return !abandoned_;
}

void FixPipe::Close() {
  if (!filling_.fixes.empty()) Send();
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_one();
}

std::optional<FixChunk> FixPipe::Pop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !full_.empty(); });
  if (full_.empty()) return std::nullopt;
  FixChunk chunk = std::move(full_.front());
  full_.pop_front();
  return chunk;
}

void FixPipe::Abandon() {
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
}

}  // namespace waymark::replay
