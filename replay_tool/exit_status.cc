#include "replay_tool/exit_status.h"

#include <cstdio>
#include <string>

#include "replay_tool/standard_output.h"

namespace waymark::replay {
namespace {

// One write, so that the lines of several processes do not mix; control characters of a file name
// or a damaged file must not reach a terminal.
void WriteLine(std::string_view prefix, std::string_view text) {
  std::string line(prefix);
  for (const char c : text) line += static_cast<unsigned char>(c) < ' ' || c == 127 ? ' ' : c;
  line += '\n';
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace

int Fail(int exit_status, std::string_view what_and_why) {
  FlushStandardOutput();  // in the order in which it was said; main() tells of a failure
  WriteLine("replay_tool: ", what_and_why);
  return exit_status;
}

int FailInput(const Status& status) {
  return Fail(status.code() == Code::kIo ? kExitEnvironment : kExitInput, status.message());
}

void Warn(std::string_view text) { WriteLine("replay_tool: warning: ", text); }

}  // namespace waymark::replay
