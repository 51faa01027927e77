#include "probe/profiles/held/held_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include "core/base/error.h"
#include "core/base/retried.h"
#include "probe/access/range_state.h"
#include "probe/pattern/pattern.h"

namespace writecanary::probe {

std::vector<std::byte> HeldFile::make(Owner owner, std::uint64_t offset, std::uint64_t bytes) const {
  Tag tag = identity_.tag;
  tag.writer = owner;
  std::vector<std::byte> made(bytes);
  Pattern(tag, identity_.incompressible).fill_bytes(offset, made);
  return made;
}

void HeldFile::write(Owner owner, std::uint64_t offset, std::uint64_t bytes) {
  const std::vector<std::byte> made = make(owner, offset, bytes);
  context_.meter.cover(CoveredOperation::kWrite, CoveredWay::kPlain, state_of(fd(), {offset, bytes}, image_.size()));
  try {
    write_counted(context_.meter, fd(), name(), offset, made);
  } catch (const WriteFailed&) {
    judge_before(offset, bytes);
    throw;
  }
  if (image_.size() < offset + bytes) image_.resize(offset + bytes);
  std::ranges::copy(made, image_.begin() + static_cast<std::ptrdiff_t>(offset));
}

void HeldFile::resize(std::uint64_t bytes) {
  if (retried([&] { return ftruncate(fd(), static_cast<off_t>(bytes)); }) != 0) throw_errno("truncate " + name());
  image_.resize(bytes);
}

HeldOutcome HeldFile::write_held(const Held& write, const std::function<void()>& beside,
                                 const std::function<bool()>& exposed, const HoldPlan& plan) {
  const std::vector<std::byte> made = make(kHeldBytes, write.offset, write.bytes);
  context_.meter.cover(CoveredOperation::kWrite, CoveredWay::kHeld,
                       state_of(fd(), {write.offset, write.bytes}, image_.size()));
  const auto source = memory_.fill(made, write.lead, write.withheld);
  if (write.also_withheld) memory_.take_away(*write.also_withheld);
  const HeldOutcome outcome = hold(
      memory_,
      [&] {
        const ssize_t returned =
            retried([&] { return pwrite(write.fd, source.data(), source.size(), static_cast<off_t>(write.offset)); });
        return returned < 0 ? -errno : returned;
      },
      beside, plan);
  WriteRef ref;
  ref.length_bytes = write.bytes;
  ref.result = outcome.result;
  context_.meter.count(ref, outcome.held() && exposed());
  if (outcome.result < 0) throw WriteFailed(name(), write.offset, static_cast<int>(-outcome.result));
  const auto done = static_cast<std::uint64_t>(outcome.result);
  write_counted(context_.meter, fd(), name(), write.offset + done, std::span(made).subspan(done));
  return outcome;
}

std::vector<std::byte> HeldFile::with_held(std::vector<std::byte> image, std::uint64_t offset,
                                           std::uint64_t bytes) const {
  image.resize(std::max<std::uint64_t>(image.size(), offset + bytes));
  std::ranges::copy(make(kHeldBytes, offset, bytes), image.begin() + static_cast<std::ptrdiff_t>(offset));
  return image;
}

ContentView HeldFile::view(std::span<const std::byte> image) const {
  return {.fd = fd(),
          .name = name(),
          .size_bytes = image.size(),
          .expected = bytes_of(image),
          .run_tag = identity_.tag.run,
          .incompressible = identity_.incompressible};
}

void HeldFile::judge_before(std::uint64_t offset, std::uint64_t bytes) {
  image_.resize(std::max<std::uint64_t>(image_.size(), std::min(size_bytes(), offset + bytes)));
  if (offset < image_.size()) {
    const std::uint64_t there = std::min<std::uint64_t>(bytes, image_.size() - offset);
    take_over(fd(), name(), offset, std::span(image_).subspan(offset, there));
  }
  judge();
}

void HeldFile::judge_mostly_hot() {
  FileReport hot = compare_content(view(image_), context_.findings.wanted());
  if (hot.tally.total() != 0 || std::has_single_bit(context_.meter.counters().files)) {
    return judge_content(context_.findings, view(image_), std::move(hot));
  }
  context_.findings.report(hot, view(image_));
}

void HeldFile::settle(std::vector<Legal> legal) {
  const auto wrong_bytes = [this](const Legal& one) {
    const FindingTally tally = compare_content(view(one.image), 0).tally;
    std::uint64_t bytes = 0;
    for (const std::uint64_t of_kind : tally.bytes) bytes += of_kind;
    return tally.total() == 0 ? 0 : std::max<std::uint64_t>(bytes, 1);
  };
  auto nearest = legal.begin();
  std::uint64_t least = wrong_bytes(*nearest);
  for (auto one = std::next(nearest); least != 0 && one != legal.end(); ++one) {
    if (const std::uint64_t bytes = wrong_bytes(*one); bytes < least) least = bytes, nearest = one;
  }
  image_ = std::move(nearest->image);
}

std::optional<std::uint64_t> chunk_bytes(RunContext& context, WithheldMemory& memory) {
  constexpr int kTries = 3;  // a busy machine may not hold the first one
  const std::uint64_t page = context.workspace.page_bytes();
  for (const std::uint64_t chunk : {16 * page, kChunkBytesMax}) {
    HeldFile file(context, memory);
    std::uint64_t size = 0;
    HeldOutcome outcome;
    for (int i = 0; i < kTries && memory.refusal().empty() && !outcome.held(); ++i) {
      file.resize(0);
      outcome = file.write_held(
          {.fd = file.fd(), .offset = chunk - page, .bytes = 3 * page, .withheld = 2 * page},
          [&] { size = file.size_bytes(); }, [] { return false; });
    }
    if (outcome.held() && size != 0) return chunk;
  }
  return std::nullopt;
}

std::string explain_missing_holds(const WithheldMemory& memory, std::string otherwise) {
  return memory.refusal().empty() ? otherwise : "no call can be held open: " + memory.refusal();
}

}  // namespace writecanary::probe
