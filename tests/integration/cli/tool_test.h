// The fixture of tests that run replay_tool as a process in a folder of its own.
#ifndef WAYMARK_TESTS_INTEGRATION_CLI_TOOL_TEST_H_
#define WAYMARK_TESTS_INTEGRATION_CLI_TOOL_TEST_H_

#include <gtest/gtest.h>
#include <sys/wait.h>

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
  /// Runs the tool in the folder of the test; `arguments` are shell text.
  Outcome Run(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.path() + "' && " + prefix_ +
                                WAYMARK_REPLAY_TOOL " " + arguments + " >.out 2>.err";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, Read(".out"), Read(".err")};
  }

  TempDir folder_;
  std::string prefix_;  ///< runs the tool, e.g. as another user
};

}  // namespace waymark::testing

#endif  // WAYMARK_TESTS_INTEGRATION_CLI_TOOL_TEST_H_
