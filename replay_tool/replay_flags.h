// What the commands that replay have in common: the flags of REPLAY_TOOL.md and what follows from
// them.
#ifndef WAYMARK_REPLAY_TOOL_REPLAY_FLAGS_H_
#define WAYMARK_REPLAY_TOOL_REPLAY_FLAGS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "replay_tool/command_files.h"
#include "replay_tool/config_flags.h"
#include "replay_tool/replay.h"
#include "replay_tool/replay_outputs.h"
#include "waymark/ports.h"

namespace CLI {
class App;
}

namespace waymark::replay {

struct ReplayFlags {
  std::vector<std::string> traces;
  ConfigFlags config;
  ReadOptions read;
  OutputFlags outputs;
  std::string json, report, db, upload, geofences, progress = "auto";
  std::vector<std::string> fail_if;
  std::uint64_t seed = 1;
  double drain_timeout_s = 60;
  bool quiet = false;

  /// The mode of a ProgressBar.
  const std::string& bar() const;
};

/// Adds all of them, the traces as an argument that may be missing. `flags` must live as long as
/// `command`.
void AddReplayFlags(CLI::App& command, ReplayFlags& flags);

// Steps of a command, as in command_steps.h.

/// All of `options` that follows from the flags but progress, transport and journal. Reads files,
/// creates none.
int ConfigureReplay(const ReplayFlags& flags, ReplayOptions& options);

/// The files that the flags name; the database may also be named by the configuration.
CommandFiles FilesOf(const ReplayFlags& flags, const Config& config);

/// Makes the transport if `options` name a collector.
int OpenTransport(std::unique_ptr<Transport>& transport, ReplayOptions& options);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_REPLAY_FLAGS_H_
