#include "api/documents/picture.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "api/refusal/limits.h"

namespace writecanary::api {
namespace {

using nlohmann::json;

constexpr std::uint64_t kPageBytes = 4096;

struct Range {
  std::uint64_t begin = 0, end = 0;
  bool meets(const Range& other) const { return begin < other.end && other.begin < end; }
};

std::uint64_t number(const json& item, const char* name) {
  const auto found = item.find(name);
  return found != item.end() && found->is_number_integer() ? found->get<std::uint64_t>() : 0;
}

// A list in the evidence that says how many there were in all: {"items": [...], "total": n}.
json items_of(const json& parts, const char* name) {
  const json part = parts.value(name, json::object());
  const json items = part.is_object() ? part.value("items", json::array()) : json::array();
  return items.is_array() ? items : json::array();
}

Range in_file(const json& item) {
  const std::uint64_t begin = number(item, "offset_bytes");
  return {begin, begin + std::max<std::uint64_t>(number(item, "length_bytes"), 1)};
}

Range in_stream(const json& segment) {
  const std::uint64_t begin = number(segment, "stream_offset_bytes");
  return {begin, begin + number(segment, "length_bytes")};
}

Range of_write(const WriteRef& write) {
  return {write.stream_offset_bytes, write.stream_offset_bytes + write.length_bytes};
}

// Whether a segment belongs in the picture: it stands where the finding is, or holds bytes of the writes concerned.
bool concerns(const json& segment, const Finding& finding) {
  const Range place{finding.offset_bytes, finding.offset_bytes + std::max<std::uint64_t>(finding.length_bytes, 1)};
  if (in_file(segment).meets(place)) return true;
  if (segment.value("content", "") != "own") return false;
  for (const auto& write : {finding.write, finding.intruder}) {
    if (write && write->writer == number(segment, "writer") && in_stream(segment).meets(of_write(*write))) return true;
  }
  return false;
}

// From the first segment that belongs in the picture to the last, and one more on either side.
json stretch(const json& segments, const Finding& finding) {
  std::size_t first = segments.size();
  std::size_t last = 0;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].is_object() || !concerns(segments[i], finding)) continue;
    first = std::min(first, i);
    last = i;
  }
  json chosen = json::array();
  if (first == segments.size()) return chosen;
  for (std::size_t i = first - (first > 0 ? 1 : 0); i < segments.size() && i <= last + 1; ++i) {
    if (chosen.size() == kPictureItemsMax) break;
    if (segments[i].is_object()) chosen.push_back(segments[i]);
  }
  return chosen;
}

// Those at which two of the segments meet.
json boundaries_between(const json& boundaries, const json& segments) {
  json chosen = json::array();
  std::set<std::uint64_t> places;
  for (const json& segment : segments) places.insert(number(segment, "offset_bytes"));
  for (const json& boundary : boundaries) {
    if (boundary.is_object() && places.contains(number(boundary, "offset_bytes"))) chosen.push_back(boundary);
  }
  return chosen;
}

// Writes whose bytes a segment holds, and those that the finding names: what is missing is in no segment.
json writes_of(const json& log, const json& segments, const Finding& finding) {
  json chosen = json::array();
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  const auto add = [&](const json& write) {
    if (chosen.size() < kPictureItemsMax && seen.emplace(number(write, "writer"), number(write, "index")).second) {
      chosen.push_back(write);
    }
  };
  if (finding.write) add(*finding.write);
  if (finding.intruder) add(*finding.intruder);
  const json writers = log.is_object() ? log.value("writers", json::array()) : json::array();
  for (const json& segment : segments) {
    const std::uint64_t writer = number(segment, "writer");
    if (segment.value("content", "") != "own" || writer >= writers.size()) continue;
    for (const json& write : writers[writer]) {
      const std::uint64_t begin = number(write, "stream_offset_bytes");
      if (in_stream(segment).meets({begin, begin + number(write, "length_bytes")})) add(write);
    }
  }
  return chosen;
}

}  // namespace

json picture_document(const Finding& finding, const json* evidence) {
  json document = {{"file", {{"name", finding.file}, {"size_bytes", nullptr}}},
                   {"page_bytes", kPageBytes},
                   {"kept", false},
                   {"segments_total", 0},
                   {"segments", json::array()},
                   {"boundaries", json::array()}};
  json log;
  if (evidence != nullptr) {
    const json parts = evidence->value("parts", json::object());
    const json file = evidence->value("file", json::object());
    document["segments"] = stretch(items_of(parts, "segments"), finding);
    document["segments_total"] = number(parts.value("segments", json::object()), "total");
    document["boundaries"] = boundaries_between(items_of(parts, "boundaries"), document["segments"]);
    document["kept"] = !document["segments"].empty();
    if (file.is_object()) document["file"]["size_bytes"] = number(file, "size_bytes");
    log = parts.value("log", json::object());
  }
  document["writes"] = writes_of(log, document["segments"], finding);
  return document;
}

}  // namespace writecanary::api
