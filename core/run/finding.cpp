#include "core/run/finding.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json_fields.h"

namespace writecanary {
namespace {

struct KindRow {
  FindingKind kind;
  std::string_view name;
  FindingClass finding_class;
  std::string_view description;
};

// Indexed by the enumerator.
constexpr std::array<KindRow, kFindingKindCount> kKinds = {{
    {FindingKind::kDuplicate, "duplicate", FindingClass::kCorruption,
     "Bytes of this file stand in it a second time, where nobody wrote them."},
    {FindingKind::kMissing, "missing", FindingClass::kCorruption,
     "Bytes that the kernel acknowledged are nowhere in the file."},
    {FindingKind::kTorn, "torn", FindingClass::kAtomicity,
     "One acknowledged append is split, with bytes of another writer inside it."},
    {FindingKind::kMisplaced, "misplaced", FindingClass::kCorruption,
     "Bytes of this file stand in it once, but at the wrong place."},
    {FindingKind::kStale, "stale", FindingClass::kCorruption,
     "Bytes of an earlier file or run stand where bytes of this one belong."},
    {FindingKind::kZeroed, "zeroed", FindingClass::kCorruption, "Zeros stand where acknowledged bytes belong."},
    {FindingKind::kForeign, "foreign", FindingClass::kCorruption,
     "Bytes that no canary ever wrote stand where acknowledged bytes belong."},
    {FindingKind::kBitflip, "bitflip", FindingClass::kCorruption,
     "A few bits are wrong in words that are right otherwise."},
    {FindingKind::kSizeMismatch, "size_mismatch", FindingClass::kCorruption,
     "The file's size differs from the bytes acknowledged, and nothing else explains it."},
    {FindingKind::kNowaitContract, "nowait_contract", FindingClass::kContract,
     "A call with RWF_NOWAIT grew the file by something else than it reported."},
    {FindingKind::kStuck, "stuck", FindingClass::kAvailability,
     "The probe hangs in the kernel: it did not end, not even by SIGKILL."},
}};

constexpr std::array<std::string_view, 4> kClasses = {"corruption", "atomicity", "contract", "availability"};
constexpr std::array<std::string_view, kAllRoutes.size()> kRoutes = {"inline", "punted", "sync", "ring"};

const KindRow& row_of(FindingKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  WC_CHECK(index < kKinds.size() && kKinds[index].kind == kind);
  return kKinds[index];
}

template <typename T>
nlohmann::json or_null(const std::optional<T>& value) {
  return value ? nlohmann::json(*value) : nlohmann::json();
}

}  // namespace

std::string_view to_string(FindingKind kind) { return row_of(kind).name; }

std::string_view to_string(FindingClass finding_class) {
  const auto index = static_cast<std::size_t>(finding_class);
  WC_CHECK(index < kClasses.size());
  return kClasses[index];
}

std::optional<FindingKind> parse_finding_kind(std::string_view text) {
  const auto* row = std::ranges::find(kKinds, text, &KindRow::name);
  if (row == kKinds.end()) return std::nullopt;
  return row->kind;
}

std::optional<FindingClass> parse_finding_class(std::string_view text) {
  for (const FindingClass each : kAllFindingClasses) {
    if (text == to_string(each)) return each;
  }
  return std::nullopt;
}

FindingClass class_of(FindingKind kind) { return row_of(kind).finding_class; }

std::string_view describe(FindingKind kind) { return row_of(kind).description; }

std::string_view to_string(Route route) {
  const auto index = static_cast<std::size_t>(route);
  WC_CHECK(index < kRoutes.size());
  return kRoutes[index];
}

std::optional<Route> parse_route(std::string_view text) {
  const auto* name = std::ranges::find(kRoutes, text);
  if (name == kRoutes.end()) return std::nullopt;
  return static_cast<Route>(name - kRoutes.begin());
}

void to_json(nlohmann::json& out, const WriteRef& write) {
  out = {{"index", write.index},
         {"writer", write.writer},
         {"stream_offset_bytes", write.stream_offset_bytes},
         {"length_bytes", write.length_bytes},
         {"route", to_string(write.route)},
         {"result", write.result},
         {"inline_bytes", write.inline_bytes},
         {"disarmed", write.disarmed},
         {"at_us", write.at_us}};
}

void from_json(const nlohmann::json& in, WriteRef& write) {
  JsonFields fields(in, "write");
  fields.require("index", write.index);
  fields.require("writer", write.writer);
  fields.require("stream_offset_bytes", write.stream_offset_bytes);
  fields.require("length_bytes", write.length_bytes);
  fields.require_name("route", write.route, parse_route, "inline, punted, sync or ring");
  fields.require("result", write.result);
  fields.require("inline_bytes", write.inline_bytes);
  fields.require("disarmed", write.disarmed);
  fields.accept("at_us", write.at_us);
}

std::string describe(const Views& views) {
  std::string text;
  const auto add = [&](Look look, std::string_view where) {
    if (look == Look::kNotLooked) return;
    if (!text.empty()) text += ", ";
    text += look == Look::kWrong ? "wrong " : "right ";
    text += where;
  };
  add(views.hot, "in the page cache");
  add(views.cold, "on the device");
  add(views.direct, "with O_DIRECT");
  return text;
}

void to_json(nlohmann::json& out, const Views& views) {
  const auto text = [](Look look) {
    return look == Look::kNotLooked ? nlohmann::json() : nlohmann::json(look == Look::kWrong ? "wrong" : "right");
  };
  out = {{"hot", text(views.hot)}, {"cold", text(views.cold)}, {"direct", text(views.direct)}};
}

void from_json(const nlohmann::json& in, Views& views) {
  JsonFields fields(in, "views");
  const auto read = [&](const char* key) {
    std::optional<std::string> text;
    fields.accept_null(key, text);
    if (!text) return Look::kNotLooked;
    if (*text != "right" && *text != "wrong") fields.fail(key, "right, wrong or null", *text);
    return *text == "wrong" ? Look::kWrong : Look::kRight;
  };
  views = {read("hot"), read("cold"), read("direct")};
}

void to_json(nlohmann::json& out, const Finding& finding) {
  out = {{"kind", to_string(finding.kind)},
         {"class", to_string(class_of(finding.kind))},
         {"file", finding.file},
         {"offset_bytes", finding.offset_bytes},
         {"length_bytes", finding.length_bytes},
         {"source_offset_bytes", or_null(finding.source_offset_bytes)},
         {"page_aligned", finding.page_aligned},
         {"write", or_null(finding.write)},
         {"intruder", or_null(finding.intruder)},
         {"context_offset_bytes", finding.context_offset_bytes},
         {"expected_hex", finding.expected_hex},
         {"found_hex", finding.found_hex},
         {"detail", finding.detail},
         {"views", finding.views}};
  if (!finding.operations.empty()) out["operations"] = finding.operations;
}

void from_json(const nlohmann::json& in, Finding& finding) {
  JsonFields fields(in, "finding");
  fields.require_name("kind", finding.kind, parse_finding_kind, "a finding kind");
  fields.require("file", finding.file);
  fields.require("offset_bytes", finding.offset_bytes);
  fields.require("length_bytes", finding.length_bytes);
  fields.accept_null("source_offset_bytes", finding.source_offset_bytes);
  fields.require("page_aligned", finding.page_aligned);
  fields.accept_null("write", finding.write);
  fields.accept_null("intruder", finding.intruder);
  fields.require("context_offset_bytes", finding.context_offset_bytes);
  fields.require("expected_hex", finding.expected_hex);
  fields.require("found_hex", finding.found_hex);
  fields.require("detail", finding.detail);
  fields.accept("views", finding.views);  // findings stored by earlier versions have none
  fields.accept("operations", finding.operations);
}

}  // namespace writecanary
