// One HTTP request and its answer. This file and its .cpp are the only ones of the command line that know cpp-httplib.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

namespace writecanary::cli {

struct HttpServer {
  std::string origin = {};       // "http://127.0.0.1:9743"; empty for a unix socket
  std::string base_path = {};    // "/db-7" where a proxy shows the server below a path; empty: at its top
  std::string socket_path = {};  // for a unix socket
  std::string token = {};        // sent as bearer token; empty: none
  std::string ca = {};  // PEM file: who may have signed the server's certificate; empty: the system's authorities
  std::string certificate = {};  // PEM file, for a server that wants one of its clients
  std::string key = {};          // PEM file, for that certificate
};

// There was no answer, or it broke off. The text is for people.
struct NoAnswer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// Whether the origin can be one, and its certificate and key can be used.
bool is_usable(const HttpServer& server);

// Each opens a connection of its own; `silence_max` is how long the server may say nothing. `path` begins with '/' and
// is below the base path.
// Throws NoAnswer.
HttpAnswer http_get(const HttpServer& server, const std::string& path, std::chrono::seconds silence_max);
HttpAnswer http_post(const HttpServer& server, const std::string& path, const std::string& body,
                     const std::string& content_type, std::chrono::seconds silence_max);
// Gives what comes with status 200 to on_bytes until that returns false; what comes with another is the beginning of
// the body. What on_bytes throws is thrown here.
HttpAnswer http_stream(const HttpServer& server, const std::string& path,
                       const std::map<std::string, std::string>& headers, std::chrono::seconds silence_max,
                       const std::function<bool(std::string_view)>& on_bytes);

}  // namespace writecanary::cli
