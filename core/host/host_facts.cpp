#include "core/host/host_facts.h"

#include <sys/utsname.h>

#include "core/base/error.h"
#include "core/base/system_text.h"

namespace writecanary {
namespace {

utsname names_of_host() {
  utsname names{};
  if (uname(&names) != 0) throw_errno("uname");
  return names;
}

}  // namespace

KernelFacts kernel_facts() {
  const utsname names = names_of_host();
  return {system_name(names.release), system_name(names.version), system_name(names.machine)};
}

std::string host_name() { return system_name(names_of_host().nodename); }

FilesystemFacts filesystem_facts(const Mount& mount) {
  return {.type = system_name(mount.type),
          .source = system_name(mount.source),
          .mount_point = system_name(mount.mount_point),
          .options = system_name(mount.options),
          .device = mount.device,
          .uuid = ""};
}

}  // namespace writecanary
