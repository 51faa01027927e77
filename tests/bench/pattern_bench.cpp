// How fast the pattern is made and compared, and a whole file judged, per core.
#include <benchmark/benchmark.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "probe/pattern/pattern.h"
#include "probe/verify/verifier.h"

namespace {

using namespace writecanary::probe;  // NOLINT(google-build-using-namespace): a bench is a program of its own

constexpr Tag kTag{.run = 77, .file = 3};

void count_bytes(benchmark::State& state, std::size_t bytes) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}

void fill(benchmark::State& state) {
  std::vector<std::uint64_t> words(static_cast<std::size_t>(state.range(1)) / kWordBytes);
  const Pattern pattern(kTag, state.range(0) != 0);
  for (auto _ : state) {
    pattern.fill(4096, words);
    benchmark::ClobberMemory();
  }
  count_bytes(state, words.size() * kWordBytes);
}

void match(benchmark::State& state) {
  std::vector<std::uint64_t> words(static_cast<std::size_t>(state.range(1)) / kWordBytes);
  const Pattern pattern(kTag, state.range(0) != 0);
  pattern.fill(4096, words);
  for (auto _ : state) {
    if (pattern.match(4096, words) != words.size()) state.SkipWithError("the pattern does not match itself");
  }
  count_bytes(state, words.size() * kWordBytes);
}

// From the page cache (a memfd), so that what is measured is the copy and the comparison.
void verify(benchmark::State& state) {
  const auto bytes = static_cast<std::uint64_t>(state.range(1));
  FileLog log{.name = "bench", .tag = kTag, .incompressible = state.range(0) != 0, .writers = {{}}};
  log.writers[0].push_back({.length_bytes = bytes, .result = static_cast<std::int64_t>(bytes)});
  std::vector<std::uint64_t> words(bytes / kWordBytes);
  Pattern(kTag, log.incompressible).fill(0, words);
  const writecanary::Fd fd(memfd_create("bench", MFD_CLOEXEC));
  writecanary::write_all(fd.get(), {reinterpret_cast<const char*>(words.data()), bytes});
  Verifier verifier;
  for (auto _ : state) {
    if (verifier.verify(fd.get(), log, 10).tally.total() != 0) state.SkipWithError("an undamaged file has findings");
  }
  count_bytes(state, bytes);
}

constexpr std::int64_t kBuffer = 256 << 10;
BENCHMARK(fill)->ArgNames({"mixed", "bytes"})->Args({0, kBuffer})->Args({1, kBuffer})->Args({1, 24 << 20});
BENCHMARK(match)->ArgNames({"mixed", "bytes"})->Args({0, kBuffer})->Args({1, kBuffer})->Args({1, 24 << 20});
BENCHMARK(verify)->ArgNames({"mixed", "bytes"})->Args({0, 48 << 20})->Args({1, 48 << 20})->Args({1, 256 << 10});

}  // namespace

BENCHMARK_MAIN();
