// Copies through a pipe or a socket that takes less than it is offered, so that the kernel must go on in the middle of
// a page, and through a pipe to which somebody else writes meanwhile.
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/fd.h"
#include "core/base/retried.h"
#include "probe/profiles/copy_after_write/copy_calls.h"

namespace writecanary::probe {
namespace {

constexpr std::size_t kPartBytes = 3000;      // of a page that went into a pipe as a whole, or no end of a page
constexpr std::size_t kOthersBytes = 100;     // that somebody else writes to the pipe
constexpr char kOthersByte = '\xdb';          // no word of a run has eight of it
constexpr int kSocketBytes = 20'000;          // so that a socket is full in the middle of a page
constexpr std::size_t kDrainedBytes = 7'000;  // of it, before it is offered more

struct Pipe {
  explicit Pipe(int flags = 0) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | flags) != 0) throw_errno("pipe2");
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }
  Fd out, in;
};

// All of those bytes from a pipe or socket that holds them.
void take(int out, char* bytes, std::size_t length) {
  for (std::size_t done = 0; done < length;) {
    const ssize_t got = retried([&] { return read(out, bytes + done, length - done); });
    if (got < 0) throw_errno("read what was sent");
    if (got == 0) throw SystemError("read what was sent: it ended", EIO);
    done += static_cast<std::size_t>(got);
  }
}

// A pipe remembers of each of its places whether the page there may be added to. Each has been used once after this.
void use_every_place(const Pipe& pipe) {
  const std::vector<char> page(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), kOthersByte);
  std::size_t filled = 0;
  for (ssize_t put = 0; (put = write(pipe.in.get(), page.data(), page.size())) > 0;) {
    filled += static_cast<std::size_t>(put);
  }
  if (errno != EAGAIN) throw_errno("fill a pipe");
  std::vector<char> back(filled);
  take(pipe.out.get(), back.data(), back.size());
}

}  // namespace

// The pipe is filled with whole pages, and emptied by parts of them.
int splice_in_parts(int from, int to, std::uint64_t size) {
  const Pipe pipe;
  const long capacity = fcntl(pipe.in.get(), F_GETPIPE_SZ);
  if (capacity <= 0) throw_errno("F_GETPIPE_SZ");
  for (loff_t read = 0, written = 0; written < static_cast<loff_t>(size);) {
    const auto want =
        std::min<std::uint64_t>(static_cast<std::uint64_t>(capacity), size - static_cast<std::uint64_t>(read));
    const ssize_t got = retried([&] { return splice(from, &read, pipe.in.get(), nullptr, want, 0); });
    if (got < 0 && read == 0) return refused_or_throw("splice from the source");
    if (got < 0) throw_errno("splice from the source");
    if (got == 0) break;
    for (ssize_t left = got; left > 0;) {
      const auto part = std::min<std::size_t>(static_cast<std::size_t>(left), kPartBytes);
      const ssize_t put = retried([&] { return splice(pipe.out.get(), nullptr, to, &written, part, 0); });
      if (put < 0 && written == 0) return refused_or_throw("splice to the copy");
      if (put <= 0) throw_errno("splice to the copy");
      left -= put;
    }
  }
  return 0;
}

// The beginning of each page goes into a pipe, and others' bytes behind it. They must be in the pipe, and not in the
// page, which is the file's.
int splice_and_write(int from, int to, std::uint64_t size) {
  const Pipe pipe(O_NONBLOCK);
  use_every_place(pipe);
  const std::array<char, kOthersBytes> others = [] {
    std::array<char, kOthersBytes> bytes{};
    bytes.fill(kOthersByte);
    return bytes;
  }();
  std::vector<char> buffer(kPartBytes + kOthersBytes);
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  for (loff_t read = 0; read < static_cast<loff_t>(size);) {
    const auto at = static_cast<std::uint64_t>(read);
    const std::uint64_t want = std::min({size - at, page - at % page, std::uint64_t{kPartBytes}});
    const ssize_t got = retried([&] { return splice(from, &read, pipe.in.get(), nullptr, want, 0); });
    if (got < 0 && at == 0) return refused_or_throw("splice from the source");
    if (got < 0) throw_errno("splice from the source");
    if (got == 0) break;
    if (write(pipe.in.get(), others.data(), others.size()) != static_cast<ssize_t>(others.size()))
      throw_errno("write to a pipe");
    take(pipe.out.get(), buffer.data(), static_cast<std::size_t>(got) + others.size());
    put_all(to, buffer.data(), static_cast<std::size_t>(got), static_cast<off_t>(at));
  }
  return 0;
}

// What the socket did not take is offered again from where sendfile(2) says that it stopped.
int send_to_full_socket(int from, int to, std::uint64_t size) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) throw_errno("socketpair");
  const Fd in(ends[0]), out(ends[1]);
  if (setsockopt(in.get(), SOL_SOCKET, SO_SNDBUF, &kSocketBytes, sizeof kSocketBytes) != 0) throw_errno("SO_SNDBUF");
  std::vector<char> buffer(kDrainedBytes);
  std::uint64_t sent = 0, received = 0;
  bool ended = false;
  for (off_t offset = 0; !ended || received < sent;) {
    if (!ended) {
      const std::uint64_t left = size - std::min(size, static_cast<std::uint64_t>(offset));
      const ssize_t took = left == 0 ? 0 : retried([&] { return sendfile(in.get(), from, &offset, left); });
      if (took < 0 && errno != EAGAIN && offset == 0) return refused_or_throw("sendfile");
      if (took < 0 && errno != EAGAIN) throw_errno("sendfile");
      if (took > 0) sent += static_cast<std::uint64_t>(took);
      ended = took == 0;
    }
    const auto want = std::min<std::uint64_t>(buffer.size(), sent - received);
    if (want == 0) continue;
    take(out.get(), buffer.data(), want);
    put_all(to, buffer.data(), want, static_cast<off_t>(received));
    received += want;
  }
  return 0;
}

}  // namespace writecanary::probe
