#include "replay_tool/config_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "replay_tool/input_file.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kMaxConfigBytes = 1 << 20;

// The fields that `name` may have meant: those of its group, or else the groups' own first fields.
std::string FieldsLike(std::string_view name) {
  const std::string_view group = name.substr(0, name.find('.'));
  std::string near, all;
  for (const ConfigField& field : ConfigFields()) {
    const std::string_view known = field.name;
    if (known.substr(0, known.find('.')) == group) {
      near += (near.empty() ? "" : ", ") + std::string(known);
    }
    all += (all.empty() ? "" : ", ") + std::string(known);
  }
  return near.empty() ? all : near;
}

// Like SetConfigField, but a field that does not exist is answered with those that do.
Status SetField(Config& config, std::string_view name, std::string_view value) {
  const std::vector<ConfigField> fields = ConfigFields();
  const bool known = std::any_of(fields.begin(), fields.end(),
                                 [name](const ConfigField& f) { return f.name == name; });
  if (known) return SetConfigField(config, name, value);
  return Status(Code::kInvalidArgument,
                "no field '" + std::string(name) + "'; there are " + FieldsLike(name));
}

Status ApplyNode(const std::string& path, const nlohmann::json& node, Config& config) {
  if (node.is_object()) {
    for (const auto& [key, value] : node.items()) {
      if (Status status = ApplyNode(path.empty() ? key : path + "." + key, value, config);
          !status.ok()) {
        return status;
      }
    }
    return Status();
  }
  if (node.is_array() || node.is_null()) {
    return Status(Code::kInvalidArgument,
                  path + " is " + node.type_name() + ", not a number, a text or true/false");
  }
  return SetField(config, path, node.is_string() ? node.get<std::string>() : node.dump());
}

}  // namespace

void AddConfigFlags(CLI::App& command, ConfigFlags& flags) {
  const std::string group = "Configuration";
  command
      .add_option("--profile", flags.profile,
                  "Start from a built-in: navigation, balanced, low_power or passive")
      ->type_name("NAME")
      ->group(group);
  command.add_option("--config", flags.file, "JSON file with configuration fields")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--set", flags.sets,
                  "One field, e.g. --set records.max_error_m=5; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->group(group);
}

Status ApplyConfigJson(std::string_view json, Config& config) {
  const nlohmann::json root = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return Status(Code::kCorruption, "not JSON");
  if (!root.is_object()) return Status(Code::kCorruption, "not a JSON object");
  return ApplyNode("", root, config);
}

Result<Config> MakeConfig(const ConfigFlags& flags) {
  Config config;
  if (!flags.profile.empty()) {
    Result<Config> profile = ConfigForProfile(flags.profile);
    if (!profile.ok()) {
      return Status(Code::kInvalidArgument, "--profile: " + profile.status().message());
    }
    config = std::move(profile).value();
  }
  if (!flags.file.empty()) {
    const Result<std::string> json = ReadWholeFile(flags.file, kMaxConfigBytes);
    if (!json.ok()) {
      return Status(Code::kCorruption, flags.file + ": " + json.status().message());
    }
    if (Status status = ApplyConfigJson(json.value(), config); !status.ok()) {
      return Status(Code::kCorruption, flags.file + ": " + status.message());
    }
  }
  for (const std::string& set : flags.sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos) {
      return Status(Code::kInvalidArgument, "--set " + set + ": not of the form key=value");
    }
    if (Status status = SetField(config, set.substr(0, equals), set.substr(equals + 1));
        !status.ok()) {
      return Status(Code::kInvalidArgument, "--set " + set + ": " + status.message());
    }
  }
  return config;
}

}  // namespace waymark::replay
