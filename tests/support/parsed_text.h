// Runs a trace parser over text, in pieces of a given size.
#ifndef WAYMARK_TESTS_SUPPORT_PARSED_TEXT_H_
#define WAYMARK_TESTS_SUPPORT_PARSED_TEXT_H_

#include <memory>
#include <string_view>
#include <vector>

#include "replay_tool/trace_reader.h"

namespace waymark::replay::testing {

struct Parsed {
  Status status;
  TraceInfo info;
  std::vector<TraceFix> fixes;
};

inline Parsed ParseText(TraceFormat format, std::string_view text, const ReadOptions& options = {},
                        std::size_t piece = 1 << 20, bool cut = false) {
  Parsed parsed;
  const std::unique_ptr<TraceParser> parser =
      MakeTraceParser(format, options, [&parsed](const TraceFix& read) {
        parsed.fixes.push_back(read);
        return true;
      });
  while (!text.empty() && parsed.status.ok()) {
    const std::string_view head = text.substr(0, piece);
    text.remove_prefix(head.size());
    // A copy of its own, so that a view kept across pieces is seen by the sanitizers.
    const std::vector<char> copy(head.begin(), head.end());
    parsed.status = parser->Feed({copy.data(), copy.size()});
  }
  if (parsed.status.ok()) parsed.status = parser->Finish(cut);
  parsed.info = parser->info();
  return parsed;
}

}  // namespace waymark::replay::testing

#endif  // WAYMARK_TESTS_SUPPORT_PARSED_TEXT_H_
