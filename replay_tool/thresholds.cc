#include "replay_tool/thresholds.h"

#include "replay_tool/number_text.h"
#include "waymark/fix.h"

namespace waymark::replay {
namespace {

constexpr std::string_view kRejected = "fixes.rejected.";

// "fixes.rejected.late", not "fixes.rejected.lately".
bool IsCountOfReason(std::string_view path) {
  if (!path.starts_with(kRejected)) return false;
  const std::string_view name = path.substr(kRejected.size());
  for (int code = 1; code <= 0xff; ++code) {
    if (name == ReasonName(static_cast<Reason>(code))) return name != "unknown";
  }
  return false;
}

}  // namespace

Result<Threshold> Threshold::Parse(std::string_view text) {
  const std::size_t at = text.find_first_of("<>=!");
  if (at == std::string_view::npos || at == 0) {
    return Status(Code::kInvalidArgument,
                  "'" + std::string(text) + "' is not of the form key.key>number");
  }
  const std::size_t length = at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1;
  Threshold threshold;
  threshold.text = text;
  threshold.path = Trim(text.substr(0, at));
  threshold.relation = text.substr(at, length);
  const std::optional<double> limit = ParseDouble(text.substr(at + length));
  if (!limit || threshold.relation == "=" || threshold.relation == "!") {
    return Status(Code::kInvalidArgument,
                  "'" + std::string(text) + "' is not of the form key.key>number");
  }
  threshold.limit = *limit;
  return threshold;
}

Result<bool> Threshold::Holds(const nlohmann::ordered_json& root) const {
  const nlohmann::ordered_json* node = &root;
  std::string_view rest = path;
  while (!rest.empty()) {
    const std::string key(rest.substr(0, rest.find('.')));
    const auto found = node->is_object() ? node->find(key) : node->end();
    if (found == node->end()) {
      if (root.contains("fixes") && IsCountOfReason(path)) return HoldsFor(0);
      return Status(Code::kInvalidArgument, "the result has no " + path);
    }
    node = &*found;
    rest.remove_prefix(std::min(rest.size(), key.size() + 1));
  }
  if (!node->is_number()) {
    return Status(Code::kInvalidArgument, path + " is not a number in the result");
  }
  return HoldsFor(node->get<double>());
}

bool Threshold::HoldsFor(double value) const {
  if (relation == "<") return value < limit;
  if (relation == "<=") return value <= limit;
  if (relation == ">") return value > limit;
  if (relation == ">=") return value >= limit;
  if (relation == "==") return value == limit;
  return value != limit;
}

}  // namespace waymark::replay
