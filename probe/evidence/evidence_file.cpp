#include "probe/evidence/evidence_file.h"

#include <fmt/format.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/error.h"
#include "core/base/json_fields.h"
#include "core/base/limits.h"
#include "core/run/protocol.h"
#include "core/text/hex.h"
#include "probe/verify/scanner.h"

namespace writecanary::probe {
namespace {

// More than this is noise: the damaged file itself is there.
constexpr std::size_t kSegmentsListed = 2000;
constexpr std::size_t kBoundariesListed = 100;
constexpr std::size_t kExtentsListed = 1000;
constexpr std::size_t kBufferWords = 32UL * 1024;

constexpr std::array kContentNames = {"own", "flipped", "other", "zeros", "unknown"};

// Flags of linux/fiemap.h in words, in the order of their bits.
struct ExtentFlag {
  std::uint32_t bit;
  const char* name;
};
constexpr std::array kExtentFlags = {ExtentFlag{FIEMAP_EXTENT_LAST, "last"},
                                     ExtentFlag{FIEMAP_EXTENT_UNKNOWN, "unknown"},
                                     ExtentFlag{FIEMAP_EXTENT_DELALLOC, "delalloc"},
                                     ExtentFlag{FIEMAP_EXTENT_ENCODED, "encoded"},
                                     ExtentFlag{FIEMAP_EXTENT_NOT_ALIGNED, "not_aligned"},
                                     ExtentFlag{FIEMAP_EXTENT_DATA_INLINE, "inline"},
                                     ExtentFlag{FIEMAP_EXTENT_UNWRITTEN, "unwritten"},
                                     ExtentFlag{FIEMAP_EXTENT_MERGED, "merged"},
                                     ExtentFlag{FIEMAP_EXTENT_SHARED, "shared"}};

bool has_stream(const Segment& segment) {
  return segment.content == Content::kOwn || segment.content == Content::kFlipped || segment.content == Content::kOther;
}

nlohmann::json segment_json(const Segment& segment) {
  nlohmann::json item = {{"offset_bytes", segment.file_offset},
                         {"length_bytes", segment.length},
                         {"content", kContentNames[static_cast<std::size_t>(segment.content)]}};
  if (!has_stream(segment)) return item;
  item["run_tag"] = segment.tag.run;
  item["file_tag"] = segment.tag.file;
  item["writer"] = segment.tag.writer;
  item["stream_offset_bytes"] = segment.stream_offset;
  return item;
}

nlohmann::json boundary_json(const Segment& before, const LogIndex& index, Window& window) {
  const std::uint64_t place = before.file_end();
  const std::uint64_t back =
      std::min<std::uint64_t>({place, kHexContextBytes / 2, has_stream(before) ? before.stream_end() : place});
  nlohmann::json item = {{"offset_bytes", place},
                         {"context_offset_bytes", place - back},
                         {"found_hex", to_hex(window.bytes(place - back, kHexContextBytes))},
                         {"expected_hex", ""}};
  if (has_stream(before)) {
    std::array<std::byte, kHexContextBytes> expected;
    if (before.content == Content::kOther) {
      Pattern(before.tag, index.log().incompressible).fill_bytes(before.stream_end() - back, expected);
    } else {
      index.expect(before.tag.writer, before.stream_end() - back, expected);
    }
    item["expected_hex"] = to_hex(expected);
  }
  return item;
}

nlohmann::json listing(nlohmann::json items, std::uint64_t total) {
  return {{"items", std::move(items)}, {"total", total}};
}

}  // namespace

ContentParts content_parts(int fd, const FileLog& log, std::uint64_t size_bytes) {
  const LogIndex index(log);
  std::vector<std::uint64_t> buffer(kBufferWords);
  Window window(fd, log.name, size_bytes, buffer);
  const std::vector<Segment> segments = scan(window, index);
  nlohmann::json listed = nlohmann::json::array();
  nlohmann::json boundaries = nlohmann::json::array();
  for (std::size_t i = 0; i < std::min(segments.size(), kSegmentsListed); ++i) {
    listed.push_back(segment_json(segments[i]));
    if (i > 0 && boundaries.size() < kBoundariesListed) {
      boundaries.push_back(boundary_json(segments[i - 1], index, window));
    }
  }
  return {listing(std::move(listed), segments.size()),
          listing(std::move(boundaries), segments.empty() ? 0 : segments.size() - 1)};
}

nlohmann::json extents_part(int fd) {
  std::vector<std::byte> memory(sizeof(fiemap) + kExtentsListed * sizeof(fiemap_extent));
  auto* map = reinterpret_cast<fiemap*>(memory.data());
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_extent_count = kExtentsListed;
  if (ioctl(fd, FS_IOC_FIEMAP, map) != 0) throw_errno("FS_IOC_FIEMAP");
  nlohmann::json items = nlohmann::json::array();
  for (std::uint32_t i = 0; i < map->fm_mapped_extents; ++i) {
    const fiemap_extent& extent = map->fm_extents[i];
    nlohmann::json flags = nlohmann::json::array();
    for (const ExtentFlag& flag : kExtentFlags) {
      if ((extent.fe_flags & flag.bit) != 0) flags.push_back(flag.name);
    }
    items.push_back({{"offset_bytes", extent.fe_logical},
                     {"device_offset_bytes", extent.fe_physical},
                     {"length_bytes", extent.fe_length},
                     {"flags", std::move(flags)}});
  }
  const bool all = items.empty() || (map->fm_extents[items.size() - 1].fe_flags & FIEMAP_EXTENT_LAST) != 0;
  return {{"items", std::move(items)}, {"complete", all}};
}

nlohmann::json log_part(const FileLog& log) {
  nlohmann::json part = {{"file", log.name},
                         {"run_tag", log.tag.run},
                         {"file_tag", log.tag.file},
                         {"incompressible", log.incompressible},
                         {"writers", log.writers}};
  if (log.extender) part["extender"] = *log.extender;
  return part;
}

FileLog parse_log_part(const nlohmann::json& part) {
  FileLog log;
  std::uint32_t run_tag = 0, file_tag = 0;
  JsonFields fields(part, "log of writes");
  fields.require("file", log.name);
  fields.require("run_tag", run_tag);
  fields.require("file_tag", file_tag);
  fields.require("incompressible", log.incompressible);
  if (run_tag == 0 || run_tag > kRunTagMax) fields.fail("run_tag", fmt::format("1 to {}", kRunTagMax), run_tag);
  if (file_tag > kFileTagMax) fields.fail("file_tag", fmt::format("0 to {}", kFileTagMax), file_tag);
  log.tag = {static_cast<std::uint16_t>(run_tag), static_cast<std::uint16_t>(file_tag), 0};
  const auto writers = part.find("writers");
  if (writers == part.end() || !writers->is_array() || writers->empty() ||
      writers->size() > kWriterTagMax + std::size_t{1}) {
    fields.fail("writers", fmt::format("1 to {} lists of writes", kWriterTagMax + 1),
                part.value("writers", nlohmann::json()));
  }
  for (const nlohmann::json& writes : *writers) {
    auto& list = log.writers.emplace_back();
    std::uint64_t next = 0;
    for (const nlohmann::json& write : writes) {
      from_json(write, list.emplace_back());
      // LogIndex takes what is wrong here for a bug of its caller; here it is a document that somebody changed.
      const WriteRef& read = list.back();
      if (read.stream_offset_bytes != next || read.length_bytes > kStreamBytesMax - next) {
        fields.fail("writers", fmt::format("a write at stream offset {} within {} bytes", next, kStreamBytesMax),
                    write);
      }
      if (read.writer + 1 != log.writers.size()) fields.fail("writers", "each writer's own writes", write);
      next += acknowledged(read);
    }
  }
  if (part.contains("extender")) {
    std::uint32_t extender = 0;
    fields.require("extender", extender);
    if (extender >= log.writers.size()) {
      fields.fail("extender", fmt::format("one of the {} writers", log.writers.size()), extender);
    }
    log.extender = extender;
  }
  return log;
}

}  // namespace writecanary::probe
