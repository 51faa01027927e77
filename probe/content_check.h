// Judges a file of which every byte's right content is known, first as the page cache has it, then as storage has it.
//
// The file is compared, written back, dropped from the page cache and compared again: a difference that is only in the
// cache would be gone after a reboot, one that is only on storage would come with it. For files of appends there is
// RunContext::judge_file; the comparing itself is probe/comparison.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "probe/run_context.h"

namespace writecanary::probe {

// Fills `out` with what must stand in the file from `offset` on.
using ExpectedBytes = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;

struct ContentView {
  int fd = -1;
  std::string name;  // for findings
  std::uint64_t size_bytes = 0;
  ExpectedBytes expected;
};

// Compares file and view once, through read(2). Nobody may write meanwhile. Throws SystemError when reading fails.
FileReport compare_content(const RunContext& context, const ContentView& view);

// Both views in one report: each finding says in which it was seen. Throws SystemError.
FileReport inspect_content(const RunContext& context, const ContentView& view);
// The same, reported to the context.
void judge_content(RunContext& context, const ContentView& view);

// Of what readers saw wrong while the file was in use: what is right now that it rests, said to be transient. What is
// still wrong is left to judge_content() or judge_file(). Throws SystemError.
FileReport keep_transient(const RunContext& context, const ContentView& view, std::span<const Finding> seen);

}  // namespace writecanary::probe
