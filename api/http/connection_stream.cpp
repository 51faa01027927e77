#include "api/http/connection_stream.h"

#include <algorithm>
#include <cstring>

namespace writecanary::api {
namespace {

// A reader of a stream that takes nothing for so long is gone.
constexpr std::chrono::milliseconds kStreamPatience{10'000};

}  // namespace

ssize_t ConnectionStream::read(char* data, size_t size) {
  if (is_used_up()) {
    abandon_input();
    return -1;
  }
  const std::size_t count = std::min(size, request_.size() - read_);
  std::memcpy(data, request_.data() + read_, count);
  read_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t ConnectionStream::write(const char* data, size_t size) {
  if (!through_) {
    connection_.append_output({data, size});
  } else if (!connection_.write_through({data, size}, kStreamPatience)) {
    return -1;
  }
  return static_cast<ssize_t>(size);
}

void ConnectionStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = connection_.peer().address;
  port = 0;
}

void ConnectionStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace writecanary::api
