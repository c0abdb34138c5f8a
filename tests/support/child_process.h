// A child process whose standard output is read, and which does not outlive the test.
#ifndef WAYMARK_TESTS_SUPPORT_CHILD_PROCESS_H_
#define WAYMARK_TESTS_SUPPORT_CHILD_PROCESS_H_

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace waymark::testing {

class ChildProcess {
 public:
  explicit ChildProcess(std::vector<std::string> command) {
    Fork([&] {
      std::vector<char*> argv;
      for (std::string& word : command) argv.push_back(word.data());
      argv.push_back(nullptr);
      execvp(argv[0], argv.data());
      return 127;
    });
  }
  /// Runs `body` in a fork of this process; its standard output comes here too.
  explicit ChildProcess(const std::function<int()>& body) { Fork(body); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    Kill(SIGKILL);
    Wait();
    if (out_ >= 0) close(out_);
  }

  void Kill(int signal) const {
    if (pid_ > 0) kill(pid_, signal);
  }
  /// Exit status, or 128 + signal. Once.
  int Wait() {
    if (pid_ <= 0) return status_;
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return status_;
  }
  /// The next line without its end; nullopt at the end of the output or after `timeout`.
  std::optional<std::string> ReadLine(std::chrono::seconds timeout = std::chrono::seconds(60)) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    for (;;) {
      if (const auto end = buffer_.find('\n'); end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return line;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd ready{out_, POLLIN, 0};
      if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
        return std::nullopt;
      }
      char data[4096];
      const ssize_t n = read(out_, data, sizeof data);
      if (n <= 0) return std::nullopt;
      buffer_.append(data, static_cast<std::size_t>(n));
    }
  }

 private:
  void Fork(const std::function<int()>& body) {
    int ends[2];
    if (pipe(ends) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      _exit(body());
    }
    close(ends[1]);
    out_ = ends[0];
  }

  pid_t pid_ = -1;
  int out_ = -1;
  int status_ = -1;
  std::string buffer_;
};

}  // namespace waymark::testing

#endif  // WAYMARK_TESTS_SUPPORT_CHILD_PROCESS_H_
