// A progress bar on standard error for work that takes over a second.
#ifndef WAYMARK_REPLAY_TOOL_PROGRESS_BAR_H_
#define WAYMARK_REPLAY_TOOL_PROGRESS_BAR_H_

#include <chrono>
#include <string>

namespace waymark::replay {

class ProgressBar {
 public:
  /// `mode` is "auto" (only on a terminal, after a second), "always" or "never".
  ProgressBar(const std::string& mode, std::string label);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `share` in [0, 1]; 0 where the whole is not known.
  void Show(double share);
  /// Removes the bar, so that a line can be printed in its place.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool enabled_ = false;
  bool shown_ = false;
  std::string label_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_PROGRESS_BAR_H_
