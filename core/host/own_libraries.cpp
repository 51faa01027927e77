#include "core/host/own_libraries.h"

#include <link.h>
#include <nss.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace writecanary {
namespace {

// Debian and Arch, Fedora and its kin, SUSE, Alpine. OpenSSL itself would look where Debian has it, in /usr/lib/ssl.
constexpr std::array kAuthorities = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                     "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
constexpr const char* kZones = "/usr/share/zoneinfo";

// The first object is the program itself; its PT_INTERP is the path of the loader.
int take_loader(dl_phdr_info* object, std::size_t, void* loader) {
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& header = object->dlpi_phdr[i];
    if (header.p_type != PT_INTERP) continue;
    *static_cast<std::string*>(loader) = reinterpret_cast<const char*>(object->dlpi_addr + header.p_vaddr);
  }
  return 1;
}

}  // namespace

std::string own_prefix() {
  std::string loader;
  dl_iterate_phdr(take_loader, &loader);
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path libraries = std::filesystem::path(loader).parent_path();
  const std::filesystem::path prefix = self.parent_path().parent_path();
  return !error && self.parent_path().filename() == "bin" && libraries == prefix / "lib" ? prefix.string() : "";
}

std::vector<std::pair<std::string, std::string>> settings_for_host(const std::string& prefix, const std::string& host) {
  std::vector<std::pair<std::string, std::string>> settings;
  for (const char* path : kAuthorities) {
    if (access((host + path).c_str(), R_OK) != 0) continue;
    settings.emplace_back("SSL_CERT_FILE", host + path);
    break;
  }
  const std::string zones = prefix + "/share/zoneinfo";
  if (access((host + kZones).c_str(), R_OK) != 0) settings.emplace_back("TZDIR", zones);
  return settings;
}

void adapt_to_host() {
  const std::string prefix = own_prefix();
  if (prefix.empty()) return;
  for (const auto& [name, value] : settings_for_host(prefix, "")) setenv(name.c_str(), value.c_str(), 0);
  __nss_configure_lookup("hosts", "files dns");
}

}  // namespace writecanary
