// A flag that takes one of some words.
#ifndef WAYMARK_REPLAY_TOOL_ONE_OF_H_
#define WAYMARK_REPLAY_TOOL_ONE_OF_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace waymark::replay {

/// A check that adds nothing to the type name, which shows the words already ("a|b|c").
inline CLI::Validator OneOf(const std::vector<std::string>& words) {
  CLI::Validator check = CLI::IsMember(words);
  check.description("");
  return check;
}

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_ONE_OF_H_
