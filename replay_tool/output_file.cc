#include "replay_tool/output_file.h"

#include <cerrno>
#include <cstring>

#include "replay_tool/standard_output.h"

namespace waymark::replay {
namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

}  // namespace

Result<OutputFile> OutputFile::Create(const std::string& path) {
  if (path == "-") return OutputFile(path, nullptr);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    return Status(Code::kIo, path + ": cannot write: " + std::strerror(errno));
  }
  // Buffered here, so that a failure can be tied to its file.
  std::setvbuf(file, nullptr, _IONBF, 0);
  return OutputFile(path, file);
}

void OutputFile::Append(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) Drain();
}

void OutputFile::Drain() {
  if (path_ == "-") {
    Say(buffer_);
  } else if (file_ != nullptr && status_.ok() &&
             std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size()) {
    NoteFailure();
  }
  buffer_.clear();
}

void OutputFile::NoteFailure() {
  status_ = Status(Code::kIo, path_ + ": cannot write: " + std::strerror(errno));
}

Status OutputFile::Close() {
  Drain();
  if (file_ != nullptr && std::fclose(file_.release()) != 0 && status_.ok()) NoteFailure();
  return status_;
}

}  // namespace waymark::replay
