#include "replay_tool/line_splitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace waymark::replay {
namespace {

std::vector<std::string> LinesOf(std::string_view text, std::size_t piece) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line, std::uint64_t number) {
    lines.emplace_back(line);
    EXPECT_EQ(number, lines.size());
    return true;
  };
  LineSplitter splitter;
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    splitter.Feed(text.substr(0, piece), keep);
  }
  splitter.Finish(keep);
  return lines;
}

TEST(LineSplitter, AnyEndOfLineInPiecesOfAnyLength) {
  const std::string text = "one\ntwo\r\nthree\r\rfive\n\nseven\n\rnine\r\n\r\neleven";
  const std::vector<std::string> lines = {"one",   "two", "three", "", "five",  "",
                                          "seven", "",    "nine",  "", "eleven"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    EXPECT_EQ(LinesOf(text, piece), lines) << piece;
  }
}

TEST(LineSplitter, LongLineComesInPiecesThatCountAsLines) {
  const std::size_t most = LineSplitter::kMaxLineBytes;
  std::string text(most + 5, 'x');
  text.append("\nend\n");
  const std::vector<std::string> lines = LinesOf(text, 1000);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].size(), most);
  EXPECT_EQ(lines[1], "xxxxx");
  EXPECT_EQ(lines[2], "end");
}

}  // namespace
}  // namespace waymark::replay
