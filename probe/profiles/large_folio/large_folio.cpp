// large-folio: readers all over a file whose page cache is thrown away, cut and punched under them.
//
// Big writes make big folios. When one is split, dropped or shortened while somebody looks it up, a reader can get a
// page of another place or file. The first half of the file never changes, so any other byte seen there is wrong; the
// second half is rewritten, truncated and punched, and is judged exactly when the file rests.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <future>
#include <vector>

#include "core/base/error.h"
#include "probe/pattern/plan.h"
#include "probe/profiles/large_folio/folio_file.h"
#include "probe/run/profile.h"

namespace writecanary::probe {
namespace {

ProfileInfo describe() {
  return {
      .name = "large-folio",
      .title = "readers against eviction and truncation",
      .description =
          "Big writes, some of them with RWF_DONTCACHE, and fadvise(DONTNEED), reclaim of the run's cgroup, truncate "
          "and "
          "punch of known ranges, while threads read all over the file.",
      .role = "detector",
      .oracle =
          "Every word read names this file and its own place. At rest the file is exactly what was written, cut and "
          "punched, in the page cache and on storage.",
      .exposure = "A read raced a truncation, a punch, or an eviction that took pages away (mincore).",
      .needs_io_uring = false,
      .options = {{"readers", "threads that read", "count", 1, 8, 2},
                  {"file_bytes", "size of a file", "bytes", 1 << 20, 64 << 20, 8 << 20},
                  {"changes", "changes made to a file", "count", 1, 10'000, 40},
                  {"files", "files; 0: until another limit", "count", 0, 100'000, 5}},
      .references =
          {"https://git.kernel.org/linus/6758c1128ceb (mm/filemap: optimize filemap folio adding, 6.10)",
           "https://git.kernel.org/linus/a4864671ca0b (lib/xarray: introduce a new helper xas_get_order, 6.10)",
           "https://git.kernel.org/linus/095f627add86 (RWF_DONTCACHE, 6.14 to 6.15)"},
  };
}

// On a busy machine the readers may not run for a while, and changes that nobody reads beside prove nothing.
constexpr timespec kWait{0, 50'000};
constexpr int kWaitsMax = 1000;  // a reader that failed does not catch up

constexpr std::uint64_t kLooksTogether = 6;  // after a change all readers look at these places before others

// What the threads of a round see of each other.
struct RaceState {
  std::atomic<std::uint64_t> evictions{0};  // begun and ended ones
  std::atomic<std::uint64_t> looks{0};
  std::atomic<bool> done{false};
};

struct Reads {
  struct Raced {
    std::uint64_t first = 0, behind = 0;  // numbers of the evictions, from 0, that the read was beside
  };
  std::vector<Raced> raced;
  FolioFile::Looks looks;
};

// Reads until told to end: after each change first where all others read too, since it takes two that bring in the same
// page to show some bugs, then at random places.
Reads read_all_over(const FolioFile& file, std::uint64_t seed, std::uint64_t common_seed, RaceState& state) {
  Reads made;
  FolioFile::Reader reader(file);
  std::uint64_t seen = 0, since = kLooksTogether;
  for (std::uint64_t i = 0; !state.done; ++i) {
    const std::uint64_t before = state.evictions;
    since = before == seen ? since + 1 : 0;
    seen = before;
    const bool together = since < kLooksTogether;
    reader.look(together ? derive_seed(common_seed, before * kLooksTogether + since) : derive_seed(seed, i),
                made.looks);
    const std::uint64_t after = state.evictions;
    if (before % 2 == 1 || before != after) made.raced.push_back({before / 2, (after + 1) / 2});
    state.looks.fetch_add(1);
  }
  return made;
}

class FolioRound {
 public:
  explicit FolioRound(RunContext& context) : FolioRound(context, context.next_file()) {}

  void run() {
    try {
      file_.fill();
      race();
    } catch (const WriteFailed&) {  // what was acknowledged before is judged
      file_.settle(own_looks_);
      file_.judge();
      throw;
    }
    file_.judge();
  }

 private:
  FolioRound(RunContext& context, const FileIdentity& identity)
      : context_(context), file_(context, identity, context.settings.option("file_bytes")), seed_(identity.seed) {}

  // Readers look while the file is changed and evicted under them.
  void race() {
    std::vector<std::future<Reads>> readers;
    {
      const Ender ender{state_.done};
      for (std::uint64_t i = 0; i < context_.settings.option("readers"); ++i) {
        readers.push_back(std::async(std::launch::async, read_all_over, std::cref(file_), derive_seed(seed_, 1000 + i),
                                     derive_seed(seed_, 999), std::ref(state_)));
      }
      for (std::uint64_t i = 0; i < context_.settings.option("changes") && context_.limits.may_continue(); ++i) {
        change(derive_seed(seed_, i), derive_seed(seed_, 500'000 + i));
        wait_for_a_look();
      }
    }
    for (auto& reader : readers) {
      const Reads reads = reader.get();
      context_.meter.expose(static_cast<std::uint64_t>(
          std::ranges::count_if(reads.raced, [this](const Reads::Raced& raced) { return had_effect(raced); })));
      file_.settle(reads.looks);
    }
    file_.settle(own_looks_);
  }

  struct Ender {
    std::atomic<bool>& done;
    ~Ender() { done = true; }
  };

  void wait_for_a_look() const {
    const std::uint64_t before = state_.looks;
    for (int i = 0; i < kWaitsMax && state_.looks == before; ++i) nanosleep(&kWait, nullptr);
  }

  void change(std::uint64_t choice, std::uint64_t where) {
    switch (choice % 10) {
      case 0:
        return file_.rewrite_stable(where);
      case 1:
      case 2:
        return file_.rewrite(where, false);
      case 3:
        return file_.rewrite(where, true);
      default:
        break;
    }
    state_.evictions.fetch_add(1);
    effects_.push_back(evict(choice % 10, where));
    state_.evictions.fetch_add(1);
  }

  // Whether it took anything away.
  bool evict(std::uint64_t choice, std::uint64_t where) {
    switch (choice) {
      case 4:
        return file_.punch(where);
      case 5:
        file_.truncate(where);
        return true;
      case 6:
        return file_.drop(0, file_.size_bytes());
      case 7:
        return file_.drop(where % file_.size_bytes(), file_.size_bytes() / 4);
      default:
        return file_.reclaim(own_looks_);
    }
  }

  bool had_effect(const Reads::Raced& raced) const {
    for (std::uint64_t i = raced.first; i < std::min<std::uint64_t>(raced.behind, effects_.size()); ++i) {
      if (effects_[i]) return true;
    }
    return false;
  }

  RunContext& context_;
  FolioFile file_;
  std::uint64_t seed_;
  RaceState state_;
  FolioFile::Looks own_looks_;  // of the thread that makes the changes
  std::vector<bool> effects_;   // of each eviction
};

std::optional<Unsupported> run(RunContext& context) {
  const std::uint64_t files = context.settings.option("files");
  for (std::uint64_t made = 0; context.limits.may_continue() && (files == 0 || made < files); ++made)
    FolioRound(context).run();
  context.exposure_hint = "no read raced an eviction that took pages away; give it more files or changes";
  if (!context.pressure.available()) {
    context.note += std::string(context.note.empty() ? "" : ", ") +
                    "without reclaim, for which there is no memory cgroup: " + context.pressure.facts().reason;
  }
  return std::nullopt;
}

}  // namespace

extern const Profile kLargeFolio;
const Profile kLargeFolio{describe, run, false, false};

}  // namespace writecanary::probe
