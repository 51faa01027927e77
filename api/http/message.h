// A request and its answer, as everything behind the HTTP library sees them. The library's own types stay in
// api/http/http_library.cpp: they differ from version to version.
#pragma once

#include <strings.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "api/http/peer.h"
#include "api/refusal/refusal.h"
#include "core/base/clock.h"

namespace writecanary::api {

struct WithoutCase {
  bool operator()(const std::string& a, const std::string& b) const { return ::strcasecmp(a.c_str(), b.c_str()) < 0; }
};
using Headers = std::multimap<std::string, std::string, WithoutCase>;
using Params = std::multimap<std::string, std::string>;

struct Request {
  SteadyTime started{};
  std::string method;   // empty, as the next two, when the request could not be read
  std::string target;   // as it came: printable ASCII
  std::string version;  // "HTTP/1.1"
  std::string path;     // decoded, so any bytes, without the query
  Params params;        // decoded
  Headers headers;      // without control bytes
  std::string body;
  bool wants_gzip = false;
  bool encrypted = false;          // it came in TLS
  const Peer* peer = nullptr;      // of its connection
  std::optional<Refusal> refused;  // what was wrong with it before its body was read; there is then no body

  bool has_header(const std::string& name) const { return headers.contains(name); }
  // The first of that name; empty without one.
  const std::string& header(const std::string& name) const;
};

// How the bytes of a long answer go out. Belongs to the step that it is given to.
class BodyWriter {
 public:
  virtual ~BodyWriter() = default;
  // May wait for a slow reader. False: it is gone.
  virtual bool write(std::string_view bytes) = 0;
  // False once nobody waits for the answer any more.
  virtual bool is_wanted() const = 0;
};

// What a step of a long answer says of the next one.
enum class BodyStep { kMore, kDone, kFailed };
// Writes the next bytes; called until it says that it is over.
using BodySource = std::function<BodyStep(BodyWriter&)>;

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  // In place of the body: a source, with the number of bytes that it will give, or none when they are not known.
  BodySource source;
  std::optional<std::uint64_t> source_bytes;

  // In place of what it had.
  void set_header(const std::string& name, std::string value);
  bool has_header(const std::string& name) const { return headers.contains(name); }
  const std::string& header(const std::string& name) const;
  void set_body(std::string text, const std::string& content_type);
  void set_source(BodySource from, std::optional<std::uint64_t> bytes, const std::string& content_type);
};

}  // namespace writecanary::api
