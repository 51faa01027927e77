// Files that writers filled, built from a log in memory, for tests to damage and have judged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/fd.h"
#include "probe/verify/verifier.h"

namespace writecanary::probe {

using Bytes = std::vector<std::byte>;

class FileUnderTest {
 public:
  explicit FileUnderTest(std::uint32_t writers = 1, bool incompressible = true, Tag tag = {.run = 77, .file = 3});

  // Logs a write and appends what it acknowledged. Returns the number of the write.
  std::size_t write(std::uint64_t length, std::uint32_t writer = 0);
  // Logs it only: fully acknowledged, or with this result.
  const WriteRef& log_write(std::uint64_t length, std::uint32_t writer = 0);
  const WriteRef& log_write(std::uint64_t length, std::uint32_t writer, std::int64_t result);
  // Appends these bytes of a writer's stream to the file.
  void put(std::uint32_t writer, std::uint64_t stream_offset, std::uint64_t length);

  // Changes of the content; what lies behind an inserted or erased part moves.
  void insert(std::uint64_t offset, const Bytes& bytes);
  void erase(std::uint64_t offset, std::uint64_t length);
  void overwrite(std::uint64_t offset, const Bytes& bytes);
  void swap_ranges(std::uint64_t first, std::uint64_t second, std::uint64_t length);
  void flip(std::uint64_t offset, unsigned char bits);

  Bytes stream(std::uint32_t writer, std::uint64_t stream_offset, std::uint64_t length) const;
  Bytes slice(std::uint64_t offset, std::uint64_t length) const;

  FileReport verify(std::size_t max_findings = 1000) const;

  FileLog log;
  Bytes content;
};

Bytes zeros(std::size_t count);
Bytes text(std::string_view text, std::size_t count);  // repeated up to this length
Bytes pattern_bytes(Tag tag, bool incompressible, std::uint64_t stream_offset, std::size_t count);

// A file without a name that holds the content.
Fd temporary_file(std::span<const std::byte> content);

// What tests compare of a finding.
struct Brief {
  FindingKind kind;
  std::uint64_t offset;
  std::uint64_t length;
  std::optional<std::uint64_t> source;

  friend bool operator==(const Brief&, const Brief&) = default;
};
std::vector<Brief> briefs(const FileReport& report);
void PrintTo(const Brief& brief, std::ostream* out);  // NOLINT(readability-identifier-naming): GoogleTest's name

}  // namespace writecanary::probe
