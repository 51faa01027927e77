#include "daemon/config/config_keys.h"

#include "core/base/limits.h"

namespace writecanary::daemon {
namespace {

constexpr auto kUnlimited = Range{}.most;

// The value at the end of a row of members: in<Path, &Config::tls, &api::TlsFiles::key>.
template <typename Form, auto... Members>
Value in(auto& owner) {
  return Form{&(owner.*....*Members)};
}

constexpr Key<Config> kServer[] = {
    {"listen", in<Text, &Config::listen>,
     "address of API, metrics and page: `HOST:PORT`, `[IPv6]:PORT` or `unix:/path`; port 0 takes a free one"},
    {"tls_cert", in<Path, &Config::tls, &api::TlsFiles::certificate>,
     "PEM file, absolute path: the listener speaks TLS (1.2 and newer). Needs `tls_key`. A reload reads both again"},
    {"tls_key", in<Path, &Config::tls, &api::TlsFiles::key>, "PEM file with the key of `tls_cert`"},
    {"client_ca", in<Path, &Config::tls, &api::TlsFiles::client_ca>,
     "PEM file: only clients with a certificate that it has signed may connect"},
    {"anonymous_read", in<Flag, &Config::anonymous_read>,
     "who shows no token may read, also from other hosts and where there are tokens; not evidence, reports and the "
     "audit. Without it only who reaches a loopback or unix listener that has no tokens"},
    {"allowed_hosts", in<Texts, &Config::allowed_hosts>,
     "names, without a port, under which clients reach this server, beside `localhost`, the host of `listen`, the "
     "one of `public_url` and, where other hosts can connect, addresses and this host's name; `\"*\"`: any, which lets "
     "web pages read what anybody may ([proxy.md](proxy.md))"},
    {"public_url", in<Text, &Config::public_url>,
     "where a proxy shows this server, such as `\"https://canary.example/db-7\"` ([proxy.md](proxy.md))"},
    {"trusted_proxies", in<Texts, &Config::trusted_proxies>,
     "addresses and networks, such as `\"127.0.0.1\"` and `\"10.0.0.0/8\"`, from which `X-Forwarded-For`, `-Proto` and "
     "`-Host` are believed; `\"unix\"`: whoever connects to the socket. Nobody there is an operator without a token"},
    {"reads_per_second",
     in<Count, &Config::reads_per_second>,
     "requests from one address that change nothing, in the long run; ten seconds' worth of them at once. `/metrics`, "
     "`/healthz` and `/readyz` have an allowance of their own. 0: any number, of all",
     {0, 1'000'000}},
    {"alert_label", in<Text, &Config::alert_label>,
     "label by which `/hooks/alertmanager` knows what host an alert is about; an alert about another host, or without "
     "it, "
     "starts no run. Empty: every alert is about this host ([fleet.md](fleet.md#runs-from-alerts))"},
    {"alert_hosts", in<Texts, &Config::alert_hosts>,
     "what that label says of this host, beside its name with or without a domain: `\"db-7.example\"` with any port, "
     "`\"10.0.0.7:9743\"` with this one"},
};

constexpr Key<Config> kStorage[] = {
    {"path", in<Path, &Config::storage_path>,
     "the database; kept evidence lies in `evidence/` beside it. Must not be on a filesystem that is tested"},
    {"max_size",
     in<Size, &Config::storage_bytes_max>,
     "beyond it the oldest runs go, but none of the last hour",
     {16ULL << 20, kUnlimited}},
    {"keep_runs",
     in<Duration, &Config::keep_runs>,
     "older runs go; totals and counters stay exact",
     {3600ULL * 1000, kUnlimited}},
    {"max_runs",
     in<Count, &Config::runs_max>,
     "beyond it the oldest runs go, but none of the last hour",
     {1000, kUnlimited}},
    {"max_evidence", in<Size, &Config::evidence_bytes_max>,
     "of all runs together; beyond it damaged files go, first those of findings that the same target, profile and "
     "kernel "
     "showed again later. Runs and findings stay"},
};

constexpr Key<Config> kWebhook[] = {
    {"url", in<Text, &Config::webhook, &WebhookConfig::url>,
     "`http://` or `https://` address that events are sent to ([fleet.md](fleet.md#events)); empty: nowhere"},
    {"secret_file", in<Path, &Config::webhook, &WebhookConfig::secret_file>,
     "file with the secret that they are signed with, which the service's user must be able to read; needed with "
     "`url`"},
};

constexpr Key<RunSettings> kSettings[] = {
    {"profiles", in<Texts, &RunSettings::profiles>,
     "what is run, each on its own schedule; `writecanary profiles` describes them"},
    {"every",
     in<Duration, &RunSettings::every>,
     "interval between two runs of a profile on a target; no shorter than `duration`",
     {1000, kUnlimited}},
    {"jitter",
     in<Percent, &RunSettings::jitter_percent>,
     "share of the interval over which hosts spread; a host keeps its place, which follows from `/etc/machine-id`, "
     "target and profile",
     {0, 100}},
    {"duration", in<Duration, &RunSettings::duration>, "of a run's workload", {100, kDurationMsMax}},
    {"writes", in<Count, &RunSettings::writes>,
     "ends a run after so many writes; 0: by its duration alone, which on an idle machine is 12 GiB in 10 s. A run "
     "that is asked for with a duration is not bound by it"},
    {"memory",
     in<Size, &RunSettings::memory_bytes>,
     "limit of a run's memory cgroup",
     {kMemoryBytesMin, kMemoryBytesMax}},
    {"max_evidence", in<Size, &RunSettings::evidence_bytes_max>,
     "kept of one run's damaged files and what is known of them ([evidence.md](evidence.md)); 0: nothing"},
    {"max_bytes_per_day", in<Size, &RunSettings::bytes_per_day_max>,
     "per target from 00:00 UTC; 0: no limit. Schedules use half of it whenever they are due and the rest evenly "
     "over the day. Runs asked for by hand count too and are refused beyond it"},
    {"min_free", in<Space, &RunSettings::min_free>, "space that a run must leave free, a share or a size"},
    {"window", in<Text, &RunSettings::window>,
     "when scheduled runs may start, such as `\"Mon-Fri 20:00-06:00 Europe/London\"`; empty: always"},
    {"max_memory_pressure",
     in<Number, &RunSettings::memory_pressure_max>,
     "a scheduled run waits while `some avg60` of `/proc/pressure/memory` is above it; after four intervals it runs "
     "all "
     "the same. 0: do not look",
     {0, 100}},
};

constexpr Key<Config> kHost[] = {
    {"max_concurrent_runs",
     in<Count, &Config::concurrent_runs_max>,
     "runs at the same time on this host; a target never has more than one",
     {1, kTargetsMax}},
};

constexpr Key<TargetConfig> kTarget[] = {
    {"name",
     in<Text, &TargetConfig::name>,
     "1 to 64 letters, digits, `-`, `_`, `.`; the label in API and metrics",
     {},
     true},
    {"path",
     in<Path, &TargetConfig::path>,
     "absolute, without symbolic links: the daemon never touches it, it compares it with `/proc/self/mountinfo`. Runs "
     "work in `.writecanary` below it. A byte that is no text is `\\xNN`, in single quotes: `'/mnt/caf\\xe9'`",
     {},
     true},
    {"require_mount", in<Flag, &TargetConfig::require_mount>,
     "runs are refused while the root of a filesystem is not mounted at `path`, so that an unmounted target does not "
     "fill "
     "the filesystem below; a bind mount, or a container's volume, of a directory does not count"},
    {"fstype", in<Text, &TargetConfig::fstype>,
     "runs are refused on another type of filesystem, such as anything but `\"xfs\"`; empty: any"},
};

constexpr Key<TokenConfig> kToken[] = {
    {"name",
     in<Text, &TokenConfig::name>,
     "1 to 64 letters, digits, `-`, `_`, `.`; for the log and the audit",
     {},
     true},
    {"role", in<Text, &TokenConfig::role>, "`\"viewer\"`, or `\"operator\"`, who may also change"},
    {"sha256",
     in<Text, &TokenConfig::sha256>,
     "the token's hash in 64 hexadecimal digits: `printf %s TOKEN | sha256sum`",
     {},
     true},
};

}  // namespace

std::span<const Key<Config>> server_keys() { return kServer; }
std::span<const Key<Config>> storage_keys() { return kStorage; }
std::span<const Key<Config>> webhook_keys() { return kWebhook; }
std::span<const Key<Config>> host_keys() { return kHost; }
std::span<const Key<RunSettings>> settings_keys() { return kSettings; }
std::span<const Key<TargetConfig>> target_keys() { return kTarget; }
std::span<const Key<TokenConfig>> token_keys() { return kToken; }

}  // namespace writecanary::daemon
