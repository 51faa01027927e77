#include "tests/support/damage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace writecanary::damagefs {
namespace {

// No write request of FUSE is longer (Linux: 256 pages).
constexpr std::uint64_t kRequestBytesMax = 1 << 20;

constexpr std::array<std::pair<Kind, std::string_view>, 10> kNames = {{{Kind::kNone, "none"},
                                                                       {Kind::kDuplicate, "duplicate"},
                                                                       {Kind::kDrop, "drop"},
                                                                       {Kind::kFlip, "flip"},
                                                                       {Kind::kZero, "zero"},
                                                                       {Kind::kReorder, "reorder"},
                                                                       {Kind::kStale, "stale"},
                                                                       {Kind::kForeign, "foreign"},
                                                                       {Kind::kTruncate, "truncate"},
                                                                       {Kind::kExtend, "extend"}}};

Kind parse_kind(std::string_view text) {
  for (const auto& [kind, name] : kNames) {
    if (name == text) return kind;
  }
  throw std::invalid_argument(fmt::format("rule: kind \"{}\" is unknown", text));
}

std::uint64_t parse_number(std::string_view key, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::invalid_argument(fmt::format("rule: {}: expected a number, got \"{}\"", key, text));
  }
  return value;
}

void set(Rule& rule, std::string_view key, std::string_view value) {
  if (key == "kind") {
    rule.kind = parse_kind(value);
  } else if (key == "file") {
    rule.file = value;
  } else if (key == "at") {
    rule.at = parse_number(key, value);
  } else if (key == "every") {
    rule.every = parse_number(key, value);
  } else if (key == "offset") {
    rule.offset_bytes = parse_number(key, value);
  } else if (key == "place") {
    rule.place = parse_number(key, value);
  } else if (key == "on") {
    if (value != "read" && value != "write") throw std::invalid_argument("rule: on: must be read or write");
    rule.on_read = value == "read";
  } else if (key == "length") {
    rule.length_bytes = parse_number(key, value);
  } else if (key == "bit") {
    rule.bit = static_cast<unsigned>(parse_number(key, value));
  } else {
    throw std::invalid_argument(
        fmt::format("rule: \"{}\" is none of kind, on, file, at, every, offset, place, length, bit", key));
  }
}

bool changes_length(Kind kind) {
  return kind == Kind::kDuplicate || kind == Kind::kDrop || kind == Kind::kTruncate || kind == Kind::kExtend;
}

// What stands at an offset does not depend on where the chunk begins.
std::string foreign_text(std::uint64_t offset_bytes, std::size_t length) {
  constexpr std::string_view kText = "these bytes belong to somebody else. ";
  std::string text(length, '\0');
  for (std::size_t i = 0; i < length; ++i) text[i] = kText[(offset_bytes + i) % kText.size()];
  return text;
}

// A byte of text at the chunk's edge that is right by chance (one in 256 is) is no damage: nobody could tell. Of zeros
// and of another file's content it is known where they begin: by the words.
void leave_out_equal_edges(Damage& done, std::string_view written, std::size_t chunk) {
  const std::string_view before = written.substr(chunk, done.length_bytes);
  const std::string_view after = std::string_view(done.bytes).substr(chunk, done.length_bytes);
  const auto first = static_cast<std::size_t>(std::ranges::mismatch(before, after).in1 - before.begin());
  done.offset_bytes += first;
  done.source_offset_bytes += first;
  done.length_bytes -= first;
  while (done.length_bytes > 0 && before[first + done.length_bytes - 1] == after[first + done.length_bytes - 1]) {
    --done.length_bytes;
  }
}

}  // namespace

std::string_view to_string(Kind kind) { return kNames.at(static_cast<std::size_t>(kind)).second; }

bool Rule::watches(std::string_view path) const {
  return path.substr(path.rfind('/') + 1).starts_with(file);  // npos + 1 is 0
}

bool Rule::hits(std::uint64_t write_number) const { return at != 0 ? write_number == at : write_number % every == 0; }

Rule parse_rule(std::string_view text) {
  Rule rule;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      throw std::invalid_argument(fmt::format("rule: \"{}\" is not of the form key=value", part));
    }
    set(rule, part.substr(0, equals), part.substr(equals + 1));
  }
  if (rule.every == 0) throw std::invalid_argument("rule: every: must be at least 1");
  if (rule.length_bytes == 0) throw std::invalid_argument("rule: length: must be at least 1");
  if (rule.offset_bytes > kRequestBytesMax || rule.length_bytes > kRequestBytesMax) {
    throw std::invalid_argument(fmt::format("rule: offset and length: at most {}", kRequestBytesMax));
  }
  if (rule.on_read && changes_length(rule.kind)) throw std::invalid_argument("rule: on=read: a read keeps its length");
  if (rule.bit > 7) throw std::invalid_argument(fmt::format("rule: bit: {} is not 0..7", rule.bit));
  return rule;
}

std::optional<Damage> damage(const Rule& rule, const Write& write, std::string_view earlier_file) {
  if (rule.place && *rule.place < write.file_offset_bytes) return std::nullopt;
  const std::size_t chunk = rule.place ? *rule.place - write.file_offset_bytes : rule.offset_bytes;
  const std::size_t length = rule.kind == Kind::kFlip ? 1 : rule.length_bytes;
  const std::size_t needed = chunk + length * (rule.kind == Kind::kReorder ? 2 : 1);
  if (rule.kind == Kind::kNone || write.bytes.size() < needed) return std::nullopt;
  if (changes_length(rule.kind) && !write.append) return std::nullopt;
  if (rule.kind == Kind::kStale && earlier_file.size() < length) return std::nullopt;

  Damage done{.bytes = std::string(write.bytes),
              .offset_bytes = write.file_offset_bytes + chunk,
              .length_bytes = length,
              .source_offset_bytes = write.stream_offset_bytes + chunk};
  const std::size_t cut = write.bytes.size() - length;
  switch (rule.kind) {
    case Kind::kNone:
      break;
    case Kind::kDuplicate:
      done.bytes.insert(chunk + length, write.bytes.substr(chunk, length));
      done.offset_bytes += length;
      break;
    case Kind::kDrop:
      done.bytes.erase(chunk, length);
      break;
    case Kind::kFlip:
      done.bytes[chunk] = static_cast<char>(done.bytes[chunk] ^ (1 << rule.bit));
      break;
    case Kind::kZero:
      done.bytes.replace(chunk, length, length, '\0');
      break;
    case Kind::kReorder:
      done.bytes.replace(chunk, length, write.bytes.substr(chunk + length, length));
      done.bytes.replace(chunk + length, length, write.bytes.substr(chunk, length));
      done.offset_bytes += length;
      break;
    case Kind::kStale:
      done.bytes.replace(chunk, length, earlier_file.substr(0, length));
      done.source_offset_bytes = 0;
      break;
    case Kind::kForeign:
      done.bytes.replace(chunk, length, foreign_text(write.file_offset_bytes + chunk, length));
      break;
    case Kind::kTruncate:
      done.bytes.resize(cut);
      done.offset_bytes = write.file_offset_bytes + cut;
      done.source_offset_bytes = write.stream_offset_bytes + cut;
      break;
    case Kind::kExtend:
      done.bytes.append(length, '\0');
      done.offset_bytes = write.file_offset_bytes + write.bytes.size();
      done.source_offset_bytes = write.stream_offset_bytes + write.bytes.size();
      break;
  }
  if (rule.kind == Kind::kForeign) leave_out_equal_edges(done, write.bytes, chunk);
  return done;
}

}  // namespace writecanary::damagefs
