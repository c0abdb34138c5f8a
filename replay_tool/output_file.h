// A text output: a file or standard output ("-"), buffered, whose failures are noticed.
#ifndef WAYMARK_REPLAY_TOOL_OUTPUT_FILE_H_
#define WAYMARK_REPLAY_TOOL_OUTPUT_FILE_H_

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "waymark/status.h"

namespace waymark::replay {

/// Memory is bounded by one buffer. The first failure is kept and told by Close(); that of standard
/// output by EndStandardOutput().
class OutputFile {
 public:
  /// Creates or truncates. kIo: "PATH: cannot write: REASON".
  static Result<OutputFile> Create(const std::string& path);
  OutputFile(OutputFile&&) noexcept = default;
  OutputFile& operator=(OutputFile&&) noexcept = default;

  void Append(std::string_view text);
  /// Writes what is buffered and says whether everything reached the file. Idempotent.
  Status Close();

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  OutputFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  void Drain();
  void NoteFailure();

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;  // null: standard output or closed
  std::string buffer_;
  Status status_;
};

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_OUTPUT_FILE_H_
