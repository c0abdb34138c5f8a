#include "replay_tool/flag_checks.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <system_error>

#include "replay_tool/number_text.h"

namespace waymark::replay {

CLI::Validator OneOf(const std::vector<std::string>& words) {
  CLI::Validator check = CLI::IsMember(words);
  check.description("");
  return check;
}

CLI::Validator Within(double low, double high) {
  const std::string range = fmt::format("[{} - {}]", low, high);
  const auto check = [low, high, range](std::string& text) -> std::string {
    const std::optional<double> value = ParseDouble(text);
    if (value && *value >= low && *value <= high) return {};
    return "'" + text + "' is not a number in " + range;
  };
  return CLI::Validator(check, range);
}

CLI::Validator WholeNumber() {
  const auto check = [](std::string& text) -> std::string {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && rest == end) return {};
    return "'" + text + "' is not a whole number in [0 - 18446744073709551615]";
  };
  return CLI::Validator(check, "");
}

}  // namespace waymark::replay
