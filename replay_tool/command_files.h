// The files that a command line names. No output may cost an input or another output.
#ifndef WAYMARK_REPLAY_TOOL_COMMAND_FILES_H_
#define WAYMARK_REPLAY_TOOL_COMMAND_FILES_H_

#include <string>
#include <string_view>
#include <vector>

#include "waymark/status.h"

namespace waymark::replay {

/// Each command tells all files it is given, with the flag that names them, before it creates one.
/// An empty path is a flag that was not given; "-" is standard input or output.
class CommandFiles {
 public:
  void Reads(std::string_view flag, const std::string& path);
  void Writes(std::string_view flag, const std::string& path);
  /// A database is its file and the log beside it.
  void ReadsDatabase(std::string_view flag, const std::string& path);
  void WritesDatabase(std::string_view flag, const std::string& path);

  /// kInvalidArgument, in one line that names both flags: an output is an input or another output.
  /// Files are compared by what they are, not by their names, so that links are seen through.
  /// Devices and pipes may be named twice, but standard output holds one output.
  Status Check() const;

 private:
  struct Named {
    std::string text;      // "--live-out live.csv"
    std::string identity;  // the same for the same file; empty: may be shared
  };
  std::vector<Named> inputs_, outputs_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_COMMAND_FILES_H_
