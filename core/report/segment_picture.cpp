#include "core/report/segment_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/json_fields.h"

namespace writecanary {
namespace {

constexpr std::size_t kRowsMax = 10;
constexpr std::uint64_t kBarColumns = 16;

struct Block {
  std::uint64_t offset = 0, length = 0, stream_offset = 0;
  std::uint32_t writer = 0;
  std::string content;

  std::uint64_t end() const { return offset + length; }
  char sign() const {
    if (content == "own") return static_cast<char>('A' + writer % 26);
    if (content == "flipped") return '~';
    if (content == "other") return '!';
    return content == "zeros" ? '0' : '?';
  }
  std::string words() const {
    const std::string stream = fmt::format("{} to {}", stream_offset, stream_offset + length - 1);
    if (content == "own") return fmt::format("writer {}, bytes {}", writer, stream);
    if (content == "flipped") return fmt::format("writer {}, bytes {}, with wrong bits", writer, stream);
    if (content == "other") return fmt::format("another file or run, writer {}, bytes {}", writer, stream);
    return content == "zeros" ? "zeros" : "nothing that a canary wrote";
  }
};

Block parse_block(const nlohmann::json& item) {
  Block block;
  JsonFields fields(item, "segment");
  fields.require("offset_bytes", block.offset);
  fields.require("length_bytes", block.length);
  fields.require("content", block.content);
  fields.accept("writer", block.writer);
  fields.accept("stream_offset_bytes", block.stream_offset);
  return block;
}

// The stretch of blocks that touch [begin, end), with a neighbour on either side.
std::vector<Block> around(const nlohmann::json& segments, std::uint64_t begin, std::uint64_t end) {
  std::vector<Block> blocks;
  for (const nlohmann::json& item : segments) {
    Block block = parse_block(item);
    if (block.end() < begin) continue;
    blocks.push_back(std::move(block));
    if (blocks.back().offset >= end) break;
  }
  return blocks;
}

std::string row(const Block& block, std::uint64_t longest) {
  const std::uint64_t columns =
      std::max<std::uint64_t>(1, block.length * kBarColumns / std::max<std::uint64_t>(longest, 1));
  return fmt::format("  {:#012x} {:>9}  {:<{}}  {}\n", block.offset, block.length,
                     std::string(std::min(columns, kBarColumns), block.sign()), kBarColumns, block.words());
}

}  // namespace

std::string segment_picture(const nlohmann::json& segments, std::uint64_t offset_bytes, std::uint64_t length_bytes) {
  if (!segments.is_array()) return {};
  const std::vector<Block> blocks =
      around(segments, offset_bytes, offset_bytes + std::max<std::uint64_t>(length_bytes, 1));
  if (blocks.empty()) return {};
  const std::uint64_t longest = std::ranges::max_element(blocks, {}, &Block::length)->length;
  std::string text = fmt::format("  {:<12} {:>9}\n", "offset", "bytes");
  const bool shortened = blocks.size() > kRowsMax;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const bool hidden = shortened && i >= kRowsMax / 2 && i < blocks.size() - kRowsMax / 2;
    if (!hidden) text += row(blocks[i], longest);
    if (hidden && i == kRowsMax / 2) text += fmt::format("  ... {} segments more ...\n", blocks.size() - kRowsMax);
  }
  return text;
}

}  // namespace writecanary
