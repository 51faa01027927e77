// Tells where the words at a file position come from, in the light of what stood before.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "probe/pattern/file_log.h"
#include "probe/verify/segment.h"
#include "probe/verify/window.h"

namespace writecanary::probe {

// Whole words, one after the other, that come from one place.
struct WordRun {
  Content content = Content::kUnknown;
  Tag tag = {};
  std::optional<Pattern> pattern = {};  // own and other
  std::uint64_t stream_max = 0;         // where the stream ends
  std::uint64_t end = 0;                // file position behind its last word
  std::uint64_t stream_end = 0;         // and what would stand there

  // The word that would stand behind it, or `words` further on; none beyond the end of the stream.
  std::optional<std::uint64_t> next_word(std::uint64_t words = 0) const;
};

class Recognizer {
 public:
  // Refers to both, which must outlive it.
  Recognizer(Window& window, const LogIndex& index);

  // The run, still of no words, that begins at the position; none when the words there are not to be believed.
  // `on_word` says that a word is to be expected there: elsewhere zeros are not looked for, and another run's pattern
  // needs three words.
  std::optional<WordRun> identify(std::uint64_t position, bool on_word);
  WordRun own_run(std::uint32_t writer, std::uint64_t position, std::uint64_t stream_offset) const;
  // Whether the word is what its writer's stream goes on with when all goes well.
  bool is_in_order(std::uint64_t word) const;
  // Own bytes were found; they decide what is in order and in place from here on.
  void note(const Segment& segment);

  struct WordPair {
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> second;
  };
  // The words at the position, as far as the file goes.
  WordPair peek(std::uint64_t position);

 private:
  bool is_own(const Tag& tag) const;
  bool is_in_order(const DecodedWord& word) const;
  std::optional<WordRun> identify_own(std::uint64_t position, const WordPair& found) const;

  Window& window_;
  const LogIndex& index_;
  std::vector<std::uint64_t> next_;  // per writer, stream end of the last own bytes
  std::vector<std::uint64_t> high_;  // per writer, the highest of these
  std::uint64_t shift_ = 0;          // of the last own bytes: file position minus stream offset, may wrap
  std::uint32_t shift_writer_ = 0;
};

}  // namespace writecanary::probe
