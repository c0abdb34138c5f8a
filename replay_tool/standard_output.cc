#include "replay_tool/standard_output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace waymark::replay {
namespace {

// errno of the first failure. (Of what went wrong, stdio keeps only that something did.)
int first_error = 0;

void Note(bool written) {
  if (!written && first_error == 0) first_error = errno;
}

}  // namespace

void Say(std::string_view text) {
  if (first_error != 0) return;
  Note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

void FlushStandardOutput() { Note(std::fflush(stdout) == 0); }

Status EndStandardOutput() {
  FlushStandardOutput();
  if (first_error == 0 || first_error == EPIPE) return Status();
  return Status(Code::kIo,
                std::string("standard output: cannot write: ") + std::strerror(first_error));
}

}  // namespace waymark::replay
