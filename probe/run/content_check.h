// Judges a file of which every byte's right content is known, first as the page cache has it, then as storage has it.
//
// The file is compared, written back, dropped from the page cache and compared again: a difference that is only in the
// cache would be gone after a reboot, one that is only on storage would come with it. For files of appends there is
// RunContext::judge_file; the comparing itself is probe/verify/content/comparison.h.
#pragma once

#include <span>

#include "probe/run/run_context.h"
#include "probe/verify/content/content_view.h"

namespace writecanary::probe {

// Compares file and view once, through read(2). Nobody may write meanwhile. The view names the run whose words are own;
// `incompressible` is how that run wrote. Throws SystemError when reading fails.
FileReport compare_content(const ContentView& view, bool incompressible, std::size_t max_findings);
// The same in this run.
FileReport compare_content(const RunContext& context, const ContentView& view);

// Both views in one report: each finding says in which it was seen. Throws SystemError.
FileReport inspect_content(const RunContext& context, const ContentView& view);
// The same, reported to the context, with the file kept as evidence.
void judge_content(RunContext& context, const ContentView& view);

// Of what readers saw wrong while the file was in use: what is right now that it rests, said to be transient. What is
// still wrong is left to judge_content() or judge_file(). Throws SystemError.
FileReport keep_transient(const RunContext& context, const ContentView& view, std::span<const Finding> seen);

}  // namespace writecanary::probe
