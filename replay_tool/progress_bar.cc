#include "replay_tool/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace waymark::replay {
namespace {

constexpr int kWidth = 30;

}  // namespace

ProgressBar::ProgressBar(const std::string& mode, std::string label)
    : enabled_(mode == "always" || (mode == "auto" && isatty(STDERR_FILENO) == 1)),
      label_(std::move(label)),
      next_(mode == "always" ? start_ : start_ + std::chrono::seconds(1)) {}

ProgressBar::~ProgressBar() { Clear(); }

void ProgressBar::Show(double share) {
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(200);
  shown_ = true;
  const double clamped = std::clamp(share, 0., 1.);
  const int filled = static_cast<int>(clamped * kWidth);
  const std::string line = fmt::format(
      "\r{} [{}{}] {:3.0f} %", label_, std::string(static_cast<std::size_t>(filled), '#'),
      std::string(static_cast<std::size_t>(kWidth - filled), '.'), clamped * 100);
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

void ProgressBar::Clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace waymark::replay
