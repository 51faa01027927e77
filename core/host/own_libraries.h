// An installation that brings its own libraries and loader (scripts/archive) runs on hosts that are no Debian: what its
// libraries look for at Debian's places is elsewhere there, or missing. This tells them where it is, and keeps them
// from loading libraries of the host, which are made for another C library.
//
// It does nothing to programs that the host's own loader has started.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace writecanary {

// "/opt/writecanary" when this program was started by the loader in /opt/writecanary/lib and lies in
// /opt/writecanary/bin; empty when the loader is the host's.
std::string own_prefix();

// The variables of the environment that are to be set, with their values: where the host keeps the authorities that it
// trusts (SSL_CERT_FILE), and the prefix's time zones for a host that has none (TZDIR). `host` goes before every path
// of the host: "" but in tests.
std::vector<std::pair<std::string, std::string>> settings_for_host(const std::string& prefix, const std::string& host);

// Sets them, unless the environment has them, and has names resolved by /etc/hosts and DNS, which need no library of
// the host, whatever its nsswitch.conf says. Call it first in main: it changes the environment.
void adapt_to_host();

}  // namespace writecanary
