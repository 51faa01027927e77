// A small file of which every byte is known, and writes to it that are held open: what the held profiles share.
//
// A profile decides what is done beside a held write and what may stand in the file afterwards; here are the steps that
// all of them make. Used by one thread. What is done beside a held write must not touch the image.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "probe/access/withheld.h"
#include "probe/run/content_check.h"
#include "probe/run/run_context.h"
#include "probe/trap/held_call.h"

namespace writecanary::probe {

// What may stand in a file.
struct Legal {
  std::string name;  // "truncated before the write"
  std::vector<std::byte> image;
};

// Whose bytes: the words of a file differ by their writer.
enum Owner : std::uint8_t { kOldBytes = 0, kHeldBytes = 1, kOtherBytes = 2 };

class HeldFile {
 public:
  HeldFile(RunContext& context, WithheldMemory& memory, int flags = 0)
      : context_(context),
        memory_(memory),
        identity_(context.next_file()),
        file_(context.workspace, identity_.name, flags) {}

  int fd() const { return file_.fd(); }
  const std::string& name() const { return file_.name(); }
  std::uint64_t seed() const { return identity_.seed; }
  std::uint64_t size_bytes() const { return file_.size_bytes(); }
  // Again, with other flags. Throws SystemError.
  Fd open(int flags) const { return context_.workspace.open(file_.name(), flags); }

  // What stands in the file now.
  std::vector<std::byte>& image() { return image_; }
  std::vector<std::byte> make(Owner owner, std::uint64_t offset, std::uint64_t bytes) const;
  // Both change file and image. Throw SystemError; a write that fails, after what was acknowledged before is judged.
  void write(Owner owner, std::uint64_t offset, std::uint64_t bytes);
  void resize(std::uint64_t bytes);

  // A write at a known place, held at the page with that byte of it. `beside` runs as hold() says. A short result is
  // continued with an ordinary write. Counted as a write, exposed if it was held and `exposed` says so afterwards. The
  // image is left as it was: see accept_held(). Throws WriteFailed.
  struct Held {
    int fd = -1;
    std::uint64_t offset = 0, bytes = 0;
    std::uint64_t withheld = 0;
    std::optional<std::uint64_t> also_withheld = {};
    std::size_t lead = 0;  // of the source in its page; where it differs from the file's, a page has two sources
  };
  HeldOutcome write_held(const Held& write, const std::function<void()>& beside, const std::function<bool()>& exposed,
                         const HoldPlan& plan = {});
  // Puts those bytes of the held write into the image.
  void accept_held(std::uint64_t offset, std::uint64_t bytes) { image_ = with_held(std::move(image_), offset, bytes); }
  // An image with those bytes of the held write.
  std::vector<std::byte> with_held(std::vector<std::byte> image, std::uint64_t offset, std::uint64_t bytes) const;

  ContentView view(std::span<const std::byte> image) const;
  // Compares the file with its image and reports what is wrong: hot and cold; or cold only where hot is wrong already,
  // and for the 1st, 2nd, 4th, 8th file and so on. Going through the device costs time and wear.
  void judge() { judge_content(context_.findings, view(image_)); }
  void judge_mostly_hot();
  // After a write of those bytes that failed: nobody promised what stands there, and the rest is judged.
  void judge_before(std::uint64_t offset, std::uint64_t bytes);
  // Takes for the image what comes nearest to the file, of at least one.
  void settle(std::vector<Legal> legal);

 private:
  RunContext& context_;
  WithheldMemory& memory_;
  FileIdentity identity_;
  RunFile file_;
  std::vector<std::byte> image_;
};

// The largest chunk that is tried; see chunk_bytes().
inline constexpr std::uint64_t kChunkBytesMax = 2UL << 20;
// Where a write must begin and end so that a part of it is in the file while it is held.
//
// A kernel with large folios faults the source of a whole chunk of up to a folio in before it copies the first byte of
// it. Chunks end at multiples of a power of two: the smallest that is found to do, by trying, or nothing when no part
// is ever to be seen. Throws SystemError.
std::optional<std::uint64_t> chunk_bytes(RunContext& context, WithheldMemory& memory);

// Why nothing was exposed: that nothing can be held here, or else `otherwise`.
std::string explain_missing_holds(const WithheldMemory& memory, std::string otherwise);

}  // namespace writecanary::probe
