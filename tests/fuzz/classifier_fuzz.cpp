// The classifier: whatever segments a file is made of and whatever was written, there is an answer, in file order,
// within the file, and a file that holds just what was acknowledged has nothing wrong with it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "probe/verify/classifier.h"

namespace writecanary::probe {
namespace {

// Numbers out of the input; zeros when it is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool is_used_up() const { return at_ == size_; }
  std::uint64_t below(std::uint64_t limit) {
    const std::uint64_t low = byte();
    return (byte() << 8 | low) % limit;
  }

 private:
  std::uint64_t byte() { return at_ < size_ ? data_[at_++] : 0; }

  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

FileLog draw_log(Input& input) {
  FileLog log{.name = "f", .tag = {.run = 7, .file = 1}, .incompressible = true, .writers = {}};
  log.writers.resize(1 + input.below(3));
  for (std::uint32_t writer = 0; writer < log.writers.size(); ++writer) {
    std::uint64_t offset = 0;
    for (std::uint64_t left = input.below(6); left > 0; --left) {
      WriteRef write;
      write.index = log.writers[writer].size();
      write.writer = writer;
      write.stream_offset_bytes = offset;
      write.length_bytes = 1 + input.below(9000);
      write.result =
          static_cast<std::int64_t>(input.below(4) == 0 ? input.below(write.length_bytes + 1) : write.length_bytes);
      offset += acknowledged(write);
      log.writers[writer].push_back(write);
    }
  }
  return log;
}

// As a file may hold them: only what is of one of its own writers is called its own.
std::vector<Segment> draw_segments(Input& input, std::size_t writers) {
  std::vector<Segment> segments;
  std::uint64_t offset = 0;
  while (!input.is_used_up() && segments.size() < 64) {
    Segment segment;
    segment.file_offset = offset;
    segment.length = 1 + input.below(5000);
    segment.content = static_cast<Content>(input.below(5));
    segment.tag = {.run = 7, .file = 1};
    const bool own = segment.content == Content::kOwn || segment.content == Content::kFlipped;
    segment.tag.writer = static_cast<std::uint8_t>(input.below(own ? writers : 4));
    segment.stream_offset = input.below(20'000);
    offset += segment.length;
    segments.push_back(segment);
  }
  return segments;
}

// One writer, everything in its place.
std::vector<Segment> undamaged(const LogIndex& index) {
  if (index.acknowledged_bytes(0) == 0) return {};
  return {{.file_offset = 0,
           .length = index.acknowledged_bytes(0),
           .content = Content::kOwn,
           .tag = index.log().tag,
           .stream_offset = 0}};
}

}  // namespace
}  // namespace writecanary::probe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using writecanary::probe::Fault;
  writecanary::probe::Input input(data, size);
  const auto log = writecanary::probe::draw_log(input);
  const writecanary::probe::LogIndex index(log);
  const auto segments = writecanary::probe::draw_segments(input, log.writers.size());
  const auto faults = writecanary::probe::classify(segments, index);
  WC_CHECK(std::ranges::is_sorted(faults, {}, &Fault::file_offset));
  if (index.writers() == 1) {
    WC_CHECK(writecanary::probe::classify(writecanary::probe::undamaged(index), index).empty());
  }
  return 0;
}
