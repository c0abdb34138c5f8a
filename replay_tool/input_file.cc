#include "replay_tool/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace waymark::replay {
namespace {

constexpr unsigned kPieceBytes = 1u << 16;
constexpr unsigned kGzipBufferBytes = 1u << 18;
constexpr char kIsADirectory[] = "is a directory (name a file in it)";

}  // namespace

struct InputFile::Impl {
  gzFile gz = nullptr;
  std::string ahead;  // read by Peek, not yet given out
  std::string given;  // backs the view of the last Read
  std::vector<char> piece = std::vector<char>(kPieceBytes);
  bool cut = false;
  bool ended = false;
  std::uint64_t size_bytes = 0;

  ~Impl() {
    if (gz != nullptr) gzclose(gz);
  }

  // One read from zlib; 0 at the end.
  Result<std::size_t> ReadPiece() {
    if (ended) return std::size_t{0};
    const int got = gzread(gz, piece.data(), kPieceBytes);
    if (got > 0) return static_cast<std::size_t>(got);
    ended = true;
    int error = Z_OK;
    const char* what = gzerror(gz, &error);
    if (error == Z_BUF_ERROR) {
      cut = true;
      return std::size_t{0};
    }
    if (got == 0 && error == Z_OK) return std::size_t{0};
    if (error == Z_ERRNO) {
      return Status(Code::kIo, std::string("read failed: ") + std::strerror(errno));
    }
    // "<fd:3>: incorrect data check"
    const std::string_view reason = what;
    const std::size_t name = reason.find(">: ");
    return Status(
        Code::kCorruption,
        "damaged gzip: " + std::string(reason.substr(name == reason.npos ? 0 : name + 3)));
  }
};

InputFile::InputFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
InputFile::InputFile(InputFile&&) noexcept = default;
InputFile& InputFile::operator=(InputFile&&) noexcept = default;
InputFile::~InputFile() = default;

Result<InputFile> InputFile::Open(const std::string& path) {
  auto impl = std::make_unique<Impl>();
  const int fd = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Status(Code::kInvalidArgument, std::strerror(errno));
  struct stat facts {};
  if (fstat(fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
    close(fd);
    return Status(Code::kInvalidArgument, kIsADirectory);
  }
  if (S_ISREG(facts.st_mode)) impl->size_bytes = static_cast<std::uint64_t>(facts.st_size);
  impl->gz = gzdopen(fd, "rb");
  if (impl->gz == nullptr) {
    close(fd);
    return Status(Code::kResourceExhausted, "out of memory");
  }
  gzbuffer(impl->gz, kGzipBufferBytes);
  return InputFile(std::move(impl));
}

Result<std::string_view> InputFile::Peek(std::size_t bytes) {
  while (impl_->ahead.size() < bytes) {
    Result<std::size_t> got = impl_->ReadPiece();
    if (!got.ok()) return got.status();
    if (got.value() == 0) break;
    impl_->ahead.append(impl_->piece.data(), got.value());
  }
  return std::string_view(impl_->ahead).substr(0, bytes);
}

Result<std::string_view> InputFile::Read() {
  if (!impl_->ahead.empty()) {
    impl_->given = std::exchange(impl_->ahead, {});
    return std::string_view(impl_->given);
  }
  Result<std::size_t> got = impl_->ReadPiece();
  if (!got.ok()) return got.status();
  return std::string_view(impl_->piece.data(), got.value());
}

bool InputFile::cut() const { return impl_->cut; }
std::uint64_t InputFile::size_bytes() const { return impl_->size_bytes; }
std::uint64_t InputFile::position_bytes() const {
  const z_off_t at = gzoffset(impl_->gz);
  return at < 0 ? 0 : static_cast<std::uint64_t>(at);
}

Status CheckInput(const std::string& path) {
  if (path.empty() || path == "-") return Status();
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0 || access(path.c_str(), R_OK) != 0) {
    return Status(Code::kInvalidArgument, path + ": " + std::strerror(errno));
  }
  if (S_ISDIR(facts.st_mode)) return Status(Code::kInvalidArgument, path + ": " + kIsADirectory);
  return Status();
}

Result<std::string> ReadWholeFile(const std::string& path, std::size_t max_bytes) {
  Result<InputFile> file = InputFile::Open(path);
  if (!file.ok()) return file.status();
  std::string all;
  while (true) {
    Result<std::string_view> piece = file.value().Read();
    if (!piece.ok()) return piece.status();
    if (piece.value().empty()) return all;
    if (all.size() + piece.value().size() > max_bytes) {
      return Status(Code::kResourceExhausted,
                    "larger than the limit of " + std::to_string(max_bytes) + " bytes");
    }
    all += piece.value();
  }
}

}  // namespace waymark::replay
