#include "replay_tool/command_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace waymark::replay {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // as Linux follows

std::string Identity(const struct stat& facts) {
  return std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
}

// Where a file of this name would be created: a link that leads nowhere yet is followed.
std::string FuturePlace(fs::path path) {
  std::error_code error;
  for (int links = 0; links < kMaxLinks; ++links) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;
    path = path.parent_path() / target;
  }
  const fs::path place = fs::weakly_canonical(fs::absolute(path, error), error);
  return (error ? path : place).string();
}

std::string IdentityOf(const std::string& path) {
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0) return FuturePlace(path);
  return S_ISREG(facts.st_mode) ? Identity(facts) : std::string();
}

// Of an open stream; `otherwise` if it is not a file.
std::string IdentityOf(int descriptor, const char* otherwise) {
  struct stat facts {};
  const bool file = fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
  return file ? Identity(facts) : otherwise;
}

std::string LogOf(const std::string& database) {
  return database.empty() ? std::string() : database + "-wal";
}

std::string Text(std::string_view flag, const std::string& path) {
  return std::string(flag) + " " + path;
}

}  // namespace

void CommandFiles::Reads(std::string_view flag, const std::string& path) {
  if (path.empty()) return;
  inputs_.push_back(
      {Text(flag, path), path == "-" ? IdentityOf(STDIN_FILENO, "") : IdentityOf(path)});
}

void CommandFiles::Writes(std::string_view flag, const std::string& path) {
  if (path.empty()) return;
  outputs_.push_back({Text(flag, path), path == "-" ? IdentityOf(STDOUT_FILENO, "standard output")
                                                    : IdentityOf(path)});
}

void CommandFiles::ReadsDatabase(std::string_view flag, const std::string& path) {
  Reads(flag, path);
  Reads(flag, LogOf(path));
}

void CommandFiles::WritesDatabase(std::string_view flag, const std::string& path) {
  Writes(flag, path);
  Writes(flag, LogOf(path));
}

Status CommandFiles::Check() const {
  for (auto output = outputs_.begin(); output != outputs_.end(); ++output) {
    if (output->identity.empty()) continue;
    const auto clash = [&](auto begin, auto end) {
      return std::find_if(begin, end,
                          [&](const Named& other) { return other.identity == output->identity; });
    };
    const auto input = clash(inputs_.begin(), inputs_.end());
    const auto earlier = clash(outputs_.begin(), output);
    if (input == inputs_.end() && earlier == output) continue;
    const Named& other = input != inputs_.end() ? *input : *earlier;
    return Status(Code::kInvalidArgument, output->text + ": is the same file as " + other.text);
  }
  return Status();
}

}  // namespace waymark::replay
