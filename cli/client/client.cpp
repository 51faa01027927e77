#include "cli/client/client.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "cli/terminal/text.h"
#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/json_text.h"

namespace writecanary::cli {
namespace {

constexpr std::chrono::seconds kAnswerTimeout{30};

std::string body_of(HttpAnswer answer) {
  if (answer.status < 200 || answer.status > 299) {
    throw CommandError(refusal_exit_code(answer.status), describe_refusal(answer.status, answer.body));
  }
  return std::move(answer.body);
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

HttpServer parse_url(const std::string& url) {
  if (url.starts_with("unix:/")) return {.socket_path = url.substr(5)};
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme) || url.size() == scheme.size()) continue;
    const std::size_t path_at = std::min(url.find('/', scheme.size()), url.size());
    const std::string origin = url.substr(0, path_at);
    std::string base_path = url.substr(path_at);
    while (base_path.ends_with('/')) base_path.pop_back();
    const bool is_plain = std::ranges::all_of(url, [](char byte) { return byte > ' ' && byte < '\x7f'; });
    if (is_plain && origin.size() > scheme.size() && origin.find('@') == std::string::npos &&
        url.find_first_of("?#") == std::string::npos) {
      return {.origin = origin, .base_path = base_path};
    }
  }
  throw UsageError(fmt::format(
      "--url: \"{}\" is not a daemon's address. Give http://HOST:PORT, https://HOST:PORT/PATH or unix:/PATH, "
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

Client::Client(const std::string& url, Credentials credentials) : url_(url), server_(parse_url(url)) {
  server_.token = read_token(credentials.token);
  require_readable("--ca-file", credentials.ca);
  require_readable("--cert-file", credentials.certificate);
  require_readable("--key-file", credentials.key);
  if (credentials.certificate.empty() != credentials.key.empty()) {
    throw UsageError("--cert-file and --key-file belong together: give both or neither");
  }
  server_.ca = std::move(credentials.ca);
  server_.certificate = std::move(credentials.certificate);
  server_.key = std::move(credentials.key);
  if (!is_usable(server_)) throw UsageError(fmt::format("--url: {} cannot be used", printable(url_)));
}

void Client::throw_unreachable(const std::string& why) const {
  throw Unreachable(fmt::format(
      "cannot reach the daemon at {}: {}. Is writecanaryd running? (systemctl status writecanary)", url_, why));
}

std::string Client::get(const std::string& path) const {
  try {
    return body_of(http_get(server_, path, kAnswerTimeout));
  } catch (const NoAnswer& failure) {
    throw_unreachable(failure.what());
  }
}

std::string Client::post(const std::string& path, const nlohmann::json& body) const {
  try {
    return body_of(http_post(server_, path, json_text(body), "application/json", kAnswerTimeout));
  } catch (const NoAnswer& failure) {
    throw_unreachable(failure.what());
  }
}

nlohmann::json Client::get_json(const std::string& path) const { return parse_answer(get(path)); }

nlohmann::json Client::post_json(const std::string& path, const nlohmann::json& body) const {
  return parse_answer(post(path, body));
}

bool Client::stream(const std::string& path, const std::string& last_id, std::chrono::seconds silence_max,
                    const std::function<bool(const SseEvent&)>& on_event) const {
  std::map<std::string, std::string> headers = {{"Accept", "text/event-stream"}};
  if (!last_id.empty()) headers.emplace("Last-Event-ID", last_id);
  SseReader reader;
  bool told_to_stop = false;
  const auto on_bytes = [&](std::string_view bytes) {
    told_to_stop = !reader.feed(bytes, on_event);
    return !told_to_stop;
  };
  try {
    const auto answer = http_stream(server_, path, headers, silence_max, on_bytes);
    if (answer.status != 200) body_of(answer);
  } catch (const NoAnswer& failure) {
    throw_unreachable(failure.what());
  }
  return told_to_stop;
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
