#include "probe/profiles/archive/archive_name.h"

#include <fmt/format.h>

#include <charconv>

namespace writecanary::probe {
namespace {

// Takes what stands before the next '_' off the text.
std::string_view next_part(std::string_view& text) {
  const std::string_view part = text.substr(0, text.find('_'));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

bool parse_number(std::string_view text, std::uint64_t maximum, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value <= maximum;
}

}  // namespace

std::string to_string(const ArchiveName& name) {
  return fmt::format("{}_{}_{}_{}_{}_{}", name.created_unix_s, name.size_bytes, name.tag.run, name.tag.file,
                     name.incompressible ? 'i' : 'c', name.kernel);
}

std::optional<ArchiveName> parse_archive_name(std::string_view text) {
  ArchiveName name;
  std::uint64_t run = 0, file = 0;
  if (!parse_number(next_part(text), UINT64_MAX, name.created_unix_s)) return std::nullopt;
  if (!parse_number(next_part(text), kStreamBytesMax, name.size_bytes)) return std::nullopt;
  if (!parse_number(next_part(text), kRunTagMax, run) || run == 0) return std::nullopt;
  if (!parse_number(next_part(text), kFileTagMax, file)) return std::nullopt;
  const std::string_view kind = next_part(text);
  if ((kind != "i" && kind != "c") || text.empty()) return std::nullopt;
  name.tag = {.run = static_cast<std::uint16_t>(run), .file = static_cast<std::uint16_t>(file)};
  name.incompressible = kind == "i";
  name.kernel = text;
  return name;
}

}  // namespace writecanary::probe
