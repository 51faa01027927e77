// Whose process it is, by its cgroups: the unit of systemd, or the container and its pod.
//
// Names of cgroups are a convention of those who make them; what follows none is nobody's.
#pragma once

#include <string>
#include <string_view>

namespace writecanary::cli {

struct Owner {
  std::string unit = {};       // "nginx.service", "session-3.scope"; the innermost
  std::string container = {};  // its id as its runtime knows it, or its name
  std::string runtime = {};    // docker, podman, containerd, cri-o, lxc, machine; empty when the name does not tell
  std::string pod = {};        // the UID of a Kubernetes pod
  std::string cgroup = {};     // the path that says so, or the first one that is not "/"

  // For a column of a table: the unit, "docker 0123456789ab", or "-".
  std::string text() const;
};

// `cgroups` is the text of /proc/PID/cgroup. All fields are text (core/base/system_text.h). Pure.
Owner owner_of(std::string_view cgroups);

}  // namespace writecanary::cli
