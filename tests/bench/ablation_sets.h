// The sets of sessions that the ablation judges: recordings, their twins and simulated ones.
#ifndef WAYMARK_TESTS_BENCH_ABLATION_SETS_H_
#define WAYMARK_TESTS_BENCH_ABLATION_SETS_H_

#include <string>
#include <vector>

#include "bench/trace_corpus.h"

namespace waymark::corpus {

struct Set {
  std::string name;
  std::vector<Session> sessions;
  bool thinned = false;  ///< judged at every truth time, against linear interpolation
};

/// `data` is the folder with the recordings; without them the sets are empty.
std::vector<Set> MakeSets(const std::string& data);

}  // namespace waymark::corpus

#endif  // WAYMARK_TESTS_BENCH_ABLATION_SETS_H_
