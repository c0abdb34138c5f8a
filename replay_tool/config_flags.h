// Flags that choose a configuration: --config, --profile and --set.
#ifndef WAYMARK_REPLAY_TOOL_CONFIG_FLAGS_H_
#define WAYMARK_REPLAY_TOOL_CONFIG_FLAGS_H_

#include <string>
#include <string_view>
#include <vector>

#include "waymark/config.h"

namespace CLI {
class App;
}

namespace waymark::replay {

struct ConfigFlags {
  std::string profile;            ///< built-in starting point; empty: the defaults
  std::string file;               ///< JSON as waymark/config.h documents it; over the profile
  std::vector<std::string> sets;  ///< "key=value"; over both
};

void AddConfigFlags(CLI::App& command, ConfigFlags& flags);

/// kInvalidArgument: unknown profile, field or value, or a configuration that is not valid;
/// kCorruption: the file cannot be read or is not JSON. The message says what and where.
Result<Config> MakeConfig(const ConfigFlags& flags);

/// Applies the fields of a JSON object, in which each dotted field name is a path.
Status ApplyConfigJson(std::string_view json, Config& config);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_CONFIG_FLAGS_H_
