#include "api/http/http_library.h"

#include <httplib.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace writecanary::api {
namespace {

using SetUp = std::function<void(httplib::Request&)>;

// process_request() as 0.11 has it, and as 0.18 does; which one there is decides.
[[maybe_unused]] bool process(bool (httplib::Server::*request)(httplib::Stream&, bool, bool&, const SetUp&),
                              httplib::Server& server, httplib::Stream& stream) {
  bool closed = false;
  return (server.*request)(stream, false, closed, nullptr);
}
[[maybe_unused]] bool process(bool (httplib::Server::*request)(httplib::Stream&, const std::string&, int,
                                                               const std::string&, int, bool, bool&, const SetUp&),
                              httplib::Server& server, httplib::Stream& stream) {
  bool closed = false;
  return (server.*request)(stream, {}, 0, {}, 0, false, closed, nullptr);
}

// Reads the request that was written for the library, passes on what it writes.
class FormStream final : public httplib::Stream {
 public:
  FormStream(std::string request, AnswerOutput& output) : request_(std::move(request)), output_(output) {}

  bool is_readable() const override { return read_ < request_.size(); }
  // Whether somebody still waits is asked of the output, by those whose answer has no end.
  bool is_writable() const override { return true; }
  ssize_t read(char* data, size_t size) override {
    const std::size_t count = std::min(size, request_.size() - read_);
    std::memcpy(data, request_.data() + read_, count);
    read_ += count;
    return count > 0 ? static_cast<ssize_t>(count) : -1;
  }
  ssize_t write(const char* data, size_t size) override {
    return output_.write({data, size}) ? static_cast<ssize_t>(size) : -1;
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override { get_local_ip_and_port(ip, port); }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    ip.clear();
    port = 0;
  }
  // The library only asks whether it would fit into an fd_set.
  socket_t socket() const override { return 0; }

 private:
  const std::string request_;
  AnswerOutput& output_;
  std::size_t read_ = 0;
};

class SinkWriter final : public BodyWriter {
 public:
  SinkWriter(httplib::DataSink& sink, const AnswerOutput& output) : sink_(sink), output_(output) {}
  // In chunks, nothing would be the end.
  bool write(std::string_view bytes) override { return bytes.empty() || sink_.write(bytes.data(), bytes.size()); }
  bool is_wanted() const override { return output_.is_wanted(); }

 private:
  httplib::DataSink& sink_;
  const AnswerOutput& output_;
};

void set_source(const Response& from, bool chunks, const AnswerOutput& output, httplib::Response& to) {
  const auto type = from.header("Content-Type");
  to.headers.erase("Content-Type");
  const auto step = [source = from.source, &output](httplib::DataSink& sink) {
    SinkWriter writer(sink, output);
    const auto next = source(writer);
    if (next == BodyStep::kDone && sink.done) sink.done();
    return next != BodyStep::kFailed;
  };
  const auto step_without_length = [step](std::size_t, httplib::DataSink& sink) { return step(sink); };
  if (from.source_bytes) {
    to.set_content_provider(*from.source_bytes, type,
                            [step](std::size_t, std::size_t, httplib::DataSink& sink) { return step(sink); });
  } else if (chunks) {
    to.set_chunked_content_provider(type, step_without_length);
  } else {
    to.set_content_provider(type, step_without_length);
  }
}

std::string written_out(const HttpLibrary::Form& form) {
  std::string text = (form.head ? "HEAD " : "GET ") + form.target + " HTTP/1.1\r\n";
  if (form.gzip) text += "Accept-Encoding: gzip\r\n";
  if (form.close) text += "Connection: close\r\n";
  return text + "\r\n";
}

// One request is answered by one thread in one call; the library's hook gets nothing but the request.
struct Current {
  const HttpLibrary::Form& form;
  const HttpLibrary::Answerer& answerer;
  const AnswerOutput& output;
  bool answered = false;
};
thread_local Current* current = nullptr;

}  // namespace

class HttpLibrary::Formatter : public httplib::Server {
 public:
  explicit Formatter(std::chrono::seconds announced_keep_alive) {
    // Before the library would route, or read a body.
    set_pre_routing_handler([](const httplib::Request& request, httplib::Response& response) {
      fill(request, response);
      return HandlerResponse::Handled;
    });
    set_keep_alive_timeout(announced_keep_alive.count());
    svr_sock_ = 0;  // the library takes INVALID_SOCKET for "shutting down", and looks at nothing else of it
  }

  bool answer(const Form& form, const Answerer& answerer, AnswerOutput& output) {
    FormStream stream(written_out(form), output);
    Current call{form, answerer, output};
    current = &call;
    const bool sent = process(&Formatter::process_request, *this, stream);
    current = nullptr;
    return sent && call.answered;
  }

  void close() { svr_sock_ = INVALID_SOCKET; }
  bool is_closed() const { return svr_sock_ == INVALID_SOCKET; }

 private:
  static void fill(const httplib::Request& request, httplib::Response& response) {
    Response& made = current->answerer(request.path, request.params);
    current->answered = true;
    response.status = made.status;
    for (const auto& [name, value] : made.headers) response.set_header(name, value);
    if (made.source && made.source_bytes != 0U) {
      set_source(made, current->form.chunks, current->output, response);
    } else {
      response.body = std::move(made.body);
    }
  }
};

HttpLibrary::HttpLibrary(std::chrono::seconds announced_keep_alive)
    : formatter_(std::make_unique<Formatter>(announced_keep_alive)) {}

HttpLibrary::~HttpLibrary() = default;

bool HttpLibrary::answer(const Form& form, const Answerer& answerer, AnswerOutput& output) {
  return formatter_->answer(form, answerer, output);
}

void HttpLibrary::close() { formatter_->close(); }

bool HttpLibrary::is_closed() const { return formatter_->is_closed(); }

}  // namespace writecanary::api
