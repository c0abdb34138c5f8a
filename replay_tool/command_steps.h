// Steps that commands share. Each says on standard error what is wrong and returns the exit status:
// kExitDone when all is well.
#ifndef WAYMARK_REPLAY_TOOL_COMMAND_STEPS_H_
#define WAYMARK_REPLAY_TOOL_COMMAND_STEPS_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "replay_tool/command_files.h"
#include "replay_tool/output_file.h"
#include "replay_tool/replay_outputs.h"
#include "replay_tool/thresholds.h"
#include "waymark/geofence.h"

namespace waymark::replay {

/// --fail-if.
int ParseThresholds(const std::vector<std::string>& texts, std::vector<Threshold>& thresholds);

/// --geofences; nothing if `path` is empty. A feature that is refused is a warning.
int ReadFences(const std::string& path, std::vector<Geofence>& fences);

/// Whether every output has a file of its own.
int CheckFiles(const CommandFiles& files);

/// Whether an output that holds one trace was asked for with several.
int CheckOneTrace(std::size_t traces, const OutputFlags& outputs, const std::string& journal = {});

/// Creates those files whose path is not empty. kIo names the one that cannot be written.
Status OpenOutputs(
    const std::vector<std::pair<const std::string*, std::optional<OutputFile>*>>& files);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_COMMAND_STEPS_H_
