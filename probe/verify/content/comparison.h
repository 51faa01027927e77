// Compares what was read with what must stand there, byte for byte, and names each difference.
//
// The verifier (probe/verify/verifier.h) judges a file of appends, where content may have moved. Here every place has
// one right content, so the question is only what stands in its stead: zeros, bytes that this or another run wrote
// elsewhere or earlier, a few flipped bits, or bytes of nobody. Pure; reading is probe/run/content_check.h.
//
// Exactness: a difference begins and ends with a wrong byte, but for whole words of zeros or of another pattern, which
// are taken as a whole; right bytes between two wrong words of a kind belong to the difference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probe/pattern/pattern.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {

class Comparison {
 public:
  // `run_tag` is the run's own, so that words of others are known as such. Findings beyond `max_findings` are only
  // counted.
  Comparison(std::string file, std::uint16_t run_tag, bool incompressible, std::size_t max_findings);

  // The next piece, in file order: equally long spans that begin at this offset of the file. A difference may go on
  // from one piece to the next.
  void add(std::uint64_t file_offset, std::span<const std::byte> found, std::span<const std::byte> expected);
  // What must be in the file and is not, or the other way round: from `offset` to its end.
  void add_size(std::uint64_t size_bytes, std::uint64_t expected_bytes);
  // What a read returned from behind the end of the file, or behind all that was ever asked to be written; 0: nothing.
  void add_behind_end(std::uint64_t end_bytes, std::uint64_t returned_bytes);

  const FileReport& report() const { return report_; }

 private:
  struct Word {
    FindingKind kind = FindingKind::kForeign;
    std::optional<std::uint64_t> source = {};
    Tag other = {};
    bool whole = false;  // no byte of it is right but by chance
  };
  Word classify(std::span<const std::byte> found, std::span<const std::byte> expected,
                std::span<const std::byte> following) const;
  bool continues_last(const Word& word, std::uint64_t begin) const;
  void begin_finding(const Word& word, std::uint64_t begin, std::uint64_t file_offset, std::span<const std::byte> found,
                     std::span<const std::byte> expected);
  void extend_last(std::uint64_t end);

  std::string file_;
  std::uint16_t run_tag_;
  bool incompressible_;
  std::size_t max_findings_;
  std::uint64_t page_bytes_;
  FileReport report_;
  // The difference that the next word may go on with; it is the report's last finding unless there are too many.
  struct Last {
    Word word;
    std::uint64_t begin = 0, end = 0;
    bool kept = false;
  };
  std::optional<Last> last_;
};

}  // namespace writecanary::probe
