// Bytes of a file or of standard input ("-"), unpacked when they are gzip.
#ifndef WAYMARK_REPLAY_TOOL_INPUT_FILE_H_
#define WAYMARK_REPLAY_TOOL_INPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "waymark/status.h"

namespace waymark::replay {

class InputFile {
 public:
  /// kInvalidArgument: missing, a directory, not readable. The message does not repeat the path.
  static Result<InputFile> Open(const std::string& path);
  InputFile(InputFile&&) noexcept;
  InputFile& operator=(InputFile&&) noexcept;
  ~InputFile();

  /// The next piece; empty at the end. Valid until the next call. kIo: the disk failed;
  /// kCorruption: damaged gzip.
  Result<std::string_view> Read();
  /// Reads ahead, at most `bytes`; Read() gives the same bytes again.
  Result<std::string_view> Peek(std::size_t bytes);
  /// The gzip stream ended in the middle. Known once Read() gave the empty piece.
  bool cut() const;
  /// Of the file as it lies on the disk; 0 for a pipe.
  std::uint64_t size_bytes() const;
  /// How much of size_bytes() was consumed.
  std::uint64_t position_bytes() const;

 private:
  struct Impl;
  explicit InputFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Whether a file to be read later is there: kInvalidArgument "PATH: REASON" if not. An empty path
/// and "-" are.
Status CheckInput(const std::string& path);

/// The whole input, for formats that need it whole. kResourceExhausted above `max_bytes`.
Result<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes);

}  // namespace waymark::replay

#endif  // WAYMARK_REPLAY_TOOL_INPUT_FILE_H_
