// What a run was asked for, and what follows from that alone: option values, and tag, name and seed of its files.
#pragma once

#include <cstdint>
#include <string>

#include "core/run/profile_info.h"
#include "core/run/run_spec.h"
#include "probe/pattern/pattern.h"

namespace writecanary::probe {

// Who a file of the run is, and how its words are written.
struct FileIdentity {
  Tag tag;
  std::string name;
  std::uint64_t seed = 0;  // of whatever is random in it
  bool incompressible = true;
};

class Settings {
 public:
  // Both must outlive the settings.
  Settings(const RunSpec& spec, const ProfileInfo& info);

  const RunSpec& spec() const { return spec_; }
  // The value of one of the profile's own options: the spec's or the default.
  std::uint64_t option(const std::string& name) const;
  // Whether the spec has a value for it.
  bool is_given(const std::string& name) const { return spec_.options.contains(name); }
  // The run's files are numbered from 1.
  FileIdentity file(std::uint64_t number) const;

 private:
  const RunSpec& spec_;
  const ProfileInfo& info_;
  std::uint16_t run_tag_;
};

}  // namespace writecanary::probe
