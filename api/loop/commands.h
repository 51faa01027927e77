// What an HTTP request may ask of the daemon's loop, and how it is asked.
//
// HTTP threads change nothing themselves: they hand a command to the CommandPort, which the daemon implements with its
// bounded mailbox, and wait for the answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/refusal/refusal.h"
#include "storage/tables/incident_records.h"

namespace writecanary::api {

// Who asks, for the log and the audit.
struct Caller {
  std::string who;         // a token's name, a certificate's, "uid 1000", or the address
  std::string address;     // "192.0.2.7", "uid 1000"
  std::string request_id;  // X-Request-Id
  std::string method;
  std::string path;
};

struct StartRun {
  std::string target;
  std::string profile;
  // Runs of the same order after the first, one for each. They wait behind it, also when `queue` is false. Options that
  // a profile does not have are left out for it.
  std::vector<std::string> more_profiles = {};
  std::optional<std::uint64_t> duration_ms, writes, seed, memory_bytes;
  std::map<std::string, std::int64_t> options;  // validated against the catalogue by the API already
  bool classic = false;
  bool queue = false;  // wait behind a running one instead of 409
  std::string idempotency_key;
  std::string key_scope;  // whose key it is; empty: the caller's
};
struct StopRun {
  std::int64_t run_id = 0;
};
struct SetPaused {
  std::string target;
  bool paused = true;
  std::string note;
};
struct AckFinding {
  std::int64_t finding_id = 0;
  std::string note;
};
struct AckIncidents {
  storage::IncidentFilter which;
  std::string note;
  KnownUntil until = KnownUntil::kKernel;
  std::optional<std::int64_t> until_ms;  // of kDate
};
// Nothing to do but to record that somebody was refused.
struct RefusedChange {
  int status = 403;
  std::string reason;
};

using Command = std::variant<StartRun, StopRun, SetPaused, AckFinding, AckIncidents, RefusedChange>;

struct Accepted {
  std::int64_t id = 0;                  // of the run or finding
  bool replayed = false;                // an earlier request with the same idempotency key started it
  std::vector<std::int64_t> more = {};  // the other runs of the order
  std::vector<std::int64_t> ids = {};   // of the incidents
};

using CommandResult = std::variant<Accepted, Refusal>;

class CommandPort {
 public:
  virtual ~CommandPort() = default;
  // From any thread. Returns when the change and its row in the audit are committed, or a Refusal: also 503 when the
  // mailbox is full or the loop does not answer within kCommandTimeout.
  virtual CommandResult execute(Caller caller, Command command) = 0;
};

}  // namespace writecanary::api
