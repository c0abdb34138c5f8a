// Appending to the store: one transaction of 1, 10 and 100 records of a point's size, then reading
// and acknowledging, opening, and what it costs to survive a power cut. WAYMARK_BENCH_DIR: where.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "waymark/memory_outbox.h"
#include "waymark/outbox.h"

namespace waymark {
namespace {

constexpr std::size_t kPointBytes = 27;

class Folder {
 public:
  Folder() {
    const char* base = std::getenv("WAYMARK_BENCH_DIR");
    std::string name = std::string(base ? base : "/tmp") + "/waymark-bench.XXXXXX";
    path_ = mkdtemp(name.data()) ? name : "";
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::string file() const { return path_ + "/db"; }

 private:
  std::string path_;
};

std::unique_ptr<Outbox> Open(const std::string& path, bool power_loss_safe) {
  SqliteOutboxOptions options;
  options.path = path;
  options.power_loss_safe = power_loss_safe;
  auto opened = OpenSqliteOutbox(options);
  return opened.ok() ? std::move(opened.value().outbox) : nullptr;
}

OutboxWrite Rows(std::uint64_t& seq, std::int64_t count) {
  OutboxWrite write;
  for (std::int64_t i = 0; i < count; ++i) {
    write.append.push_back(
        {++seq, 1, 0, UtcTime{}, std::vector<std::byte>(kPointBytes, std::byte{5})});
  }
  return write;
}

void AppendTo(benchmark::State& state, Outbox& outbox) {
  std::uint64_t seq = 0;
  for (auto _ : state) {
    state.PauseTiming();
    const OutboxWrite write = Rows(seq, state.range(0));
    state.ResumeTiming();
    if (!outbox.Commit(write).ok()) state.SkipWithError("commit failed");
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void AppendKillSafe(benchmark::State& state) {
  const Folder folder;
  const auto outbox = Open(folder.file(), false);
  AppendTo(state, *outbox);
}
BENCHMARK(AppendKillSafe)->Arg(1)->Arg(10)->Arg(100)->UseRealTime();

void AppendPowerLossSafe(benchmark::State& state) {
  const Folder folder;
  const auto outbox = Open(folder.file(), true);
  AppendTo(state, *outbox);
}
BENCHMARK(AppendPowerLossSafe)->Arg(1)->Arg(10)->Arg(100)->UseRealTime();

void AppendMemory(benchmark::State& state) {
  const auto outbox = MakeMemoryOutbox();
  AppendTo(state, *outbox);
}
BENCHMARK(AppendMemory)->Arg(1)->Arg(100);

void PeekAndAcknowledge(benchmark::State& state) {
  const Folder folder;
  const auto outbox = Open(folder.file(), false);
  std::uint64_t seq = 0;
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    state.PauseTiming();
    if (!outbox->Commit(Rows(seq, state.range(0))).ok()) state.SkipWithError("commit failed");
    state.ResumeTiming();
    const auto rows = outbox->Peek(0, count, 1 << 20);
    OutboxWrite write;
    write.ack = SeqRange{rows.value().front().seq, rows.value().back().seq};
    if (!outbox->Commit(write).ok()) state.SkipWithError("acknowledge failed");
  }
}
BENCHMARK(PeekAndAcknowledge)->Arg(100)->Arg(1000)->UseRealTime();

void OpenWithRecords(benchmark::State& state) {
  const Folder folder;
  {
    const auto outbox = Open(folder.file(), false);
    std::uint64_t seq = 0;
    while (seq < static_cast<std::uint64_t>(state.range(0))) {
      if (!outbox->Commit(Rows(seq, 1000)).ok()) state.SkipWithError("commit failed");
    }
  }
  for (auto _ : state) {
    const auto outbox = Open(folder.file(), false);
    benchmark::DoNotOptimize(outbox->Peek(0, 1, 1000).ok());
  }
  state.counters["B/row"] = static_cast<double>(std::filesystem::file_size(folder.file())) /
                            static_cast<double>(state.range(0));
}
BENCHMARK(OpenWithRecords)->Arg(1000)->Arg(1'000'000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace waymark

BENCHMARK_MAIN();
