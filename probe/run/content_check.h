// Judges a file of which every byte's right content is known, first as the page cache has it, then as storage has it.
//
// The file is compared, written back, dropped from the page cache and compared again: a difference that is only in the
// cache would be gone after a reboot, one that is only on storage would come with it. Where pages stay in the page
// cache storage is asked with O_DIRECT, if it can be. For files of appends there is probe/run/file_judge.h; the
// comparing itself is probe/verify/content/comparison.h.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "probe/run/finding_reporter.h"
#include "probe/verify/content/content_view.h"

namespace writecanary::probe {

struct RunContext;

// Compares file and view once, through read(2). Nobody may write meanwhile. Throws SystemError when reading fails.
FileReport compare_content(const ContentView& view, std::size_t max_findings);
// Both views in one report: each finding says in which it was seen. What is wrong in the page cache is given to `early`
// before storage is looked at; when that fails, the report has it all the same, with storage not looked at. Throws
// SystemError when there is nothing to report.
FileReport inspect_content(const ContentView& view, std::size_t max_findings,
                           const std::function<void(const FileReport&)>& early = {});
// The same, reported, with the file kept as evidence. Throws SystemError, after reporting.
void judge_content(FindingReporter& findings, const ContentView& view);
// The same for a file that was compared already.
void judge_content(FindingReporter& findings, const ContentView& view, FileReport hot);

// What a write that failed left from this place on was promised by nobody: takes over what stands there, as far as the
// file goes, so that the rest can be judged. Throws SystemError.
void take_over(int fd, const std::string& name, std::uint64_t offset, std::span<std::byte> expected);

// Of what readers saw wrong while the file was in use: what is right now that it rests, said to be transient. What is
// still wrong is left to judge_content() or FileJudge. Throws SystemError.
FileReport keep_transient(const ContentView& view, std::span<const Finding> seen, std::size_t max_findings);

// Takes the file out of memory, as evict() does. Where the filesystem is memory and there is swap, what was handed to
// it leaves memory when the run's cgroup is asked to give back so much. Throws SystemError.
void evict_to_storage(RunContext& context, int fd, const std::string& name);

}  // namespace writecanary::probe
