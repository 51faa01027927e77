// ring-io: every way in which io_uring can be asked to write, read, link and splice, where the request is not done at
// once.
//
// What goes wrong in io_uring itself goes wrong when a request is begun by one and finished by another: a worker that
// goes on behind the part that was written inline, a retry, a link that waits. So each way of a table is made to stop
// part-way (the trap of append; reads of which only the first pages are in the page cache; a direct write over blocks
// that are only half allocated), and afterwards size, position and content are looked at.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/direct_io.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/ring_io/ring_parts.h"
#include "probe/run/profile.h"
#include "probe/run/run_file.h"
#include "probe/stream/stream.h"
#include "probe/stream/trap_writer.h"
#include "probe/verify/cold/range_eviction.h"

namespace writecanary::probe {
namespace {

enum Part : std::uint64_t { kAllParts = 0, kWrites = 1, kReads = 2, kChains = 3, kDirect = 4 };

constexpr int kWritesPerFile = 8;
constexpr int kReadsPerFile = 6;
constexpr int kChainsPerFile = 6;
constexpr int kSplicesPerFile = 3;
constexpr int kDirectPerFile = 8;
constexpr std::uint64_t kReadBytesMax = 256 << 10;

ProfileInfo describe() {
  std::vector<ProfileOption> options = armed_options();
  std::erase_if(options, [](const ProfileOption& option) { return option.name == "file_bytes"; });
  options.push_back({"part", "0 all, 1 writes, 2 reads, 3 links and splices, 4 direct writes", "choice", kAllParts,
                     kDirect, kAllParts});
  options.push_back({"direct_positions",
                     "1: direct writes at the descriptor's position too. Kernels do not move it when such a write of "
                     "io_uring completes later (6.18), so that the next one goes over it",
                     "0 or 1", 0, 1, 0});
  options.push_back({"files", "files to fill; 0: until another limit", "count", 0, 100'000, 24});
  return {
      .name = "ring-io",
      .title = "every way through io_uring",
      .description =
          "WRITE, WRITEV and WRITE_FIXED at an offset, at the current position, with O_APPEND and RWF_APPEND; plain, "
          "RWF_DSYNC and RWF_DONTCACHE; on registered files; direct ones over blocks that are half allocated; READ, "
          "READV "
          "and READ_FIXED of what is partly in the page cache; links and splices. On an ordinary ring, with "
          "DEFER_TASKRUN "
          "and with SQPOLL.",
      .role = "detector",
      .oracle =
          "After each request the file's size and the descriptor's position are as the result says; reads return, and "
          "the file holds in the page cache and on storage, what was acknowledged.",
      .exposure =
          "The request was not complete when the submitting call returned: a worker made the rest of it or all of it, "
          "a "
          "read went on behind its first pages, or it waited for the one that it is linked to.",
      .needs_io_uring = true,
      .options = std::move(options),
      .references = {"io_uring_enter(2)",
                     "https://git.kernel.org/linus/1a1a3b574b97 (iomap: advance the iter directly on buffered writes, "
                     "6.15)",
                     "https://git.kernel.org/linus/883a790a8440 (xfs: don't allow NOWAIT DIO across extent boundaries, "
                     "5.11)"},
  };
}

// Whether what is written without O_DIRECT stands in the page cache: not where a server wants every request itself
// (FOPEN_DIRECT_IO of FUSE). Requests that go past it are completed later, like direct ones.
bool goes_through_page_cache(const Workspace& workspace) {
  const RunFile scratch(workspace, "scratch", 0);
  constexpr std::byte kByte{1};
  if (retried([&] { return pwrite(scratch.fd(), &kByte, 1, 0); }) != 1) throw_errno("write to scratch");
  void* mapping = mmap(nullptr, 1, PROT_READ, MAP_SHARED, scratch.fd(), 0);
  if (mapping == MAP_FAILED) return false;  // then mincore(2) cannot be asked
  munmap(mapping, 1);
  return resident_pages(scratch.fd(), 0, 1) != 0;
}

class RingIo {
 public:
  RingIo(RunContext& context, RingRequests& requests)
      : context_(context),
        requests_(requests),
        sizes_(armed_sizes(context)),
        part_(context.settings.option("part")),
        seed_(context.settings.spec().seed),
        positions_(context.settings.option("direct_positions") != 0 || goes_through_page_cache(context.workspace)),
        plan_(derive_seed(seed_, 1), sizes_.write_min, std::max(sizes_.write_max, sizes_.write_min + 16)),
        writes_(write_cases(derive_seed(seed_, 2), requests.setups())),
        reads_(read_cases(derive_seed(seed_, 3), requests.setups())),
        direct_cases_(write_cases(derive_seed(seed_, 4), requests.setups())) {
    Unsupported refused;
    direct_ = does(kDirect) ? try_direct_io(context.workspace, refused) : std::nullopt;
    if (!refused.reason.empty()) no_direct_ = refused.reason;
    if (direct_ && !direct_->passes_cache_by) no_direct_ = "direct writes go through the page cache here";
  }

  std::optional<Unsupported> run() {
    if (part_ == kDirect && !no_direct_.empty()) return Unsupported{no_direct_};
    const std::uint64_t files = context_.settings.option("files");
    for (std::uint64_t made = 0; context_.limits.may_continue() && (files == 0 || made < files); ++made) {
      if (part_ != kDirect) buffered_file();
      if (direct_ && direct_->passes_cache_by) direct_file();
    }
    tell();
    return std::nullopt;
  }

 private:
  bool does(Part part) const { return part_ == kAllParts || part_ == part; }
  std::uint64_t next_seed() { return derive_seed(seed_, 100 + steps_++); }
  RingSetup next_setup() { return requests_.setups()[steps_ % requests_.setups().size()]; }

  void buffered_file() {
    RingFile file(context_, requests_, 0, positions_);
    bool right = true;
    const auto goes_on = [&] { return right && file.has_right_size() && context_.limits.may_continue(); };
    // Without the writes as well there must be something to read.
    for (int i = 0; i < (does(kWrites) ? kWritesPerFile : 1) && (i == 0 || goes_on()); ++i) {
      right =
          write_trapped({context_, requests_, file, next_seed()}, writes_.next(), plan_.next_length(), does(kWrites));
    }
    for (int i = 0; does(kReads) && i < kReadsPerFile && goes_on() && evictable_; ++i) {
      evictable_ = read_partly_cached({context_, requests_, file, next_seed()}, reads_.next());
    }
    for (int i = 0; does(kChains) && i < kChainsPerFile && goes_on(); ++i) {
      const std::uint64_t seed = next_seed();
      run_chain({context_, requests_, file, seed}, next_setup(), chains_++);
    }
    for (int i = 0; does(kChains) && i < kSplicesPerFile && goes_on(); ++i) {
      const std::uint64_t seed = next_seed();
      run_splice({context_, requests_, file, seed}, next_setup(), i == 0);
    }
    file.judge();
  }

  void direct_file() {
    DirectRingWrites writes(context_, requests_, direct_->alignment, context_.settings.option("direct_positions") != 0);
    for (int i = 0; i < kDirectPerFile && context_.limits.may_continue(); ++i) writes.run(direct_cases_.next());
    writes.judge();
  }

  void tell() {
    std::vector<std::string> missing(requests_.refused().begin(), requests_.refused().end());
    if (!evictable_) missing.emplace_back("reads, for no page leaves the page cache here");
    if (!positions_) missing.emplace_back("positions, for nothing goes through the page cache here");
    if (does(kDirect) && !no_direct_.empty()) missing.push_back(no_direct_);
    if (does(kWrites) && context_.meter.counters().partial == 0) {
      missing.emplace_back("writes that are stopped part-way: " +
                           explain_missing_exposures(context_.meter.counters(), context_.workspace.filesystem().type));
    }
    if (!missing.empty()) context_.note = fmt::format("without {}", fmt::join(missing, ", "));
    context_.exposure_hint =
        missing.empty() ? "the requests were complete when the submitting call returned" : context_.note;
  }

  RunContext& context_;
  RingRequests& requests_;
  ArmedSizes sizes_;
  std::uint64_t part_, seed_;
  bool positions_;  // of what is not direct, whether they are looked at
  Plan plan_;
  RingCases writes_, reads_, direct_cases_;
  std::optional<DirectIo> direct_;
  std::string no_direct_;
  std::uint64_t steps_ = 0;
  unsigned chains_ = 0;
  bool evictable_ = true;
};

std::optional<Unsupported> run(RunContext& context) {
  Unsupported refused;
  const std::uint64_t longest = std::max(armed_sizes(context).write_max + 4096, kReadBytesMax);
  const auto requests = RingRequests::open(context, longest, refused);
  if (!requests) return refused;
  return RingIo(context, *requests).run();
}

}  // namespace

extern const Profile kRingIo;
const Profile kRingIo{describe, run, false, false};

}  // namespace writecanary::probe
