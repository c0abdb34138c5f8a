#include "replay_tool/collector_script.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace waymark::replay {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMaxDelayMs = 3'600'000;
constexpr std::uint64_t kMaxRetryAfterS = 1'000'000'000;

Status Wrong(std::size_t index, const std::string& what) {
  return Status(Code::kInvalidArgument, "script entry " + std::to_string(index + 1) + ": " + what);
}

Result<ScriptedAnswer> ParseAnswer(const Json& json, std::size_t index) {
  if (!json.is_object()) return Wrong(index, "is not an object");
  ScriptedAnswer answer;
  for (const auto& [key, value] : json.items()) {
    if (key == "close" || key == "retry_after_as_date") {
      if (!value.is_boolean()) return Wrong(index, key + " is not true or false");
      (key == "close" ? answer.close : answer.retry_after_as_date) = value.get<bool>();
      continue;
    }
    if (!value.is_number_unsigned()) return Wrong(index, key + " is not a whole number");
    const auto number = value.get<std::uint64_t>();
    if (key == "request") {
      answer.from = answer.to = number;
    } else if (key == "from") {
      answer.from = number;
    } else if (key == "to") {
      answer.to = number;
    } else if (key == "contains_seq") {
      answer.contains_seq = number;
    } else if (key == "status") {
      if (number < 200 || number > 599) return Wrong(index, "status is not in [200, 599]");
      answer.status = static_cast<int>(number);
    } else if (key == "retry_after_s") {
      if (number > kMaxRetryAfterS) return Wrong(index, "retry_after_s is too large");
      answer.retry_after = std::chrono::seconds(number);
    } else if (key == "delay_ms") {
      if (number > kMaxDelayMs) return Wrong(index, "delay_ms is above one hour");
      answer.delay = std::chrono::milliseconds(number);
    } else {
      return Wrong(index, "unknown key " + key);
    }
  }
  if (answer.from < 1 || answer.to < 1) return Wrong(index, "requests are counted from 1");
  if (answer.from > answer.to) return Wrong(index, "from is after to");
  return answer;
}

}  // namespace

Result<CollectorScript> CollectorScript::Parse(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array()) return Status(Code::kInvalidArgument, "the script is not a JSON list");
  CollectorScript script;
  for (std::size_t i = 0; i < json.size(); ++i) {
    Result<ScriptedAnswer> answer = ParseAnswer(json[i], i);
    if (!answer.ok()) return answer.status();
    script.answers_.push_back(std::move(answer).value());
  }
  return script;
}

Result<CollectorScript> CollectorScript::Load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in.is_open() || in.bad()) {
    return Status(Code::kInvalidArgument, path + ": cannot read: " + std::strerror(errno));
  }
  Result<CollectorScript> script = Parse(text);
  if (!script.ok()) return Status(script.status().code(), path + ": " + script.status().message());
  return script;
}

const ScriptedAnswer* CollectorScript::Find(std::uint64_t request,
                                            std::optional<SeqRange> records) const {
  for (const ScriptedAnswer& answer : answers_) {
    if (request < answer.from || request > answer.to) continue;
    if (answer.contains_seq && (!records || *answer.contains_seq < records->first ||
                                *answer.contains_seq > records->last)) {
      continue;
    }
    return &answer;
  }
  return nullptr;
}

}  // namespace waymark::replay
