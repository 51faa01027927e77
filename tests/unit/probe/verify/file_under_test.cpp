#include "tests/unit/probe/file_under_test.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string>

#include "core/base/error.h"

namespace writecanary::probe {
namespace {

Bytes::iterator at(Bytes& bytes, std::uint64_t offset) { return bytes.begin() + static_cast<std::ptrdiff_t>(offset); }
Bytes::const_iterator at(const Bytes& bytes, std::uint64_t offset) {
  return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
}

}  // namespace

FileUnderTest::FileUnderTest(std::uint32_t writers, bool incompressible, Tag tag)
    : log{.name = "f", .tag = tag, .incompressible = incompressible, .writers = {}} {
  log.writers.resize(writers);
}

std::size_t FileUnderTest::write(std::uint64_t length, std::uint32_t writer) {
  const WriteRef& write = log_write(length, writer);
  put(writer, write.stream_offset_bytes, length);
  return write.index;
}

const WriteRef& FileUnderTest::log_write(std::uint64_t length, std::uint32_t writer) {
  return log_write(length, writer, static_cast<std::int64_t>(length));
}

const WriteRef& FileUnderTest::log_write(std::uint64_t length, std::uint32_t writer, std::int64_t result) {
  auto& writes = log.writers[writer];
  const std::uint64_t begin = writes.empty() ? 0 : writes.back().stream_offset_bytes + acknowledged(writes.back());
  writes.push_back({.index = writes.size(),
                    .writer = writer,
                    .stream_offset_bytes = begin,
                    .length_bytes = length,
                    .route = Route::kPunted,
                    .result = result});
  return writes.back();
}

void FileUnderTest::put(std::uint32_t writer, std::uint64_t stream_offset, std::uint64_t length) {
  insert(content.size(), stream(writer, stream_offset, length));
}

void FileUnderTest::insert(std::uint64_t offset, const Bytes& bytes) {
  content.insert(at(content, offset), bytes.begin(), bytes.end());
}

void FileUnderTest::erase(std::uint64_t offset, std::uint64_t length) {
  content.erase(at(content, offset), at(content, offset + length));
}

void FileUnderTest::overwrite(std::uint64_t offset, const Bytes& bytes) {
  std::ranges::copy(bytes, at(content, offset));
}

void FileUnderTest::swap_ranges(std::uint64_t first, std::uint64_t second, std::uint64_t length) {
  std::swap_ranges(at(content, first), at(content, first + length), at(content, second));
}

void FileUnderTest::flip(std::uint64_t offset, unsigned char bits) { content.at(offset) ^= std::byte{bits}; }

Bytes FileUnderTest::stream(std::uint32_t writer, std::uint64_t stream_offset, std::uint64_t length) const {
  Tag tag = log.tag;
  tag.writer = static_cast<std::uint8_t>(writer);
  return pattern_bytes(tag, log.incompressible, stream_offset, length);
}

Bytes FileUnderTest::slice(std::uint64_t offset, std::uint64_t length) const {
  return {at(content, offset), at(content, offset + length)};
}

FileReport FileUnderTest::verify(std::size_t max_findings) const {
  const Fd fd = temporary_file(content);
  FileReport read = Verifier().verify(fd.get(), log, max_findings);
  EXPECT_EQ(briefs(Verifier().verify(fd.get(), log, max_findings, Access::kMapped)), briefs(read));
  return read;
}

Bytes zeros(std::size_t count) { return Bytes(count); }

Bytes text(std::string_view text, std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::byte>(text[i % text.size()]);
  return bytes;
}

Bytes pattern_bytes(Tag tag, bool incompressible, std::uint64_t stream_offset, std::size_t count) {
  Bytes bytes(count);
  Pattern(tag, incompressible).fill_bytes(stream_offset, bytes);
  return bytes;
}

Fd temporary_file(std::span<const std::byte> content) {
  std::string path = testing::TempDir() + "writecanary-test-XXXXXX";
  Fd fd(mkstemp(path.data()));
  if (!fd) throw_errno("mkstemp " + path);
  unlink(path.c_str());
  write_all(fd.get(), {reinterpret_cast<const char*>(content.data()), content.size()});
  return fd;
}

std::vector<Brief> briefs(const FileReport& report) {
  std::vector<Brief> result;
  for (const Finding& finding : report.findings) {
    result.push_back({finding.kind, finding.offset_bytes, finding.length_bytes, finding.source_offset_bytes});
  }
  return result;
}

void PrintTo(const Brief& brief, std::ostream* out) {
  *out << to_string(brief.kind) << " at " << brief.offset << " length " << brief.length << " source ";
  if (brief.source) {
    *out << *brief.source;
  } else {
    *out << "none";
  }
}

}  // namespace writecanary::probe
