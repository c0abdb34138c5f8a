// The fixture of tests that run replay_tool as a process in a folder of its own.
#ifndef WAYMARK_TESTS_INTEGRATION_CLI_TOOL_TEST_H_
#define WAYMARK_TESTS_INTEGRATION_CLI_TOOL_TEST_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "support/temp_dir.h"

namespace waymark::testing {

struct Outcome {
  int exit_status = -1;
  std::string out, err;
};

class ToolTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static constexpr char kTool[] = WAYMARK_REPLAY_TOOL;
  /// Runs shell text in the folder of the test.
  Outcome Shell(const std::string& script) const {
    const std::string command = "cd '" + folder_.path() + "' && { " + script + "\n} >.out 2>.err";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, Read(".out"), Read(".err")};
  }
  /// Runs the tool there; `arguments` are shell text.
  Outcome Run(const std::string& arguments) const {
    return Shell(prefix_ + kTool + " " + arguments);
  }

  /// The documented status and exactly one line that begins as documented.
  void ExpectFailure(const std::string& arguments, int exit_status, const std::string& why) const {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.exit_status, exit_status) << arguments << "\n" << outcome.err;
    EXPECT_THAT(outcome.err, ::testing::StartsWith("replay_tool: ")) << arguments;
    EXPECT_THAT(outcome.err, ::testing::HasSubstr(why)) << arguments;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }

  TempDir folder_;
  std::string prefix_;  ///< runs the tool, e.g. as another user
};

}  // namespace waymark::testing

#endif  // WAYMARK_TESTS_INTEGRATION_CLI_TOOL_TEST_H_
