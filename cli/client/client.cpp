#include "cli/client/client.h"

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "cli/terminal/text.h"
#include "core/base/error.h"
#include "core/base/fd.h"

namespace writecanary::cli {
namespace {

constexpr std::chrono::seconds kConnectTimeout{5};
constexpr std::chrono::seconds kAnswerTimeout{30};
constexpr std::size_t kProblemBytesMax = 64UL * 1024;

std::string body_of(const httplib::Result& result) {
  if (result->status < 200 || result->status > 299) {
    throw CommandError(refusal_exit_code(result->status), describe_refusal(result->status, result->body));
  }
  return result->body;
}

}  // namespace

std::string read_token(const std::string& file) {
  if (file.empty()) return {};
  std::string token;
  try {
    token = read_file(file);
  } catch (const SystemError& error) {
    throw UsageError(fmt::format("--token-file: {}", error.what()));
  }
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (token.empty() || token.find_first_of(" \t\r\n") != std::string::npos) {
    throw UsageError(fmt::format("--token-file: {} must hold one token and nothing else", file));
  }
  return token;
}

void require_readable(const char* option, const std::string& file) {
  if (!file.empty() && ::access(file.c_str(), R_OK) != 0) {
    throw UsageError(fmt::format("{}: cannot read {}: {}", option, file, error_text(errno)));
  }
}

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

Endpoint parse_url(const std::string& url) {
  if (url.starts_with("unix:/")) return {{}, url.substr(5)};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme) || url.size() == scheme.size()) continue;
    std::string origin = url;
    while (origin.ends_with('/')) origin.pop_back();
    if (origin.find_first_of("/?#@", scheme.size()) == std::string::npos && origin.size() > scheme.size()) {
      return {origin, {}};
    }
  }
  throw UsageError(
      fmt::format("--url: \"{}\" is not a daemon's address. Give http://HOST:PORT, https://HOST:PORT or unix:/PATH, "
                  "for example {}",
                  printable(url), kDefaultUrl));
}

std::string describe_refusal(int status, std::string_view body) {
  const nlohmann::json problem = nlohmann::json::parse(body, nullptr, false);
  const auto text = [](const nlohmann::json& object, const char* key) -> std::string {
    const auto field = object.find(key);
    return field != object.end() && field->is_string() ? printable(field->get_ref<const std::string&>()) : "";
  };
  if (!problem.is_object() || text(problem, "title").empty()) {
    const std::string beginning = shorten(printable(body), 200);
    return fmt::format("the daemon answered {}{}{}", status, beginning.empty() ? "" : ": ", beginning);
  }
  std::string result = text(problem, "title");
  const std::string detail = text(problem, "detail");
  if (!detail.empty()) result += ": " + detail;
  const auto errors = problem.find("errors");
  if (errors != problem.end() && errors->is_array()) {
    for (const nlohmann::json& error : *errors) {
      if (!error.is_object() || detail.find(text(error, "detail")) != std::string::npos) continue;  // said already
      result += fmt::format("\n  {}: {}", text(error, "field"), text(error, "detail"));
    }
  }
  return result;
}

int refusal_exit_code(int status) {
  return status >= 400 && status < 500 && status != 408 && status != 409 && status != 429 ? kExitUsage : kExitFailed;
}

Client::Client(const std::string& url, Credentials credentials)
    : url_(url),
      endpoint_(parse_url(url)),
      credentials_(std::move(credentials)),
      token_(read_token(credentials_.token)) {
  require_readable("--ca-file", credentials_.ca);
  require_readable("--cert-file", credentials_.certificate);
  require_readable("--key-file", credentials_.key);
  if (credentials_.certificate.empty() != credentials_.key.empty()) {
    throw UsageError("--cert-file and --key-file belong together: give both or neither");
  }
}

std::unique_ptr<httplib::Client> Client::connect(std::chrono::seconds read_timeout) const {
  const bool over_socket = !endpoint_.socket_path.empty();
  auto client = over_socket
                    ? std::make_unique<httplib::Client>(endpoint_.socket_path, 80)
                    : std::make_unique<httplib::Client>(endpoint_.origin, credentials_.certificate, credentials_.key);
  if (!client->is_valid()) throw UsageError(fmt::format("--url: {} cannot be used", printable(url_)));
  if (!credentials_.ca.empty()) client->set_ca_cert_path(credentials_.ca);
  httplib::Headers headers;
  if (over_socket) {
    client->set_address_family(AF_UNIX);
    headers.emplace("Host", "localhost");
  }
  if (!token_.empty()) headers.emplace("Authorization", "Bearer " + token_);
  client->set_default_headers(headers);
  client->set_connection_timeout(kConnectTimeout);
  client->set_read_timeout(read_timeout);
  client->set_write_timeout(kConnectTimeout);
  return client;
}

void Client::throw_unreachable(const std::string& why) const {
  throw Unreachable(fmt::format(
      "cannot reach the daemon at {}: {}. Is writecanaryd running? (systemctl status writecanary)", url_, why));
}

std::string Client::get(const std::string& path) const {
  const httplib::Result result = connect(kAnswerTimeout)->Get(path);
  if (!result) throw_unreachable(describe(result.error()));
  return body_of(result);
}

std::string Client::post(const std::string& path, const nlohmann::json& body) const {
  const httplib::Result result = connect(kAnswerTimeout)->Post(path, body.dump(), "application/json");
  if (!result) throw_unreachable(describe(result.error()));
  return body_of(result);
}

nlohmann::json Client::get_json(const std::string& path) const { return parse_answer(get(path)); }

nlohmann::json Client::post_json(const std::string& path, const nlohmann::json& body) const {
  return parse_answer(post(path, body));
}

bool Client::stream(const std::string& path, const std::string& last_id, std::chrono::seconds silence_max,
                    const std::function<bool(const SseEvent&)>& on_event) const {
  httplib::Headers headers = {{"Accept", "text/event-stream"}};
  if (!last_id.empty()) headers.emplace("Last-Event-ID", last_id);

  SseReader reader;
  int status = 0;
  std::string problem;
  bool told_to_stop = false;
  std::exception_ptr failure;  // not thrown through the library
  const auto on_headers = [&](const httplib::Response& response) {
    status = response.status;
    return true;
  };
  const auto on_bytes = [&](const char* data, std::size_t length) {
    if (status != 200) {
      problem.append(data, std::min(length, kProblemBytesMax - problem.size()));
      return problem.size() < kProblemBytesMax;
    }
    try {
      told_to_stop = !reader.feed({data, length}, on_event);
    } catch (...) {
      failure = std::current_exception();
    }
    return !told_to_stop && !failure;
  };
  const httplib::Result result = connect(silence_max)->Get(path, headers, on_headers, on_bytes);
  if (failure) std::rethrow_exception(failure);
  if (told_to_stop) return true;
  if (status != 0 && status != 200) throw CommandError(refusal_exit_code(status), describe_refusal(status, problem));
  if (!result) throw_unreachable(describe(result.error()));
  return false;
}

nlohmann::json parse_answer(const std::string& text) {
  nlohmann::json document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) {
    throw CommandError(kExitFailed, fmt::format("the answer is not JSON: {}. Is this URL a writecanaryd?",
                                                shorten(printable(text), 80)));
  }
  return document;
}

std::string encode_uri(std::string_view text) {
  static constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char byte : text) {
    if (kPlain.find(byte) != std::string_view::npos) {
      result += byte;
    } else {
      result += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
  }
  return result;
}

}  // namespace writecanary::cli
