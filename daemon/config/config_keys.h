// Every key of the configuration, once: its name, where its value is kept, within which range, and what it means.
//
// The parser, --dump-config, the check of ranges and the reference that --config-reference prints all walk these rows,
// so that none of them can know a key that another does not. Deliberately not here: what values mean beside each other,
// and forms like windows and addresses; both are check_values() in daemon/config/config.h.
#pragma once

#include <span>
#include <string_view>

#include "daemon/config/config.h"
#include "daemon/config/config_value.h"

namespace writecanary::daemon {

template <typename Owner>
struct Key {
  const char* name;
  Value (*in)(Owner&);       // valid as long as the owner
  std::string_view meaning;  // Markdown with `code` and [links](of.md) that hold in docs/; one clause or a few
  Range range = {};
  bool required = false;  // there is no default that means anything
};

std::span<const Key<Config>> server_keys();
std::span<const Key<Config>> storage_keys();
std::span<const Key<Config>> webhook_keys();
// [defaults] has these and settings_keys(); a [[target]] has target_keys() and settings_keys().
std::span<const Key<Config>> host_keys();
std::span<const Key<RunSettings>> settings_keys();
std::span<const Key<TargetConfig>> target_keys();
std::span<const Key<TokenConfig>> token_keys();

}  // namespace writecanary::daemon
