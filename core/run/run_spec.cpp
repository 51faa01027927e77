#include "core/run/run_spec.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "core/base/json_fields.h"
#include "core/base/system_text.h"
#include "core/run/seed.h"
#include "core/text/letters.h"

namespace writecanary {
namespace {

std::string_view to_string(Task task) { return task == Task::kSweep ? "sweep" : "run"; }

std::optional<Task> parse_task(std::string_view text) {
  if (text == "run") return Task::kRun;
  if (text == "sweep") return Task::kSweep;
  return std::nullopt;
}

}  // namespace

void to_json(nlohmann::json& out, const RunSpec& spec) {
  out = {{"task", to_string(spec.task)},
         {"run_id", spec.run_id},
         {"profile", spec.profile},
         {"path", system_name(spec.path)},
         {"require_mount", spec.require_mount},
         {"expected_fstype", spec.expected_fstype},
         {"seed", seed_text(spec.seed)},
         {"duration_ms", spec.duration_ms},
         {"writes_max", spec.writes_max},
         {"bytes_max", spec.bytes_max},
         {"min_free_bytes", spec.min_free_bytes},
         {"min_free_percent", spec.min_free_percent},
         {"memory_bytes", spec.memory_bytes},
         {"classic", spec.classic},
         {"variant", to_string(spec.variant)},
         {"attribute", spec.attribute},
         {"incompressible", spec.incompressible},
         {"options", spec.options},
         {"pressure", spec.pressure},
         {"evidence_directory", system_name(spec.evidence_directory)},
         {"evidence_bytes_max", spec.evidence_bytes_max}};
}

void from_json(const nlohmann::json& in, RunSpec& spec) {
  JsonFields fields(in, "run spec");
  if (in.contains("task")) fields.require_name("task", spec.task, parse_task, "\"run\" or \"sweep\"");
  fields.accept("run_id", spec.run_id);
  fields.accept("profile", spec.profile);
  fields.require("path", spec.path);
  spec.path = system_bytes(spec.path);
  fields.accept("require_mount", spec.require_mount);
  fields.accept("expected_fstype", spec.expected_fstype);
  if (in.contains("seed")) fields.require_parsed("seed", spec.seed, parse_seed, kSeedExpected);
  fields.accept("duration_ms", spec.duration_ms);
  fields.accept("writes_max", spec.writes_max);
  fields.accept("bytes_max", spec.bytes_max);
  fields.accept("min_free_bytes", spec.min_free_bytes);
  fields.accept("min_free_percent", spec.min_free_percent);
  fields.accept("memory_bytes", spec.memory_bytes);
  fields.accept("classic", spec.classic);
  if (in.contains("variant")) {
    fields.require_name("variant", spec.variant, parse_variant, "as_is, offset, async or sync");
  }
  fields.accept("attribute", spec.attribute);
  fields.accept("incompressible", spec.incompressible);
  fields.accept("options", spec.options);
  fields.accept("pressure", spec.pressure);
  fields.accept("evidence_directory", spec.evidence_directory);
  spec.evidence_directory = system_bytes(spec.evidence_directory);
  fields.accept("evidence_bytes_max", spec.evidence_bytes_max);
  fields.refuse_others();

  // It becomes a file name on the tested filesystem.
  if (!is_of_letters(spec.run_id, "-")) fields.fail("run_id", "letters, digits and '-' only", spec.run_id);
  if (!spec.path.starts_with('/')) fields.fail("path", "an absolute path", spec.path);
  if (!(spec.min_free_percent >= 0 && spec.min_free_percent <= 100)) {
    fields.fail("min_free_percent", "a number from 0 to 100", spec.min_free_percent);
  }
  if (spec.task == Task::kSweep) return;
  if (spec.run_id.empty()) fields.fail("run_id", "a name for the run", spec.run_id);
  if (spec.profile.empty()) fields.fail("profile", "a name from the catalogue", spec.profile);
}

}  // namespace writecanary
