// Figures held against their limits, a line each: what `--check` of the ablations prints.
#ifndef WAYMARK_TESTS_BENCH_LIMIT_CHECK_H_
#define WAYMARK_TESTS_BENCH_LIMIT_CHECK_H_

#include <cstdio>
#include <string>

namespace waymark::corpus {

/// What ctest takes for skipped.
inline constexpr int kSkipped = 77;

class LimitCheck {
 public:
  void AtMost(const std::string& figure, double value, double limit) {
    Tell(figure, value, "<=", limit, value <= limit);
  }
  void AtLeast(const std::string& figure, double value, double limit) {
    Tell(figure, value, ">=", limit, value >= limit);
  }
  /// A figure that is not there any more is guarded by nobody.
  void Absent(const std::string& figure) {
    ++missed_;
    std::printf("MISSED %-62s is not measured\n", figure.c_str());
  }
  int exit_status() const { return missed_ == 0 ? 0 : 1; }

 private:
  void Tell(const std::string& figure, double value, const char* relation, double limit, bool ok) {
    missed_ += !ok;
    std::printf("%s %-62s %.3f %s %.3f\n", ok ? "ok    " : "MISSED", figure.c_str(), value,
                relation, limit);
  }

  int missed_ = 0;
};

}  // namespace waymark::corpus

#endif  // WAYMARK_TESTS_BENCH_LIMIT_CHECK_H_
