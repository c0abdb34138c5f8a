// A whole trace in memory.
#ifndef WAYMARK_TESTS_SUPPORT_LOADED_TRACE_H_
#define WAYMARK_TESTS_SUPPORT_LOADED_TRACE_H_

#include <string>
#include <utility>
#include <vector>

#include "replay_tool/trace_reader.h"

namespace waymark::replay {

struct LoadedTrace {
  TraceInfo info;
  std::vector<TraceFix> read;
};

inline Result<LoadedTrace> LoadTrace(const std::string& path, const ReadOptions& options) {
  LoadedTrace loaded;
  Result<TraceInfo> info = ReadTrace(path, options, [&loaded](const TraceFix& read) {
    loaded.read.push_back(read);
    return true;
  });
  if (!info.ok()) return info.status();
  loaded.info = std::move(info).value();
  return loaded;
}

}  // namespace waymark::replay

#endif  // WAYMARK_TESTS_SUPPORT_LOADED_TRACE_H_
