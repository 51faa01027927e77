#include "cli/client/http.h"

#include <httplib.h>
#include <sys/socket.h>

#include <algorithm>
#include <exception>
#include <memory>

namespace writecanary::cli {
namespace {

constexpr std::chrono::seconds kConnectTimeout{5};
constexpr std::size_t kProblemBytesMax = 64UL * 1024;

std::string describe(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
      return "nothing accepts connections there";
    case httplib::Error::ConnectionTimeout:
      return "the connection timed out";
    case httplib::Error::Read:
      return "the connection broke before the answer was complete";
    case httplib::Error::Write:
      return "the connection broke while sending";
    case httplib::Error::SSLConnection:
      return "TLS could not be established";
    case httplib::Error::SSLServerVerification:
      return "the server's certificate is not trusted (--ca-file names who may have signed it)";
    default:
      return httplib::to_string(error);
  }
}

std::unique_ptr<httplib::Client> client_for(const HttpServer& server) {
  if (!server.socket_path.empty()) return std::make_unique<httplib::Client>(server.socket_path, 80);
  return std::make_unique<httplib::Client>(server.origin, server.certificate, server.key);
}

std::unique_ptr<httplib::Client> connect(const HttpServer& server, std::chrono::seconds silence_max) {
  auto client = client_for(server);
  if (!server.ca.empty()) client->set_ca_cert_path(server.ca);
  httplib::Headers headers;
  if (!server.socket_path.empty()) {
    client->set_address_family(AF_UNIX);
    headers.emplace("Host", "localhost");
  }
  if (!server.token.empty()) headers.emplace("Authorization", "Bearer " + server.token);
  client->set_default_headers(headers);
  client->set_connection_timeout(kConnectTimeout);
  client->set_read_timeout(silence_max);
  client->set_write_timeout(kConnectTimeout);
  return client;
}

HttpAnswer answer_of(const httplib::Result& result) {
  if (!result) throw NoAnswer(describe(result.error()));
  return {result->status, result->body};
}

}  // namespace

bool is_usable(const HttpServer& server) { return client_for(server)->is_valid(); }

HttpAnswer http_get(const HttpServer& server, const std::string& path, std::chrono::seconds silence_max) {
  return answer_of(connect(server, silence_max)->Get(server.base_path + path));
}

HttpAnswer http_post(const HttpServer& server, const std::string& path, const std::string& body,
                     const std::string& content_type, std::chrono::seconds silence_max) {
  return answer_of(connect(server, silence_max)->Post(server.base_path + path, body, content_type));
}

HttpAnswer http_stream(const HttpServer& server, const std::string& path,
                       const std::map<std::string, std::string>& headers, std::chrono::seconds silence_max,
                       const std::function<bool(std::string_view)>& on_bytes) {
  HttpAnswer answer;
  bool told_to_stop = false;
  std::exception_ptr failure;  // not thrown through the library
  const auto on_headers = [&](const httplib::Response& response) {
    answer.status = response.status;
    return true;
  };
  const auto on_data = [&](const char* data, std::size_t length) {
    if (answer.status != 200) {
      answer.body.append(data, std::min(length, kProblemBytesMax - answer.body.size()));
      return answer.body.size() < kProblemBytesMax;
    }
    try {
      told_to_stop = !on_bytes({data, length});
    } catch (...) {
      failure = std::current_exception();
    }
    return !told_to_stop && !failure;
  };
  const httplib::Headers all(headers.begin(), headers.end());
  const httplib::Result result = connect(server, silence_max)->Get(server.base_path + path, all, on_headers, on_data);
  if (failure) std::rethrow_exception(failure);
  const bool is_refused = answer.status != 0 && answer.status != 200;
  if (!result && !told_to_stop && !is_refused) throw NoAnswer(describe(result.error()));
  return answer;
}

}  // namespace writecanary::cli
