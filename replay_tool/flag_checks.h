// What a flag takes, beyond its type.
#ifndef WAYMARK_REPLAY_TOOL_FLAG_CHECKS_H_
#define WAYMARK_REPLAY_TOOL_FLAG_CHECKS_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace waymark::replay {

/// One of some words, which the type name shows already ("a|b|c").
CLI::Validator OneOf(const std::vector<std::string>& words);

/// A decimal number in [low, high]. (CLI::Range lets NaN pass.)
CLI::Validator Within(double low, double high);

/// A whole number that 64 bits hold. (CLI11 wraps "-1" and cuts what is larger.)
CLI::Validator WholeNumber();

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_FLAG_CHECKS_H_
