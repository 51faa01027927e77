// HTTP to a daemon. Turns what can go wrong into a CommandError with a text that a person can act on: an unreachable
// daemon, and a refusal (RFC 9457 problem details) that the daemon explained.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/client/http.h"
#include "cli/client/sse.h"
#include "cli/terminal/environment.h"

namespace writecanary::cli {

inline constexpr char kDefaultUrl[] = "http://127.0.0.1:9743";

// Where a daemon listens, or a proxy shows it: http://host:port, https://host:port/sub/path or unix:/path. Throws
// UsageError for anything else.
HttpServer parse_url(const std::string& url);

// What opens the door, each a file or empty.
struct Credentials {
  std::string token = {};        // one bearer token
  std::string ca = {};           // PEM: who may have signed the daemon's certificate; empty: the system's authorities
  std::string certificate = {};  // PEM, for a daemon that wants one of its clients
  std::string key = {};          // PEM, for that certificate
};

// `title: detail` and a line per field that the detail does not name, for problem details; else the status
// with the beginning of the body.
std::string describe_refusal(int status, std::string_view body);
// 1 when the request itself is at fault (unknown name, bad value, no rights), else 5.
int refusal_exit_code(int status);

// The one token in the file; empty without a file. Throws UsageError when it cannot be read or holds something else.
std::string read_token(const std::string& file);

// The daemon could not be reached, or the connection broke; trying again may help.
struct Unreachable : CommandError {
  explicit Unreachable(const std::string& text) : CommandError(kExitFailed, text) {}
};

// Not thread-safe. Every call opens a connection of its own.
class Client {
 public:
  // Throws UsageError for a bad URL or a file that cannot be read.
  Client(const std::string& url, Credentials credentials);

  // `path` begins with '/'. Throws Unreachable, or CommandError for an answer that is not 2xx.
  std::string get(const std::string& path) const;
  std::string post(const std::string& path, const nlohmann::json& body) const;
  // The same, parsed. Throws CommandError also when the answer is not JSON.
  nlohmann::json get_json(const std::string& path) const;
  nlohmann::json post_json(const std::string& path, const nlohmann::json& body) const;

  // Reads server-sent events after `last_id` (empty: from the beginning) until on_event returns false; true then.
  // False when the daemon ended the stream. Throws like get(); silence for longer than `silence_max` is Unreachable.
  bool stream(const std::string& path, const std::string& last_id, std::chrono::seconds silence_max,
              const std::function<bool(const SseEvent&)>& on_event) const;

 private:
  [[noreturn]] void throw_unreachable(const std::string& why) const;

  std::string url_;
  HttpServer server_;
};

// The document in the text. Throws CommandError when it is not JSON.
nlohmann::json parse_answer(const std::string& text);
// One value of a query string or one segment of a path, percent-encoded.
std::string encode_uri(std::string_view text);

}  // namespace writecanary::cli
